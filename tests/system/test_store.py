"""The object store over real servers: radosgw, a failing proxy before it, directories,
and the services that hand out AWS keys.

tests/system/store_driver.c (built with `make tests`) speaks common/store.h for us.
"""

import json
import os
import pathlib
import subprocess
import time

import pytest

from aws_metadata import AwsMetadata, Keys
from fault_s3 import FaultS3
from radosgw import Radosgw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUCKET = "records"
LIMIT_S = 120


def driver_path():
    build = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release"))
    return build / "tests" / "store_driver"


class Driver:
    """store_driver over one URL: a word in, a dict out."""

    def __init__(self, url, environment, *options):
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("AWS_")}
        self.process = subprocess.Popen(
            [str(driver_path()), *map(str, options), url], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**clean, **environment})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.errors = self.process.stderr.read()
        status = self.process.wait(LIMIT_S)
        self.process.stdout.close()
        self.process.stderr.close()
        # A sanitized driver that found something ends with another status.
        assert status in (0, 1), self.errors

    def read(self):
        return json.loads(self.process.stdout.readline())

    def start(self, *words):
        self.process.stdin.write(" ".join(str(w) if w != "" else "-" for w in words) + "\n")

    def __call__(self, *words):
        self.start(*words)
        return self.read()

    def ok(self, *words):
        answer = self(*words)
        assert answer["code"] == "OK", answer
        return answer


@pytest.fixture(scope="module")
def radosgw(tmp_path_factory):
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as server:
        server.make_bucket(BUCKET)
        yield server


@pytest.fixture(scope="module")
def proxy(radosgw):
    with FaultS3(radosgw.endpoint) as proxy:
        yield proxy


@pytest.fixture
def keys(radosgw):
    return {"AWS_ACCESS_KEY_ID": radosgw.access_key,
            "AWS_SECRET_ACCESS_KEY": radosgw.secret_key}


@pytest.fixture
def prefix(request):
    """A prefix of keys that is the test's own."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)


@pytest.fixture
def faulty(proxy, keys, prefix):
    """(driver, proxy) for one test."""
    proxy.clear()
    with Driver(proxy.url(BUCKET, prefix), keys, "--threads", 1) as driver:
        yield driver, proxy
    proxy.clear()


@pytest.fixture(params=["s3", "file"])
def store(request, tmp_path, radosgw, keys, prefix):
    """A driver over each kind of store."""
    url = radosgw.url(BUCKET, prefix) if request.param == "s3" else f"file://{tmp_path}"
    with Driver(url, keys) as driver:
        yield driver


# --- both kinds give the same answers ---


def test_round_trip(store):
    """What was put comes back, whole and by ranges, from 0 bytes to 9 MiB."""
    for size in (0, 1, 65536, 9 << 20):
        put = store.ok("put", f"a/{size}", size, size + 1)
        got = store.ok("get", f"a/{size}")
        assert (got["length"], got["size"], got["crc"]) == (size, size, put["crc"])
        assert store.ok("head", f"a/{size}")["size"] == size
    part = store.ok("get", "a/65536", 65000, 1000)
    assert (part["length"], part["size"]) == (536, 65536)
    assert store("get", "a/65536", 65536)["code"] == "INVALID"


def test_create_only(store):
    """A PUT never overwrites; the very same object again is a success."""
    first = store.ok("put", "k", 1000, 1)
    assert store("put", "k", 1000, 2)["code"] == "EXISTS"
    assert store("put", "k", 999, 1)["code"] == "EXISTS"
    store.ok("put", "k", 1000, 1)
    assert store.ok("get", "k")["crc"] == first["crc"]


def test_missing(store):
    """What is not there is NOT_FOUND at once; deleting it succeeds."""
    for command in ("get", "head"):
        answer = store(command, "none/at-all")
        assert (answer["code"], answer["attempts"]) == ("NOT_FOUND", 1)
    store.ok("delete", "none/at-all")
    store.ok("put", "x", 10, 1)
    store.ok("delete", "x")
    assert store("get", "x")["code"] == "NOT_FOUND"


def test_list(store):
    """LIST is in byte order over "/" and its neighbours, by prefix and from a key on."""
    for key in ("a/b", "a-b", "a.b/c", "a0", "a/a/z", "b"):
        store.ok("put", key, 3, 1)
    assert store.ok("list")["keys"] == ["a-b", "a.b/c", "a/a/z", "a/b", "a0", "b"]
    assert store.ok("list", "a/")["keys"] == ["a/a/z", "a/b"]
    assert store.ok("list", "", "a/a/y")["keys"] == ["a/a/z", "a/b", "a0", "b"]
    answer = store.ok("list", "a", "a/b")
    assert (answer["keys"], answer["sizes"], answer["more"]) == (["a0"], [3], False)
    assert abs(answer["modified_ms"][0] / 1000 - time.time()) < 60
    assert store.ok("list", "nothing/")["keys"] == []


def test_list_pages(store):
    """More than a thousand keys come in pages, each key once."""
    for i in range(1100):
        store.start("put", f"n/{i * 7 % 1100:04}", 1, 1)
    for _ in range(1100):
        assert store.read()["code"] == "OK"
    first = store.ok("list", "n/")
    rest = store.ok("list", "n/", first["keys"][-1])
    assert (len(first["keys"]), first["more"], rest["more"]) == (1000, True, False)
    assert first["keys"] + rest["keys"] == [f"n/{i:04}" for i in range(1100)]


# --- S3: what others put into the bucket ---


def test_foreign_keys(radosgw, keys):
    """Keys that Weft cannot have made are passed over, even a whole page of them."""
    client = radosgw.client()
    for i in range(1005):
        client.put(BUCKET, f"foreign/a b&<{i:04}>", b"x")
    client.put(BUCKET, "foreign/z", b"xy")
    with Driver(radosgw.url(BUCKET, "foreign"), keys) as driver:
        answer = driver.ok("list")
        assert (answer["keys"], answer["sizes"], answer["more"]) == (["z"], [2], False)
        assert driver("counters")["requests"]["list"] == 2


def test_foreign_object_under_our_key(radosgw, keys):
    """An object of the same size without our checksum is not taken for our own."""
    with Driver(radosgw.url(BUCKET, "other"), keys) as driver:
        radosgw.client().put(BUCKET, "other/k", b"x" * 100)
        assert driver("put", "k", 100, 1)["code"] == "EXISTS"


def test_refused(radosgw):
    """Wrong keys, a wrong secret and a missing bucket end at once, and say what to do."""
    key, secret = radosgw.access_key, radosgw.secret_key
    cases = [
        (radosgw.url(BUCKET), key, "wrong-secret", "UNAUTHENTICATED", "SignatureDoesNotMatch"),
        (radosgw.url(BUCKET), "nobody", secret, "UNAUTHENTICATED", "InvalidAccessKeyId"),
        (radosgw.url("no-such-bucket"), key, secret, "INVALID", "make it first"),
    ]
    for url, access, wrong, code, text in cases:
        environment = {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": wrong}
        with Driver(url, environment) as driver:
            for command in (("put", "k", 10, 1), ("get", "k"), ("list",)):
                answer = driver(*command)
                assert (answer["code"], answer["attempts"]) == (code, 1), answer
                assert text in answer["text"]
                assert "wrong-secret" not in answer["text"]


def test_checksum_is_sent(faulty):
    """A PUT carries its checksum, our mark, the create-only condition, no payload hash."""
    driver, proxy = faulty
    put = driver.ok("put", "k", 9, 1)
    headers = proxy.log[0].headers
    assert headers["if-none-match"] == "*"
    assert headers["x-amz-meta-weft-crc"] == put["crc"]
    assert headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert len(headers["x-amz-checksum-crc32c"]) == 8
    signed = headers["authorization"]
    for name in ("if-none-match", "x-amz-checksum-crc32c", "x-amz-meta-weft-crc"):
        assert name in signed


# --- S3: faults ---


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_status_is_retried(faulty, status):
    """A server's trouble is retried, and the request succeeds in the end."""
    driver, proxy = faulty
    proxy.fault("*", "status", times=2, status=status)
    assert driver.ok("put", "k", 1000, 1)["attempts"] == 3
    proxy.fault("*", "status", times=1, status=status)
    assert driver.ok("get", "k")["attempts"] == 2
    counters = driver("counters")
    assert counters["retries"] == 3
    assert counters["requests"]["put"] == 3 and counters["errors"]["put"] == 2


def test_retry_after(faulty):
    """Retry-After is honoured: the next try comes not before."""
    driver, proxy = faulty
    proxy.fault("PUT", "status", status=503, headers={"Retry-After": "1"})
    assert driver.ok("put", "k", 10, 1)["attempts"] == 2
    first, second = (entry.at for entry in proxy.log)
    assert second - first >= 1.0


def test_retry_after_past_the_deadline(faulty):
    """Who may not try again before the deadline fails now, not at the deadline."""
    driver, proxy = faulty
    proxy.fault("PUT", "status", status=503, headers={"Retry-After": "3600"})
    answer = driver("put", "k", 10, 1)
    assert answer["code"] == "OVERLOADED" and answer["attempts"] == 1
    assert answer["elapsed_ms"] < 8000


@pytest.mark.parametrize("status,body,code", [
    (403, b"<Error><Code>AccessDenied</Code></Error>", "FORBIDDEN"),
    (400, b"<Error><Code>BadDigest</Code></Error>", "INVALID"),
    (301, b"<Error><Code>PermanentRedirect</Code></Error>", "INVALID"),
    (501, b"<Error><Code>NotImplemented</Code></Error>", "UNSUPPORTED"),
    (403, b"not even XML <<<", "FORBIDDEN"),
])
def test_status_is_final(faulty, status, body, code):
    """A refusal is not retried."""
    driver, proxy = faulty
    proxy.fault("PUT", "status", times=2, status=status, body=body)
    answer = driver("put", "k", 10, 1)
    assert (answer["code"], answer["attempts"]) == (code, 1)
    assert len(proxy.log) == 1


@pytest.mark.parametrize("action", ["reset", "reset-body", "lost"])
def test_connection_reset(faulty, action):
    """A reset is retried, also in the middle of a body, also when the PUT had happened:
    then the second try finds its own object and succeeds."""
    driver, proxy = faulty
    proxy.fault("PUT", action)
    put = driver.ok("put", "k", 3 << 20, 1)
    assert put["attempts"] == 2
    if action == "lost":
        assert [entry.method for entry in proxy.log] == ["PUT", "PUT", "HEAD"]
    got = driver.ok("get", "k")
    assert (got["crc"], got["length"]) == (put["crc"], 3 << 20)


def test_half_a_body(faulty):
    """Half an object, or half a list, is never taken for the whole."""
    driver, proxy = faulty
    put = driver.ok("put", "k", 1 << 20, 1)
    proxy.fault("GET", "half", key="/k")
    got = driver.ok("get", "k")
    assert (got["attempts"], got["crc"]) == (2, put["crc"])
    proxy.fault("GET", "half", key="/k")
    part = driver.ok("get", "k", 1000, 2000)
    assert (part["attempts"], part["length"]) == (2, 2000)
    proxy.fault("GET", "half", key="list-type")
    answer = driver.ok("list")
    assert (answer["attempts"], answer["keys"]) == (2, ["k"])


def test_mended_half(faulty):
    """An answer whose length was mended to what came is too short all the same."""
    driver, proxy = faulty
    driver.ok("put", "k", 1000, 1)
    proxy.fault("GET", "status", status=206, body=b"x" * 40,
                headers={"Content-Range": "bytes 100-199/1000"})
    assert driver.ok("get", "k", 100, 100)["attempts"] == 2


def test_broken_list(faulty):
    """A list that is no list fails as such, after retries; nothing of it is believed."""
    driver, proxy = faulty
    driver("timeout", 1500)
    for body in (b"", b"<html/>", b"<ListBucketResult><Contents><Key>x</Key>",
                 b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"):
        proxy.fault("GET", "status", times=100, status=200, body=body)
        answer = driver("list")
        assert answer["code"] == "MALFORMED" and answer["attempts"] > 1
        proxy.clear()


def test_huge_answer(faulty):
    """An answer that is larger than any of its kind is broken off."""
    driver, proxy = faulty
    proxy.fault("GET", "status", status=200, body=b" " * (9 << 20))
    assert driver("list")["code"] == "TOO_LARGE"
    proxy.fault("PUT", "status", status=500, body=b" " * (1 << 20))
    assert driver("put", "k", 10, 1)["code"] == "TOO_LARGE"


def test_stall(proxy, keys):
    """A server that says nothing costs one try's time, not the whole deadline."""
    proxy.clear()
    with Driver(proxy.url(BUCKET, "stall"), keys, "--attempt-timeout", 400) as driver:
        proxy.fault("PUT", "stall")
        put = driver.ok("put", "k", 100000, 1)
        assert put["attempts"] == 2 and 400 <= put["elapsed_ms"] < 9000
        proxy.fault("GET", "stall", times=100)
        driver("timeout", 1000)
        answer = driver("get", "k")
        assert answer["code"] == "TIMEOUT" and 900 < answer["elapsed_ms"] < 9000
    proxy.clear()


def test_server_gone(radosgw, keys):
    """Nobody listens: tried until the deadline, then unavailable."""
    url = f"s3://{BUCKET}?endpoint=http://127.0.0.1:1"
    with Driver(url, keys) as driver:
        driver("timeout", 1500)
        answer = driver("put", "k", 10, 1)
        assert answer["code"] == "UNAVAILABLE" and answer["attempts"] >= 3
        assert answer["elapsed_ms"] < 9000


def test_cancel(faulty):
    """A cancelled PUT comes back at once, wherever it was."""
    driver, proxy = faulty
    proxy.fault("PUT", "stall", times=2)
    answer = driver("cancel-put", "k", 1000, 1, 100)
    assert answer["code"] == "CANCELLED" and answer["elapsed_ms"] < 9000
    proxy.clear()
    driver.ok("put", "after", 1000, 1)


def test_budget(proxy, keys):
    """A GET for which the budget has no room fails as such, and gives all back."""
    proxy.clear()
    with Driver(proxy.url(BUCKET, "budget"), keys, "--budget", 200000) as driver:
        driver.ok("put", "small", 100000, 1)
        driver.ok("put", "large", 300000, 1)
        driver("timeout", 1500)
        assert driver("get", "large")["code"] == "NOMEM"
        for _ in range(5):
            driver.ok("get", "small")


def test_many_faults(faulty):
    """A long run through every fault at once: each PUT is there, whole, exactly once."""
    driver, proxy = faulty
    driver("timeout", 60000)
    for i in range(4):
        proxy.fault("PUT", "lost", key=f"n{i}")
        proxy.fault("PUT", "reset-body", key=f"n{i}")
        proxy.fault("PUT", "status", status=503, key=f"n{i}")
        proxy.fault("HEAD", "status", status=500, key=f"n{i}")
        proxy.fault("GET", "half", times=2, key=f"n{i}")
    puts = [driver.ok("put", f"n{i}", 200000 + i, i) for i in range(4)]
    for i, put in enumerate(puts):
        # On a kept connection curl makes one of the tries by itself.
        sent = [entry.method for entry in proxy.log if entry.path.endswith(f"/n{i}")]
        assert sent == ["PUT", "PUT", "PUT", "PUT", "HEAD", "PUT", "HEAD"]
        assert driver.ok("get", f"n{i}")["crc"] == put["crc"]
    assert driver.ok("list")["keys"] == [f"n{i}" for i in range(4)]


# --- keys and clocks ---


@pytest.fixture
def metadata(radosgw):
    with AwsMetadata(lambda: Keys(radosgw.access_key, radosgw.secret_key)) as server:
        yield server


def test_instance_role(radosgw, metadata):
    """EC2: session token, role, keys; fetched once for many requests."""
    with Driver(radosgw.url(BUCKET, "imds"), metadata.instance_environment(),
                "--threads", 1) as driver:
        for i in range(5):
            driver.ok("put", f"k{i}", 10, i)
    assert metadata.log == [("PUT", "/latest/api/token"), ("GET", metadata.ROLES_PATH),
                            ("GET", metadata.ROLES_PATH + metadata.role)]


def test_no_role(radosgw, metadata):
    """An instance without a role is told so."""
    metadata.role = ""
    with Driver(radosgw.url(BUCKET, "norole"), metadata.instance_environment()) as driver:
        driver("timeout", 1500)
        answer = driver("put", "k", 10, 1)
        assert answer["code"] == "UNAUTHENTICATED" and "no IAM role" in answer["text"]


@pytest.mark.parametrize("from_file", [False, True])
def test_container_role(radosgw, metadata, tmp_path, from_file):
    """EKS Pod Identity and ECS, with the token in the environment or in a file."""
    token = tmp_path / "token" if from_file else None
    with Driver(radosgw.url(BUCKET, f"pod-{from_file}"), metadata.container_environment(token),
                "--threads", 1) as driver:
        driver.ok("put", "k", 10, 1)
        driver.ok("get", "k")
    assert metadata.log == [("GET", metadata.CONTAINER_PATH)]


def test_web_identity(proxy, metadata, radosgw, tmp_path):
    """EKS IRSA: the token goes to STS; the session token it gives is signed and sent."""
    proxy.clear()
    metadata.keys = lambda: Keys(radosgw.access_key, radosgw.secret_key, token="session/+=")
    with Driver(proxy.url(BUCKET, "irsa"), metadata.web_identity_environment(tmp_path / "t"),
                "--threads", 1) as driver:
        proxy.fault("PUT", "status", status=200)
        driver.ok("put", "k", 10, 1)
    assert metadata.fetches() == 1
    headers = proxy.log[0].headers
    assert headers["x-amz-security-token"] == "session/+="
    assert "x-amz-security-token" in headers["authorization"]


def test_web_identity_refused(radosgw, metadata, tmp_path):
    """A token that STS refuses is an error that names STS, and not the token."""
    environment = metadata.web_identity_environment(tmp_path / "t")
    metadata.identity_token = "another"
    with Driver(radosgw.url(BUCKET, "irsa2"), environment) as driver:
        driver("timeout", 1500)
        answer = driver("put", "k", 10, 1)
        assert answer["code"] == "UNAUTHENTICATED"
        assert "STS answered 400 InvalidIdentityToken" in answer["text"]
        assert "web.identity" not in answer["text"]
    assert "web.identity" not in driver.errors


def test_keys_are_renewed(proxy, metadata, radosgw):
    """Keys are renewed before they end, in the background: no request waits or fails."""
    proxy.clear()
    metadata.keys = lambda: Keys(radosgw.access_key, radosgw.secret_key, lifetime_s=3)
    with Driver(proxy.url(BUCKET, "renew"), metadata.instance_environment(),
                "--threads", 1) as driver:
        for i in range(25):
            assert driver.ok("put", f"k{i}", 10, i)["attempts"] == 1
            time.sleep(0.2)
    assert metadata.fetches() >= 3


def test_old_keys_serve_while_valid(radosgw, metadata):
    """A failing renewal does no harm as long as the old keys are valid; after that
    requests fail, and recover by themselves."""
    metadata.keys = lambda: Keys(radosgw.access_key, radosgw.secret_key, lifetime_s=8)
    with Driver(radosgw.url(BUCKET, "old"), metadata.instance_environment(),
                "--threads", 1) as driver:
        driver.ok("put", "k0", 10, 1)
        metadata.failing = True
        time.sleep(4.5)
        driver.ok("put", "k1", 10, 1)
        assert ("PUT", "/latest/api/token") in metadata.log[3:]
        time.sleep(4)
        driver("timeout", 1500)
        answer = driver("put", "k2", 10, 1)
        assert answer["code"] == "UNAVAILABLE" and "metadata" in answer["text"]
        metadata.failing = False
        driver("timeout", 10000)
        driver.ok("put", "k2", 10, 1)
    assert radosgw.secret_key not in driver.errors
    assert "cannot renew the AWS keys" in driver.errors


@pytest.mark.parametrize("status,code", [(400, "ExpiredToken"), (403, "InvalidAccessKeyId")])
def test_refused_keys_are_fetched_anew(proxy, metadata, status, code):
    """Keys that the service refuses are fetched anew, once, within the same try."""
    proxy.clear()
    body = f"<Error><Code>{code}</Code></Error>".encode()
    with Driver(proxy.url(BUCKET, f"anew-{code}"), metadata.instance_environment(),
                "--threads", 1) as driver:
        driver.ok("put", "k0", 10, 1)
        time.sleep(1.2)
        proxy.fault("PUT", "status", status=status, body=body)
        assert driver.ok("put", "k1", 10, 1)["attempts"] == 1
        assert metadata.fetches() == 2
        time.sleep(1.2)
        proxy.fault("PUT", "status", times=9, status=status, body=body)
        answer = driver("put", "k2", 10, 1)
        assert (answer["code"], answer["attempts"]) == ("UNAUTHENTICATED", 1)
        assert metadata.fetches() == 3
    proxy.clear()


def test_wrong_clock(faulty):
    """When the server calls our clock wrong, its own is used to sign."""
    driver, proxy = faulty
    later = time.time() + 3600
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(later))
    proxy.fault("PUT", "status", status=403, headers={"Date": date},
                body=b"<Error><Code>RequestTimeTooSkewed</Code></Error>")
    proxy.fault("PUT", "status", status=200)
    driver.ok("put", "k", 10, 1)
    expected = time.strftime("%Y%m%dT%H", time.gmtime(later))
    assert proxy.log[1].headers["x-amz-date"].startswith(expected)


# --- directories ---


def test_disk_full(tmp_path):
    """A full disk is NO_SPACE, leaves nothing behind, and is over when there is room."""
    script = """
mount -t tmpfs -o size=2m none "$1" && exec "$2" "file://$1"
"""
    commands = ("timeout 1500", "put small 1000000 1", "put large 3000000 1", "list",
                "delete small", "put other 1500000 1", "list")
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", str(tmp_path),
         str(driver_path())],
        input="\n".join(commands) + "\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert answers[1]["code"] == "OK"
    assert answers[2]["code"] == "NO_SPACE" and answers[2]["attempts"] > 1
    assert answers[3]["keys"] == ["small"]
    assert answers[5]["code"] == "OK"
    assert answers[6]["keys"] == ["other"]


def test_killed_while_writing(tmp_path):
    """kill -9 at any moment leaves whole objects only, and room for the next process."""
    for round_ in range(8):
        driver = Driver(f"file://{tmp_path}", {})
        driver.start("bench-put", f"r{round_}", 2000, 300000, 65536, 8)
        time.sleep(0.02 * (round_ + 1))
        driver.process.kill()
        driver.process.wait()
        for pipe in (driver.process.stdin, driver.process.stdout, driver.process.stderr):
            pipe.close()
    with Driver(f"file://{tmp_path}", {}) as driver:
        crc = driver("crc", 300000, 1)["crc"]
        answer = driver.ok("list")
        assert len(answer["keys"]) > 8
        for key in answer["keys"]:
            got = driver.ok("get", key)
            assert (got["length"], got["crc"]) == (300000, crc)
        driver.ok("put", answer["keys"][0], 300000, 1)
