// pager.js - from page to page of a list, by the API's cursors.
//
// A cursor leads forwards only, so the way back is remembered. Where we are stays when the
// list is asked again; other filters begin at the first page.
import { h } from "./dom.js";

export const PAGE_SIZES = [25, 50, 100];

// ask() is called when another page is wanted. query(): what to add to the list's query;
// took(page): what came.
export function pager(ask, size = PAGE_SIZES[0]) {
  let trail = [null]; // cursors of the pages up to this one
  let next = null;
  const back = h("button", { class: "quiet", type: "button", disabled: true }, "Previous");
  const forth = h("button", { class: "quiet", type: "button", disabled: true }, "Next");
  const where = h("span", { class: "pager-where" }, "Page 1");
  const select = h("select", { "aria-label": "Rows on a page" },
    PAGE_SIZES.map((n) => h("option", { value: n, selected: n === size }, `${n} rows`)));
  const root = h("nav", { class: "pager", "aria-label": "Pages" }, back, where, forth, select);

  function draw() {
    // aria-disabled, not disabled: the focus must not be lost on the last page.
    back.disabled = trail.length === 1 && document.activeElement !== back;
    forth.disabled = next === null && document.activeElement !== forth;
    back.setAttribute("aria-disabled", String(trail.length === 1));
    forth.setAttribute("aria-disabled", String(next === null));
    where.textContent = `Page ${trail.length}`;
    root.hidden = trail.length === 1 && next === null && select.value === String(PAGE_SIZES[0]);
  }

  back.addEventListener("click", () => {
    if (trail.length === 1) return;
    trail.pop();
    ask();
  });
  forth.addEventListener("click", () => {
    if (next === null) return;
    trail.push(next);
    next = null;
    ask();
  });
  const reset = () => {
    trail = [null];
    next = null;
  };
  select.addEventListener("change", () => {
    reset();
    ask();
  });
  draw();
  return {
    root,
    reset,
    query: () => ({ limit: select.value, after: trail[trail.length - 1] }),
    took(page) {
      next = page.next;
      draw();
    },
  };
}
