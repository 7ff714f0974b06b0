// router.js - the address behind "#" to a page, and back.
//
// "#/clusters/ID/topics?q=orders&sort=name" is a place: path segments are percent-decoded
// into ctx.params, what is behind the "?" into ctx.query. Each page gets an AbortSignal
// that ends when another takes its place. After a move the heading has the focus, so that
// keyboard and screen reader begin there.
import { isOperator, onSessionChange, whoAmI } from "./session.js";
import { showPage, showSignIn } from "./shell.js";
import * as missing from "./pages/missing.js";

let routes = [];
let current = null; // AbortController of the page shown

function parse() {
  const [path, query] = location.hash.replace(/^#/, "").split("?", 2);
  return { path: path || "/", query: Object.fromEntries(new URLSearchParams(query || "")) };
}

function match(pattern, path) {
  const want = pattern.split("/");
  const have = path.split("/");
  if (want.length !== have.length) return null;
  const params = {};
  for (let i = 0; i < want.length; i++) {
    if (want[i].startsWith(":")) {
      try {
        params[want[i].slice(1)] = decodeURIComponent(have[i]);
      } catch {
        return null; // no text in UTF-8
      }
      if (have[i] === "") return null;
    } else if (want[i] !== have[i]) return null;
  }
  return params;
}

// The address of a place, for links: at("/clusters/:cluster/topics/:topic", {…}, {…}).
export function at(pattern, params = {}, query = {}) {
  const path = pattern.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params[name]));
  const words = new URLSearchParams(Object.entries(query).filter(([, v]) => v !== "" && v !== null && v !== undefined));
  return `#${path}${words.size > 0 ? `?${words}` : ""}`;
}

export function go(address) {
  if (location.hash === address) show();
  else location.hash = address;
}

// The same place with other words behind the "?", without a new page or history entry.
export function setQuery(query) {
  history.replaceState(null, "", at(parse().path, {}, query).replace(/%25/g, "%"));
}

export function home() {
  const me = whoAmI();
  return me !== null && me.role !== "operator" ? at("/clusters/:cluster/overview", { cluster: me.cluster_id }) : "#/clusters";
}

function find(path) {
  for (const [pattern, page, roles] of routes) {
    const params = match(pattern, path);
    if (params !== null && (!roles || isOperator())) return { page, params, pattern };
  }
  return { page: missing, params: {}, pattern: "" };
}

function show(focus = true) {
  if (current) current.abort();
  current = new AbortController();
  if (whoAmI() === null) {
    showSignIn(current.signal);
    return;
  }
  const { path, query } = parse();
  if (path === "/") {
    history.replaceState(null, "", home());
    show(focus);
    return;
  }
  const { page, params, pattern } = find(path);
  showPage(page, { params, query, pattern, signal: current.signal }, focus);
}

export function start(table) {
  routes = table;
  window.addEventListener("hashchange", () => show());
  onSessionChange(() => show());
  show(false);
}
