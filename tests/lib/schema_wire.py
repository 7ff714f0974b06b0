"""A raw Kafka client of every API and version that proto/kafka describes.

    with SchemaWire(address) as wire:
        answer = wire.call("Heartbeat", 4, group_id="g", generation_id=3, member_id="m")

Names are those of the schemas (proto/README.md has their notation), which golden frames of
a real Kafka hold to be right. Unlike in wire.py no version need be written down again: for
tests that speak many of them. Fields that a call leaves out are their default, null if
they may be, else 0 or empty. Tagged fields are not written, and skipped when read.
"""

import functools
import pathlib
import re
import struct
import time
from dataclasses import dataclass, field

from wire import Closed, Reader, Wire, Writer

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "proto" / "kafka"
_NUMBERS = ("int8", "int16", "int32", "int64", "bool")
# Only read.
_OTHER_NUMBERS = {"uint16": ">H", "float64": ">d"}


def _range(text):
    """The versions "3-12", "5+", "7" as (first, last)."""
    if text.endswith("+"):
        return int(text[:-1]), 99
    first, _, last = text.partition("-")
    return int(first), int(last or first)


@dataclass
class Field:
    name: str
    kind: str
    array: bool
    versions: tuple = (0, 99)
    null_from: int = 99
    default: int = 0
    tag: bool = False
    fields: list = field(default_factory=list)

    def within(self, version):
        return self.versions[0] <= version <= self.versions[1] and not self.tag


@dataclass
class Api:
    name: str
    key: int
    flexible: int
    request: list
    response: list


def _field(words):
    made = Field(words[0], words[1].removeprefix("[]"), words[1].startswith("[]"))
    for word in words[2:]:
        name, _, value = word.partition("=")
        if re.match(r"\d", word):
            made.versions = _range(word)
        elif name == "null":
            made.null_from = _range(value)[0] if value else 0
        elif name == "default" and re.fullmatch(r"-?\d+", value):
            made.default = int(value)
        elif name == "tag":
            made.tag = True
    return made


def _share(fields, structs):
    """Give each struct that stands without fields those of the one of its name before."""
    for made in fields:
        if made.fields:
            _share(made.fields, structs)
            structs[made.kind] = made.fields
        else:
            made.fields = structs.get(made.kind, [])


def _parse(path):
    """The Api of a schema, None for what is not one."""
    api = None
    for line in path.read_text().splitlines():
        words = line.split("#")[0].split()
        depth = (len(line) - len(line.lstrip())) // 4
        if not words:
            continue
        if words[0] == "embedded":
            return None
        if depth:
            made = _field(words)
            stack[depth - 1].append(made)
            stack[depth:] = [made.fields]
        elif words[0] == "api":
            api = Api(words[3], int(words[1]), 99, [], [])
        elif words[0] == "flexible":
            api.flexible = 99 if words[1] == "none" else int(words[1])
        elif words[0] in ("request", "response"):
            stack = [getattr(api, words[0])]
    for fields in (api.request, api.response):
        _share(fields, {})
    return api


@functools.cache
def apis():
    """Every Api by its name."""
    found = (_parse(path) for path in sorted(SCHEMAS.glob("*.schema")))
    return {api.name: api for api in found if api}


class _Encoder(Writer):
    def struct(self, fields, version, values):
        unknown = set(values) - {f.name for f in fields if f.within(version)}
        if unknown:
            raise KeyError(f"version {version} has no {unknown}")
        for made in fields:
            if made.within(version):
                self.one(made, version, values.get(made.name, ...))
        if self.flexible:
            self.out.append(0)

    def one(self, made, version, value):
        nullable = version >= made.null_from
        if value is ...:
            value = None if nullable else [] if made.array else \
                "" if made.kind == "string" else b"" if made.kind in ("bytes", "records") \
                else None if made.kind == "uuid" else made.default \
                if made.kind in _NUMBERS else {}
        if made.array:
            self.length(-1 if value is None else len(value), "int32")
            for item in value or []:
                self.plain(made, version, item)
        elif _is_struct(made) and nullable:
            self.number("int8", -1 if value is None else 1)
            if value is not None:
                self.plain(made, version, value)
        else:
            self.plain(made, version, value)

    def plain(self, made, version, value):
        if _is_struct(made):
            self.struct(made.fields, version, value)
        else:
            self.value("bytes" if made.kind == "records" else made.kind, value)


def _is_struct(made):
    return made.kind not in (*_NUMBERS, *_OTHER_NUMBERS, "string", "bytes", "records",
                             "slices", "uuid")


class _Decoder(Reader):
    def struct(self, fields, version):
        values = {}
        for made in fields:
            if made.within(version):
                values[made.name] = self.one(made, version)
        if self.flexible:
            self.tags()
        return values

    def one(self, made, version):
        if made.array:
            count = self.length("int32")
            return None if count < 0 else [self.plain(made, version) for _ in range(count)]
        if _is_struct(made) and version >= made.null_from and self.number("int8") < 0:
            return None
        return self.plain(made, version)

    def plain(self, made, version):
        if _is_struct(made):
            return self.struct(made.fields, version)
        if made.kind in _OTHER_NUMBERS:
            form = _OTHER_NUMBERS[made.kind]
            return struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return self.value("bytes" if made.kind in ("records", "slices") else made.kind)


def encode(name, version, correlation_id, values, client_id="raw"):
    """A request's frame, without the length in front."""
    api = apis()[name]
    head = Writer(False)
    head.number("int16", api.key)
    head.number("int16", version)
    head.number("int32", correlation_id)
    head.value("string", client_id)
    if version >= api.flexible:
        head.out.append(0)
    body = _Encoder(version >= api.flexible)
    body.struct(api.request, version, values)
    return bytes(head.out + body.out)


def decode(name, version, frame):
    """The correlation id and the fields of a response's frame."""
    api = apis()[name]
    reader = _Decoder(frame, version >= api.flexible)
    correlation_id = reader.number("int32")
    if reader.flexible and name != "ApiVersions":
        reader.tags()
    values = reader.struct(api.response, version)
    if reader.at != len(frame):
        raise ValueError(f"{len(frame) - reader.at} bytes behind the response")
    return correlation_id, values


class SchemaWire(Wire):
    """A Wire whose requests are described by the schemas."""

    def __init__(self, address, timeout_s=60, client_id="raw"):
        super().__init__(address, timeout_s)
        self.client_id = client_id

    def send(self, api, version, /, **values):
        self.correlation_id += 1
        self.waiting[self.correlation_id] = (api, version)
        self.send_frame(encode(api, version, self.correlation_id, values, self.client_id))
        return self.correlation_id

    def receive(self):
        frame = self.receive_frame()
        (correlation_id,) = struct.unpack(">i", frame[:4])
        return decode(*self.waiting.pop(correlation_id), frame)


# Coordinators that load, move or cannot be reached: to be asked again.
PASSING = (14, 15, 16)


class Link:
    """Calls to any of several agents, repeated until one of them answers for good."""

    def __init__(self, addresses, client_id="raw", limit_s=40):
        self.addresses = list(addresses)
        self.client_id = client_id
        self.limit_s = limit_s
        self.at = 0
        self.wire = None
        self.repeats = 0

    def call(self, api, version, /, **values):
        until = time.monotonic() + self.limit_s
        while True:
            try:
                if self.wire is None:
                    self.wire = SchemaWire(self.addresses[self.at], client_id=self.client_id)
                answer = self.wire.call(api, version, **values)
                if answer.get("error_code") not in PASSING:
                    return answer
                failed = f"error {answer['error_code']}"
            except (OSError, Closed, ValueError) as error:
                self.close()
                failed = repr(error)
            assert time.monotonic() < until, f"{api} for {self.limit_s} s: {failed}"
            self.repeats += 1
            self.at = (self.at + 1) % len(self.addresses)
            self.close()
            time.sleep(0.1)

    def close(self):
        if self.wire:
            self.wire.close()
        self.wire = None
