// main.js - the console's beginning: who is signed in, and which page the address names.
//
// Everything comes from this server and everything shown from its API (api.js). A page is
// a module in pages/ whose show(ctx) gives an element; ctx says who looks and at what,
// and ctx.signal ends what the page has under way when another one takes its place.
import { onProblemOfSession } from "./api.js";
import { clearSeries } from "./series.js";
import { start } from "./router.js";
import { resume, signOut } from "./session.js";
import { startTheme } from "./theme.js";
import { startClock } from "./format.js";
import * as overview from "./pages/overview.js";
import * as clusters from "./pages/clusters.js";
import * as topics from "./pages/topics.js";
import * as topic from "./pages/topic.js";
import * as groups from "./pages/groups.js";
import * as group from "./pages/group.js";
import * as agents from "./pages/agents.js";
import * as audit from "./pages/audit.js";
import * as nodes from "./pages/nodes.js";
import * as usage from "./pages/usage.js";

// The address behind "#", the page, and the roles it is for (all of them without).
const ROUTES = [
  ["/clusters", clusters, ["operator"]],
  ["/clusters/:cluster/overview", overview],
  ["/clusters/:cluster/topics", topics],
  ["/clusters/:cluster/topics/:topic", topic],
  ["/clusters/:cluster/groups", groups],
  ["/clusters/:cluster/groups/:group", group],
  ["/clusters/:cluster/agents", agents],
  ["/clusters/:cluster/audit", audit],
  ["/clusters/:cluster/usage", usage],
  ["/nodes", nodes, ["operator"]],
  ["/audit", audit, ["operator"]],
  ["/usage", usage, ["operator"]],
];

startTheme();
startClock();
onProblemOfSession((problem) => {
  clearSeries();
  signOut(problem.detail);
});
await resume();
start(ROUTES);
