// usage.js - what was used, by the hour: of one cluster with its limits, or of all of them.
import { get, getAll, segment, serverNow } from "../api.js";
import { h } from "../dom.js";
import { bytes, count, money, plural, short } from "../format.js";
import { barChart, stat, stats } from "../chart.js";
import { filterBar, selectField } from "../form.js";
import { at, setQuery } from "../router.js";
import { frame } from "../shell.js";
import { emptyState, table } from "../table.js";

const HOUR_MS = 3600000;
const DAY_MS = 24 * HOUR_MS;
const SPANS = [["1", "24 hours"], ["7", "7 days"], ["30", "30 days"], ["90", "90 days"]];
const NOTHING = () => emptyState("Nothing was used in this time", "Produce something, or look at a longer time.");

const storeRequests = ({ store }) => store.put + store.get + store.head + store.list + store.delete;

// Requests to the object store, and what they cost where that is known.
const storeText = (requests, dollars) => (dollars === null ? count(requests) : `${count(requests)}, ${money(dollars)}`);

// Hours as the bars of the span: hours for a day, days for more. Times are UTC, as billed.
function slots(hours, days) {
  const size = days > 2 ? DAY_MS : HOUR_MS;
  const end = Math.floor(serverNow() / size) * size;
  const out = [];
  for (let at0 = end - (days > 2 ? days - 1 : days * 24 - 1) * size; at0 <= end; at0 += size)
    out.push({ at: at0, produced: 0, fetched: 0, records: 0, requests: 0, partition_ms: 0, store: 0, dollars: null });
  for (const hour of hours) {
    const slot = out[Math.floor((hour.hour_ms - out[0].at) / size)];
    if (!slot) continue;
    slot.produced += hour.produced.bytes;
    slot.fetched += hour.fetched.bytes;
    slot.records += hour.produced.records;
    slot.requests += hour.produced.requests + hour.fetched.requests;
    slot.partition_ms += hour.partition_ms;
    slot.store += storeRequests(hour);
    if (hour.requests_dollars !== null) slot.dollars = (slot.dollars || 0) + hour.requests_dollars;
  }
  return out;
}

function slotName(at0, days) {
  const text = new Date(at0).toISOString();
  return days > 2 ? `${text.slice(8, 10)}.${text.slice(5, 7)}.` : text.slice(11, 16);
}

function slotColumns(days) {
  return [
    { id: "at", title: days > 2 ? "Day (UTC)" : "Hour (UTC)", main: true, cell: (s) => new Date(s.at).toISOString().slice(0, days > 2 ? 10 : 16).replace("T", " ") },
    { id: "produced", title: "Produced", num: true, cell: (s) => bytes(s.produced), tip: (s) => `${count(s.produced)} bytes` },
    { id: "fetched", title: "Fetched", num: true, cell: (s) => bytes(s.fetched), tip: (s) => `${count(s.fetched)} bytes` },
    { id: "records", title: "Records produced", num: true, cell: (s) => count(s.records) },
    { id: "requests", title: "Requests", num: true, cell: (s) => count(s.requests) },
    { id: "store", title: "Store requests", num: true, cell: (s) => storeText(s.store, s.dollars) },
    { id: "partitions", title: "Partition hours", num: true, cell: (s) => count(Math.round(s.partition_ms / HOUR_MS)) },
  ];
}

const LIMITS = [["agents", "Agents", count], ["topics", "Topics", count], ["partitions", "Partitions", count], ["metadata_bytes", "Metadata", bytes]];

function limitMeters(limits) {
  return h("ul", { class: "meters" }, LIMITS.map(([name, text, format]) => {
    const used = limits.used[name];
    const most = limits.effective[name];
    return h("li", null, h("span", { class: "meter-name" }, text),
      h("meter", { min: 0, max: most || 1, high: most * 0.8, value: used, "aria-label": `${text}: ${format(used)} of ${format(most)}` }),
      h("span", { class: "num" }, most > 0 ? `${format(used)} of ${format(most)}` : `${format(used)}, no limit`));
  }), h("li", null, h("span", { class: "meter-name" }, "Requests /s"), h("span"), h("span", { class: "num" }, `at most ${count(limits.effective.requests_per_second)}`)));
}

function showCluster(ctx, page, span) {
  const cluster = segment(ctx.params.cluster);
  const days = Number(span);
  const produced = stat("Produced");
  const fetched = stat("Fetched");
  const records = stat("Records produced");
  const store = stat("Store requests");
  const partitions = stat("Partition hours");
  const chart = barChart({ label: "Produced and fetched", names: ["Produced", "Fetched"], format: bytes, binary: true });
  const meters = h("div");
  const list = table({ caption: "Use", key: (s) => s.at, empty: NOTHING, columns: slotColumns(days) });
  page.body.append(stats(produced, fetched, records, store, partitions), h("section", { class: "card" }, h("h2", null, days > 2 ? "By the day" : "By the hour"), chart.root),
    h("section", { class: "card" }, h("h2", null, "Limits"), meters), h("section", null, h("h2", null, "In numbers"), list.root));
  page.poll(async () => {
    const from = Math.floor((serverNow() - days * DAY_MS) / DAY_MS) * DAY_MS;
    const [used, limits] = await Promise.all([getAll(`/clusters/${cluster}/usage`, { from_ms: from }, ctx.signal), get(`/clusters/${cluster}/limits`, {}, ctx.signal)]);
    const all = slots(used.items, days);
    const sum = (name) => all.reduce((total, slot) => total + slot[name], 0);
    produced.set(bytes(sum("produced")), `in ${SPANS.find(([n]) => n === span)[1]}`);
    fetched.set(bytes(sum("fetched")), sum("produced") > 0 ? `${(sum("fetched") / sum("produced")).toFixed(1)} times what was produced` : "");
    records.set(count(sum("records")));
    const priced = all.filter((slot) => slot.dollars !== null);
    store.set(short(sum("store")), priced.length > 0 ? `${money(priced.reduce((total, slot) => total + slot.dollars, 0))} by list prices` : "price unknown");
    partitions.set(count(Math.round(sum("partition_ms") / HOUR_MS)));
    chart.update(all.map((s) => ({ text: slotName(s.at, days), title: `${new Date(s.at).toISOString().slice(0, 16).replace("T", " ")} UTC: ${bytes(s.produced)} produced, ${bytes(s.fetched)} fetched`, values: [s.produced, s.fetched] })));
    meters.replaceChildren(limitMeters(limits));
    list.show(all.filter((s) => s.produced + s.fetched + s.requests + s.partition_ms > 0).reverse());
  }, 30000);
}

function showAll(ctx, page, span) {
  const list = table({
    caption: "Use of all clusters", key: (c) => c.cluster_id, empty: NOTHING,
    columns: [
      { id: "name", title: "Cluster", main: true, class: "wide-name", sig: (c) => c.cluster_name,
        cell: (c) => h("a", { href: at("/clusters/:cluster/usage", { cluster: c.cluster_id }, { days: span }) }, c.cluster_name) },
      { id: "produced", title: "Produced", num: true, cell: (c) => bytes(c.produced.bytes) },
      { id: "fetched", title: "Fetched", num: true, cell: (c) => bytes(c.fetched.bytes) },
      { id: "records", title: "Records produced", num: true, cell: (c) => count(c.produced.records) },
      { id: "requests", title: "Requests", num: true, cell: (c) => count(c.produced.requests + c.fetched.requests) },
      { id: "store", title: "Store requests", num: true, cell: (c) => storeText(storeRequests(c), c.requests_dollars) },
      { id: "partitions", title: "Partition hours", num: true, cell: (c) => count(Math.round(c.partition_ms / HOUR_MS)) },
    ],
  });
  const note = h("p", { class: "hint" });
  page.body.append(list.root, note);
  page.poll(async () => {
    const from = Math.floor((serverNow() - Number(span) * DAY_MS) / HOUR_MS) * HOUR_MS;
    const found = await getAll("/usage", { from_ms: from }, ctx.signal);
    list.show(found.items.sort((a, b) => b.produced.bytes - a.produced.bytes));
    note.textContent = found.complete ? `${plural(found.items.length, "cluster")}, the one that produces most first.` : "Only the first clusters are shown: weft usage prints all.";
  }, 30000);
}

export function show(ctx) {
  const span = SPANS.some(([n]) => n === ctx.query.days) ? ctx.query.days : "1";
  const page = frame(ctx, { title: "Usage", lead: ctx.params.cluster ? "What is billed, exact: hours and days are those of UTC." : "Use of every cluster, exact, for the bill." });
  const bar = filterBar([selectField({ name: "days", label: "Time", value: span, options: SPANS })], ({ days }) => {
    setQuery({ days });
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  });
  page.body.append(bar.root);
  if (ctx.params.cluster) showCluster(ctx, page, span);
  else showAll(ctx, page, span);
  return page.root;
}
