"""What is measured, phase by phase. Every phase fills rows of report.MEASURES.

A phase that measures work does it once before, smaller and not counted: a JVM's first
round is its compiler's, and Weft gets the same treatment.
"""

import dataclasses
import subprocess
import threading
import time

import clients
import machine
from machine import GIB, MIB

BIG = {"batch.size": 256 * 1024}
JAVA_DEFAULTS = None
PARTITIONS = 12
# Five requests of at most 1 MiB are in flight on a connection, and an acknowledgement takes
# 250 ms and more: one client cannot load an agent, several do. The same for every server.
PRODUCERS_BIG = 8
PRODUCERS_SMALL = 24
PRODUCERS_STEADY = 12
STEADY = 20 * MIB
TAIL_RATE = 16 * MIB
TAILS = 6
FLUSH_INTERVAL_MS = 250
APPLY_LINES = {"apply": "apply alone", "node": "Raft, log with fdatasync, apply"}


@dataclasses.dataclass(frozen=True)
class Amounts:
    """How much of everything; a slow server (fsync) gets a quarter of the bytes.

    fill: more than an agent's cache holds, then its memory is warm (QUICK: some of it).
    broker_connections: connect to Kafka 10,000 times too, which takes it a while."""

    repeats: int
    warm: int
    fill: int
    broker_warm_s: float
    volume: int
    steady_s: float
    tail_s: float
    light_s: float
    kcat: int
    commit: str
    idle_s: float
    starts: int
    applies: int
    settle_s: float
    broker_connections: bool


FULL = Amounts(repeats=3, warm=512 * MIB, fill=320 * MIB, broker_warm_s=60, volume=768 * MIB, steady_s=10,
               tail_s=10, light_s=20, kcat=512 * MIB, commit="5s", idle_s=10, starts=5,
               applies=2000, settle_s=15, broker_connections=True)
QUICK = Amounts(repeats=1, warm=64 * MIB, fill=128 * MIB, broker_warm_s=2, volume=64 * MIB,
                steady_s=1.2, tail_s=1.2, light_s=1.2, kcat=32 * MIB, commit="600ms", idle_s=2,
                starts=1, applies=200, settle_s=0.5, broker_connections=False)


class Bench:
    """One run's tools and results, and the phases."""

    def __init__(self, cores, amounts, load, report, directory, programs):
        self.cores = cores
        self.amounts = amounts
        self.load = load
        self.report = report
        self.directory = directory
        self.programs = programs
        self.lines = f"{directory}/lines"
        self.in_warm = 0
        clients.make_lines(self.lines, amounts.kcat)

    # ---- produce ----

    def warm_up(self, server, part):
        """What is measured later, once before; it is not counted.

        A JVM's compiler goes by the number of requests: a broker is warmed for a time, with
        many small ones too. An agent must have filled its memory once."""
        self.load.create(server, "warm", PARTITIONS)
        size = self.amounts.warm // part
        if server.part == "agent":
            size = max(size, self.amounts.fill // 2)
        warm_s = self.amounts.broker_warm_s if server.part == "broker" else 0
        paced_s = warm_s / 20
        until = time.monotonic() + warm_s
        fetch = 0
        while fetch == 0 or time.monotonic() < until:
            fetch += self.load.produce(server, "warm", PARTITIONS, size, BIG,
                                       producers=PRODUCERS_BIG)["produced"]
            fetch += self.load.produce(server, "warm", PARTITIONS, size, JAVA_DEFAULTS,
                                       producers=PRODUCERS_SMALL)["produced"]
            if warm_s > 0:
                fetch += self.load.produce(server, "warm", PARTITIONS, STEADY * paced_s, JAVA_DEFAULTS,
                                           producers=PRODUCERS_STEADY, rate=STEADY)["produced"]
                fetch += self.load.produce(server, "warm", PARTITIONS, TAIL_RATE * paced_s, BIG,
                                           producers=2, rate=TAIL_RATE, tails=TAILS)["produced"]
        self.load.fetch(server, "warm", PARTITIONS, fetch)
        self.in_warm = fetch

    def _produce(self, server, key, topic, size, settings, producers, rate=None):
        """One produce of SIZE bytes into TOPIC, as rows produce_KEY and rate_KEY."""
        done = self.load.produce(server, topic, PARTITIONS, size, settings, producers=producers,
                                 rate=rate)
        name = server.name if producers > 1 else f"{server.name}, 1 producer"
        self.report.add_cpu(f"produce_{key}", name, done["cpu"], done["produced"] / GIB)
        if rate is None:
            self.report.add(f"rate_{key}", name, done["produced"] / MIB / done["seconds"])
        return done["produced"]

    def produce(self, server, part):
        """At full speed, then paced; returns what lies in the topic "big".

        A broker also meets its best case, one producer whose requests carry more; behind
        Weft's round trip that one could not load an agent."""
        size = self.amounts.volume // part
        steady = STEADY * self.amounts.steady_s
        self.load.create(server, "big", PARTITIONS)
        self.load.create(server, "small", PARTITIONS)
        one = [1] if server.best_case else []
        in_big = sum(self._produce(server, "256k", "big", size, BIG, producers)
                     for producers in [PRODUCERS_BIG] + one)
        for producers in [PRODUCERS_SMALL] + one:
            self._produce(server, "16k", "small", size, JAVA_DEFAULTS, producers)
        for producers in [PRODUCERS_STEADY] + one:
            self._produce(server, "steady", "small", steady, JAVA_DEFAULTS, producers, STEADY)
        return in_big

    def one_partition(self, server, size):
        self.load.create(server, "one", 1)
        self.report.add("one_partition", server.name,
                        clients.kcat(self.cores, server, "one", self.lines))
        done = self.load.produce(server, "one", 1, size, JAVA_DEFAULTS, producers=1)
        self.report.add("one_partition_java", server.name,
                        done["produced"] / MIB / done["seconds"])

    # ---- fetch ----

    def tail(self, server):
        """The difference that live consumers make: with them, less the same without."""
        cpu, fetched = {}, 0
        for tails in (0, TAILS):
            done = self.load.produce(server, "big", PARTITIONS, TAIL_RATE * self.amounts.tail_s,
                                     BIG, producers=2, rate=TAIL_RATE, tails=tails or None)
            for part, seconds in done["cpu"].items():
                cpu[part] = seconds - cpu.get(part, 0)
            fetched = done["fetched"]
        self.report.add_cpu("fetch_tail", server.name, cpu, fetched / GIB)

    def from_store(self, server, size):
        """What the agent wrote is gone from its memory, which is filled with other records:
        fresh memory is dear, and an agent that has run for a while has none."""
        if server.forget():
            self.load.fetch(server, "warm", PARTITIONS, min(self.in_warm, self.amounts.fill))
        done = self.load.fetch(server, "big", PARTITIONS, size)
        self.report.add_cpu("fetch_store", server.name, done["cpu"], done["fetched"] / GIB)
        self.report.add("rate_store", server.name, done["fetched"] / MIB / done["seconds"])

    # ---- latency ----

    def latency(self, server):
        """Few, small produces at even times: nothing waits in a client or for a core."""
        with PutTimes(server) if hasattr(server, "metrics") else NoPutTimes() as puts:
            rate = 32 * 10 * 1024
            done = self.load.produce(server, "small", PARTITIONS, rate * self.amounts.light_s,
                                     {"linger.ms": 0}, producers=32, rate=rate, spread="keys")
        self.report.add("p99", server.name, done["p99_ms"])
        if puts.times_ms:
            put = machine.percentile(puts.times_ms, 0.99)
            self.report.add("put_p99", server.name, put)
            self.report.add("p99_over", server.name,
                            done["p99_ms"] - put - FLUSH_INTERVAL_MS)

    # ---- idle ----

    def idle(self, server):
        """Memory and CPU of a server that nobody uses; it was started for this."""
        times = server.start_times_ms(self.amounts.starts if server.part == "agent" else 1)
        self.report.add("start", server.name, machine.median(times))
        time.sleep(1)
        puts = server.metrics()["put_total"] if server.part == "agent" else None
        before = server.cpu()
        time.sleep(self.amounts.idle_s)
        after = server.cpu()
        total, names = 0.0, []
        for part in after:
            total += after[part] - before[part]
            names.append(part if not names else f"+ {part}")
        self.report.add("idle_cpu", f"{server.name}: {' '.join(names)}",
                        100 * total / self.amounts.idle_s)
        self.report.add("rss", f"{server.name}: {server.part}", machine.rss_mib(server.pid))
        if puts is not None:
            self.report.add("idle_puts", server.name, server.metrics()["put_total"] - puts)
        if server.part == "broker" and not self.amounts.broker_connections:
            return
        connections = machine.Connections(server.bootstrap, 10_000)
        try:
            time.sleep(0.5)
            self.report.add("connections", f"{server.name}: {server.part}",
                            machine.rss_mib(server.pid))
        finally:
            connections.close()

    # ---- the control plane ----

    def commits(self, server):
        done = self._commits(server, topic="c320", agents=4, runs=320)
        self.report.add("commit_cpu", "Weft: control plane, 4 agents",
                        done["cpu"]["control plane"] * 1000 / done["commits"])
        for agents, objects in ((64, 1), (8, 8)):
            done = self._commits(server, topic=f"c16-{agents}", agents=agents, objects=objects,
                                 runs=16)
            line = f"Weft: {agents} agents, {objects} object{'s' * (objects > 1)} a request"
            self.report.add("commits", line, done["commits"] / done["seconds"])
            self.report.add("commits_cpu", line,
                            done["cpu"]["control plane"] * 1000 / done["commits"])

    def _commits(self, server, **options):
        return clients.commits(self.programs, self.cores, server, self.directory,
                               self.amounts.settle_s, duration=self.amounts.commit, **options)

    def traffic(self, server, proxy):
        """Bytes on the wire between one agent and the control plane, watch included."""
        self.load.create(server, "wide", 600)
        rate = 32 * MIB
        options = {"producers": 4, "rate": rate, "spread": "keys"}
        settings = {"linger.ms": FLUSH_INTERVAL_MS, "batch.size": 8192}
        self.load.produce(server, "wide", 600, rate, settings, **options)
        counters, before = server.metrics(), proxy.bytes
        done = self.load.produce(server, "wide", 600, rate * self.amounts.steady_s, settings,
                                 **options)
        time.sleep(0.5)
        counters = {name: value - counters[name] for name, value in server.metrics().items()}
        line = "Weft: commits and watch of one agent, TLS and HTTP included"
        self.report.add("traffic", line,
                        (proxy.bytes - before) / MIB / (done["produced"] / GIB))
        runs = counters["object_runs_sum"]
        self.report.add("traffic_runs", line, runs / counters["objects_sealed_total"])
        self.report.add("traffic_batches", line, counters["produce_batches_total"] / runs)

    def apply(self):
        """bench_apply: below TLS and JSON. Its lines are "SHAPE  WHAT  VALUE UNIT"."""
        command = [self.programs / "bench_apply", self.directory,
                   str(self.amounts.applies)]
        with self.cores.on(self.cores.server):
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True)
        if done.returncode != 0:
            raise RuntimeError(f"bench_apply: exit {done.returncode}\n{done.stderr[-2000:]}")
        for line in done.stdout.splitlines():
            words = line.split()
            if line.startswith("320 runs") and words[-2:] == ["ms", "CPU/commit"]:
                self.report.add("apply_cpu", f"Weft: {APPLY_LINES[words[-4]]}", float(words[-3]))


class NoPutTimes:
    """A server without an object store."""

    times_ms = ()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


class PutTimes:
    """How long each PUT took, by looking at the agent's counters often.

    At four objects a second hardly two PUTs fall between two looks; if they do, their mean
    stands for both."""

    def __init__(self, server):
        self.server = server
        self.times_ms = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _look(self):
        counters = self.server.metrics()
        return counters["put_seconds_sum"], counters["put_seconds_count"]

    def _run(self):
        total, count = self._look()
        while not self._over.wait(0.05):
            now_total, now_count = self._look()
            if now_count > count:
                n = int(now_count - count)
                self.times_ms += [(now_total - total) * 1000 / n] * n
            total, count = now_total, now_count
