"""The control plane goes away, stalls, or its answers get lost; clients go on.

What is known is still served, produces wait and then fail in a way that clients repeat,
everything resumes by itself, and nothing is lost or doubled (I1, I5, I11).
"""

import contextlib
import os
import random
import re
import signal
import socket
import ssl
import threading
import time
import urllib.request

import pytest

import raw_group
import records
from checker import Checker
from cluster import Cluster
from control import Batch, Commit, ControlPlane, Run
from schema_wire import SchemaWire
from tcp_proxy import CUT, PASS, SWALLOW, TcpProxy, owner_of
from wire import Wire
from workload import Workload, retry

CONTROL_PLANE = "controlplane-1"
REQUEST_TIMED_OUT, OFFSET_NOT_AVAILABLE, NOT_CONTROLLER = 7, 78, 41
# Longer than the request timeouts below, and than an agent's session at the control plane.
GONE_S = 15
TIMEOUT_MS = 3000


def free_address():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return f"127.0.0.1:{s.getsockname()[1]}"


def wait_until(what, text, limit_s=60):
    until = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < until, f"{text}: not within {limit_s} s"
        time.sleep(0.05)


def produce(wire, topic, batch, timeout_ms=TIMEOUT_MS, partition=0):
    """Produce one batch; (error, base offset)."""
    answer = wire.call("Produce", 8, acks=-1, timeout_ms=timeout_ms, topics=[
        {"name": topic, "partitions": [{"index": partition, "records": batch}]}])
    found = answer["topics"][0]["partitions"][0]
    return found["error"], found["base_offset"]


def fetch(wire, topic, partition, offset, max_wait_ms=500):
    """(error, high watermark, values from OFFSET on)."""
    answer = wire.call(
        "Fetch", 11, replica_id=-1, max_wait_ms=max_wait_ms, min_bytes=1, rack="",
        max_bytes=50 << 20, session_epoch=-1, topics=[{"name": topic, "partitions": [
            {"partition": partition, "leader_epoch": -1, "offset": offset, "log_start": -1,
             "max_bytes": 50 << 20}]}])
    found = answer["topics"][0]["partitions"][0]
    rows = [(batch["base_offset"] + i, data) for batch in
            records.parse(found["records"] or b"") for i, data in enumerate(batch["values"])]
    return found["error"], found["high_watermark"], [r for r in rows if r[0] >= offset]


def create_topic(wire, topic, partitions=1):
    answer = wire.call("CreateTopics", 4, timeout_ms=30000, topics=[
        {"name": topic, "partitions": partitions, "replication": 1}])
    return answer["topics"][0]["error"]


def process_id(cluster, name):
    return int(cluster.status()[name]["pid"])


@contextlib.contextmanager
def killed(cluster):
    """The control plane's process is dead."""
    cluster.kill(CONTROL_PLANE)
    yield
    cluster.start(CONTROL_PLANE)


@contextlib.contextmanager
def stalled(cluster):
    """The control plane accepts connections and answers nothing."""
    pid = process_id(cluster, CONTROL_PLANE)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("away", [killed, stalled])
def test_control_plane_gone(new_cluster, away):
    """Produces fail retriably, known records are read, and everything resumes."""
    cluster = new_cluster(agent_set={"flush-interval": "20ms"})
    with Workload(cluster) as load:
        load.add_default_producers()
        load.add_producer("impatient", False, timeout_ms=TIMEOUT_MS)
        load.start()
        load.wait_progress("before")
        wires = [Wire(address) for address in cluster.bootstraps]
        retry(lambda: create_topic(wires[0], "other"))
        known = [dict(load.readers[0].offsets) for _ in wires]
        for wire, offsets in zip(wires, known):
            for partition in offsets:   # each agent has come to know the partition
                error, high, _ = fetch(wire, load.topic, partition, 0)
                assert error == 0 and high > 0

        with away(cluster):
            gone_at = time.monotonic()
            check_while_gone(load, wires, known)
            wait_until(lambda: load.checker.failures(), "the impatient producer fails")
            time.sleep(max(0, GONE_S - (time.monotonic() - gone_at)))
        load.wait_progress("after the control plane came back", limit_s=120)
        for wire in wires:
            assert produce(wire, "other", records.batch(), 60000)[0] == 0
            wire.close()
        load.finish(context="after the control plane came back")
        failures = load.checker.failures()
    assert {name for name, _, _ in failures} == {"impatient"}
    assert all("timed out" in text.lower() for text in failures.values()), failures


def check_while_gone(load, wires, known):
    for wire, offsets in zip(wires, known):
        for partition, end in offsets.items():
            error, high, rows = fetch(wire, load.topic, partition, 0)
            assert (error, [offset for offset, _ in rows][:end]) == (0, list(range(end)))
            assert high >= end
            for offset, data in rows:
                load.checker.read(partition, offset, data)
        # Produces wait for their time and fail with what clients repeat.
        assert produce(wire, "other", records.batch())[0] == REQUEST_TIMED_OUT
        # Nothing is known of this partition: not "out of range", but "ask again".
        assert fetch(wire, "other", 0, 0)[0] == OFFSET_NOT_AVAILABLE


def metric(text, name):
    """The sum of the metric NAME (with labels as given) in TEXT."""
    found = re.findall(rf"^{re.escape(name)} ([0-9.e+]+)$", text, re.MULTILINE)
    assert found, f"no {name} in\n{text}"
    return sum(float(v) for v in found)


def get(url, ca_file=None):
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    with urllib.request.urlopen(url, timeout=30, context=context) as answer:
        return answer.read().decode()


def agent_metric(cluster, agent, name):
    port = re.search(r"admin.*?(127\.0\.0\.1:\d+)", cluster.logs(agent)).group(1)
    return metric(get(f"http://{port}/metrics"), name)


def test_memory_full_of_produces(tmp_path):
    """Records that wait for the control plane fill an agent's memory: it takes no further
    Produce, and everything else goes on; then it takes them, and all are answered."""
    count = 80
    with Cluster(tmp_path, agents=1, agent_set={"memory": "64MiB"}) as cluster:
        writer = Wire(cluster.bootstraps[0], timeout_s=120)
        assert create_topic(writer, "t") == 0
        assert produce(writer, "t", records.batch([b"known"]), 30000) == (0, 0)
        with Wire(cluster.bootstraps[0]) as reader:
            assert fetch(reader, "t", 0, 0)[2] == [(0, b"known")]
        large = records.batch([bytes(900_000)])
        with killed(cluster):
            def fill():
                for _ in range(count):
                    writer.send("Produce", 8, acks=-1, timeout_ms=600_000, topics=[
                        {"name": "t", "partitions": [{"index": 0, "records": large}]}])
            filler = threading.Thread(target=fill)
            filler.start()
            wait_until(lambda: agent_metric(cluster, "agent-1",
                                            "weft_agent_reads_paused_total") > 0,
                       "memory full")
            for _ in range(3):
                with Wire(cluster.bootstraps[0], timeout_s=10) as other:
                    assert other.call("Metadata", 8, topics=[])["brokers"]
                    assert fetch(other, "t", 0, 0)[2] == [(0, b"known")]
            assert agent_metric(cluster, "agent-1",
                                "weft_agent_produce_requests_total") < count
        filler.join()
        offsets = [writer.receive()[1]["topics"][0]["partitions"][0]["base_offset"]
                   for _ in range(count)]
        assert offsets == list(range(1, count + 1))
        writer.close()


class ProxiedCluster:
    """A cluster of two agents that reach the control plane through `proxy` only."""

    def __init__(self, directory, lose=lambda connection: PASS):
        listen = free_address()
        self.proxy = TcpProxy(listen, lose)
        self.admin = [free_address(), free_address()]
        self.cluster = Cluster(directory, agents=2, agent_set={"flush-interval": "20ms"},
                               control_plane_set={"listen-agents": listen,
                                                  "advertise-agents": self.proxy.url})

    def __enter__(self):
        self.cluster.up()
        return self

    def __exit__(self, *_):
        self.proxy.lose = lambda connection: PASS
        self.cluster.down()
        self.proxy.close()

    def deafen(self, name):
        """From now on no answer reaches the agent NAME, which does not know that."""
        deaf = process_id(self.cluster, name)
        owners = {}

        def lose(connection):
            if connection not in owners:
                owners[connection] = owner_of(connection.port, [deaf])
            return SWALLOW if owners[connection] == deaf else PASS

        def hear_again():
            self.proxy.lose = lambda _: PASS
            for connection in list(self.proxy.connections):
                if owners.get(connection) == deaf:
                    connection.close()

        self.proxy.lose = lose
        self.hear_again = hear_again

    def commits_answered(self):
        """Commit calls that the control plane answered, heard or not."""
        text = get(self.cluster.control_plane + "/metrics", self.cluster.ca_file)
        return metric(text, 'weft_controlplane_requests_total{path="/agent/v1/commit",'
                            'method="POST",code="2xx"}')

    def commits_heard(self):
        """Commits that the agents made, each once however often it was repeated."""
        return sum(metric(get(url), "weft_agent_commit_requests_total")
                   for url in self.agent_metrics())

    def agent_metrics(self):
        for name in ("agent-1", "agent-2"):
            port = re.search(r"admin.*?(127\.0\.0\.1:\d+)", self.cluster.logs(name))
            assert port, self.cluster.logs(name)
            yield f"http://{port.group(1)}/metrics"


def test_replies_lost(tmp_path):
    """A third of all answers of the control plane are lost after the request was served:
    commits are repeated and give the same offsets (I5)."""
    rng = random.Random(3)
    with ProxiedCluster(tmp_path / "cluster") as proxied, \
            Workload(proxied.cluster) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        proxied.proxy.lose = lambda _: CUT if rng.random() < 0.3 else PASS
        wait_until(lambda: proxied.commits_answered() > proxied.commits_heard() + 10,
                   "more commits answered than heard", 120)
        load.wait_progress("while replies are lost")
        proxied.proxy.lose = lambda _: PASS
        load.wait_progress("after")
        load.finish()
        assert proxied.proxy.cuts > 10


def test_reply_lost_and_repeated_through_the_other_agent(tmp_path):
    """A batch was committed, its agent never learns so; the client repeats it through the
    other agent and is told the offset that it has."""
    with ProxiedCluster(tmp_path / "cluster") as proxied:
        first, second = map(Wire, proxied.cluster.bootstraps)
        assert create_topic(first, "t") == 0
        for wire in (first, second):    # both have connections and know the topic
            assert produce(wire, "t", records.batch([b"before"]), 30000)[0] == 0
        made = second.call("InitProducerId", 4, timeout_ms=60000, producer_id=-1,
                           producer_epoch=-1)
        assert made["error"] == 0
        batch = records.batch([b"once", b"and", b"never", b"again"], base_sequence=0,
                              producer_id=made["producer_id"], producer_epoch=0)

        proxied.deafen("agent-1")
        assert produce(first, "t", batch)[0] == REQUEST_TIMED_OUT
        # It is there all the same.
        assert [data for _, data in fetch(second, "t", 0, 2)[2]][:1] == [b"once"]
        assert produce(second, "t", batch, 30000) == (0, 2)
        proxied.hear_again()
        after = records.batch([b"after"], base_sequence=4,
                              producer_id=made["producer_id"], producer_epoch=0)
        assert produce(first, "t", after, 60000) == (0, 6)
        for wire in (first, second):
            rows = fetch(wire, "t", 0, 0)[2]
            assert rows == list(enumerate([b"before", b"before", b"once", b"and", b"never",
                                           b"again", b"after"]))
            wire.close()


def test_offsets_that_were_overtaken(tmp_path):
    """Offsets were committed, their agent never learns so; the client goes on through the
    other agent and commits further: what the first one repeats does not put them back."""
    with ProxiedCluster(tmp_path / "cluster") as proxied:
        addresses = proxied.cluster.bootstraps
        with Wire(addresses[0]) as wire:
            assert create_topic(wire, "t", 2) == 0
        first, second = map(SchemaWire, addresses)
        for wire in (first, second):    # both have connections and know the topic
            wait_until(lambda: raw_group.commit(wire, "g", "t", {0: 1, 1: 1}) ==
                       {0: 0, 1: 0}, "first commits")
        proxied.deafen("agent-1")
        first.send("OffsetCommit", 9, group_id="g", generation_id_or_member_epoch=-1,
                   member_id="", topics=[{"name": "t", "partitions": [
                       {"partition_index": 0, "committed_offset": 10}]}])
        wait_until(lambda: raw_group.fetch(second, "g", "t", [0])[0][0] == 10, "commit")
        first.close()
        assert raw_group.commit(second, "g", "t", {0: 20}) == {0: 0}
        proxied.hear_again()
        # The ops of a group stay in order: when this is answered, the repeat has been.
        with SchemaWire(addresses[0]) as wire:
            wait_until(lambda: raw_group.commit(wire, "g", "t", {1: 2}) == {1: 0}, "answer")
        assert raw_group.fetch(second, "g", "t", [0, 1]) == {0: (20, ""), 1: (2, "")}
        second.close()


def test_same_commit_by_two_agents(tmp_path):
    """An object is committed once and for all, whoever says it (I5); another object under
    its id is a conflict."""
    with ControlPlane(tmp_path / "plane") as plane:
        cluster = plane.admin.create_cluster("one")["id"]
        one, other = plane.enrol(cluster), plane.enrol(cluster)
        one.register()
        other.register()
        topic = one.create_topic("t")
        now = one.now_ms
        commit = Commit([Run(topic, 0, [Batch(10, producer=(7, 0, 0))])], created_at_ms=now)
        assert one.commit([commit]) == [(0, [0], [])]
        assert other.commit([commit]) == [(0, [0], [])]
        different = Commit([Run(topic, 0, [Batch(11)])], object_id=commit.object_id,
                           created_at_ms=now)
        assert other.commit([different])[0][0] == "CONFLICT"
        assert one.commit([commit]) == [(0, [0], [])]
        assert one.plan([(topic, 0, 0, 1)])[0]["high_watermark"] == 10
        # The same batch in another object is the producer's repeat: it has its offset.
        again = Commit([Run(topic, 0, [Batch(10, producer=(7, 0, 0))])])
        assert other.commit([again])[0][2] == [[0, 0, 0, 0, now]]
        # And after a restart, from checkpoint and log.
        plane.kill()
        plane.start()
        one.close()
        assert one.commit([commit]) == [(0, [0], [])]
        assert one.commit([different])[0][0] == "CONFLICT"
