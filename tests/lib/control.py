"""A control plane for tests, and clients of it: an admin and a small agent.

    with ControlPlane(directory) as plane:
        cluster = plane.admin.create_cluster("first")
        agent = plane.enrol(cluster["id"])
        agent.register()
        topic = agent.create_topic("t", 3)
        print(agent.commit([Commit([Run(topic, 0, [Batch(10)])])]))

Only the standard library and the `openssl` command are used: what these clients send is
made here, not by the product's own code, so that a test can also send what it should not.
"""

import base64
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release"))
START_LIMIT_S = 30
STOP_LIMIT_S = 30
OBJECT_HEADER = 16


def zigzag(value):
    """The zigzag form of a 64-bit integer."""
    return ((value << 1) ^ (value >> 63)) & 0xFFFFFFFFFFFFFFFF


def pack(values, delta=False, first=0):
    """A packed column (control_api.md) of VALUES."""
    out = bytearray()
    last = first
    for value in values:
        number = zigzag(value - last if delta else value)
        last = value
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return base64.b64encode(bytes(out)).decode()


def unpack(text, delta=False):
    """The values of a packed column."""
    values, number, shift, last = [], 0, 0, 0
    for byte in base64.b64decode(text, validate=True):
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte & 0x80:
            continue
        value = (number >> 1) ^ -(number & 1)
        last = last + value if delta else value
        values.append(last)
        number = shift = 0
    assert shift == 0, "a column ends inside a number"
    return values


@dataclass
class Batch:
    """A batch of RECORDS records; PRODUCER is (id, epoch, base sequence) or None."""

    records: int
    length: int = 100
    producer: tuple = None
    timestamp: int = None


@dataclass
class Run:
    """Batches of one partition."""

    topic: str
    partition: int
    batches: list


@dataclass
class Commit:
    """An object's commit; runs in order of (topic, partition)."""

    runs: list
    object_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_at_ms: int = None

    def body(self, now_ms):
        """COMMIT of control_api.md."""
        created = self.created_at_ms if self.created_at_ms is not None else now_ms
        topics = list(dict.fromkeys(run.topic for run in self.runs))
        batches = [batch for run in self.runs for batch in run.batches]
        producers = list(dict.fromkeys(b.producer[:2] for b in batches if b.producer))
        sequences = []
        for run in self.runs:
            last, following = None, 0
            for batch in run.batches:
                if not batch.producer:
                    continue
                if batch.producer[:2] != last:
                    following = 0
                sequences.append(batch.producer[2] - following)
                last = batch.producer[:2]
                following = batch.producer[2] + batch.records
        times = [created if b.timestamp is None else b.timestamp for b in batches]
        size = OBJECT_HEADER + sum(b.length for b in batches) + 200
        return [self.object_id, size, created, topics, [list(p) for p in producers],
                pack([topics.index(r.topic) for r in self.runs], delta=True),
                pack([r.partition for r in self.runs], delta=True),
                pack([len(r.batches) for r in self.runs]),
                pack([b.length for b in batches]),
                pack([b.records for b in batches]),
                pack([1 + producers.index(b.producer[:2]) if b.producer else 0
                      for b in batches]),
                pack(sequences),
                pack(times, delta=True, first=created)]


class Refused(Exception):
    """An answer of status 400 or above."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body
        try:
            self.problem = json.loads(body)
        except ValueError:
            self.problem = {}
        super().__init__(f"{status} {body[:300]!r}")


class Client:
    """One keep-alive HTTPS connection; reconnects by itself."""

    def __init__(self, url, context, limit_s=30):
        self.host, self.port = re.fullmatch(r"https://([^:/]+):(\d+)/?", url).groups()
        self.context = context
        self.limit_s = limit_s
        self.connection = None

    def close(self):
        """Give up the connection."""
        if self.connection:
            self.connection.close()
        self.connection = None

    def raw(self, method, path, body=None, headers=None):
        """One exchange: (status, headers, body)."""
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPSConnection(
                    self.host, int(self.port), context=self.context, timeout=self.limit_s)
            try:
                self.connection.request(method, path, body=body, headers=headers or {})
                answer = self.connection.getresponse()
                content = answer.read()
                return answer.status, dict(answer.getheaders()), content
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
                # The server may close an idle connection at any time.
                self.close()
                if fresh or attempt == 2:
                    raise
            except Exception:
                self.close()
                raise
        raise AssertionError("not reached")

    def json(self, method, path, value=None, headers=None):
        """One exchange of JSON; Refused for a status of 400 or above."""
        headers = dict(headers or {})
        body = None
        if value is not None:
            body = json.dumps(value).encode()
            headers.setdefault("Content-Type", "application/json")
        status, answered, content = self.raw(method, path, body, headers)
        if status >= 400:
            raise Refused(status, answered, content)
        return json.loads(content)


class Admin(Client):
    """Whoever has the admin token."""

    def __init__(self, url, ca_file, token):
        super().__init__(url, ssl.create_default_context(cafile=str(ca_file)))
        self.token = token

    def call(self, method, path, value=None, token=None):
        """A call of /api/v1 with the admin's (or another) token."""
        return self.json(method, path, value,
                         {"Authorization": f"Bearer {token or self.token}"})

    def create_cluster(self, name):
        """-> {"id", "name", ...}"""
        return self.call("POST", "/api/v1/clusters", {"name": name})

    def create_token(self, cluster_id, **options):
        """-> {"id", "token", ...}"""
        return self.call("POST", f"/api/v1/clusters/{cluster_id}/enrolment-tokens", options)


def make_request(directory, name="agent"):
    """A new key and a signing request: (key file, PEM of the request)."""
    key = pathlib.Path(directory) / f"{name}.key"
    done = subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key), "-subj", "/CN=x"],
        check=True, capture_output=True, text=True)
    return key, done.stdout


class Agent(Client):
    """An enrolled agent."""

    ports = 20000

    def __init__(self, url, ca_file, cert_file, key_file, agent_id, limit_s=30):
        context = ssl.create_default_context(cafile=str(ca_file))
        context.load_cert_chain(str(cert_file), str(key_file))
        super().__init__(url, context, limit_s)
        self.agent_id = agent_id
        # Nobody listens there; but whoever registers an address takes it over.
        Agent.ports += 1
        self.kafka_port = Agent.ports
        self.now_ms = int(time.time() * 1000)

    def call(self, name, value):
        """POST /agent/v1/NAME."""
        answer = self.json("POST", f"/agent/v1/{name}", value)
        if isinstance(answer, dict) and "now_ms" in answer:
            self.now_ms = answer["now_ms"]
        return answer

    def register(self, **changes):
        """Register with ordinary values and CHANGES."""
        values = {"zone": "a", "rack": "", "host": "127.0.0.1", "port": self.kafka_port,
                  "http_url": "", "version": "test", "state": "active"}
        return self.call("register", values | changes)

    def create_topic(self, name, partitions=1, configs=None):
        """-> the topic's id."""
        answer = self.call("topics/create", {
            "validate_only": False, "topics": [[name, partitions, 1, configs or {}, []]]})
        result = answer["results"][0]
        assert result[0] == 0, result
        return result[2]

    def commit(self, commits):
        """-> a list of (code, offsets of the runs, exceptions)."""
        answer = self.call("commit", [c.body(self.now_ms) for c in commits])
        self.now_ms = answer[0]
        return [(r[0], unpack(r[1], delta=True), r[2]) for r in answer[2]]

    def plan(self, queries):
        """QUERIES [(topic, partition, offset, max_bytes)] -> dicts."""
        answer = self.call("plan", {"partitions": [list(q) for q in queries]})
        plans = []
        for p in answer["plans"]:
            columns = [unpack(p[4], True), unpack(p[5], True), unpack(p[6]), unpack(p[7]),
                       unpack(p[8]), unpack(p[9], True)]
            plans.append({"error": p[0], "high_watermark": p[1], "log_start": p[2],
                          "runs": [(base, p[3][obj], records, position, length, time_ms)
                                   for base, obj, records, position, length, time_ms
                                   in zip(*columns)]})
        return plans

    def watch(self, after, wait_ms=0):
        """-> the answer as it is."""
        return self.call("watch", {"after": after, "wait_ms": wait_ms})


class ControlPlane:
    """A weft-controlplane process of its own directory and ports."""

    def __init__(self, directory=None, **options):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="weft-cp-"))
        self.data = self.directory / "controlplane"
        self.options = options
        self.program = BUILD / "weft-controlplane"
        self.process = None
        self.people_url = self.agents_url = None
        self.ports = None

    @property
    def ca_file(self):
        """Our CA's certificate."""
        return self.data / "ca.crt"

    @property
    def log(self):
        """What the process has logged, all starts together."""
        return (self.directory / "log").read_text(errors="replace")

    def start(self, env=None, wait=True):
        """Start, or start again at the same ports; return when it is ready, or at once."""
        self.directory.mkdir(parents=True, exist_ok=True)
        people, agents = self.ports or (0, 0)
        words = [str(self.program), "--data-dir", str(self.data),
                 "--listen", f"127.0.0.1:{people}", "--listen-agents", f"127.0.0.1:{agents}"]
        if "listen_peers" not in self.options:
            words += ["--listen-peers", "127.0.0.1:0"]
        if not {"join", "restore", "bootstrap"} & self.options.keys():
            words += ["--bootstrap"]
        for name, value in self.options.items():
            if value is not False:
                words += [f"--{name.replace('_', '-')}={value}" if value is not True
                          else f"--{name.replace('_', '-')}"]
        (self.data / "addresses").unlink(missing_ok=True)
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log,
                                            env=os.environ | (env or {}))
        if wait:
            self.await_ready()
        return self

    def await_ready(self):
        """Wait until it says so."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"exit {self.process.returncode}\n{self.log}")
            try:
                text = (self.data / "addresses").read_text()
                facts = dict(line.split("=", 1) for line in text.splitlines())
                self.people_url, self.agents_url = facts["people"], facts["agents"]
                if self.admin.raw("GET", "/readyz")[0] == 200:
                    self.ports = [int(u.rsplit(":", 1)[1])
                                  for u in (self.people_url, self.agents_url)]
                    return
            except (OSError, KeyError, http.client.HTTPException):
                pass
            time.sleep(0.02)
        raise RuntimeError(f"not ready after {START_LIMIT_S} s\n{self.log}")

    def stop(self):
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT_S)

    def kill(self):
        """SIGKILL."""
        self.process.kill()
        self.process.wait(STOP_LIMIT_S)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()

    @property
    def admin(self):
        """An admin's client."""
        return Admin(self.people_url, self.ca_file,
                     (self.data / "admin-token").read_text().strip())

    def enrol(self, cluster_id, agent_id=None, token=None, **more):
        """Make an agent of CLUSTER_ID: key, request, certificate."""
        agent_id = agent_id or str(uuid.uuid4())
        admin = self.admin
        token = token or admin.create_token(cluster_id)["token"]
        key, request = make_request(self.directory, agent_id)
        answer = admin.call("POST", "/api/v1/enrol",
                            {"request_pem": request, "agent_id": agent_id}, token)
        cert = self.directory / f"{agent_id}.crt"
        cert.write_text(answer["certificate_pem"])
        admin.close()
        return Agent(answer["agent_url"], self.ca_file, cert, key, agent_id, **more)

    def socket(self, agents=False, context=None):
        """A bare TLS connection to a listener, for what no client would send."""
        plain = socket.create_connection(("127.0.0.1", self.ports[1 if agents else 0]))
        context = context or ssl.create_default_context(cafile=str(self.ca_file))
        return context.wrap_socket(plain, server_hostname="127.0.0.1")
