// shell.js - what is around a page: the way to all others, who is signed in, the theme;
// and the frame that every page begins with: heading, live state, problem.
import { get } from "./api.js";
import { h, replace, setText } from "./dom.js";
import { icon, logo } from "./icons.js";
import { newsRegion, problemBox } from "./notice.js";
import { poll } from "./poll.js";
import { at } from "./router.js";
import { isOperator, signOut, whoAmI } from "./session.js";
import { clearSeries } from "./series.js";
import { nextTheme, setTheme, theme } from "./theme.js";
import { relative } from "./format.js";
import * as signin from "./pages/signin.js";

export const NO_RECORDS = "Records are never shown here, and cannot be: they go from the agents straight to your own " +
  "object storage. The control plane sees names, offsets and sizes, never a key, a value or a header.";

const OF_CLUSTER = [
  ["overview", "Overview"], ["topics", "Topics"], ["groups", "Groups"], ["agents", "Agents"], ["usage", "Usage"],
  ["audit", "Audit"],
];
const OF_CELL = [["clusters", "Clusters"], ["nodes", "Cell nodes"], ["usage", "Usage"], ["audit", "Audit"]];

const names = new Map(); // cluster id -> name

function clusterName(id, signal, put) {
  put(names.get(id) || "");
  get(`/clusters/${id}`, {}, signal)
    .then((cluster) => {
      names.set(id, cluster.name);
      put(cluster.name);
    })
    .catch(() => {}); // the page itself tells why
}

function navLink(name, text, href, here) {
  return h("li", null, h("a", { href, "aria-current": here ? "page" : null }, icon(name), h("span", null, text)));
}

function navList(title, id, links) {
  const heading = h("h2", { id }, title);
  return [heading, h("ul", { "aria-labelledby": id }, links), heading];
}

function clusterNav(ctx) {
  const cluster = ctx.params.cluster || (isOperator() ? null : whoAmI().cluster_id);
  if (!cluster) return [];
  const here = ctx.params.cluster && ctx.pattern.split("/")[3];
  const [heading, list] = navList("Cluster", "nav-cluster",
    OF_CLUSTER.map(([name, text]) => navLink(name, text, at(`/clusters/:cluster/${name}`, { cluster }), here === name)));
  clusterName(cluster, ctx.signal, (name) => setText(heading, name || "Cluster"));
  return [heading, list];
}

function cellNav(ctx) {
  if (!isOperator()) return [];
  const here = ctx.params.cluster ? "" : ctx.pattern.split("/")[1];
  return navList("Cell", "nav-cell", OF_CELL.map(([name, text]) => navLink(name, text, `#/${name}`, here === name))).slice(0, 2);
}

const THEME_TEXT = { auto: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

export function themeButton() {
  const button = h("button", { class: "bare", type: "button" });
  const draw = () => {
    replace(button, icon(theme()));
    button.setAttribute("aria-label", THEME_TEXT[theme()]);
    button.title = THEME_TEXT[theme()];
  };
  button.addEventListener("click", () => {
    setTheme(nextTheme());
    draw();
  });
  draw();
  return button;
}

function account() {
  const me = whoAmI();
  const out = h("button", { class: "quiet", type: "button", id: "sign-out" }, "Sign out");
  out.addEventListener("click", () => {
    clearSeries();
    names.clear();
    signOut();
    history.replaceState(null, "", "#/");
  });
  return h("div", { class: "account" },
    h("div", { class: "who" }, h("span", { class: "who-name" }, me.name || "API token"), h("span", { class: "who-role" }, me.role)),
    themeButton(), out);
}

function skipLink() {
  const link = h("a", { class: "skip", href: "#main" }, "Skip to the content");
  link.addEventListener("click", (event) => {
    event.preventDefault(); // the address behind # is the place, not an anchor
    document.getElementById("main").focus();
  });
  return link;
}

function navigation(ctx) {
  const id = "nav-body";
  const body = h("div", { id, class: "nav-body" }, clusterNav(ctx), cellNav(ctx),
    h("p", { class: "nav-note" }, NO_RECORDS), account());
  const toggle = h("button", { class: "bare nav-toggle", type: "button", "aria-expanded": "false", "aria-controls": id,
    "aria-label": "Menu" }, icon("menu"));
  const nav = h("nav", { class: "nav", "aria-label": "Main" },
    h("div", { class: "nav-head" }, h("a", { class: "brand", href: "#/" }, logo(), h("span", null, "Weft")), toggle), body);
  const open = (yes) => {
    nav.classList.toggle("open", yes);
    toggle.setAttribute("aria-expanded", String(yes));
  };
  toggle.addEventListener("click", () => open(!nav.classList.contains("open")));
  nav.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !nav.classList.contains("open")) return;
    open(false);
    toggle.focus();
  });
  return nav;
}

// The page's heading, its live state and its place for problems. root goes into the
// document; the page fills body, and polls by frame.poll.
export function frame(ctx, { title, lead = null, crumbs = [], actions = [] }) {
  const state = h("span", { class: "live", role: "status" });
  const trouble = h("div", { class: "trouble" });
  const body = h("div", { class: "page-body" });
  const heading = h("h1", { tabindex: "-1" }, title);
  const root = h("div", { class: "page" },
    crumbs.length > 0 && h("p", { class: "crumbs" }, crumbs.map(([text, href]) => [h("a", { href }, text), h("span", { "aria-hidden": "true" }, "/")])),
    h("header", { class: "page-head" }, h("div", { class: "page-title" }, heading, state), h("div", { class: "actions" }, actions)),
    lead && h("p", { class: "lead" }, lead), trouble, body);

  let shown = "";
  const tell = ({ state: what, problem, atMs }) => {
    const key = what + (problem ? problem.status + problem.detail : "");
    state.className = `live live-${what}`;
    setText(state, what === "live" ? "Live" : what === "retrying" ? "Not up to date" : "Stopped");
    if (what === "retrying") state.title = `Tries again ${relative(atMs)}`;
    else state.removeAttribute("title");
    if (key === shown) return;
    shown = key;
    if (what === "live") replace(trouble);
    else {
      const again = h("button", { class: "quiet", type: "button" }, "Try now");
      again.addEventListener("click", () => pollers.forEach((now) => now()));
      replace(trouble, problemBox(problem, what === "retrying" ? again : null));
    }
    root.classList.toggle("stale", what !== "live");
  };
  const pollers = [];
  return {
    root,
    body,
    heading,
    // Ask every MS; the returned function asks at once.
    poll(work, ms) {
      const now = poll(work, ms, ctx.signal, tell);
      pollers.push(now);
      return now;
    },
  };
}

// PAGE inside of it all.
export function showPage(page, ctx, focus) {
  const content = page.show(ctx);
  const title = content.querySelector("h1");
  document.title = `${title.textContent} – Weft`;
  document.body.className = "signed-in";
  replace(document.body, skipLink(), navigation(ctx), h("main", { id: "main", tabindex: "-1" }, content), newsRegion());
  window.scrollTo(0, 0);
  if (focus) title.focus({ preventScroll: true });
}

export function showSignIn(signal) {
  document.title = "Sign in – Weft";
  document.body.className = "signed-out";
  replace(document.body, h("main", { id: "main" }, signin.show({ signal })), newsRegion());
  const input = document.querySelector("input");
  if (input) input.focus();
}

