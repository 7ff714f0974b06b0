"""Members of one group in programs of several libraries, under load, and their checker.

    with GroupRun(bootstrap, topic, partitions=50) as run:
        first = run.start(JAVA_RANGE, 5)
        run.settle("five members join")
        run.kill(first)
        run.finish()

A program (tests/interop, command line in its README) runs many members and prints what
happens to each; a Program here is one such process. All that members say goes to a
GroupChecker.
"""

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient, NewTopic

from checker import Violation
from clients import BUILD, PYTHON, SOURCES
from group_checker import GroupChecker

SETTLE_LIMIT_S = 45
RECORDS_PER_S = 1500
SESSION_MS = 6000

_serial = itertools.count(1)


@dataclass(frozen=True)
class Kind:
    """A library and the protocol that its members speak."""

    name: str
    command: tuple
    protocol: str

    def __repr__(self):
        return self.name


_JAVA = ("java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
         f"{BUILD}/java/classes:{BUILD}/java/lib/*", "GroupMembers")
_CONFLUENT = (PYTHON, SOURCES / "python" / "group_confluent.py")
_FRANZ = (BUILD / "go" / "client", "group")

JAVA_RANGE = Kind("java-range", _JAVA, "range")
JAVA_COOPERATIVE = Kind("java-cooperative", _JAVA, "cooperative")
JAVA_CONSUMER = Kind("java-consumer", _JAVA, "consumer")
CONFLUENT_RANGE = Kind("confluent-range", _CONFLUENT, "range")
CONFLUENT_COOPERATIVE = Kind("confluent-cooperative", _CONFLUENT, "cooperative")
CONFLUENT_CONSUMER = Kind("confluent-consumer", _CONFLUENT, "consumer")
FRANZ_RANGE = Kind("franz-go-range", _FRANZ, "range")
FRANZ_COOPERATIVE = Kind("franz-go-cooperative", _FRANZ, "cooperative")
SARAMA = Kind("sarama", (BUILD / "go" / "client", "group-sarama"), "range")
KAFKAJS = Kind("kafkajs", ("/usr/bin/node", BUILD / "node" / "group.js"), "range")
KAFKA_PYTHON = Kind("kafka-python", (PYTHON, SOURCES / "python" / "group_kafka_python.py"),
                    "range")
AIOKAFKA = Kind("aiokafka", (PYTHON, SOURCES / "python" / "group_aiokafka.py"), "range")

KINDS = (JAVA_RANGE, JAVA_COOPERATIVE, JAVA_CONSUMER, CONFLUENT_RANGE, CONFLUENT_COOPERATIVE,
         CONFLUENT_CONSUMER, FRANZ_RANGE, FRANZ_COOPERATIVE, SARAMA, KAFKAJS, KAFKA_PYTHON,
         AIOKAFKA)


class Program:
    """One process with the members NAMES."""

    def __init__(self, run, kind, names):
        self.run = run
        self.kind = kind
        self.names = list(names)
        words = [*map(str, kind.command), "--bootstrap", run.bootstrap, "--topic", run.topic,
                 "--group", run.group, "--members", ",".join(names),
                 "--protocol", kind.protocol, "--session-ms", str(run.session_ms)]
        self.errors = b""
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.threads = [threading.Thread(target=self._read, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()

    def _read(self):
        for text in self.process.stdout:
            try:
                line = json.loads(text)
            except ValueError:
                continue    # half a line of one who was killed
            kind, member, at = line.pop("event"), line.pop("member"), line.pop("at")
            if kind != "closed":
                self.run.checker.told(member, kind, at, **line)

    def _read_errors(self):
        self.errors = self.process.stderr.read()

    def tell(self, text):
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def drain(self):
        """Wait until everything was told that an ended process has printed."""
        for thread in self.threads:
            thread.join(20)


class GroupRun:
    """A topic, a producer that never rests, one group, its programs and its checker.

    bootstrap    for clients; CONTROL, if not the same, for what the test itself does
    """

    def __init__(self, bootstrap, topic, partitions=50, control=None, group=None,
                 session_ms=SESSION_MS):
        self.bootstrap = bootstrap
        self.control = control or bootstrap
        self.topic = topic
        self.group = group or f"group of {topic}"
        self.partitions = partitions
        self.session_ms = session_ms
        self.checker = GroupChecker(partitions)
        self.programs = []
        self.times = {}
        self.stopping = threading.Event()
        self.sent = 0
        self.load = threading.Thread(target=self._produce, daemon=True)

    def __enter__(self):
        admin = AdminClient({"bootstrap.servers": self.control, "log_level": 0})
        for future in admin.create_topics([NewTopic(self.topic, self.partitions, 1)]).values():
            future.result(30)
        self.admin = admin
        self.load.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for program in self.programs:
            if program.process.poll() is None:
                program.process.kill()
            program.process.wait()
            program.drain()
        self.load.join(30)

    def _produce(self):
        producer = Producer({"bootstrap.servers": self.control, "linger.ms": 20,
                             "log_level": 0, "delivery.timeout.ms": 120_000})
        number = 0
        while not self.stopping.is_set():
            for _ in range(RECORDS_PER_S // 20):
                producer.produce(self.topic, b"%d" % number,
                                 partition=number % self.partitions)
                number += 1
            producer.poll(0)
            self.stopping.wait(0.05)
        producer.flush(60)
        self.sent = number

    # -- members --

    def live(self):
        """The names of all members that should be in the group."""
        return [name for program in self.programs for name in program.names]

    def start(self, kind, count):
        """COUNT further members in a process of their own."""
        names = [f"{kind.name}-{next(_serial)}" for _ in range(count)]
        self.programs.append(Program(self, kind, names))
        return self.programs[-1]

    def add(self, program):
        """One more member in PROGRAM."""
        name = f"{program.kind.name}-{next(_serial)}"
        program.names.append(name)
        program.tell(f"add {name}")

    def leave(self, program, count=1):
        """COUNT members of PROGRAM leave in good order."""
        for _ in range(count):
            program.tell(f"close {program.names.pop()}")

    def kill(self, program):
        """kill -9; what it had printed is still read."""
        at = time.monotonic()
        for name in program.names:
            self.checker.paused(name, at)
        program.process.kill()
        program.process.wait()
        program.drain()
        self.programs.remove(program)
        for name in program.names:
            self.checker.dead(name)

    def pause(self, program):
        """SIGSTOP all members of PROGRAM; settle() then does not wait for them."""
        for name in program.names:
            self.checker.paused(name)
        os.kill(program.process.pid, signal.SIGSTOP)
        self.programs.remove(program)

    def resume(self, program):
        self.programs.append(program)
        os.kill(program.process.pid, signal.SIGCONT)

    def settle(self, what, since=None, limit_s=SETTLE_LIMIT_S):
        """Wait until all live members share the topic; the seconds that this took."""
        since = time.monotonic() if since is None else since
        try:
            took = self.checker.wait_settled(self.live(), since, limit_s)
        except Violation as error:
            told = b"".join(program.errors for program in self.programs)
            raise Violation(f"{what}: {error}\n{told.decode(errors='replace')}") from error
        self.times[what] = took
        return took

    # -- the end --

    def ends(self):
        """The end of each partition, as the server says."""
        consumer = Consumer({"bootstrap.servers": self.control, "group.id": "ends",
                             "log_level": 0})
        try:
            return {p: consumer.get_watermark_offsets(TopicPartition(self.topic, p),
                                                      timeout=20)[1]
                    for p in range(self.partitions)}
        finally:
            consumer.close()

    def committed(self):
        """What the group has committed, by partition."""
        asked = ConsumerGroupTopicPartitions(
            self.group, [TopicPartition(self.topic, p) for p in range(self.partitions)])
        for _ in range(10):
            try:
                found = self.admin.list_consumer_group_offsets([asked])[self.group].result(20)
                return {p.partition: p.offset for p in found.topic_partitions}
            except KafkaException as error:
                last = error
                time.sleep(0.5)
        raise Violation(f"the group's offsets: {last}")

    def finish(self, context=""):
        """End the load, have everything read, close all members, judge."""
        self.stopping.set()
        self.load.join(90)
        ends = self.ends()
        if sum(ends.values()) < self.sent:
            raise Violation(f"{self.sent} sent, {sum(ends.values())} there")
        self.checker.wait_covered(ends, SETTLE_LIMIT_S)
        for program in self.programs:
            program.process.stdin.close()
        for program in self.programs:
            program.process.wait(SETTLE_LIMIT_S)
            program.drain()
        self.checker.verify(ends, self.committed())
        times = ", ".join(f"{what} {took:.2f} s" for what, took in self.times.items())
        print(f"{self.topic}: {sum(ends.values())} records; {times}")
        self.checker.assert_clean(context or self.topic)
