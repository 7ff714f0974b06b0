"""Stands between an agent and its control plane, and keeps what the agent says.

    with ControlProxy(directory, plane, token) as proxy:
        ... an agent with --control-plane proxy.url --ca-fingerprint proxy.fingerprint ...
        for call in proxy.calls: print(call.path, call.body)

An agent trusts only its cell's CA, so the proxy has a CA of its own for the agent, and is
itself an agent for the control plane: it enrols with the id that the agent chose. What
passes is forwarded as it came, but for addresses, which lead to the proxy again.
"""

import dataclasses
import hashlib
import http.server
import json
import pathlib
import ssl
import struct
import subprocess
import threading

import lz4.block
from control import Agent, make_request

HOP_HEADERS = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


@dataclasses.dataclass
class Call:
    """A request: its headers (lower case), its body, unpacked."""
    path: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


def openssl(*words, text=None):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True,
                          input=text, text=True).stdout


def unpack(headers, body):
    """A body as it was before X-Weft-Encoding."""
    if headers.get("x-weft-encoding") != "lz4":
        return body
    size, = struct.unpack(">I", body[:4])
    return lz4.block.decompress(body[4:], uncompressed_size=size)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def _serve(self):
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        proxy.keep(Call(self.path, headers, unpack(headers, body)))
        status, answered, content = proxy.answer(self.command, self.path, headers, body)
        self.send_response_only(status)
        for name, value in answered.items():
            if name.lower() not in HOP_HEADERS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _serve


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, proxy, context):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        pass  # connections that come and go


class ControlProxy:
    """The proxy of one agent; PLANE is a ControlPlane, TOKEN an enrolment token."""

    def __init__(self, directory, plane, token):
        self.directory = pathlib.Path(directory)
        self.plane = plane
        self.token = token
        self.lock = threading.Lock()
        self.calls = []
        self.identity = None    # (certificate file, key file, agent id)
        self.upstream = threading.local()
        self._make_certificates()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "proxy.crt", self.directory / "proxy.key")
        self.server = _Server(self, context)
        self.url = f"https://127.0.0.1:{self.server.server_address[1]}"

    def _make_certificates(self):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *key, "-keyout", self.directory / "ca.key", "-out",
                self.directory / "ca.crt", "-subj", "/CN=proxy CA", "-days", "2",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        openssl("req", "-new", *key, "-keyout", self.directory / "proxy.key", "-out",
                self.directory / "proxy.csr", "-subj", "/CN=127.0.0.1")
        extensions = self.directory / "extensions"
        extensions.write_text("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", self.directory / "proxy.csr", "-CA",
                self.directory / "ca.crt", "-CAkey", self.directory / "ca.key", "-out",
                self.directory / "proxy.crt", "-days", "2", "-CAcreateserial", "-extfile",
                extensions)
        self.ca_pem = (self.directory / "ca.crt").read_text()
        der = ssl.PEM_cert_to_DER_cert(self.ca_pem)
        self.fingerprint = hashlib.sha256(der).hexdigest()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def keep(self, call):
        with self.lock:
            self.calls.append(call)

    def paths(self):
        """What was called so far."""
        with self.lock:
            return {call.path for call in self.calls}

    # -- answers --

    def answer(self, method, path, headers, body):
        if path == "/api/v1/ca":
            return 200, {"Content-Type": "application/x-pem-file"}, self.ca_pem.encode()
        if path == "/api/v1/enrol":
            return self._enrol(body)
        sent = {name: value for name, value in headers.items() if name not in HOP_HEADERS}
        if path == "/agent/v1/nodes":
            sent.pop("x-weft-accept", None)
        status, answered, content = self._agent().raw(method, path, body, sent)
        if path == "/agent/v1/nodes" and status == 200:
            value = json.loads(content)
            value["nodes"] = [[node, self.url] for node, _ in value["nodes"]]
            value["ca"] = self.fingerprint
            content = json.dumps(value).encode()
        return status, answered, content

    def _enrol(self, body):
        asked = json.loads(body)
        admin = self.plane.admin
        answer = admin.call("POST", "/api/v1/enrol", asked, self.token)
        key, request = make_request(self.directory, "as-agent")
        ours = admin.call("POST", "/api/v1/enrol",
                          {"request_pem": request, "agent_id": asked["agent_id"]}, self.token)
        admin.close()
        cert = self.directory / "as-agent.crt"
        cert.write_text(ours["certificate_pem"])
        self.identity = (cert, key, asked["agent_id"])
        answer |= {"ca_pem": self.ca_pem, "agent_url": self.url}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _agent(self):
        """This thread's connection to the control plane."""
        if not hasattr(self.upstream, "agent"):
            cert, key, agent_id = self.identity
            self.upstream.agent = Agent(self.plane.agents_url, self.plane.ca_file, cert, key,
                                        agent_id)
        return self.upstream.agent
