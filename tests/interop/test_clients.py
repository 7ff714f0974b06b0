"""Real Kafka clients, with their default settings unless a test says otherwise.

Each scenario runs with each client that can do it, and checks every record: key, value,
headers, partition, offset and timestamp.  --target kafka runs all of it against a real
Apache Kafka, which shows that the tests ask for no more than Kafka gives.
"""

import itertools
import random

import pytest

import records as batches
from clients import (AIOKAFKA, ALL, ALL_CODECS, CONFLUENT, CONSUMERS, FRANZ, JAVA,
                     KAFKA_PYTHON, KAFKAJS, KCAT, ClientError)
from kafka_proxy import CUT, DROP, PASS, PRODUCE, KafkaProxy
from wire import Wire

LONG = True
NOON_MS = 1_700_000_000_000


# The client that makes or checks what another one is tested with; it starts quickest.
CHECKER = FRANZ


def each(clients):
    """Run the test with each of CLIENTS."""
    return pytest.mark.parametrize("client", clients, ids=repr)


def reader_of(client):
    """A consumer of another library than CLIENT's."""
    return {"java": FRANZ, "franz-go": CONFLUENT, "kafkajs": KAFKA_PYTHON,
            "confluent": AIOKAFKA, "kafka-python": JAVA, "aiokafka": KCAT,
            "kcat": JAVA}[client.name]


def create(bootstrap, topic, partitions=1, **configs):
    """Make a topic without the help of the clients under test."""
    with Wire(bootstrap) as wire:
        made = wire.call("CreateTopics", 4, timeout_ms=30_000, topics=[{
            "name": topic, "partitions": partitions, "replication": -1,
            "configs": [{"name": name.replace("_", "."), "value": value}
                        for name, value in configs.items()]}])
    assert made["topics"][0]["error"] == 0, made
    return topic


def simple(count, partition=0, size=0):
    """COUNT records of text, each different."""
    return [{"key": b"key-%d" % i, "value": b"value-%d " % i + b"x" * size,
             "partition": partition} for i in range(count)]


def same(sent, received, headers=True, timestamps=False):
    """Assert that RECEIVED is SENT, in the order of each partition."""
    def by_partition(records, offsets):
        result = {}
        for record in sorted(records, key=offsets):
            found = [record["key"], record["value"]]
            if headers:
                found.append(record.get("headers", []))
            if timestamps:
                found.append(record["timestamp"])
            result.setdefault(record["partition"], []).append(found)
        return result
    assert by_partition(received, lambda r: r["offset"]) == by_partition(sent, lambda r: 0)


def dense(received):
    """Assert that the offsets of each partition are 0, 1, 2 ... in order of arrival."""
    seen = {}
    for record in received:
        assert record["offset"] == seen.get(record["partition"], 0)
        seen[record["partition"]] = record["offset"] + 1


def odd_records(client):
    """Records with everything a record can have, as far as CLIENT has it."""
    if not client.full:
        # kcat: text, one partition and one list of headers a run.
        headers = [("trace", b"1"), ("trace", b"2"), ("more", "ü".encode())]
        return [{"key": None if i == 2 else b"k%d" % i, "value": b"v%d" % i,
                 "headers": headers, "partition": 1} for i in range(8)]
    values = [b"plain", b"", None, bytes(range(256)), "grüße €".encode()]
    keys = [b"key", None, b"", bytes(range(255, -1, -1))]
    # kafkajs hands headers over as an object: equal names are next to each other.
    headers = [[], [("a", b"1"), ("b", b"")], [("same", b"1"), ("same", b"2")]]
    if client.null_headers:
        headers.append([("null", None)])
    result = []
    for i, (key, value, header) in enumerate(itertools.product(keys, values, headers)):
        if key is None and value is None and client in (KAFKA_PYTHON, AIOKAFKA):
            continue
        result.append({"key": key, "value": value, "headers": header, "partition": i % 3,
                       "timestamp": NOON_MS + 1000 * i})
    return result


# Every part of a record comes back as it was sent, to the same client and to another.
@each(ALL)
def test_produce_consume(bootstrap, new_name, client):
    topic = create(bootstrap, new_name(), 3)
    sent = odd_records(client)
    results = client.produce(bootstrap, topic, sent)
    # kcat as a reader has only text.
    readers = {client if client.consumer else CHECKER,
               reader_of(client) if reader_of(client) is not KCAT else CHECKER}
    for reader in sorted(readers, key=repr):
        received = reader.consume(bootstrap, topic, len(sent), partitions=range(3))
        same(sent, received, timestamps=client.full)
        dense(received)
        assert {r["timestamp_type"] for r in received} == {"CreateTime"}
        found = {(r["partition"], r["offset"]): r["value"] for r in received}
        for result, record in zip(results, sent):
            assert found[result["partition"], result["offset"]] == record["value"]


# Tombstones by kcat, whose -Z makes null of an empty value.
def test_kcat_null_value(bootstrap, new_name):
    topic = create(bootstrap, new_name())
    KCAT.produce(bootstrap, topic, [{"key": b"k", "value": None, "partition": 0}])
    received = KCAT.consume(bootstrap, topic, 1)
    assert (received[0]["key"], received[0]["value"]) == (b"k", None)


# Each codec is stored as it was sent, and a client of another library reads it.
@each(ALL)
def test_codecs(bootstrap, new_name, client):
    topic = create(bootstrap, new_name(), len(ALL_CODECS))
    sent = []
    for codec in client.codecs:
        # Enough of it that every client finds compressing worth its while.
        part = simple(400, ALL_CODECS.index(codec), size=100)
        client.produce(bootstrap, topic, part, codec=codec)
        sent += part
    received = reader_of(client).consume(bootstrap, topic, len(sent),
                                         partitions=range(len(ALL_CODECS)))
    same(sent, received)
    dense(received)
    for codec in client.codecs:
        data = fetch_all(bootstrap, topic, ALL_CODECS.index(codec))
        found = {batch["codec"] for batch in batches.parse(data)}
        stored = codec
        if codec == "lz4" and client in (CONFLUENT, KCAT) and not serves(bootstrap, 10):
            # librdkafka sends lz4 only to a server that advertises FindCoordinator.
            stored = "none"
        assert found == {batches.CODECS[stored]}


def serves(bootstrap, api_key):
    """True if the server advertises the API."""
    with Wire(bootstrap) as wire:
        answer = wire.call("ApiVersions", 0)
    return api_key in [entry["key"] for entry in answer["keys"]]


def fetch_all(bootstrap, topic, partition):
    """The first bytes of a partition, from its leader."""
    with Wire(leader_of(bootstrap, topic, partition)) as wire:
        answer = wire.call("Fetch", 4, replica_id=-1, max_wait_ms=500, min_bytes=1,
                           max_bytes=1 << 25, topics=[{"name": topic, "partitions": [
                               {"partition": partition, "offset": 0,
                                "max_bytes": 1 << 25}]}])
    found = answer["topics"][0]["partitions"][0]
    assert found["error"] == 0
    return found["records"]


def leader_of(bootstrap, topic, partition):
    with Wire(bootstrap) as wire:
        answer = wire.call("Metadata", 8, topics=[topic])
    brokers = {b["id"]: f"{b['host']}:{b['port']}" for b in answer["brokers"]}
    return next(brokers[p["leader"]] for p in answer["topics"][0]["partitions"]
                if p["partition"] == partition)


# A record of 1 MB, which is near the largest that the defaults allow.
@each(ALL)
def test_large_record(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())
    value = random.Random(1).choices(b"abcdefghijklmnopqrstuvwxyz", k=1_000_000)
    sent = [{"key": b"large", "value": bytes(value), "partition": 0}]
    client.produce(bootstrap, topic, sent, set=client.large)
    reader = client if client.consumer else CHECKER
    same(sent, reader.consume(bootstrap, topic, 1))


# A topic of 1,000 partitions: created, listed, written and read as a whole.
def test_thousand_partitions(bootstrap, new_name):
    topic = new_name()
    CHECKER.admin(bootstrap, "create", topic=topic, partitions=1000)
    for client in ALL:
        found = client.admin(bootstrap, "describe", topic=topic)["partitions"]
        assert sorted(part["partition"] for part in found) == list(range(1000))
    sent = [{"key": b"k", "value": b"value of %d" % i, "partition": i % 1000}
            for i in range(2000)]
    CONFLUENT.produce(bootstrap, topic, sent)
    for client in (JAVA, FRANZ):
        received = client.consume(bootstrap, topic, len(sent), partitions=range(1000))
        same(sent, received)
        dense(received)


class Breaker:
    """Breaks produce connections: after the broker has the records, or before."""

    def __init__(self, seed, limit):
        self.random = random.Random(seed)
        self.limit = limit
        self.left = 3
        self.broken = 0

    def __call__(self, direction, api_key, version, frame):
        if api_key != PRODUCE or self.broken == self.limit:
            return PASS
        self.left -= 1
        if self.left > 0:
            return PASS
        self.left = self.random.randint(3, 12)
        self.broken += 1
        return DROP if self.random.random() < 0.7 else CUT


# An idempotent producer loses nothing, doubles nothing and keeps its order while its
# connections break, with answers lost and requests cut in the middle.
@each([JAVA, FRANZ, CONFLUENT, KAFKA_PYTHON, AIOKAFKA])
def test_idempotent_through_kills(bootstrap, new_name, client):
    topic = create(bootstrap, new_name(), 2)
    sent = [{"key": b"%d" % i, "value": b"%d" % i + b"." * 200, "partition": i % 2}
            for i in range(3000)]
    small = {"java": {"batch.size": 2000}, "franz-go": {"batch_max_bytes": 2000},
             "confluent": {"batch.num.messages": 10},
             "kafka-python": {"batch_size": 2000}, "aiokafka": {"max_batch_size": 2000}}
    breaker = Breaker(7, limit=12)
    with KafkaProxy(bootstrap, judge=breaker) as proxy:
        results = client.produce(proxy.bootstrap, topic, sent, idempotent="true",
                                 set=small[client.name])
    assert breaker.broken == 12
    received = CHECKER.consume(bootstrap, topic, len(sent), partitions=range(2))
    same(sent, received)
    dense(received)
    assert len(results) == len(sent)
    ends = CHECKER.offsets(bootstrap, topic, -1, partitions=range(2))
    assert ends == [len(sent) // 2] * 2


# Five requests in flight on one connection keep their order.
@each([JAVA, CONFLUENT, KAFKA_PYTHON, KAFKAJS, FRANZ])
def test_five_in_flight(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())
    sent = simple(600, size=300)
    small = {"java": {"batch.size": 2000}, "confluent": {"batch.num.messages": 10},
             "kafka-python": {"batch_size": 2000}, "franz-go": {"batch_max_bytes": 2000}}
    extra = {"batch": 20} if client is KAFKAJS else {}
    client.produce(bootstrap, topic, sent, in_flight=5, set=small.get(client.name, {}),
                   **extra)
    received = CHECKER.consume(bootstrap, topic, len(sent))
    same(sent, received)
    dense(received)


# acks 0 and 1 are served, too.
@each(ALL)
@pytest.mark.parametrize("acks", ["0", "1"])
def test_acks(bootstrap, new_name, client, acks):
    topic = create(bootstrap, new_name())
    sent = simple(20)
    # A producer with idempotence on by default must be told.
    off = "false" if client in (JAVA, KAFKA_PYTHON) else None
    client.produce(bootstrap, topic, sent, acks=acks, idempotent=off)
    same(sent, CHECKER.consume(bootstrap, topic, len(sent)))


# Offsets by time: the first record at or after a time, the ends, the largest timestamp.
@each(ALL)
def test_offsets_by_time(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())
    times = [NOON_MS + 1000 * n for n in (1, 2, 5, 9, 7, 8)]
    CHECKER.produce(bootstrap, topic, [{"key": b"k", "value": b"v", "timestamp": t,
                                     "partition": 0} for t in times])
    assert client.offsets(bootstrap, topic, NOON_MS) == [0]
    assert client.offsets(bootstrap, topic, NOON_MS + 2000) == [1]
    assert client.offsets(bootstrap, topic, NOON_MS + 2001) == [2]
    assert client.offsets(bootstrap, topic, NOON_MS + 6000) == [3]
    assert client.offsets(bootstrap, topic, NOON_MS + 8500) == [3]
    assert client.offsets(bootstrap, topic, -2) == [0]
    assert client.offsets(bootstrap, topic, -1) == [6]
    if client in (JAVA, FRANZ, CONFLUENT, KAFKA_PYTHON):
        assert client.offsets(bootstrap, topic, -3) == [3]


# On a topic with message.timestamp.type LogAppendTime the server's time counts.
@each(CONSUMERS)
def test_log_append_time(bootstrap, new_name, client):
    topic = create(bootstrap, new_name(), message_timestamp_type="LogAppendTime")
    CHECKER.produce(bootstrap, topic, [{"key": b"k", "value": b"v", "timestamp": NOON_MS}])
    received = client.consume(bootstrap, topic, 1)[0]
    assert received["timestamp_type"] == "LogAppendTime"
    assert received["timestamp"] > NOON_MS


# A consumer that waits at the end is woken by what another client produces.
@each(CONSUMERS)
def test_waiting_consumer(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())
    waiting = client.start_consume(bootstrap, topic, 3, **{"from": 0})
    waiting.wait_polling()
    sent = simple(3)
    CONFLUENT.produce(bootstrap, topic, sent)
    same(sent, waiting.records())


# A consumer can begin at any offset, also within a batch.
@each(CONSUMERS)
def test_consume_from_offset(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())
    sent = simple(50)
    CHECKER.produce(bootstrap, topic, sent, codec="lz4", linger_ms=200)
    received = client.consume(bootstrap, topic, 13, **{"from": 37})
    assert [r["offset"] for r in received] == list(range(37, 50))
    same(sent[37:], received)


# An offset past the end is told to a consumer that has no reset policy.
@each([JAVA, KAFKA_PYTHON, CONFLUENT])
def test_offset_out_of_range(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())
    CHECKER.produce(bootstrap, topic, simple(3))
    with pytest.raises(ClientError) as refused:
        client.consume(bootstrap, topic, 1, timeout_ms=30_000, **{"from": 99})
    assert refused.value.name != "INCOMPLETE"


# A topic that does not exist comes into being when a producer names it.
@each(ALL)
def test_auto_creation(bootstrap, new_name, client):
    topic = new_name()
    sent = simple(5)
    client.produce(bootstrap, topic, sent)
    same(sent, CHECKER.consume(bootstrap, topic, len(sent)))


# ---- administration ----

ADMINS = [client for client in ALL if client.admin_level != "read"]


def refused(client, bootstrap, operation, **options):
    """The name of the error that an operation must end with."""
    if client is KAFKAJS:
        # Some of Kafka's errors it takes for passing ones, and tries for minutes.
        options["set"] = {"retries": 1}
    with pytest.raises(ClientError) as error:
        client.admin(bootstrap, operation, **options)
    return error.value.name


# Topics: created with partitions and configs, refused when they exist or are bad.
@each(ADMINS)
def test_create_topics(bootstrap, new_name, client):
    topic = new_name()
    client.admin(bootstrap, "create", topic=topic, partitions=3,
                 config={"retention.ms": "123456789", "cleanup.policy": "compact"})
    assert topic in client.admin(bootstrap, "list")["topics"]
    found = client.admin(bootstrap, "describe", topic=topic)
    assert [part["partition"] for part in found["partitions"]] == [0, 1, 2]
    configs = client.admin(bootstrap, "configs", topic=topic)["configs"]
    assert configs["retention.ms"]["value"] == "123456789"
    assert configs["cleanup.policy"]["value"] == "compact"
    assert configs["max.message.bytes"]["value"] == "1048588"

    def bad(**options):
        return refused(client, bootstrap, "create", **{"topic": new_name(),
                                                       "partitions": 1, **options})
    assert bad(topic=topic) == "TOPIC_ALREADY_EXISTS"
    assert bad(topic="bad name!") == "INVALID_TOPIC_EXCEPTION"
    assert bad(config={"no.such.config": "1"}) == "INVALID_CONFIG"
    assert bad(config={"retention.ms": "soon"}) == "INVALID_CONFIG"
    if client in (JAVA, FRANZ):
        assert bad(partitions=0) == "INVALID_PARTITIONS"


# Deleting: the topic goes, and one of the same name made again is empty.
@each(ADMINS)
def test_delete_and_recreate(bootstrap, new_name, client):
    topic = new_name()
    client.admin(bootstrap, "create", topic=topic, partitions=1)
    client.produce(bootstrap, topic, simple(5))
    client.admin(bootstrap, "delete", topic=topic)
    assert refused(client, bootstrap, "delete", topic=topic) == "UNKNOWN_TOPIC_OR_PARTITION"
    assert topic not in client.admin(bootstrap, "list")["topics"]
    client.admin(bootstrap, "create", topic=topic, partitions=1)
    assert CHECKER.offsets(bootstrap, topic, -1) == [0]
    sent = simple(2)
    client.produce(bootstrap, topic, sent)
    received = CHECKER.consume(bootstrap, topic, 2)
    same(sent, received)
    dense(received)


# Partitions can be added, never taken away; the new ones can be used at once.
@each(ADMINS)
def test_create_partitions(bootstrap, new_name, client):
    topic = create(bootstrap, new_name(), 2)
    client.produce(bootstrap, topic, simple(3, partition=1))
    client.admin(bootstrap, "partitions", topic=topic, count=5)
    assert len(client.admin(bootstrap, "describe", topic=topic)["partitions"]) == 5
    client.produce(bootstrap, topic, simple(3, partition=4))
    same(simple(3, 1) + simple(3, 4),
         CHECKER.consume(bootstrap, topic, 6, partitions=range(5)))
    for count in (5, 2):
        assert refused(client, bootstrap, "partitions", topic=topic,
                       count=count) == "INVALID_PARTITIONS"
    assert refused(client, bootstrap, "partitions", topic=new_name(),
                   count=3) == "UNKNOWN_TOPIC_OR_PARTITION"


# Configs: set, read back, taken back to the default, refused when bad.
@each(ADMINS)
def test_alter_configs(bootstrap, new_name, client):
    topic = create(bootstrap, new_name())

    def value(name):
        return client.admin(bootstrap, "configs", topic=topic)["configs"][name]["value"]
    assert value("retention.ms") == "604800000"
    client.admin(bootstrap, "alter", topic=topic, config={"retention.ms": "1000000"})
    assert value("retention.ms") == "1000000"
    client.admin(bootstrap, "alter", topic=topic, config={"segment.ms": "3600000"})
    assert value("segment.ms") == "3600000"
    # IncrementalAlterConfigs adds; AlterConfigs replaces all that was set.
    kept = client.admin_level == "all"
    assert value("retention.ms") == ("1000000" if kept else "604800000")
    if kept:
        client.admin(bootstrap, "alter", topic=topic, delete="retention.ms")
        assert value("retention.ms") == "604800000"
    for bad in ({"retention.ms": "soon"}, {"no.such.config": "1"}):
        assert refused(client, bootstrap, "alter", topic=topic,
                       config=bad) == "INVALID_CONFIG"


# The cluster as clients see it: its brokers are where the clients were sent to.
@each(ALL)
def test_cluster(cluster, client):
    found = client.admin(cluster.bootstrap, "cluster")
    brokers = {b["id"]: (b["host"], b["port"]) for b in found["brokers"]}
    assert found["controller"] in brokers
    assert len(brokers) == len(cluster.bootstraps)
    assert {port for _, port in brokers.values()} == {
        int(address.rpartition(":")[2]) for address in cluster.bootstraps}


# An unknown topic is an error to whoever describes it, and is not made by that.
@each([JAVA, FRANZ, CONFLUENT, KAFKA_PYTHON])
def test_describe_unknown(bootstrap, new_name, client):
    topic = new_name()
    assert refused(client, bootstrap, "describe",
                   topic=topic) == "UNKNOWN_TOPIC_OR_PARTITION"
    assert topic not in CHECKER.admin(bootstrap, "list")["topics"]


