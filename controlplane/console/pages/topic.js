// topic.js - one topic: how much comes in, its partitions, its settings; change and delete.
import { change, get, segment, serverNow } from "../api.js";
import { h } from "../dom.js";
import { bytes, bytesRate, count, rate, time } from "../format.js";
import { formDialog } from "../dialog.js";
import { configRows, numberField, typedName } from "../form.js";
import { say } from "../notice.js";
import { pager } from "../pager.js";
import { at, go } from "../router.js";
import { note, rateOf, rates } from "../series.js";
import { mayChange } from "../session.js";
import { frame, NO_RECORDS } from "../shell.js";
import { lineChart, stat, stats } from "../chart.js";
import { emptyState, table } from "../table.js";
import { noteTopic } from "./topics.js";
import { CONFIG_NAMES } from "../config_names.js";

// What PATCH wants: what was changed, and null for what goes back to its default.
function changesOf(before, after) {
  const configs = {};
  for (const [name, value] of Object.entries(after)) if (before[name] !== value) configs[name] = value;
  for (const name of Object.keys(before)) if (!(name in after)) configs[name] = null;
  return configs;
}

async function editConfigs(path, topic, refresh) {
  const done = await formDialog({
    title: `Settings of ${topic.name}`, submit: "Save", wide: true,
    lead: "What is not named here has its default. Removing a row takes the setting back to it.",
    fields: [configRows(topic.configs)],
    ready: ({ configs }) => Object.keys(changesOf(topic.configs, configs)).length > 0,
    run: ({ configs }) => change("PATCH", path, { body: { configs: changesOf(topic.configs, configs) }, etag: `"${topic.revision}"` }),
  });
  if (done) {
    say(`The settings of ${topic.name} were changed.`);
    refresh();
  }
}

async function addPartitions(path, topic, refresh) {
  const done = await formDialog({
    title: `Add partitions to ${topic.name}`, submit: "Add",
    lead: `It has ${count(topic.partitions)} now. Keys may go to other partitions afterwards, and partitions are never taken away.`,
    fields: [numberField({ name: "partitions", label: "Partitions in all", value: String(topic.partitions + 1), min: topic.partitions + 1, max: 100000 })],
    run: ({ partitions }) => change("PATCH", path, { body: { partitions }, etag: `"${topic.revision}"` }),
  });
  if (done) {
    say(`${topic.name} has ${count(done.body.partitions)} partitions now.`);
    refresh();
  }
}

async function remove(path, topic, cluster) {
  const done = await formDialog({
    title: `Delete ${topic.name}?`, submit: "Delete the topic", danger: true,
    lead: `${count(topic.records)} records in ${bytes(topic.bytes)} can no longer be read, and consumers of it fail.`,
    fields: [typedName(topic.name, "topic's name")],
    ready: ({ typed }) => typed === topic.name,
    run: () => change("DELETE", path, { etag: `"${topic.revision}"` }),
  });
  if (done) {
    say(`Topic ${topic.name} was deleted.`);
    go(at("/clusters/:cluster/topics", { cluster }));
  }
}

function settingsTable() {
  return table({
    caption: "Settings", key: (c) => c.name,
    empty: emptyState("All settings have their defaults", mayChange() ? "Edit the settings to change one, retention for example." : "Admins can change them."),
    columns: [
      { id: "name", title: "Setting", main: true, class: "code", cell: (c) => c.name },
      { id: "value", title: "Value", class: "code", cell: (c) => c.value },
      { id: "default", title: "Default", class: "code quiet-cell", cell: (c) => (CONFIG_NAMES.find(([n]) => n === c.name) || ["", ""])[1] || "–" },
    ],
  });
}

function partitionsTable(topicId) {
  return table({
    caption: "Partitions", key: (p) => p.partition,
    empty: emptyState("No partitions", "A topic has one at least: this one is being deleted."),
    columns: [
      { id: "partition", title: "Partition", main: true, cell: (p) => String(p.partition) },
      { id: "in", title: "Records in", num: true, class: "live-cell", cell: (p) => rate(rateOf(`partition.${topicId()}.${p.partition}`)) },
      { id: "start", title: "First offset", num: true, cell: (p) => count(p.log_start_offset) },
      { id: "end", title: "Next offset", num: true, cell: (p) => count(p.high_watermark) },
      { id: "bytes", title: "Size", num: true, cell: (p) => bytes(p.bytes), tip: (p) => `${count(p.bytes)} bytes in ${count(p.runs)} runs` },
      { id: "last", title: "Newest record", sig: (p) => p.last_timestamp_ms, cell: (p) => time(p.last_timestamp_ms) },
    ],
  });
}

export function show(ctx) {
  const { cluster, topic: name } = ctx.params;
  const path = `/clusters/${segment(cluster)}/topics/${segment(name)}`;
  let topic = null;
  const button = (text, kind, run) => {
    const made = h("button", { class: kind, type: "button", disabled: true }, text);
    made.addEventListener("click", () => run(path, topic, kind === "danger-quiet" ? cluster : refresh));
    return made;
  };
  const actions = mayChange()
    ? [button("Edit settings", "quiet", editConfigs), button("Add partitions", "quiet", addPartitions), button("Delete", "danger-quiet", remove)] : [];
  const page = frame(ctx, { title: name, crumbs: [["Topics", at("/clusters/:cluster/topics", { cluster })]], actions });
  const produced = stat("Produced");
  const records = stat("Records kept");
  const size = stat("Size");
  const shape = stat("Partitions");
  const chart = lineChart({ label: "Produced", format: bytesRate, binary: true });
  const settings = settingsTable();
  const partitions = partitionsTable(() => topic.id);
  const pages = pager(() => refresh());
  page.body.append(stats(produced, records, size, shape), h("section", { class: "card" }, h("h2", null, "Produced"), chart.root),
    h("section", null, h("h2", null, "Partitions"), partitions.root, pages.root),
    h("section", null, h("h2", null, "Settings"), settings.root), h("p", { class: "no-records" }, NO_RECORDS));

  const refresh = page.poll(async () => {
    topic = await get(path, {}, ctx.signal);
    noteTopic(topic);
    const parts = await get(`${path}/partitions`, pages.query(), ctx.signal);
    const now = serverNow();
    for (const p of parts.items) note(`partition.${topic.id}.${p.partition}`, now, p.high_watermark);
    actions.forEach((a) => a.disabled && (a.disabled = false));
    produced.set(bytesRate(rateOf(`topic.bytes.${topic.id}`)), `${rate(rateOf(`topic.records.${topic.id}`))} records`);
    records.set(count(topic.records), topic.records > 0 ? `${bytes(topic.bytes / topic.records)} each` : "nothing produced yet");
    size.set(bytes(topic.bytes), "as stored, once");
    shape.set(count(topic.partitions), h("span", null, "created ", time(topic.created_at_ms)));
    chart.update([{ name: "Produced", kind: 1, points: rates(`topic.bytes.${topic.id}`) }]);
    settings.show(Object.entries(topic.configs).map(([n, value]) => ({ name: n, value })));
    partitions.show(parts.items);
    pages.took(parts);
  }, 3000);
  return page.root;
}
