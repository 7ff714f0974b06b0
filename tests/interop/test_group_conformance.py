"""What Kafka answers to group requests, right and wrong ones, side by side (--target kafka).

The members speak the protocol by hand (tests/lib/raw_group.py). tests/forty.md says which
of the forty semantics each test holds; two that have no other home are at the end.
"""

import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from cluster import Cluster
from raw_group import (FENCED_MEMBER_EPOCH, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS,
                       UNKNOWN_MEMBER, ClassicMember, ConsumerMember, begin,
                       commit, describe, describe_consumer, fetch)
from schema_wire import Link, SchemaWire, apis

FENCED_INSTANCE, STALE_EPOCH, UNRELEASED_INSTANCE = 82, 113, 111
NON_EMPTY, GROUP_NOT_FOUND, SUBSCRIBED = 68, 69, 86
WAIT_S = 30


@pytest.fixture(scope="module")
def servers(target, tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("groups"), target=target, agents=2,
                 control_plane_set={"group-initial-rebalance-delay": "0ms"}) as cluster:
        link = Link(cluster.bootstraps)
        link.call("FindCoordinator", 2, key="a group", key_type=0)
        wait(lambda: link.call("Heartbeat", 4, group_id="a group", member_id="nobody")
             ["error_code"] == UNKNOWN_MEMBER, "coordinator")
        yield cluster


@pytest.fixture
def link(servers):
    link = Link(servers.bootstraps)
    yield link
    link.close()


@pytest.fixture
def topic(servers, new_name):
    name = new_name()
    with SchemaWire(servers.bootstraps[0]) as wire:
        wire.call("CreateTopics", 5, timeout_ms=30_000, topics=[
            {"name": name, "num_partitions": 4, "replication_factor": -1}])
        wait(lambda: wire.call("Metadata", 8, topics=[{"name": name}])
             ["topics"][0]["error_code"] == 0, "topic")
    return name


def wait(condition, what):
    until = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < until, f"no {what} within {WAIT_S} s"
        time.sleep(0.02)
    return found


def two(servers, topic, **options):
    """Two members of a new group in a stable generation: its leader and a follower."""
    a, b = (ClassicMember(servers.bootstraps, f"{topic}-group", [topic], **options)
            for _ in range(2))
    a.join()
    a.sync({a.id: [(topic, [0, 1, 2, 3])]})
    b.get_id()
    joined = begin(b.join)
    wait(lambda: a.heartbeat() == REBALANCE_IN_PROGRESS, "rebalance")
    a.join()
    joined.result(WAIT_S)
    leader, follower = (a, b) if a.leads else (b, a)
    synced = begin(follower.sync)
    leader.sync({leader.id: [(topic, [0, 1])], follower.id: [(topic, [2, 3])]})
    assert synced.result(WAIT_S) == {(topic, 2), (topic, 3)}
    return leader, follower


# Every version of FindCoordinator names the same listed broker for a group, one by one or
# many at once, whoever is asked; a kind of coordinator that does not exist is 42.
def test_find_coordinator(servers):
    groups = ["orders", "bills", "a/b?c", "x" * 249]
    found = {}
    for address in servers.bootstraps:
        with SchemaWire(address) as wire:
            brokers = {b["node_id"]: (b["host"], b["port"])
                       for b in wire.call("Metadata", 8, topics=[])["brokers"]}
            for version in range(4):
                for group in groups:
                    kind = {"key_type": 0} if version > 0 else {}
                    answer = wire.call("FindCoordinator", version, key=group, **kind)
                    assert answer["error_code"] == 0
                    assert brokers[answer["node_id"]] == (answer["host"], answer["port"])
                    found.setdefault(group, set()).add(answer["node_id"])
            for version in range(4, 7):
                answer = wire.call("FindCoordinator", version, key_type=0,
                                   coordinator_keys=groups)
                assert [c["key"] for c in answer["coordinators"]] == groups
                for one in answer["coordinators"]:
                    assert one["error_code"] == 0
                    assert brokers[one["node_id"]] == (one["host"], one["port"])
                    found[one["key"]].add(one["node_id"])
            assert wire.call("FindCoordinator", 3, key="g", key_type=7)["error_code"] == 42
    assert {len(ids) for ids in found.values()} == {1}, found


# A dynamic member is given an id first, and joins with it; from version 4 on.
def test_member_id_required(servers, topic, link):
    values = {"group_id": f"{topic}-group", "session_timeout_ms": 30_000,
              "rebalance_timeout_ms": 30_000, "protocol_type": "consumer",
              "protocols": [{"name": "range", "metadata": b""}]}
    for version in (4, 5, 9):
        answer = link.call("JoinGroup", version, **values)
        assert (answer["error_code"], answer["generation_id"]) == (79, -1)
        assert answer["member_id"].startswith("raw-")
        assert answer["members"] == []
    answer = link.call("JoinGroup", 3, **values)
    assert answer["error_code"] == 0 and answer["member_id"].startswith("raw-")


# The leader alone gets the list of members; its joining again rebalances, a follower's with
# nothing new does not.
def test_joining_again(servers, topic):
    leader, follower = two(servers, topic)
    generation = leader.generation
    assert len(leader.members) == 2 and follower.members == []
    follower.join()
    assert follower.generation == generation
    assert leader.heartbeat() == follower.heartbeat() == 0
    joined = begin(leader.join)
    wait(lambda: follower.heartbeat() == REBALANCE_IN_PROGRESS, "rebalance")
    assert not joined.done()
    follower.join()
    joined.result(WAIT_S)
    assert leader.generation == follower.generation == generation + 1


# While a rebalance prepares, a heartbeat says 27 and commits are taken; while it completes,
# the heartbeat says nothing and commits are refused with 27.
def test_heartbeat_by_state(servers, topic):
    leader, follower = two(servers, topic)
    joined = begin(leader.join)
    wait(lambda: follower.heartbeat() == REBALANCE_IN_PROGRESS, "rebalance")
    assert follower.commit(topic, {2: 1}) == {2: 0}
    assert follower.try_sync() == REBALANCE_IN_PROGRESS
    follower.join()
    joined.result(WAIT_S)
    assert follower.heartbeat() == leader.heartbeat() == 0
    assert follower.commit(topic, {2: 2}) == {2: REBALANCE_IN_PROGRESS}
    follower.generation -= 1
    assert follower.heartbeat() == ILLEGAL_GENERATION
    follower.id = "nobody"
    assert follower.heartbeat() == UNKNOWN_MEMBER


# A static member that comes again takes its place without a rebalance; the one before is
# fenced; it leaves by its instance's name.
def test_static_members(servers, topic):
    group = f"{topic}-group"
    a = ClassicMember(servers.bootstraps, group, [topic], instance="one")
    a.join()
    a.sync({a.id: [(topic, [0, 1, 2, 3])]})
    b = ClassicMember(servers.bootstraps, group, [topic], instance="one")
    answer = b.link.call("JoinGroup", 9, **b.join_values())
    assert b.take(answer) == 0
    assert (b.generation, answer["skip_assignment"]) == (a.generation, True)
    assert b.id != a.id
    assert b.sync() == {(topic, p) for p in range(4)}
    assert a.heartbeat() == FENCED_INSTANCE
    assert a.commit(topic, {0: 1}) == {0: FENCED_INSTANCE}
    assert a.try_sync() == FENCED_INSTANCE
    assert b.heartbeat() == 0
    answer = b.link.call("LeaveGroup", 5, group_id=group, members=[
        {"member_id": "", "group_instance_id": "one"},
        {"member_id": "", "group_instance_id": "two"},
        {"member_id": "nobody", "group_instance_id": None}])
    assert answer["error_code"] == 0
    assert [m["error_code"] for m in answer["members"]] == [0, UNKNOWN_MEMBER, UNKNOWN_MEMBER]


# What was never committed is -1 without an error, in each form of the request.
def test_offset_fetch_of_nothing(servers, topic, link):
    group = f"{topic}-group"
    for version in (1, 2, 5, 7):
        answer = link.call("OffsetFetch", version, group_id=group, topics=[
            {"name": topic, "partition_indexes": [0]}])
        part = answer["topics"][0]["partitions"][0]
        assert (part["committed_offset"], part["error_code"], part["metadata"]) == (-1, 0, "")
    assert fetch(link, group, topic, [0]) == {0: (-1, "")}
    answer = link.call("OffsetFetch", 5, group_id=group, topics=None)
    assert (answer["topics"], answer["error_code"]) == ([], 0)


# The leader epoch and the text of a commit come back; null topics are all that there are;
# many groups are asked at once.
def test_offset_fetch(servers, topic, link):
    group = f"{topic}-group"
    answer = link.call("OffsetCommit", 8, group_id=group, topics=[
        {"name": topic, "partitions": [
            {"partition_index": 1, "committed_offset": 7, "committed_leader_epoch": 3,
             "committed_metadata": "text"}]}])
    assert answer["topics"][0]["partitions"][0]["error_code"] == 0
    found = {"partition_index": 1, "committed_offset": 7, "committed_leader_epoch": 3,
             "metadata": "text", "error_code": 0}
    for topics in (None, [{"name": topic, "partition_indexes": [1]}]):
        answer = link.call("OffsetFetch", 7, group_id=group, topics=topics)
        assert answer["topics"] == [{"name": topic, "partitions": [found]}]
        answer = link.call("OffsetFetch", 8, groups=[
            {"group_id": group, "topics": topics}, {"group_id": "other", "topics": topics}])
        assert answer["groups"][0]["topics"] == [{"name": topic, "partitions": [found]}]
        assert answer["groups"][1]["error_code"] == 0


# Who commits what, by the state of the group.
def test_commits_by_state(servers, topic, link):
    group = f"{topic}-group"
    assert commit(link, group, topic, {0: 1}) == {0: 0}
    member = ClassicMember(servers.bootstraps, group, [topic])
    member.join()
    member.sync({member.id: [(topic, [0])]})
    assert commit(link, group, topic, {0: 2}) == {0: UNKNOWN_MEMBER}
    assert commit(link, group, topic, {0: 2}, generation=member.generation + 1,
                  member=member.id) == {0: ILLEGAL_GENERATION}
    assert member.commit(topic, {0: 3}) == {0: 0}
    assert member.leave() == 0
    assert commit(link, group, topic, {0: 4}) == {0: 0}
    assert commit(link, f"{group}-none", topic, {0: 4}, generation=1, member="x",
                  version=9) == {0: GROUP_NOT_FOUND}
    assert commit(link, f"{group}-none", topic, {0: 4}, generation=1, member="x",
                  version=7) == {0: ILLEGAL_GENERATION}


# With a topic its groups' offsets go, also for the topic of that name that comes after.
def test_offsets_of_deleted_topics(servers, topic, link):
    group = f"{topic}-group"
    assert commit(link, group, topic, {0: 5}) == {0: 0}
    with SchemaWire(servers.bootstraps[0]) as wire:
        wire.call("DeleteTopics", 5, topic_names=[topic], timeout_ms=30_000)
        wait(lambda: wire.call("CreateTopics", 5, timeout_ms=30_000, topics=[
            {"name": topic, "num_partitions": 4, "replication_factor": -1}])
             ["topics"][0]["error_code"] == 0, "topic again")
    wait(lambda: fetch(link, group, topic, [0]) == {0: (-1, "")}, "end of the offset")


def listed(servers, **filters):
    """{group: (state, type)} of all groups, each told by one agent."""
    found = []
    for address in servers.bootstraps:
        with SchemaWire(address) as wire:
            found += wire.call("ListGroups", 5, **filters)["groups"]
    by_name = {g["group_id"]: (g["group_state"], g["group_type"]) for g in found}
    assert len(by_name) == len(found)
    return by_name


# Groups are listed once, by state and by type.
def test_list_groups(servers, topic, link):
    classic, empty, modern = (f"{topic}-{kind}" for kind in ("classic", "empty", "modern"))
    member = ClassicMember(servers.bootstraps, classic, [topic])
    member.join()
    member.sync({member.id: [(topic, [0])]})
    assert commit(link, empty, topic, {0: 1}) == {0: 0}
    other = ConsumerMember(servers.bootstraps, modern, [topic])
    assert other.join() == 0
    wait(lambda: other.heartbeat() == 0 and other.target, "assignment")
    other.adopt()
    assert other.heartbeat(tell=True) == 0
    found = {g: s for g, s in listed(servers).items() if g.startswith(topic)}
    assert found == {classic: ("Stable", "classic"), empty: ("Empty", "classic"),
                     modern: ("Stable", "consumer")}
    assert set(listed(servers, states_filter=["Empty"])) & set(found) == {empty}
    assert set(listed(servers, types_filter=["consumer"])) & set(found) == {modern}
    assert set(listed(servers, states_filter=["stable"], types_filter=["Classic"])) \
        & set(found) == {classic}


# A group that nobody knows is dead, or not found, by version; deletion tells of it and of
# members; what is subscribed keeps its offsets.
def test_describe_and_delete(servers, topic, link):
    group = f"{topic}-group"
    assert describe(link, group)["group_state"] == "Dead"
    answer = link.call("DescribeGroups", 6, groups=[group])["groups"][0]
    assert (answer["error_code"], answer["group_state"]) == (GROUP_NOT_FOUND, "Dead")
    assert describe_consumer(link, group)["error_code"] == GROUP_NOT_FOUND

    def delete():
        return link.call("DeleteGroups", 2, groups_names=[group])["results"][0]["error_code"]

    def forget(partition):
        answer = link.call("OffsetDelete", 0, group_id=group, topics=[
            {"name": topic, "partitions": [{"partition_index": partition}]}])
        return answer["error_code"] or answer["topics"][0]["partitions"][0]["error_code"]

    assert delete() == GROUP_NOT_FOUND
    assert forget(0) == GROUP_NOT_FOUND
    member = ClassicMember(servers.bootstraps, group, [topic])
    member.join()
    member.sync({member.id: [(topic, [0])]})
    assert member.commit(topic, {0: 1, 1: 2}) == {0: 0, 1: 0}
    assert delete() == NON_EMPTY
    assert forget(0) == SUBSCRIBED
    assert member.leave() == 0
    assert forget(0) == 0
    assert fetch(link, group, topic, [0, 1]) == {0: (-1, ""), 1: (2, "")}
    assert delete() == 0
    assert fetch(link, group, topic, [1]) == {1: (-1, "")}


# A type of group that is not of consumers, as Connect's: its bytes are nobody's concern.
def test_other_protocol_types(servers, topic, link):
    group = f"{topic}-group"
    member = ClassicMember(servers.bootstraps, group, protocol_type="connect",
                           protocols=[("sessioned", b"\x00\x01"), ("compatible", b"\xff")])
    member.join()
    assert member.protocol == "sessioned"
    assert member.members[0]["metadata"] == b"\x00\x01"
    assert member.try_sync({member.id: b"\xde\xad"}) == 0
    assert member.assignment == b"\xde\xad"
    found = describe(link, group)
    assert (found["protocol_type"], found["protocol_data"]) == ("connect", "sessioned")
    wrong = ClassicMember(servers.bootstraps, group, [topic])
    answer = wrong.link.call("JoinGroup", 3, **{
        name: value for name, value in wrong.join_values().items()
        if name != "group_instance_id"})
    assert answer["error_code"] == 23


# The new protocol: an assignment comes only when it changed or all is told; epochs fence.
def test_consumer_heartbeats(servers, topic, link):
    member = ConsumerMember(servers.bootstraps, f"{topic}-group", [topic])
    assert member.join() == 0
    wait(lambda: member.heartbeat() == 0 and member.target, "assignment")
    member.adopt()
    assert len(member.owned) == 4
    assert member.heartbeat(tell=True) == 0
    answer = member.call()
    assert (answer["error_code"], answer["assignment"]) == (0, None)
    assert answer["heartbeat_interval_ms"] > 0
    full = member.call(rebalance_timeout_ms=30_000, subscribed_topic_names=[topic],
                       topic_partitions=member.parts())
    assert full["assignment"] is not None
    assert member.call(member_epoch=member.epoch + 1)["error_code"] == FENCED_MEMBER_EPOCH
    assert commit(link, member.group, topic, {0: 1}, generation=member.epoch - 1,
                  member=member.id) == {0: STALE_EPOCH}
    assert commit(link, member.group, topic, {0: 1}, generation=member.epoch,
                  member="nobody") == {0: UNKNOWN_MEMBER}
    assert commit(link, member.group, topic, {0: 1}, generation=member.epoch,
                  member=member.id) == {0: 0}
    assert member.leave() == 0
    assert member.heartbeat() == UNKNOWN_MEMBER


# An instance's name is one member's until that says that it goes for a while.
def test_consumer_static_members(servers, topic):
    group = f"{topic}-group"
    a = ConsumerMember(servers.bootstraps, group, [topic], instance="one")
    assert a.join() == 0
    b = ConsumerMember(servers.bootstraps, group, [topic], instance="one")
    assert b.join() == UNRELEASED_INSTANCE
    wait(lambda: a.heartbeat() == 0 and a.target, "assignment")
    a.adopt()
    assert a.heartbeat(tell=True) == 0
    assert a.call(member_epoch=-2)["error_code"] == 0
    assert b.join() == 0
    wait(lambda: b.target or b.heartbeat(), "assignment")
    assert b.target == a.owned
    assert a.heartbeat() == FENCED_INSTANCE


# A classic member joins a group of the new protocol, and both are of one group.
def test_classic_member_of_a_consumer_group(servers, topic, link):
    group = f"{topic}-group"
    a = ConsumerMember(servers.bootstraps, group, [topic])
    assert a.join() == 0
    wait(lambda: a.heartbeat() == 0 and a.target, "assignment")
    a.adopt()
    assert a.heartbeat(tell=True) == 0
    b = ClassicMember(servers.bootstraps, group, [topic])
    b.join()
    first = b.sync()
    wait(lambda: a.heartbeat() == 0 and len(a.target) == 2, "half")
    a.revoke()
    assert a.heartbeat(tell=True) == 0
    if len(first) != 2:
        wait(lambda: b.heartbeat() == REBALANCE_IN_PROGRESS, "news for the classic member")
        b.join()
        first = b.sync()
    assert len(first) == 2
    assert {p for _, p in first}.isdisjoint({p for _, p in a.owned})
    assert len(describe_consumer(link, group)["members"]) == 2
    assert b.leave() == a.leave() == 0


# ---- of the forty, what has no other home ----

# Nobody is throttled who did nothing to deserve it: the field is there, and zero.
def test_no_throttle(servers, topic, link):
    for api, version, values in (
            ("Metadata", 12, {"topics": [{"name": topic}]}),
            ("FindCoordinator", 2, {"key": "g", "key_type": 0}),
            ("ListGroups", 4, {}), ("DescribeGroups", 5, {"groups": ["g"]}),
            ("OffsetFetch", 8, {"groups": [{"group_id": "g", "topics": None}]})):
        assert "throttle_time_ms" in {f.name for f in apis()[api].response}
        assert link.call(api, version, **values)["throttle_time_ms"] == 0


# On a compacted topic the last value of every key stays, and offsets stay what they were.
def test_compacted_topic(servers, new_name):
    name = new_name()
    admin = AdminClient({"bootstrap.servers": servers.bootstrap})
    admin.create_topics([NewTopic(name, 1, 1, config={
        "cleanup.policy": "compact"})])[name].result(WAIT_S)
    producer = Producer({"bootstrap.servers": servers.bootstrap})
    offsets = {}

    def delivered(error, message):
        assert error is None
        offsets[message.offset()] = (message.key(), message.value())

    for number in range(30):
        producer.produce(name, b"%d" % number, key=b"key-%d" % (number % 3),
                         on_delivery=delivered)
    assert producer.flush(WAIT_S) == 0
    assert sorted(offsets) == list(range(30))
    consumer = Consumer({"bootstrap.servers": servers.bootstrap, "group.id": "none"})
    consumer.assign([TopicPartition(name, 0, 0)])
    found = {}
    wait(lambda: found.update((m.offset(), (m.key(), m.value()))
                              for m in consumer.consume(100, 0.2)) or 29 in found, "the last")
    consumer.close()
    assert all(offsets[offset] == record for offset, record in found.items())
    assert dict(found.values()) == {b"key-0": b"27", b"key-1": b"28", b"key-2": b"29"}
