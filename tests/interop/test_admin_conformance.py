"""What the admin APIs answer, side by side with a real Apache Kafka (--target kafka).

Where the two differ because Weft has no leaders, no disks and no replicas, both answers
stand in the test, with the reason.
"""

import gzip
import time

import pytest

import records
import test_conformance as conformance
import wire_admin  # noqa: F401
from test_conformance import (  # noqa: F401
    BROKER, EARLIEST, INVALID_CONFIG, INVALID_REQUEST, LATEST, MAX_TIMESTAMP, NONE,
    OFFSET_OUT_OF_RANGE, TOPIC, UNKNOWN_TOPIC_OR_PARTITION, fetch, list_offset, make,
    metadata, other, produce, topic, until, wire)
from wire import Wire

GROUP, CLIENT_METRICS, BROKER_LOGGER = 32, 16, 8
INVALID_REPLICA_ASSIGNMENT = 39
UNSUPPORTED_VERSION = 35
POLICY_VIOLATION = 44
LOG_DIR_NOT_FOUND = 57
ELECTION_NOT_NEEDED = 84
NO_REASSIGNMENT_IN_PROGRESS = 85
INVALID_UPDATE_VERSION = 95
NOON_MS = 1_700_000_000_000


def put(wire, topic, count, partition=0, **options):
    """COUNT records of one batch each."""
    for i in range(count):
        answer = produce(wire, topic, records.batch(
            [b"v%d" % i], timestamp=NOON_MS + i, **options), partition=partition)
        assert answer["error"] == NONE


def new_producer(wire):
    return wire.call("InitProducerId", 1, transactional_id=None,
                     timeout_ms=1000)["producer_id"]


def delete(wire, topic, offset, partition=0):
    answer = wire.call("DeleteRecords", 2, timeout_ms=30_000, topics=[
        {"name": topic, "partitions": [{"index": partition, "offset": offset}]}])
    part = answer["topics"][0]["partitions"][0]
    return part["error"], part["low_watermark"]


# ---- DeleteRecords (kafka.md section 6, item 28) ----

# 28: the log begins where it was cut; a start never goes back; ListOffsets and Fetch, also of
# another broker, see it.
def test_delete_records(wire, other, topic):
    put(wire, topic, 5)
    assert delete(wire, topic, 3) == (NONE, 3)
    assert delete(wire, topic, 1) == (NONE, 3)
    assert list_offset(wire, topic, EARLIEST)["offset"] == 3
    assert fetch(wire, topic, 2)["error"] == OFFSET_OUT_OF_RANGE
    until(lambda: fetch(other, topic, 2, max_wait_ms=0)["error"], OFFSET_OUT_OF_RANGE)
    got = fetch(wire, topic, 3)
    assert (got["error"], got["log_start"], got["high_watermark"]) == (NONE, 3, 5)
    assert got["records"]


# 28: -1 is the high watermark; the log goes on from there.
def test_delete_all_records(wire, topic):
    put(wire, topic, 3)
    assert delete(wire, topic, -1) == (NONE, 3)
    assert list_offset(wire, topic, EARLIEST)["offset"] == 3
    assert list_offset(wire, topic, LATEST)["offset"] == 3
    assert not fetch(wire, topic, 3, max_wait_ms=0)["records"]
    put(wire, topic, 1)
    assert list_offset(wire, topic, LATEST)["offset"] == 4
    assert fetch(wire, topic, 3)["records"]


# 28: out of range is 1, an unknown partition or topic 3, a compacted topic 44.
@pytest.mark.parametrize("offset, error", [(4, OFFSET_OUT_OF_RANGE),
                                           (-2, OFFSET_OUT_OF_RANGE), (0, NONE)])
def test_delete_records_range(wire, topic, offset, error):
    put(wire, topic, 3)
    assert delete(wire, topic, offset) == (error, -1 if error else 0)


def test_delete_records_refused(wire, topic, new_name):
    assert delete(wire, topic, 0, partition=7) == (UNKNOWN_TOPIC_OR_PARTITION, -1)
    assert delete(wire, new_name(), 0) == (UNKNOWN_TOPIC_OR_PARTITION, -1)
    compacted = make(wire, new_name(), cleanup_policy="compact")
    assert delete(wire, compacted, 0) == (POLICY_VIOLATION, -1)


# 18 and 28: a producer goes on after its records were deleted.
def test_delete_records_keeps_sequences(wire, topic):
    producer = new_producer(wire)
    for sequence in range(3):
        assert produce(wire, topic, records.batch(
            producer_id=producer, producer_epoch=0, base_sequence=sequence))["error"] == NONE
    assert delete(wire, topic, -1) == (NONE, 3)
    answer = produce(wire, topic, records.batch(
        producer_id=producer, producer_epoch=0, base_sequence=3))
    assert (answer["error"], answer["base_offset"]) == (NONE, 3)


# 27: times are looked for from the log's start on, also within a batch; the greatest too,
# for which Kafka names a record that was deleted.
def test_times_after_delete_records(wire, topic, target):
    assert produce(wire, topic, records.batch(
        [b"1", b"2"], timestamps=[NOON_MS + 900, NOON_MS + 100]))["error"] == NONE
    put(wire, topic, 2)
    assert delete(wire, topic, 1) == (NONE, 1)
    assert list_offset(wire, topic, NOON_MS)["offset"] == 1
    assert list_offset(wire, topic, NOON_MS + 500)["offset"] == -1
    assert list_offset(wire, topic, MAX_TIMESTAMP)["offset"] == (target == "weft")


# ---- log directories ----

def sizes(addresses, topics):
    """What all brokers together say of partitions' sizes, and how often each is told."""
    found = {}
    for address in addresses:
        with Wire(address) as connection:
            answer = connection.call("DescribeLogDirs", 4, topics=topics)
        assert answer["error"] == NONE
        assert len(answer["dirs"]) == 1
        for entry in answer["dirs"][0]["topics"]:
            for part in entry["partitions"]:
                found.setdefault((entry["name"], part["index"]), []).append(part["size"])
    return found


# Each partition is told once by all brokers together, with the bytes that it takes; what was
# deleted is not counted any more (Kafka: after a while, by segments, and not in this test).
def test_log_dirs(cluster, wire, new_name, target):
    name = make(wire, new_name(), partitions=3)
    put(wire, name, 2, partition=1)
    asked = [{"name": name, "partitions": [0, 1, 2]}]
    found = sizes(cluster.bootstraps, asked)
    assert sorted(found) == [(name, 0), (name, 1), (name, 2)]
    assert all(len(told) == 1 for told in found.values())
    assert found[name, 0] == [0] and found[name, 1][0] > 100
    assert set(found) <= set(sizes(cluster.bootstraps, None))
    if target == "weft":
        delete(wire, name, -1, partition=1)
        assert sizes(cluster.bootstraps, asked)[name, 1] == [0]


# A directory that is none is 57 for every partition, known or not.
def test_alter_log_dirs(wire, topic, new_name):
    answer = wire.call("AlterReplicaLogDirs", 2, dirs=[
        {"path": "/no/such/dir", "topics": [{"name": topic, "partitions": [0]},
                                            {"name": new_name(), "partitions": [0]}]}])
    assert [part["error"] for entry in answer["topics"]
            for part in entry["partitions"]] == [LOG_DIR_NOT_FOUND] * 2


# ---- producers ----

def producers(wire, topic, partition=0):
    answer = wire.call("DescribeProducers", 0,
                       topics=[{"name": topic, "partitions": [partition]}])
    return answer["topics"][0]["partitions"][0]


# A producer is told with its epoch, last sequence and time; an unknown partition is 3.
def test_describe_producers(wire, other, topic, new_name):
    assert producers(wire, topic)["producers"] == []
    producer = new_producer(wire)
    for sequence in range(2):
        produce(wire, topic, records.batch(producer_id=producer, producer_epoch=0,
                                           base_sequence=sequence))
    put(wire, topic, 1)
    got = producers(other, topic)
    assert got["error"] == NONE and len(got["producers"]) == 1
    found = got["producers"][0]
    assert (found["id"], found["epoch"], found["sequence"], found["txn_start"]) == \
        (producer, 0, 1, -1)
    assert found["timestamp"] == NOON_MS
    assert producers(wire, topic, partition=9)["error"] == UNKNOWN_TOPIC_OR_PARTITION
    assert producers(wire, new_name())["error"] == UNKNOWN_TOPIC_OR_PARTITION


# ---- leaders and reassignments ----

def elect(wire, topics, kind=0):
    answer = wire.call("ElectLeaders", 2, type=kind, topics=topics, timeout_ms=30_000)
    return answer["error"], [part["error"] for entry in answer["topics"] or []
                             for part in entry["partitions"]]


# Whoever leads is preferred: 84, of all (null) nothing; unknown ones are 3.
def test_elect_leaders(wire, topic, new_name):
    for kind in (0, 1):
        assert elect(wire, [{"name": topic, "partitions": [0, 5]}], kind) == \
            (NONE, [ELECTION_NOT_NEEDED, UNKNOWN_TOPIC_OR_PARTITION])
    assert elect(wire, [{"name": new_name(), "partitions": [0]}]) == \
        (NONE, [UNKNOWN_TOPIC_OR_PARTITION])
    assert elect(wire, None) == (NONE, [])


def reassign(wire, topic, replicas, partition=0):
    answer = wire.call("AlterPartitionReassignments", 1, timeout_ms=30_000,
                       change_factor=True, topics=[{"name": topic, "partitions": [
                           {"index": partition, "replicas": replicas}]}])
    assert answer["error"] == NONE
    return answer["topics"][0]["partitions"][0]["error"]


# Nothing is ever under way: cancelling is 85, listing is empty; to assign what is assigned
# is no error; brokers that do not exist, none, or one twice is 39.
def test_reassignments(wire, topic, new_name):
    leader = metadata(wire, [topic])["topics"][0]["partitions"][0]["leader"]
    assert reassign(wire, topic, None) == NO_REASSIGNMENT_IN_PROGRESS
    assert reassign(wire, topic, [leader]) == NONE
    assert reassign(wire, topic, []) == INVALID_REPLICA_ASSIGNMENT
    assert reassign(wire, topic, [leader, leader]) == INVALID_REPLICA_ASSIGNMENT
    assert reassign(wire, topic, [999_999]) == INVALID_REPLICA_ASSIGNMENT
    assert reassign(wire, topic, [leader], partition=5) == UNKNOWN_TOPIC_OR_PARTITION
    assert reassign(wire, new_name(), [leader]) == UNKNOWN_TOPIC_OR_PARTITION
    for topics in (None, [{"name": topic, "partitions": [0]}]):
        answer = wire.call("ListPartitionReassignments", 0, timeout_ms=30_000,
                           topics=topics)
        assert (answer["error"], answer["topics"]) == (NONE, [])


# ---- the quorum ----

# The one log of the controllers, with its leader among the voters; anything else is 3.
def test_describe_quorum(wire):
    answer = wire.call("DescribeQuorum", 2, topics=[
        {"name": "__cluster_metadata", "partitions": [{"index": 0}]}])
    part = answer["topics"][0]["partitions"][0]
    assert (answer["error"], part["error"]) == (NONE, NONE)
    assert part["leader"] in [voter["id"] for voter in part["voters"]]
    assert part["epoch"] > 0 and part["high_watermark"] > 0
    leader = [voter for voter in part["voters"] if voter["id"] == part["leader"]][0]
    assert leader["end"] >= part["high_watermark"]
    assert abs(leader["caught_up"] - time.time() * 1000) < 60_000
    assert {node["id"] for node in answer["nodes"]} >= {v["id"] for v in part["voters"]}
    for topics in ([{"name": "__cluster_metadata", "partitions": [{"index": 1}]}],
                   [{"name": "x", "partitions": [{"index": 0}]}]):
        answer = wire.call("DescribeQuorum", 2, topics=topics)
        assert answer["topics"][0]["partitions"][0]["error"] == UNKNOWN_TOPIC_OR_PARTITION


# ---- features ----

# A feature that is not there is 95; the one that is finalized can be set to its level.
def test_update_features(wire):
    answer = wire.call("UpdateFeatures", 1, timeout_ms=30_000, validate_only=True,
                       updates=[{"feature": "nonsense", "level": 1, "type": 1}])
    error = answer["error"] or answer["results"][0]["error"]
    assert error == INVALID_UPDATE_VERSION
    answer = wire.call("UpdateFeatures", 2, timeout_ms=30_000, validate_only=True,
                       updates=[{"feature": "nonsense", "level": 1, "type": 1}])
    assert answer["error"] == INVALID_UPDATE_VERSION
    answer = wire.call("UpdateFeatures", 2, timeout_ms=30_000, validate_only=True,
                       updates=[{"feature": "group.version", "level": 1, "type": 1}])
    assert answer["error"] == NONE


# ---- settings of brokers and groups ----

def describe(wire, kind, name, keys=None):
    answer = wire.call("DescribeConfigs", 2, synonyms=True, resources=[
        {"type": kind, "name": name, "keys": keys}])
    found = answer["resources"][0]
    return found["error"], {entry["name"]: entry for entry in found["configs"]}


def alter(wire, kind, name, key, value, op=0, validate_only=False):
    answer = wire.call("IncrementalAlterConfigs", 0, validate_only=validate_only,
                       resources=[{"type": kind, "name": name, "configs": [
                           {"name": key, "operation": op, "value": value}]}])
    return answer["resources"][0]["error"]


# A default of all brokers is listed with its source on every broker and topic, acts on
# topics that have no value of their own, and goes.
def test_broker_defaults(wire, other, topic):
    broker = str(metadata(wire, [])["controller"])
    try:
        assert alter(wire, BROKER, "", "message.max.bytes", "300") == NONE
        until(lambda: describe(other, TOPIC, topic)[1]["max.message.bytes"]["value"],
              "300")
        found = describe(other, TOPIC, topic)[1]["max.message.bytes"]
        assert found["source"] == 3  # DYNAMIC_DEFAULT_BROKER_CONFIG
        assert describe(other, BROKER, "")[1]["message.max.bytes"]["value"] == "300"
        until(lambda: produce(wire, topic, records.batch(
            [b"v" * 400]))["error"], conformance.MESSAGE_TOO_LARGE)
        assert produce(wire, topic, records.batch())["error"] == NONE
        entry = describe(wire, BROKER, broker)[1]["message.max.bytes"]
        assert (entry["value"], entry["source"]) == ("300", 3)
    finally:
        assert alter(wire, BROKER, "", "message.max.bytes", None, op=1) == NONE
    until(lambda: describe(other, TOPIC, topic)[1]["max.message.bytes"]["value"],
          "1048588")
    assert "message.max.bytes" not in describe(other, BROKER, "")[1]


@pytest.mark.parametrize("key, value", [("message.max.bytes", "x"),
                                        ("message.max.bytes", "-1"),
                                        ("log.message.timestamp.type", "sometimes")])
def test_bad_broker_values(wire, key, value):
    assert alter(wire, BROKER, "", key, value) in (INVALID_CONFIG, INVALID_REQUEST)


# A group's settings: any group may be asked for; a set one is listed with source 8 and by
# ListConfigResources; out of bounds and unknown names are 40; the empty name is 42.
def test_group_settings(wire, other, new_name):
    group = new_name()
    error, found = describe(wire, GROUP, group)
    assert error == NONE
    assert found["consumer.session.timeout.ms"]["value"] == "45000"
    assert found["consumer.heartbeat.interval.ms"]["value"] == "5000"
    assert alter(wire, GROUP, group, "consumer.session.timeout.ms", "50000") == NONE
    until(lambda: describe(other, GROUP, group)[1]["consumer.session.timeout.ms"]["value"],
          "50000")
    assert describe(other, GROUP, group)[1]["consumer.session.timeout.ms"]["source"] == 8
    listed = other.call("ListConfigResources", 1, types=[GROUP])
    assert {"name": group, "type": GROUP} in listed["resources"]
    assert alter(wire, GROUP, group, "consumer.session.timeout.ms", "1") == INVALID_CONFIG
    assert alter(wire, GROUP, group, "no.such.name", "1") == INVALID_CONFIG
    assert alter(wire, GROUP, "", "consumer.session.timeout.ms", "50000") == \
        INVALID_REQUEST
    assert describe(wire, GROUP, "")[0] == INVALID_REQUEST
    assert alter(wire, GROUP, group, "consumer.session.timeout.ms", None, op=1) == NONE
    until(lambda: describe(other, GROUP, group)[1]["consumer.session.timeout.ms"]["value"],
          "45000")


# Version 0 tells of client metrics, of which there are none; later ones of what is asked.
def test_list_config_resources(wire, topic):
    assert wire.call("ListConfigResources", 0)["resources"] == []
    answer = wire.call("ListConfigResources", 1, types=[TOPIC])
    assert {"name": topic, "type": TOPIC} in answer["resources"]
    assert all(entry["type"] == TOPIC for entry in answer["resources"])
    everything = wire.call("ListConfigResources", 1, types=[])["resources"]
    assert {TOPIC, BROKER, BROKER_LOGGER} <= {entry["type"] for entry in everything}
    assert wire.call("ListConfigResources", 1, types=[99])["error"] == UNSUPPORTED_VERSION


# A broker's loggers: Kafka has many, Weft one; the root's level is told and can be set.
def test_broker_loggers(wire):
    broker = str(metadata(wire, [])["controller"])
    error, found = describe(wire, BROKER_LOGGER, broker)
    assert error == NONE and found["root"]["value"] == "INFO"
    assert found["root"]["source"] == 6  # DYNAMIC_BROKER_LOGGER_CONFIG
    assert alter(wire, BROKER_LOGGER, broker, "root", "WARN") == NONE
    until(lambda: describe(wire, BROKER_LOGGER, broker)[1]["root"]["value"], "WARN")
    assert alter(wire, BROKER_LOGGER, broker, "root", "INFO") == NONE
    assert alter(wire, BROKER_LOGGER, broker, "no.such.logger", "WARN") == INVALID_CONFIG
    assert alter(wire, BROKER_LOGGER, broker, "root", "LOUD") == INVALID_CONFIG
    assert alter(wire, BROKER_LOGGER, "", "root", "WARN") == INVALID_REQUEST


# What only Weft has: settings of the agents that act at once, of one or of all.
def test_agent_settings(wire, other, target, new_name):
    if target != "weft":
        pytest.skip("Kafka does not know these names")
    assert alter(wire, BROKER, "", "num.partitions", "3") == NONE
    try:
        until(lambda: describe(other, BROKER, "")[1].get("num.partitions", {}).get("value"),
              "3")
        name = new_name()
        assert conformance.create_error(other, name, partitions=-1) == NONE
        assert len(metadata(wire, [name])["topics"][0]["partitions"]) == 3
    finally:
        assert alter(wire, BROKER, "", "num.partitions", None, op=1) == NONE

    def lasts():
        start = time.monotonic()
        assert produce(wire, name, records.batch())["error"] == NONE
        return time.monotonic() - start
    assert alter(wire, BROKER, "", "weft.flush.interval.ms", "1500") == NONE
    try:
        until(lambda: lasts() > 1.3, True)
    finally:
        assert alter(wire, BROKER, "", "weft.flush.interval.ms", None, op=1) == NONE
    until(lambda: lasts() < 1.3, True)
    broker = str(metadata(wire, [])["controller"])
    assert alter(wire, BROKER, broker, "weft.log.level", "debug") == NONE
    assert alter(wire, BROKER, broker, "weft.log.level", None, op=1) == NONE
    assert alter(wire, BROKER, broker, "message.max.bytes", "300") == INVALID_CONFIG
    assert alter(wire, BROKER, "999", "weft.log.level", "debug") == INVALID_REQUEST
    assert alter(wire, BROKER, "", "weft.log.level", "loud") == INVALID_CONFIG
    assert alter(wire, BROKER, "", "no.such.name", "1") == INVALID_CONFIG


# ---- topics' settings that act on a produce ----

# compression.type: what is stored is in the topic's codec, whatever was sent.
@pytest.mark.parametrize("wanted, codec", [("gzip", 1), ("snappy", 2), ("lz4", 3),
                                           ("zstd", 4), ("uncompressed", 0)])
def test_compression_type(wire, new_name, wanted, codec):
    name = make(wire, new_name(), compression_type=wanted)
    record = records.record(b"k", b"v" * 200)
    for payload, attributes in ((record, 0), (gzip.compress(record), 1)):
        data = records.batch(payload=payload, attributes=attributes)
        assert produce(wire, name, data)["error"] == NONE
    got = fetch(wire, name, 0)["records"]
    codecs = []
    while got:
        size = int.from_bytes(got[8:12], "big") + 12
        codecs.append(int.from_bytes(got[21:23], "big") & 7)
        got = got[size:]
    assert codecs == [codec] * 2


# min.insync.replicas is accepted, and never more than there are replicas.
def test_min_insync_replicas(wire, new_name):
    name = make(wire, new_name(), min_insync_replicas="2")
    assert produce(wire, name, records.batch())["error"] == NONE


# ---- quotas ----

# Stored, and not advertised until somebody is held to them; Kafka holds them and says so.
def test_client_quotas(wire, other, target, new_name):
    advertised = {entry["key"] for entry in wire.call("ApiVersions", 0)["keys"]}
    assert ({48, 49} <= advertised) == (target == "kafka")
    assert {71, 72} & advertised == set()
    user = new_name()
    entity = [{"type": "user", "name": user}]

    def alter_quota(key, value, remove=False, entity=entity):
        answer = wire.call("AlterClientQuotas", 1, validate_only=False, entries=[
            {"entity": entity, "ops": [{"key": key, "value": value, "remove": remove}]}])
        return answer["entries"][0]["error"]

    def quotas():
        answer = other.call("DescribeClientQuotas", 1, strict=True, components=[
            {"type": "user", "match": 0, "name": user}])
        return [{value["key"]: value["value"] for value in entry["values"]}
                for entry in answer["entries"]]
    assert quotas() == []
    assert alter_quota("producer_byte_rate", 1024.0) == NONE
    assert alter_quota("request_percentage", 12.5) == NONE
    until(quotas, [{"producer_byte_rate": 1024.0, "request_percentage": 12.5}])
    assert alter_quota("nonsense", 1.0) == INVALID_REQUEST
    assert alter_quota("producer_byte_rate", 1.5) == INVALID_REQUEST
    assert alter_quota("producer_byte_rate", -1.0) == INVALID_REQUEST
    assert alter_quota("connection_creation_rate", 5.0) == INVALID_REQUEST
    assert alter_quota("producer_byte_rate", 1.0, entity=[]) == INVALID_REQUEST
    assert alter_quota("producer_byte_rate", 0.0, remove=True) == NONE
    assert alter_quota("request_percentage", 0.0, remove=True) == NONE
    until(quotas, [])


# ---- crashes ----

# I4, I11: a log's start, settings and quotas survive kill -9 of every process at once.
def test_everything_survives(new_cluster, target):
    if target != "weft":
        pytest.skip("about Weft's processes")
    cluster = new_cluster()
    with Wire(cluster.bootstraps[0]) as first:
        make(first, "kept")
        put(first, "kept", 5)
        assert delete(first, "kept", 3) == (NONE, 3)
        assert alter(first, GROUP, "g", "consumer.session.timeout.ms", "50000") == NONE
        assert alter(first, BROKER, "", "num.partitions", "3") == NONE
    names = list(cluster.status())
    for name in names:
        cluster.kill(name)
    for name in sorted(names, key=lambda name: "agent" in name):
        cluster.start(name)
    with Wire(cluster.bootstraps[-1]) as last:
        until(lambda: list_offset(last, "kept", EARLIEST)["offset"], 3)
        assert list_offset(last, "kept", LATEST)["offset"] == 5
        assert fetch(last, "kept", 2)["error"] == OFFSET_OUT_OF_RANGE
        assert fetch(last, "kept", 3)["records"]
        assert describe(last, BROKER, "")[1]["num.partitions"]["value"] == "3"
        assert describe(last, GROUP, "g")[1]["consumer.session.timeout.ms"]["value"] \
            == "50000"
        put(last, "kept", 1)
        assert delete(last, "kept", -1) == (NONE, 6)
