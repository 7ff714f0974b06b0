// group.js - one consumer group: its lag over time, members, offsets; set offsets, delete.
//
// The curve is of what this console has seen; it goes on while another page of it is open
// only as long as this one was, and begins when the group is first looked at.
import { change, get, groupSegment, segment, serverNow } from "../api.js";
import { h } from "../dom.js";
import { count, duration, plural, short, time } from "../format.js";
import { formDialog } from "../dialog.js";
import { selectField, textField, typedName } from "../form.js";
import { say } from "../notice.js";
import { pager } from "../pager.js";
import { at, go } from "../router.js";
import { note, rateOf, series } from "../series.js";
import { mayChange } from "../session.js";
import { frame } from "../shell.js";
import { lineChart, stat, stats } from "../chart.js";
import { emptyState, table } from "../table.js";
import { lagOf, stateBadge } from "./groups.js";

function holdings(member) {
  if (member.partitions === null) return "not readable here";
  if (member.partitions.length === 0) return "nothing";
  return member.partitions.map((t) => `${t.topic}: ${t.partitions.length > 12 ? plural(t.partitions.length, "partition") : t.partitions.join(", ")}`).join(" · ");
}

function membersTable() {
  return table({
    caption: "Members", key: (m) => m.id,
    empty: emptyState("No members", "Nobody consumes in this group just now. Its offsets are kept."),
    columns: [
      { id: "client", title: "Client", main: true, class: "wide-name", cell: (m) => m.client_id || "(no client id)", tip: (m) => m.id },
      { id: "host", title: "Host", class: "code", cell: (m) => m.host },
      { id: "instance", title: "Instance", cell: (m) => m.instance_id || "–" },
      { id: "epoch", title: "Generation", num: true, cell: (m) => count(m.epoch) },
      { id: "has", title: "Consumes", class: "wide-name", cell: holdings },
    ],
  });
}

function offsetsTable() {
  return table({
    caption: "Offsets", key: (o) => `${o.topic_id} ${o.partition}`,
    empty: emptyState("No offsets yet", "The group has committed none: its consumers begin where auto.offset.reset says."),
    columns: [
      { id: "topic", title: "Topic", main: true, class: "wide-name", cell: (o) => o.topic },
      { id: "partition", title: "Partition", num: true, cell: (o) => String(o.partition) },
      { id: "offset", title: "Committed", num: true, cell: (o) => count(o.offset) },
      { id: "end", title: "End", num: true, cell: (o) => count(o.high_watermark) },
      { id: "lag", title: "Lag", num: true, class: "live-cell", cell: (o) => count(o.lag) },
      { id: "age", title: "Behind", num: true, class: "live-cell", cell: (o) => (o.lag_ms > 0 ? duration(o.lag_ms) : o.lag > 0 ? "–" : "0") },
      { id: "who", title: "Consumed by", cell: (o) => o.client_id || "nobody", tip: (o) => o.member_id || "" },
    ],
  });
}

// --- offsets set anew: first shown, then done ---

const TARGETS = [["earliest", "the first record"], ["latest", "the end"], ["offset", "an offset"], ["time", "a time"],
  ["age", "an age (hours ago)"], ["shift", "so many further, or back"]];

function resetBody(values) {
  const number = Number(values.value);
  const more = { offset: { offset: number }, time: { time_ms: Date.parse(values.value) }, age: { age_ms: Math.round(number * 3600000) }, shift: { shift: number } };
  return { to: values.to, ...(more[values.to] || {}), ...(values.topic === "" ? { all_topics: true } : { topics: [values.topic] }) };
}

function judgeValue(to, text) {
  if (to === "earliest" || to === "latest") return "";
  if (to === "time") return Number.isNaN(Date.parse(text)) ? "Want a time such as 2026-01-31 13:00." : "";
  if (text === "" || !Number.isFinite(Number(text))) return "Want a number.";
  return "";
}

async function resetOffsets(path, group, offsets, refresh) {
  const topics = [...new Set(offsets.map((o) => o.topic))].sort();
  const to = selectField({ name: "to", label: "Go on from", value: "latest", options: TARGETS });
  const value = textField({ name: "value", label: "Which", hint: "An offset, a time (2026-01-31 13:00), hours, or a number that may be negative; for the first record and the end, nothing.",
    judge: (text) => judgeValue(to.value(), text) });
  const topic = selectField({ name: "topic", label: "Topic", value: "", options: [["", "all that it has offsets of"], ...topics.map((t) => [t, t])] });
  let body = null;
  const seen = await formDialog({
    title: `Set offsets of ${group.id}`, submit: "Preview", lead: "The group must have no members. Nothing is changed yet.",
    fields: [to, value, topic],
    run: (values, key) => {
      body = resetBody(values);
      return change("POST", `${path}/reset-offsets`, { body: { ...body, dry_run: true }, key });
    },
  });
  if (!seen) return;
  const list = table({
    caption: "New offsets", key: (i) => `${i.topic} ${i.partition}`, empty: emptyState("Nothing to set", "None of it has offsets."),
    columns: [
      { id: "topic", title: "Topic", main: true, cell: (i) => i.topic },
      { id: "partition", title: "Partition", num: true, cell: (i) => String(i.partition) },
      { id: "from", title: "Now", num: true, cell: (i) => count(i.offset_before) },
      { id: "to", title: "Then", num: true, cell: (i) => count(i.offset) },
    ],
  });
  list.show(seen.body.items);
  const done = await formDialog({
    title: `Set these offsets of ${group.id}?`, submit: "Set offsets", danger: true, wide: true, extra: [list.root],
    run: (_, key) => change("POST", `${path}/reset-offsets`, { body: { ...body, dry_run: false }, key }),
  });
  if (done) {
    say(`The offsets of ${group.id} were set.`);
    refresh();
  }
}

async function remove(path, group, cluster) {
  const done = await formDialog({
    title: `Delete ${group.id}?`, submit: "Delete the group", danger: true,
    lead: "Its offsets are forgotten: consumers that come again begin where auto.offset.reset says.",
    fields: [typedName(group.id, "group's id")],
    ready: ({ typed }) => typed === group.id.trim(),
    run: () => change("DELETE", path, { etag: `"${group.revision}"` }),
  });
  if (done) {
    say(`Group ${group.id} was deleted.`);
    go(at("/clusters/:cluster/groups", { cluster }));
  }
}

export function show(ctx) {
  const { cluster, group: id } = ctx.params;
  const path = `/clusters/${segment(cluster)}/groups/${groupSegment(id)}`;
  const key = `lag.${cluster}.${id}`;
  let group = null;
  let offsets = [];
  const reset = h("button", { class: "quiet", type: "button", disabled: true }, "Set offsets");
  const drop = h("button", { class: "danger-quiet", type: "button", disabled: true }, "Delete");
  const page = frame(ctx, { title: id, crumbs: [["Groups", at("/clusters/:cluster/groups", { cluster })]], actions: mayChange() ? [reset, drop] : [] });
  const state = stat("State");
  const lag = stat("Lag");
  const behind = stat("Behind");
  const pace = stat("Consumes");
  const chart = lineChart({ label: "Lag", format: short, whole: true });
  const members = membersTable();
  const list = offsetsTable();
  const pages = pager(() => drawOffsets());
  page.body.append(stats(state, lag, behind, pace), h("section", { class: "card" }, h("h2", null, "Lag over time"), chart.root),
    h("section", null, h("h2", null, "Members"), members.root), h("section", null, h("h2", null, "Offsets"), list.root, pages.root));

  // All offsets are here already; a "cursor" is a place among them.
  function drawOffsets() {
    const { limit, after } = pages.query();
    const from = Number(after || 0);
    const to = from + Number(limit);
    list.show(offsets.slice(from, to));
    pages.took({ next: to < offsets.length ? String(to) : null });
  }

  const refresh = page.poll(async () => {
    group = await get(path, {}, ctx.signal);
    const found = await lagOf(cluster, id, ctx.signal);
    const now = serverNow();
    offsets = found.offsets.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
    note(key, now, found.lag);
    note(`${key}.done`, now, offsets.reduce((sum, o) => sum + o.offset, 0));
    reset.disabled = drop.disabled = false;
    state.set(stateBadge(group.state), `${plural(group.members, "member")}, ${group.type} protocol`);
    lag.set(`${found.complete ? "" : "≥ "}${short(found.lag)}`, `in ${plural(offsets.length, "partition")}`, found.lag > 0 && group.members === 0 ? "warn" : "");
    behind.set(found.lag === 0 ? "0" : duration(found.lagMs), "age of the oldest record not consumed");
    const consumed = rateOf(`${key}.done`);
    pace.set(consumed === null ? "–" : `${short(consumed)} /s`, "records committed");
    chart.update([{ name: "Lag", kind: 2, points: series(key) }]);
    members.show(group.member_list);
    drawOffsets();
  }, 3000);
  reset.addEventListener("click", () => resetOffsets(path, group, offsets, refresh));
  drop.addEventListener("click", () => remove(path, group, cluster));
  return page.root;
}
