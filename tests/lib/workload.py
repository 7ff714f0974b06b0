"""Producers and readers that go on while a test breaks things, told to a Checker.

    with Workload(cluster) as load:
        load.start()
        ... kill, start ...
        load.wait_progress("what was just done")
    load.finish()       # lets producers end, reads everything twice, judges

Producers are librdkafka's (confluent-kafka): idempotent and not, acks all, endless
retries, each bound to one zone or to none.  A live reader follows all partitions by raw
requests, a fetch through each agent in turn.  The whole topic is read at the end once
through each agent.
"""

import random
import sys
import threading
import time

from checker import Checker, Violation
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from records import parse
from wire import Closed, Wire

PROGRESS_LIMIT_S = 60
READ_LIMIT_S = 120
# What a reader may be told while agents and control plane come and go: nothing is known
# of the offset now, the object is not readable now, ask again.
PASSING_ERRORS = {3, 6, 7, 56, 78}


def retry(what, limit_s=30):
    """What WHAT() returns, tried again while Kafka or the connection says no."""
    until = time.monotonic() + limit_s
    while True:
        try:
            return what()
        except (KafkaException, OSError, Closed) as error:
            if time.monotonic() > until:
                raise Violation(f"{what}: still failing after {limit_s} s") from error
            time.sleep(0.1)


class LoadProducer:
    """One producer in a thread of its own.

    Sends BURST records, each to the next partition, every INTERVAL_S."""

    def __init__(self, load, name, idempotent, zone=None, timeout_ms=0, **config):
        self.load = load
        self.name = name
        self.must_succeed = timeout_ms == 0
        self.produced_since = None
        self.acked_since = threading.Event()
        self.lock = threading.Lock()
        self.fatal = None
        settings = {
            "bootstrap.servers": load.cluster.bootstrap, "acks": "all",
            "client.id": name + (f",zone={zone}" if zone else ""),
            "enable.idempotence": idempotent, "linger.ms": 3,
            "message.timeout.ms": timeout_ms, "retry.backoff.ms": 30,
            "retry.backoff.max.ms": 300, "reconnect.backoff.ms": 20,
            "reconnect.backoff.max.ms": 200, "topic.metadata.refresh.fast.interval.ms": 50,
            "error_cb": self._on_error, "log_level": 0, **config}
        self.producer = Producer(settings)
        load.checker.add_producer(name, idempotent)
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _on_error(self, error):
        if error.fatal() or error.code() == KafkaError._FATAL:
            self._fail(f"{self.name}: fatal: {error}")

    def _fail(self, text):
        if self.fatal is None:
            self.fatal = text
            self.load.checker.must_not_fail(text)

    def _run(self):
        try:
            self._go_on()
            # Whoever must succeed is given the time to.
            left = self.producer.flush(self.load.flush_limit_s)
            if left:
                self._fail(f"{self.name}: {left} records neither acknowledged nor failed")
        except:     # noqa: E722  the library raises its errors as what is no exception
            self._fail(f"{self.name}: {sys.exc_info()[1]!r}")

    def _go_on(self):
        partition = self.load.random.randrange(self.load.partitions)
        while not self.load.stopping.is_set() and self.fatal is None:
            for _ in range(self.load.burst):
                partition = (partition + 1) % self.load.partitions
                self._produce(partition)
            self.producer.poll(self.load.interval_s)

    def _produce(self, partition):
        sequence, data = self.load.checker.next_value(self.name, partition)
        with self.lock:
            fresh = self.produced_since
        def on_delivery(error, message):
            self._on_delivery(error, message, partition, sequence, fresh)
        while not self.load.aborting.is_set():
            try:
                self.producer.produce(self.load.topic, data, partition=partition,
                                      on_delivery=on_delivery)
                return
            except BufferError:
                self.producer.poll(0.1)

    def _on_delivery(self, error, message, partition, sequence, fresh):
        if error is None:
            self.load.checker.acked(self.name, partition, sequence, message.offset())
            if fresh is not None and fresh is self.produced_since:
                self.acked_since.set()
            return
        self.load.checker.failed(self.name, partition, sequence, error)
        if self.must_succeed and not self.load.aborting.is_set():
            self._fail(f"{self.name}/{partition}/{sequence}: {error}")

    def begin_progress(self):
        """From here on, the acknowledgement of a record sent from now on counts."""
        with self.lock:
            self.acked_since.clear()
            self.produced_since = object()


class LiveReader:
    """Follows all partitions, fetching from each agent in turn over raw connections."""

    def __init__(self, load, name):
        self.load = load
        self.name = name
        self.offsets = dict.fromkeys(range(load.partitions), 0)
        self.wires = {}
        self.records = 0
        self.refusals = {}      # Kafka's error -> how often
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self):
        turn = 0
        while not self.load.reading_over.is_set():
            addresses = self.load.cluster.bootstraps
            turn += 1
            address = addresses[turn % len(addresses)]
            try:
                self._fetch(address)
            except (OSError, Closed):
                wire = self.wires.pop(address, None)
                if wire:
                    wire.close()
                self.load.reading_over.wait(0.02)
        for wire in self.wires.values():
            wire.close()

    def _fetch(self, address):
        if address not in self.wires:
            self.wires[address] = Wire(address, timeout_s=30)
        answer = self.wires[address].call(
            "Fetch", 11, replica_id=-1, max_wait_ms=100, min_bytes=1, max_bytes=4 << 20,
            session_epoch=-1, rack="", topics=[{"name": self.load.topic, "partitions": [
                {"partition": p, "leader_epoch": -1, "offset": offset, "log_start": -1,
                 "max_bytes": 1 << 20} for p, offset in self.offsets.items()]}])
        for topic in answer["topics"]:
            for found in topic["partitions"]:
                self._take(found, address)

    def _take(self, found, address):
        partition, checker = found["partition"], self.load.checker
        if found["error"]:
            self.refusals[found["error"]] = self.refusals.get(found["error"], 0) + 1
            if found["error"] not in PASSING_ERRORS:
                checker.must_not_fail(f"{self.name}: partition {partition} offset "
                                      f"{self.offsets[partition]}: error {found['error']}")
            return
        # An agent hears of the others' commits by its watch, a moment after the agent that
        # made them: what it tells must not go back against itself, and must never be below
        # what this reader has already read, through whomever.
        high = found["high_watermark"]
        checker.watermark(f"{self.name} at {address}", partition, high)
        if high < self.offsets[partition]:
            checker.watermark_below(self.name, partition, high, self.offsets[partition])
        for batch in parse(found["records"] or b""):
            if not batch["crc_good"]:
                checker.must_not_fail(f"{self.name}: partition {partition} offset "
                                      f"{batch['base_offset']}: bad checksum")
            for i, data in enumerate(batch["values"]):
                offset = batch["base_offset"] + i
                if offset < self.offsets[partition]:
                    continue    # the batch that holds the offset is given whole
                if offset > self.offsets[partition]:
                    checker.must_not_fail(f"{self.name}: partition {partition}: offset "
                                          f"{offset} after {self.offsets[partition] - 1}")
                checker.read(partition, offset, data)
                self.offsets[partition] = offset + 1
                self.records += 1


class Workload:
    """The producers, the live reader and the checker of one topic of a CLUSTER."""

    def __init__(self, cluster, topic="load", partitions=4, seed=0, burst=1,
                 interval_s=0.02, checker=None):
        self.cluster = cluster
        self.topic = topic
        self.partitions = partitions
        self.random = random.Random(f"{seed}/workload")
        self.burst = burst
        self.interval_s = interval_s
        self.checker = checker or Checker()
        self.stopping = threading.Event()
        self.aborting = threading.Event()
        self.reading_over = threading.Event()
        self.flush_limit_s = PROGRESS_LIMIT_S
        self.producers = []
        self.readers = []

    def add_producer(self, name, idempotent, **options):
        self.producers.append(LoadProducer(self, name, idempotent, **options))
        return self.producers[-1]

    def add_default_producers(self):
        """Idempotent ones through each agent and any, and one that is not."""
        self.add_producer("idem-1", True, zone="zone-1")
        self.add_producer("idem-2", True, zone="zone-2")
        self.add_producer("idem-any", True)
        self.add_producer("plain", False)
        return self

    def start(self):
        """Make the topic, begin to produce and to read."""
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap, "log_level": 0})
        retry(lambda: [f.result(30) for f in admin.create_topics(
            [NewTopic(self.topic, self.partitions, 1)]).values()])
        self.readers.append(LiveReader(self, "reader"))
        for part in self.producers + self.readers:
            part.thread.start()
        return self

    def wait_progress(self, context, limit_s=PROGRESS_LIMIT_S):
        """Return when each producer got a record acknowledged that it sent after this
        call; raise Violation when one does not, or something wrong was seen."""
        for producer in self.producers:
            producer.begin_progress()
        until = time.monotonic() + limit_s
        for producer in self.producers:
            while not producer.acked_since.wait(0.05):
                self.checker.assert_clean(context)
                if time.monotonic() > until:
                    self.checker.must_not_fail(f"{producer.name} got nothing acknowledged "
                                               f"for {limit_s} s")
        self.checker.assert_clean(context)

    def stop_producers(self):
        self.stopping.set()
        for producer in self.producers:
            producer.thread.join(PROGRESS_LIMIT_S + 10)

    def read_all(self, zone=None, limit_s=READ_LIMIT_S):
        """The whole topic, through the agents of ZONE: {partition: [(offset, value)]}."""
        consumer = Consumer({
            "bootstrap.servers": self.cluster.bootstrap, "group.id": "checker",
            "client.id": "checker" + (f",zone={zone}" if zone else ""),
            "enable.auto.commit": False, "check.crcs": True, "log_level": 0,
            "auto.offset.reset": "error", "fetch.wait.max.ms": 100})
        try:
            ends = {p: retry(lambda p=p: consumer.get_watermark_offsets(
                TopicPartition(self.topic, p), timeout=10)) for p in range(self.partitions)}
            consumer.assign([TopicPartition(self.topic, p, ends[p][0]) for p in ends])
            rows = {p: [] for p in ends}
            until = time.monotonic() + limit_s
            while any((rows[p][-1][0] + 1 if rows[p] else ends[p][0]) < ends[p][1]
                      for p in ends):
                for message in consumer.consume(5000, 0.2):
                    if message.error() is None:
                        rows[message.partition()].append((message.offset(),
                                                          message.value()))
                if time.monotonic() > until:
                    missing = {p: (len(rows[p]), ends[p]) for p in ends}
                    self.checker.must_not_fail(
                        f"reading through {zone or 'any zone'} does not end: read and "
                        f"watermarks by partition: {missing}")
                    break
            return rows
        finally:
            consumer.close()

    def finish(self, zones=("zone-1", "zone-2"), context="at the end",
               read_limit_s=READ_LIMIT_S):
        """End the producers, read everything through each of ZONES, judge it all."""
        self.stop_producers()
        readings = [self.read_all(zone, read_limit_s) for zone in zones]
        self.close()
        for reading in readings:
            self.checker.verify(reading)
        for other in readings[1:]:
            self.checker.compare(readings[0], other)
        self.checker.assert_clean(context)
        return readings[0]

    def close(self):
        self.aborting.set()
        self.stopping.set()
        self.reading_over.set()
        for part in self.producers + self.readers:
            if part.thread.is_alive():
                part.thread.join(10)
        for producer in self.producers:
            producer.producer.purge()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
