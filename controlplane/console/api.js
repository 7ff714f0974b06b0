// api.js - the only door to the API: every request of the console is made here.
//
// What goes wrong is a Problem, whose detail is a sentence for people: the API's own
// (RFC 9457) wherever it gave one. A token that is no longer good ends the session. All
// requests go to the server that the page came from, by its policy and by their making.

const LIMIT_MS = 20000;
const SOON_MS = 1000;

export class Problem extends Error {
  constructor(status, detail, more = {}) {
    super(detail);
    this.status = status; // 0: no answer at all
    this.detail = detail;
    this.code = more.code || "";
    this.leader = more.leader || null; // with 421: who leads
    this.retryMs = more.retryMs || 0;
    this.requestId = more.requestId || "";
  }
}

let token = null;
let onSessionEnd = () => {};
let skewMs = 0;

export function setToken(text) {
  token = text;
}

// FN hears of it when a call is refused because the token is not good any more.
export function onProblemOfSession(fn) {
  onSessionEnd = fn;
}

// The control plane's clock, as its answers tell: what relative times are measured by.
export function serverNow() {
  return Date.now() + skewMs;
}

function noteClock(response) {
  const told = Date.parse(response.headers.get("Date"));
  // The header has whole seconds; a difference below two is none.
  if (!Number.isNaN(told)) skewMs = Math.abs(told - Date.now()) < 2000 ? 0 : told - Date.now();
}

// A segment of a path; "." and ".." would be taken for a folder.
export function segment(text) {
  return encodeURIComponent(text).replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
}

// A group's id as a segment: what is not plain goes as ~ and its bytes in hex.
export function groupSegment(id) {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(id)) return id;
  const bytes = new TextEncoder().encode(id);
  return "~" + Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

function addressOf(path, query) {
  const url = new URL("../api/v1" + path, import.meta.url);
  for (const [name, value] of Object.entries(query || {}))
    if (value !== undefined && value !== null && value !== "") url.searchParams.set(name, value);
  return url;
}

async function problemOf(response) {
  let told = {};
  try {
    told = await response.json();
  } catch {
    // A proxy between, or what the HTTP library refused by itself: no body of ours.
  }
  const seconds = Number(response.headers.get("Retry-After"));
  return new Problem(response.status, told.detail || `The server refused this with status ${response.status}.`, {
    code: told.code,
    leader: told.leader,
    retryMs: seconds > 0 ? seconds * 1000 : 0,
    requestId: response.headers.get("X-Request-Id"),
  });
}

async function send(method, path, { query, body, etag, key, signal } = {}) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (etag) headers["If-Match"] = etag;
  if (key) headers["Idempotency-Key"] = key;
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    return await fetch(addressOf(path, query), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
  } catch (error) {
    if (signal && signal.aborted) throw error; // the page has gone: nobody waits
    throw new Problem(0, limit.aborted
      ? "The control plane did not answer within 20 seconds."
      : "The control plane does not answer. Is it running, and can this browser reach it?");
  }
}

// One call: {status, body, etag}, or a Problem. query, body: plain objects; etag: what the
// change is based on (If-Match); key: an Idempotency-Key.
export async function call(method, path, options = {}) {
  const response = await send(method, path, options);
  noteClock(response);
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && !options.quiet) onSessionEnd(problem);
    throw problem;
  }
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : null, etag: response.headers.get("ETag") };
}

// How long to wait when the server cannot just now, and says so: leadership moves, more
// than may be asked at once. 0: the answer is final.
function notYetMs(problem) {
  if (problem.status === 503 || problem.status === 429) return problem.retryMs;
  return problem.status === 421 && !problem.leader ? SOON_MS : 0; // who leads is being decided
}

// A call that changes something: repeated for a while when the server says "not yet", as
// a person would. A POST is done once by its key, and the others by what they are based on.
export async function change(method, path, options) {
  const until = Date.now() + LIMIT_MS;
  for (let first = true; ; first = false) {
    try {
      return await call(method, path, options);
    } catch (problem) {
      // It was done the first time, and only the answer was lost with the leader.
      if (!first && method === "DELETE" && problem.status === 404) return { status: 204, body: null, etag: null };
      const wait = notYetMs(problem);
      if (wait === 0 || Date.now() + wait > until) throw problem;
      await new Promise((done) => setTimeout(done, wait));
    }
  }
}

export async function get(path, query, signal) {
  return (await call("GET", path, { query, signal })).body;
}

// SHA-256 of the certificate that signs, as --ca-fingerprint of the programs wants it.
export async function caFingerprint(signal) {
  const response = await send("GET", "/ca", { signal });
  if (!response.ok) throw await problemOf(response);
  const first = (await response.text()).match(/-----BEGIN CERTIFICATE-----([^-]+)-----END/);
  if (!first) throw new Problem(500, "The control plane told no certificate.");
  const der = Uint8Array.from(atob(first[1].replace(/\s+/g, "")), (c) => c.charCodeAt(0));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", der));
  return Array.from(hash, (b) => b.toString(16).padStart(2, "0")).join("");
}

// All items of a list, up to MAX; complete says whether there were no more.
export async function getAll(path, query, signal, max = 5000) {
  const items = [];
  let after = null;
  do {
    const page = await get(path, { ...query, limit: 1000, after }, signal);
    items.push(...page.items);
    after = page.next;
  } while (after !== null && items.length < max);
  return { items, complete: after === null };
}
