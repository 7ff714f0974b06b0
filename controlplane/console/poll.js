// poll.js - ask again and again while somebody looks.
//
// A poll that succeeds comes again after its interval; one that fails comes later and
// later, up to a minute, or when the server's Retry-After says. In a tab that is hidden
// nothing is asked; when it is seen again it asks at once. It ends with the page, or when
// asking again cannot help: what was looked at is not there, or not for us.
import { serverNow } from "./api.js";

const SLOWEST_MS = 60000;
const SOON_MS = 3000;
const FINAL = [400, 401, 403, 404, 422];

function delayOf(problem, failures, everyMs) {
  // Half of it by chance: browsers that lost the same server do not all come at once.
  const wait = Math.min(SLOWEST_MS, Math.min(SOON_MS, everyMs) * 2 ** Math.min(failures, 6));
  return Math.max(problem.retryMs || 0, wait / 2 + (Math.random() * wait) / 2);
}

// WORK() is awaited, one at a time. tell({state, problem, atMs}) hears what came of it,
// state: "live", "retrying" (atMs: when) or "ended". Returns a function that asks now.
export function poll(work, everyMs, signal, tell) {
  let timer = 0;
  let running = false;
  let again = false;
  let failures = 0;

  const visible = () => document.visibilityState === "visible";
  const schedule = (ms) => {
    clearTimeout(timer);
    if (!signal.aborted) timer = setTimeout(run, ms);
  };

  async function once() {
    try {
      await work();
      failures = 0;
      tell({ state: "live" });
      return everyMs;
    } catch (problem) {
      if (signal.aborted) return 0;
      if (problem.status === undefined) throw problem; // a fault of ours
      if (FINAL.includes(problem.status)) {
        tell({ state: "ended", problem });
        return -1;
      }
      failures += 1;
      const ms = delayOf(problem, failures, everyMs);
      tell({ state: "retrying", problem, atMs: serverNow() + ms });
      return ms;
    }
  }

  async function run() {
    if (signal.aborted || !visible()) return;
    if (running) {
      again = true;
      return;
    }
    running = true;
    clearTimeout(timer);
    const ms = await once().finally(() => {
      running = false;
    });
    if (signal.aborted) return;
    if (again) {
      again = false;
      run();
    } else if (ms >= 0) schedule(ms);
  }

  const onVisible = () => (visible() ? run() : clearTimeout(timer));
  document.addEventListener("visibilitychange", onVisible, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  run();
  return run;
}
