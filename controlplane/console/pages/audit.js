// audit.js - who changed what, when, from where, and what came of it: of one cluster, or for
// operators of all and the cell.
import { get, segment } from "../api.js";
import { h } from "../dom.js";
import { time } from "../format.js";
import { filterBar, textField } from "../form.js";
import { pager } from "../pager.js";
import { setQuery } from "../router.js";
import { frame } from "../shell.js";
import { badge, emptyState, table } from "../table.js";

const ACTIONS = ["topic.", "topic.create", "topic.configs", "topic.partitions", "topic.delete", "group.", "agent.", "agent.enrol",
  "agent.drain", "agent.forget", "token.", "user.", "enrolment-token.", "cluster.", "node.", "cell.", "ca.", "backup."];

function actionField(value) {
  const field = textField({ name: "action", label: "Action", type: "search", value, maxlength: 64, placeholder: "topic. or topic.create", list: "audit-actions" });
  field.root.append(h("datalist", { id: "audit-actions" }, ACTIONS.map((a) => h("option", { value: a }))));
  return field;
}

const timeField = (name, label, value) => textField({ name, label, type: "datetime-local", value, step: "1" });
const msOf = (text) => (text === "" ? "" : Date.parse(text));

// A name, or what it is and the beginning of its id.
function who(actor) {
  return actor.name || (actor.id ? `${actor.kind} ${actor.id.slice(0, 8)}…` : actor.kind);
}

export function show(ctx) {
  const cluster = ctx.params.cluster;
  let query = { action: ctx.query.action || "", actor: ctx.query.actor || "", from: ctx.query.from || "", to: ctx.query.to || "" };
  const page = frame(ctx, { title: "Audit", lead: cluster ? "Every change of this cluster, the newest first." : "Every change of the cell and all its clusters, the newest first." });
  const pages = pager(() => refresh());
  const list = table({
    caption: "Audit log", key: (e) => e.id,
    empty: () => (Object.values(query).some(Boolean) ? emptyState("Nothing like that was done", "Ask for less, or for another time.")
      : emptyState("Nothing was changed yet", "What people, tokens and agents change is written down here.")),
    columns: [
      { id: "at", title: "When", main: true, sig: (e) => e.at_ms, cell: (e) => time(e.at_ms) },
      { id: "actor", title: "Who", class: "wide-name", cell: (e) => who(e.actor), tip: (e) => `${e.actor.kind} ${e.actor.id || ""}` },
      { id: "action", title: "Action", class: "code", cell: (e) => e.action },
      { id: "target", title: "What", class: "wide-name", cell: (e) => e.target },
      { id: "result", title: "Result", sig: (e) => e.result, cell: (e) => badge(e.result === "OK" ? "done" : e.result.toLowerCase().replace(/_/g, " "), e.result === "OK" ? "good" : "bad") },
      { id: "remote", title: "From", class: "code", cell: (e) => e.remote || "–", tip: (e) => (e.request_id ? `request ${e.request_id}` : "") },
    ],
  });
  const bar = filterBar([actionField(query.action), textField({ name: "actor", label: "Who", type: "search", value: query.actor, maxlength: 128, placeholder: "a name, or an id" }),
    timeField("from", "From", query.from), timeField("to", "Until", query.to)], change);
  page.body.append(bar.root, list.root, pages.root);
  const path = cluster ? `/clusters/${segment(cluster)}/audit` : "/audit";
  const refresh = page.poll(async () => {
    const found = await get(path, { action: query.action, actor: query.actor, from_ms: msOf(query.from), to_ms: msOf(query.to), ...pages.query() }, ctx.signal);
    list.show(found.items);
    pages.took(found);
  }, 10000);
  function change(more) {
    query = { ...query, ...more };
    setQuery(query);
    pages.reset();
    refresh();
  }
  return page.root;
}
