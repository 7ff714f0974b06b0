"""Hostile and broken clients on the Kafka port of a running agent.

After every attack the agent is the same process, serves a well-behaved client at once, and
has not grown out of its bounds.  Time limits are options; here they are short.
"""

import pathlib
import random
import resource
import select
import socket
import struct
import sys
import time
import zlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from records import batch  # noqa: E402
from wire import Closed, Wire, request  # noqa: E402

MIB = 1024 * 1024
REQUEST_TIMEOUT_S = 2
WRITE_TIMEOUT_S = 2
# How much later than its limit a connection may be closed on a busy machine.
GRACE_S = 20
CONNECTIONS = 10_000
CORRUPT_MESSAGE = 2
UNKNOWN_TOPIC = 3


class Agent:
    """The attacked agent: its address, and what the kernel says of its process."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.address = cluster.bootstraps[0]
        self.pid = cluster.status()["agent-1"]["pid"]

    def wire(self, **options):
        return Wire(self.address, **options)

    def connect(self):
        host, _, port = self.address.rpartition(":")
        return socket.create_connection((host, int(port)), 60)

    def memory_bytes(self, what="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(what + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {what}")

    def check(self):
        """A new client is served, by the same process."""
        assert self.cluster.status()["agent-1"]["pid"] == self.pid
        with self.wire() as wire:
            assert wire.call("Metadata", 8, topics=[])["brokers"]

    def make_topic(self, name, **configs):
        with self.wire() as wire:
            made = wire.call("CreateTopics", 4, timeout_ms=30000, topics=[{
                "name": name, "partitions": 1, "replication": 1,
                "configs": [{"name": key.replace("_", "."), "value": value}
                            for key, value in configs.items()]}])
        assert made["topics"][0]["error"] == 0, made

    def produce(self, topic, records, version=8):
        with self.wire() as wire:
            done = wire.call("Produce", version, acks=-1, timeout_ms=30000, topics=[{
                "name": topic, "partitions": [{"index": 0, "records": records}]}])
        return done["topics"][0]["partitions"][0]["error"]


@pytest.fixture(name="agent", scope="module")
def _agent(tmp_path_factory):
    from cluster import Cluster
    with Cluster(tmp_path_factory.mktemp("hostile"), agents=1, agent_set={
            "request-timeout": f"{REQUEST_TIMEOUT_S}s",
            "write-timeout": f"{WRITE_TIMEOUT_S}s",
            "memory": "256MiB"}) as cluster:
        yield Agent(cluster)


def closed(sock, within_s=GRACE_S):
    """True when the agent closes SOCK without having said anything."""
    sock.settimeout(within_s)
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def framed(body):
    return struct.pack(">i", len(body)) + body


def head(key, version, client_id=b"\xff\xff"):
    return struct.pack(">hhi", key, version, 1) + client_id


STREAMS = {
    "negative length": struct.pack(">i", -1) + head(3, 1),
    "least length": struct.pack(">i", -2 ** 31) + head(3, 1),
    "2 GiB": struct.pack(">i", 2 ** 31 - 1) + head(0, 9),
    "100 MiB and one": struct.pack(">i", 100 * MIB + 1) + head(0, 9),
    "large metadata": struct.pack(">i", 50 * MIB) + head(3, 9),
    "no header": framed(b"\0\3\0\1"),
    "key 11 is not served": framed(head(11, 0) + b"\0\0"),
    "key -1": framed(head(-1, 0)),
    "key 32767": framed(head(32767, 0)),
    "Produce 2": framed(head(0, 2) + bytes(10)),
    "Produce 14": framed(head(0, 14) + bytes(10)),
    "Metadata 99": framed(head(3, 99) + bytes(10)),
    "Fetch -1": framed(head(1, -1) + bytes(10)),
    "client id too long": framed(head(3, 1, b"\x7f\xff") + b"abc"),
    "client id of length -2": framed(head(3, 1, b"\xff\xfe") + bytes(4)),
    "two billion topics": framed(head(3, 1) + b"\x7f\xff\xff\xff"),
    "minus two topics": framed(head(3, 1) + b"\xff\xff\xff\xfe"),
    "endless varint": framed(head(3, 9) + b"\0" + b"\xff" * 40),
    "topics by varint": framed(head(3, 9) + b"\0\xff\xff\xff\xff\x0f"),
    "tags without end": framed(head(3, 9) + b"\xff\xff\xff\xff\x0f"),
    "string past the end": framed(head(3, 1) + b"\0\0\0\1\x7f\xffabc"),
    "overlong UTF-8": framed(head(3, 1) + b"\0\0\0\1\0\2\xc0\xaf"),
    "half a surrogate": framed(head(3, 1) + b"\0\0\0\1\0\3\xed\xa0\x80"),
    "a body cut off": framed(head(1, 11) + bytes(5)),
    "an HTTP request": b"GET /metrics HTTP/1.1\r\nHost: kafka\r\n\r\n",
    "a TLS hello": bytes.fromhex("16030100c8010000c403030102030405060708"),
}


@pytest.mark.parametrize("name", STREAMS)
def test_nonsense_closes_the_connection(agent, name):
    """What cannot be a request closes its connection, without a reply (kafka.md 1.2)."""
    with agent.connect() as sock:
        sock.sendall(STREAMS[name])
        assert closed(sock)
    agent.check()


def test_what_came_before_is_answered(agent):
    """A good request before the nonsense is answered."""
    with agent.wire() as wire:
        wire.send("Metadata", 8, topics=[])
        wire.send_frame(head(99, 0))
        assert wire.receive()[1]["brokers"]
        with pytest.raises(Closed):
            wire.receive()


def test_newer_api_versions_fall_back(agent):
    """ApiVersions of a version to come is answered, whatever its body (KIP-511)."""
    with agent.wire() as wire:
        wire.send_frame(head(18, 100) + b"\xff" * 30)
        frame = wire.receive_frame()
        assert frame == bytes.fromhex("00000001 0023 00000001 0012 0000 0004")
        assert wire.call("ApiVersions", 3, name="test", version="1")["error"] == 0


def test_random_bytes(agent):
    """Random streams and randomly spoilt requests are survived."""
    rng = random.Random(3)
    good = [request("Metadata", 8, 1, {"topics": ["t"]}),
            request("Produce", 8, 1, {"acks": 1, "timeout_ms": 10, "topics": [{
                "name": "t", "partitions": [{"index": 0, "records": batch()}]}]}),
            request("DescribeConfigs", 2, 1, {"resources": [{"type": 2, "name": "t"}]})]
    for _ in range(300):
        frame = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 6)):
            frame[rng.randrange(len(frame))] = rng.randrange(256)
        with agent.connect() as sock:
            sock.sendall(framed(bytes(frame)) if rng.random() < 0.8
                         else rng.randbytes(rng.randrange(1, 200)))
    agent.check()


def test_bad_checksum(agent):
    """A batch whose checksum is wrong is refused, and nothing of it is kept."""
    agent.make_topic("checksums")
    assert agent.produce("checksums", batch(crc=1)) == CORRUPT_MESSAGE
    assert agent.produce("checksums", batch()[:-1]) != 0
    with agent.wire() as wire:
        end = wire.call("ListOffsets", 1, replica_id=-1, topics=[{
            "name": "checksums", "partitions": [{"partition": 0, "timestamp": -1}]}])
    assert end["topics"][0]["partitions"][0]["offset"] == 0


def test_decompression_bomb(agent):
    """A batch of a few hundred kB that unfolds to 300 MiB is refused where the topic wants
    its records looked at, and does not unfold in memory."""
    agent.make_topic("bombs", cleanup_policy="compact")
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(MIB)
    bomb = b"".join(packer.compress(zeros) for _ in range(300)) + packer.flush()
    before = agent.memory_bytes("VmHWM")
    for _ in range(5):
        assert agent.produce("bombs", batch(payload=bomb, attributes=1)) != 0
    assert agent.memory_bytes("VmHWM") < before + 160 * MIB
    agent.check()


def test_half_a_request_is_not_waited_for(agent):
    """A request that does not arrive in time closes its connection: none of it, its
    length, its header, or nearly all; others are served meanwhile."""
    frame = framed(request("Metadata", 8, 1, {"topics": []}))
    begun = []
    for count in (1, 4, 7, 8, 12, len(frame) - 1):
        begun.append(agent.connect())
        begun[-1].sendall(frame[:count])
    began = time.monotonic()
    while time.monotonic() < began + REQUEST_TIMEOUT_S * 0.5:
        agent.check()
    for sock in begun:
        assert closed(sock)
        sock.close()
    assert time.monotonic() - began >= REQUEST_TIMEOUT_S * 0.9


def test_drop_by_drop(agent):
    """A client that sends a byte now and then does not get more time (slowloris)."""
    frame = framed(request("Metadata", 8, 1, {"topics": ["t" * 200]}))
    with agent.connect() as sock:
        began = time.monotonic()
        for byte in frame:
            try:
                sock.sendall(bytes([byte]))
            except ConnectionError:
                break
            if select.select([sock], [], [], 0.1)[0]:
                break
            assert time.monotonic() - began < REQUEST_TIMEOUT_S + GRACE_S
        assert closed(sock)
    agent.check()


def test_announced_memory_is_bounded(agent):
    """Connections that announce large requests and do not send them take memory from the
    budget for a while; then they are closed and everybody is served again."""
    hoarders = []
    for _ in range(40):
        hoarders.append(agent.connect())
        hoarders[-1].sendall(struct.pack(">i", 90 * MIB) + head(0, 8))
    time.sleep(0.5)
    for sock in hoarders:
        sock.close()
    agent.check()


def test_clients_that_do_not_read(agent):
    """Replies that nobody takes are bounded, and their connection is closed in time."""
    agent.make_topic("unread")
    value = bytes(500_000)
    for _ in range(8):
        assert agent.produce("unread", batch(values=[value], timestamp=int(
            time.time() * 1000))) == 0
    before = agent.memory_bytes()
    deaf = []
    for _ in range(8):
        wire = agent.wire()
        deaf.append(wire)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.socket.settimeout(1)
        try:
            for _ in range(2000):
                wire.send("Fetch", 11, replica_id=-1, max_wait_ms=0, min_bytes=1,
                          max_bytes=50 * MIB, session_epoch=-1, rack="", topics=[{
                              "name": "unread", "partitions": [{
                                  "partition": 0, "leader_epoch": -1, "offset": 0,
                                  "log_start": -1, "max_bytes": 50 * MIB}]}])
        except (TimeoutError, ConnectionError):
            pass
    assert agent.memory_bytes() < before + 700 * MIB
    agent.check()
    deadline = time.monotonic() + WRITE_TIMEOUT_S + GRACE_S
    for wire in deaf:
        poll = select.poll()
        poll.register(wire.socket, select.POLLHUP | select.POLLERR)
        while not poll.poll(100):
            assert time.monotonic() < deadline, "a deaf client is kept"
        wire.close()
    agent.check()


def test_unknown_topics_over_and_over(agent):
    """Produces to what does not exist are refused one by one."""
    with agent.wire() as wire:
        for _ in range(50):
            wire.send("Produce", 8, acks=1, timeout_ms=1000, topics=[{
                "name": "nowhere", "partitions": [{"index": 7, "records": batch()}]}])
        for _ in range(50):
            done = wire.receive()[1]
            assert done["topics"][0]["partitions"][0]["error"] == UNKNOWN_TOPIC
    agent.check()


def test_many_connections(agent):
    """10,000 connections are held, each served once and then idle, in under 400 MiB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 500
    assert hard == resource.RLIM_INFINITY or hard >= wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    before = agent.memory_bytes()
    frame = framed(request("ApiVersions", 0, 1, {}))
    held = []
    try:
        for _ in range(CONNECTIONS // 100):
            some = [agent.connect() for _ in range(100)]
            held += some
            for sock in some:
                sock.sendall(frame)
            for sock in some:
                assert len(sock.recv(4096)) > 50
        grown = agent.memory_bytes() - before
        print(f"{CONNECTIONS} idle connections cost {grown / MIB:.1f} MiB")
        assert agent.memory_bytes() < 400 * MIB
        assert grown < CONNECTIONS * 4096
        began = time.monotonic()
        agent.check()
        assert time.monotonic() - began < GRACE_S
        for sock in random.Random(1).sample(held, 200):
            sock.sendall(frame)
            assert len(sock.recv(4096)) > 50
    finally:
        for sock in held:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    agent.check()
