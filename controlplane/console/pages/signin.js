// signin.js - the first page: a token, and what the console is.
import { h, replace } from "../dom.js";
import { logo } from "../icons.js";
import { problemBox } from "../notice.js";
import { Problem } from "../api.js";
import { signIn, takeFarewell, takeResumable } from "../session.js";
import { NO_RECORDS, themeButton } from "../shell.js";
import { textField } from "../form.js";

export function show() {
  const token = textField({
    name: "token", label: "API token", type: "password",
    hint: "An operator or an admin makes one: weft token create. It stays in this tab and ends with it.",
    judge: (text) => (text === "" ? "Paste an API token." : ""),
  });
  const trouble = h("div");
  const button = h("button", { class: "primary", type: "submit" }, "Sign in");
  const form = h("form", { class: "signin-form", novalidate: true }, token.root, trouble, button);
  const tell = (problem) => replace(trouble, problemBox(problem));

  async function enter(text) {
    button.disabled = true;
    try {
      await signIn(text);
    } catch (problem) {
      if (problem.status === undefined) throw problem;
      tell(problem);
    }
    button.disabled = false;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (token.check()) enter(token.value());
    else token.focus();
  });
  const waiting = takeResumable();
  const farewell = takeFarewell();
  if (waiting !== null) {
    token.input.value = waiting.token;
    tell(waiting.problem);
  } else if (farewell) tell(new Problem(401, farewell));
  return h("div", { class: "signin" },
    h("div", { class: "signin-card" },
      h("div", { class: "signin-head" }, logo(), h("div", null, h("h1", null, "Weft console"), h("p", { class: "hint" }, "Sign in to look after your clusters.")), themeButton()),
      form),
    h("p", { class: "signin-note" }, NO_RECORDS));
}
