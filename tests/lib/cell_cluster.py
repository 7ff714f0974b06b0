"""A cluster whose control plane is a cell of several nodes, and its network to break.

    with CellCluster(directory, control_planes=3, network=True) as cell:
        leader = cell.leader()
        cell.network.isolate(leader)
        cell.wait_other_leader(leader)
        cell.network.heal()

With NETWORK each node's peers reach it through a proxy of this process, which knows who
dials: a node only sends on connections that it dialled itself, so that cutting what A
dials to B loses A's messages to B and no others.
"""

import http.client
import json
import os
import pathlib
import signal
import ssl
import time
import urllib.error
import urllib.request

from cell import free_ports
from faults import FAULT_BUILD, FaultCluster
from tcp_proxy import PASS, SWALLOW, TcpProxy, owner_of

LEADER_LIMIT_S = 30


def programs_with_clocks(directory, build=FAULT_BUILD):
    """The programs of BUILD, where each control-plane node has a wall clock of its own:
    DIRECTORY/clock-NAME says how far it is off ("+20m"; libfaketime, a Debian package).
    The monotonic clock is the machine's."""
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is missing: run scripts/install test"
    directory.mkdir(parents=True)
    for program in ("weft-agent", "weft"):
        (directory / program).symlink_to(build / program)
    script = directory / "weft-controlplane"
    script.write_text(f"""#!/bin/bash
for word in "$@"; do
    case $word in --node-name=*) name=${{word#--node-name=}} ;; esac
done
export LD_PRELOAD={found[0]} FAKETIME_TIMESTAMP_FILE="{directory}/clock-$name"
export DONT_FAKE_MONOTONIC=1 FAKETIME_NO_CACHE=1
exec "{build}/weft-controlplane" "$@"
""")
    script.chmod(0o755)
    return directory


class CellNetwork:
    """One proxy before each node's listener for peers.

    pids    a function: {node name: pid} now"""

    def __init__(self, names, pids):
        self.pids = pids
        self.ports = dict(zip(names, free_ports(len(names))))
        self.proxies = {name: TcpProxy(f"127.0.0.1:{port}", lose=self._fate,
                                       lose_up=self._fate)
                        for name, port in self.ports.items()}
        self.cut = set()        # pairs (from, to)
        self.delay_s = 0
        self.dialled = {}       # connection -> who dialled it

    def options(self):
        """What dev-cluster is told of the nodes' addresses."""
        found = {}
        for number, (name, port) in enumerate(self.ports.items(), 1):
            found[f"{number}:listen-peers"] = f"127.0.0.1:{port}"
            found[f"{number}:advertise-peers"] = self.proxies[name].address
        return found

    def _from(self, connection):
        if connection not in self.dialled:
            pids = {pid: name for name, pid in self.pids().items()}
            self.dialled[connection] = pids.get(owner_of(connection.port, pids))
        return self.dialled[connection]

    def _fate(self, connection):
        if self.delay_s:
            time.sleep(self.delay_s)
        if not self.cut:
            return PASS
        to = next(n for n, p in self.proxies.items() if p is connection.proxy)
        return SWALLOW if (self._from(connection), to) in self.cut else PASS

    def lose(self, sender, receiver):
        """From now on RECEIVER gets nothing of what SENDER sends."""
        self.cut.add((sender, receiver))

    def part(self, one, other):
        """Nothing passes between the nodes ONE and the nodes OTHER."""
        for a in one:
            for b in other:
                self.lose(a, b)
                self.lose(b, a)

    def isolate(self, name):
        self.part([name], [n for n in self.proxies if n != name])

    def heal(self):
        """All passes again; what lost bytes in between begins anew."""
        self.cut.clear()
        for proxy in self.proxies.values():
            for connection in list(proxy.connections):
                connection.close()

    def close(self):
        for proxy in self.proxies.values():
            proxy.close()


class CellCluster(FaultCluster):
    def __init__(self, directory, control_planes=3, network=False, control_plane_set=None,
                 **options):
        self.node_names = [f"controlplane-{i + 1}" for i in range(control_planes)]
        self.network = CellNetwork(self.node_names, self.node_pids) if network else None
        settings = {**(control_plane_set or {}),
                    **(self.network.options() if network else {})}
        super().__init__(directory, control_planes=control_planes,
                         control_plane_set=settings, **options)

    def names(self):
        return self.node_names + [f"agent-{i + 1}" for i in range(self.agents)]

    def processes(self):
        try:
            state = json.loads((self.directory / "cluster.json").read_text())
        except (OSError, ValueError):
            return {}
        return state["processes"]

    def node_pids(self):
        return {name: process["pid"] for name, process in self.processes().items()
                if name in self.node_names and process["pid"]}

    def url(self, name):
        return self.processes()[name]["address"]

    def get(self, name, path, token=None, limit_s=3):
        """(status, text) of node NAME's PATH; (None, "") when nobody answers."""
        request = urllib.request.Request(self.url(name) + path)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        context = ssl.create_default_context(cafile=self.ca_file)
        try:
            with urllib.request.urlopen(request, timeout=limit_s, context=context) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None, ""

    def metric(self, name, metric):
        """The value of weft_controlplane_METRIC at node NAME, or None."""
        for line in self.get(name, "/metrics")[1].splitlines():
            if line.startswith(f"weft_controlplane_{metric} "):
                return float(line.split()[1])
        return None

    def leaders(self, among=None):
        """The nodes that may answer reads, that is, lead by a live lease."""
        return [name for name in among or self.node_names
                if self.metric(name, "readable") == 1]

    def leader(self, among=None, limit_s=LEADER_LIMIT_S):
        until = time.monotonic() + limit_s
        while not (found := self.leaders(among)):
            assert time.monotonic() < until, f"no leader within {limit_s} s"
            time.sleep(0.05)
        return found[0]

    def wait_other_leader(self, than, limit_s=LEADER_LIMIT_S):
        return self.leader([n for n in self.node_names if n != than], limit_s)

    def get_json(self, name, path):
        status, text = self.get(name, path, self.admin_token)
        assert status == 200, (name, path, status, text)
        return json.loads(text)

    def post(self, name, path, body):
        """The answer of node NAME to a POST by the operator."""
        request = urllib.request.Request(
            self.url(name) + path, data=json.dumps(body).encode(), method="POST",
            headers={"Authorization": "Bearer " + self.admin_token,
                     "Content-Type": "application/json"})
        context = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(request, timeout=10, context=context) as answer:
            return json.loads(answer.read() or b"null")

    def cluster_id(self):
        return self.get_json(self.leader(), "/api/v1/clusters")["items"][0]["id"]

    def create_topic(self, name, topic):
        return self.post(name, f"/api/v1/clusters/{self.cluster_id()}/topics",
                         {"name": topic, "partitions": 1})

    def make_entries(self, count):
        """COUNT entries of the log: changes one after the other, since those that wait
        together share an entry."""
        leader, cluster = self.leader(), self.cluster_id()
        headers = {"Authorization": "Bearer " + self.admin_token,
                   "Content-Type": "application/json"}
        connection = http.client.HTTPSConnection(
            self.url(leader).split("/")[2],
            context=ssl.create_default_context(cafile=self.ca_file))
        for number in range(count):
            status = 429    # faster than a token may ask: again
            while status == 429:
                connection.request("PATCH", f"/api/v1/clusters/{cluster}",
                                   json.dumps({"name": f"name-{number}"}), headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            assert status == 200, status
        connection.close()

    def node_id(self, name):
        """The id in the cell of the process NAME, by its address for people."""
        nodes = self.get_json(self.leader(), "/api/v1/cell/nodes")["items"]
        return next(n["id"] for n in nodes if n["people_url"] == self.url(name))

    def transfer_to(self, name):
        """Ask that NAME leads, and wait until it does."""
        try:
            self.post(self.leader(), "/api/v1/cell/transfer",
                      {"node_id": self.node_id(name)})
        except OSError as error:
            raise RuntimeError(f"no hand-over to {name}: {error}") from error

    def wait_caught_up(self, name, limit_s=60):
        """Until NAME has applied what the leader had committed when this was called."""
        goal = self.metric(self.leader(), "raft_commit_index")
        until = time.monotonic() + limit_s
        while (self.metric(name, "raft_applied_index") or 0) < goal:
            assert time.monotonic() < until, f"{name} does not come to {goal} in {limit_s} s"
            time.sleep(0.1)

    def start_many(self, names):
        """Start NAMES, all before any is waited for: one node alone is never ready."""
        self._run("start", *names)

    def start_stopped(self):
        self.start_many([n for n, p in self.status().items() if p["state"] == "stopped"])

    def pause(self, name):
        os.kill(self.pid(name), signal.SIGSTOP)

    def resume(self, name):
        os.kill(self.pid(name), signal.SIGCONT)

    def __exit__(self, *failure):
        super().__exit__(*failure)
        if self.network:
            self.network.close()
