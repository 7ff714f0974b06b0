"""Golden frames of real clients: each works through the recording proxy; see make.py.

The frames of one client are kept up to FRAMES_EACH per api, version and direction, the
first ones of different length, and none larger than FRAME_LIMIT.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lib"))

from clients import ALL, BUILD, CONSUMERS, PYTHON, ClientError  # noqa: E402
from kafka_broker import KafkaBroker  # noqa: E402
from kafka_proxy import KafkaProxy  # noqa: E402
from wire import KEYS  # noqa: E402

FRAMES_EACH = 2
FRAME_LIMIT = 20_000
NAMES = {key: name for name, key in KEYS.items()}
# What groups and administrators add, captured apart from the rest.
GROUP_NAMES = {
    8: "OffsetCommit", 9: "OffsetFetch", 11: "JoinGroup", 12: "Heartbeat", 13: "LeaveGroup",
    14: "SyncGroup", 15: "DescribeGroups", 16: "ListGroups", 21: "DeleteRecords",
    34: "AlterReplicaLogDirs", 35: "DescribeLogDirs", 42: "DeleteGroups", 43: "ElectLeaders",
    45: "AlterPartitionReassignments", 46: "ListPartitionReassignments", 47: "OffsetDelete",
    48: "DescribeClientQuotas", 49: "AlterClientQuotas", 55: "DescribeQuorum",
    57: "UpdateFeatures", 61: "DescribeProducers", 68: "ConsumerGroupHeartbeat",
    69: "ConsumerGroupDescribe", 74: "ListConfigResources"}
GROUP_FRAMES_EACH = 3
NOON_MS = 1_700_000_000_000


class Recorder:
    """Stores what passes through the proxy.  A response follows its request's fate."""

    def __init__(self, source, names=NAMES, frames_each=FRAMES_EACH):
        self.names = names
        self.frames_each = frames_each
        self.source = source.replace("-", "_")
        self.lengths = {}
        self.pending = {}

    def __call__(self, api_key, version, direction, frame):
        if api_key not in self.names:
            return
        group = (api_key, version)
        if direction == "request":
            known = self.lengths.setdefault(group, set())
            if len(known) < self.frames_each and len(frame) <= FRAME_LIMIT \
                    and len(frame) not in known:
                known.add(len(frame))
                self.pending[group, frame[4:8]] = (len(known), frame)
                if api_key == KEYS["Produce"]:
                    self.store(group, "request", len(known), frame)
            return
        index, request = self.pending.pop((group, frame[:4]), (0, b""))
        if index and len(frame) <= FRAME_LIMIT:
            self.store(group, "request", index, request)
            self.store(group, "response", index, frame)

    def store(self, group, direction, index, frame):
        folder = HERE / self.names[group[0]]
        folder.mkdir(exist_ok=True)
        name = f"v{group[1]}-{direction}-{self.source}-{index}.bin"
        (folder / name).write_bytes(frame)


def attempt(call, *arguments, **named):
    """What a client refuses to do, or is refused, is no concern here."""
    try:
        call(*arguments, **named)
    except ClientError:
        pass


def exercise(client, bootstrap):
    """Have CLIENT do everything it can with a topic."""
    topic = "by-" + client.name
    admin = client.admin_level != "read"
    if admin:
        attempt(client.admin, bootstrap, "create", topic=topic, partitions=2,
                config={"retention.ms": "86400000"})
        attempt(client.admin, bootstrap, "create", topic="bad name!", partitions=1,
                set={"retries": 1} if client.name == "kafkajs" else {})
    records = [{"key": b"key-%d" % i, "value": b"value %d" % i, "headers": [("h", b"x")],
                "partition": 0, "timestamp": NOON_MS + i} for i in range(30)]
    for codec in client.codecs:
        attempt(client.produce, bootstrap, topic, records, codec=codec)
    if client.full and client.name != "kafkajs":
        attempt(client.produce, bootstrap, topic, records, idempotent="true")
    attempt(client.produce, bootstrap, topic, records[:3], acks="0",
            idempotent="false" if client.full else None)
    if client in CONSUMERS:
        attempt(client.consume, bootstrap, topic, 60)
    for timestamp in (-1, -2, NOON_MS):
        attempt(client.offsets, bootstrap, topic, timestamp)
    for operation in ("list", "describe", "cluster"):
        attempt(client.admin, bootstrap, operation, topic=topic)
    if admin:
        attempt(client.admin, bootstrap, "configs", topic=topic)
        attempt(client.admin, bootstrap, "alter", topic=topic,
                config={"retention.ms": "1000000"})
        attempt(client.admin, bootstrap, "partitions", topic=topic, count=3)
        attempt(client.admin, bootstrap, "delete", topic=topic)


def remove(names, source):
    """The frames that SOURCE left of the APIs of NAMES."""
    for name in names.values():
        for path in HERE.glob(f"{name}/*-{source}-*.bin"):
            path.unlink()


def group_commands(java):
    """The programs that take part in groups, by source; they get the bootstrap server."""
    program = [PYTHON, HERE / "group_members.py"]
    return {"java": [*java, "GroupMember"],
            "kafkajs": ["/usr/bin/node", HERE / "group_members.js"],
            **{name: [*program, name] for name in ("confluent", "kafka_python", "aiokafka")}}


def capture_groups(java, wanted):
    """Have the clients WANTED, or all, take part in groups and administrate them."""
    environment = {**os.environ, "NODE_PATH": str(BUILD / "node" / "node_modules")}
    with KafkaBroker(config={"broker.rack": "rack-1"}) as kafka:
        for source, command in group_commands(java).items():
            if wanted and source not in wanted:
                continue
            remove(GROUP_NAMES, source)
            recorder = Recorder(source, GROUP_NAMES, GROUP_FRAMES_EACH)
            with KafkaProxy(kafka.bootstrap, record=recorder) as proxy:
                subprocess.run([*command, proxy.bootstrap], check=True, env=environment)


def capture():
    with KafkaBroker() as kafka:
        for client in ALL:
            recorder = Recorder(client.name)
            remove(NAMES, recorder.source)
            with KafkaProxy(kafka.bootstrap, record=recorder) as proxy:
                exercise(client, proxy.bootstrap)
