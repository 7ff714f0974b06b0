"""Kafka Connect, Kafka Streams and MirrorMaker, restarted and killed while they work.

Every record is checked: nothing is lost, and comes twice only after a crash. --target kafka
runs all of it against a real Apache Kafka.
"""

import collections
import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient, NewTopic

from cluster import Cluster
from kafka_broker import LIB, LOG_CONFIG, KafkaBroker, free_ports
from kafka_tools import CLASSES

SPREAD = True
LONG = True
START_LIMIT_S = 90
WORK_LIMIT_S = 60


@pytest.fixture(scope="module")
def servers(target, tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("frameworks"), target=target,
                 agent_set={"flush-interval": "50ms"},
                 control_plane_set={"group-initial-rebalance-delay": "0ms"}) as cluster:
        yield cluster


class Jvm:
    """A Java program that runs beside the test; its output is in LOG."""

    def __init__(self, directory, name, *arguments, heap_mib=256):
        directory.mkdir(parents=True, exist_ok=True)
        config = directory / "log4j2.xml"
        config.write_text(LOG_CONFIG.replace('level="info"', 'level="warn"'))
        self.log = directory / f"{name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["java", f"-Xmx{heap_mib}m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                 f"-Dlog4j2.configurationFile={config}", "-cp", f"{CLASSES}:{LIB}/*",
                 *map(str, arguments)],
                stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT)

    def wait_log(self, text, count=1, limit_s=START_LIMIT_S):
        wait(lambda: self.text().count(text) >= count, f"'{text}' in", self, limit_s)

    def text(self):
        return self.log.read_text(errors="replace")

    def close(self, limit_s=40):
        """End in good order, by the end of its input."""
        self.process.stdin.close()
        assert self.process.wait(limit_s) == 0, self.text()[-3000:]

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def java(tmp_path):
    """A function that starts a Jvm, which ends with the test."""
    started = []

    def start(name, *arguments, **options):
        started.append(Jvm(tmp_path / "java", name, *arguments, **options))
        return started[-1]

    yield start
    for jvm in started:
        jvm.kill()


def wait(condition, what, jvm=None, limit_s=WORK_LIMIT_S):
    until = time.monotonic() + limit_s
    while not (found := condition()):
        ended = jvm is not None and jvm.process.poll() is not None
        assert not ended and time.monotonic() < until, \
            f"no {what} within {limit_s} s; {jvm.text()[-4000:] if jvm else ''}"
        time.sleep(0.1)
    return found


def create(bootstrap, *topics, partitions=4):
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    for future in admin.create_topics([NewTopic(t, partitions, 1) for t in topics]).values():
        future.result(30)


class Reading:
    """All records of a topic, as they come: (key, value) by partition."""

    def __init__(self, bootstrap, topic, partitions=4):
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reading",
                                  "enable.auto.commit": False, "log_level": 0})
        self.consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
        self.rows = {p: [] for p in range(partitions)}
        self.stopping = False
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while not self.stopping:
            for message in self.consumer.consume(1000, 0.2):
                if message.error() is None:
                    self.rows[message.partition()].append(
                        (message.key(), message.value(), message.offset()))
        self.consumer.close()

    def all(self):
        return [row[:2] for rows in self.rows.values() for row in list(rows)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping = True
        self.thread.join(20)


# ---- Streams ----

def lines_of(number):
    """A line of words: some are frequent, one is its own."""
    return f"all mod{number % 10} mod{number % 7}-7 own{number}"


def counts(rows):
    """The last count of each word."""
    return {key.decode(): int(value) for key, value in rows}


# A word count by two instances, one of which is restarted in good order while lines come:
# the counts are exact.
def test_streams_word_count(servers, java, new_name, tmp_path):
    name = new_name()
    create(servers.bootstrap, f"{name}-in", f"{name}-out")
    producer = Producer({"bootstrap.servers": servers.bootstrap, "linger.ms": 5})

    def app(number):
        return java(f"count-{number}", "StreamsApp", "count", servers.bootstrap, name,
                    tmp_path / f"state-{number}")

    def send(numbers, pause_s=0.004):
        for number in numbers:
            producer.produce(f"{name}-in", lines_of(number), key=b"%d" % number)
            producer.poll(0)
            time.sleep(pause_s)
        assert producer.flush(30) == 0

    one, two = app(1), app(2)
    one.wait_log("RUNNING")
    two.wait_log("RUNNING")
    sender = threading.Thread(target=send, args=(range(2000),))
    sender.start()
    time.sleep(1.5)
    two.close()
    two = app(2)
    two.wait_log("RUNNING", 2)
    sender.join()
    send(range(2000, 2200), 0)
    expected = collections.Counter(word for number in range(2200)
                                   for word in lines_of(number).split())
    with Reading(servers.bootstrap, f"{name}-out") as reading:
        wait(lambda: counts(reading.all()).get("all", 0) >= 2200
             and len(counts(reading.all())) == len(expected), "all words", one)
        one.close()
        two.close()
        time.sleep(1)
        assert counts(reading.all()) == expected


# A windowed join of which an instance is killed: every pair comes, once at least, and no
# other.
def test_streams_windowed_join(servers, java, new_name, tmp_path):
    name = new_name()
    create(servers.bootstrap, f"{name}-left", f"{name}-right", f"{name}-out")
    producer = Producer({"bootstrap.servers": servers.bootstrap, "linger.ms": 5})

    def app(number):
        return java(f"join-{number}", "StreamsApp", "join", servers.bootstrap, name,
                    tmp_path / f"state-{number}")

    def send(numbers):
        for number in numbers:
            for side in ("left", "right"):
                producer.produce(f"{name}-{side}", f"{side}{number}", key=b"%d" % number)
            producer.poll(0)
            time.sleep(0.004)
        assert producer.flush(30) == 0

    one, two = app(1), app(2)
    one.wait_log("RUNNING")
    two.wait_log("RUNNING")
    sender = threading.Thread(target=send, args=(range(1500),))
    sender.start()
    time.sleep(2)
    two.kill()
    two = app(2)
    sender.join()
    two.wait_log("RUNNING", 2)
    expected = {f"left{n}+right{n}" for n in range(1500)}
    with Reading(servers.bootstrap, f"{name}-out") as reading:
        wait(lambda: {value.decode() for _, value in reading.all()} >= expected,
             "all pairs", one)
        assert {value.decode() for _, value in reading.all()} == expected
    one.close()
    two.close()


# ---- Connect ----

class Worker:
    """A Connect worker in distributed mode."""

    def __init__(self, java, number, bootstrap, group, directory):
        self.port = free_ports(1)[0]
        config = {
            "bootstrap.servers": bootstrap, "group.id": group,
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.storage.StringConverter",
            "offset.storage.topic": f"{group}-offsets", "offset.storage.partitions": 5,
            "config.storage.topic": f"{group}-configs",
            "status.storage.topic": f"{group}-status", "status.storage.partitions": 3,
            "offset.storage.replication.factor": 1, "config.storage.replication.factor": 1,
            "status.storage.replication.factor": 1, "offset.flush.interval.ms": 500,
            "listeners": f"http://127.0.0.1:{self.port}",
            "rest.advertised.host.name": "127.0.0.1", "session.timeout.ms": 6000,
            "heartbeat.interval.ms": 500, "scheduled.rebalance.max.delay.ms": 1000,
            "plugin.discovery": "service_load", "consumer.session.timeout.ms": 6000,
            "consumer.heartbeat.interval.ms": 500, "consumer.auto.offset.reset": "earliest",
        }
        path = directory / f"worker-{number}.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
        self.jvm = java(f"worker-{number}", "org.apache.kafka.connect.cli.ConnectDistributed",
                        path)

    def ask(self, method, path, body=None):
        """The answer of the REST interface; None while it cannot say."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"{}")
        except (urllib.error.HTTPError, OSError):
            return None

    def tasks(self, names):
        """{(connector, task): worker} of those that run."""
        found = {}
        for name in names:
            status = self.ask("GET", f"/connectors/{name}/status") or {"tasks": []}
            for task in status["tasks"]:
                if task["state"] == "RUNNING":
                    found[name, task["id"]] = task["worker_id"]
        return found


# Two workers with a file source and two file sinks; one worker is killed while lines come.
def test_connect_two_workers(servers, java, new_name, tmp_path):
    name = new_name()
    create(servers.bootstrap, f"{name}-lines")
    workers = [Worker(java, n, servers.bootstrap, name, tmp_path) for n in (1, 2)]
    for worker in workers:
        wait(lambda: worker.ask("GET", "/connectors") is not None, "REST interface",
             worker.jvm, START_LIMIT_S)
    source = tmp_path / "source.txt"
    source.write_text("")
    sinks = [tmp_path / f"sink-{n}.txt" for n in (1, 2)]
    connectors = {"source": {
        "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector",
        "tasks.max": "1", "file": str(source), "topic": f"{name}-lines"}}
    for number, sink in enumerate(sinks):
        connectors[f"sink-{number}"] = {
            "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector",
            "tasks.max": "1", "file": str(sink), "topics": f"{name}-lines"}
    for connector, config in connectors.items():
        wait(lambda: workers[0].ask("PUT", f"/connectors/{connector}/config", config),
             connector, workers[0].jvm)
    spread = wait(lambda: len(t := workers[0].tasks(connectors)) == 3 and
                  len(set(t.values())) == 2 and t, "three tasks on two workers",
                  workers[0].jvm)

    def write(numbers):
        with open(source, "a", encoding="ascii") as out:
            for number in numbers:
                out.write(f"line {number}\n")
                if number % 20 == 0:
                    out.flush()
                    time.sleep(0.02)

    def lines(sink):
        return sink.read_text().splitlines() if sink.exists() else []

    write(range(1000))
    wait(lambda: all(len(lines(sink)) >= 1000 for sink in sinks), "first lines",
         workers[0].jvm)
    # In good order everything comes once.
    for sink in sinks:
        assert sorted(lines(sink)) == sorted(f"line {n}" for n in range(1000))
    writer = threading.Thread(target=write, args=(range(1000, 3000),))
    writer.start()
    time.sleep(0.5)
    # The one with the source, which has the most to lose.
    victim = next(w for w in workers if str(w.port) in spread["source", 0])
    other = next(w for w in workers if w is not victim)
    victim.jvm.kill()
    writer.join()
    expected = {f"line {n}" for n in range(3000)}
    wait(lambda: all(set(lines(sink)) >= expected for sink in sinks), "all lines", other.jvm)
    for sink in sinks:
        assert set(lines(sink)) == expected
    assert set(other.tasks(connectors).values()) == {f"127.0.0.1:{other.port}"}


# ---- MirrorMaker ----

# Topics, their configuration, records and a group's offsets come over from a real Kafka;
# MirrorMaker is killed and started again on the way.
def test_mirror_maker(servers, java, new_name, tmp_path):
    name = new_name()
    with KafkaBroker() as origin:
        create(origin.bootstrap, name)
        admin = AdminClient({"bootstrap.servers": origin.bootstrap})
        producer = Producer({"bootstrap.servers": origin.bootstrap, "linger.ms": 5})

        def send(numbers):
            for number in numbers:
                producer.produce(name, b"value %d" % number, key=b"%d" % number)
                producer.poll(0)
            assert producer.flush(30) == 0

        send(range(3000))
        config = {
            "clusters": "origin,here", "origin.bootstrap.servers": origin.bootstrap,
            "here.bootstrap.servers": servers.bootstrap, "origin->here.enabled": "true",
            "here->origin.enabled": "false", "origin->here.topics": name,
            "origin->here.groups": "mirrored-.*", "replication.factor": 1,
            "checkpoints.topic.replication.factor": 1,
            "heartbeats.topic.replication.factor": 1,
            "offset-syncs.topic.replication.factor": 1,
            "offset.storage.replication.factor": 1, "status.storage.replication.factor": 1,
            "config.storage.replication.factor": 1, "sync.topic.acls.enabled": "false",
            "sync.group.offsets.enabled": "true", "sync.group.offsets.interval.seconds": 1,
            "emit.checkpoints.interval.seconds": 1, "refresh.groups.interval.seconds": 2,
            "refresh.topics.interval.seconds": 5, "offset.lag.max": 10, "tasks.max": 2,
            "origin.offset.flush.interval.ms": 500, "here.offset.flush.interval.ms": 500,
            "here.group.initial.rebalance.delay.ms": 0, "plugin.discovery": "service_load",
            "session.timeout.ms": 6000, "heartbeat.interval.ms": 500,
            "scheduled.rebalance.max.delay.ms": 500,
        }
        path = tmp_path / "mirror.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
        mirror = java("mirror", "org.apache.kafka.connect.mirror.MirrorMaker", path)
        with Reading(servers.bootstrap, f"origin.{name}") as reading:
            wait(lambda: len(reading.all()) >= 1000, "mirrored records", mirror,
                 START_LIMIT_S)
            mirror.kill()
            mirror = java("mirror", "org.apache.kafka.connect.mirror.MirrorMaker", path)
            send(range(3000, 4000))
            expected = {b"value %d" % n for n in range(4000)}
            wait(lambda: {value for _, value in reading.all()} >= expected,
                 "all records mirrored", mirror, START_LIMIT_S)
            assert {value for _, value in reading.all()} == expected
            check_order(reading.rows)
            asked = TopicPartition(name, 0, 500)
            admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(
                "mirrored-group", [asked])])["mirrored-group"].result(20)
            check_group(servers.bootstrap, name, reading, mirror)


def check_order(rows):
    """First comings are in order of the origin; what comes again is a stretch of it."""
    for part in rows.values():
        numbers = [int(key) for key, _, _ in part]
        seen = set()
        firsts = [n for n in numbers if not (n in seen or seen.add(n))]
        assert firsts == sorted(firsts)


def check_group(bootstrap, name, reading, mirror):
    """The group's offset comes over, translated: what it has not read comes after it."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    asked = ConsumerGroupTopicPartitions("mirrored-group",
                                         [TopicPartition(f"origin.{name}", 0)])

    def offset():
        found = admin.list_consumer_group_offsets([asked])["mirrored-group"].result(20)
        return max(found.topic_partitions[0].offset, 0)

    at = wait(offset, "offset of the group", mirror, START_LIMIT_S)
    in_order = list(dict.fromkeys(key for key, _, _ in reading.rows[0]))
    after = {key for key, _, offset in reading.rows[0] if offset >= at}
    assert set(in_order[500:]) <= after
