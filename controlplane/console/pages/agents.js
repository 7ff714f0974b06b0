// agents.js - the agents of a cluster: version, zone, load, last seen; drain, forget, and a
// token for new ones.
import { caFingerprint, change, get, segment, serverNow } from "../api.js";
import { h } from "../dom.js";
import { bytesRate, count, duration, exactTime, time } from "../format.js";
import { formDialog, openDialog } from "../dialog.js";
import { checkField, copyBox, filterBar, numberField, selectField, textField } from "../form.js";
import { say } from "../notice.js";
import { pager } from "../pager.js";
import { setQuery } from "../router.js";
import { mayChange } from "../session.js";
import { frame } from "../shell.js";
import { badge, emptyState, table } from "../table.js";

const SILENT_MS = 15000;

// What an agent is, in a word: [word, kind].
export function agentState(agent) {
  if (agent.last_seen_ms === null || serverNow() - agent.last_seen_ms > SILENT_MS) return ["silent", "bad"];
  if (agent.state === "draining") return ["draining", "warn"];
  if (agent.wanted_state === "draining") return ["asked to drain", "warn"];
  return ["active", "good"];
}

async function setWanted(path, agent, wanted, refresh) {
  const name = `${agent.host}:${agent.port}`;
  const done = await formDialog({
    title: wanted === "draining" ? `Drain agent ${agent.node_id}?` : `Take agent ${agent.node_id} back?`,
    submit: wanted === "draining" ? "Drain" : "Take back",
    lead: wanted === "draining"
      ? `${name} is named to clients no more and serves those that stay. Stop it when its connections are gone.`
      : `${name} is named to clients again.`,
    run: () => change("PATCH", `${path}/${agent.id}`, { body: { wanted_state: wanted }, etag: `"${agent.revision}"` }),
  });
  if (done) {
    say(wanted === "draining" ? `Agent ${agent.node_id} is being drained.` : `Agent ${agent.node_id} takes clients again.`);
    refresh();
  }
}

async function forget(path, agent, refresh) {
  const done = await formDialog({
    title: `Forget agent ${agent.node_id}?`, submit: "Forget", danger: true,
    lead: `For an agent that is gone for good: ${agent.host}:${agent.port} leaves the metadata at once. One that is alive registers again by itself.`,
    run: () => change("DELETE", `${path}/${agent.id}`, { etag: `"${agent.revision}"` }),
  });
  if (done) {
    say(`Agent ${agent.node_id} was forgotten.`);
    refresh();
  }
}

async function enrol(cluster) {
  const made = await formDialog({
    title: "Add agents", submit: "Make a token",
    lead: "A new agent proves once by an enrolment token that it is yours, and gets a certificate for it.",
    fields: [numberField({ name: "hours", label: "Good for hours", value: "24", min: 1, max: 8760 }),
      checkField({ name: "single_use", label: "For one agent only" })],
    run: async ({ hours, single_use }, key) => {
      const fingerprint = await caFingerprint();
      const token = await change("POST", `/clusters/${segment(cluster)}/enrolment-tokens`, {
        body: { name: "console", ttl_ms: hours * 3600000, single_use }, key });
      return { token: token.body.token, fingerprint };
    },
  });
  if (!made) return;
  const done = h("button", { class: "primary", type: "button" }, "Done");
  const dialog = openDialog({
    title: "Start an agent", wide: true,
    content: h("div", null, h("p", { class: "lead" }, "The token is shown this once."), copyBox("Enrolment token", made.token),
      copyBox("Command", ["weft-agent", `--control-plane ${location.origin}`, `--ca-fingerprint ${made.fingerprint}`, "--enrolment-token @/TOKEN_FILE", "--store s3://BUCKET"].join(" \\\n  ")),
      h("p", { class: "hint" }, "weft-agent --help names all options; a zone of its own (--zone) keeps clients near."), h("div", { class: "dialog-buttons" }, done)),
  });
  done.addEventListener("click", dialog.close);
  done.focus();
}

function rowActions(path, item, refresh) {
  const agent = item();
  const wanted = agent.wanted_state === "draining" ? "active" : "draining";
  const button = (text, run) => {
    const made = h("button", { class: "quiet", type: "button", "aria-label": `${text} agent ${agent.node_id}` }, text);
    made.addEventListener("click", run);
    return made;
  };
  return h("div", { class: "row-actions" },
    button(wanted === "draining" ? "Drain" : "Take back", () => setWanted(path, item(), wanted, refresh)),
    button("Forget", () => forget(path, item(), refresh)));
}

export function show(ctx) {
  const cluster = ctx.params.cluster;
  const path = `/clusters/${segment(cluster)}/agents`;
  let query = { zone: ctx.query.zone || "", state: ctx.query.state || "", sort: ctx.query.sort || "node_id" };
  const add = h("button", { class: "primary", type: "button" }, "Add agents");
  const page = frame(ctx, { title: "Agents", actions: mayChange() ? [add] : [] });
  const pages = pager(() => refresh());
  const load = (pick) => (a) => (a.load ? pick(a.load) : "–");
  const columns = [
    { id: "node", title: "Agent", main: true, num: false, sort: "node_id", cell: (a) => String(a.node_id), tip: (a) => a.id },
    { id: "host", title: "Address", sort: "host", class: "code address", cell: (a) => `${a.host}:${a.port}` },
    { id: "zone", title: "Zone", sort: "zone", cell: (a) => a.zone || "–" },
    { id: "state", title: "State", sig: (a) => agentState(a)[0], cell: (a) => badge(...agentState(a)) },
    { id: "in", title: "In", num: true, class: "live-cell", cell: load((l) => bytesRate(l.in_bytes_per_second)) },
    { id: "out", title: "Out", num: true, class: "live-cell", cell: load((l) => bytesRate(l.out_bytes_per_second)) },
    { id: "connections", title: "Clients", num: true, cell: load((l) => count(l.connections)) },
    { id: "version", title: "Version", class: "code", cell: (a) => a.version },
    { id: "seen", title: "Last seen", sig: (a) => a.last_seen_ms, cell: (a) => time(a.last_seen_ms), tip: (a) => `Registered ${exactTime(a.registered_at_ms)}` },
  ];
  if (mayChange())
    columns.push({ id: "actions", title: "Actions", srTitle: true, sig: (a) => a.id + a.wanted_state, cell: (a, item) => rowActions(path, item, () => refresh()) });
  const list = table({
    caption: "Agents", key: (a) => a.id, sort: query.sort, columns,
    onSort: (sort) => change({ sort }),
    empty: () => (query.zone || query.state ? emptyState("No agent is like that", "Ask for less.")
      : emptyState("No agents yet", mayChange() ? "Make an enrolment token and start one beside your Kafka clients: until then the cluster serves nobody." : "An admin adds them.")),
  });
  const bar = filterBar([
    textField({ name: "zone", label: "Zone", type: "search", value: query.zone, maxlength: 255, placeholder: "the whole name" }),
    selectField({ name: "state", label: "State", value: query.state, options: [["", "any"], ["active", "active"], ["draining", "draining"]] }),
  ], change);
  page.body.append(bar.root, list.root, pages.root,
    h("p", { class: "hint" }, `An agent that was not heard of for ${duration(SILENT_MS)} is shown as silent.`));
  const refresh = page.poll(async () => {
    const found = await get(path, { ...query, ...pages.query() }, ctx.signal);
    list.show(found.items);
    pages.took(found);
  }, 3000);
  function change(more) {
    query = { ...query, ...more };
    setQuery(query);
    pages.reset();
    refresh();
  }
  add.addEventListener("click", () => enrol(cluster));
  return page.root;
}
