// clusters.js - an operator's list of the clusters of the cell: create, rename, delete.
import { change, get } from "../api.js";
import { h } from "../dom.js";
import { count, time } from "../format.js";
import { formDialog } from "../dialog.js";
import { filterBar, textField, typedName } from "../form.js";
import { say } from "../notice.js";
import { pager } from "../pager.js";
import { at, setQuery } from "../router.js";
import { frame } from "../shell.js";
import { emptyState, table } from "../table.js";

const NAME_HINT = "1 to 100 letters, digits, dots, underscores or hyphens.";

function nameField(value = "") {
  return textField({ name: "name", label: "Name", value, hint: NAME_HINT, maxlength: 100,
    judge: (text) => (/^[A-Za-z0-9._-]{1,100}$/.test(text) ? "" : `That is no name: ${NAME_HINT}`) });
}

async function create(refresh) {
  const made = await formDialog({
    title: "Create a cluster", submit: "Create",
    lead: "A cluster is one customer's: its topics, groups, agents and tokens are its own.",
    fields: [nameField()],
    run: ({ name }, key) => change("POST", "/clusters", { body: { name }, key }),
  });
  if (made) {
    say(`Cluster ${made.body.name} was created.`);
    refresh();
  }
}

async function rename(cluster, refresh) {
  const done = await formDialog({
    title: `Rename ${cluster.name}`, submit: "Rename", fields: [nameField(cluster.name)],
    run: ({ name }) => change("PATCH", `/clusters/${cluster.id}`, { body: { name }, etag: `"${cluster.revision}"` }),
  });
  if (done) {
    say(`The cluster is called ${done.body.name} now.`);
    refresh();
  }
}

async function remove(cluster, refresh) {
  const done = await formDialog({
    title: `Delete ${cluster.name}?`, submit: "Delete the cluster", danger: true,
    lead: `All its metadata goes: ${count(cluster.topics)} topics, its groups, tokens and usage. Its agents stop serving. Objects in the customer's storage are not touched.`,
    fields: [typedName(cluster.name, "cluster's name")],
    ready: ({ typed }) => typed === cluster.name,
    run: () => change("DELETE", `/clusters/${cluster.id}`, { etag: `"${cluster.revision}"` }),
  });
  if (done) {
    say(`Cluster ${cluster.name} was deleted.`);
    refresh();
  }
}

function rowActions(item, refresh) {
  const button = (text, run, name) => {
    const made = h("button", { class: "quiet", type: "button", "aria-label": `${text} ${name}` }, text);
    made.addEventListener("click", run);
    return made;
  };
  return h("div", { class: "row-actions" }, button("Rename", () => rename(item(), refresh), item().name),
    button("Delete", () => remove(item(), refresh), item().name));
}

export function show(ctx) {
  let query = { q: ctx.query.q || "", sort: ctx.query.sort || "name" };
  const add = h("button", { class: "primary", type: "button" }, "Create a cluster");
  const page = frame(ctx, { title: "Clusters", lead: "Every customer of this cell.", actions: [add] });
  const pages = pager(() => refresh());
  const list = table({
    caption: "Clusters", key: (c) => c.id, sort: query.sort,
    onSort: (sort) => change({ sort }),
    empty: () => (query.q ? emptyState("No cluster has that in its name", "Look for less of it.")
      : emptyState("No clusters yet", "Create the first one, then make an enrolment token on its page of agents.")),
    columns: [
      { id: "name", title: "Name", main: true, sort: "name", sig: (c) => c.name + c.id,
        cell: (c) => h("a", { href: at("/clusters/:cluster/overview", { cluster: c.id }) }, c.name) },
      { id: "agents", title: "Agents", num: true, cell: (c) => count(c.agents) },
      { id: "topics", title: "Topics", num: true, cell: (c) => count(c.topics) },
      { id: "partitions", title: "Partitions", num: true, cell: (c) => count(c.partitions) },
      { id: "created", title: "Created", sort: "created_at_ms", sig: (c) => c.created_at_ms, cell: (c) => time(c.created_at_ms) },
      { id: "actions", title: "Actions", srTitle: true, sig: (c) => c.id + c.name, cell: (c, item) => rowActions(item, () => refresh()) },
    ],
  });
  const bar = filterBar([textField({ name: "q", label: "Search", type: "search", value: query.q, maxlength: 100, placeholder: "part of a name" })], change);
  page.body.append(bar.root, list.root, pages.root);
  const refresh = page.poll(async () => {
    const found = await get("/clusters", { ...query, ...pages.query() }, ctx.signal);
    list.show(found.items);
    pages.took(found);
  }, 5000);
  function change(more) {
    query = { ...query, ...more };
    setQuery(query);
    pages.reset();
    refresh();
  }
  add.addEventListener("click", () => create(refresh));
  return page.root;
}
