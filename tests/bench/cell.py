"""What is measured of a cell: three nodes, their agents and clients on one machine.

The nodes share a disk and the cores here, also with the load, which those of a real cell do
not: figures of rates are lower bounds, those of time upper ones.
"""

import contextlib
import json
import os
import ssl
import threading
import time
import urllib.error
import urllib.request

import clients
import machine
from machine import MIB
from servers import Weft, running

PARTITIONS = 12
PRODUCERS = 4
RATE = 2 * MIB
KILLS, QUICK_KILLS = 20, 2
KILL_AFTER_S, LOAD_S = 1.5, 5
HAND_OVERS, QUICK_HAND_OVERS = 5, 1
HALF_LOAD = 2500
FLOODS, QUICK_FLOODS = 9, 1
FLOODER_NICE = 10
MILLION_TOPICS, MILLION_PARTITIONS = 1000, 1000
AGENTS, CLUSTERS_OF_AGENTS, JOIN_PACE = 10_000, 100, 25
AGENTS_OF_PROGRAM = 2500
STORM_CONSUMERS = 10_000
LIMIT_S = 60


class CellServer(Weft):
    """Control-plane nodes on any core, and agents; file:// store."""

    def __init__(self, cores, directory, agents=0, nodes=3):
        super().__init__(cores.spread(), directory, "file", agents, control_planes=nodes)
        self.node_names = [f"controlplane-{i + 1}" for i in range(nodes)]

    def _learn(self):
        super()._learn()
        self.pids.pop("control plane")

    def cpu(self):
        """A node that is dead counts no more."""
        times = super().cpu()
        times["control plane"] = 0
        for name in self.node_names:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                times["control plane"] += machine.cpu_seconds(self.processes[name]["pid"])
        return times

    def restart(self, name):
        """Start NAME again; milliseconds until it is ready."""
        begin = time.monotonic()
        with self.cores.on(self.cores.server):
            self.cluster.start(name)
        passed_ms = (time.monotonic() - begin) * 1000
        self._learn()
        return passed_ms

    # -- the API for people --

    def call(self, method, name, path, body=None):
        request = urllib.request.Request(
            self.processes[name]["address"] + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": "Bearer " + self.cluster.admin_token,
                     "Content-Type": "application/json"})
        context = ssl.create_default_context(cafile=self.cluster.ca_file)
        with urllib.request.urlopen(request, timeout=LIMIT_S, context=context) as answer:
            return answer.read().decode()

    def ask(self, method, path, body=None):
        """JSON of whoever leads."""
        until = time.monotonic() + LIMIT_S
        while True:
            try:
                return json.loads(self.call(method, self.leader(), path, body))
            except urllib.error.HTTPError as e:
                if e.code not in (421, 429, 503) or time.monotonic() > until:
                    raise RuntimeError(f"{method} {path}: {e.code} {e.read()[:300]}") from e

    def node_metrics(self, name):
        values = {}
        for line in self.call("GET", name, "/metrics").splitlines():
            words = line.split()
            if len(words) == 2 and "{" not in line:
                values[words[0].replace("weft_controlplane_", "")] = float(words[1])
        return values

    def leader(self, among=None):
        """Who answers reads, of the nodes AMONG."""
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            for name in among or self.node_names:
                with contextlib.suppress(OSError):
                    if self.node_metrics(name).get("readable") == 1:
                        return name
            time.sleep(0.01)
        raise RuntimeError(f"no leader within {LIMIT_S} s")

    def followers(self):
        leader = self.leader()
        return [name for name in self.node_names if name != leader]

    def hand_over(self):
        """To a follower."""
        address = self.processes[self.followers()[0]]["address"]
        node_id = next(node["id"] for node in self.ask("GET", "/api/v1/cell/nodes")["items"]
                       if node["people_url"] == address)
        self.ask("POST", "/api/v1/cell/transfer", {"node_id": node_id})

    def enrolment_token(self, cluster_name):
        """Of a new cluster."""
        made = self.ask("POST", "/api/v1/clusters", {"name": cluster_name})
        return self.ask("POST", f"/api/v1/clusters/{made['id']}/enrolment-tokens",
                        {"ttl_ms": 86_400_000, "single_use": False})["token"]


def is_quick(bench):
    return bench.amounts.repeats == 1


def later(seconds, run, *arguments):
    """What starts a timer for RUN; and the timer, to be waited for."""
    timer = threading.Timer(seconds, run, arguments)
    return timer.start, timer


def commits(bench, server, **options):
    return clients.commits(bench.programs, bench.cores, server, bench.directory,
                           bench.amounts.settle_s, runs=16, **options)


def failover(bench, server):
    """kill -9 of the leader under load: how long a producer is without acknowledgement."""
    bench.load.create(server, "fail", PARTITIONS)
    for _ in range(QUICK_KILLS if is_quick(bench) else KILLS):
        leader = server.leader()
        begin, timer = later(KILL_AFTER_S, server.cluster.kill, leader)
        done = bench.load.produce(server, "fail", PARTITIONS, RATE * LOAD_S, on_go=begin,
                                  producers=PRODUCERS, rate=RATE)
        timer.join()
        bench.report.add("failover", "Weft: Java's defaults, flush interval included",
                         done["gap_ms"])
        server.restart(leader)
    done = bench.load.produce(server, "fail", PARTITIONS, RATE * LOAD_S, producers=PRODUCERS,
                              rate=RATE)
    bench.report.add("failover", "Weft: the same without a kill", done["gap_ms"])


def handover(bench, server):
    """The leader is asked to hand over while an agent commits all the time."""
    for number in range(QUICK_HAND_OVERS if is_quick(bench) else HAND_OVERS):
        begin, timer = later(1.5, server.hand_over)
        done = commits(bench, server, on_go=begin, topic=f"handover-{number}", agents=1,
                       rate=100, duration="4s")
        timer.join()
        bench.report.add("handover", "Weft: longest commit meanwhile", done["max_ms"])
    done = commits(bench, server, topic="handover", agents=1, rate=100, duration="4s")
    bench.report.add("handover", "Weft: the same without", done["max_ms"])


def commit_rate(bench, server):
    for agents, objects in ((64, 1), (8, 8)):
        done = commits(bench, server, duration=bench.amounts.commit, agents=agents,
                       topic=f"cell-{agents}", objects=objects)
        line = f"Weft: {agents} agents, {objects} object{'s' * (objects > 1)} a request"
        bench.report.add("cell_commits", line, done["commits"] / done["seconds"])
        bench.report.add("cell_commits_cpu", line,
                         done["cpu"]["control plane"] * 1000 / done["commits"])
    for rate in (HALF_LOAD, HALF_LOAD // 5):
        done = commits(bench, server, duration=bench.amounts.commit, topic=f"cell-{rate}",
                       agents=64, rate=rate)
        line = f"Weft: {rate}/s asked for, 64 agents"
        bench.report.add("cell_p99", line, done["p99_ms"])
        bench.report.add("cell_p50", line, done["p50_ms"])
        bench.report.add("cell_paced", line, done["commits"] / done["seconds"])


@contextlib.contextmanager
def flooding(bench, server, token, topic):
    """Another tenant commits as fast as it can."""
    flooder = clients.control_load(
        "bench_commit", bench.programs, bench.cores, server, bench.directory, 0, topic=topic,
        agents=64, runs=16, duration="10m", **{"enrolment-token": token})
    os.setpriority(os.PRIO_PROCESS, flooder.process.pid, FLOODER_NICE)
    try:
        flooder.hear()
        flooder.say("go")
        time.sleep(0.5)
        yield
    finally:
        flooder.kill()


def flood(bench, server):
    """One tenant commits steadily, in turn beside another one that floods and without."""
    token = server.enrolment_token("flood")

    def steady(topic):
        return clients.commits(bench.programs, bench.cores, server, bench.directory, 0,
                               topic=topic, runs=16, agents=8, rate=200,
                               duration=bench.amounts.commit)
    for number in range(QUICK_FLOODS if is_quick(bench) else FLOODS):
        alone = steady(f"alone-{number}")
        with flooding(bench, server, token, f"flood-{number}"):
            flooded = steady(f"flooded-{number}")
        for part in ("p50", "p99"):
            bench.report.add(f"flood_{part}", "Weft: alone", alone[f"{part}_ms"])
            bench.report.add(f"flood_{part}", "Weft: flooded", flooded[f"{part}_ms"])
        bench.report.add("flood", "Weft", flooded["p99_ms"] / alone["p99_ms"])


def million(bench, server):
    """A million partitions in one cell: what they cost a node."""
    cluster = server.ask("GET", "/api/v1/clusters")["items"][0]["id"]
    for number in range(MILLION_TOPICS // (10 if is_quick(bench) else 1)):
        server.call("POST", server.node_names[0], f"/api/v1/clusters/{cluster}/topics",
                    {"name": f"million-{number}", "partitions": MILLION_PARTITIONS})
    line = "Weft"
    commits(bench, server, topic="after", agents=16, duration=bench.amounts.commit,
            **{"enrolment-token": server.enrolment_token("load")})
    for name in server.node_names:
        bench.report.add("million_rss", line, machine.rss_mib(server.processes[name]["pid"]))
    pauses = [server.node_metrics(name)["checkpoint_pause_max_seconds"]
              for name in server.node_names]
    leader = server.leader()
    others = [name for name in server.node_names if name != leader]
    server.cluster.stop(others[0])
    bench.report.add("million_start", "Weft: after SIGTERM", server.restart(others[0]))
    server.cluster.kill(leader)
    begin = time.monotonic()
    server.leader(others)
    bench.report.add("million_failover", line, (time.monotonic() - begin) * 1000)
    bench.report.add("million_start", "Weft: after kill -9", server.restart(leader))
    for name in server.node_names:
        pauses.append(server.node_metrics(name)["checkpoint_pause_max_seconds"])
    for pause in pauses:
        bench.report.add("million_pause", line, pause * 1000)


def joining(bench, server, agents):
    """The programs whose agents, AGENTS together, join: as many as their open files need."""
    tokens = bench.directory + "/tokens"
    with open(tokens, "w", encoding="ascii") as f:
        f.write(",".join(server.enrolment_token(f"agents-{number}")
                         for number in range(CLUSTERS_OF_AGENTS)))
    count = -(-agents // AGENTS_OF_PROGRAM)
    each = agents // count
    return [clients.control_load(
        "bench_agents", bench.programs, bench.cores, server, bench.directory, 0, agents=each,
        first=number * each, pace=max(JOIN_PACE // count, 1),
        duration="10s" if is_quick(bench) else "60s", **{"enrolment-token": "@" + tokens})
            for number in range(count)]


def agents_that_watch(bench, server):
    """Agents that are registered and watch, and do nothing else."""
    agents = AGENTS // (10 if is_quick(bench) else 1)
    before, begin = server.cpu(), time.monotonic()
    programs = joining(bench, server, agents)
    try:
        for program in programs:
            program.hear()
        bench.report.add("agents_join", f"Weft: {agents} agents", time.monotonic() - begin)
        bench.report.add("agents_join_cpu", f"Weft: {agents} agents", 1000 / agents * (
            server.cpu()["control plane"] - before["control plane"]))
        before, begin = server.cpu(), time.monotonic()
        for program in programs:
            program.say("go")
        done = [program.hear() for program in programs]
        passed, after = time.monotonic() - begin, server.cpu()
    finally:
        for program in programs:
            program.kill()
    line = f"Weft: {agents} agents, {CLUSTERS_OF_AGENTS} clusters"
    bench.report.add("agents_cpu", line,
                     100 * (after["control plane"] - before["control plane"]) / passed)
    bench.report.add("agents_rate", line,
                     sum(answer["answers"] / answer["seconds"] for answer in done))
    bench.report.add("agents_rss", line,
                     machine.rss_mib(server.processes[server.leader()]["pid"]))


def offsets(bench, server, **options):
    """Run bench_offsets; its answer, with what the leader did meanwhile."""
    program = clients.control_load(
        "bench_offsets", bench.programs, bench.cores, server, bench.directory,
        bench.amounts.settle_s, agents=2,
        **{"enrolment-token": server.enrolment_token(options["topic"]), **options})
    before = {}

    def written():
        leader = server.leader()
        values = server.node_metrics(leader)
        return {"entries": values["entries_total"], "log": values["log_written_bytes_total"],
                "disk": machine.written_bytes(server.processes[leader]["pid"])}
    try:
        done = program.perform(server, lambda: before.update(written()))
    finally:
        program.close()
    return {**done, **{name: value - before[name] for name, value in written().items()}}


def offset_rate(bench, server):
    """What groups commit: as fast as it goes, as a storm, and what it takes to keep it."""
    done = offsets(bench, server, topic="rate", duration=bench.amounts.commit, consumers=4000)
    line = "Weft: 4,000 groups, one partition each"
    bench.report.add("offsets_rate", line, done["commits"] / done["seconds"])
    bench.report.add("offsets_cpu", line, done["cpu"]["control plane"] * 1e6 / done["commits"])
    done = offsets(bench, server, topic="storm", duration=bench.amounts.commit,
                   consumers=STORM_CONSUMERS, every="100ms")
    line = "Weft: 10,000 consumers, every 100 ms"
    bench.report.add("storm_rate", line, done["commits"] / done["seconds"])
    bench.report.add("storm_entries", line, done["entries"] / done["seconds"])
    bench.report.add("storm_bytes", line, done["log"] / done["commits"])
    bench.report.add("storm_disk", line, done["disk"] / done["commits"])


def group_memory(bench, server):
    """Groups that have committed, and nothing else."""
    def resident():
        return {name: machine.rss_mib(server.processes[name]["pid"])
                for name in server.node_names}
    before = resident()
    offsets(bench, server, topic="memory", duration="1s", consumers=STORM_CONSUMERS,
            partitions=10)
    for name, now in resident().items():
        bench.report.add("groups_rss", "Weft: all of a node", now)
        bench.report.add("groups_rss", "Weft: more than without", now - before[name])


def round_of(phase, agents=0):
    def run(bench, cores, directory):
        with running(CellServer(cores, directory, agents)) as server:
            phase(bench, server)
    return run


ROUNDS = {"cell-failover": round_of(failover, agents=1), "cell-handover": round_of(handover),
          "cell-commits": round_of(commit_rate), "cell-flood": round_of(flood), "cell-offsets": round_of(offset_rate),
          "scale-groups": round_of(group_memory),
          "scale-million": round_of(million), "scale-agents": round_of(agents_that_watch)}
