// missing.js - an address that leads nowhere.
import { h } from "../dom.js";
import { emptyState } from "../table.js";
import { frame } from "../shell.js";
import { home } from "../router.js";

export function show(ctx) {
  const page = frame(ctx, { title: "There is no such page" });
  page.body.append(emptyState("Nothing is here", "The address is wrong, or the page is not for the role of your token.",
    h("a", { class: "button", href: home() }, "Back to the beginning")));
  return page.root;
}
