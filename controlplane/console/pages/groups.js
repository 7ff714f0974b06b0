// groups.js - the consumer groups of a cluster: who consumes, in which state, how far
// behind. The lag of the groups on the page is asked for beside the list, few at a time.
import { get, getAll, groupSegment, segment } from "../api.js";
import { h } from "../dom.js";
import { count, short, time } from "../format.js";
import { filterBar, selectField, textField } from "../form.js";
import { pager } from "../pager.js";
import { at, setQuery } from "../router.js";
import { frame } from "../shell.js";
import { badge, emptyState, table } from "../table.js";

const STATES = ["Stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Assigning", "Reconciling"];
const LAG_EVERY_MS = 10000;
const AT_ONCE = 4;

// "PreparingRebalance" as words, and how it looks.
export function stateBadge(state) {
  const words = state.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
  return badge(words, state === "Stable" ? "good" : state === "Empty" ? "idle" : "warn");
}

// The sum of what GROUP has not consumed yet: {lag, lagMs, complete}.
export async function lagOf(cluster, group, signal) {
  const found = await getAll(`/clusters/${segment(cluster)}/groups/${groupSegment(group)}/offsets`, {}, signal);
  return {
    offsets: found.items,
    complete: found.complete,
    lag: found.items.reduce((sum, o) => sum + o.lag, 0),
    lagMs: found.items.reduce((max, o) => Math.max(max, o.lag_ms), 0),
  };
}

async function askLags(cluster, groups, lags, signal) {
  const queue = [...groups];
  const worker = async () => {
    for (let group = queue.shift(); group; group = queue.shift()) {
      try {
        lags.set(group.id, await lagOf(cluster, group.id, signal));
      } catch (problem) {
        if (problem.status !== 404) throw problem; // it went meanwhile
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

export function show(ctx) {
  const cluster = ctx.params.cluster;
  let query = { q: ctx.query.q || "", state: ctx.query.state || "", type: ctx.query.type || "", sort: ctx.query.sort || "id" };
  const lags = new Map();
  let lagsAt = 0;
  const page = frame(ctx, { title: "Groups" });
  const pages = pager(() => refresh());
  const filtered = () => query.q || query.state || query.type;
  const list = table({
    caption: "Consumer groups", key: (g) => g.id, sort: query.sort,
    onSort: (sort) => change({ sort }),
    empty: () => (filtered() ? emptyState("No group is like that", "Ask for less.")
      : emptyState("No groups yet", "A group is there as soon as a consumer joins it or commits an offset.")),
    columns: [
      { id: "id", title: "Group", main: true, sort: "id", class: "wide-name", sig: (g) => g.id,
        cell: (g) => h("a", { href: at("/clusters/:cluster/groups/:group", { cluster, group: g.id }) }, g.id) },
      { id: "state", title: "State", sig: (g) => g.state, cell: (g) => stateBadge(g.state) },
      { id: "members", title: "Members", num: true, sort: "members", cell: (g) => count(g.members) },
      { id: "lag", title: "Lag", num: true, class: "live-cell", cell: (g) => {
        const lag = lags.get(g.id);
        return lag ? `${lag.complete ? "" : "≥ "}${short(lag.lag)}` : "–";
      } },
      { id: "type", title: "Protocol", cell: (g) => (g.type === "consumer" ? "consumer (KIP-848)" : g.type) },
      { id: "created", title: "Created", sort: "created_at_ms", sig: (g) => g.created_at_ms, cell: (g) => time(g.created_at_ms) },
    ],
  });
  const bar = filterBar([
    textField({ name: "q", label: "Search", type: "search", value: query.q, maxlength: 100, placeholder: "part of an id" }),
    selectField({ name: "state", label: "State", value: query.state, options: [["", "any"], ...STATES.map((s) => [s, s])] }),
    selectField({ name: "type", label: "Protocol", value: query.type, options: [["", "any"], ["classic", "classic"], ["consumer", "consumer"]] }),
  ], change);
  page.body.append(bar.root, list.root, pages.root);
  const refresh = page.poll(async () => {
    const found = await get(`/clusters/${segment(cluster)}/groups`, { ...query, ...pages.query() }, ctx.signal);
    list.show(found.items);
    pages.took(found);
    if (Date.now() - lagsAt < LAG_EVERY_MS && found.items.every((g) => lags.has(g.id))) return;
    lagsAt = Date.now();
    await askLags(cluster, found.items, lags, ctx.signal);
    list.show(found.items);
  }, 5000);
  function change(more) {
    query = { ...query, ...more };
    setQuery(query);
    pages.reset();
    refresh();
  }
  return page.root;
}
