"""What groups have committed, while everything fails in turn.

A committer commits the next number of each of its partitions again and again, through
whichever agent it reaches, and now and then asks the other agent what is committed. What
was acknowledged is never lost, and nothing goes back: an answer lies between the last
number that was acknowledged and the last one that was tried (I1, I9).

    WEFT_OFFSETS_SEED=N      another course of events; the seed is printed
    WEFT_OFFSETS_SECONDS=N   how long it goes on (25)
"""

import contextlib
import os
import random
import threading
import time

from cell_cluster import CellCluster
from cluster import ROOT, Cluster
from wire import Closed, Wire

SPREAD = True   # over all workers: nothing is shared
GROUPS, PARTITIONS = 6, 4
TOPIC = "committed"
PROGRESS_S = 60
AGENTS = ["agent-1", "agent-2"]
BUILD = ROOT / "build" / "release"   # kill -9 needs no fault points
# Small segments and frequent checkpoints, so that what is loaded is seldom the log alone.
NODE_SET = {"checkpoint-interval": "500ms", "checkpoint-log": "64KiB",
            "wal-segment": "64KiB"}
# What says "again later": the coordinator is away, loading, or another.
AGAIN = {14, 15, 16}


class Committer(threading.Thread):
    """One group, and what it knows of its partitions."""

    def __init__(self, number, addresses, seed):
        super().__init__(daemon=True)
        self.group = f"committer-{number}"
        self.addresses = addresses
        self.rng = random.Random(seed * 100 + number)
        self.acknowledged = [-1] * PARTITIONS
        self.tried = [-1] * PARTITIONS
        self.commits = self.reads = 0
        self.failure = None
        self.stopping = False
        self.wires = {}

    def wire(self, address):
        if address not in self.wires:
            self.wires[address] = Wire(address, timeout_s=30)
        return self.wires[address]

    def drop(self, address):
        wire = self.wires.pop(address, None)
        if wire is not None:
            wire.close()

    def commit(self, address):
        chosen = self.rng.sample(range(PARTITIONS), self.rng.randint(1, PARTITIONS))
        for partition in chosen:
            self.tried[partition] += 1
        answer = self.wire(address).call(
            "OffsetCommit", 7, group=self.group, generation=-1, member="",
            topics=[{"name": TOPIC, "partitions": [
                {"index": partition, "offset": self.tried[partition], "epoch": 0,
                 "metadata": str(self.tried[partition])} for partition in chosen]}])
        for part in answer["topics"][0]["partitions"]:
            if part["error"] == 0:
                self.acknowledged[part["index"]] = self.tried[part["index"]]
                self.commits += 1
            elif part["error"] not in AGAIN:
                raise AssertionError(f"{self.group}: a commit had error {part['error']}")

    def check(self, address):
        """Whether there was an answer; it is right, or an assertion fails."""
        answer = self.wire(address).call("OffsetFetch", 7, group=self.group, topics=[
            {"name": TOPIC, "partitions": list(range(PARTITIONS))}])
        if answer["error"] in AGAIN:
            return False
        assert answer["error"] == 0, f"{self.group}: a fetch had error {answer['error']}"
        for part in answer["topics"][0]["partitions"]:
            low, high = self.acknowledged[part["index"]], self.tried[part["index"]]
            told = f"{self.group} {part['index']}: {part['offset']} of {low} to {high}"
            assert low <= part["offset"] <= high, told
            assert part["offset"] == -1 or part["metadata"] == str(part["offset"]), told
        self.reads += 1
        return True

    def run(self):
        while not self.stopping:
            address = self.rng.choice(self.addresses)
            try:
                if self.rng.random() < 0.3:
                    self.check(address)
                else:
                    self.commit(address)
            except (Closed, OSError):
                self.drop(address)
                time.sleep(0.05)
            except Exception as failure:  # pylint: disable=broad-exception-caught
                self.failure = failure
                return

    def settled(self, address):
        """After all is over: what ADDRESS says, asked until it answers."""
        until = time.monotonic() + PROGRESS_S
        while time.monotonic() < until:
            with contextlib.suppress(Closed, OSError):
                if self.check(address):
                    return
            self.drop(address)
            time.sleep(0.1)
        raise AssertionError(f"{address} does not answer")


def wait_progress(committers, what):
    """Every committer has commits acknowledged again."""
    before = [committer.commits for committer in committers]
    until = time.monotonic() + PROGRESS_S
    while any(committer.commits <= was for committer, was in zip(committers, before)):
        for committer in committers:
            if committer.failure:
                raise committer.failure
        assert time.monotonic() < until, f"no progress {what}"
        time.sleep(0.05)


def make_topic(cluster):
    with Wire(cluster.bootstraps[0]) as wire:
        answer = wire.call("CreateTopics", 4, timeout_ms=30_000, validate_only=False, topics=[
            {"name": TOPIC, "partitions": PARTITIONS, "replication": -1}])
        assert answer["topics"][0]["error"] == 0


def test_kills(tmp_path):
    """The leader and the agents are killed in turn, then all nodes at once; at the end both
    agents tell of what was acknowledged."""
    seed = int(os.environ.get("WEFT_OFFSETS_SEED", random.SystemRandom().randrange(10**6)))
    print(f"WEFT_OFFSETS_SEED={seed}", flush=True)
    rng = random.Random(seed)
    over = time.monotonic() + float(os.environ.get("WEFT_OFFSETS_SECONDS", "25"))
    with CellCluster(tmp_path, build=BUILD, agents=2,
                     control_plane_set=NODE_SET) as cluster:
        make_topic(cluster)
        committers = [Committer(number, cluster.bootstraps, seed)
                      for number in range(GROUPS)]
        for committer in committers:
            committer.start()
        wait_progress(committers, "before anything failed")
        while time.monotonic() < over:
            victim = rng.choice([cluster.leader(), *AGENTS])
            cluster.kill(victim)
            time.sleep(rng.uniform(0, 1.5))
            cluster.start(victim)
            wait_progress(committers, f"after {victim} was killed (seed {seed})")
        nodes = [f"controlplane-{number}" for number in (1, 2, 3)]
        for node in nodes:
            cluster.kill(node)
        cluster.start_many(nodes)
        wait_progress(committers, f"after all nodes were killed (seed {seed})")
        for committer in committers:
            committer.stopping = True
        for committer in committers:
            committer.join(PROGRESS_S)
            if committer.failure:
                raise committer.failure
            for address in cluster.bootstraps:
                committer.settled(address)
        print(f"{sum(c.commits for c in committers)} commits, "
              f"{sum(c.reads for c in committers)} answers", flush=True)


def test_retention(tmp_path):
    """What nobody's group committed goes when the retention is over, and the group with
    it; what is committed again stays."""
    with Cluster(tmp_path, agents=1, control_planes=1,
                 control_plane_set={"offsets-retention": "4s"}) as cluster:
        make_topic(cluster)
        with Wire(cluster.bootstraps[0]) as wire:
            def commit(group):
                answer = wire.call(
                    "OffsetCommit", 7, group=group, generation=-1, member="",
                    topics=[{"name": TOPIC, "partitions": [
                        {"index": 0, "offset": 5, "epoch": 0, "metadata": ""}]}])
                assert answer["topics"][0]["partitions"][0]["error"] == 0

            def offset(group):
                answer = wire.call("OffsetFetch", 7, group=group, topics=[
                    {"name": TOPIC, "partitions": [0]}])
                assert answer["error"] == 0
                return answer["topics"][0]["partitions"][0]["offset"]

            commit("idle")
            begun = time.monotonic()
            while offset("idle") == 5:
                commit("busy")
                assert time.monotonic() < begun + 30, "it does not go"
                time.sleep(0.2)
            assert time.monotonic() > begun + 3.5
            assert offset("busy") == 5
