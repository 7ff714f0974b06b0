"""Members of groups that speak the protocol by hand, a request at a time.

    a = ClassicMember(addresses, "group", ["topic"])
    a.join()
    a.sync({a.id: [("topic", [0, 1])]})
    assert a.heartbeat() == 0

For tests that must have a group in a certain state when something happens, or that send
what no library would. Each member has a connection of its own to one of ADDRESSES and takes
another one when that breaks; begin() does a step beside the test.
"""

import concurrent.futures
import struct
import uuid

from schema_wire import Link

REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION, UNKNOWN_MEMBER = 27, 22, 25
MEMBER_ID_REQUIRED, FENCED_MEMBER_EPOCH = 79, 110


class Answered(AssertionError):
    """An answer with an error where the test wanted none."""


def _text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def subscription(topics):
    """What a consumer says of itself when it joins (version 0)."""
    return struct.pack(">hi", 0, len(topics)) + b"".join(map(_text, topics)) + \
        struct.pack(">i", -1)


def assignment(parts):
    """What a leader gives to a member: PARTS [(topic, [partition...])] (version 0)."""
    out = struct.pack(">hi", 0, len(parts))
    for topic, partitions in parts:
        out += _text(topic) + struct.pack(f">i{len(partitions)}i", len(partitions),
                                          *partitions)
    return out + struct.pack(">i", -1)


def assigned(data):
    """{(topic, partition)} of an assignment's bytes."""
    if not data:
        return set()
    _, topics = struct.unpack_from(">hi", data)
    at, found = 6, set()
    for _ in range(topics):
        (size,) = struct.unpack_from(">h", data, at)
        topic = data[at + 2:at + 2 + size].decode()
        at += 2 + size
        (count,) = struct.unpack_from(">i", data, at)
        found |= {(topic, p) for p in struct.unpack_from(f">{count}i", data, at + 4)}
        at += 4 + 4 * count
    return found


_pool = concurrent.futures.ThreadPoolExecutor(64)


def begin(step, *arguments, **named):
    """Do STEP in a thread of its own; a future for what it returns."""
    return _pool.submit(step, *arguments, **named)


class ClassicMember:
    """A member of a classic group. After join(): id, generation, leader, members."""

    def __init__(self, addresses, group, topics=(), protocols=None, session_ms=30_000,
                 rebalance_ms=30_000, instance=None, protocol_type="consumer",
                 client_id="raw"):
        self.link = Link(addresses, client_id=client_id)
        self.group = group
        self.protocols = protocols or [("range", subscription(list(topics)))]
        self.protocol_type = protocol_type
        self.session_ms = session_ms
        self.rebalance_ms = rebalance_ms
        self.instance = instance
        self.id = ""
        self.generation = -1
        self.leader = None
        self.protocol = None
        self.members = []
        self.assignment = b""

    def join_values(self):
        return {"group_id": self.group, "session_timeout_ms": self.session_ms,
                "rebalance_timeout_ms": self.rebalance_ms, "member_id": self.id,
                "group_instance_id": self.instance, "protocol_type": self.protocol_type,
                "protocols": [{"name": name, "metadata": data}
                              for name, data in self.protocols]}

    def take(self, answer):
        """Remember what a JoinGroup was answered; its error code."""
        if answer["error_code"] == 0:
            self.id = answer["member_id"]
            self.generation = answer["generation_id"]
            self.leader = answer["leader"]
            self.protocol = answer["protocol_name"]
            self.members = answer["members"]
        return answer["error_code"]

    def get_id(self):
        """Ask to join without an id: the server gives one, and no more."""
        answer = self.link.call("JoinGroup", 9, **self.join_values())
        assert answer["error_code"] == MEMBER_ID_REQUIRED, answer
        self.id = answer["member_id"]

    def try_join(self):
        """Join; the error code."""
        if not self.id and not self.instance:
            self.get_id()
        return self.take(self.link.call("JoinGroup", 9, **self.join_values()))

    def join(self):
        code = self.try_join()
        if code:
            raise Answered(f"join of {self.group}: {code}")
        return self

    @property
    def leads(self):
        return self.leader == self.id

    def try_sync(self, parts=None):
        """Sync, as leader with PARTS {member id: [(topic, [partition...])]}."""
        answer = self.link.call(
            "SyncGroup", 5, group_id=self.group, generation_id=self.generation,
            member_id=self.id, group_instance_id=self.instance,
            protocol_type=self.protocol_type, protocol_name=self.protocol,
            assignments=[{"member_id": member, "assignment": data if
                          isinstance(data, bytes) else assignment(data)}
                         for member, data in (parts or {}).items()])
        self.assignment = answer["assignment"]
        return answer["error_code"]

    def sync(self, parts=None):
        code = self.try_sync(parts)
        if code:
            raise Answered(f"sync of {self.group}: {code}")
        return assigned(self.assignment)

    def heartbeat(self):
        return self.link.call("Heartbeat", 4, group_id=self.group,
                              generation_id=self.generation, member_id=self.id,
                              group_instance_id=self.instance)["error_code"]

    def commit(self, topic, offsets, metadata=""):
        """The error code of each partition of OFFSETS {partition: offset}."""
        return commit(self.link, self.group, topic, offsets, metadata, self.generation,
                      self.id, self.instance)

    def leave(self):
        answer = self.link.call("LeaveGroup", 5, group_id=self.group, members=[
            {"member_id": self.id, "group_instance_id": self.instance}])
        return answer["error_code"] or answer["members"][0]["error_code"]

    def close(self):
        """Go without a word."""
        self.link.close()


class ConsumerMember:
    """A member of a group of KIP-848; owned is what it says that it has."""

    def __init__(self, addresses, group, topics=None, regex=None, assignor=None,
                 instance=None, rebalance_ms=30_000, rack=None, client_id="raw"):
        self.link = Link(addresses, client_id=client_id)
        self.group = group
        self.topics = topics
        self.regex = regex
        self.assignor = assignor
        self.instance = instance
        self.rebalance_ms = rebalance_ms
        self.rack = rack
        self.id = str(uuid.uuid4())
        self.epoch = 0
        self.owned = set()          # (topic id, partition)
        self.target = None          # what the server said last

    def parts(self):
        """What it owns, as a request says it."""
        by_topic = {}
        for topic, partition in sorted(self.owned):
            by_topic.setdefault(topic, []).append(partition)
        return [{"topic_id": topic, "partitions": parts}
                for topic, parts in by_topic.items()]

    def call(self, **values):
        """A heartbeat with these fields and none but the needed others."""
        return self.link.call("ConsumerGroupHeartbeat", 1, **{
            "group_id": self.group, "member_id": self.id, "member_epoch": self.epoch,
            "instance_id": self.instance, **values})

    def take(self, answer):
        if answer["error_code"]:
            return answer["error_code"]
        self.epoch = answer["member_epoch"]
        if answer["assignment"] is not None:
            self.target = {(part["topic_id"], p)
                           for part in answer["assignment"]["topic_partitions"]
                           for p in part["partitions"]}
        return 0

    def join(self):
        """The first heartbeat; its error code."""
        return self.take(self.call(
            rebalance_timeout_ms=self.rebalance_ms, subscribed_topic_names=self.topics,
            subscribed_topic_regex=self.regex, server_assignor=self.assignor,
            rack_id=self.rack, topic_partitions=self.parts()))

    def heartbeat(self, tell=False):
        """A later one; with TELL it says what it owns."""
        return self.take(self.call(**({"topic_partitions": self.parts()} if tell else {})))

    def revoke(self):
        """Give up what is not in the target, without saying so yet; what was given up."""
        gone = self.owned - self.target
        self.owned -= gone
        return gone

    def adopt(self):
        """Take what is in the target; what is new."""
        new = self.target - self.owned
        self.owned = set(self.target)
        return new

    def leave(self):
        return self.call(member_epoch=-1)["error_code"]

    def close(self):
        self.link.close()


def commit(link, group, topic, offsets, metadata="", generation=-1, member="", instance=None,
           version=9):
    """Commit OFFSETS {partition: offset}; the error code of each partition."""
    answer = link.call(
        "OffsetCommit", version, group_id=group, generation_id_or_member_epoch=generation,
        member_id=member, group_instance_id=instance, topics=[{
            "name": topic, "partitions": [
                {"partition_index": p, "committed_offset": offset,
                 "committed_metadata": metadata} for p, offset in offsets.items()]}])
    return {part["partition_index"]: part["error_code"]
            for part in answer["topics"][0]["partitions"]}


def fetch(link, group, topic, partitions):
    """{partition: (offset, metadata)} that the group has; raises for an error."""
    answer = link.call("OffsetFetch", 8, groups=[{
        "group_id": group, "topics": [{"name": topic, "partition_indexes": partitions}]}])
    found = answer["groups"][0]
    parts = [part for t in found["topics"] for part in t["partitions"]]
    if found["error_code"] or any(part["error_code"] for part in parts):
        raise Answered(str(found))
    return {part["partition_index"]: (part["committed_offset"], part["metadata"])
            for part in parts}


def describe(link, group):
    """A classic group as DescribeGroups shows it."""
    return link.call("DescribeGroups", 5, groups=[group])["groups"][0]


def describe_consumer(link, group):
    """A group of KIP-848 as ConsumerGroupDescribe shows it."""
    return link.call("ConsumerGroupDescribe", 1, group_ids=[group])["groups"][0]
