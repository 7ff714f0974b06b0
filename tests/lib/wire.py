"""A small Kafka client of raw requests, for what no client library would send.

    with Wire(address) as wire:
        answer = wire.call("Metadata", 1, topics=[{"name": "t"}])

SPECS has the fields of the versions that tests use, the request's before the response's.
A field is "name type"; a list of fields is a name and a list.  Types: int8 int16 int32
int64 bool uuid, string and bytes (null allowed), int32s, strings, uuids (arrays, null
allowed).  Versions in FLEXIBLE use compact lengths and have tagged fields, which are
skipped when read and sent empty.  Fields that a call leaves out are 0, null or empty.
"""

import socket
import struct
import uuid

KEYS = {"Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3,
        "OffsetCommit": 8, "OffsetFetch": 9, "FindCoordinator": 10, "JoinGroup": 11,
        "LeaveGroup": 13, "SyncGroup": 14, "DeleteGroups": 42, "OffsetDelete": 47,
        "ConsumerGroupHeartbeat": 68, "ApiVersions": 18,
        "CreateTopics": 19, "DeleteTopics": 20, "InitProducerId": 22,
        "OffsetForLeaderEpoch": 23, "DescribeConfigs": 32, "AlterConfigs": 33,
        "CreatePartitions": 37, "IncrementalAlterConfigs": 44, "DescribeCluster": 60,
        "DescribeTopicPartitions": 75}

FLEXIBLE = {"Produce": 9, "Fetch": 12, "ListOffsets": 6, "Metadata": 9, "ApiVersions": 3,
            "CreateTopics": 5, "DeleteTopics": 4, "InitProducerId": 2,
            "OffsetForLeaderEpoch": 4, "DescribeConfigs": 4, "AlterConfigs": 2,
            "CreatePartitions": 2, "IncrementalAlterConfigs": 1, "DescribeCluster": 0,
            "DescribeTopicPartitions": 0, "OffsetCommit": 8, "OffsetFetch": 6, "FindCoordinator": 3,
            "JoinGroup": 6,
            "LeaveGroup": 4, "SyncGroup": 4, "DeleteGroups": 2, "OffsetDelete": 99,
            "ConsumerGroupHeartbeat": 0}

_PRODUCE = ["transactional_id string", "acks int16", "timeout_ms int32",
            ("topics", ["name string",
                        ("partitions", ["index int32", "records bytes"])])]
_PRODUCED_8 = ["index int32", "error int16", "base_offset int64", "append_time int64",
               "log_start int64",
               ("record_errors", ["index int32", "message string"]), "message string"]


def _fetch_topic(name, tail):
    return ("topics", [name, ("partitions", [
        "partition int32", "leader_epoch int32", "offset int64", *tail,
        "log_start int64", "max_bytes int32"])])


def _fetched(name):
    return ("topics", [name, ("partitions", [
        "partition int32", "error int16", "high_watermark int64", "last_stable int64",
        "log_start int64", ("aborted", ["producer_id int64", "first_offset int64"]),
        "preferred int32", "records bytes"])])


_FETCH = ["replica_id int32", "max_wait_ms int32", "min_bytes int32", "max_bytes int32",
          "isolation int8", "session_id int32", "session_epoch int32"]
_CREATED = ["name string", "error int16", "message string"]
_METADATA_BROKERS = ("brokers", ["id int32", "host string", "port int32", "rack string"])
_METADATA_PARTITION = ["error int16", "partition int32", "leader int32"]


def _committed(version):
    """OffsetCommit: its request and response."""
    key = "id uuid" if version >= 10 else "name string"
    part = ["index int32", "offset int64", *["epoch int32"] * (version >= 6),
            "metadata string"]
    return (["group string", "generation int32", "member string",
             *["instance string"] * (version >= 7), *["retention int64"] * (version < 5),
             ("topics", [key, ("partitions", part)])],
            [*["throttle int32"] * (version >= 3),
             ("topics", [key, ("partitions", ["index int32", "error int16"])])])


def _offsets(version):
    """OffsetFetch: its request and response."""
    key = "id uuid" if version >= 10 else "name string"
    topics = ("topics", [key, "partitions int32s"])
    found = ("topics", [key, ("partitions", [
        "index int32", "offset int64", *["epoch int32"] * (version >= 5),
        "metadata string", "error int16"])])
    if version < 8:
        return (["group string", topics, *["stable bool"] * (version >= 7)],
                [*["throttle int32"] * (version >= 3), found,
                 *["error int16"] * (version >= 2)])
    return ([("groups", ["group string",
                         *["member string", "epoch int32"] * (version >= 9), topics]),
             "stable bool"],
            ["throttle int32", ("groups", ["group string", found, "error int16"])])


SPECS = {
    **{("OffsetCommit", version): _committed(version) for version in range(2, 11)},
    **{("OffsetFetch", version): _offsets(version) for version in range(1, 11)},
    ("OffsetDelete", 0): (
        ["group string", ("topics", ["name string", ("partitions", ["index int32"])])],
        ["error int16", "throttle int32", ("topics", [
            "name string", ("partitions", ["index int32", "error int16"])])]),
    ("FindCoordinator", 1): (
        ["key string", "type int8"],
        ["throttle int32", "error int16", "message string", "node int32", "host string",
         "port int32"]),
    ("JoinGroup", 3): (
        ["group string", "session_ms int32", "rebalance_ms int32", "member string",
         "protocol_type string", ("protocols", ["name string", "metadata bytes"])],
        ["throttle int32", "error int16", "generation int32", "protocol string",
         "leader string", "member string", ("members", ["id string", "metadata bytes"])]),
    ("SyncGroup", 2): (
        ["group string", "generation int32", "member string",
         ("assignments", ["member string", "assignment bytes"])],
        ["throttle int32", "error int16", "assignment bytes"]),
    ("LeaveGroup", 2): (["group string", "member string"], ["throttle int32", "error int16"]),
    ("DeleteGroups", 1): (["groups strings"], ["throttle int32", ("groups", [
        "group string", "error int16"])]),
    ("ConsumerGroupHeartbeat", 0): (
        ["group string", "member string", "epoch int32", "instance string", "rack string",
         "rebalance_ms int32", "names strings", "assignor string",
         ("owned", ["id uuid", "partitions int32s"])], []),
    ("ApiVersions", 0): ([], ["error int16", ("keys", [
        "key int16", "min int16", "max int16"])]),
    ("ApiVersions", 3): (["name string", "version string"], ["error int16", ("keys", [
        "key int16", "min int16", "max int16"]), "throttle int32"]),
    ("Produce", 3): (_PRODUCE, [("topics", ["name string", ("partitions", [
        "index int32", "error int16", "base_offset int64", "append_time int64"])]),
        "throttle int32"]),
    ("Produce", 7): (_PRODUCE, [("topics", ["name string", ("partitions", [
        "index int32", "error int16", "base_offset int64", "append_time int64",
        "log_start int64"])]), "throttle int32"]),
    ("Produce", 8): (_PRODUCE, [("topics", ["name string", ("partitions", _PRODUCED_8)]),
                                "throttle int32"]),
    ("Produce", 13): (
        _PRODUCE[:3] + [("topics", ["id uuid", ("partitions", [
            "index int32", "records bytes"])])],
        [("topics", ["id uuid", ("partitions", _PRODUCED_8)]), "throttle int32"]),
    ("Fetch", 4): (
        ["replica_id int32", "max_wait_ms int32", "min_bytes int32", "max_bytes int32",
         "isolation int8", ("topics", ["name string", ("partitions", [
             "partition int32", "offset int64", "max_bytes int32"])])],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "partition int32", "error int16", "high_watermark int64", "last_stable int64",
            ("aborted", ["producer_id int64", "first_offset int64"]),
            "records bytes"])])]),
    ("Fetch", 11): (
        _FETCH + [_fetch_topic("name string", []),
                  ("forgotten", ["name string", "partitions int32s"]), "rack string"],
        ["throttle int32", "error int16", "session_id int32", _fetched("name string")]),
    ("Fetch", 13): (
        _FETCH + [_fetch_topic("id uuid", ["last_fetched_epoch int32"]),
                  ("forgotten", ["id uuid", "partitions int32s"]), "rack string"],
        ["throttle int32", "error int16", "session_id int32", _fetched("id uuid")]),
    ("ListOffsets", 1): (
        ["replica_id int32", ("topics", ["name string", ("partitions", [
            "partition int32", "timestamp int64"])])],
        [("topics", ["name string", ("partitions", [
            "partition int32", "error int16", "timestamp int64", "offset int64"])])]),
    ("ListOffsets", 5): (
        ["replica_id int32", "isolation int8", ("topics", ["name string", ("partitions", [
            "partition int32", "leader_epoch int32", "timestamp int64"])])],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "partition int32", "error int16", "timestamp int64", "offset int64",
            "leader_epoch int32"])])]),
    ("ListOffsets", 7): (
        ["replica_id int32", "isolation int8", ("topics", ["name string", ("partitions", [
            "partition int32", "leader_epoch int32", "timestamp int64"])])],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "partition int32", "error int16", "timestamp int64", "offset int64",
            "leader_epoch int32"])])]),
    ("Metadata", 0): (
        ["topics strings"],
        [("brokers", ["id int32", "host string", "port int32"]),
         ("topics", ["error int16", "name string", ("partitions", [
             *_METADATA_PARTITION, "replicas int32s", "isr int32s"])])]),
    ("Metadata", 8): (
        ["topics strings", "auto_create bool", "cluster_operations bool",
         "topic_operations bool"],
        ["throttle int32", _METADATA_BROKERS, "cluster_id string", "controller int32",
         ("topics", ["error int16", "name string", "internal bool", ("partitions", [
             *_METADATA_PARTITION, "leader_epoch int32", "replicas int32s", "isr int32s",
             "offline int32s"]), "operations int32"]), "cluster_operations int32"]),
    ("Metadata", 12): (
        [("topics", ["id uuid", "name string"]), "auto_create bool",
         "topic_operations bool"],
        ["throttle int32", _METADATA_BROKERS, "cluster_id string", "controller int32",
         ("topics", ["error int16", "name string", "id uuid", "internal bool",
                     ("partitions", [*_METADATA_PARTITION, "leader_epoch int32",
                                     "replicas int32s", "isr int32s", "offline int32s"]),
                     "operations int32"])]),
    ("CreateTopics", 4): (
        [("topics", ["name string", "partitions int32", "replication int16",
                     ("assignments", ["partition int32", "brokers int32s"]),
                     ("configs", ["name string", "value string"])]),
         "timeout_ms int32", "validate_only bool"],
        ["throttle int32", ("topics", _CREATED)]),
    ("CreateTopics", 7): (
        [("topics", ["name string", "partitions int32", "replication int16",
                     ("assignments", ["partition int32", "brokers int32s"]),
                     ("configs", ["name string", "value string"])]),
         "timeout_ms int32", "validate_only bool"],
        ["throttle int32", ("topics", [
            "name string", "id uuid", "error int16", "message string", "partitions int32",
            "replication int16", ("configs", [
                "name string", "value string", "read_only bool", "source int8",
                "sensitive bool"])])]),
    ("DeleteTopics", 3): (
        ["topics strings", "timeout_ms int32"],
        ["throttle int32", ("topics", ["name string", "error int16"])]),
    ("DeleteTopics", 6): (
        [("topics", ["name string", "id uuid"]), "timeout_ms int32"],
        ["throttle int32", ("topics", ["name string", "id uuid", "error int16",
                                       "message string"])]),
    ("InitProducerId", 1): (
        ["transactional_id string", "timeout_ms int32"],
        ["throttle int32", "error int16", "producer_id int64", "producer_epoch int16"]),
    ("InitProducerId", 4): (
        ["transactional_id string", "timeout_ms int32", "producer_id int64",
         "producer_epoch int16"],
        ["throttle int32", "error int16", "producer_id int64", "producer_epoch int16"]),
    ("OffsetForLeaderEpoch", 3): (
        ["replica_id int32", ("topics", ["name string", ("partitions", [
            "partition int32", "current_epoch int32", "epoch int32"])])],
        ["throttle int32", ("topics", ["name string", ("partitions", [
            "error int16", "partition int32", "epoch int32", "end_offset int64"])])]),
    ("DescribeConfigs", 2): (
        [("resources", ["type int8", "name string", "keys strings"]), "synonyms bool"],
        ["throttle int32", ("resources", [
            "error int16", "message string", "type int8", "name string", ("configs", [
                "name string", "value string", "read_only bool", "source int8",
                "sensitive bool",
                ("synonyms", ["name string", "value string", "source int8"])])])]),
    ("AlterConfigs", 1): (
        [("resources", ["type int8", "name string",
                        ("configs", ["name string", "value string"])]),
         "validate_only bool"],
        ["throttle int32", ("resources", [
            "error int16", "message string", "type int8", "name string"])]),
    ("IncrementalAlterConfigs", 0): (
        [("resources", ["type int8", "name string", ("configs", [
            "name string", "operation int8", "value string"])]), "validate_only bool"],
        ["throttle int32", ("resources", [
            "error int16", "message string", "type int8", "name string"])]),
    ("CreatePartitions", 1): (
        [("topics", ["name string", "count int32",
                     ("assignments", ["brokers int32s"])]),
         "timeout_ms int32", "validate_only bool"],
        ["throttle int32", ("topics", _CREATED)]),
    ("DescribeCluster", 0): (
        ["operations bool"],
        ["throttle int32", "error int16", "message string", "cluster_id string",
         "controller int32", _METADATA_BROKERS, "operations int32"]),
    ("DescribeTopicPartitions", 0): (
        [("topics", ["name string"]), "limit int32", "cursor int8"],
        ["throttle int32", ("topics", [
            "error int16", "name string", "id uuid", "internal bool", ("partitions", [
                *_METADATA_PARTITION, "leader_epoch int32", "replicas int32s",
                "isr int32s", "eligible int32s", "last_eligible int32s",
                "offline int32s"]), "operations int32"])]),
}

_NUMBERS = {"int8": ">b", "int16": ">h", "int32": ">i", "int64": ">q", "bool": ">?"}
_ELEMENTS = {"int32s": "int32", "strings": "string", "uuids": "uuid"}


class Closed(Exception):
    """The server closed the connection instead of answering."""


class Writer:
    def __init__(self, flexible):
        self.flexible = flexible
        self.out = bytearray()

    def number(self, kind, value):
        self.out += struct.pack(_NUMBERS[kind], value)

    def uvarint(self, value):
        while value > 0x7F:
            self.out.append(value & 0x7F | 0x80)
            value >>= 7
        self.out.append(value)

    def length(self, value, kind):
        if self.flexible:
            self.uvarint(value + 1)
        else:
            self.number(kind, value)

    def value(self, kind, value):
        if kind in _NUMBERS:
            self.number(kind, value or 0)
        elif kind == "uuid":
            self.out += value or bytes(16)
        elif kind in ("string", "bytes"):
            width = "int16" if kind == "string" else "int32"
            if value is None:
                self.length(-1, width)
            else:
                data = value.encode() if isinstance(value, str) else value
                self.length(len(data), width)
                self.out += data
        elif value is None:
            self.length(-1, "int32")
        else:
            self.length(len(value), "int32")
            for item in value:
                self.value(_ELEMENTS[kind], item)

    def fields(self, spec, values):
        unknown = set(values) - {f[0] if isinstance(f, tuple) else f.split()[0]
                                 for f in spec}
        if unknown:
            raise KeyError(f"no such fields: {unknown}")
        for field in spec:
            if isinstance(field, tuple):
                items = values.get(field[0], [])
                self.length(-1 if items is None else len(items), "int32")
                for item in items or []:
                    self.fields(field[1], item)
            else:
                name, kind = field.split()
                self.value(kind, values.get(name))
        if self.flexible:
            self.out.append(0)


class Reader:
    def __init__(self, data, flexible):
        self.data = data
        self.at = 0
        self.flexible = flexible

    def take(self, count):
        if count > len(self.data) - self.at:
            raise ValueError("the response is too short")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, kind):
        size = struct.calcsize(_NUMBERS[kind])
        return struct.unpack(_NUMBERS[kind], self.take(size))[0]

    def uvarint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def length(self, kind):
        return self.uvarint() - 1 if self.flexible else self.number(kind)

    def value(self, kind):
        if kind in _NUMBERS:
            return self.number(kind)
        if kind == "uuid":
            return self.take(16)
        if kind in ("string", "bytes"):
            size = self.length("int16" if kind == "string" else "int32")
            data = None if size < 0 else self.take(size)
            return data.decode() if data is not None and kind == "string" else data
        count = self.length("int32")
        return None if count < 0 else [self.value(_ELEMENTS[kind]) for _ in range(count)]

    def tags(self):
        for _ in range(self.uvarint()):
            self.uvarint()
            self.take(self.uvarint())

    def fields(self, spec):
        values = {}
        for field in spec:
            if isinstance(field, tuple):
                count = self.length("int32")
                values[field[0]] = None if count < 0 else \
                    [self.fields(field[1]) for _ in range(count)]
            else:
                name, kind = field.split()
                values[name] = self.value(kind)
        if self.flexible:
            self.tags()
        return values


def is_flexible(api, version):
    return version >= FLEXIBLE[api]


def request(api, version, correlation_id, values, client_id="wire"):
    """A request's frame, without the length in front."""
    head = Writer(False)
    head.number("int16", KEYS[api])
    head.number("int16", version)
    head.number("int32", correlation_id)
    head.value("string", client_id)
    if is_flexible(api, version):
        head.out.append(0)
    body = Writer(is_flexible(api, version))
    body.fields(SPECS[api, version][0], values)
    return bytes(head.out + body.out)


def response(api, version, frame):
    """The correlation id and the fields of a response's frame."""
    reader = Reader(frame, is_flexible(api, version))
    correlation_id = reader.number("int32")
    if reader.flexible and api != "ApiVersions":
        reader.tags()
    values = reader.fields(SPECS[api, version][1])
    if reader.at != len(frame):
        raise ValueError(f"{len(frame) - reader.at} bytes behind the response")
    return correlation_id, values


class Wire:
    """One connection to ADDRESS (HOST:PORT; of several, the first)."""

    def __init__(self, address, timeout_s=25):
        host, _, port = address.split(",")[0].rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout_s)
        self.correlation_id = 0
        self.waiting = {}

    def send_frame(self, frame):
        self.socket.sendall(struct.pack(">i", len(frame)) + frame)

    def send(self, api, version, /, **values):
        """Send a request and return its correlation id; receive() has the answer."""
        self.correlation_id += 1
        self.waiting[self.correlation_id] = (api, version)
        self.send_frame(request(api, version, self.correlation_id, values))
        return self.correlation_id

    def receive_frame(self):
        """The next frame; raises Closed when the server has closed."""
        (size,) = struct.unpack(">i", self._exactly(4))
        return self._exactly(size)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionError as error:
                raise Closed() from error
            if not more:
                raise Closed()
            data += more
        return data

    def receive(self):
        """The next answer: its correlation id and fields."""
        frame = self.receive_frame()
        (correlation_id,) = struct.unpack(">i", frame[:4])
        return response(*self.waiting.pop(correlation_id), frame)

    def call(self, api, version, /, **values):
        """Send a request and return the fields of its answer."""
        sent = self.send(api, version, **values)
        received, fields = self.receive()
        assert received == sent, "answers out of order"
        return fields

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def new_uuid():
    """An id that no topic has."""
    return uuid.uuid4().bytes
