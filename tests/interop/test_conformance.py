"""What the server answers to requests that no client library sends, or sends seldom.

Every expected value here was proven against a real Apache Kafka 4.2.1 (--target kafka);
Weft must answer the same, but for three that only a walk over the records could find; they
say so.  Requests go out raw, through tests/lib/wire.py, and where there
is more than one broker the follow-up goes to another one than the first request.
"""

import struct
import time

import pytest

import records
from records import CODECS, CONTROL, LOG_APPEND_TIME, TRANSACTIONAL, batch
from wire import KEYS, Closed, Wire, new_uuid, request

NOON_MS = 1_700_000_000_000
NOW_MS = int(time.time() * 1000)
LATEST, EARLIEST, MAX_TIMESTAMP = -1, -2, -3
TOPIC, BROKER = 2, 4

NONE = 0
OFFSET_OUT_OF_RANGE = 1
CORRUPT_MESSAGE = 2
UNKNOWN_TOPIC_OR_PARTITION = 3
LEADER_NOT_AVAILABLE = 5
MESSAGE_TOO_LARGE = 10
INVALID_TOPIC = 17
INVALID_REQUIRED_ACKS = 21
INVALID_TIMESTAMP = 32
UNSUPPORTED_VERSION = 35
TOPIC_ALREADY_EXISTS = 36
INVALID_PARTITIONS = 37
INVALID_REPLICATION_FACTOR = 38
INVALID_REPLICA_ASSIGNMENT = 39
INVALID_CONFIG = 40
INVALID_REQUEST = 42
OUT_OF_ORDER_SEQUENCE = 45
INVALID_PRODUCER_EPOCH = 47
TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
FETCH_SESSION_ID_NOT_FOUND = 70
UNKNOWN_LEADER_EPOCH = 75
UNSUPPORTED_COMPRESSION_TYPE = 76
INVALID_RECORD = 87
UNKNOWN_TOPIC_ID = 100

# What a server that has these APIs must advertise, Produce from 0 though 0-2 are not
# served (old librdkafka would not compress otherwise).
ADVERTISED = {
    "Produce": (0, 13), "Fetch": (4, 18), "ListOffsets": (1, 11), "Metadata": (0, 13),
    "ApiVersions": (0, 4), "CreateTopics": (2, 7), "DeleteTopics": (1, 6),
    "InitProducerId": (0, 5), "OffsetForLeaderEpoch": (2, 4), "DescribeConfigs": (1, 4),
    "AlterConfigs": (0, 2), "CreatePartitions": (0, 3), "IncrementalAlterConfigs": (0, 1),
    "DescribeCluster": (0, 2), "DescribeTopicPartitions": (0, 0),
    "FindCoordinator": (0, 6)}


@pytest.fixture
def wire(cluster):
    """A connection to the first broker."""
    with Wire(cluster.bootstraps[0]) as connection:
        yield connection


@pytest.fixture
def other(cluster):
    """A connection to another broker, if there is one."""
    with Wire(cluster.bootstraps[-1]) as connection:
        yield connection


def create_error(wire, name, partitions=1, replication=-1, version=4, assignments=(),
                 validate_only=False, configs=None):
    """The error of a CreateTopics request for one topic."""
    answer = wire.call(
        "CreateTopics", version, timeout_ms=30_000, validate_only=validate_only,
        topics=[{"name": name, "partitions": partitions, "replication": replication,
                 "assignments": list(assignments),
                 "configs": [{"name": key, "value": value}
                             for key, value in (configs or {}).items()]}])
    return answer["topics"][0]["error"]


def make(wire, name, partitions=1, **configs):
    """Make a topic and wait until it can be used: Kafka's may take a moment for that."""
    assert create_error(wire, name, partitions=partitions, configs={
        key.replace("_", "."): value for key, value in configs.items()}) == NONE
    for partition in range(partitions):
        until(lambda: fetch(wire, name, 0, partition=partition, max_wait_ms=0)["error"],
              NONE)
    return name


@pytest.fixture
def topic(wire, new_name):
    """A new topic of one partition."""
    return make(wire, new_name())


def metadata(wire, names, **options):
    return wire.call("Metadata", 8, topics=names, **options)


def topic_id(wire, name):
    answer = wire.call("Metadata", 12, topics=[{"name": name}])
    return answer["topics"][0]["id"]


def produce(wire, topic, data, version=8, partition=0, acks=-1):
    """Produce the bytes DATA and return the partition's answer."""
    answer = wire.call("Produce", version, acks=acks, timeout_ms=30_000,
                       topics=[{"name": topic, "partitions": [
                           {"index": partition, "records": data}]}])
    return answer["topics"][0]["partitions"][0]


def produce_error(wire, topic, data, **options):
    return produce(wire, topic, data, **options)["error"]


def fetch_request(topic, offset, partition=0, max_wait_ms=1000, min_bytes=1,
                  max_bytes=1 << 24, leader_epoch=-1, part_bytes=1 << 24, session_id=0,
                  session_epoch=-1):
    return {"replica_id": -1, "max_wait_ms": max_wait_ms, "min_bytes": min_bytes,
            "max_bytes": max_bytes, "session_id": session_id,
            "session_epoch": session_epoch, "rack": "",
            "topics": [{"name": topic, "partitions": [
                {"partition": partition, "offset": offset, "leader_epoch": leader_epoch,
                 "log_start": -1, "max_bytes": part_bytes}]}]}


def fetch(wire, topic, offset, **options):
    """The partition's answer to a Fetch request."""
    answer = wire.call("Fetch", 11, **fetch_request(topic, offset, **options))
    assert answer["error"] == NONE
    return answer["topics"][0]["partitions"][0]


def list_offset(wire, topic, timestamp, partition=0, version=7):
    """The partition's answer to a ListOffsets request."""
    answer = wire.call("ListOffsets", version, replica_id=-1, topics=[
        {"name": topic, "partitions": [
            {"partition": partition, "timestamp": timestamp,
             **({"leader_epoch": -1} if version >= 4 else {})}]}])
    return answer["topics"][0]["partitions"][0]


def until(answer, wanted, tries=100):
    """Ask again until the answer is WANTED: what may take a moment, but not for ever."""
    for _ in range(tries):
        got = answer()
        if got == wanted:
            return
        time.sleep(0.1)
    assert got == wanted


# ---- connection and negotiation (kafka.md section 6, items 1-4) ----

# 1: a version from the future is answered in version 0, with 35 and ApiVersions alone.
def test_api_versions_too_new(wire):
    wire.send_frame(struct.pack(">hhih", KEYS["ApiVersions"], 99, 5, 1) + b"x\0junk")
    assert wire.receive_frame() == struct.pack(">ihihhh", 5, UNSUPPORTED_VERSION, 1,
                                               KEYS["ApiVersions"], 0, 4)
    assert wire.call("ApiVersions", 0)["error"] == NONE


# 1: from version 3 the client's name and version must be proper.
@pytest.mark.parametrize("name, version, error", [
    ("weft-test", "1.0", NONE), ("a", "b", NONE), ("no good", "1.0", INVALID_REQUEST),
    ("", "1.0", INVALID_REQUEST), ("-x", "1.0", INVALID_REQUEST),
    ("x-", "1.0", INVALID_REQUEST), ("x", "", INVALID_REQUEST)])
def test_api_versions_client_name(wire, name, version, error):
    assert wire.call("ApiVersions", 3, name=name, version=version)["error"] == error


# 2: every API is advertised in all of Kafka's versions, Produce from 0.
def test_advertised_versions(wire):
    keys = {entry["key"]: (entry["min"], entry["max"])
            for entry in wire.call("ApiVersions", 0)["keys"]}
    assert {name: keys.get(KEYS[name]) for name in ADVERTISED} == ADVERTISED
    assert wire.call("ApiVersions", 3, name="x", version="1")["error"] == NONE


# 3: an unknown API, an unserved version and a body that does not parse close the connection.
@pytest.mark.parametrize("frame", [
    struct.pack(">hhih", 1999, 0, 1, -1),
    struct.pack(">hhih", -1, 0, 1, -1),
    struct.pack(">hhih", KEYS["Metadata"], 99, 1, -1),
    struct.pack(">hhih", KEYS["Metadata"], -1, 1, -1),
    struct.pack(">hhih", KEYS["Produce"], 2, 1, -1) + bytes(10),
    struct.pack(">hhih", KEYS["Fetch"], 3, 1, -1) + bytes(20),
    struct.pack(">hhihi", KEYS["Metadata"], 1, 1, -1, 1000),
    struct.pack(">hhihi", KEYS["Metadata"], 1, 1, -1, 2_000_000_000),
    struct.pack(">hhihih", KEYS["Metadata"], 1, 1, -1, 1, 500) + b"short",
    struct.pack(">hhi", KEYS["Metadata"], 1, 1),
    b"\0\3", b""], ids=["key", "negative-key", "version", "negative-version",
                        "produce-2", "fetch-3", "count", "huge-count", "string",
                        "no-client-id", "two-bytes", "empty"])
def test_bad_request_closes(wire, frame):
    wire.send_frame(frame)
    with pytest.raises(Closed):
        wire.receive_frame()


# 3: so does a frame that is larger than socket.request.max.bytes, or of negative length.
@pytest.mark.parametrize("length", [104_857_601, 2**31 - 1, -1, -2**31])
def test_bad_length_closes(wire, length):
    wire.socket.sendall(struct.pack(">i", length))
    with pytest.raises(Closed):
        wire.receive_frame()


# 3: pipelined requests are answered in order, a waiting fetch before a quick request.
def test_pipelined_in_order(wire, other, topic):
    sent = [wire.send("Fetch", 11, **fetch_request(topic, 0, max_wait_ms=500))]
    sent += [wire.send("Metadata", 8, topics=[topic]) for _ in range(3)]
    sent += [wire.send("ApiVersions", 0)]
    # Another connection is not held up by it.
    assert metadata(other, [topic])["topics"][0]["error"] == NONE
    assert [wire.receive()[0] for _ in sent] == sent


# 4: unknown tagged fields in header and body are skipped; a null client id is fine.
def test_unknown_tags_are_skipped(wire, topic):
    tags = b"\2" + b"\x63\3abc" + b"\x64\0"
    head = struct.pack(">hhih", KEYS["Metadata"], 12, 77, -1) + tags
    name = topic.encode()
    body = b"\2" + bytes(16) + bytes([len(name) + 1]) + name + tags + b"\0\0" + tags
    wire.send_frame(head + body)
    answer = wire.receive_frame()
    assert answer[:5] == struct.pack(">ib", 77, 0)
    assert name in answer


# 4: bytes behind a request's body are ignored: librdkafka 2.16 sends three of them when
# it asks for all topics by Metadata 13.
def test_trailing_bytes_are_ignored(wire, topic):
    frame = request("Metadata", 12, 5, {"topics": [{"name": topic}]})
    wire.send_frame(frame + b"\1\0\0")
    assert topic.encode() in wire.receive_frame()


# ---- metadata and topics (items 7-12) ----

# 7: null is all topics, an empty list none; in version 0 an empty list is all.
def test_metadata_all_or_none(wire, topic):
    assert topic in [t["name"] for t in metadata(wire, None)["topics"]]
    assert metadata(wire, [])["topics"] == []
    assert topic in [t["name"] for t in wire.call("Metadata", 0, topics=[])["topics"]]


# 7: an unknown name is 3, a bad one 17, and neither is made.
@pytest.mark.parametrize("name, error", [
    ("no-such-topic", UNKNOWN_TOPIC_OR_PARTITION), ("bad name!", INVALID_TOPIC),
    ("", INVALID_TOPIC), (".", INVALID_TOPIC), ("..", INVALID_TOPIC),
    ("x" * 250, INVALID_TOPIC)])
def test_metadata_unknown_topic(wire, name, error):
    answer = metadata(wire, [name], auto_create=False)["topics"][0]
    assert (answer["error"], answer["name"], answer["partitions"]) == (error, name, [])
    assert name not in [t["name"] for t in metadata(wire, None)["topics"]]


# 7: by id: an unknown one is 100 with a null name; ids last for the life of a topic.
def test_metadata_by_id(wire, other, topic):
    first = topic_id(wire, topic)
    assert first != bytes(16) and topic_id(other, topic) == first
    found = wire.call("Metadata", 12, topics=[{"id": first}])["topics"][0]
    assert (found["error"], found["name"], found["id"]) == (NONE, topic, first)
    nobody = new_uuid()
    unknown = wire.call("Metadata", 12, topics=[{"id": nobody}])["topics"][0]
    assert (unknown["error"], unknown["name"], unknown["id"]) == (
        UNKNOWN_TOPIC_ID, None, nobody)


# 8: leaders and controller are listed brokers; all brokers tell one cluster id.
def test_metadata_is_consistent(wire, other, topic):
    answers = [metadata(connection, [topic]) for connection in (wire, other)]
    for answer in answers:
        ids = {broker["id"] for broker in answer["brokers"]}
        assert answer["controller"] in ids
        part = answer["topics"][0]["partitions"][0]
        assert part["leader"] in ids and part["leader_epoch"] >= 0
        assert part["replicas"] and part["isr"] and part["offline"] == []
    assert answers[0]["cluster_id"] == answers[1]["cluster_id"]
    described = wire.call("DescribeCluster", 0)
    assert described["error"] == NONE
    assert described["cluster_id"] == answers[0]["cluster_id"]
    assert {broker["id"] for broker in described["brokers"]} == {
        broker["id"] for broker in answers[0]["brokers"]}


# 9: a topic is made by Metadata only if the request allows it, and then appears soon.
def test_auto_creation(wire, other, new_name):
    name = new_name()
    refused = metadata(wire, [name], auto_create=False)["topics"][0]
    assert refused["error"] == UNKNOWN_TOPIC_OR_PARTITION
    first = metadata(wire, [name], auto_create=True)["topics"][0]
    assert first["error"] in (NONE, UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE)
    until(lambda: metadata(other, [name], auto_create=False)["topics"][0]["error"], NONE)


# 10: what CreateTopics refuses, and with which error.
@pytest.mark.parametrize("options, error", [
    ({"name": "bad name!"}, INVALID_TOPIC),
    ({"name": ""}, INVALID_TOPIC),
    ({"name": ".."}, INVALID_TOPIC),
    ({"name": "x" * 250}, INVALID_TOPIC),
    ({"partitions": 0}, INVALID_PARTITIONS),
    ({"partitions": -2}, INVALID_PARTITIONS),
    ({"replication": 0}, INVALID_REPLICATION_FACTOR),
    ({"replication": -2}, INVALID_REPLICATION_FACTOR),
    ({"configs": {"no.such.config": "1"}}, INVALID_CONFIG),
    ({"configs": {"retention.ms": "soon"}}, INVALID_CONFIG),
    ({"configs": {"retention.ms": "-2"}}, INVALID_CONFIG),
    ({"configs": {"cleanup.policy": "burn"}}, INVALID_CONFIG),
    ({"configs": {"compression.type": "rar"}}, INVALID_CONFIG),
    ({"configs": {"max.message.bytes": "-1"}}, INVALID_CONFIG),
    ({"configs": {"min.cleanable.dirty.ratio": "1.5"}}, INVALID_CONFIG),
    ({"configs": {"segment.bytes": "1"}}, INVALID_CONFIG),
    ({"configs": {"message.timestamp.type": "Never"}}, INVALID_CONFIG),
    ({"configs": {"preallocate": "perhaps"}}, INVALID_CONFIG),
    ({"configs": {"retention.ms": None}}, INVALID_CONFIG),
    ({"partitions": -1, "assignments": [{"partition": 0, "brokers": [9999]}]},
     INVALID_REPLICA_ASSIGNMENT),
    ({"partitions": -1, "assignments": [{"partition": 0, "brokers": []}]},
     INVALID_REPLICA_ASSIGNMENT),
    ({"assignments": [{"partition": 0, "brokers": [1]}]}, INVALID_REQUEST),
], ids=str)
def test_create_topics_refused(wire, new_name, options, error):
    name = options.get("name", new_name())
    rest = {key: value for key, value in options.items() if key != "name"}
    assert create_error(wire, name, **rest) == error
    assert name not in [t["name"] for t in metadata(wire, None)["topics"]]


# 10: a name that is taken, also one that differs in `.` and `_` only.
def test_create_topics_taken(wire, other, new_name):
    name = new_name()
    assert create_error(wire, name + ".a") == NONE
    assert create_error(other, name + ".a") == TOPIC_ALREADY_EXISTS
    assert create_error(other, name + "_a") == INVALID_TOPIC
    # That it exists is said before anything that is wrong with the rest.
    assert create_error(other, name + ".a", configs={"no.such.config": "1"}) == \
        TOPIC_ALREADY_EXISTS


# 10: one name twice in a request is 42 for it, and none is made.
def test_create_topics_twice(wire, new_name):
    name = new_name()
    one = {"name": name, "partitions": 1, "replication": -1}
    answer = wire.call("CreateTopics", 4, timeout_ms=30_000, topics=[one, one])
    assert {(t["name"], t["error"]) for t in answer["topics"]} == {(name, INVALID_REQUEST)}
    assert metadata(wire, [name])["topics"][0]["error"] == UNKNOWN_TOPIC_OR_PARTITION


# 10: -1 means the server's defaults; version 7 tells id, counts and configs.
def test_create_topics_answer(wire, new_name):
    name = new_name()
    answer = wire.call("CreateTopics", 7, timeout_ms=30_000, topics=[
        {"name": name, "partitions": -1, "replication": -1,
         "configs": [{"name": "retention.ms", "value": "5000000"}]}])["topics"][0]
    assert answer["error"] == NONE and answer["id"] == topic_id(wire, name)
    assert answer["partitions"] >= 1 and answer["replication"] >= 1
    configs = {config["name"]: config for config in answer["configs"]}
    assert set(configs) == set(TOPIC_CONFIGS)
    assert configs["retention.ms"]["value"] == "5000000"
    assert configs["retention.ms"]["source"] == 1
    assert configs["cleanup.policy"]["source"] == 5


# 10: validate_only changes nothing, but tells the same errors.
def test_create_topics_validate_only(wire, new_name, topic):
    name = new_name()
    assert create_error(wire, name, validate_only=True) == NONE
    assert metadata(wire, [name])["topics"][0]["error"] == UNKNOWN_TOPIC_OR_PARTITION
    assert create_error(wire, topic, validate_only=True) == TOPIC_ALREADY_EXISTS


def delete_error(wire, **which):
    answer = wire.call("DeleteTopics", 6, timeout_ms=30_000, topics=[which])
    return answer["topics"][0]["error"]


# 11: DeleteTopics by name and by id; unknown ones are 3 and 100, both at once is 42.
def test_delete_topics(wire, other, new_name, topic):
    second = make(wire, new_name())
    first_id = topic_id(wire, topic)
    assert delete_error(wire, name=topic, id=first_id) == INVALID_REQUEST
    assert delete_error(wire, id=first_id) == NONE
    assert delete_error(wire, name=second) == NONE
    assert delete_error(other, id=first_id) == UNKNOWN_TOPIC_ID
    assert delete_error(other, name=second) == UNKNOWN_TOPIC_OR_PARTITION
    for name in (topic, second):
        until(lambda name=name: metadata(other, [name])["topics"][0]["error"],
              UNKNOWN_TOPIC_OR_PARTITION)


# 11: a topic made again under the same name has a new id, an empty log and begins at 0.
def test_recreated_topic(wire, other, topic):
    old_id = topic_id(wire, topic)
    assert produce_error(wire, topic, batch([b"old"])) == NONE
    assert delete_error(wire, name=topic) == NONE
    make(wire, topic)
    until(lambda: topic_id(other, topic) not in (old_id, bytes(16)), True)
    assert list_offset(other, topic, LATEST)["offset"] == 0
    assert produce(other, topic, batch([b"new"]))["base_offset"] == 0
    assert records.values(fetch(other, topic, 0)["records"]) == [b"new"]
    # 24: the id of the former incarnation is unknown.
    assert fetch_by_id(other, old_id)["error"] == UNKNOWN_TOPIC_ID
    assert produce_by_id(other, old_id, batch())["error"] == UNKNOWN_TOPIC_ID


def partitions_error(wire, name, count, assignments=None, validate_only=False):
    answer = wire.call("CreatePartitions", 1, timeout_ms=30_000,
                       validate_only=validate_only,
                       topics=[{"name": name, "count": count, "assignments": assignments}])
    return answer["topics"][0]["error"]


# 11: CreatePartitions only adds; validate_only adds nothing.
def test_create_partitions(wire, other, topic):
    assert partitions_error(wire, topic, 1) == INVALID_PARTITIONS
    assert partitions_error(wire, topic, 0) == INVALID_PARTITIONS
    assert partitions_error(wire, "no-such-topic", 3) == UNKNOWN_TOPIC_OR_PARTITION
    assert partitions_error(wire, topic, 3, [{"brokers": [1]}]) == \
        INVALID_REPLICA_ASSIGNMENT
    assert partitions_error(wire, topic, 2, [{"brokers": [9999]}]) == \
        INVALID_REPLICA_ASSIGNMENT
    assert partitions_error(wire, topic, 3, validate_only=True) == NONE
    assert len(metadata(wire, [topic])["topics"][0]["partitions"]) == 1
    assert partitions_error(wire, topic, 3) == NONE
    until(lambda: fetch(other, topic, 0, partition=2, max_wait_ms=0)["error"], NONE)
    assert len(metadata(other, [topic])["topics"][0]["partitions"]) == 3
    assert produce(other, topic, batch(), partition=2)["base_offset"] == 0


# All configurations of a topic with Kafka's defaults.
TOPIC_CONFIGS = {
    "cleanup.policy": "delete", "compression.gzip.level": "-1",
    "compression.lz4.level": "9", "compression.type": "producer",
    "compression.zstd.level": "3", "delete.retention.ms": "86400000",
    "file.delete.delay.ms": "60000", "flush.messages": "9223372036854775807",
    "flush.ms": "9223372036854775807", "follower.replication.throttled.replicas": "",
    "index.interval.bytes": "4096", "leader.replication.throttled.replicas": "",
    "local.retention.bytes": "-2", "local.retention.ms": "-2",
    "max.compaction.lag.ms": "9223372036854775807", "max.message.bytes": "1048588",
    "message.timestamp.after.max.ms": "3600000",
    "message.timestamp.before.max.ms": "9223372036854775807",
    "message.timestamp.type": "CreateTime", "min.cleanable.dirty.ratio": "0.5",
    "min.compaction.lag.ms": "0", "min.insync.replicas": "1", "preallocate": "false",
    "remote.log.copy.disable": "false", "remote.log.delete.on.disable": "false",
    "remote.storage.enable": "false", "retention.bytes": "-1",
    "retention.ms": "604800000", "segment.bytes": "1073741824",
    "segment.index.bytes": "10485760", "segment.jitter.ms": "0",
    "segment.ms": "604800000", "unclean.leader.election.enable": "false"}


def describe(wire, name, keys=None, resource=TOPIC):
    answer = wire.call("DescribeConfigs", 2, synonyms=True,
                       resources=[{"type": resource, "name": name, "keys": keys}])
    return answer["resources"][0]


# 12: every name and default of a topic's configurations; null and [] ask for all.
@pytest.mark.parametrize("keys", [None, []], ids=str)
def test_describe_topic_configs(wire, topic, keys):
    found = {c["name"]: c["value"] for c in describe(wire, topic, keys)["configs"]}
    assert found == TOPIC_CONFIGS


# 12: chosen names only; what is not a configuration is left out without an error.
def test_describe_chosen_configs(wire, topic):
    answer = describe(wire, topic, ["retention.ms", "no.such.config"])
    assert answer["error"] == NONE
    assert [c["name"] for c in answer["configs"]] == ["retention.ms"]


# 12: an unknown topic is 3, a bad name 17, a resource type that does not exist 42.
def test_describe_configs_refused(wire):
    assert describe(wire, "no-such-topic")["error"] == UNKNOWN_TOPIC_OR_PARTITION
    assert describe(wire, "bad name!")["error"] == INVALID_TOPIC
    assert describe(wire, "x", resource=77)["error"] == INVALID_REQUEST


# 12: a broker tells what tools ask for.
def test_describe_broker_configs(wire, cluster):
    port = int(cluster.bootstraps[0].rsplit(":", 1)[1])
    [broker] = [b["id"] for b in metadata(wire, [])["brokers"] if b["port"] == port]
    names = ["num.partitions", "default.replication.factor", "auto.create.topics.enable",
             "message.max.bytes"]
    answer = describe(wire, str(broker), names, BROKER)
    assert answer["error"] == NONE
    assert {c["name"] for c in answer["configs"]} == set(names)
    assert all(c["value"] for c in answer["configs"])


SET, DELETE, APPEND, SUBTRACT = range(4)


def alter_error(wire, name, *changes, validate_only=False, resource=TOPIC):
    answer = wire.call("IncrementalAlterConfigs", 0, validate_only=validate_only,
                       resources=[{"type": resource, "name": name, "configs": [
                           {"name": key, "operation": operation, "value": value}
                           for key, operation, value in changes]}])
    return answer["resources"][0]["error"]


def config(wire, topic, name):
    return describe(wire, topic, [name])["configs"][0]


# 12: IncrementalAlterConfigs: set, delete, append and subtract, and where they show.
def test_incremental_alter(wire, other, topic):
    def value(name):
        return config(other, topic, name)["value"]
    assert alter_error(wire, topic, ("retention.ms", SET, "1000000"),
                       ("cleanup.policy", APPEND, "compact")) == NONE
    until(lambda: value("retention.ms"), "1000000")
    assert value("cleanup.policy") == "delete,compact"
    found = config(wire, topic, "retention.ms")
    assert found["source"] == 1
    assert found["synonyms"][0] == {"name": "retention.ms", "value": "1000000",
                                    "source": 1}
    assert alter_error(wire, topic, ("retention.ms", DELETE, None),
                       ("cleanup.policy", SUBTRACT, "delete")) == NONE
    until(lambda: value("retention.ms"), "604800000")
    assert value("cleanup.policy") == "compact"
    assert alter_error(wire, topic, ("retention.ms", SET, "5"), validate_only=True) == NONE
    assert value("retention.ms") == "604800000"


# 12: what altering refuses.
def test_alter_refused(wire, topic):
    assert alter_error(wire, topic, ("retention.ms", SET, "soon")) == INVALID_CONFIG
    assert alter_error(wire, topic, ("no.such", SET, "1")) == INVALID_CONFIG
    assert alter_error(wire, topic, ("retention.ms", APPEND, "1")) == INVALID_CONFIG
    assert alter_error(wire, topic, ("retention.ms", SET, None)) == INVALID_REQUEST
    assert alter_error(wire, "no-such-topic", ("retention.ms", SET, "1")) == \
        UNKNOWN_TOPIC_OR_PARTITION
    assert alter_error(wire, "odd", ("x", SET, ""), resource=77) == INVALID_REQUEST


# 12: AlterConfigs replaces all that was set.
def test_alter_replaces(wire, other, topic):
    def alter(**configs):
        answer = wire.call("AlterConfigs", 1, resources=[
            {"type": TOPIC, "name": topic, "configs": [
                {"name": name.replace("_", "."), "value": value}
                for name, value in configs.items()]}])
        return answer["resources"][0]["error"]
    assert alter(retention_ms="1000000") == NONE
    assert alter(segment_ms="3600000") == NONE
    until(lambda: config(other, topic, "segment.ms")["value"], "3600000")
    assert config(other, topic, "retention.ms")["value"] == "604800000"
    assert alter(retention_ms="soon") == INVALID_CONFIG
    assert alter(retention_ms=None) == INVALID_REQUEST
    assert config(other, topic, "segment.ms")["value"] == "3600000"


# Partitions in pages, in the order of names, with a cursor; unknown ones are 3.
def test_describe_topic_partitions(wire, topic):
    frame = request("DescribeTopicPartitions", 0, 9, {
        "topics": [{"name": topic}, {"name": "no-such-topic"}], "limit": 100,
        "cursor": -1})
    wire.send_frame(frame)
    answer = wire.receive_frame()
    assert answer[-2:] == b"\xff\0"
    assert topic.encode() in answer and b"no-such-topic" in answer


# ---- produce (items 13-20) ----

# 13: stored as sent but for base offset and leader epoch; the answer tells the offset.
def test_produce_and_fetch_bytes(wire, other, topic):
    data = batch([b"a", b"b", b"c"])
    for base in (0, 3):
        answer = produce(wire, topic, data)
        assert (answer["error"], answer["base_offset"]) == (NONE, base)
        assert (answer["append_time"], answer["log_start"]) == (-1, 0)
    stored = fetch(other, topic, 0)["records"]
    epoch = metadata(wire, [topic])["topics"][0]["partitions"][0]["leader_epoch"]
    assert stored == b"".join(
        struct.pack(">q", base) + data[8:12] + struct.pack(">i", epoch) + data[16:]
        for base in (0, 3))


# 13: a wrong checksum, a batch cut short and a wrong length are 2.
def test_produce_corrupt(wire, topic):
    data = batch([b"abc"])
    assert produce_error(wire, topic, data[:-1] + b"X") == CORRUPT_MESSAGE
    assert produce_error(wire, topic, batch(crc=1)) == CORRUPT_MESSAGE
    assert produce_error(wire, topic, batch(length=20)) == CORRUPT_MESSAGE
    assert list_offset(wire, topic, LATEST)["offset"] == 0


# 14: the limit counts the whole batch with its first 12 bytes; the topic's own wins.
def test_produce_too_large(wire, topic, new_name):
    overhead = len(batch([bytes(1_000_000)])) - 1_000_000
    fits = batch([bytes(1_048_588 - overhead)])
    assert len(fits) == 1_048_588
    assert produce_error(wire, topic, fits) == NONE
    assert produce_error(wire, topic, batch([bytes(1_048_589 - overhead)])) == \
        MESSAGE_TOO_LARGE
    small = make(wire, new_name(), max_message_bytes="500")
    overhead = len(batch([bytes(400)])) - 400
    assert produce_error(wire, small, batch([bytes(500 - overhead)])) == NONE
    assert produce_error(wire, small, batch([bytes(501 - overhead)])) == MESSAGE_TOO_LARGE


# 15: exactly one batch of version 2, from offset 0, with a true count, not a control one.
@pytest.mark.parametrize("data, error", [
    (batch() + batch(), INVALID_RECORD),
    (batch(base_offset=5), INVALID_RECORD),
    (batch([b"a", b"b"], count=3), INVALID_RECORD),
    (batch([b"a", b"b"], last_offset_delta=5), INVALID_RECORD),
    (batch(count=0), INVALID_RECORD),
    (batch(attributes=CONTROL), INVALID_RECORD),
    (batch(producer_id=5, producer_epoch=0, base_sequence=-1), INVALID_RECORD),
    (b"", INVALID_RECORD),
    (b"short", INVALID_RECORD),
    (batch(magic=0), INVALID_RECORD),
    (batch(magic=1), INVALID_RECORD),
    (batch(magic=3), CORRUPT_MESSAGE),
    (batch(attributes=TRANSACTIONAL, producer_id=5, producer_epoch=0, base_sequence=0),
     TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
], ids=["two", "base-offset", "count", "delta", "zero", "control", "sequence", "empty",
        "short", "magic-0", "magic-1", "magic-3", "transactional"])
def test_produce_invalid(wire, topic, data, error):
    assert produce_error(wire, topic, data) == error
    assert list_offset(wire, topic, LATEST)["offset"] == 0


# 16: a time more than an hour ahead is 32 and tells which records; the past is fine.
def test_produce_timestamps(wire, topic):
    now = int(time.time() * 1000)
    bad = produce(wire, topic, batch([b"a", b"b"], timestamps=[now, now + 7_200_000]))
    assert bad["error"] == INVALID_TIMESTAMP
    assert [e["index"] for e in bad["record_errors"]] == [1]
    assert bad["message"]
    assert produce_error(wire, topic, batch(timestamp=now + 1_800_000)) == NONE
    assert produce_error(wire, topic, batch(timestamp=0)) == NONE
    assert produce_error(wire, topic, batch(timestamp=-1)) == NONE


# 15: what only a walk over the records finds. Weft does not walk them when they are
# produced (proto/README.md): it stores them as sent, and their own readers see them.
@pytest.mark.parametrize("data", [
    batch(payload=b"garbage"), batch(payload=records.record() + b"xx"),
], ids=["garbage", "behind"])
def test_produce_unwalked(wire, other, topic, target, data):
    if target == "kafka":
        assert produce_error(wire, topic, data) == INVALID_RECORD
        assert list_offset(wire, topic, LATEST)["offset"] == 0
        return
    assert produce_error(wire, topic, data) == NONE
    assert produce_error(wire, topic, batch([b"after"])) == NONE
    stored = fetch(other, topic, 0)["records"]
    assert stored[16:len(data)] == data[16:]
    assert list_offset(wire, topic, LATEST)["offset"] == 2


# 16: a producer that claims another largest timestamp than its records have: Kafka walks
# the records and mends it; Weft believes the header and keeps the batch as it was sent.
def test_produce_false_max_timestamp(wire, other, topic, target):
    times = [NOON_MS, NOON_MS + 70]
    assert produce_error(wire, topic, batch([b"a", b"b"], timestamps=times,
                                            max_timestamp=NOON_MS + 9)) == NONE
    found = records.parse(fetch(other, topic, 0)["records"])
    told = NOON_MS + 70 if target == "kafka" else NOON_MS + 9
    assert [b["max_timestamp"] for b in found] == [told]
    assert [b["attributes"] for b in found] == [0]
    assert all(b["crc_good"] for b in found)


# 16: a producer that claims LogAppendTime on a topic of CreateTime: Kafka mends the batch
# after walking it; Weft, which would have to guess its times, refuses it with 32.
def test_produce_false_log_append_time(wire, topic, target):
    expected = NONE if target == "kafka" else INVALID_TIMESTAMP
    assert produce_error(wire, topic, batch(attributes=LOG_APPEND_TIME)) == expected


# 16: a topic's own bounds for timestamps.
def test_produce_timestamp_bounds(wire, new_name):
    name = make(wire, new_name(), message_timestamp_before_max_ms="3600000",
                message_timestamp_after_max_ms="86400000")
    now = int(time.time() * 1000)
    assert produce_error(wire, name, batch(timestamp=now - 7_200_000)) == INVALID_TIMESTAMP
    assert produce_error(wire, name, batch(timestamp=now + 7_200_000)) == NONE


# 16: a compacted topic takes no null key: 87, with the records it is about.
def test_produce_null_key_compacted(wire, new_name):
    name = make(wire, new_name(), cleanup_policy="compact")
    answer = produce(wire, name, batch([b"a", b"b", b"c"], keys=[b"k", None, b"k"]))
    assert answer["error"] == INVALID_RECORD
    assert [e["index"] for e in answer["record_errors"]] == [1]
    assert produce_error(wire, name, batch([b"a"], keys=[b""])) == NONE


# 16: LogAppendTime: the server's time in the answer and in the batch, with a good checksum.
def test_produce_log_append_time(wire, other, new_name):
    name = make(wire, new_name(), message_timestamp_type="LogAppendTime")
    answer = produce(wire, name, batch([b"a", b"b"]))
    assert answer["error"] == NONE and answer["append_time"] > NOON_MS
    found = records.parse(fetch(other, name, 0)["records"])[0]
    assert found["attributes"] & LOG_APPEND_TIME and found["crc_good"]
    assert found["max_timestamp"] == answer["append_time"]
    assert found["base_timestamp"] == NOON_MS
    assert list_offset(other, name, LATEST)["offset"] == 2


# 17: acks 0 has no answer; an error in it closes the connection.
def test_produce_acks_zero(wire, other, topic):
    parts = [{"index": 0, "records": batch([b"quiet"])}]
    wire.send("Produce", 8, acks=0, timeout_ms=1000,
              topics=[{"name": topic, "partitions": parts}])
    # The next answer is that of the next request.
    metadata(wire, [topic])
    until(lambda: list_offset(other, topic, LATEST)["offset"], 1)
    wire.send("Produce", 8, acks=0, timeout_ms=1000,
              topics=[{"name": "no-such-topic", "partitions": parts}])
    with pytest.raises(Closed):
        wire.receive_frame()


# 17: acks 1 and -1 are served, others are 21 and append nothing.
def test_produce_acks(wire, topic):
    assert produce_error(wire, topic, batch(), acks=1) == NONE
    for acks in (2, 5, -2):
        answer = produce(wire, topic, batch(), acks=acks)
        assert (answer["error"], answer["base_offset"]) == (INVALID_REQUIRED_ACKS, -1)
    assert list_offset(wire, topic, LATEST)["offset"] == 1


# 17: a bad partition does not fail the others of the request.
def test_produce_partitions_are_independent(wire, new_name):
    name = make(wire, new_name(), partitions=2)
    answer = wire.call("Produce", 8, acks=-1, timeout_ms=30_000, topics=[
        {"name": name, "partitions": [{"index": 0, "records": batch(crc=1)},
                                      {"index": 1, "records": batch()},
                                      {"index": 7, "records": batch()}]},
        {"name": "no-such-topic", "partitions": [{"index": 0, "records": batch()}]}])
    errors = {(t["name"], p["index"]): p["error"]
              for t in answer["topics"] for p in t["partitions"]}
    assert errors == {(name, 0): CORRUPT_MESSAGE, (name, 1): NONE,
                      (name, 7): UNKNOWN_TOPIC_OR_PARTITION,
                      ("no-such-topic", 0): UNKNOWN_TOPIC_OR_PARTITION}


def produce_by_id(wire, ident, data):
    answer = wire.call("Produce", 13, acks=-1, timeout_ms=30_000, topics=[
        {"id": ident, "partitions": [{"index": 0, "records": data}]}])
    return answer["topics"][0]["partitions"][0]


# Produce by topic id, and 100 for one that nobody has.
def test_produce_by_id(wire, topic):
    assert produce_by_id(wire, topic_id(wire, topic), batch())["error"] == NONE
    assert produce_by_id(wire, new_uuid(), batch())["error"] == UNKNOWN_TOPIC_ID


class Producer:
    """An idempotent producer of one partition, with open sequence and epoch."""

    def __init__(self, wire, topic):
        answer = wire.call("InitProducerId", 1, timeout_ms=60_000)
        until_ready = 100
        while answer["error"] != NONE and until_ready:
            time.sleep(0.1)
            until_ready -= 1
            answer = wire.call("InitProducerId", 1, timeout_ms=60_000)
        assert (answer["error"], answer["producer_epoch"]) == (NONE, 0)
        self.producer_id = answer["producer_id"]
        self.topic = topic

    def batch(self, sequence, count=1, epoch=0):
        # Kafka forgets a producer at start if its last batch's timestamp is a day old.
        return batch([b"%d" % (sequence + i) for i in range(count)], timestamp=NOW_MS,
                     producer_id=self.producer_id, producer_epoch=epoch,
                     base_sequence=sequence)

    def send(self, wire, sequence, count=1, epoch=0):
        answer = produce(wire, self.topic, self.batch(sequence, count, epoch))
        return answer["error"], answer["base_offset"]


# 18: a repeated batch of the last five is answered with its first offset, by any broker.
def test_duplicates(wire, other, topic):
    producer = Producer(wire, topic)
    assert produce(wire, topic, batch())["base_offset"] == 0
    for n in range(7):
        assert producer.send(wire, 2 * n, count=2) == (NONE, 1 + 2 * n)
    for n in range(2, 7):
        assert producer.send(other, 2 * n, count=2) == (NONE, 1 + 2 * n)
    # One that is older, or of other bounds, is out of order.
    assert producer.send(other, 0, count=2)[0] == OUT_OF_ORDER_SEQUENCE
    assert producer.send(other, 12, count=1)[0] == OUT_OF_ORDER_SEQUENCE
    assert list_offset(other, topic, LATEST)["offset"] == 15


# 18: a gap is 45 and appends nothing; the right sequence then goes through.
def test_sequence_gap(wire, other, topic):
    producer = Producer(wire, topic)
    assert producer.send(wire, 0) == (NONE, 0)
    assert producer.send(other, 2) == (OUT_OF_ORDER_SEQUENCE, -1)
    assert producer.send(other, 1) == (NONE, 1)


# 18: of a producer that the partition does not know, any first sequence is taken.
def test_first_sequence_is_free(wire, topic):
    assert Producer(wire, topic).send(wire, 1000) == (NONE, 0)


# 18: a new epoch begins at 0; the old one is 47 from then on.
def test_epochs(wire, other, topic):
    producer = Producer(wire, topic)
    assert producer.send(wire, 0) == (NONE, 0)
    assert producer.send(wire, 1, epoch=1)[0] == OUT_OF_ORDER_SEQUENCE
    assert producer.send(wire, 0, epoch=1) == (NONE, 1)
    assert producer.send(other, 1, epoch=0)[0] == INVALID_PRODUCER_EPOCH
    assert producer.send(other, 1, epoch=1) == (NONE, 2)


# 18: after 2147483647 comes 0, also within a batch.
def test_sequence_wraps(wire, topic):
    producer = Producer(wire, topic)
    assert producer.send(wire, 2**31 - 2, count=3) == (NONE, 0)
    assert producer.send(wire, 1) == (NONE, 3)
    assert producer.send(wire, 2**31 - 2, count=3) == (NONE, 0)
    producer = Producer(wire, topic)
    assert producer.send(wire, 2**31 - 1) == (NONE, 4)
    assert producer.send(wire, 0) == (NONE, 5)


# 18: the state is a partition's own.
def test_sequences_are_per_partition(wire, new_name):
    name = make(wire, new_name(), partitions=2)
    producer = Producer(wire, name)
    assert producer.send(wire, 0) == (NONE, 0)
    assert produce(wire, name, producer.batch(0), partition=1)["base_offset"] == 0
    assert produce(wire, name, producer.batch(5),
                   partition=1)["error"] == OUT_OF_ORDER_SEQUENCE


# 18: original and retry through two brokers at once: one append, one offset for both.
def test_duplicates_at_once(wire, other, topic):
    producer = Producer(wire, topic)
    for sequence in range(20):
        data = {"acks": -1, "timeout_ms": 30_000, "topics": [
            {"name": topic, "partitions": [{"index": 0,
                                            "records": producer.batch(sequence)}]}]}
        wire.send("Produce", 8, **data)
        other.send("Produce", 8, **data)
        answers = [connection.receive()[1]["topics"][0]["partitions"][0]
                   for connection in (wire, other)]
        assert [(a["error"], a["base_offset"]) for a in answers] == [(NONE, sequence)] * 2
    assert list_offset(wire, topic, LATEST)["offset"] == 20


# 18: sequences survive the death of every process.
def test_sequences_survive_restart(new_cluster, new_name):
    cluster = new_cluster()
    with Wire(cluster.bootstraps[0]) as wire:
        name = make(wire, new_name())
        producer = Producer(wire, name)
        assert [producer.send(wire, n) for n in range(3)] == [(NONE, n) for n in range(3)]
    names = list(cluster.status())
    for process in names:
        cluster.kill(process)
    for process in sorted(names, reverse=True):
        cluster.start(process)
    with Wire(cluster.bootstraps[-1]) as wire:
        until(lambda: produce_error(wire, name, producer.batch(2)), NONE)
        assert producer.send(wire, 2) == (NONE, 2)
        assert producer.send(wire, 4)[0] == OUT_OF_ORDER_SEQUENCE
        assert producer.send(wire, 3) == (NONE, 3)
        assert records.values(fetch(wire, name, 0)["records"]) == [b"0", b"1", b"2", b"3"]


# 19: five in flight, the first of them refused: the rest is refused too, not reordered.
def test_refused_first_of_five(wire, topic):
    producer = Producer(wire, topic)
    assert producer.send(wire, 0) == (NONE, 0)
    for sequence in range(2, 7):
        wire.send("Produce", 8, acks=-1, timeout_ms=30_000, topics=[
            {"name": topic, "partitions": [{"index": 0,
                                            "records": producer.batch(sequence)}]}])
    errors = [wire.receive()[1]["topics"][0]["partitions"][0]["error"] for _ in range(5)]
    assert errors == [OUT_OF_ORDER_SEQUENCE] * 5
    assert producer.send(wire, 1) == (NONE, 1)


# 19: what is pipelined on one connection is appended in its order.
def test_pipelined_produce(wire, other, topic):
    for n in range(100):
        wire.send("Produce", 8, acks=-1, timeout_ms=30_000, topics=[
            {"name": topic, "partitions": [{"index": 0, "records": batch([b"%d" % n])}]}])
    offsets = [wire.receive()[1]["topics"][0]["partitions"][0]["base_offset"]
               for _ in range(100)]
    assert offsets == list(range(100))
    assert records.values(fetch(other, topic, 0)["records"]) == [
        b"%d" % n for n in range(100)]


# 20: zstd needs Produce 7.
def test_zstd_needs_produce_7(wire, topic):
    data = batch(attributes=CODECS["zstd"])
    assert produce_error(wire, topic, data, version=3) == UNSUPPORTED_COMPRESSION_TYPE


# InitProducerId: each call gives another id; an empty transactional id is 42.
def test_init_producer_id(wire, other, topic):
    first, second = Producer(wire, topic), Producer(other, topic)
    assert first.producer_id != second.producer_id
    answer = wire.call("InitProducerId", 1, transactional_id="", timeout_ms=1000)
    assert answer["error"] == INVALID_REQUEST
    answer = wire.call("InitProducerId", 4, timeout_ms=1000, producer_id=-1,
                       producer_epoch=-1)
    assert (answer["error"], answer["producer_epoch"]) == (NONE, 0)


# ---- fetch and offsets (items 21-27) ----

# 21: a waiting fetch is woken by what is produced through another broker.
def test_fetch_is_woken(wire, other, topic):
    wire.send("Fetch", 11, **fetch_request(topic, 0, max_wait_ms=600_000))
    assert produce_error(other, topic, batch([b"wake"])) == NONE
    found = wire.receive()[1]["topics"][0]["partitions"][0]
    assert records.values(found["records"]) == [b"wake"]


# 21: min_bytes is waited for: one small batch is not enough, the second completes it.
def test_fetch_waits_for_min_bytes(wire, other, topic):
    data = batch([bytes(100)])
    wire.send("Fetch", 11, **fetch_request(topic, 0, max_wait_ms=600_000,
                                           min_bytes=2 * len(data)))
    for _ in range(2):
        assert produce_error(other, topic, data) == NONE
    found = wire.receive()[1]["topics"][0]["partitions"][0]
    assert len(found["records"]) == 2 * len(data)


# 21: after max_wait what there is comes, though less than min_bytes; or nothing.
def test_fetch_max_wait(wire, topic):
    assert fetch(wire, topic, 0, max_wait_ms=200)["records"] == b""
    assert produce_error(wire, topic, batch([b"few"])) == NONE
    found = fetch(wire, topic, 0, max_wait_ms=200, min_bytes=1 << 20)
    assert records.values(found["records"]) == [b"few"]


# 21: an error is answered at once, whatever max_wait says.
def test_fetch_error_does_not_wait(wire, topic):
    long = {"max_wait_ms": 600_000, "min_bytes": 1 << 20}
    assert fetch(wire, "no-such-topic", 0, **long)["error"] == UNKNOWN_TOPIC_OR_PARTITION
    assert fetch(wire, topic, 0, partition=9, **long)["error"] == \
        UNKNOWN_TOPIC_OR_PARTITION
    assert fetch(wire, topic, 5, **long)["error"] == OFFSET_OUT_OF_RANGE


# 22: at least one whole batch, however small the limits.
def test_fetch_at_least_one_batch(wire, other, topic):
    data = batch([bytes(5000)])
    for _ in range(3):
        assert produce_error(wire, topic, data) == NONE
    for limits in ({"max_bytes": 1}, {"part_bytes": 1}, {"max_bytes": 0, "part_bytes": 0}):
        found = records.parse(fetch(other, topic, 1, **limits)["records"])
        assert [b["base_offset"] for b in found] == [1]


# 22: an offset within a batch gives the whole batch that holds it.
def test_fetch_within_batch(wire, other, topic):
    assert produce_error(wire, topic, batch([b"0", b"1", b"2"])) == NONE
    assert produce_error(wire, topic, batch([b"3", b"4"])) == NONE
    found = records.parse(fetch(other, topic, 2)["records"])
    assert [b["base_offset"] for b in found] == [0, 3]


# 23: before the start or past the end is 1 with nothing; the end itself is empty.
def test_fetch_out_of_range(wire, other, topic):
    assert produce_error(wire, topic, batch([b"0", b"1"])) == NONE
    for offset in (3, 99, -1):
        found = fetch(other, topic, offset)
        assert found["error"] == OFFSET_OUT_OF_RANGE
        assert not found["records"]
        assert (found["high_watermark"], found["log_start"]) == (-1, -1)
    found = fetch(other, topic, 2, max_wait_ms=0)
    assert (found["error"], found["records"]) == (NONE, b"")


# 24: watermarks and log start are in every answer.
def test_fetch_offsets(wire, other, topic):
    assert produce_error(wire, topic, batch([b"0", b"1"])) == NONE
    for offset in (0, 2):
        found = fetch(other, topic, offset, max_wait_ms=0)
        assert (found["high_watermark"], found["last_stable"], found["log_start"]) == (
            2, 2, 0)


def fetch_by_id(wire, ident, partition=0):
    whole = fetch_request(None, 0, partition=partition)
    whole["topics"][0]["id"] = ident
    del whole["topics"][0]["name"]
    whole["topics"][0]["partitions"][0]["last_fetched_epoch"] = -1
    answer = wire.call("Fetch", 13, **whole)
    assert answer["error"] == NONE
    return answer["topics"][0]["partitions"][0]


# 24: fetch by topic id: 100 for an unknown one, 3 for an unknown partition.
def test_fetch_by_id(wire, topic):
    ident = topic_id(wire, topic)
    assert produce_error(wire, topic, batch([b"x"])) == NONE
    assert records.values(fetch_by_id(wire, ident)["records"]) == [b"x"]
    assert fetch_by_id(wire, ident, partition=7)["error"] == UNKNOWN_TOPIC_OR_PARTITION
    assert fetch_by_id(wire, new_uuid())["error"] == UNKNOWN_TOPIC_ID


# 25: an unknown session is 70; a full fetch lists every partition that it asked for.
def test_fetch_sessions(wire, new_name):
    name = make(wire, new_name(), partitions=3)
    whole = fetch_request(name, 0, max_wait_ms=0, session_epoch=0)
    part = whole["topics"][0]["partitions"][0]
    whole["topics"][0]["partitions"] = [{**part, "partition": i} for i in range(3)]
    answer = wire.call("Fetch", 11, **whole)
    assert answer["error"] == NONE
    assert [p["partition"] for p in answer["topics"][0]["partitions"]] == [0, 1, 2]
    answer = wire.call("Fetch", 11, **fetch_request(name, 0, session_id=987_654,
                                                    session_epoch=3))
    assert (answer["error"], answer["session_id"], answer["topics"]) == (
        FETCH_SESSION_ID_NOT_FOUND, 0, [])


# 26: a leader epoch from the future is 75, the current one and -1 are served.
def test_fetch_leader_epoch(wire, other, topic):
    epoch = metadata(wire, [topic])["topics"][0]["partitions"][0]["leader_epoch"]
    assert fetch(other, topic, 0, max_wait_ms=0, leader_epoch=epoch)["error"] == NONE
    assert fetch(other, topic, 0, max_wait_ms=0,
                 leader_epoch=epoch + 1)["error"] == UNKNOWN_LEADER_EPOCH


def epoch_end(wire, topic, epoch, current=-1, partition=0):
    answer = wire.call("OffsetForLeaderEpoch", 3, replica_id=-1, topics=[
        {"name": topic, "partitions": [{"partition": partition, "epoch": epoch,
                                        "current_epoch": current}]}])
    found = answer["topics"][0]["partitions"][0]
    return found["error"], found["epoch"], found["end_offset"]


# 26: the current epoch ends at the log's end, one from the future is unknown.
def test_offset_for_leader_epoch(wire, other, topic):
    epoch = metadata(wire, [topic])["topics"][0]["partitions"][0]["leader_epoch"]
    assert produce_error(wire, topic, batch([b"0", b"1"])) == NONE
    assert epoch_end(other, topic, epoch) == (NONE, epoch, 2)
    assert epoch_end(other, topic, epoch, current=epoch) == (NONE, epoch, 2)
    assert epoch_end(other, topic, epoch + 1) == (NONE, -1, -1)
    assert epoch_end(other, topic, epoch, current=epoch + 1) == (
        UNKNOWN_LEADER_EPOCH, -1, -1)
    assert epoch_end(other, topic, epoch, partition=9) == (
        UNKNOWN_TOPIC_OR_PARTITION, -1, -1)


# 27: the ends of the log, with the epoch.
def test_list_offsets_ends(wire, other, topic):
    def ends():
        return [(a["error"], a["offset"], a["timestamp"]) for a in
                (list_offset(other, topic, when) for when in (EARLIEST, LATEST))]
    assert ends() == [(NONE, 0, -1), (NONE, 0, -1)]
    assert produce_error(wire, topic, batch([b"0", b"1", b"2"])) == NONE
    assert ends() == [(NONE, 0, -1), (NONE, 3, -1)]
    epoch = metadata(wire, [topic])["topics"][0]["partitions"][0]["leader_epoch"]
    assert list_offset(other, topic, LATEST)["leader_epoch"] == epoch


# 27: by time: the first record at or after it, within a batch too, and none is -1/-1.
def test_list_offsets_by_time(wire, other, topic):
    times = [NOON_MS, NOON_MS + 10, NOON_MS + 5, NOON_MS + 30]
    assert produce_error(wire, topic, batch([b"v"] * 4, timestamps=times)) == NONE
    assert produce_error(wire, topic, batch([b"v"] * 2, timestamps=[
        NOON_MS + 20, NOON_MS + 40])) == NONE
    expected = {NOON_MS - 5: (0, NOON_MS), NOON_MS: (0, NOON_MS),
                NOON_MS + 1: (1, NOON_MS + 10), NOON_MS + 11: (3, NOON_MS + 30),
                NOON_MS + 31: (5, NOON_MS + 40), NOON_MS + 41: (-1, -1),
                0: (0, NOON_MS)}
    for when, (offset, timestamp) in expected.items():
        for version in (1, 5, 7):
            found = list_offset(other, topic, when, version=version)
            assert (found["error"], found["offset"], found["timestamp"]) == (
                NONE, offset, timestamp)


# 27: the largest timestamp's record, not the last one; an empty log has none.
def test_list_offsets_max_timestamp(wire, other, topic):
    found = list_offset(other, topic, MAX_TIMESTAMP)
    assert (found["error"], found["offset"], found["timestamp"]) == (NONE, -1, -1)
    times = [NOON_MS, NOON_MS + 90, NOON_MS + 5]
    assert produce_error(wire, topic, batch([b"v"] * 3, timestamps=times)) == NONE
    assert produce_error(wire, topic, batch([b"v"], timestamp=NOON_MS + 50)) == NONE
    found = list_offset(other, topic, MAX_TIMESTAMP)
    assert (found["error"], found["offset"], found["timestamp"]) == (NONE, 1, NOON_MS + 90)


# 27: unknown topics and partitions are 3, a partition asked twice 42, odd times 35.
def test_list_offsets_refused(wire, topic):
    assert list_offset(wire, topic, LATEST, partition=9)["error"] == \
        UNKNOWN_TOPIC_OR_PARTITION
    assert list_offset(wire, "no-such-topic", LATEST)["error"] == \
        UNKNOWN_TOPIC_OR_PARTITION
    part = {"partition": 0, "leader_epoch": -1, "timestamp": LATEST}
    answer = wire.call("ListOffsets", 7, replica_id=-1,
                       topics=[{"name": topic, "partitions": [part, part]}])
    assert {p["error"] for p in answer["topics"][0]["partitions"]} == {INVALID_REQUEST}
    assert list_offset(wire, topic, -99)["error"] == UNSUPPORTED_VERSION
    assert list_offset(wire, topic, MAX_TIMESTAMP, version=5)["error"] == \
        UNSUPPORTED_VERSION
