"""Record batches (v2) made and read byte by byte, for tests that must get them wrong.

batch() makes one batch with every header field open to the caller; parse() reads the
batches of a fetch response.  Only uncompressed records are looked into.
"""

import struct

HEADER = struct.Struct(">qiibIhiqqqhii")
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
LOG_APPEND_TIME = 8
TRANSACTIONAL = 16
CONTROL = 32


def _crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC = _crc_table()


def crc32c(data):
    """The CRC-32C (Castagnoli) of DATA."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def varint(value):
    """VALUE as a zigzag varint."""
    value = value << 1 ^ value >> 63
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_varint(data, at):
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value >> 1 ^ -(value & 1), at
        shift += 7


def _field(data):
    return varint(-1) if data is None else varint(len(data)) + data


def record(key=None, value=b"v", headers=(), offset_delta=0, timestamp_delta=0):
    """One record's bytes."""
    body = (b"\0" + varint(timestamp_delta) + varint(offset_delta) + _field(key)
            + _field(value) + varint(len(headers)))
    for name, content in headers:
        body += _field(name) + _field(content)
    return varint(len(body)) + body


def batch(values=(b"v",), keys=None, timestamps=None, timestamp=1_700_000_000_000,
          producer_id=-1, producer_epoch=-1, base_sequence=-1, attributes=0,
          base_offset=0, magic=2, leader_epoch=-1, count=None, last_offset_delta=None,
          max_timestamp=None, length=None, crc=None, payload=None):
    """One batch's bytes; what is not given is as it should be.

    The N-th record has the N-th of VALUES, KEYS and TIMESTAMPS.  PAYLOAD replaces the
    records' bytes (a compressed batch, or nonsense)."""
    times = timestamps or [timestamp] * len(values)
    if payload is None:
        payload = b"".join(
            record(keys[i] if keys else b"k", value, offset_delta=i,
                   timestamp_delta=times[i] - times[0])
            for i, value in enumerate(values))
    tail = struct.pack(
        ">hiqqqhii", attributes,
        len(values) - 1 if last_offset_delta is None else last_offset_delta,
        times[0], max(times) if max_timestamp is None else max_timestamp, producer_id,
        producer_epoch, base_sequence, len(values) if count is None else count) + payload
    head = struct.pack(">qiibI", base_offset, 9 + len(tail) if length is None else length,
                       leader_epoch, magic, crc32c(tail) if crc is None else crc)
    return head + tail


def parse(data):
    """The whole batches of DATA, each a dict of its header; `values` if uncompressed."""
    batches = []
    at = 0
    while len(data) - at >= HEADER.size:
        fields = HEADER.unpack_from(data, at)
        end = at + 12 + fields[1]
        if end > len(data):
            break
        names = ("base_offset", "length", "leader_epoch", "magic", "crc", "attributes",
                 "last_offset_delta", "base_timestamp", "max_timestamp", "producer_id",
                 "producer_epoch", "base_sequence", "count")
        found = dict(zip(names, fields))
        found["codec"] = found["attributes"] & 7
        found["crc_good"] = crc32c(data[at + 21:end]) == found["crc"]
        found["bytes"] = data[at:end]
        if found["codec"] == 0:
            found["values"] = _values(data[at + HEADER.size:end], found["count"])
        batches.append(found)
        at = end
    return batches


def _values(data, count):
    values = []
    at = 0
    for _ in range(count):
        length, start = _read_varint(data, at)
        at = start + length
        position = start + 1
        for _ in range(2):
            _, position = _read_varint(data, position)
        size, position = _read_varint(data, position)
        position += max(size, 0)
        size, position = _read_varint(data, position)
        values.append(None if size < 0 else data[position:position + size])
    return values


def values(data):
    """The values of all records of DATA, uncompressed batches only."""
    return [value for found in parse(data) for value in found["values"]]
