// table.js - lists as tables that stay: rows are known by a key, and a new reading changes
// only the texts that differ, so that focus and selection are not lost while it is live.
//
// On a narrow screen a row becomes a card, each cell with its column's title before it.
// The roles are said outright, since a table that is drawn otherwise loses its own.
import { h, replace, setText } from "./dom.js";

// Columns: {id, title, cell(item) -> text or element, sig(item): when an element is made
// anew, tip(item), sort: the API's field, num, main: names the row, hide: narrow}.
export function table({ caption, columns, key, empty, sort = "", onSort = null }) {
  const rows = new Map();
  const body = h("tbody", { role: "rowgroup" });
  const head = h("tr", { role: "row" });
  const holder = h("div", { class: "table-empty" });
  const element = h("table", { class: "cards", role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, head), body);
  const root = h("div", { class: "table" }, element, holder);
  let order = sort;

  const classOf = (column) => [column.num && "num", column.class].filter(Boolean).join(" ") || null;

  function headCell(column) {
    const th = h("th", { role: "columnheader", scope: "col", class: classOf(column) });
    if (!column.sort || !onSort) {
      th.append(column.srTitle ? h("span", { class: "sr" }, column.title) : column.title);
      return th;
    }
    const descending = order === `-${column.sort}`;
    const active = order === column.sort || descending;
    if (active) th.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const button = h("button", { class: "sort", type: "button" }, column.title,
      h("span", { class: "sort-sign", "aria-hidden": "true" }, active ? (descending ? "↓" : "↑") : "↕"));
    button.addEventListener("click", () => {
      order = active && !descending ? `-${column.sort}` : column.sort;
      drawHead();
      head.querySelectorAll("button")[columns.filter((c) => c.sort).indexOf(column)].focus();
      onSort(order);
    });
    th.append(button);
    return th;
  }

  function drawHead() {
    replace(head, columns.map(headCell));
  }

  function makeRow() {
    const cells = columns.map((column) => h(column.main ? "th" : "td", {
      role: column.main ? "rowheader" : "cell", scope: column.main ? "row" : null,
      class: classOf(column), "data-title": column.srTitle ? "" : column.title,
    }));
    return { tr: h("tr", { role: "row" }, cells), cells, sigs: [], item: null };
  }

  function fill(row, item) {
    row.item = item;
    columns.forEach((column, i) => {
      const sig = column.sig ? String(column.sig(item)) : null;
      const tip = column.tip ? column.tip(item) : null;
      if (tip) row.cells[i].title = tip;
      if (sig !== null && sig === row.sigs[i]) return;
      const made = column.cell(item, () => row.item);
      row.sigs[i] = sig;
      if (typeof made === "string") setText(row.cells[i], made);
      else replace(row.cells[i], made);
    });
  }

  drawHead();
  replace(holder, h("p", { class: "loading" }, "Loading …"));
  return {
    root,
    // Show ITEMS, in this order.
    show(items) {
      const seen = new Set();
      let place = body.firstChild;
      for (const item of items) {
        const id = key(item);
        seen.add(id);
        let row = rows.get(id);
        if (!row) rows.set(id, (row = makeRow()));
        fill(row, item);
        if (row.tr === place) place = place.nextSibling;
        else body.insertBefore(row.tr, place);
      }
      for (const [id, row] of rows)
        if (!seen.has(id)) {
          row.tr.remove();
          rows.delete(id);
        }
      element.hidden = items.length === 0;
      replace(holder, items.length === 0 ? (typeof empty === "function" ? empty() : empty) : null);
    },
  };
}

// What to do where there is nothing yet.
export function emptyState(title, text, action = null) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", null, text), action);
}

// A word with a colour: good, warn, bad, idle.
export function badge(text, kind) {
  return h("span", { class: `badge badge-${kind}` }, text);
}
