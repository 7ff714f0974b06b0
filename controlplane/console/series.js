// series.js - what was seen of a number over time, kept while the tab is open.
//
// The API tells the present; the console keeps what it has seen of it, so that leaving a
// page and coming back does not lose the curve. Bounded: POINTS a series, SERIES of them,
// the one that was not used for longest goes first.

const POINTS = 720;
const SERIES = 400;
const all = new Map();

// The points [ms, value] of KEY, the oldest first; to be read only.
export function series(key) {
  const found = all.get(key) || [];
  all.delete(key);
  all.set(key, found);
  if (all.size > SERIES) all.delete(all.keys().next().value);
  return found;
}

export function note(key, ms, value) {
  const points = series(key);
  const last = points.length > 0 ? points[points.length - 1][0] : -Infinity;
  if (ms <= last) return;
  points.push([ms, value]);
  if (points.length > POINTS) points.shift();
}

export function clearSeries() {
  all.clear();
}

// The present rate of a counter that only grows, per second, or null while one reading is
// all there is. A counter that falls has begun anew: another node answers.
export function rateOf(key, spanMs = 15000) {
  const points = series(key);
  const to = points[points.length - 1];
  if (points.length < 2) return null;
  let from = to;
  for (let i = points.length - 2; i >= 0; i--) {
    if (points[i][1] > from[1]) break;
    from = points[i];
    if (to[0] - from[0] >= spanMs) break;
  }
  return from === to ? null : ((to[1] - from[1]) * 1000) / (to[0] - from[0]);
}

// The rates between the readings of a counter, as points; gaps where it began anew.
export function rates(key) {
  const points = series(key);
  const out = [];
  for (let i = 1; i < points.length; i++) {
    const [ms, value] = points[i];
    const [ms0, value0] = points[i - 1];
    if (value >= value0) out.push([ms, ((value - value0) * 1000) / (ms - ms0)]);
  }
  return out;
}
