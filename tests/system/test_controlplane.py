"""The control plane as a process: trust, refusals, hostile bodies, watch, restarts.

Everything goes over real TLS with the clients of tests/lib/control.py, which share no code
with the product."""

import http.client
import json
import os
import shutil
import pathlib
import socket
import ssl
import stat
import struct
import subprocess
import sys
import threading
import time
import uuid

import lz4.block
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from control import (Admin, Agent, Batch, Client, Commit, ControlPlane,  # noqa: E402
                     Refused, Run, make_request)

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(name="plane", scope="module")
def _plane(tmp_path_factory):
    with ControlPlane(tmp_path_factory.mktemp("plane"), log_level="debug") as plane:
        yield plane
        assert plane.stop() == 0


@pytest.fixture(name="cluster")
def _cluster(plane):
    return plane.admin.create_cluster(f"c-{uuid.uuid4()}")["id"]


@pytest.fixture(name="agent")
def _agent(plane, cluster):
    agent = plane.enrol(cluster)
    agent.register()
    yield agent
    agent.close()


def refused(status, call, *args, **kwargs):
    """The call is refused with this status and a problem that says what to do."""
    with pytest.raises(Refused) as caught:
        call(*args, **kwargs)
    answer = caught.value
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.problem["status"] == status
    assert answer.problem["title"] and answer.problem["detail"] and answer.problem["code"]
    if status in (429, 503, 507):
        assert int(answer.headers["Retry-After"]) >= 1
    return answer


# --- the first start ---


def test_secrets_are_private(plane):
    """Identity, cell key and admin token are readable by us alone; the log holds
    neither token nor key."""
    for name in ("identity", "cell.key", "admin-token"):
        mode = stat.S_IMODE(os.stat(plane.data / name).st_mode)
        assert mode == 0o600
    assert stat.S_IMODE(os.stat(plane.data).st_mode) == 0o700
    token = (plane.data / "admin-token").read_text().strip()
    assert len(token) > 64
    assert token not in plane.log
    assert "PRIVATE" not in plane.log


def test_fingerprint_is_told(plane):
    """The log names the CA's fingerprint, and it is that of the certificate served."""
    _, _, pem = plane.admin.raw("GET", "/api/v1/ca")
    out = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
                         input=pem, capture_output=True, check=True).stdout.decode()
    fingerprint = out.split("=")[1].strip().replace(":", "").lower()
    assert f"ca_fingerprint={fingerprint}" in plane.log
    assert (plane.data / "ca.fingerprint").read_text().strip() == fingerprint


def test_readable_key_is_refused(tmp_path):
    """A cell key, or an identity, that others can read stops the start, with what to do."""
    plane = ControlPlane(tmp_path)
    plane.start()
    plane.stop()
    for name in ("cell.key", "identity"):
        os.chmod(plane.data / name, 0o644)
        with pytest.raises(RuntimeError, match="chmod 600"):
            plane.start()
        os.chmod(plane.data / name, 0o600)


def test_lost_key_is_refused(tmp_path):
    """A cell whose key is lost, or another, is not silently given a new one; nor is a node's
    data without its identity taken for anybody's."""
    plane = ControlPlane(tmp_path)
    plane.start()
    plane.stop()
    key = plane.data / "cell.key"
    text = key.read_text()
    key.unlink()
    with pytest.raises(RuntimeError, match="there is no cell key"):
        plane.start()
    with pytest.raises(RuntimeError, match="does not open this node's identity"):
        plane.start(env={"WEFT_CELL_KEY": "ab" * 32})
    with pytest.raises(RuntimeError, match="want 64 hex digits"):
        plane.start(env={"WEFT_CELL_KEY": "ab"})
    plane.start(env={"WEFT_CELL_KEY": text})
    plane.stop()
    (plane.data / "identity").unlink()
    with pytest.raises(RuntimeError, match="but no identity"):
        plane.start(env={"WEFT_CELL_KEY": text})


def test_second_process_is_refused(plane):
    """Two processes never share a data directory."""
    second = ControlPlane(plane.directory / "second")
    second.data = plane.data
    with pytest.raises(RuntimeError):
        second.start()
    assert second.process.poll() not in (None, 0)
    (plane.data / "addresses").write_text(
        f"people={plane.people_url}\nagents={plane.agents_url}\n")


def test_bad_options_are_told():
    """A wrong option ends the start with its name and what is allowed."""
    program = str(pathlib.Path(ControlPlane().directory))
    from control import BUILD
    for words, text in ((["--session-timeout", "1ms", "--data-dir", program],
                         "--session-timeout"),
                        ([], "--data-dir"),
                        (["--data-dir", program, "--http-thread", "2"], "http-thread")):
        done = subprocess.run([str(BUILD / "weft-controlplane"), *words],
                              capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 2
        assert text in done.stderr


# --- who may call ---


def test_admin_token(plane):
    """No, a wrong, and another kind of token: 401, 401, 403."""
    admin = plane.admin
    assert refused(401, admin.json, "GET", "/api/v1/clusters").headers["WWW-Authenticate"]
    refused(401, admin.call, "GET", "/api/v1/clusters", token="weft_admin_" + "0" * 64)
    refused(401, admin.call, "GET", "/api/v1/clusters", token="nonsense")
    cluster = admin.create_cluster(f"c-{uuid.uuid4()}")
    token = admin.create_token(cluster["id"])["token"]
    refused(403, admin.call, "GET", "/api/v1/clusters", token=token)
    refused(403, admin.call, "POST", "/api/v1/enrol",
            {"request_pem": "x", "agent_id": UNKNOWN}, token=admin.token)


def test_single_use_and_expired_tokens(plane, cluster):
    """A single-use token serves one agent; an expired one none."""
    admin = plane.admin
    once = admin.create_token(cluster, single_use=True)["token"]
    plane.enrol(cluster, token=once)
    with pytest.raises(Refused) as caught:
        plane.enrol(cluster, token=once)
    assert caught.value.status == 401 and "used up" in caught.value.problem["detail"]
    brief = admin.create_token(cluster, ttl_ms=1)["token"]
    time.sleep(0.05)
    with pytest.raises(Refused) as caught:
        plane.enrol(cluster, token=brief)
    assert caught.value.status == 401 and "expired" in caught.value.problem["detail"]


def test_bad_request_uses_no_token(plane, cluster):
    """A signing request that is none, or is damaged, is refused and the token lives."""
    admin = plane.admin
    once = admin.create_token(cluster, single_use=True)["token"]
    _, request = make_request(plane.directory, "damaged")
    lines = request.splitlines()
    lines[2] = lines[2][:-4] + ("AAAA" if lines[2][-4:] != "AAAA" else "BBBB")
    for pem in ("", "x", "\n".join(lines), request.replace("CERTIFICATE", "CERT")):
        refused(400, admin.call, "POST", "/api/v1/enrol",
                {"request_pem": pem, "agent_id": str(uuid.uuid4())}, token=once)
    plane.enrol(cluster, token=once)


def test_certificate_names_cluster_and_agent(plane, cluster, agent):
    """The URI SAN is cluster and agent, whatever the request's subject was."""
    cert = plane.directory / f"{agent.agent_id}.crt"
    out = subprocess.run(["openssl", "x509", "-in", str(cert), "-noout", "-text"],
                         capture_output=True, check=True, text=True).stdout
    assert f"URI:weft://cluster/{cluster}/agent/{agent.agent_id}" in out
    assert "TLS Web Client Authentication" in out
    assert "CA:TRUE" not in out


def tls_fails(plane, context):
    """A call on the agents' listener ends without an answer."""
    client = Client(plane.agents_url, context, limit_s=10)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected,
                        http.client.BadStatusLine)):
        client.raw("POST", "/agent/v1/metadata", b"{}")
    client.close()


def test_no_certificate_is_refused_in_the_handshake(plane):
    """Nothing is answered to who has no certificate."""
    tls_fails(plane, ssl.create_default_context(cafile=str(plane.ca_file)))


def make_rogue(directory, subject_alt_name, days="1"):
    """A CA of our own and a client certificate of it that names SUBJECT_ALT_NAME."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *ec, "-keyout", "ca.key", "-out", "ca.crt", "-days", "1",
            "-subj", "/CN=Weft control plane CA")
    openssl("req", "-new", *ec, "-keyout", "c.key", "-out", "c.csr", "-subj", "/CN=x")
    (directory / "ext").write_text(
        f"subjectAltName=URI:{subject_alt_name}\nextendedKeyUsage=clientAuth\n")
    openssl("x509", "-req", "-in", "c.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "c.crt", "-days", days, "-extfile", "ext")
    return directory / "c.crt", directory / "c.key"


def test_foreign_certificate_is_refused_in_the_handshake(plane, cluster, tmp_path):
    """A certificate of another CA of the same name, saying the right things."""
    cert, key = make_rogue(tmp_path, f"weft://cluster/{cluster}/agent/{UNKNOWN}")
    context = ssl.create_default_context(cafile=str(plane.ca_file))
    context.load_cert_chain(cert, key)
    tls_fails(plane, context)
    assert "client certificate refused" in plane.log


def test_certificate_of_an_unknown_cluster(tmp_path):
    """A good certificate of a cluster that is not: 403, nothing else."""
    plane, other = ControlPlane(tmp_path / "one"), ControlPlane(tmp_path / "other")
    plane.start()
    plane.stop()
    shutil.copytree(plane.data, other.data)    # the same cell, with the same CA
    with other:
        stranger = other.enrol(other.admin.create_cluster("x")["id"])
    with plane:
        lost = Agent(plane.agents_url, plane.ca_file,
                     tmp_path / "other" / f"{stranger.agent_id}.crt",
                     tmp_path / "other" / f"{stranger.agent_id}.key", stranger.agent_id)
        refused(403, lost.register)
        refused(403, lost.call, "metadata", {})


def test_expired_certificate(tmp_path):
    """An expired certificate is refused in the handshake, and on an open connection with
    401; renewal in time goes on."""
    with ControlPlane(tmp_path, certificate_life="2s") as plane:
        agent = plane.enrol(plane.admin.create_cluster("x")["id"])
        agent.register()
        _, request = make_request(tmp_path, "renewed")
        renewed = agent.call("renew", {"request_pem": request})
        assert "BEGIN CERTIFICATE" in renewed["certificate_pem"]
        time.sleep(3.2)  # certificates end at whole seconds
        refused(401, agent.call, "metadata", {})
        agent.close()
        tls_fails(plane, agent.context)


def test_tenants_are_apart(plane, agent):
    """An agent sees and changes its own cluster only, whatever ids it names (I10)."""
    topic = agent.create_topic("t", 1)
    agent.commit([Commit([Run(topic, 0, [Batch(3)])])])
    other = plane.enrol(plane.admin.create_cluster(f"c-{uuid.uuid4()}")["id"])
    other.register()
    assert other.call("metadata", {})["topics"] == []
    assert other.plan([(topic, 0, 0, 100)])[0]["error"] == 100
    assert other.call("offsets", {"queries": [[topic, 0, -1]]})["answers"][0][0] == 100
    deleted = other.call("topics/delete", {"topics": [[topic, None]]})
    assert deleted["results"][0][0] == 100
    code, offsets, exceptions = other.commit([Commit([Run(topic, 0, [Batch(3)])])])[0]
    assert code == 0 and offsets == [-1] and exceptions[0][2] == 100
    assert agent.plan([(topic, 0, 0, 100)])[0]["high_watermark"] == 3


def test_listeners_are_apart(plane, agent):
    """Nothing of one listener is reachable on the other."""
    refused(404, agent.json, "GET", "/api/v1/clusters")
    refused(404, agent.json, "GET", "/metrics")
    refused(404, plane.admin.call, "POST", "/agent/v1/metadata", {})


# --- requests that are wrong ---


def test_methods_paths_and_media(plane, agent):
    """404, 405 with Allow, 415."""
    refused(404, agent.call, "nothing", {})
    answer = refused(405, agent.json, "GET", "/agent/v1/metadata")
    assert answer.headers["Allow"] == "OPTIONS, POST"
    answer = refused(405, plane.admin.call, "DELETE", "/api/v1/clusters")
    assert answer.headers["Allow"] == "OPTIONS, GET, HEAD, POST"
    admin = plane.admin
    refused(415, admin.json, "POST", "/api/v1/clusters", {"name": "x"},
            {"Authorization": f"Bearer {admin.token}", "Content-Type": "text/plain"})
    refused(415, agent.json, "POST", "/agent/v1/metadata", {}, {"X-Weft-Encoding": "gzip"})


GARBAGE = [
    b"", b"\x00", b"{", b"[", b"]", b"nonsense", b'{"after":1,"wait_ms":0', b'"x"', b"1",
    b'{"after":1,"after":2,"wait_ms":0}', b'{"after":1.5,"wait_ms":0}',
    b'{"after":"1","wait_ms":0}', b'{"after":1e400,"wait_ms":0}',
    b'{"after":99999999999999999999,"wait_ms":0}', b'{"after":-1,"wait_ms":0}',
    b'{"wait_ms":0}', b"\xff\xfe{}", b'{"after":1,"wait_ms":0}x',
    b'{"\xc3\x28":1}', b"[" * 10000, b'{"a":' * 10000 + b"1" + b"}" * 10000,
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage(agent, body):
    """Garbage, deep and truncated JSON is refused as malformed or invalid, at once, and
    the connection goes on."""
    for path in ("watch", "plan", "offsets", "register", "producer-ids", "topics/create",
                 "topics/delete", "topics/partitions", "topics/configs", "renew"):
        status, _, answer = agent.raw("POST", f"/agent/v1/{path}", body)
        assert status in (400, 422), (path, status, answer)
        assert json.loads(answer)["detail"]
    # An empty body has no length that could be missing: commit wants a list.
    assert agent.raw("POST", "/agent/v1/commit", body)[0] in (400, 422)
    assert agent.call("metadata", {})["topics"] == []


def test_garbled_commits(agent):
    """Every way of garbling a commit is refused by itself, never half applied."""
    topic = agent.create_topic("t", 4)
    good = Commit([Run(topic, 0, [Batch(3), Batch(2)]), Run(topic, 1, [Batch(1)])])
    body = good.body(agent.now_ms)
    variants = []
    for column in range(5, 13):
        for value in ("", "AA==", "A", "!!!!", "/////////////w8=", None, 5, [], "AAAA" * 99):
            changed = list(body)
            if changed[column] != value:
                changed[column] = value
                variants.append(changed)
    variants += [body[:-1], [], {}, None, [None] * 13,
                 ["x"] + body[1:], body[:1] + [-1] + body[2:], body[:1] + [16] + body[2:],
                 body[:3] + [[]] + body[4:], body[:3] + [["x"]] + body[4:],
                 body[:4] + [[[1]]] + body[5:], body[:4] + [[[-1, 0]]] + body[5:]]
    for variant in variants:
        answer = agent.call("commit", [variant])
        assert answer[2][0][0] in ("MALFORMED", "TOO_LARGE"), (variant, answer)
    assert agent.plan([(topic, 0, 0, 1)])[0]["high_watermark"] == 0
    assert agent.commit([good]) == [(0, [0, 0], [])]


def test_too_many_objects(agent):
    """At most 64 objects in one request."""
    topic = agent.create_topic("t", 1)
    commits = [Commit([Run(topic, 0, [Batch(1)])]) for _ in range(65)]
    refused(400, agent.commit, commits)
    assert [r[1] for r in agent.commit(commits[:64])] == [[i] for i in range(64)]


def test_huge_body(plane, agent):
    """A body over the limit is refused before it was read, and by the limit of its call."""
    for path, size in (("commit", 9 << 20), ("commit", 5 << 30), ("register", 70 << 10)):
        head = (f"POST /agent/v1/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n"
                "\r\n").encode()
        with plane.socket(agents=True, context=agent.context) as s:
            s.settimeout(10)
            s.sendall(head + (b" " * size if size < 1 << 20 else b""))
            answer = s.recv(65536)
            assert answer.startswith(b"HTTP/1.1 413 "), (path, answer)


def test_endless_chunks(plane, agent):
    """A body of unknown length is cut off soon after the limit."""
    with plane.socket(agents=True, context=agent.context) as s:
        s.settimeout(30)
        s.sendall(b"POST /agent/v1/register HTTP/1.1\r\nHost: x\r\n"
                  b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with pytest.raises(OSError):
            for _ in range(100000):
                s.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                sent += 65536
        assert sent < 64 << 20


def test_truncated_request(plane, agent):
    """A client that goes away in the middle of a body leaves nothing behind."""
    for _ in range(20):
        s = plane.socket(agents=True, context=agent.context)
        s.sendall(b"POST /agent/v1/commit HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                  b"\r\n[[")
        s.close()
    assert agent.call("metadata", {})["topics"] == []


def test_oversized_head(plane):
    """A head without end is refused or cut off, not buffered."""
    with plane.socket() as s:
        s.settimeout(20)
        answer = b""
        try:
            s.sendall(b"GET /healthz HTTP/1.1\r\n")
            for i in range(3000):
                s.sendall(f"X-Header-{i}: {'v' * 100}\r\n".encode())
            answer = s.recv(65536)
        except OSError:
            pass
        assert answer == b"" or answer.split()[1] in (b"413", b"431", b"414")


def drip(s, head, limit_s):
    """Send HEAD, then a byte now and then; how long until we are cut off."""
    start = time.monotonic()
    s.sendall(head)
    with pytest.raises(OSError):
        while time.monotonic() - start < limit_s:
            s.sendall(b"x")
            time.sleep(0.2)
    return time.monotonic() - start


def test_slow_and_idle_connections(tmp_path):
    """Whoever does not get its head or body across in time, or says nothing, is
    disconnected."""
    with ControlPlane(tmp_path, idle_timeout="1s", request_timeout="1500ms") as plane:
        token = plane.admin.token.encode()
        with plane.socket() as s:
            assert drip(s, b"POST /api/v1/clusters HTTP/1.1\r\nHost: x\r\n"
                           b"Authorization: Bearer " + token +
                           b"\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 1000\r\n\r\n", 10) < 10
        with plane.socket() as s:
            assert drip(s, b"GET /healthz HTTP/1.1\r\nX-Long: ", 10) < 10
        with plane.socket() as idle, \
                socket.create_connection(("127.0.0.1", plane.ports[1])) as mute:
            for s in (idle, mute):
                s.settimeout(10)
                while s.recv(1000):  # a TLS alert may come before the end
                    pass


def test_lz4(agent):
    """Large bodies may be lz4, both ways; a bomb or a lie is refused."""
    topic = agent.create_topic("t", 1)
    plain = json.dumps({"partitions": [[topic, 0, 0, 1]] * 300}).encode()
    packed = struct.pack(">I", len(plain)) + lz4.block.compress(plain, store_size=False)
    status, headers, answer = agent.raw("POST", "/agent/v1/plan", packed,
                                        {"X-Weft-Encoding": "lz4", "X-Weft-Accept": "lz4"})
    assert status == 200 and headers["X-Weft-Encoding"] == "lz4"
    size = struct.unpack(">I", answer[:4])[0]
    answer = json.loads(lz4.block.decompress(answer[4:], uncompressed_size=size))
    assert len(answer["plans"]) == 300
    bomb = lz4.block.compress(b" " * (64 << 20), store_size=False)
    for size, body in ((64 << 20, bomb), (1 << 32 - 1, b"x"), (10, b""), (10, b"\xff" * 99)):
        status, _, _ = agent.raw("POST", "/agent/v1/plan",
                                 struct.pack(">I", size & 0xFFFFFFFF) + body,
                                 {"X-Weft-Encoding": "lz4"})
        assert status in (400, 413)


# --- commits ---


def test_commit_is_idempotent(plane, cluster, agent):
    """A commit repeated, also through another agent, has the same answer (I5)."""
    topic = agent.create_topic("t", 3)
    commit = Commit([Run(topic, 0, [Batch(3), Batch(4)]), Run(topic, 2, [Batch(1)])])
    first = agent.commit([commit])
    assert first == [(0, [0, 0], [])]
    commit.created_at_ms = agent.now_ms
    again = Commit(commit.runs, commit.object_id, commit.created_at_ms)
    other = plane.enrol(cluster)
    other.register()
    fresh = Commit([Run(topic, 0, [Batch(1)])], created_at_ms=agent.now_ms)
    assert agent.commit([fresh]) == [(0, [7], [])]
    assert agent.commit([fresh]) == [(0, [7], [])]
    assert other.commit([fresh]) == [(0, [7], [])]
    assert other.commit([again])[0][0] in (0, "CONFLICT")
    assert other.plan([(topic, 0, 0, 1)])[0]["high_watermark"] == 8


def test_sequences(agent):
    """Kafka's rules for idempotent producers, batch by batch (kafka.md 3.3)."""
    topic = agent.create_topic("t", 1)
    pid = agent.call("producer-ids", {"count": 1})["first"]

    def append(*batches):
        code, offsets, exceptions = agent.commit([Commit([Run(topic, 0, list(batches))])])[0]
        assert code == 0
        return offsets[0], [tuple(e[1:4]) for e in exceptions]

    def batch(sequence, records=2, epoch=0):
        return Batch(records, producer=(pid, epoch, sequence))

    assert append(batch(0), batch(2)) == (0, [])
    assert append(batch(2)) == (-1, [(0, 0, 2)])
    assert append(batch(5)) == (-1, [(0, 45, -1)])
    assert append(batch(9), batch(4)) == (4, [(0, 45, -1)])
    assert append(batch(3, epoch=1)) == (-1, [(0, 45, -1)])
    assert append(batch(0, epoch=1)) == (6, [])
    assert append(batch(6, epoch=0)) == (-1, [(0, 47, -1)])


def test_commit_of_unknown_partition(agent):
    """What does not exist fails alone: 3 for the partition, 100 for the topic."""
    topic = agent.create_topic("t", 1)
    runs = [Run(topic, 0, [Batch(1)]), Run(topic, 7, [Batch(1)])]
    assert agent.commit([Commit(runs)]) == [(0, [0, -1], [[1, -1, 3, -1, -1]])]
    runs = [Run(UNKNOWN, 0, [Batch(1)]), Run(topic, 0, [Batch(1)])]
    code, offsets, exceptions = agent.commit([Commit(runs)])[0]
    assert (code, offsets) == (0, [-1, 1]) and exceptions[0][:3] == [0, -1, 100]


def test_old_objects_are_refused(agent):
    """An object older than the stated age is refused for ever (I6)."""
    topic = agent.create_topic("t", 1)
    old = Commit([Run(topic, 0, [Batch(1)])], created_at_ms=agent.now_ms - 3600001)
    assert agent.commit([old])[0][0] == "EXPIRED"
    assert agent.plan([(topic, 0, 0, 1)])[0]["high_watermark"] == 0


def test_many_committers(plane, cluster, agent):
    """Concurrent commits of many agents give dense offsets, each once."""
    topic = agent.create_topic("t", 1)
    bases, lock = [], threading.Lock()

    def work():
        worker = plane.enrol(cluster)
        worker.register()
        for _ in range(40):
            result = worker.commit([Commit([Run(topic, 0, [Batch(5)])]) for _ in range(3)])
            with lock:
                bases.extend(r[1][0] for r in result)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(bases) == list(range(0, 5 * len(bases), 5)) and len(bases) == 480
    plan = agent.plan([(topic, 0, 0, 1 << 40)])[0]
    assert [run[0] for run in plan["runs"]] == sorted(bases)


# --- watch ---


def test_watch_wakes(plane, cluster, agent):
    """A parked watch answers as soon as another agent commits, with what was committed."""
    topic = agent.create_topic("t", 1)
    watcher = plane.enrol(cluster)
    watcher.register()
    cursor = agent.call("metadata", {})["cursor"]
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        (watcher.watch(cursor, 3000), time.monotonic())))
    thread.start()
    time.sleep(0.3)
    assert not answers
    commit = Commit([Run(topic, 0, [Batch(4)])])
    at = time.monotonic()
    agent.commit([commit])
    thread.join()
    answer, woken = answers[0]
    assert woken - at < 1.5
    event = answer["events"][0]
    assert event[0] == "commit" and event[1] == commit.object_id and event[3] == [topic]
    assert answer["cursor"] > cursor and not answer["reset"]
    assert watcher.watch(answer["cursor"])["events"] == []


def test_watch_order_and_reset(agent):
    """Events come in order and once; a cursor that is not ours resets."""
    cursor = agent.call("metadata", {})["cursor"]
    topic = agent.create_topic("t", 1)
    objects = []
    for _ in range(30):
        commit = Commit([Run(topic, 0, [Batch(1)])])
        agent.commit([commit])
        objects.append(commit.object_id)
    agent.call("topics/configs", {"topics": [["t", [[0, "retention.ms", "5000"]]]]})
    agent.call("topics/delete", {"topics": [[topic, None]]})
    seen, kinds = [], []
    while len(kinds) < 33:
        answer = agent.watch(cursor, 1000)
        assert not answer["reset"] and answer["events"]
        cursor = answer["cursor"]
        kinds += [e[0] for e in answer["events"]]
        seen += [e[1] for e in answer["events"] if e[0] == "commit"]
    assert seen == objects
    assert kinds[0] == "topic" and kinds[-2:] == ["topic", "topic_deleted"]
    assert agent.watch(cursor + 1000)["reset"]
    assert agent.watch(0)["reset"]


def test_watchers_cost_no_thread(plane, agent):
    """Far more parked watches than there are threads, all woken by one event."""
    topic = agent.create_topic("t", 1)
    sockets = []
    for _ in range(100):
        s = plane.socket(agents=True, context=agent.context)
        s.settimeout(20)
        sockets.append(s)
    agent.register()
    cursor = agent.call("metadata", {})["cursor"]
    body = json.dumps({"after": cursor, "wait_ms": 3000}).encode()
    request = (b"POST /agent/v1/watch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" %
               len(body)) + body
    for s in sockets:
        s.sendall(request)
    assert len(os.listdir(f"/proc/{plane.process.pid}/task")) < 20
    agent.commit([Commit([Run(topic, 0, [Batch(1)])])])
    for s in sockets:
        answer = s.recv(65536)
        while b"events" not in answer:
            answer += s.recv(65536)
        assert b'["commit"' in answer
        s.close()


def test_closed_while_parked(plane, agent):
    """Clients that go away while their watch is parked do no harm."""
    cursor = agent.call("metadata", {})["cursor"]
    body = json.dumps({"after": cursor, "wait_ms": 500}).encode()
    for _ in range(50):
        s = plane.socket(agents=True, context=agent.context)
        s.sendall(b"POST /agent/v1/watch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                  % len(body) + body)
        s.close()
    agent.create_topic("t", 1)
    time.sleep(0.6)
    assert len(agent.call("metadata", {})["topics"]) == 1


# --- sessions, restarts ---


def test_sessions_expire(tmp_path):
    """An agent that no longer calls is forgotten, others are told, and it must register
    again; calling keeps it."""
    with ControlPlane(tmp_path, session_timeout="800ms", watch_wait="300ms") as plane:
        cluster = plane.admin.create_cluster("x")["id"]
        silent, loud = plane.enrol(cluster), plane.enrol(cluster)
        first = silent.register()["node_id"]
        loud.register()
        cursor = loud.call("metadata", {})["cursor"]
        deadline = time.monotonic() + 10
        agents = [None, None]
        while len(agents) > 1 and time.monotonic() < deadline:
            answer = loud.watch(cursor, 300)
            cursor = answer["cursor"]
            for event in answer["events"]:
                if event[0] == "agents":
                    agents = event[1]
        assert [a[1] for a in agents] == [loud.agent_id]
        refused(409, silent.call, "metadata", {})
        assert silent.register()["node_id"] != first


def test_kill_and_restart(tmp_path):
    """kill -9 loses no answer: offsets, topics, clusters, agents, trust and cursors."""
    with ControlPlane(tmp_path) as plane:
        admin = plane.admin
        cluster = admin.create_cluster("x")["id"]
        agent = plane.enrol(cluster)
        node_id = agent.register()["node_id"]
        topic = agent.create_topic("t", 2, {"retention.ms": "77"})
        total = 0
        for round_number in range(4):
            commits = [Commit([Run(topic, 0, [Batch(2)])], created_at_ms=agent.now_ms)
                       for _ in range(20)]
            results = agent.commit(commits)
            assert [r[1][0] for r in results] == list(range(total, total + 40, 2))
            total += 40
            cursor = agent.call("metadata", {})["cursor"]
            plane.kill()
            plane.start()
            assert agent.commit(commits) == results
            assert agent.register()["node_id"] == node_id
            answer = agent.watch(cursor)
            assert answer["reset"] or answer["cursor"] >= cursor
            assert agent.plan([(topic, 0, 0, 1)])[0]["high_watermark"] == total
        metadata = agent.call("metadata", {})
        assert metadata["topics"][0][4] == {"retention.ms": "77"}
        assert [c["name"] for c in plane.admin.call("GET", "/api/v1/clusters")["items"]] \
            == ["x"]
        assert plane.stop() == 0


def test_stop_with_parked_watches(tmp_path):
    """SIGTERM answers who waits and ends soon."""
    with ControlPlane(tmp_path, watch_wait="60s", session_timeout="300s") as plane:
        agent = plane.enrol(plane.admin.create_cluster("x")["id"])
        agent.register()
        cursor = agent.call("metadata", {})["cursor"]
        answers = []
        thread = threading.Thread(target=lambda: answers.append(agent.watch(cursor, 60000)))
        thread.start()
        time.sleep(0.3)
        start = time.monotonic()
        assert plane.stop() == 0
        assert time.monotonic() - start < 5
        thread.join()
        assert answers[0]["events"] == []


# --- metrics, description ---


def test_metrics(plane, agent):
    """Prometheus text with what was done; nothing in it names a tenant."""
    topic = agent.create_topic("secret-name", 1)
    agent.commit([Commit([Run(topic, 0, [Batch(1)])])])
    _, headers, text = plane.admin.raw("GET", "/metrics")
    text = text.decode()
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in text.splitlines()
                  if line and not line.startswith("#"))
    assert float(values["weft_controlplane_commits_total"]) >= 1
    assert float(values["weft_controlplane_raft_applied_index"]) > 1
    key = 'weft_controlplane_requests_total{path="/agent/v1/commit",method="POST",code="2xx"}'
    assert float(values[key]) >= 1
    assert "secret-name" not in text and topic not in text


def test_pages(plane):
    """The list of clusters comes in pages that neither lose nor double."""
    admin = plane.admin
    made = {admin.create_cluster(f"p-{uuid.uuid4()}")["id"] for _ in range(5)}
    seen, after = [], ""
    while True:
        answer = admin.call("GET", f"/api/v1/clusters?limit=2{after}")
        assert len(answer["items"]) <= 2
        seen += [c["id"] for c in answer["items"]]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
    assert len(seen) == len(set(seen)) and made <= set(seen)
    for query in ("limit=0", "limit=x", "limit=1001", "after=x", f"after={UNKNOWN}"):
        refused(422, admin.call, "GET", f"/api/v1/clusters?{query}")


def test_admin_is_one_of_many(plane):
    """An Admin made of the files alone, as a person would."""
    admin = Admin(plane.people_url, plane.ca_file,
                  (plane.data / "admin-token").read_text().strip())
    cluster = admin.create_cluster(f"c-{uuid.uuid4()}")
    refused(409, admin.create_cluster, cluster["name"])
    refused(422, admin.create_cluster, "")
    refused(422, admin.create_cluster, "a/b")
    refused(404, admin.call, "GET", f"/api/v1/clusters/{UNKNOWN}")
    refused(404, admin.create_token, UNKNOWN)
    assert admin.call("GET", f"/api/v1/clusters/{cluster['id']}")["name"] == cluster["name"]
