// session.js - who is signed in: a token, and what the API says it is.
//
// The token is kept in sessionStorage: it survives a reload, and ends with the tab. It is
// in no address, no cookie and nothing that outlives the tab.
import { call, setToken, Problem } from "./api.js";

const KEY = "weft-console-token";

let me = null;
let farewell = "";
const listeners = [];

// {name, role, cluster_id, expires_at_ms ...} of GET /whoami, or null.
export function whoAmI() {
  return me;
}

export function isOperator() {
  return me !== null && me.role === "operator";
}

// May change things: a viewer may not, and is offered no forms.
export function mayChange() {
  return me !== null && me.role !== "viewer";
}

// Why the last session ended, for the sign-in page; told once.
export function takeFarewell() {
  const text = farewell;
  farewell = "";
  return text;
}

export function onSessionChange(fn) {
  listeners.push(fn);
}

function tell() {
  for (const fn of listeners) fn();
}

// Ask who TOKEN is and keep it if it is somebody; else a Problem.
export async function signIn(token) {
  // What could not even be sent in a header.
  if (!/^[!-~]{1,512}$/.test(token))
    throw new Problem(401, "This is no API token: paste the whole text that weft token create printed, without spaces.");
  setToken(token);
  me = (await call("GET", "/whoami", { quiet: true })).body;
  sessionStorage.setItem(KEY, token);
  tell();
}

export function signOut(why = "") {
  const was = me;
  me = null;
  setToken(null);
  sessionStorage.removeItem(KEY);
  farewell = why;
  if (was !== null) tell();
}

// After a reload: who we were. Without an answer the page asks again for the token's
// owner when it is used.
export async function resume() {
  const token = sessionStorage.getItem(KEY);
  if (token === null) return;
  try {
    await signIn(token);
  } catch (problem) {
    if (problem.status === 401 || problem.status === 403) sessionStorage.removeItem(KEY);
    farewell = problem.detail;
    resumable = problem.status === 401 || problem.status === 403 ? null : { token, problem };
  }
}

let resumable = null;

// A token that could not be tried because nobody answered: {token, problem}, or null.
export function takeResumable() {
  const found = resumable;
  resumable = null;
  return found;
}
