"""The machine as the benchmarks see it: cores, CPU times, memory, a counting proxy.

Placement is fixed: the servers under test share one core, the client has another; an
object store has a third one if there is one, else the client's, since it stands for a
service elsewhere.
"""

import contextlib
import copy
import os
import pathlib
import selectors
import socket
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1 << 20
GIB = 1 << 30


class Cores:
    """Which core does what."""

    def __init__(self):
        cores = sorted(os.sched_getaffinity(0))
        self.all = set(cores)
        self.server = cores[0]
        self.client = cores[1 % len(cores)]
        self.store = cores[2] if len(cores) > 2 else self.client

    def describe(self):
        shared = " (with the client)" if self.store == self.client else ""
        alone = "" if self.server != self.client else "; only one core: figures are worthless"
        return (f"servers on core {self.server}, client on core {self.client}, "
                f"object store on core {self.store}{shared}{alone}")

    def spread(self):
        """The same, but what is a server may use every core."""
        spread = copy.copy(self)
        spread.server = self.all
        return spread

    @contextlib.contextmanager
    def on(self, core):
        """Processes started inside run on CORE, or on any of a set of cores; so does this
        thread meanwhile."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, core if isinstance(core, set) else {core})
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)


def cpu_seconds(pid):
    """User and system time that the process PID has used so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def written_bytes(pid):
    """What the process has had written to disks so far."""
    lines = pathlib.Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    return int(dict(line.split(": ") for line in lines)["write_bytes"])


def rss_mib(pid):
    """Resident memory of the process PID."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def http_get(address, path, timeout=5):
    """The body of a plain GET; OSError or ValueError unless the status is 200."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout) as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while block := sock.recv(65536):
            answer += block
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(b" ", 2)[1:2] != [b"200"]:
        raise ValueError(f"GET {path}: {head[:80]!r}")
    return body.decode()


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def percentile(values, part):
    """The least of VALUES that the given part of all do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]


class CountingProxy:
    """Relays TCP from its own port to another and counts what passes, TLS and all."""

    def __init__(self, target_port):
        self.target = ("127.0.0.1", target_port)
        self.bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._over = True
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _run(self):
        while not self._over:
            for key, _ in self._selector.select(0.1):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj.fileno() >= 0:  # else closed with its peer just now
                    self._relay(key.fileobj, key.data)

    def _accept(self):
        near, _ = self._listener.accept()
        try:
            far = socket.create_connection(self.target, 5)
        except OSError:
            near.close()
            return
        for sock in (near, far):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(near, selectors.EVENT_READ, far)
        self._selector.register(far, selectors.EVENT_READ, near)

    def _relay(self, source, sink):
        try:
            block = source.recv(1 << 20)
            self.bytes += len(block)
            if block:
                sink.sendall(block)
                return
        except OSError:
            pass
        for sock in (source, sink):
            with contextlib.suppress(KeyError):
                self._selector.unregister(sock)
            sock.close()


class Connections:
    """Kafka connections that have said hello and then say nothing."""

    # ApiVersions v0, correlation id 1, client id "idle"
    HELLO = bytes.fromhex("0000000e" "0012" "0000" "00000001" "0004") + b"idle"

    def __init__(self, bootstrap, count):
        host, port = bootstrap.split(",")[0].rsplit(":", 1)
        self.sockets = []
        try:
            for _ in range(count):
                sock = socket.create_connection((host, int(port)), 30)
                self.sockets.append(sock)
                sock.sendall(self.HELLO)
            for sock in self.sockets:
                if not sock.recv(16384):
                    raise RuntimeError("the server closed an idle connection")
        except BaseException:
            self.close()
            raise

    def close(self):
        for sock in self.sockets:
            sock.close()


def wait_until(check, seconds, what, pause_s):
    """Poll CHECK until it is true; RuntimeError after SECONDS."""
    limit = time.monotonic() + seconds
    while not check():
        if time.monotonic() > limit:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(pause_s)
