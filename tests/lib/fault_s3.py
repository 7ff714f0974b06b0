"""A proxy in front of a real S3 server that fails where a test asks it to.

It forwards requests as they are, with the client's Host header, so that signatures stay
valid; the client signs for the proxy's address.  A fault is given to the next requests
that match it:

    with FaultS3(radosgw.endpoint) as proxy:
        proxy.fault("PUT", "status", times=2, status=503, headers={"Retry-After": "1"})
        ...
        assert [entry.fault for entry in proxy.log] == ["status", "status", None]

Actions
    status      answer `status` with `headers` and `body`; the server sees nothing
    reset       read the head of the request, then reset the connection
    reset-body  read half of the request's body, then reset
    stall       do not answer for `seconds`, then reset
    half        forward, but close after half of the answer's body
    lost        forward, and reset in place of the answer: it happened, nobody knows
    slow        forward, and answer after `seconds`
"""

import dataclasses
import http.client
import http.server
import socket
import struct
import threading
import time
import urllib.parse

HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "upgrade"}


@dataclasses.dataclass
class Fault:
    method: str
    action: str
    times: int = 1
    key: str = ""          # only paths that hold this
    status: int = 500
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    seconds: float = 60.0

    def __post_init__(self):
        if self.action not in ("status", "reset", "reset-body", "stall", "half", "lost", "slow"):
            raise ValueError(f"no such fault: {self.action}")


@dataclasses.dataclass
class Entry:
    """One request that came: what it was, when, which fault it met, if any; and what the
    server behind refused it with."""
    method: str
    path: str
    headers: dict
    at: float
    fault: str | None
    refusal: bytes = b""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def _reset(self):
        """Close so that the peer sees ECONNRESET, not an end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _answer(self, status, headers, body, keep=True):
        self.send_response_only(status)
        names = {name.lower() for name in headers}
        for name, value in headers.items():
            self.send_header(name, value)
        if "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        if not keep:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _forward(self, body):
        backend = http.client.HTTPConnection(self.server.backend, timeout=60)
        try:
            backend.putrequest(self.command, self.path, skip_host=True,
                               skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_HEADERS:
                    backend.putheader(name, value)
            backend.endheaders(body or None)
            response = backend.getresponse()
            headers = {name: value for name, value in response.getheaders()
                       if name.lower() not in HOP_HEADERS}
            return response.status, headers, response.read()
        finally:
            backend.close()

    def _serve(self):
        length = int(self.headers.get("Content-Length", 0))
        fault = self.server.take(self)
        action = fault.action if fault else None
        if action == "reset":
            return self._reset()
        if action == "reset-body":
            self.rfile.read(length // 2)
            return self._reset()
        body = self.rfile.read(length)
        if action == "stall":
            self.server.stopping.wait(fault.seconds)
            return self._reset()
        if action == "status":
            return self._answer(fault.status, fault.headers, fault.body)
        if action == "slow":
            self.server.stopping.wait(fault.seconds)
        status, headers, answer = self._forward(body)
        if status >= 400:
            self.entry.refusal = answer
        if action == "lost":
            return self._reset()
        if action == "half":
            headers["Content-Length"] = str(len(answer))
            return self._answer(status, headers, answer[:len(answer) // 2], keep=False)
        return self._answer(status, headers, answer)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _serve


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, backend):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.backend = backend
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.faults = []
        self.log = []

    def handle_error(self, request, client_address):
        pass  # connections that tests break

    def take(self, handler):
        """The fault that this request meets, or None; and write it down."""
        with self.lock:
            chosen = None
            for fault in self.faults:
                if fault.method in (handler.command, "*") and fault.key in handler.path:
                    chosen = fault
                    fault.times -= 1
                    if fault.times == 0:
                        self.faults.remove(fault)
                    break
            headers = {name.lower(): value for name, value in handler.headers.items()}
            handler.entry = Entry(handler.command, handler.path, headers, time.monotonic(),
                                  chosen.action if chosen else None)
            self.log.append(handler.entry)
            return chosen


class FaultS3:
    """The proxy; BACKEND is the endpoint of a real server."""

    def __init__(self, backend):
        self._server = _Server(urllib.parse.urlsplit(backend).netloc)
        self.port = self._server.server_address[1]
        self.endpoint = f"http://localhost:{self.port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, bucket, prefix=""):
        path = f"/{prefix}" if prefix else ""
        return f"s3://{bucket}{path}?endpoint={self.endpoint}"

    def fault(self, method, action, **options):
        """Let the next `times` requests of METHOD ("*": any) fail by ACTION."""
        fault = Fault(method, action, **options)
        with self._server.lock:
            self._server.faults.append(fault)

    def clear(self):
        """Forget the faults that were not met, and the log."""
        with self._server.lock:
            self._server.faults.clear()
            self._server.log.clear()

    @property
    def log(self):
        with self._server.lock:
            return list(self._server.log)
