// chart.js - curves and bars, drawn by ourselves as SVG at the size that there is.
//
// A chart says the same in words (its label: what is now, what was the most), since a
// picture is not for everybody. The pointer, or the arrow keys, read single values.
import { h, replace, setText, svg } from "./dom.js";
import { duration, exactTime } from "./format.js";
import { serverNow } from "./api.js";

const LEFT = 64;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 24;

// A round step so that MAX is reached in about three; of 1,024s when BINARY.
function niceStep(max, binary) {
  const rough = max / 3;
  const unit = binary && rough >= 1024 ? 1024 ** Math.floor(Math.log(rough) / Math.log(1024)) : 1;
  const power = 10 ** Math.floor(Math.log10(rough / unit));
  const step = [1, 2, 5, 10].find((m) => m * power * unit >= rough) || 10;
  return step * power * unit;
}

function ticks(max, binary, whole) {
  let step = niceStep(max > 0 ? max : 1, binary);
  if (whole) step = Math.max(1, Math.round(step));
  const out = [];
  for (let v = 0; out.length === 0 || out[out.length - 1] < max; v += step) out.push(v);
  if (out.length === 1) out.push(step);
  return out;
}

function areaOf(figure) {
  return Math.max(240, Math.floor(figure.clientWidth || 640));
}

function redrawOnResize(figure, draw) {
  let width = 0;
  new ResizeObserver(() => {
    if (figure.clientWidth === width) return;
    width = figure.clientWidth;
    draw();
  }).observe(figure);
}

function grid(values, y, width, format) {
  return values.map((v) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(v), y2: y(v) }),
    svg("text", { class: "tick", x: LEFT - 8, y: y(v) + 4, "text-anchor": "end" }, format(v).replace(/\.0+(?=\D|$)/, "")),
  ]);
}

// Points as one or more lines: where nothing was seen for long, the line has a gap.
function pathOf(points, x, y, gapMs) {
  let d = "";
  points.forEach(([ms, value], i) => {
    const move = i === 0 || ms - points[i - 1][0] > gapMs;
    d += `${move ? "M" : "L"}${x(ms).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return d;
}

function nearest(points, ms) {
  let best = null;
  for (const point of points) if (best === null || Math.abs(point[0] - ms) < Math.abs(best[0] - ms)) best = point;
  return best;
}

function summary(label, lines, format, spanMs) {
  const parts = lines.filter((l) => l.points.length > 0).map((l) => {
    const values = l.points.map((p) => p[1]);
    return `${l.name} now ${format(values[values.length - 1])}, at most ${format(Math.max(...values))}`;
  });
  return parts.length > 0 ? `${label}, last ${duration(spanMs)}: ${parts.join("; ")}` : `${label}: nothing seen yet`;
}

// How long a time to show: what was seen should fill it.
const SPANS_MS = [120000, 300000, 600000, 1200000, 2400000];

function spanOf(lines, now) {
  const oldest = Math.min(now, ...lines.filter((l) => l.points.length > 0).map((l) => l.points[0][0]));
  return SPANS_MS.find((span) => now - oldest <= span) || SPANS_MS[SPANS_MS.length - 1];
}

// LINES of update(): [{name, kind: 1..4, points: [[ms, value] …]}].
export function lineChart({ label, format, binary = false, whole = false, height = 190 }) {
  let lines = [];
  let spanMs = SPANS_MS[0];
  let frameOf = null; // what the cursor needs
  const picture = svg("svg", { class: "chart", height, role: "img", tabindex: "0" });
  const tip = h("div", { class: "chart-tip", hidden: true });
  const legend = h("figcaption", { class: "legend" });
  const figure = h("figure", { class: "figure" }, picture, tip, legend);

  function draw() {
    const width = areaOf(figure);
    const now = serverNow();
    spanMs = spanOf(lines, now);
    const seen = lines.map((l) => ({ ...l, points: l.points.filter(([ms]) => ms >= now - spanMs) }));
    const top = Math.max(0, ...seen.flatMap((l) => l.points.map((p) => p[1])));
    const values = ticks(top, binary, whole);
    const max = values[values.length - 1];
    const x = (ms) => LEFT + ((ms - (now - spanMs)) / spanMs) * (width - LEFT - RIGHT);
    const y = (v) => TOP + (1 - v / max) * (height - TOP - BOTTOM);
    const marks = [1, 0.5, 0].map((part) => svg("text", {
      class: "tick", x: x(now - part * spanMs), y: height - 6, "text-anchor": part === 1 ? "start" : part === 0 ? "end" : "middle",
    }, part === 0 ? "now" : `${duration(part * spanMs)} ago`));
    const curves = seen.map((l) => {
      const d = pathOf(l.points, x, y, Math.max(30000, spanMs / 8));
      const single = l.points.length === 1 && svg("circle", { class: `dot line-${l.kind}`, cx: x(l.points[0][0]), cy: y(l.points[0][1]), r: 3 });
      const area = seen.length === 1 && l.points.length > 1 && d.lastIndexOf("M") === 0 &&
        svg("path", { class: `area line-${l.kind}`, d: `${d}L${x(l.points[l.points.length - 1][0]).toFixed(1)} ${y(0)}L${x(l.points[0][0]).toFixed(1)} ${y(0)}Z` });
      return [area, svg("path", { class: `line line-${l.kind}`, d }), single];
    });
    const cursor = svg("line", { class: "cursor", y1: TOP, y2: height - BOTTOM, visibility: "hidden" });
    picture.setAttribute("width", width);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    replace(picture, grid(values, y, width, format), marks, curves, cursor);
    picture.setAttribute("aria-label", summary(label, seen, format, spanMs));
    frameOf = { x, now, width, seen, cursor };
  }

  function pointAt(ms) {
    const points = frameOf.seen.map((l) => [l, nearest(l.points, ms)]).filter(([, p]) => p);
    if (points.length === 0) return;
    const at = points[0][1][0];
    frameOf.at = at;
    frameOf.cursor.setAttribute("x1", frameOf.x(at));
    frameOf.cursor.setAttribute("x2", frameOf.x(at));
    frameOf.cursor.setAttribute("visibility", "visible");
    replace(tip, h("span", { class: "tip-time" }, exactTime(at)),
      points.map(([l, p]) => h("span", null, h("i", { class: `swatch line-${l.kind}` }), `${l.name} `, h("b", null, format(p[1])))));
    tip.hidden = false;
    const left = Math.min(Math.max(frameOf.x(at) - tip.offsetWidth / 2, 0), frameOf.width - tip.offsetWidth);
    tip.style.transform = `translateX(${left}px)`; // by script: the policy allows no style in markup
  }

  function hide() {
    tip.hidden = true;
    if (frameOf) frameOf.cursor.setAttribute("visibility", "hidden");
  }

  picture.addEventListener("pointermove", (event) => {
    const part = (event.clientX - picture.getBoundingClientRect().left - LEFT) / (frameOf.width - LEFT - RIGHT);
    pointAt(frameOf.now - spanMs * (1 - part));
  });
  picture.addEventListener("pointerleave", hide);
  picture.addEventListener("blur", hide);
  picture.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way || !frameOf) return;
    event.preventDefault();
    pointAt((frameOf.at || frameOf.now) + (way * spanMs) / 60);
  });
  redrawOnResize(figure, draw);
  return {
    root: figure,
    update(next) {
      lines = next;
      if (legend.childElementCount !== next.length)
        replace(legend, next.map((l) => h("span", null, h("i", { class: `swatch line-${l.kind}` }), l.name)));
      hide();
      draw();
    },
  };
}

// BARS of update(): [{text, title, values: [one a kind]}], from left to right; NAMES and
// colours of the kinds, which stand on each other.
export function barChart({ label, names, format, binary = false, height = 190 }) {
  let bars = [];
  const picture = svg("svg", { class: "chart", height, role: "img" });
  const figure = h("figure", { class: "figure" }, picture,
    h("figcaption", { class: "legend" }, names.map((name, i) => h("span", null, h("i", { class: `swatch line-${i + 1}` }), name))));

  function draw() {
    const width = areaOf(figure);
    const sums = bars.map((bar) => bar.values.reduce((a, b) => a + b, 0));
    const values = ticks(Math.max(0, ...sums), binary, false);
    const max = values[values.length - 1];
    const slot = (width - LEFT - RIGHT) / Math.max(1, bars.length);
    const y = (v) => TOP + (1 - v / max) * (height - TOP - BOTTOM);
    const every = Math.max(1, Math.ceil(90 / slot));
    const columns = bars.map((bar, i) => {
      let from = 0;
      const parts = bar.values.map((value, k) => {
        const part = svg("rect", {
          class: `bar line-${k + 1}`, x: LEFT + i * slot + slot * 0.12, width: Math.max(1, slot * 0.76),
          y: y(from + value), height: Math.max(0, y(from) - y(from + value)),
        });
        from += value;
        return part;
      });
      return svg("g", null, svg("title", null, bar.title), parts,
        i % every === 0 && svg("text", { class: "tick", x: LEFT + i * slot + (slot > 60 ? slot / 2 : 0), y: height - 6,
          "text-anchor": slot > 60 ? "middle" : "start" }, bar.text));
    });
    picture.setAttribute("width", width);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("aria-label", `${label}: ${bars.length} bars, ${names.map((name, k) =>
      `${name} ${format(bars.reduce((sum, bar) => sum + bar.values[k], 0))} in all`).join(", ")}`);
    replace(picture, grid(values, y, width, format), columns);
  }

  redrawOnResize(figure, draw);
  return {
    root: figure,
    update(next) {
      bars = next;
      draw();
    },
  };
}

// A number with its name: stat("Produced", "12 MiB/s", "1,200 records /s").
export function stat(name, { kind = "" } = {}) {
  const value = h("dd", { class: "stat-value" }, "–");
  const more = h("dd", { class: "stat-more" });
  const root = h("div", { class: `stat ${kind}` }, h("dt", null, name), value, more);
  return {
    root,
    set(text, below = "", state = "") {
      if (typeof text === "string") setText(value, text);
      else replace(value, text);
      if (typeof below === "string") setText(more, below);
      else replace(more, below);
      root.className = `stat ${kind} ${state ? `stat-${state}` : ""}`.trim();
    },
  };
}

export function stats(...all) {
  return h("dl", { class: "stats" }, all.map((s) => s.root));
}
