"""What groups commit, fetch and delete, in raw requests of every version.

Every expected value was proven against a real Apache Kafka 4.2.1 (--target kafka); Weft
must answer the same. Where there is more than one broker, what is read is asked of another
one than the one that was written to.
"""

import struct

import pytest

from test_conformance import (NONE, UNKNOWN_TOPIC_ID,
                              UNKNOWN_TOPIC_OR_PARTITION, make, until)
from wire import Reader, Wire, new_uuid

OFFSET_METADATA_TOO_LARGE = 12
ILLEGAL_GENERATION = 22
INVALID_GROUP_ID = 24
UNKNOWN_MEMBER_ID = 25
REBALANCE_IN_PROGRESS = 27
UNSUPPORTED_VERSION = 35
NON_EMPTY_GROUP = 68
GROUP_ID_NOT_FOUND = 69
GROUP_SUBSCRIBED_TO_TOPIC = 86
STALE_MEMBER_EPOCH = 113

COMMITS, FETCHES = range(2, 11), range(1, 11)


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


@pytest.fixture(autouse=True, scope="module")
def coordinator(cluster):
    """Kafka makes its topic of offsets when it is first asked for a coordinator, and one
    that has just begun says so."""
    with Wire(cluster.bootstraps[0]) as wire:
        def error():
            wire.call("FindCoordinator", 1, key="any")
            return wire.call("OffsetFetch", 7, group="any", topics=[])["error"]
        until(error, NONE)


@pytest.fixture
def topic(wire, new_name):
    """A topic of three partitions, and its id."""
    name = new_name()
    make(wire, name, partitions=3)
    return name, topic_id(wire, name)


def topic_id(wire, name):
    answer = wire.call("Metadata", 12, topics=[{"name": name}])
    return answer["topics"][0]["id"]


def commit(wire, group, topic, parts, version=7, generation=-1, member=""):
    """Commit {partition: (offset, epoch, metadata)}; the errors of the partitions."""
    name, identity = topic
    keys = {"id": identity} if version >= 10 else {"name": name}
    answer = wire.call(
        "OffsetCommit", version, group=group, generation=generation, member=member,
        **({"retention": -1} if version < 5 else {}),
        topics=[{**keys, "partitions": [
            {"index": index, "offset": offset, "metadata": metadata,
             **({"epoch": epoch} if version >= 6 else {})}
            for index, (offset, epoch, metadata) in parts.items()]}])
    return [part["error"] for part in answer["topics"][0]["partitions"]]


def fetch(wire, group, topic, partitions, version=7, member=None, epoch=-1):
    """The error of the group, and its (partition, offset, epoch, metadata, error);
    PARTITIONS None: all topics, by name or id."""
    name, identity = topic
    keys = {"id": identity} if version >= 10 else {"name": name}
    topics = None if partitions is None else [{**keys, "partitions": partitions}]
    if version < 8:
        answer = wire.call("OffsetFetch", version, group=group, topics=topics)
    else:
        more = {"member": member, "epoch": epoch} if version >= 9 else {}
        answer = wire.call("OffsetFetch", version,
                           groups=[{"group": group, "topics": topics, **more}])["groups"][0]
    rows = {(row.get("name") or row.get("id")): [
        (part["index"], part["offset"], part.get("epoch", -1), part["metadata"],
         part["error"]) for part in row["partitions"]] for row in answer["topics"]}
    if partitions is not None:
        rows = rows.get(next(iter(keys.values())), [])
    return answer.get("error", 0), rows


def delete(wire, group, topic, partitions):
    answer = wire.call("OffsetDelete", 0, group=group, topics=[
        {"name": topic[0], "partitions": [{"index": index} for index in partitions]}])
    parts = answer["topics"][0]["partitions"] if answer["topics"] else []
    return answer["error"], [part["error"] for part in parts]


def subscription(*names):
    """Version 0 of the consumer protocol's."""
    packed = b"".join(struct.pack(">h", len(name)) + name.encode() for name in names)
    return struct.pack(">hi", 0, len(names)) + packed + struct.pack(">i", -1)


def join(wire, group, *names, protocol_type="consumer"):
    """A group of one member, which has not synced yet: its member id and generation."""
    answer = wire.call("JoinGroup", 3, group=group, session_ms=30_000, rebalance_ms=30_000,
                       member="", protocol_type=protocol_type,
                       protocols=[{"name": "range", "metadata": subscription(*names)}])
    assert answer["error"] == NONE
    return answer["member"], answer["generation"]


def sync(wire, group, member, generation):
    answer = wire.call("SyncGroup", 2, group=group, generation=generation, member=member,
                       assignments=[{"member": member, "assignment": b"x"}])
    assert answer["error"] == NONE


def leave(wire, group, member):
    assert wire.call("LeaveGroup", 2, group=group, member=member)["error"] == NONE


def heartbeat(wire, group, member, epoch, names):
    """ConsumerGroupHeartbeat: the error, and the member's id and epoch."""
    wire.send("ConsumerGroupHeartbeat", 0, group=group, member=member, epoch=epoch,
              rebalance_ms=30_000, names=names, owned=[])
    reader = Reader(wire.receive_frame(), True)
    reader.number("int32")
    reader.tags()
    values = [reader.value(kind) for kind in
              ("int32", "int16", "string", "string", "int32")]
    return values[1], values[3], values[4]


def test_all_versions_commit_and_fetch(wire, other, topic, new_name):
    """Nobody's commit makes a group; offset, leader epoch and text come back as they were
    committed, in every version that has them, and -1 for what was not."""
    group = new_name()
    for version in COMMITS:
        parts = {0: (version, 0, "text"), 2: (7, -1, None)}
        assert commit(wire, group, topic, parts, version) == [NONE, NONE]
        epoch = 0 if version >= 6 else -1
        for read in FETCHES:
            error, rows = fetch(other, group, topic, [2, 0, 1], read)
            assert error == NONE
            assert rows == [(2, 7, -1, "", NONE),
                            (0, version, epoch if read >= 5 else -1, "text", NONE),
                            (1, -1, -1, "", NONE)]


def test_all_topics(wire, other, topic, new_name):
    """Null topics are all that were committed; of a group that is not there nothing is."""
    group, second = new_name(), new_name()
    make(wire, second)
    two = second, topic_id(wire, second)
    assert commit(wire, group, topic, {1: (5, 0, "m")}) == [NONE]
    assert commit(wire, group, two, {0: (6, 0, "")}) == [NONE]
    for version in range(2, 11):
        first = topic[1] if version >= 10 else topic[0]
        other_one = two[1] if version >= 10 else two[0]
        epoch = 0 if version >= 5 else -1
        assert fetch(other, group, topic, None, version) == (NONE, {
            first: [(1, 5, epoch, "m", NONE)], other_one: [(0, 6, epoch, "", NONE)]})
        assert fetch(other, new_name(), topic, None, version) == (NONE, {})


def test_nothing_was_committed(wire, topic, new_name):
    """Of an unknown group or topic -1 without an error; an unknown id is 100."""
    nowhere = new_name(), new_uuid()
    group = new_name()
    assert commit(wire, group, topic, {0: (5, 0, "m")}) == [NONE]
    for version in FETCHES:
        assert fetch(wire, new_name(), topic, [0], version) == \
            (NONE, [(0, -1, -1, "", NONE)])
        error = NONE if version < 10 else UNKNOWN_TOPIC_ID
        assert fetch(wire, group, nowhere, [0], version) == (NONE, [(0, -1, -1, "", error)])
        assert fetch(wire, group, topic, [17], version) == (NONE, [(17, -1, -1, "", NONE)])


def test_unknown_partitions(wire, topic, new_name):
    """A partition or topic that is not there is 3, an unknown id 100; the others go."""
    nowhere = new_name(), new_uuid()
    group = new_name()
    for version in COMMITS:
        assert commit(wire, group, topic, {3: (1, 0, ""), 1: (version, 0, "")}, version) == \
            [UNKNOWN_TOPIC_OR_PARTITION, NONE]
        error = UNKNOWN_TOPIC_OR_PARTITION if version < 10 else UNKNOWN_TOPIC_ID
        assert commit(wire, group, nowhere, {0: (1, 0, "")}, version) == [error]
        # Nothing of it is left: the group is not even asked.
        assert commit(wire, new_name(), nowhere, {0: (1, 0, "")}, version,
                      generation=4, member="m") == [error]
    assert fetch(wire, group, topic, [1])[1] == [(1, 10, 0, "", NONE)]


def test_metadata_has_a_limit(wire, topic, new_name):
    """4096 characters of text are kept, one more is 12; the other partitions go. What a
    group refuses as a whole comes before that."""
    group = new_name()
    long = "x" * 4096
    euros = "\N{EURO SIGN}" * 4096
    assert commit(wire, group, topic, {0: (1, 0, long), 1: (2, 0, long + "x"),
                                       2: (3, 0, euros)}) == \
        [NONE, OFFSET_METADATA_TOO_LARGE, NONE]
    assert fetch(wire, group, topic, [0, 1, 2])[1] == [
        (0, 1, 0, long, NONE), (1, -1, -1, "", NONE), (2, 3, 0, euros, NONE)]
    smile = "\N{GRINNING FACE}" * 2048
    assert commit(wire, group, topic, {0: (1, 0, smile), 1: (1, 0, smile + "x")}) == \
        [NONE, OFFSET_METADATA_TOO_LARGE]
    assert commit(wire, group, topic, {0: (1, 0, "x" * 4097)}, generation=3,
                  member="m") == [UNKNOWN_MEMBER_ID]


def test_unknown_groups(wire, topic, new_name):
    """A member of a group that is not there: 69 from version 9 on, 22 before; the group
    without a name may commit, and no other way."""
    for version in COMMITS:
        error = GROUP_ID_NOT_FOUND if version >= 9 else ILLEGAL_GENERATION
        assert commit(wire, new_name(), topic, {0: (1, 0, "")}, version, 1, "m") == [error]
    assert commit(wire, "", topic, {0: (4, 0, "")}) == [NONE]
    assert fetch(wire, "", topic, [0])[1] == [(0, 4, 0, "", NONE)]


def test_members_of_classic_groups(wire, topic, new_name):
    """By member and generation; not while the assignment is made; nobody may while there
    are members, and again when they are gone. An offset is any number."""
    group = new_name()
    member, generation = join(wire, group, topic[0])
    assert commit(wire, group, topic, {0: (1, 0, "")}, 7, generation, member) == \
        [REBALANCE_IN_PROGRESS]
    sync(wire, group, member, generation)
    for version in COMMITS:
        one = {0: (version, 0, "")}
        assert commit(wire, group, topic, one, version, generation, member) == [NONE]
        assert commit(wire, group, topic, one, version, generation + 1, member) == \
            [ILLEGAL_GENERATION]
        assert commit(wire, group, topic, one, version, generation, "x") == \
            [UNKNOWN_MEMBER_ID]
        assert commit(wire, group, topic, one, version) == [UNKNOWN_MEMBER_ID]
        assert commit(wire, group, topic, one, version, -1, member) == [ILLEGAL_GENERATION]
    leave(wire, group, member)
    assert commit(wire, group, topic, {0: (9, 0, "")}, 7, generation, member) == \
        [UNKNOWN_MEMBER_ID]
    assert commit(wire, group, topic, {0: (-9, 0, "")}) == [NONE]
    assert fetch(wire, group, topic, [0])[1] == [(0, -9, 0, "", NONE)]


def test_a_classic_group_lets_anybody_fetch(wire, topic, new_name):
    """Member and epoch of an OffsetFetch are those of KIP-848 only."""
    group = new_name()
    member, generation = join(wire, group, topic[0])
    sync(wire, group, member, generation)
    assert fetch(wire, group, topic, [0], 9, "nobody", 99) == \
        (NONE, [(0, -1, -1, "", NONE)])
    leave(wire, group, member)


def test_members_of_consumer_groups(wire, topic, new_name):
    """By member and epoch: 113 for another epoch, 25 for who is not there, 35 for a
    version that does not know of epochs; tools may fetch without either."""
    group = new_name()
    error, member, epoch = heartbeat(wire, group, "", 0, [topic[0]])
    assert error == NONE
    one = {0: (5, 0, "")}
    assert commit(wire, group, topic, one, 9, epoch, member) == [NONE]
    assert commit(wire, group, topic, one, 8, epoch, member) == [UNSUPPORTED_VERSION]
    assert commit(wire, group, topic, one, 9, epoch + 1, member) == [STALE_MEMBER_EPOCH]
    assert commit(wire, group, topic, one, 9, epoch, "x") == [UNKNOWN_MEMBER_ID]
    assert commit(wire, group, topic, one, 9) == [UNKNOWN_MEMBER_ID]
    found = [(0, 5, 0, "", NONE)]
    assert fetch(wire, group, topic, [0], 9, member, epoch) == (NONE, found)
    assert fetch(wire, group, topic, [0], 9) == (NONE, found)
    assert fetch(wire, group, topic, [0], 8) == (NONE, found)
    assert fetch(wire, group, topic, [0], 9, member, epoch + 1) == (STALE_MEMBER_EPOCH, [])
    assert fetch(wire, group, topic, [0], 9, "x", epoch) == (UNKNOWN_MEMBER_ID, [])
    assert delete(wire, group, topic, [0]) == (NONE, [GROUP_SUBSCRIBED_TO_TOPIC])
    assert heartbeat(wire, group, member, -1, None)[0] == NONE
    assert delete(wire, group, topic, [0]) == (NONE, [NONE])


def test_delete(wire, topic, new_name):
    """What is not there is deleted, too; unknown topics are 3, unknown groups 69, whatever
    the topics are; no name is 24."""
    group, nowhere = new_name(), (new_name(), None)
    assert delete(wire, group, topic, [0]) == (GROUP_ID_NOT_FOUND, [])
    assert delete(wire, group, nowhere, [0]) == (GROUP_ID_NOT_FOUND, [])
    assert delete(wire, "", topic, [0]) == (INVALID_GROUP_ID, [])
    assert commit(wire, group, topic, {0: (5, 0, ""), 1: (6, 0, "")}) == [NONE, NONE]
    assert delete(wire, group, topic, [0, 2, 9]) == (NONE, [NONE] * 3)
    assert delete(wire, group, nowhere, [0]) == (NONE, [UNKNOWN_TOPIC_OR_PARTITION])
    assert fetch(wire, group, topic, [0, 1])[1] == [(0, -1, -1, "", NONE),
                                                   (1, 6, 0, "", NONE)]


def test_delete_spares_what_is_read(wire, topic, new_name):
    """Of a group with members: 86 for what they read; 68 for one of another type."""
    group, second = new_name(), new_name()
    make(wire, second)
    unread = second, None
    assert commit(wire, group, topic, {0: (5, 0, "")}) == [NONE]
    assert commit(wire, group, unread, {0: (6, 0, "")}) == [NONE]
    member, generation = join(wire, group, topic[0])
    sync(wire, group, member, generation)
    assert delete(wire, group, topic, [0]) == (NONE, [GROUP_SUBSCRIBED_TO_TOPIC])
    assert delete(wire, group, unread, [0]) == (NONE, [NONE])
    leave(wire, group, member)
    assert delete(wire, group, topic, [0]) == (NONE, [NONE])
    connect = new_name()
    assert commit(wire, connect, topic, {0: (5, 0, "")}) == [NONE]
    member, generation = join(wire, connect, topic[0], protocol_type="connect")
    sync(wire, connect, member, generation)
    assert delete(wire, connect, topic, [0]) == (NON_EMPTY_GROUP, [])
    leave(wire, connect, member)


def test_a_topic_made_again_begins_anew(wire, other, topic, new_name):
    """Deleting a topic takes what was committed with it."""
    group = new_name()
    assert commit(wire, group, topic, {0: (5, 0, "")}) == [NONE]
    wire.call("DeleteTopics", 3, topics=[topic[0]], timeout_ms=30_000)
    until(lambda: fetch(other, group, topic, None), (NONE, {}))
    make(wire, topic[0], partitions=3)
    assert fetch(other, group, topic, [0])[1] == [(0, -1, -1, "", NONE)]


def test_deleted_groups_have_nothing(wire, other, topic, new_name):
    """DeleteGroups takes what was committed with it; a group with members is 68."""
    group = new_name()
    assert commit(wire, group, topic, {0: (5, 0, "")}) == [NONE]
    member, generation = join(wire, group, topic[0])
    assert wire.call("DeleteGroups", 1, groups=[group])["groups"][0]["error"] == \
        NON_EMPTY_GROUP
    leave(wire, group, member)
    assert wire.call("DeleteGroups", 1, groups=[group])["groups"][0]["error"] == NONE
    assert fetch(other, group, topic, [0])[1] == [(0, -1, -1, "", NONE)]
