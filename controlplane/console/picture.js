// picture.js - a cluster as one picture: clients above, agents by zone, and below them the
// object storage, where the records are, and the control plane, where they never are.
//
// Threads are as thick as what flows through them. It is drawn at the width there is: with
// little, zones lie under each other. Names are a stranger's and are cut to their place.
import { h, replace, svg } from "./dom.js";
import { bytesRate, count, plural, short } from "./format.js";

const GAP = 16;
const BAND = 52;
const PAD = 14;
const CARD_W = 132;
const CARD_H = 56;
const DOT = 14;
const CARDS_MAX = 24; // more agents than these are dots
const DOTS_MAX = 240;

function cut(text, width, size = 7) {
  const most = Math.max(3, Math.floor(width / size));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function text(x, y, cls, words, anchor = "start") {
  return svg("text", { x, y, class: cls, "text-anchor": anchor }, words);
}

// How wide a thread of BYTES a second is, of the largest there is.
function thickness(value, max) {
  return value <= 0 ? 1.5 : 1.5 + 8 * Math.sqrt(value / Math.max(max, 1));
}

function loadBar(x, y, width, part, kind) {
  return [svg("rect", { class: "load-ground", x, y, width, height: 4, rx: 2 }),
    part > 0 && svg("rect", { class: `line-${kind}`, x, y, width: Math.max(3, width * Math.min(1, part)), height: 4, rx: 2 })];
}

function agentCard(agent, x, y, most) {
  const [word, kind] = agent.state;
  return svg("g", null,
    svg("title", null, `Agent ${agent.node_id}, ${agent.host}: ${word}, in ${bytesRate(agent.in)}, out ${bytesRate(agent.out)}, ${plural(agent.connections, "client")}`),
    svg("rect", { class: `agent agent-${kind}`, x, y, width: CARD_W, height: CARD_H, rx: 8 }),
    svg("circle", { class: `dot-${kind}`, cx: x + 14, cy: y + 16, r: 4 }),
    text(x + 24, y + 20, "picture-text", `Agent ${agent.node_id}`),
    text(x + CARD_W - 10, y + 20, "picture-small", kind === "good" ? `${short(agent.connections)} cl.` : word === "asked to drain" ? "draining" : word, "end"),
    loadBar(x + 10, y + 33, CARD_W - 20, agent.in / most, 1), loadBar(x + 10, y + 43, CARD_W - 20, agent.out / most, 2));
}

function agentDot(agent, x, y) {
  return svg("g", null, svg("title", null, `Agent ${agent.node_id}, ${agent.host}: ${agent.state[0]}`),
    svg("rect", { class: `dot-${agent.state[1]}`, x, y, width: DOT - 4, height: DOT - 4, rx: 3 }));
}

// The agents of a zone in rows inside WIDTH: {parts(x, y), height}.
function agentGrid(agents, width, small, most) {
  if (agents.length === 0) return { height: 20, parts: (x, y) => text(x, y + 14, "picture-small", "no agent") };
  const w = small ? DOT : CARD_W + 10;
  const row = small ? DOT : CARD_H + 10;
  const shown = small ? agents.slice(0, DOTS_MAX) : agents;
  const a = Math.max(1, Math.floor((width + (small ? 4 : 10)) / w));
  const height = Math.ceil(shown.length / a) * row + (agents.length > shown.length ? 18 : 0);
  return {
    height,
    parts: (x, y) => [shown.map((agent, i) => (small ? agentDot : agentCard)(agent, x + (i % a) * w, y + Math.floor(i / a) * row, most)),
      agents.length > shown.length && text(x, y + height - 4, "picture-small", `and ${count(agents.length - shown.length)} more`)],
  };
}

function zonePanel(zone, x, y, width, height, grid) {
  return svg("g", null,
    svg("rect", { class: "zone", x, y, width, height, rx: 10 }),
    text(x + PAD, y + 24, "picture-title", cut(zone.name === "" ? "no zone" : zone.name, width - 2 * PAD - 74, 7.5)),
    text(x + width - PAD, y + 24, "picture-small", plural(zone.count, "agent"), "end"),
    text(x + PAD, y + 43, "picture-small", `in ${bytesRate(zone.in)}  ·  out ${bytesRate(zone.out)}`),
    grid.parts(x + PAD, y + 58));
}

// Two threads side by side, in and out, from (x, y0) down to (to, y1).
function threads(zone, x, y0, to, y1, most) {
  const path = (dx) => `M${x + dx} ${y0}C${x + dx} ${(y0 + y1) / 2} ${to + dx} ${(y0 + y1) / 2} ${to + dx} ${y1}`;
  return [svg("path", { class: "thread", d: path(-8), "stroke-width": thickness(zone.in, most).toFixed(1) }),
    svg("path", { class: "thread thread-out", d: path(8), "stroke-width": thickness(zone.out, most).toFixed(1) })];
}

function metaThread(x, y0, to, y1) {
  const half = (y0 + y1) / 2;
  return svg("path", { class: "thread thread-meta", d: `M${x} ${y0}C${x} ${half} ${to} ${half} ${to} ${y1}` });
}

function panelsOf(zones, width, small, most) {
  const across = Math.max(1, Math.min(zones.length, Math.floor((width + GAP) / (CARD_W + 2 * PAD + GAP + 20))));
  const w = (width - (across - 1) * GAP) / across;
  const panels = [];
  let y = BAND + 44;
  for (let from = 0; from < zones.length; from += across) {
    const row = zones.slice(from, from + across).map((zone) => ({ zone, grid: agentGrid(zone.agents, w - 2 * PAD, small, most) }));
    const height = 58 + PAD + Math.max(...row.map((p) => p.grid.height));
    row.forEach((p, i) => panels.push({ ...p, x: i * (w + GAP), y, w, height, first: from === 0, last: from + across >= zones.length }));
    y += height + GAP;
  }
  return { panels, bottom: y - GAP };
}

function summary(zones, told) {
  const parts = zones.map((z) => `zone ${z.name || "none"}: ${plural(z.count, "agent")}, in ${bytesRate(z.in)}, out ${bytesRate(z.out)}`);
  return `${plural(told.connections, "Kafka client")} at ${plural(zones.length, "zone")}. ${parts.join("; ")}. Records go to ${told.store}; metadata only to the control plane.`;
}

// update(zones, told): zones [{name, count, in, out, agents: [{node_id, host, state, in, out,
// connections}]}]; told {connections, store, storeText, planeText}.
export function clusterPicture() {
  const picture = svg("svg", { class: "picture", role: "img" });
  const figure = h("figure", { class: "figure" }, picture,
    h("figcaption", { class: "legend" }, h("span", null, h("i", { class: "swatch line-1" }), "in: produced"), h("span", null, h("i", { class: "swatch line-2" }), "out: fetched")));
  let state = null;

  function draw() {
    if (state === null) return;
    const { zones, told } = state;
    const width = Math.max(240, Math.floor(figure.clientWidth || 720));
    const agents = zones.flatMap((z) => z.agents);
    const mostAgent = Math.max(1, ...agents.flatMap((a) => [a.in, a.out]));
    const mostZone = Math.max(1, ...zones.flatMap((z) => [z.in, z.out]));
    const { panels, bottom } = panelsOf(zones, width, agents.length > CARDS_MAX, mostAgent);
    const floor = bottom + 60;
    const split = width < 560 ? width : Math.round(width * 0.62);
    const planeX = width < 560 ? 0 : split + GAP;
    const planeY = width < 560 ? floor + BAND + 8 : floor;
    const planeW = width - planeX;
    const height = planeY + BAND + 2;
    // Where a thread from X ends: the width is laid on that of the band.
    const toward = (x, from, to) => from + 20 + (x / width) * (to - from - 40);
    const lines = panels.map((p) => {
      const middle = p.x + p.w / 2;
      return [p.first && threads(p.zone, middle, BAND, middle, p.y, mostZone),
        p.last && threads(p.zone, middle - 10, p.y + p.height, toward(middle, 0, split), floor, mostZone),
        p.last && width >= 560 && metaThread(middle + 26, p.y + p.height, toward(middle, planeX, width), floor)];
    });
    const band = (x, y, w, cls, title, more) => svg("g", null, svg("rect", { class: cls, x: x + 0.5, y: y + 0.5, width: w - 1, height: BAND, rx: 10 }),
      text(x + PAD, y + 22, "picture-title", title), text(x + PAD, y + 40, "picture-small", cut(more, w - 2 * PAD, 6)));
    picture.setAttribute("width", width);
    picture.setAttribute("height", height);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.setAttribute("aria-label", summary(zones, told));
    replace(picture, lines, band(0, 0, width, "band", "Kafka clients", told.clientText),
      panels.map((p) => zonePanel(p.zone, p.x, p.y, p.w, p.height, p.grid)),
      band(0, floor, split, "band-own", "Your object storage", told.storeText), band(planeX, planeY, planeW, "band", "Control plane", told.planeText));
  }

  let width = 0;
  new ResizeObserver(() => {
    if (figure.clientWidth === width) return;
    width = figure.clientWidth;
    draw();
  }).observe(figure);
  return {
    root: figure,
    update(zones, told) {
      state = { zones, told };
      draw();
    },
  };
}
