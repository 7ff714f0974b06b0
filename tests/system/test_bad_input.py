"""What is given wrong is told: one sentence that says what to do, within seconds, and a
process that ends (not with 0), or one that is not ready and says why.

Each case is what somebody does wrong on the first day. Where the fault may pass by itself
(no answer of a control plane, of a store, a full disk) the process waits and says so in
/readyz and its log; where only a person can mend it, it ends."""

import contextlib
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from control import BUILD, ControlPlane
from fault_s3 import FaultS3
from ports import free_ports
from radosgw import Radosgw

SECONDS = 20            # "within seconds", on a slow machine
SENTENCE_MAX = 700
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
MALFORMED = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-north-1</Region></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """A control plane with a cluster and an enrolment token."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        cluster = plane.admin.create_cluster("bad")
        plane.token = plane.admin.create_token(cluster["id"])["token"]
        plane.fingerprint = (plane.data / "ca.fingerprint").read_text().strip()
        yield plane


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A real S3 server, a proxy before it that can fail, and a bucket."""
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as server:
        server.make_bucket("there")
        with FaultS3(server.endpoint) as proxy:
            proxy.server = server
            yield proxy


@pytest.fixture
def store(tmp_path):
    """A directory as object store."""
    (tmp_path / "store").mkdir()
    return f"file://{tmp_path}/store"


def agent_words(plane, store, **changes):
    """The command line of a good agent, but for CHANGES."""
    options = {"control-plane": plane.people_url, "ca-fingerprint": plane.fingerprint,
               "enrolment-token": plane.token, "store": store, "listen": "127.0.0.1:0",
               "admin-listen": "127.0.0.1:0"}
    options |= {name.replace("_", "-"): value for name, value in changes.items()}
    return [BUILD / "weft-agent", *(f"--{name}={value}" for name, value in options.items())]


def plane_words(data, **changes):
    options = {"data-dir": data, "listen": "127.0.0.1:0", "listen-agents": "127.0.0.1:0",
               "listen-peers": "127.0.0.1:0"}
    options |= {name.replace("_", "-"): value for name, value in changes.items()}
    return [BUILD / "weft-controlplane", "--bootstrap",
            *(f"--{name}={value}" for name, value in options.items())]


def environment(env):
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("WEFT_", "AWS_")) or name == "WEFT_BUILD"} | (env or {})


def ends(words, *says, env=None):
    """It ends within seconds, not with 0; its last line says all of SAYS."""
    began = time.monotonic()
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False,
                          timeout=3 * SECONDS, env=environment(env))
    took = time.monotonic() - began
    line = done.stderr.strip().splitlines()[-1]
    assert done.returncode in (1, 2), (done.returncode, line)
    assert took < SECONDS, f"{took:.0f} s: {line}"
    assert len(line) < SENTENCE_MAX
    for text in says:
        assert text in line, line
    return line


@contextlib.contextmanager
def waits(words, *says, env=None):
    """It is not ready, and /readyz says all of SAYS within seconds; then it may come right.
    Yields a function that waits until it is ready."""
    port, = free_ports(1)
    words = [*map(str, words), f"--admin-listen=127.0.0.1:{port}"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               text=True, env=environment(env))

    def readyz():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return None, ""

    def await_that(good):
        until = time.monotonic() + SECONDS
        while True:
            status, text = readyz()
            if good(status, text):
                return
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until, (status, text)
            time.sleep(0.1)

    try:
        await_that(lambda status, text: status == 503 and all(part in text for part in says))
        yield lambda: await_that(lambda status, _: status == 200)
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)


# -- options --

def test_options_that_are_misspelt(plane, store, tmp_path):
    ends([BUILD / "weft-agent", "--flush-byte=3"], "--flush-byte;", "did you mean --flush-bytes?")
    ends([BUILD / "weft-controlplane", "--dat-dir=x"], "did you mean --data-dir?")
    ends([BUILD / "weft", "topic", "lst"], "`weft topic --help` says more")
    ends(agent_words(plane, store), "WEFT_FLUSH_BYTE ", "did you mean WEFT_FLUSH_BYTES?",
         env={"WEFT_FLUSH_BYTE": "3"})
    ends(agent_words(plane, store, flush_interval="3"), "--flush-interval", "250ms")
    config = tmp_path / "agent.conf"
    config.write_text("zone = a\n\nflush-intervl = 1s\n")
    ends([*agent_words(plane, store), "--config", config], f"{config} line 3",
         "did you mean flush-interval?")
    config.write_text("zone = a\njust words\n")
    ends([*agent_words(plane, store), "--config", config], f"{config} line 2", "name = value")
    config.write_text("{}\n")
    ends(agent_words(plane, store), "line 1", "the file of the command weft",
         env={"WEFT_CONFIG": str(config)})
    ends([*agent_words(plane, store), "--config", tmp_path / "none"], f"{tmp_path}/none",
         "No such file")
    ends([BUILD / "weft-agent"], "--control-plane is missing")


# -- trust --

def test_a_wrong_token(plane, store):
    ends(agent_words(plane, store, enrolment_token="weft_enrol_" + "x" * 32),
         "the enrolment token was refused", "weft token enrolment create")
    ends(agent_words(plane, store, enrolment_token="x"), "the enrolment token was refused")
    token = (plane.data / "admin-token").read_text().strip()
    line = ends(agent_words(plane, store, enrolment_token=token), "not an enrolment token")
    assert token not in line


def test_a_wrong_ca(plane, store):
    ends(agent_words(plane, store, ca_fingerprint="ab" * 32), "another CA than --ca-fingerprint",
         plane.fingerprint)
    ends(agent_words(plane, store, ca_fingerprint="abcd"), "ca-fingerprint has 4 hex digits")


@pytest.mark.parametrize("clock", ["-400d", "+8000d"])
def test_a_wrong_clock_of_the_agent(plane, store, clock):
    ends(agent_words(plane, store), "is not trusted", "clock", "NTP",
         env={"LD_PRELOAD": str(FAKETIME), "FAKETIME": clock,
              "FAKETIME_DONT_FAKE_MONOTONIC": "1"})


def test_no_control_plane(plane, store):
    """It may come: the agent waits, and says for what."""
    port, = free_ports(1)
    words = agent_words(plane, store, control_plane=f"https://127.0.0.1:{port}")
    with waits(words, "waiting for the control plane"):
        pass
    words = agent_words(plane, store, control_plane="http://127.0.0.1:7800")
    ends(words, "not an address like https://HOST:PORT")


# -- ports --

def test_ports_in_use(plane, store, tmp_path):
    taken = plane.people_url.removeprefix("https://")
    for option in ("listen", "admin_listen"):
        ends(agent_words(plane, store, **{option: taken}), option.replace("_", "-"), taken,
             "another process has this port")
    for option in ("listen", "listen_agents", "listen_peers"):
        ends(plane_words(tmp_path / option, **{option: taken}), taken, "another process has")


def test_a_data_directory_in_use(plane):
    ends(plane_words(plane.data), "in use by another process")


# -- volumes --

def in_mounts(words, *mounts):
    """WORDS in a mount namespace of its own, after the commands MOUNTS."""
    script = " && ".join([*mounts, 'exec "$@"'])
    return ["unshare", "--mount", "sh", "-c", script, "sh", *words]


def test_volumes_that_are_read_only(plane, tmp_path):
    store, data = tmp_path / "store", tmp_path / "data"
    store.mkdir()
    data.mkdir()
    read_only = "mount -t tmpfs -o ro tmpfs {}"
    ends(in_mounts(agent_words(plane, f"file://{store}"), read_only.format(store)),
         "is not writable", "Read-only file system")
    ends(in_mounts(plane_words(data), read_only.format(data)), "cannot be used",
         "Read-only file system", "--data-dir")


def test_volumes_that_are_full(plane, tmp_path):
    store, data = tmp_path / "store", tmp_path / "data"
    store.mkdir()
    data.mkdir()
    full = "mount -t tmpfs -o size=64k tmpfs {0} && {{ cat /dev/zero > {0}/filler || true; }}"
    words = in_mounts(agent_words(plane, f"file://{store}"), full.format(store) + " 2>&1")
    with waits(words, "the object store cannot be used", "No space left", "make room"):
        pass
    ends(in_mounts(plane_words(data), full.format(data) + " 2>&1"), "No space left on device")


def test_volumes_that_are_not_there(plane, tmp_path):
    ends(agent_words(plane, f"file://{tmp_path}/none"), f"{tmp_path}/none", "make it first")
    ends(agent_words(plane, "ftp://x/y"), "file:// and s3://")


# -- S3 --

KEYS = {"store_access_key": "WEFTTESTKEY", "store_secret_key": "weft-test-secret"}


def test_a_bucket_that_does_not_exist(plane, s3):
    ends(agent_words(plane, s3.url("not-there"), **KEYS), "the bucket does not exist",
         "make it first")


def test_keys_that_are_wrong(plane, s3):
    ends(agent_words(plane, s3.url("there"), **KEYS | {"store_secret_key": "wrong"}),
         "SignatureDoesNotMatch", "--store-secret-key")
    line = ends(agent_words(plane, s3.url("there"), **KEYS | {"store_access_key": "nobody"}),
                "InvalidAccessKeyId", "--store-access-key")
    assert "weft-test-secret" not in line


def test_keys_of_somebody_without_rights(plane, s3):
    """Right keys, of a user whom the bucket's owner has given nothing."""
    s3.server.make_user("STRANGER", "stranger-secret")
    line = ends(agent_words(plane, s3.url("there"), store_access_key="STRANGER",
                            store_secret_key="stranger-secret"),
                "AccessDenied", "s3:PutObject and s3:GetObject")
    assert "stranger-secret" not in line


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_bucket_without_rights(plane, s3, method):
    s3.clear()
    s3.fault(method, "status", times=9, status=403, body=DENIED, key="agent-check")
    ends(agent_words(plane, s3.url("there"), **KEYS), "AccessDenied",
         "s3:PutObject and s3:GetObject")
    s3.clear()


def test_a_bucket_in_another_region(plane, s3):
    s3.clear()
    s3.fault("PUT", "status", times=9, status=400, body=MALFORMED)
    ends(agent_words(plane, s3.url("there"), **KEYS), "in another region", "region=eu-north-1")
    s3.clear()
    s3.fault("PUT", "status", times=9, status=301,
             headers={"x-amz-bucket-region": "eu-south-2"})
    ends(agent_words(plane, s3.url("there"), **KEYS), "eu-south-2", "region and endpoint")
    s3.clear()


def test_an_endpoint_that_does_not_answer(plane, s3):
    """Not ready, with the reason; and ready when it answers."""
    port, = free_ports(1)
    url = f"s3://there?endpoint=http://localhost:{port}"
    with waits(agent_words(plane, url, **KEYS), "the object store cannot be used",
               "check the endpoint"):
        pass
    s3.clear()
    s3.fault("*", "status", times=-1, status=503)
    with waits(agent_words(plane, s3.url("there"), **KEYS), "answers 503") as await_ready:
        s3.clear()
        await_ready()


@pytest.mark.parametrize("clock, seconds", [("+40m", -2400), ("-40m", 2400)])
def test_a_clock_that_the_store_refuses(plane, s3, clock, seconds):
    """The store refuses what is signed for another time (RequestTimeTooSkewed); the agent
    sees by the answer what time it is there, signs with that, and says so. What stays wrong
    is the control plane's trust, which tells of the clock."""
    skewed = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": clock,
              "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    s3.clear()
    with agent_runs(agent_words(plane, s3.url("there"), **KEYS), skewed) as log:
        told = [line for line in log.splitlines() if "our clock differs" in line]
        assert told, log
        for line in told:
            assert abs(int(line.partition("skew_s=")[2].split()[0]) - seconds) < 60, line
    refusals = [entry.refusal for entry in s3.log if entry.refusal]
    assert refusals and b"RequestTimeTooSkewed" in refusals[0], refusals


@contextlib.contextmanager
def agent_runs(words, env):
    """An agent that gets ready; yields its log."""
    process = subprocess.Popen([*map(str, words)], stderr=subprocess.PIPE, text=True,
                               env=environment(env))
    lines = []
    try:
        for line in process.stderr:
            lines.append(line)
            if 'msg="ready"' in line:
                break
        assert process.poll() is None, "".join(lines)
        yield "".join(lines)
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS)
