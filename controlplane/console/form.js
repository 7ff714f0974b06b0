// form.js - fields: a label, an input, a hint, and what is wrong with it, tied together for
// every reader. A field has root, name, value(), check(), focus().
import { h, freshId, replace, setText } from "./dom.js";
import { CONFIG_NAMES } from "./config_names.js";
import { icon } from "./icons.js";

function field({ name, label, hint, input, read, judge }) {
  const id = freshId(name);
  const wrong = h("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  input.id = id;
  input.setAttribute("name", name);
  input.setAttribute("aria-describedby", hint ? `${id}-hint ${id}-wrong` : `${id}-wrong`);
  const check = () => {
    const text = judge ? judge(read()) || "" : "";
    setText(wrong, text);
    wrong.hidden = text === "";
    input.toggleAttribute("aria-invalid", text !== "");
    if (text !== "") input.setAttribute("aria-invalid", "true");
    return text === "";
  };
  input.addEventListener("input", () => wrong.hidden || check());
  return {
    name,
    root: h("div", { class: "field" }, h("label", { for: id }, label), input, hint && h("p", { class: "hint", id: `${id}-hint` }, hint), wrong),
    value: read,
    check,
    focus: () => input.focus(),
    input,
  };
}

export function textField({ name, label, hint = "", value = "", judge = null, type = "text", ...attributes }) {
  const input = h("input", { type, value, autocomplete: "off", autocapitalize: "none", spellcheck: "false", ...attributes });
  return field({ name, label, hint, input, judge, read: () => input.value.trim() });
}

// A whole number, or null when it is left empty and may be.
export function numberField({ name, label, hint = "", value = "", min = 0, max = Number.MAX_SAFE_INTEGER, optional = false }) {
  const input = h("input", { type: "text", inputmode: "numeric", value, autocomplete: "off" });
  const read = () => (input.value.trim() === "" ? null : Number(input.value.trim().replace(/[\s,_]/g, "")));
  const judge = (n) => {
    if (n === null) return optional ? "" : "A number is wanted here.";
    return Number.isSafeInteger(n) && n >= min && n <= max ? "" : `Want a whole number from ${min} to ${max}.`;
  };
  return field({ name, label, hint, input, read, judge });
}

export function selectField({ name, label, hint = "", value = "", options }) {
  const input = h("select", null, options.map(([id, text]) => h("option", { value: id, selected: id === value }, text)));
  return field({ name, label, hint, input, read: () => input.value });
}

export function checkField({ name, label, hint = "", value = false }) {
  const id = freshId(name);
  const input = h("input", { type: "checkbox", id, name, checked: value, "aria-describedby": hint ? `${id}-hint` : null });
  return {
    name,
    root: h("div", { class: "field field-check" }, input, h("label", { for: id }, label), hint && h("p", { class: "hint", id: `${id}-hint` }, hint)),
    value: () => input.checked,
    check: () => true,
    focus: () => input.focus(),
    input,
  };
}

// Type NAME to say that it is meant.
export function typedName(name, what) {
  return textField({ name: "typed", label: `Type the ${what} to confirm: ${name}`, hint: "This cannot be undone." });
}

// Rows of topic configs: name and value. value(): {name: text}; a row without a name is
// left away. removed(): the names that were there and are no more.
export function configRows(initial = {}) {
  const listId = freshId("config-names");
  const rows = h("div", { class: "config-rows" });
  const wrong = h("p", { class: "wrong", role: "alert", hidden: true });
  const add = h("button", { class: "quiet", type: "button" }, "Add a setting");
  const root = h("fieldset", null, h("legend", null, "Settings"),
    h("datalist", { id: listId }, CONFIG_NAMES.map(([name, standard]) => h("option", { value: name }, `default ${standard || "empty"}`))),
    rows, add, wrong);

  function row(name, value) {
    const nameInput = h("input", { type: "text", value: name, list: listId, "aria-label": "Setting", placeholder: "retention.ms", autocomplete: "off", spellcheck: "false" });
    const valueInput = h("input", { type: "text", value, "aria-label": name ? `Value of ${name}` : "Value", autocomplete: "off", spellcheck: "false" });
    const drop = h("button", { class: "bare", type: "button", "aria-label": name ? `Take ${name} back to its default` : "Remove the row" }, icon("close"));
    const made = h("div", { class: "config-row" }, nameInput, valueInput, drop);
    nameInput.addEventListener("input", () => {
      const known = CONFIG_NAMES.find(([n]) => n === nameInput.value);
      valueInput.placeholder = known ? known[1] : "";
      valueInput.setAttribute("aria-label", `Value of ${nameInput.value}`);
    });
    drop.addEventListener("click", () => {
      made.remove();
      add.focus();
      root.dispatchEvent(new Event("input", { bubbles: true }));
    });
    rows.append(made);
    return nameInput;
  }

  const pairs = () => [...rows.children].map((r) => [...r.querySelectorAll("input")].map((i) => i.value.trim()))
    .filter(([name, value]) => name !== "" || value !== "");
  for (const [name, value] of Object.entries(initial)) row(name, value);
  add.addEventListener("click", () => row("", "").focus());
  return {
    name: "configs",
    root,
    value: () => Object.fromEntries(pairs()),
    removed: () => Object.keys(initial).filter((name) => !pairs().some(([n]) => n === name)),
    check() {
      const seen = pairs().map(([name]) => name);
      const bad = seen.includes("") ? "A value has no setting's name before it."
        : new Set(seen).size < seen.length ? "A setting is named twice." : "";
      setText(wrong, bad);
      wrong.hidden = bad === "";
      return bad === "";
    },
    focus: () => (rows.querySelector("input") || add).focus(),
  };
}

// Filters above a list: fields in a row; changed(values) a moment after the last key.
export function filterBar(fields, changed) {
  let timer = 0;
  const values = () => Object.fromEntries(fields.map((f) => [f.name, f.value()]));
  const root = h("form", { class: "filters", role: "search" }, fields.map((f) => f.root));
  const tell = () => {
    clearTimeout(timer);
    if (fields.every((f) => f.check())) changed(values());
  };
  root.addEventListener("submit", (event) => {
    event.preventDefault();
    tell();
  });
  root.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(tell, 300);
  });
  return { root, values };
}

// A text to be copied, shown once: tokens, commands.
export function copyBox(label, text) {
  const id = freshId("copy");
  const button = h("button", { class: "quiet", type: "button" }, icon("copy"), "Copy");
  const told = h("span", { class: "sr", role: "status" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    replace(button, icon("copy"), "Copied");
    setText(told, `${label} copied`);
  });
  return h("div", { class: "copy-box" }, h("div", { class: "copy-head" }, h("span", { id }, label), button, told),
    h("pre", { tabindex: "0", "aria-labelledby": id, role: "group" }, text));
}
