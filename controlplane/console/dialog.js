// dialog.js - questions in front of the page: forms, and "are you sure".
//
// A <dialog> that is shown as modal makes the rest inert and hears Escape; the focus goes
// round inside of it, and returns to where it came from. While something is under way the
// dialog stays. What the API refuses is told in it, beside what was typed.
import { h, freshId, replace } from "./dom.js";
import { problemBox } from "./notice.js";

const FOCUSABLE = "a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled)";

function keepFocusInside(dialog, event) {
  if (event.key !== "Tab") return;
  const all = [...dialog.querySelectorAll(FOCUSABLE)].filter((e) => e.offsetParent !== null);
  const first = all[0];
  const last = all[all.length - 1];
  if (event.shiftKey && document.activeElement === first) {
    event.preventDefault();
    last.focus();
  } else if (!event.shiftKey && document.activeElement === last) {
    event.preventDefault();
    first.focus();
  }
}

// Show a dialog of TITLE with CONTENT; close() ends it. ended() is called in any case.
export function openDialog({ title, content, wide = false, ended = () => {} }) {
  const opener = document.activeElement;
  const id = freshId("dialog");
  const dialog = h("dialog", { class: wide ? "wide" : null, "aria-labelledby": id }, h("h2", { id }, title), content);
  let busy = false;
  dialog.addEventListener("keydown", (event) => keepFocusInside(dialog, event));
  dialog.addEventListener("cancel", (event) => busy && event.preventDefault());
  dialog.addEventListener("close", () => {
    dialog.remove();
    const back = opener && opener.isConnected && opener !== document.body ? opener : document.querySelector("h1");
    if (back) back.focus();
    ended();
  });
  // A page that goes takes its dialogs along.
  window.addEventListener("hashchange", () => dialog.open && dialog.close(), { once: true });
  document.body.append(dialog);
  dialog.showModal();
  const first = dialog.querySelector("input, select, textarea") || dialog.querySelector(FOCUSABLE);
  if (first) first.focus();
  return {
    element: dialog,
    close: () => dialog.close(),
    setBusy(yes) {
      busy = yes;
      dialog.toggleAttribute("aria-busy", yes);
    },
  };
}

// A form in a dialog. FIELDS: of form.js; run(values, key) does it; key is the same for the
// same values, so that a repeat after a lost answer is done once. Resolves to what run gave,
// or undefined when it was left. danger: a red button. extra: elements above the buttons.
export function formDialog({ title, lead = null, fields = [], extra = [], submit, danger = false, wide = false, run, ready = () => true }) {
  return new Promise((resolve) => {
    let result;
    let keyed = { text: "", key: "" };
    const trouble = h("div");
    const send = h("button", { class: danger ? "danger" : "primary", type: "submit" }, submit);
    const leave = h("button", { class: "quiet", type: "button" }, "Cancel");
    const form = h("form", { novalidate: true }, lead && (typeof lead === "string" ? h("p", { class: "lead" }, lead) : lead),
      fields.map((field) => field.root), extra, trouble, h("div", { class: "dialog-buttons" }, leave, send));
    const dialog = openDialog({ title, content: form, wide, ended: () => resolve(result) });
    const values = () => Object.fromEntries(fields.map((field) => [field.name, field.value()]));
    const look = () => {
      send.disabled = !ready(values());
    };
    const keyOf = () => {
      const text = JSON.stringify(values());
      if (text !== keyed.text) keyed = { text, key: crypto.randomUUID() };
      return keyed.key;
    };
    const setBusy = (yes) => {
      dialog.setBusy(yes);
      send.disabled = leave.disabled = yes;
      send.setAttribute("aria-busy", String(yes));
    };
    leave.addEventListener("click", dialog.close);
    form.addEventListener("input", look);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const wrong = fields.filter((field) => !field.check());
      if (wrong.length > 0) {
        wrong[0].focus();
        return;
      }
      if (send.disabled) return;
      setBusy(true);
      try {
        result = await run(values(), keyOf());
        if (result === undefined) result = true;
        setBusy(false);
        dialog.close();
      } catch (problem) {
        setBusy(false);
        if (problem.status === undefined) throw problem;
        replace(trouble, problemBox(problem));
        send.focus();
      }
    });
    look();
  });
}
