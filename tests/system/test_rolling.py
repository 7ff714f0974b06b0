"""All agents are replaced by new ones, one after the other, while clients produce.

Clients have their default settings. Not one produce may fail, none may be lost, and none of
an idempotent producer's doubled. What it costs in time is printed: percentiles of the
latency, before and while agents come and go.

As an operator does it (agent/operate.md): start the new agent, wait until it is ready, drain the old
one and wait for it, SIGTERM, next."""

import base64
import datetime
import json
import os
import subprocess
import threading
import time

from clients import JAVA
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from control import BUILD
from kafka import KafkaProducer
from ports import free_ports

LONG = True
AGENTS = 3
PARTITIONS = 6
TOPIC = "rolling"
STEADY_S = 4
INTERVAL_S = 0.02
LIMIT_S = 120
EXIT_LIMIT_S = 60


class Load:
    """What a producer sent, what came of it, and how long each took."""

    def __init__(self, name, idempotent):
        self.name = name
        self.idempotent = idempotent
        self.sent = 0
        self.acked = {}     # sequence -> (partition, offset)
        self.took = []      # (when, seconds)
        self.failed = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        try:
            self.run()
        except Exception as error:      # noqa: BLE001  told by the test
            self.failed.append(repr(error))

    def value(self):
        """The next record's partition, sequence and bytes."""
        sequence = self.sent
        self.sent += 1
        return sequence % PARTITIONS, sequence, f"{self.name}/{sequence}".encode()

    def done(self, sequence, began, partition, offset):
        now = time.monotonic()
        self.took.append((now, now - began))
        self.acked[sequence] = (partition, offset)

    def percentile(self, share, since, until):
        """Milliseconds within which SHARE of the records sent then were acknowledged."""
        took = sorted(s for when, s in self.took if since <= when < until)
        return 1000 * took[min(len(took) - 1, int(len(took) * share))] if took else 0.0


class Librdkafka(Load):
    """confluent-kafka, as it comes or idempotent."""

    def __init__(self, name, bootstrap, **config):
        super().__init__(name, config.get("enable.idempotence", False))
        self.producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0, **config})

    def run(self):
        while not self.stopping.is_set():
            partition, sequence, data = self.value()
            began = time.monotonic()

            def on_delivery(error, message, sequence=sequence, began=began):
                if error:
                    self.failed.append(f"{sequence}: {error}")
                else:
                    self.done(sequence, began, message.partition(), message.offset())
            self.producer.produce(TOPIC, data, partition=partition, on_delivery=on_delivery)
            self.producer.poll(INTERVAL_S)
        if self.producer.flush(LIMIT_S):
            self.failed.append("records neither acknowledged nor failed")


class KafkaPython(Load):
    """kafka-python, as it comes."""

    def __init__(self, name, bootstrap):
        super().__init__(name, idempotent=False)
        self.producer = KafkaProducer(bootstrap_servers=bootstrap.split(","))

    def run(self):
        while not self.stopping.is_set():
            partition, sequence, data = self.value()
            began = time.monotonic()
            future = self.producer.send(TOPIC, data, partition=partition)
            future.add_callback(lambda where, sequence=sequence, began=began: self.done(
                sequence, began, where.partition, where.offset))
            future.add_errback(lambda error, sequence=sequence: self.failed.append(
                f"{sequence}: {error!r}"))
            time.sleep(INTERVAL_S)
        self.producer.flush(LIMIT_S)
        self.producer.close(LIMIT_S)


class Program(Load):
    """A client of tests/interop: records come on its standard input, slowly, and what
    became of each is told at the end. In a language that says nothing, its default."""

    def __init__(self, client, bootstrap):
        super().__init__(client.name, idempotent=True)
        self.process = subprocess.Popen(
            client.command + ["produce", "--bootstrap", bootstrap, "--topic", TOPIC],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True)

    def run(self):
        while not self.stopping.is_set():
            partition, _, data = self.value()
            self.process.stdin.write(json.dumps({
                "key": None, "value": base64.b64encode(data).decode(), "headers": [],
                "partition": partition}) + "\n")
            self.process.stdin.flush()
            time.sleep(INTERVAL_S)
        out, _ = self.process.communicate(timeout=LIMIT_S)
        lines = [json.loads(line) for line in out.splitlines()]
        self.failed += [str(line) for line in lines if "error" in line]
        for sequence, line in enumerate(line for line in lines if "offset" in line):
            self.acked[line.get("index", sequence)] = (line["partition"], line["offset"])
        if self.process.returncode:
            self.failed.append(f"exit {self.process.returncode}")


class Agents:
    """The agents of a Cluster, and those that take their places."""

    def __init__(self, cluster):
        self.cluster = cluster
        state = json.loads((cluster.directory / "cluster.json").read_text())
        self.words = state["processes"]["agent-1"]["argv"]
        self.started = []

    def start(self):
        """One more, ready: its process."""
        kafka, admin = free_ports(2)
        new = {"--listen": f"127.0.0.1:{kafka}", "--advertise": f"127.0.0.1:{kafka}",
               "--admin-listen": f"127.0.0.1:{admin}"}
        words = [word for word in self.words if word.split("=")[0] not in new]
        words += [f"{name}={value}" for name, value in new.items()]
        log = self.cluster.directory / "logs" / f"new-{len(self.started) + 1}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen(words, stdout=out, stderr=out)
        self.started.append(process)
        until = time.monotonic() + LIMIT_S
        while b'msg="ready"' not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.02)
        return process

    def end(self):
        for process in self.started:
            if process.poll() is None:
                process.terminate()
        for process in self.started:
            process.wait(EXIT_LIMIT_S)


def open_topic(bootstrap):
    """A consumer and all partitions from the beginning."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused",
                         "enable.auto.commit": False, "log_level": 0})
    return consumer, [TopicPartition(TOPIC, p, 0) for p in range(PARTITIONS)]


def await_first_records(bootstrap, loads):
    """A program takes its time to start, and must know the first agents by then."""
    consumer, parts = open_topic(bootstrap)
    consumer.assign(parts)
    missing = {f"{load.name}/0".encode() for load in loads}
    until = time.monotonic() + LIMIT_S
    while missing:
        assert time.monotonic() < until, f"{missing} never came"
        missing -= {m.value() for m in consumer.consume(1000, 0.2) if m.error() is None}
    consumer.close()


def read_all(bootstrap):
    """{value: [(partition, offset)]} of the whole topic."""
    consumer, parts = open_topic(bootstrap)
    ends = {p.partition: consumer.get_watermark_offsets(p, timeout=LIMIT_S)[1] for p in parts}
    consumer.assign(parts)
    found, left = {}, sum(ends.values())
    until = time.monotonic() + LIMIT_S
    while left > 0:
        assert time.monotonic() < until, f"{left} records are not there to be read"
        for message in consumer.consume(1000, 1):
            if message.error() is None:
                found.setdefault(message.value(), []).append(
                    (message.partition(), message.offset()))
                left -= 1
    consumer.close()
    return found


def drain_ms(log):
    """From SIGTERM until all that was open is committed and answered, by an agent's LOG."""
    at = [datetime.datetime.fromisoformat(line.split()[0]) for message in ("draining", "drained")
          for line in log.splitlines() if f'msg="{message}"' in line]
    assert len(at) == 2, log
    return (at[1] - at[0]).total_seconds() * 1000


def judge(load, found):
    """Nothing failed, is missing, or (of an idempotent producer) there twice."""
    assert not load.failed, f"{load.name}: {load.failed[:3]} ({len(load.failed)})"
    assert len(load.acked) == load.sent, f"{load.name}: {load.sent} sent, {len(load.acked)} acked"
    doubled = 0
    for sequence, where in load.acked.items():
        places = found.get(f"{load.name}/{sequence}".encode(), [])
        assert where in places, f"{load.name}/{sequence} is not at {where} but {places}"
        doubled += len(places) - 1
    assert doubled == 0 or not load.idempotent, f"{load.name}: {doubled} records doubled"
    return doubled


def test_all_agents_are_replaced_under_load(new_cluster):
    cluster = new_cluster(agents=AGENTS, target="weft", agent_set={"zone": ""})
    agents = Agents(cluster)
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(LIMIT_S)
    loads = [Librdkafka("librdkafka", cluster.bootstrap),
             Librdkafka("librdkafka-idempotent", cluster.bootstrap,
                        **{"enable.idempotence": True}),
             KafkaPython("kafka-python", cluster.bootstrap), Program(JAVA, cluster.bootstrap)]
    for load in loads:
        load.thread.start()
    try:
        await_first_records(cluster.bootstrap, loads)
        time.sleep(STEADY_S)    # so that there is a time before to compare with
        began = time.monotonic()
        drains = []
        for i in range(1, AGENTS + 1):
            agents.start()
            cluster.stop(f"agent-{i}")
            drains.append(drain_ms(cluster.logs(f"agent-{i}")))
            time.sleep(1)
        over = time.monotonic()
        time.sleep(1)
        for load in loads:
            load.stopping.set()
        for load in loads:
            load.thread.join(LIMIT_S)
            assert not load.thread.is_alive(), f"{load.name} does not end"
        address = next(word.split("=")[1] for word in agents.started[0].args
                       if word.startswith("--listen="))
        found = read_all(address)
        print(f"\nrolling: {AGENTS} agents in {over - began:.1f} s, "
              f"an agent drained in {max(drains):.0f} ms at most")
        for load in loads:
            doubled = judge(load, found)
            line = f"rolling: {load.name}: {load.sent} records, {doubled} doubled"
            if load.took:
                line += ", p50/p99/max ms before " + "/".join(
                    f"{load.percentile(q, 0, began):.0f}" for q in (0.5, 0.99, 1)) \
                    + ", during " + "/".join(
                        f"{load.percentile(q, began, over):.0f}" for q in (0.5, 0.99, 1))
            print(line)
    finally:
        for load in loads:
            load.stopping.set()
        agents.end()


def weft(cluster, *words):
    """What `weft` prints, as an operator."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    env |= {"WEFT_SERVER": cluster.control_plane, "WEFT_CA_FILE": cluster.ca_file,
            "WEFT_TOKEN": cluster.admin_token, "WEFT_CONFIG": str(cluster.directory / "none")}
    done = subprocess.run([BUILD / "weft", *words], env=env, capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def brokers(address):
    """Whom the agent at ADDRESS tells clients of."""
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    found = admin.list_topics(timeout=LIMIT_S).brokers.values()
    return {f"{broker.host}:{broker.port}" for broker in found}


def await_brokers(address, expected):
    until = time.monotonic() + LIMIT_S
    while brokers(address) != expected:
        assert time.monotonic() < until, brokers(address)
        time.sleep(0.1)


def test_an_agent_is_drained_and_taken_back(new_cluster):
    """Drained, it is in nobody's metadata, and serves who is connected; resumed, it is
    back; ended, it is forgotten at once."""
    cluster = new_cluster(agents=2, target="weft", agent_set={"zone": ""})
    first, second = cluster.bootstraps
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(LIMIT_S)
    # It has connections to both, and does not ask again for five minutes.
    load = Librdkafka("stays", cluster.bootstrap)
    load.thread.start()
    try:
        await_first_records(cluster.bootstrap, [load])
        assert "draining" in weft(cluster, "agent", "drain", first, "--wait")
        await_brokers(second, {second})
        acked = len(load.acked)
        until = time.monotonic() + LIMIT_S
        while len(load.acked) < acked + 100:
            assert not load.failed and time.monotonic() < until, load.failed
            time.sleep(0.1)
        weft(cluster, "agent", "resume", first, "--wait")
        await_brokers(second, {first, second})
        weft(cluster, "agent", "drain", first, "--wait")
        cluster.stop("agent-1")
        assert first.split(":")[1] not in weft(cluster, "agent", "list")
    finally:
        load.stopping.set()
        load.thread.join(LIMIT_S)
    judge(load, read_all(second))
