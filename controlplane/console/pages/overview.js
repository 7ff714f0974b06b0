// overview.js - a cluster at a glance: is it well, what flows through it, how fast, what it
// costs, and where its agents are.
import { get, getAll, segment, serverNow } from "../api.js";
import { h, replace } from "../dom.js";
import { bytes, bytesRate, count, duration, money, plural, rate, short } from "../format.js";
import { lineChart, stat, stats } from "../chart.js";
import { clusterPicture } from "../picture.js";
import { at } from "../router.js";
import { note, series } from "../series.js";
import { mayChange } from "../session.js";
import { frame, NO_RECORDS } from "../shell.js";
import { badge, emptyState, table } from "../table.js";
import { agentState } from "./agents.js";

const HEALTH = { ok: ["Well", "good"], degraded: ["Degraded", "warn"], down: ["Down", "bad"] };
const AGENTS_MAX = 2000;

// The zones with their agents in them, in order of their names.
function zonesOf(told, agents) {
  const byZone = new Map(told.zones.map((z) => [z.zone, {
    name: z.zone, count: z.agents, in: z.in_bytes_per_second, out: z.out_bytes_per_second, connections: z.connections,
    silent: z.silent, draining: z.draining, agents: [],
  }]));
  for (const agent of agents) {
    const zone = byZone.get(agent.zone) || byZone.get("other");
    if (zone) zone.agents.push({
      node_id: agent.node_id, host: `${agent.host}:${agent.port}`, state: agentState(agent), in: agent.load ? agent.load.in_bytes_per_second : 0,
      out: agent.load ? agent.load.out_bytes_per_second : 0, connections: agent.load ? agent.load.connections : 0,
    });
  }
  return [...byZone.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function zoneTable() {
  return table({
    caption: "Zones", key: (z) => z.name,
    empty: emptyState("No agents", "Nobody serves this cluster."),
    columns: [
      { id: "zone", title: "Zone", main: true, class: "wide-name", cell: (z) => z.name || "no zone" },
      { id: "agents", title: "Serving", num: true, cell: (z) => `${count(z.count - z.silent - z.draining)} of ${count(z.count)}` },
      { id: "clients", title: "Clients", num: true, cell: (z) => count(z.connections) },
      { id: "in", title: "In", num: true, class: "live-cell", cell: (z) => bytesRate(z.in) },
      { id: "out", title: "Out", num: true, class: "live-cell", cell: (z) => bytesRate(z.out) },
    ],
  });
}

const ms = (value) => duration(value >= 10 ? Math.round(value) : value);
const p99 = (latency) => (latency ? ms(latency.p99_ms) : "–");
const half = (latency) => (latency ? `p50 ${ms(latency.p50_ms)}` : "nothing measured lately");

function perMinute(store) {
  return Object.entries(store.requests_per_second).filter(([, n]) => n > 0)
    .map(([kind, n]) => `${kind.toUpperCase()} ${short(n * 60)}`).join(", ");
}

// Is there somebody who bills, and a price that is known?
const billed = (told) => told.cost !== null && told.store.provider !== "none";

function costText(cost) {
  return cost.dollars_per_gib === null ? "a month, storage only" : `a month; ${money(cost.dollars_per_gib)} a GiB produced`;
}

function facts(rows) {
  return h("ul", { class: "facts" }, rows.map(([name, value]) => h("li", null, h("span", null, name), h("span", { class: "num" }, value))));
}

function costCard(told) {
  const { cost, store } = told;
  const requests = ["Requests a minute", perMinute(store) || "none"];
  if (!billed(told))
    return h("div", null, facts([requests, ["Stored", bytes(store.stored_bytes)]]), h("p", { class: "hint" },
      cost === null ? "What it costs is told when the store's provider and region are in the table of prices." : "This store is your own: nobody bills its requests."));
  return h("div", null, facts([
    ["Requests, a month at this rate", money(cost.requests_dollars_per_month)],
    ["Storage, a month", `${money(cost.storage_dollars_per_month)} for ${bytes(store.stored_bytes)}`],
    ["Requests for a GiB produced", cost.dollars_per_gib === null ? "–" : money(cost.dollars_per_gib)], requests]),
  h("p", { class: "hint" }, `List prices of ${store.provider}, ${cost.price_region}, as of ${cost.as_of}.`));
}

export function show(ctx) {
  const cluster = ctx.params.cluster;
  const path = `/clusters/${segment(cluster)}`;
  const page = frame(ctx, { title: "Overview" });
  const tiles = { health: stat("Health"), produced: stat("Produced"), fetched: stat("Fetched"), latency: stat("Produce p99"), commit: stat("Commit p99"), cost: stat("Object store") };
  const picture = clusterPicture();
  const zones = zoneTable();
  const flow = lineChart({ label: "Throughput", format: bytesRate, binary: true });
  const wait = lineChart({ label: "Latency", format: ms });
  const problems = h("div", { class: "health-list" });
  const costs = h("div");
  const drawing = h("section", { class: "card" }, h("h2", null, "Agents by zone"), picture.root);
  page.body.append(stats(...Object.values(tiles)), problems, drawing,
    h("div", { class: "columns" }, h("section", { class: "card" }, h("h2", null, "Throughput"), flow.root), h("section", { class: "card" }, h("h2", null, "Latency, p99"), wait.root)),
    h("div", { class: "columns" }, h("section", null, h("h2", null, "Zones"), zones.root), h("section", { class: "card" }, h("h2", null, "Cost"), costs)),
    h("p", { class: "no-records" }, NO_RECORDS));

  function remember(told) {
    const now = serverNow();
    const key = (name) => `overview.${cluster}.${name}`;
    note(key("in"), now, told.throughput.produced_bytes_per_second);
    note(key("out"), now, told.throughput.fetched_bytes_per_second);
    if (told.latency.produce) note(key("produce"), now, told.latency.produce.p99_ms);
    if (told.latency.commit) note(key("commit"), now, told.latency.commit.p99_ms);
    flow.update([{ name: "Produced", kind: 1, points: series(key("in")) }, { name: "Fetched", kind: 2, points: series(key("out")) }]);
    wait.update([{ name: "Produce", kind: 1, points: series(key("produce")) }, { name: "Commit", kind: 3, points: series(key("commit")) }]);
  }

  function showHealth(told) {
    const [word, kind] = HEALTH[told.health.status] || [told.health.status, "idle"];
    tiles.health.set(badge(word, kind), `${plural(told.topics, "topic")}, ${plural(told.groups, "group")}`);
    replace(problems, told.health.problems.map((text) => h("p", { class: `notice notice-${kind}` }, text)));
    problems.hidden = told.health.problems.length === 0;
  }

  page.poll(async () => {
    const [told, agents] = await Promise.all([get(`${path}/overview`, {}, ctx.signal), getAll(`${path}/agents`, {}, ctx.signal, AGENTS_MAX)]);
    const all = zonesOf(told, agents.items);
    const flowing = told.throughput;
    showHealth(told);
    tiles.produced.set(bytesRate(flowing.produced_bytes_per_second), `${rate(flowing.produced_records_per_second)} records`);
    tiles.fetched.set(bytesRate(flowing.fetched_bytes_per_second), `${rate(flowing.fetched_records_per_second)} records`);
    tiles.latency.set(p99(told.latency.produce), half(told.latency.produce));
    tiles.commit.set(p99(told.latency.commit), half(told.latency.commit));
    if (billed(told)) tiles.cost.set(money(told.cost.dollars_per_month), costText(told.cost));
    else tiles.cost.set(bytes(told.store.stored_bytes), told.cost === null ? "stored; price unknown" : "stored, in a store of your own");
    remember(told);
    const connections = all.reduce((sum, z) => sum + z.connections, 0);
    if (all.length === 0)
      replace(drawing, h("h2", null, "Agents by zone"), emptyState("No agents yet", mayChange() ? "Until one is started, the cluster serves nobody." : "An admin adds them.",
        h("a", { class: "button primary", href: at("/clusters/:cluster/agents", { cluster }) }, "To the agents")));
    else {
      if (!drawing.contains(picture.root)) replace(drawing, h("h2", null, "Agents by zone"), picture.root);
      picture.update(all, {
        connections, store: "your object storage", clientText: `${plural(connections, "connection")}, any of them at any agent`,
        storeText: `${bytes(told.store.stored_bytes)} of records${perMinute(told.store) ? `; requests a minute: ${perMinute(told.store)}` : ""}`,
        planeText: `metadata of ${plural(told.partitions, "partition")}, never a record`,
      });
    }
    zones.show(all);
    replace(costs, costCard(told));
  }, 5000);
  return page.root;
}
