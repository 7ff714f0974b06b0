"""Kafka's own command-line tools, each with its common options and without a stack trace.

--target kafka runs all of it against a real Apache Kafka.
"""

import datetime
import json
import re
import time

import pytest

from confluent_kafka import Consumer

from kafka_tools import TOOLS, KafkaTools, find_trace


@pytest.fixture(scope="module")
def tools(bootstrap):
    with KafkaTools(bootstrap) as tools:
        yield tools


def create(tools, topic, partitions=3, *more):
    tools.run("topics", "--create", "--topic", topic, "--partitions", partitions, *more)
    return topic


def fill(tools, topic, count=30, start=0):
    """COUNT records, spread by their keys."""
    lines = "".join(f"key-{i}:value-{i}\n" for i in range(start, start + count))
    tools.run("console-producer", "--topic", topic, "--reader-property", "parse.key=true",
              "--reader-property", "key.separator=:", text=lines)


def ends(tools, topic, *more):
    """{partition: offset} as get-offsets says."""
    done = tools.run("get-offsets", "--topic", topic, *more)
    return {int(p): int(o) for p, o in re.findall(rf"^{topic}:(\d+):(\d+)$", done.out, re.M)}


def consume(tools, topic, group, count, *more):
    """COUNT values by the console consumer in GROUP, which commits when it ends."""
    done = tools.run("console-consumer", "--topic", topic, "--group", group,
                     "--from-beginning", "--max-messages", count, "--timeout-ms", 20_000,
                     *more)
    return re.findall(r"^value-\d+$", done.out, re.M)


@pytest.fixture
def group(tools, new_name):
    """A topic of three partitions and a group that has read twenty of its thirty records."""
    topic = create(tools, new_name())
    fill(tools, topic)
    group = f"{topic}-group"
    assert len(consume(tools, topic, group, 20)) == 20
    return topic, group


class Member:
    """A consumer that is in a group while a tool looks at it."""

    def __init__(self, bootstrap, topic, group, **config):
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group,
                                  "client.id": "member", "log_level": 0, **config})
        self.consumer.subscribe([topic])
        until = time.monotonic() + 30
        while not self.consumer.assignment():
            assert time.monotonic() < until, "no assignment"
            self.consumer.poll(0.1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()


# A trace is recognised, and text with "at" is not one.
def test_find_trace():
    assert find_trace("Error: x\n\tat a.b.C.main(C.java:17)\n") == "at a.b.C.main(C.java:17)"
    assert find_trace("\tat java.base/java.lang.Thread.run(Thread.java:840)\n")
    assert find_trace("java.lang.Exception\n    at A$B.<init>(Unknown Source)\n") is None
    assert find_trace("one at a time (or two)\n at noon\n") is None


# Every tool shows its help.
@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_help(tools, tool):
    done = tools.run(tool, "--help", server=False, exit=None)
    assert len(done.out) > 100
    assert done.exit in (0, 1, None)


def test_topics(tools, new_name):
    topic = create(tools, new_name(), 3, "--config", "retention.ms=3600000",
                   "--replication-factor", 1)
    assert topic in tools.run("topics", "--list").out.split()
    assert "PartitionCount: 3" in tools.run("topics", "--describe", "--topic", topic).out
    described = tools.run("topics", "--describe", "--topic", topic).out
    assert "retention.ms=3600000" in described
    assert len(re.findall(r"Partition: \d", described)) == 3
    tools.run("topics", "--alter", "--topic", topic, "--partitions", 5)
    assert "PartitionCount: 5" in tools.run("topics", "--describe", "--topic", topic).out
    for option in ("--under-replicated-partitions", "--unavailable-partitions",
                   "--under-min-isr-partitions", "--at-min-isr-partitions"):
        tools.run("topics", "--describe", "--topic", topic, option)
    assert topic in tools.run("topics", "--describe", "--topics-with-overrides").out
    assert "already exists" in tools.run("topics", "--create", "--topic", topic, exit=1,
                                         trace=True).out
    tools.run("topics", "--create", "--topic", topic, "--if-not-exists")
    tools.run("topics", "--delete", "--topic", topic)
    assert topic not in tools.run("topics", "--list").out.split()
    tools.run("topics", "--delete", "--topic", topic, "--if-exists")


def test_configs_of_topics(tools, new_name):
    topic = create(tools, new_name())
    tools.run("configs", "--alter", "--topic", topic, "--add-config",
              "max.message.bytes=65536,cleanup.policy=[compact,delete]")
    found = tools.run("configs", "--describe", "--topic", topic).out
    assert "max.message.bytes=65536" in found
    assert "cleanup.policy=compact,delete" in found
    tools.run("configs", "--alter", "--topic", topic, "--delete-config", "max.message.bytes")
    assert "65536" not in tools.run("configs", "--describe", "--entity-type", "topics",
                                    "--entity-name", topic).out
    assert "segment.bytes" in tools.run("configs", "--describe", "--topic", topic,
                                        "--all").out
    bad = tools.run("configs", "--alter", "--topic", topic, "--add-config", "no.such=1",
                    exit=1, trace=True)
    assert "no.such" in bad.out


def test_configs_of_brokers(tools):
    ids = broker_ids(tools)
    for number in ids:
        found = tools.run("configs", "--describe", "--broker", number, "--all").out
        assert "num.partitions" in found
        assert "default.replication.factor" in found
    tools.run("configs", "--describe", "--broker-defaults")
    tools.run("configs", "--describe", "--entity-type", "brokers")


# What holds for all brokers, or for one, is changed while they run, and dropped again; so
# is a logger's level.
def test_configs_of_brokers_altered(tools):
    number = broker_ids(tools)[0]
    for which, name in ((("--broker-defaults",), "message.max.bytes"),
                        (("--broker", number), "leader.replication.throttled.rate")):
        tools.run("configs", "--alter", *which, "--add-config", f"{name}=1048500")
        shown(tools, which, lambda out: f"{name}=1048500" in out)
        tools.run("configs", "--alter", *which, "--delete-config", name)
        shown(tools, which, lambda out: "1048500" not in out)
    loggers = ("--broker-logger", number)
    tools.run("configs", "--alter", *loggers, "--add-config", "root=WARN")
    shown(tools, loggers, lambda out: "root=WARN" in out)
    tools.run("configs", "--alter", *loggers, "--add-config", "root=INFO")
    bad = tools.run("configs", "--alter", "--broker-defaults", "--add-config",
                    "message.max.bytes=many", exit=1, trace=True)
    assert "message.max.bytes" in bad.out


def shown(tools, which, right):
    """Wait until what configs shows of WHICH is RIGHT: brokers hear of changes later."""
    until = time.monotonic() + 20
    while not right(out := tools.run("configs", "--describe", *which).out):
        assert time.monotonic() < until, out


def test_configs_of_groups(tools, new_name):
    group = new_name()
    tools.run("configs", "--alter", "--group", group, "--add-config",
              "consumer.session.timeout.ms=50000,consumer.heartbeat.interval.ms=6000")
    found = tools.run("configs", "--describe", "--group", group).out
    assert "consumer.session.timeout.ms=50000" in found
    assert "consumer.heartbeat.interval.ms=6000" in found
    tools.run("configs", "--alter", "--group", group, "--delete-config",
              "consumer.session.timeout.ms,consumer.heartbeat.interval.ms")
    assert "50000" not in tools.run("configs", "--describe", "--group", group).out


def broker_ids(tools):
    """The ids of the brokers, as the api-versions tool shows them."""
    out = tools.run("broker-api-versions").out
    return re.findall(r"\(id: (\d+) rack", out)


def test_broker_api_versions(tools):
    out = tools.run("broker-api-versions").out
    assert broker_ids(tools)
    for name in ("Produce(0)", "Fetch(1)", "JoinGroup(11)", "ConsumerGroupHeartbeat(68)"):
        assert name in out
    assert "ERROR" not in out


def test_cluster(tools):
    assert re.search(r"Cluster ID: \S+", tools.run("cluster", "cluster-id").out)
    done = tools.run("cluster", "list-endpoints")
    assert "127.0.0.1" in done.out


def test_features(tools):
    done = tools.run("features", "describe")
    assert re.search(r"Feature: (group|metadata)\.version", done.out), done.out
    assert "group.version" in tools.run("features", "version-mapping").out
    tools.run("features", "feature-dependencies", "--feature", "group.version=1")
    assert "group.version" in tools.run("features", "upgrade", "--feature", "group.version=1",
                                        "--dry-run").out
    bad = tools.run("features", "upgrade", "--feature", "no.such=1", exit=1)
    assert "no.such" in bad.out


def test_metadata_quorum(tools):
    done = tools.run("metadata-quorum", "describe", "--status")
    assert re.search(r"LeaderId:\s+\d+", done.out)
    assert re.search(r"CurrentVoters:\s+\[", done.out)
    rows = tools.run("metadata-quorum", "describe", "--replication").rows("NodeId", "Status")
    assert [row["Status"] for row in rows].count("Leader") == 1
    tools.run("metadata-quorum", "describe", "--replication", "--human-readable")


def test_log_dirs(tools, new_name):
    topic = create(tools, new_name())
    fill(tools, topic)
    out = tools.run("log-dirs", "--describe", "--topic-list", topic).out
    told = json.loads(next(line for line in out.splitlines() if line.startswith("{")))
    sizes = [part["size"] for broker in told["brokers"] for place in broker["logDirs"]
             for part in place["partitions"] if part["partition"].startswith(topic)]
    assert len(sizes) >= 3
    assert sum(sizes) > 30 * 10
    for broker in broker_ids(tools):
        tools.run("log-dirs", "--describe", "--broker-list", broker)


def test_leader_election(tools, new_name, tmp_path):
    topic = create(tools, new_name())
    done = tools.run("leader-election", "--election-type", "preferred", "--topic", topic,
                     "--partition", 0)
    assert re.search(r"Valid replica already elected|Successfully completed", done.out)
    plan = tmp_path / "partitions.json"
    plan.write_text(json.dumps({"partitions": [{"topic": topic, "partition": 1}]}))
    done = tools.run("leader-election", "--election-type", "preferred",
                     "--path-to-json-file", plan)
    assert re.search(r"Valid replica already elected|Successfully completed", done.out)
    # Of all it tells only those that were not led as they should.
    done = tools.run("leader-election", "--election-type", "preferred",
                     "--all-topic-partitions")
    assert "Error" not in done.out
    done = tools.run("leader-election", "--election-type", "unclean", "--topic", topic,
                     "--partition", 0)
    assert "Valid replica already elected" in done.out


def test_reassign_partitions(tools, new_name, tmp_path):
    topic = create(tools, new_name())
    assert "No partition reassignments found" in \
        tools.run("reassign-partitions", "--list").out
    plan = tmp_path / "topics.json"
    plan.write_text(json.dumps({"version": 1, "topics": [{"topic": topic}]}))
    done = tools.run("reassign-partitions", "--generate", "--topics-to-move-json-file", plan,
                     "--broker-list", broker_ids(tools)[0])
    assert "Current partition replica assignment" in done.out


def test_get_offsets(tools, new_name):
    topic = create(tools, new_name())
    assert ends(tools, topic) == {0: 0, 1: 0, 2: 0}
    fill(tools, topic)
    found = ends(tools, topic)
    assert sum(found.values()) == 30
    assert ends(tools, topic, "--time", "latest") == found
    assert ends(tools, topic, "--time", "earliest") == {0: 0, 1: 0, 2: 0}
    largest = ends(tools, topic, "--time", "max-timestamp")
    assert all(0 <= largest[p] < end for p, end in found.items())
    assert ends(tools, topic, "--time", 0) == {0: 0, 1: 0, 2: 0}
    assert set(ends(tools, topic, "--partitions", "0,2")) == {0, 2}
    assert ends(tools, topic, "--time", "earliest-local") == {0: 0, 1: 0, 2: 0}
    assert sum(ends(tools, topic, "--time", "latest-tiered").values()) <= 0
    done = tools.run("get-offsets", "--topic-partitions", f"{topic}:0-2")
    assert f"{topic}:1:" in done.out
    tools.run("get-offsets", "--exclude-internal-topics")


def test_delete_records(tools, new_name, tmp_path):
    topic = create(tools, new_name(), 1)
    fill(tools, topic)
    plan = tmp_path / "offsets.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": topic, "partition": 0, "offset": 12}]}))
    done = tools.run("delete-records", "--offset-json-file", plan)
    assert re.search(r"low_watermark: 12", done.out)
    assert ends(tools, topic, "--time", "earliest") == {0: 12}
    values = consume(tools, topic, f"{topic}-group", 18)
    assert values == [f"value-{i}" for i in range(12, 30)]
    plan.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": topic, "partition": 0, "offset": -1}]}))
    assert "low_watermark: 30" in tools.run("delete-records", "--offset-json-file", plan).out


def test_console(tools, new_name):
    topic = create(tools, new_name(), 1)
    tools.run("console-producer", "--topic", topic, "--compression-codec", "zstd",
              "--sync", "--request-required-acks", "all", "--command-property", "linger.ms=3",
              text="one\ntwo\nthree\n")
    done = tools.run("console-consumer", "--topic", topic, "--partition", 0, "--offset", 1,
                     "--max-messages", 2, "--timeout-ms", 20_000,
                     "--formatter-property", "print.offset=true",
                     "--formatter-property", "print.timestamp=true",
                     "--formatter-property", "print.partition=true")
    assert re.search(r"CreateTime:\d+\s+Partition:0\s+Offset:1\s+two", done.out)
    assert "Processed a total of 2 messages" in done.out
    done = tools.run("console-consumer", "--include", re.escape(topic), "--from-beginning",
                     "--max-messages", 3, "--timeout-ms", 20_000,
                     "--command-property", "group.protocol=consumer")
    assert "three" in done.out
    tools.run("console-producer", "--topic", topic, "--reader-property", "parse.headers=true",
              "--reader-property", "parse.key=true", "--reader-property", "null.marker=NULL",
              text="h1:v1,h2:v2\tkey\tNULL\n")
    done = tools.run("console-consumer", "--topic", topic, "--partition", 0, "--offset", 3,
                     "--max-messages", 1, "--timeout-ms", 20_000,
                     "--isolation-level", "read_committed",
                     "--formatter-property", "print.headers=true",
                     "--formatter-property", "print.key=true")
    assert "h1:v1,h2:v2\tkey\tnull" in done.out


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_verifiable(tools, new_name, protocol):
    topic = create(tools, new_name())
    done = tools.run("verifiable-producer", "--topic", topic, "--max-messages", 100,
                     "--throughput", 1000, "--repeating-keys", 7)
    assert '"name":"tool_data"' in done.out and '"acked":100' in done.out
    done = tools.run("verifiable-consumer", "--topic", topic, "--group-id", f"{topic}-v",
                     "--max-messages", 100, "--reset-policy", "earliest",
                     "--group-protocol", protocol, "--enable-autocommit", limit_s=60)
    counts = re.findall(r'"name":"records_consumed".*?"count":(\d+)', done.out)
    assert sum(map(int, counts)) >= 100 or \
        sum(map(int, re.findall(r'"count":(\d+),"partitions"', done.out))) >= 100, done.out
    assert '"name":"partitions_assigned"' in done.out
    how = ("--group-remote-assignor", "range") if protocol == "consumer" else \
        ("--assignment-strategy", "org.apache.kafka.clients.consumer.RoundRobinAssignor")
    done = tools.run("verifiable-consumer", "--topic", topic, "--group-id", f"{topic}-w",
                     "--max-messages", 100, "--reset-policy", "earliest", "--verbose",
                     "--group-protocol", protocol, *how, limit_s=60)
    assert '"name":"offsets_committed"' in done.out and '"success":true' in done.out


def test_performance(tools, new_name):
    topic = create(tools, new_name())
    done = tools.run("producer-perf-test", "--topic", topic, "--num-records", 5000,
                     "--record-size", 100, "--throughput", -1,
                     "--command-property", "acks=all", "linger.ms=5")
    assert "5000 records sent" in done.out
    done = tools.run("consumer-perf-test", "--topic", topic, "--num-records", 5000,
                     "--timeout", 20_000)
    assert re.search(r"\b5\d\d\d,", done.out), done.out
    done = tools.run("consumer-perf-test", "--topic", topic, "--num-records", 5000,
                     "--timeout", 20_000, "--group", f"{topic}-group", "--hide-header",
                     "--show-detailed-stats", "--reporting-interval", 100)
    assert "start.time" not in done.out
    assert f"{topic}-group" in tools.run("consumer-groups", "--list").out


def test_end_to_end_latency(tools, new_name):
    topic = create(tools, new_name(), 1)
    done = tools.run("e2e-latency", "--topic", topic, "--num-records", 20,
                     "--producer-acks", "all", "--record-size", 100)
    assert re.search(r"Avg latency: [\d.]+ ms", done.out)


# What lists and describes groups agrees with what they have done.
def test_groups_described(tools, bootstrap, group):
    topic, name = group
    assert name in tools.run("consumer-groups", "--list").out.split()
    listed = tools.run("consumer-groups", "--list", "--state").rows("GROUP", "STATE")
    assert next(row for row in listed if row["GROUP"] == name)["STATE"] == "Empty"
    assert name in tools.run("consumer-groups", "--list", "--state", "Empty").out
    assert name not in tools.run("consumer-groups", "--list", "--state", "Stable").out
    assert name in tools.run("consumer-groups", "--list", "--type", "classic").out
    assert name not in tools.run("consumer-groups", "--list", "--type", "consumer").out
    rows = described(tools, name)
    assert sum(int(row["LAG"]) for row in rows) == 10
    assert "no active members" in tools.run("consumer-groups", "--describe", "--group",
                                            name).out
    with Member(bootstrap, topic, name):
        rows = described(tools, name)
        assert {row["CLIENT-ID"] for row in rows} == {"member"}
        members = tools.run("consumer-groups", "--describe", "--group", name, "--members",
                            "--verbose").rows("CONSUMER-ID", "#PARTITIONS")
        assert members[0]["#PARTITIONS"] == "3"
        state = tools.run("consumer-groups", "--describe", "--group", name, "--state")
        assert "Stable" in state.out and "range" in state.out
        for more in ((), ("--offsets",), ("--members",), ("--state", "--verbose")):
            assert name in tools.run("consumer-groups", "--describe", "--all-groups",
                                     *more).out


def described(tools, name):
    """The rows of a group's partitions."""
    return tools.run("consumer-groups", "--describe", "--group", name).rows(
        "GROUP", "TOPIC", "PARTITION", "LAG")


def test_consumer_protocol_described(tools, bootstrap, new_name):
    topic = create(tools, new_name())
    name = f"{topic}-group"
    with Member(bootstrap, topic, name, **{"group.protocol": "consumer"}):
        assert name in tools.run("consumer-groups", "--list", "--type", "consumer").out
        out = tools.run("consumer-groups", "--describe", "--group", name, "--state").out
        assert "Stable" in out and "uniform" in out
        out = tools.run("consumer-groups", "--describe", "--group", name, "--members",
                        "--verbose").out
        assert "member" in out and "TARGET-ASSIGNMENT" in out
        assert name in tools.run("groups", "--list").out
        rows = tools.run("groups", "--list", "--group-type", "consumer").rows(
            "GROUP", "TYPE", "PROTOCOL")
        assert name in [row["GROUP"] for row in rows]
    tools.run("consumer-groups", "--delete", "--group", name)
    assert name not in tools.run("groups", "--list").out


def test_groups_tool(tools, group):
    _, name = group
    rows = tools.run("groups", "--list", "--consumer").rows("GROUP", "TYPE", "PROTOCOL")
    assert next(row for row in rows if row["GROUP"] == name)["TYPE"] == "Classic"
    assert name in tools.run("groups", "--list", "--group-type", "classic").out
    assert name in tools.run("groups", "--list", "--protocol", "consumer").out
    for other in ("--share", "--streams"):
        assert name not in tools.run("groups", "--list", other).out


def reset(tools, name, *how, execute=True):
    """Reset offsets, and return {partition: new offset} as the tool shows them."""
    done = tools.run("consumer-groups", "--reset-offsets", "--group", name, *how,
                     "--execute" if execute else "--dry-run")
    return {int(row["PARTITION"]): int(row["NEW-OFFSET"])
            for row in done.rows("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET")}


def current(tools, name):
    return {int(row["PARTITION"]): int(row["CURRENT-OFFSET"])
            for row in described(tools, name)}


# All kinds of resets, with and without execution.
def test_reset_offsets(tools, group, tmp_path):
    topic, name = group
    found = ends(tools, topic)
    before = current(tools, name)
    zero = {0: 0, 1: 0, 2: 0}
    assert reset(tools, name, "--topic", topic, "--to-earliest", execute=False) == zero
    assert current(tools, name) == before
    assert reset(tools, name, "--topic", topic, "--to-latest") == found
    assert current(tools, name) == found
    assert reset(tools, name, "--all-topics", "--to-earliest") == zero
    assert current(tools, name) == zero
    assert reset(tools, name, "--topic", topic, "--shift-by", 2) == {0: 2, 1: 2, 2: 2}
    assert reset(tools, name, "--topic", f"{topic}:1", "--shift-by", -1) == {1: 1}
    assert current(tools, name) == {0: 2, 1: 1, 2: 2}
    assert reset(tools, name, "--topic", f"{topic}:0,2", "--to-offset", 3) == {0: 3, 2: 3}
    assert reset(tools, name, "--topic", topic, "--to-current") == {0: 3, 1: 1, 2: 3}
    ago = datetime.datetime.now() - datetime.timedelta(hours=1)
    assert reset(tools, name, "--topic", topic, "--to-datetime",
                 ago.strftime("%Y-%m-%dT%H:%M:%S.000")) == zero
    assert reset(tools, name, "--topic", topic, "--by-duration", "PT0H0M0S") == found
    done = tools.run("consumer-groups", "--reset-offsets", "--group", name, "--topic", topic,
                     "--to-offset", 2, "--dry-run", "--export")
    plan = tmp_path / "plan.csv"
    plan.write_text("".join(line + "\n" for line in done.out.splitlines() if topic in line))
    assert reset(tools, name, "--from-file", plan) == {0: 2, 1: 2, 2: 2}
    assert current(tools, name) == {0: 2, 1: 2, 2: 2}


# A group with members is not reset, nor deleted; an empty one is.
def test_groups_deleted(tools, bootstrap, group):
    topic, name = group
    with Member(bootstrap, topic, name):
        done = tools.run("consumer-groups", "--reset-offsets", "--group", name, "--topic",
                         topic, "--to-earliest", "--execute", exit=None, trace=True)
        assert "inactive" in done.out
        done = tools.run("consumer-groups", "--delete", "--group", name, exit=None,
                         trace=True)
        assert "not empty" in done.out
        done = tools.run("consumer-groups", "--delete-offsets", "--group", name, "--topic",
                         topic, exit=None, trace=True)
        assert "subscribed" in done.out
    done = tools.run("consumer-groups", "--delete-offsets", "--group", name, "--topic",
                     f"{topic}:0")
    assert "Successful" in done.out
    assert {row["PARTITION"]: row["CURRENT-OFFSET"]
            for row in described(tools, name)}.get("0", "-") == "-"
    assert "Deletion of requested consumer groups" in \
        tools.run("consumer-groups", "--delete", "--group", name).out
    assert name not in tools.run("consumer-groups", "--list").out.split()
    done = tools.run("consumer-groups", "--describe", "--group", name, exit=None, trace=True)
    assert re.search("does not exist|GroupIdNotFound", done.out)


# These may be refused, in words.
def test_unsupported(tools, target):
    for tool, words in (("client-metrics", ("--list",)), ("acls", ("--list",)),
                        ("configs", ("--describe", "--entity-type", "users")),
                        ("configs", ("--describe", "--entity-type", "clients"))):
        done = tools.run(tool, *words, exit=None, trace=True)
        if target == "weft":
            assert done.exit == 0 or re.search(
                "does not support|Unsupported|not supported|SecurityDisabled", done.out), \
                done.out
