// topics.js - the topics of a cluster with their present rates: find, sort, create.
//
// Rates are told by differences: each reading of the list has what was appended to each
// topic so far (series.js keeps it).
import { change, get, segment, serverNow } from "../api.js";
import { h } from "../dom.js";
import { bytes, bytesRate, count, rate, time } from "../format.js";
import { formDialog } from "../dialog.js";
import { configRows, filterBar, numberField, textField } from "../form.js";
import { say } from "../notice.js";
import { pager } from "../pager.js";
import { at, go, setQuery } from "../router.js";
import { note, rateOf } from "../series.js";
import { mayChange } from "../session.js";
import { frame } from "../shell.js";
import { emptyState, table } from "../table.js";

const NAME_HINT = "1 to 249 letters, digits, dots, underscores or hyphens.";

export function noteTopic(topic) {
  const now = serverNow();
  note(`topic.bytes.${topic.id}`, now, topic.appended.bytes);
  note(`topic.records.${topic.id}`, now, topic.appended.records);
}

async function create(cluster) {
  const made = await formDialog({
    title: "Create a topic", submit: "Create", wide: true,
    fields: [
      textField({ name: "name", label: "Name", hint: NAME_HINT, maxlength: 249,
        judge: (text) => (/^[A-Za-z0-9._-]{1,249}$/.test(text) && !/^\.{1,2}$/.test(text) ? "" : `That is no name: ${NAME_HINT}`) }),
      numberField({ name: "partitions", label: "Partitions", hint: "Left empty: the cell's default. More can be added later, never fewer.", min: 1, max: 100000, optional: true }),
      configRows(),
    ],
    run: ({ name, partitions, configs }, key) => change("POST", `/clusters/${cluster}/topics`, {
      body: { name, ...(partitions === null ? {} : { partitions }), configs }, key,
    }),
  });
  if (made) {
    say(`Topic ${made.body.name} was created.`);
    go(at("/clusters/:cluster/topics/:topic", { cluster, topic: made.body.name }));
  }
}

export function show(ctx) {
  const cluster = ctx.params.cluster;
  let query = { q: ctx.query.q || "", sort: ctx.query.sort || "name" };
  const add = h("button", { class: "primary", type: "button" }, "Create a topic");
  const page = frame(ctx, { title: "Topics", actions: mayChange() ? [add] : [] });
  const pages = pager(() => refresh());
  const list = table({
    caption: "Topics", key: (t) => t.id, sort: query.sort,
    onSort: (sort) => change({ sort }),
    empty: () => (query.q ? emptyState("No topic has that in its name", "Look for less of it.")
      : emptyState("No topics yet", mayChange() ? "Create one here, or let a Kafka client or tool do it." : "Kafka clients and admins make them.")),
    columns: [
      { id: "name", title: "Name", main: true, sort: "name", class: "wide-name", sig: (t) => t.name,
        cell: (t) => h("a", { href: at("/clusters/:cluster/topics/:topic", { cluster, topic: t.name }) }, t.name) },
      { id: "partitions", title: "Partitions", num: true, cell: (t) => count(t.partitions) },
      { id: "in", title: "Produced", num: true, class: "live-cell", cell: (t) => bytesRate(rateOf(`topic.bytes.${t.id}`)) },
      { id: "records-in", title: "Records in", num: true, class: "live-cell", cell: (t) => rate(rateOf(`topic.records.${t.id}`)) },
      { id: "records", title: "Records kept", num: true, cell: (t) => count(t.records) },
      { id: "bytes", title: "Size", num: true, cell: (t) => bytes(t.bytes), tip: (t) => `${count(t.bytes)} bytes` },
      { id: "created", title: "Created", sort: "created_at_ms", sig: (t) => t.created_at_ms, cell: (t) => time(t.created_at_ms) },
    ],
  });
  const bar = filterBar([textField({ name: "q", label: "Search", type: "search", value: query.q, maxlength: 100, placeholder: "part of a name" })], change);
  page.body.append(bar.root, list.root, pages.root);
  const refresh = page.poll(async () => {
    const found = await get(`/clusters/${segment(cluster)}/topics`, { ...query, ...pages.query() }, ctx.signal);
    found.items.forEach(noteTopic);
    list.show(found.items);
    pages.took(found);
  }, 3000);
  function change(more) {
    query = { ...query, ...more };
    setQuery(query);
    pages.reset();
    refresh();
  }
  add.addEventListener("click", () => create(cluster));
  return page.root;
}
