// nodes.js - an operator's view of the cell: its nodes, who leads, who lags; hand leadership
// over, promote, demote, remove, and a token for a new node.
import { change, get } from "../api.js";
import { h } from "../dom.js";
import { bytes, count, plural, time } from "../format.js";
import { formDialog, openDialog } from "../dialog.js";
import { copyBox, numberField, textField, typedName } from "../form.js";
import { say } from "../notice.js";
import { frame } from "../shell.js";
import { stat, stats } from "../chart.js";
import { badge, emptyState, table } from "../table.js";

// Names need not differ: machines may be called alike.
const nameOf = (node) => `${node.name} (node ${node.id})`;

async function transfer(node, refresh) {
  const done = await formDialog({
    title: `Let ${nameOf(node)} lead?`, submit: "Hand over",
    lead: "Commits wait for a moment while leadership moves. This page then is at a node that follows, and says where the leader's is.",
    run: (_, key) => change("POST", "/cell/transfer", { body: { node_id: node.id }, key }),
  });
  if (done) {
    // It may have failed to win, and another one leads.
    say(done.body.leader === node.id ? `${nameOf(node)} leads now.` : `Node ${done.body.leader} leads now.`);
    refresh();
  }
}

async function changeRole(node, verb, refresh) {
  const texts = {
    promote: [`Make ${nameOf(node)} a voter?`, "It counts for the majority once it is caught up.", "Promote"],
    demote: [`Make ${nameOf(node)} a standby?`, "It goes on as a copy, without a vote. See that enough voters are left: a majority of them has to be alive.", "Demote"],
  };
  const [title, lead, submit] = texts[verb];
  const done = await formDialog({ title, lead, submit, run: (_, key) => change("POST", `/cell/nodes/${node.id}/${verb}`, { body: {}, key }) });
  if (done) {
    say(verb === "promote" ? `${nameOf(node)} is being made a voter.` : `${nameOf(node)} is being made a standby.`);
    refresh();
  }
}

async function remove(node, voters, refresh) {
  const done = await formDialog({
    title: `Remove ${nameOf(node)} for good?`, submit: "Remove the node", danger: true,
    lead: node.role === "voter"
      ? `${plural(voters - 1, "voter")} will be left of ${voters}. The node stops itself and can never come back with its data.`
      : "The node stops itself and can never come back with its data.",
    fields: [typedName(node.name, "node's name")],
    ready: ({ typed }) => typed === node.name,
    run: () => change("DELETE", `/cell/nodes/${node.id}`, { etag: `"${node.revision}"` }),
  });
  if (done) {
    say(`${nameOf(node)} is being removed.`);
    refresh();
  }
}

async function add() {
  const made = await formDialog({
    title: "Add a node", submit: "Make a token",
    lead: "A new node needs a join token, good for one join, and the cell key of the founder (cell.key), which is never shown here.",
    fields: [textField({ name: "name", label: "Name of the token", value: "console", maxlength: 100, judge: (t) => (/^[ -~]{1,100}$/.test(t) ? "" : "1 to 100 plain characters.") }),
      numberField({ name: "hours", label: "Good for hours", value: "1", min: 1, max: 168 })],
    run: ({ name, hours }, key) => change("POST", "/cell/join-tokens", { body: { name, ttl_ms: hours * 3600000 }, key }),
  });
  if (!made) return;
  const done = h("button", { class: "primary", type: "button" }, "Done");
  const dialog = openDialog({
    title: "Start the node", wide: true,
    content: h("div", null, h("p", { class: "lead" }, "The token is shown this once."), copyBox("Join token", made.body.token),
      copyBox("Fingerprint of the authority", made.body.ca_fingerprint),
      copyBox("Command", ["weft-controlplane --data-dir DIR", `--join ${location.origin}`, "--join-token @/TOKEN_FILE", `--ca-fingerprint ${made.body.ca_fingerprint}`, "--cell-key-file cell.key"].join(" \\\n  ")),
      h("div", { class: "dialog-buttons" }, done)),
  });
  done.addEventListener("click", dialog.close);
  done.focus();
}

function rowActions(item, voters, refresh) {
  const node = item();
  const button = (text, run) => {
    const made = h("button", { class: "quiet", type: "button", "aria-label": `${text}: ${nameOf(node)}` }, text);
    made.addEventListener("click", run);
    return made;
  };
  return h("div", { class: "row-actions" },
    node.role === "voter" && !node.leader && button("Let lead", () => transfer(item(), refresh)),
    node.role === "standby" && button("Promote", () => changeRole(item(), "promote", refresh)),
    node.role === "voter" && voters > 1 && !node.leader && button("Demote", () => changeRole(item(), "demote", refresh)),
    !node.leader && button("Remove", () => remove(item(), voters, refresh)));
}

function nodeState(node) {
  if (node.leader) return badge("leads", "good");
  if (!node.alive) return badge("not heard of", "bad");
  if (node.snapshot) return badge("gets a snapshot", "warn");
  return node.behind === null ? badge("unknown", "idle") : node.behind > 1000 ? badge("catches up", "warn") : badge("follows", "good");
}

export function show(ctx) {
  const plus = h("button", { class: "primary", type: "button" }, "Add a node");
  const page = frame(ctx, { title: "Cell nodes", lead: "The machines that keep the metadata. All of them have it; a majority of the voters decides.", actions: [plus] });
  let voters = 0;
  const leader = stat("Leader");
  const health = stat("Voters");
  const log = stat("Log");
  const backup = stat("Last backup");
  const list = table({
    caption: "Nodes", key: (n) => n.id,
    empty: emptyState("No nodes", "That cannot be: one answered."),
    columns: [
      { id: "name", title: "Node", main: true, class: "wide-name", cell: nameOf },
      { id: "state", title: "State", sig: (n) => `${n.leader}${n.alive}${n.snapshot}${n.behind === null}${n.behind > 1000}`, cell: nodeState },
      { id: "role", title: "Role", cell: (n) => n.role },
      { id: "behind", title: "Behind", num: true, class: "live-cell", cell: (n) => (n.leader ? "–" : n.behind === null ? "–" : plural(n.behind, "entry", "entries")) },
      { id: "heard", title: "Heard of", sig: (n) => (n.leader ? "l" : n.last_heard_ms), cell: (n) => (n.leader ? "–" : time(n.last_heard_ms)) },
      { id: "url", title: "Address", class: "code address", cell: (n) => n.people_url.split("//").pop(), tip: (n) => n.people_url },
      { id: "version", title: "Version", class: "code", cell: (n) => n.version },
      { id: "certificate", title: "Certificate ends", sig: (n) => n.certificate_expires_at_ms, cell: (n) => time(n.certificate_expires_at_ms) },
      { id: "actions", title: "Actions", srTitle: true, sig: (n) => `${n.id}${n.role}${n.leader}${voters}`, cell: (n, item) => rowActions(item, voters, () => refresh()) },
    ],
  });
  page.body.append(stats(leader, health, log, backup), list.root);
  const refresh = page.poll(async () => {
    const [cell, nodes] = await Promise.all([get("/cell", {}, ctx.signal), get("/cell/nodes", { limit: 1000 }, ctx.signal)]);
    const voting = nodes.items.filter((n) => n.role === "voter");
    const alive = voting.filter((n) => n.alive || n.leader);
    voters = voting.length;
    const lead = nodes.items.find((n) => n.leader);
    leader.set(lead ? nameOf(lead) : "nobody", `term ${count(cell.term)}`, lead ? "" : "bad");
    const enough = alive.length > voters / 2;
    health.set(`${alive.length} of ${voters} alive`, voters === 1 ? "one node alone: no other copy" : enough ? `${alive.length - Math.floor(voters / 2) - 1} more may fail` : "no majority",
      !enough ? "bad" : alive.length < voters || voters === 1 ? "warn" : "good");
    log.set(count(cell.commit_index), `entries; feature level ${cell.feature_level} of ${cell.feature_level_max}`);
    if (cell.last_backup) backup.set(time(cell.last_backup.taken_at_ms), `${bytes(cell.last_backup.size_bytes)}`);
    else backup.set("never", "weft backup create makes one", "warn");
    list.show(nodes.items);
  }, 3000);
  plus.addEventListener("click", add);
  return page.root;
}
