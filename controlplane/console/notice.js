// notice.js - what the console says: passing news, and problems that stay until they pass.
//
// News go to one live region, which screen readers read when they have time. A problem is
// the API's own sentence; with 421 it carries the way to the node that leads.
import { h, replace } from "./dom.js";
import { icon } from "./icons.js";

const STAY_MS = 6000;
const region = h("div", { class: "news", role: "status", "aria-live": "polite" });

export function newsRegion() {
  return region;
}

// Say TEXT once: "Topic orders was created."
export function say(text) {
  const close = h("button", { class: "bare", type: "button", "aria-label": "Dismiss" }, icon("close"));
  const item = h("div", { class: "news-item" }, h("span", null, text), close);
  close.addEventListener("click", () => item.remove());
  region.append(item);
  setTimeout(() => item.remove(), STAY_MS);
}

// The console of LEADER at the place where we are.
export function leaderAddress(leader) {
  return `${leader.replace(/\/+$/, "")}/console${location.hash}`;
}

function isWebAddress(text) {
  try {
    return ["https:", "http:"].includes(new URL(text).protocol);
  } catch {
    return false;
  }
}

const TITLES = {
  0: "No answer", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 409: "In conflict", 412: "Changed meanwhile",
  413: "Too large", 421: "Another node leads now", 422: "Not accepted", 429: "Too many requests", 503: "Not available",
  507: "No space left",
};

export function problemTitle(problem) {
  return TITLES[problem.status] || "That did not work";
}

// A box that tells PROBLEM; ACTION: a button or link beside it. Read out at once.
export function problemBox(problem, action = null) {
  const box = h("div", { class: "problem", role: "alert" });
  const more = [];
  if (problem.status === 421 && problem.leader && isWebAddress(problem.leader))
    more.push(h("p", null, h("a", { class: "button", href: leaderAddress(problem.leader) }, "Open the console of the leader"),
      h("span", { class: "hint" }, " It asks for the token again: a token stays with the server that it was given to.")));
  if (problem.requestId && problem.status >= 500)
    more.push(h("p", { class: "hint" }, "Request ", h("code", null, problem.requestId)));
  return replace(box, h("strong", null, problemTitle(problem)), h("p", null, sentence(problem)), more, action);
}

// The API's details begin small and end open; as a sentence of its own.
export function sentence(problem) {
  if (problem.status === 412)
    return "Somebody changed this since you opened it. Close this, look at it as it is now, and change it again.";
  const text = problem.detail;
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
