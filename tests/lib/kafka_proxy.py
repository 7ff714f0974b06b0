"""A TCP proxy that understands Kafka frames: it records them, and breaks connections.

Clients follow the addresses in Metadata, DescribeCluster and FindCoordinator answers, so
the proxy opens a port for each broker that it sees there and puts its own addresses in.  Everything else
passes through as it is.  Plain text only.

    with KafkaProxy(cluster.bootstrap, judge=judge) as proxy:
        ... clients use proxy.bootstrap ...

judge(direction, api_key, version, frame) is called for each frame ("request" or
"response") and says what becomes of it: PASS, DROP (close the connection instead), or CUT
(send one half, then close).  It is called under a lock.  record(api_key, version,
direction, frame) gets each frame as the broker's side has it.
"""

import socket
import struct
import threading

from wire import Reader

PASS, DROP, CUT = "pass", "drop", "cut"
PRODUCE, METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER = 0, 3, 10, 60
FLEXIBLE_FROM = {METADATA: 9, FIND_COORDINATOR: 3, DESCRIBE_CLUSTER: 0}


def _address(reader):
    """Read a host and a port: where they begin and end, and what they are."""
    start = reader.at
    host = reader.value("string")
    port = reader.number("int32")
    return start, reader.at, host, port


def _in_metadata(reader, version):
    """The addresses in a Metadata response, whose header is read."""
    if version >= 3:
        reader.number("int32")
    for _ in range(max(reader.length("int32"), 0)):
        reader.number("int32")
        yield _address(reader)
        if version >= 1:
            reader.value("string")
        if reader.flexible:
            reader.tags()


def _in_describe_cluster(reader, version):
    reader.number("int32")
    reader.number("int16")
    reader.value("string")
    if version >= 1:
        reader.number("int8")
    reader.value("string")
    reader.number("int32")
    for _ in range(max(reader.length("int32"), 0)):
        reader.number("int32")
        yield _address(reader)
        reader.value("string")
        if version >= 2:
            reader.number("bool")
        reader.tags()


def _in_find_coordinator(reader, version):
    if version >= 1:
        reader.number("int32")
    if version < 4:
        reader.number("int16")
        if version >= 1:
            reader.value("string")
        reader.number("int32")
        yield _address(reader)
        return
    for _ in range(max(reader.length("int32"), 0)):
        reader.value("string")
        reader.number("int32")
        yield _address(reader)
        reader.number("int16")
        reader.value("string")
        reader.tags()


class KafkaProxy:
    def __init__(self, bootstrap, judge=None, record=None):
        self.upstream = bootstrap.split(",")
        self.judge = judge or (lambda *_: PASS)
        self.record = record or (lambda *_: None)
        self.lock = threading.RLock()
        self.listeners = {}
        self.connections = set()
        self.closed = False

    @property
    def bootstrap(self):
        return ",".join(self.address_of(address) for address in self.upstream)

    def address_of(self, upstream):
        """The proxy's own address in front of UPSTREAM; opened when new."""
        with self.lock:
            if upstream not in self.listeners:
                listener = socket.create_server(("127.0.0.1", 0))
                self.listeners[upstream] = listener
                threading.Thread(target=self._accept, args=(listener, upstream),
                                 daemon=True).start()
            return f"127.0.0.1:{self.listeners[upstream].getsockname()[1]}"

    def _accept(self, listener, upstream):
        host, _, port = upstream.rpartition(":")
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection((host, int(port)), 30)
            except OSError:
                client.close()
                continue
            _Connection(self, client, server).start()

    def close_all(self):
        """Break every connection that stands now."""
        with self.lock:
            standing = list(self.connections)
        for connection in standing:
            connection.close()

    def close(self):
        with self.lock:
            for listener in self.listeners.values():
                # shutdown() wakes a thread that waits in accept().
                listener.shutdown(socket.SHUT_RDWR)
                listener.close()
        self.close_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def rewritten(self, api_key, version, frame):
        """The response FRAME with the brokers' addresses replaced by the proxy's."""
        find = {METADATA: _in_metadata, DESCRIBE_CLUSTER: _in_describe_cluster,
                FIND_COORDINATOR: _in_find_coordinator}.get(api_key)
        if find is None:
            return frame
        out = bytearray()
        copied = 0
        flexible = version >= FLEXIBLE_FROM[api_key]
        reader = Reader(frame, flexible)
        reader.number("int32")
        if flexible:
            reader.tags()
        for start, end, host, port in find(reader, version):
            if not host:
                continue
            mine_host, _, mine_port = self.address_of(f"{host}:{port}").rpartition(":")
            data = mine_host.encode()
            out += frame[copied:start]
            out += bytes([len(data) + 1]) if flexible else struct.pack(">h", len(data))
            out += data + struct.pack(">i", int(mine_port))
            copied = end
        return bytes(out + frame[copied:])


class _Connection:
    """A client's connection and ours to the broker; a thread for each direction."""

    def __init__(self, proxy, client, server):
        self.proxy = proxy
        self.client = client
        self.server = server
        self.apis = {}
        server.settimeout(None)
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self):
        with self.proxy.lock:
            self.proxy.connections.add(self)
        for pump in (self._requests, self._responses):
            threading.Thread(target=self._run, args=(pump,), daemon=True).start()

    def close(self):
        with self.proxy.lock:
            self.proxy.connections.discard(self)
        for sock in (self.client, self.server):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _run(self, pump):
        try:
            pump()
        except (OSError, ValueError):
            pass
        finally:
            self.close()

    @staticmethod
    def _read(sock):
        data = bytearray()
        size = 4
        while len(data) < size:
            more = sock.recv(size - len(data))
            if not more:
                raise OSError("closed")
            data += more
            if size == 4 and len(data) == 4:
                size += struct.unpack(">i", data)[0]
        return bytes(data[4:])

    def _pass_on(self, sock, direction, api_key, version, frame, original):
        with self.proxy.lock:
            self.proxy.record(api_key, version, direction, original)
            fate = self.proxy.judge(direction, api_key, version, original)
        data = struct.pack(">i", len(frame)) + frame
        if fate == PASS:
            sock.sendall(data)
            return
        if fate == CUT:
            sock.sendall(data[:len(data) // 2])
        raise OSError("broken on purpose")

    def _requests(self):
        while True:
            frame = self._read(self.client)
            api_key, version, correlation_id = struct.unpack(">hhi", frame[:8])
            self.apis[correlation_id] = (api_key, version)
            self._pass_on(self.server, "request", api_key, version, frame, frame)

    def _responses(self):
        while True:
            frame = self._read(self.server)
            (correlation_id,) = struct.unpack(">i", frame[:4])
            api_key, version = self.apis.pop(correlation_id)
            mine = self.proxy.rewritten(api_key, version, frame)
            self._pass_on(self.client, "response", api_key, version, mine, frame)
