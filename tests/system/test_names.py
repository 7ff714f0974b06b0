"""Where no name server answers: a lookup takes ten seconds then, and holds up nothing.

Also the peers' transport looks names up: tests/unit/test_peers.c; and a whole cell whose
nodes are cut off with their names: tests/packaging/test_compose.py."""

import contextlib
import signal
import subprocess
import time

import pytest
from control import BUILD, ControlPlane
from name_server import NameServer
from ports import free_ports

SOON_S = 5                 # a lookup is under way for ten
LIMIT_S = 60
NOWHERE = "https://nowhere.test:7800"
KEY = "5a" * 32


@pytest.fixture(name="names")
def names_fixture(tmp_path):
    """A server that does not answer."""
    with NameServer(tmp_path) as names:
        yield names


@pytest.fixture(name="plane", scope="module")
def plane_fixture(tmp_path_factory):
    """A control plane with a cluster and an enrolment token."""
    with ControlPlane(tmp_path_factory.mktemp("plane")) as plane:
        cluster = plane.admin.create_cluster("names")
        plane.token = plane.admin.create_token(cluster["id"])["token"]
        plane.fingerprint = (plane.data / "ca.fingerprint").read_text().strip()
        yield plane


class Process:
    """A program that runs where NAMES are; its lines as they come."""

    def __init__(self, names, *words):
        self.process = subprocess.Popen(names.words(*words), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)

    def await_line(self, text):
        """Read on to a line with TEXT in it."""
        lines = []
        for line in self.process.stderr:
            lines.append(line)
            if text in line:
                return
        raise AssertionError("".join(lines))

    def stop(self, number=signal.SIGTERM):
        """(exit status, seconds, its last lines)."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, text = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, time.monotonic() - began, text


@contextlib.contextmanager
def runs(names, *words):
    """A Process, which is gone afterwards."""
    process = Process(names, *words)
    try:
        yield process
    finally:
        process.process.kill()
        process.process.communicate()


def node_words(directory, **options):
    """A control plane, as given."""
    listen = {"listen": "127.0.0.1:0", "listen-agents": "127.0.0.1:0",
              "listen-peers": "127.0.0.1:0", "data-dir": directory / "data"}
    listen |= {name.replace("_", "-"): value for name, value in options.items()}
    return [BUILD / "weft-controlplane", *(f"--{n}={v}" for n, v in listen.items())]


def agent_words(plane, store, **options):
    """An agent of PLANE, but for OPTIONS."""
    words = {"control-plane": plane.people_url, "ca-fingerprint": plane.fingerprint,
             "enrolment-token": plane.token, "store": store, "listen": "127.0.0.1:0",
             "admin-listen": "127.0.0.1:0"}
    words |= {name.replace("_", "-"): value for name, value in options.items()}
    return [BUILD / "weft-agent", *(f"--{name}={value}" for name, value in words.items())]


JOINING = {"join": NOWHERE, "join_by_key": "true", "cell_key": KEY}


@pytest.mark.parametrize("options", [
    JOINING,
    JOINING | {"founder": "me", "node_name": "me"},
    {"bootstrap": "true", "listen": "nowhere.test:7800"},
    {"bootstrap": "true", "listen_peers": "nowhere.test:7802"},
], ids=["join", "founder", "listen", "listen-peers"])
def test_a_control_plane_that_begins_is_stopped(names, tmp_path, options):
    """A signal ends what looks a cell, or its own address, up; that is no failure."""
    with runs(names, *node_words(tmp_path, **options)) as process:
        names.asked("nowhere.test")
        status, seconds, text = process.stop()
    assert status == 0 and seconds < SOON_S, text
    assert "stopped before it had begun" in text


@pytest.mark.parametrize("options", [
    {"control_plane": NOWHERE},
    {"store": "s3://bucket?region=a&endpoint=http://nowhere.test:1",
     "store_access_key": "a", "store_secret_key": "b"},
], ids=["control-plane", "store"])
def test_an_agent_that_begins_is_stopped(names, plane, tmp_path, options):
    """The same for an agent that looks for its control plane, or for its store."""
    words = agent_words(plane, **{"store": f"file://{tmp_path}"} | options)
    with runs(names, *words) as process:
        names.asked("nowhere.test")
        status, seconds, text = process.stop()
    assert status == 0 and seconds < SOON_S, text


def test_an_agent_that_seeks_its_cell_is_stopped(names, tmp_path):
    """An agent at work, whose cell is gone and its name with it, drains and ends as soon as
    any."""
    store = tmp_path / "store"
    store.mkdir()
    port, = free_ports(1)
    with ControlPlane(tmp_path / "cell", tls_name="cell.test",
                      listen_agents=f"127.0.0.1:{port}",
                      advertise_agents=f"https://cell.test:{port}") as plane:
        cluster = plane.admin.create_cluster("names")
        plane.token = plane.admin.create_token(cluster["id"])["token"]
        plane.fingerprint = (plane.data / "ca.fingerprint").read_text().strip()
        names.hosts("cell.test")
        with runs(names, *agent_words(plane, f"file://{store}")) as process:
            process.await_line('msg="ready"')
            names.hosts()
            plane.kill()
            names.asked("cell.test")
            status, seconds, text = process.stop()
    assert status == 0 and seconds < SOON_S, text
    assert "drained" in text


def test_an_address_to_listen_on_that_nobody_knows(names, plane, tmp_path):
    """One sentence within seconds, for the name server's silence, too."""
    for words in (agent_words(plane, f"file://{tmp_path}", admin_listen="nowhere.test:9093"),
                  node_words(tmp_path, bootstrap="true", listen_agents="nowhere.test:7801")):
        with runs(names, *words) as process:
            _, text = process.process.communicate(timeout=LIMIT_S)
        assert process.process.returncode == 1
        assert "nowhere.test: " in text.splitlines()[-1], text


def test_a_command_keeps_its_time_limit(names, plane):
    """`weft` ends when it was told to, and at once by a signal (SIGTERM: whoever runs the
    tests in the background has SIGINT ignored, and programs inherit that)."""
    words = [BUILD / "weft", "topic", "list", "--server", NOWHERE, "--token", "weft_api_x",
             "--ca-file", plane.ca_file]
    began = time.monotonic()
    with runs(names, *words, "--timeout", "2s") as process:
        _, text = process.process.communicate(timeout=LIMIT_S)
    assert process.process.returncode not in (0, None) and "nowhere.test" in text
    assert time.monotonic() - began < SOON_S
    with runs(names, *words, "--timeout", "1m") as process:
        names.asked("nowhere.test")
        _, seconds, _ = process.stop()
    assert seconds < SOON_S


def test_a_founder_founds_no_second_cell(names, tmp_path):
    """Whom nobody can tell whether the others are there does not found a cell; when it is
    told that they are not, it does."""
    words = node_words(tmp_path, founder="me", node_name="me", **JOINING)
    with runs(names, *words) as process:
        names.asked("nowhere.test")
        time.sleep(2 * SOON_S)       # by then it would have founded one
        assert not (tmp_path / "data" / "addresses").exists()
        assert process.process.poll() is None
        names.unknown = True
        process.await_line('msg="started"')
        status, _, text = process.stop()
    assert status == 0, text
