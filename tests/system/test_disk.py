"""The control plane's disk fills up or fails: it stops acknowledging, says so, and loses
nothing; with room, or after a restart, it goes on.

As root the data directory lies on a small file system of its own, which is really filled;
whoever may not mount gets the same errors from the fault points.
"""

import contextlib
import ssl
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from faults import FaultCluster, points
from workload import Workload

CONTROL_PLANE = "controlplane-1"
DISK_BYTES = 24 << 20
SMALL = {"wal-segment": "256KiB", "checkpoint-interval": "500ms"}
AGENT_SET = {"flush-interval": "15ms"}


def get(cluster, path):
    """(status, text) of the control plane's PATH, (None, "") when nobody answers."""
    context = ssl.create_default_context(cafile=cluster.ca_file)
    try:
        with urllib.request.urlopen(cluster.control_plane + path, timeout=10,
                                    context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None, ""


def wait_until(what, text, limit_s=120):
    until = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < until, f"{text}: not within {limit_s} s"
        time.sleep(0.05)


def writable(cluster):
    lines = get(cluster, "/metrics")[1].splitlines()
    return "weft_controlplane_writable 1" in lines


def assert_says_so(cluster, reason):
    """Health, metric and log tell that nothing can be committed."""
    status, text = get(cluster, "/readyz")
    assert (status, reason in text) == (503, True), (status, text)
    assert not writable(cluster)
    assert get(cluster, "/healthz")[0] == 200
    assert "the log cannot be written" in cluster.logs(CONTROL_PLANE)


def assert_acknowledges_nothing(load):
    """Nothing that is sent from now on is acknowledged (what was on its way may be)."""
    time.sleep(0.5)
    before = load.checker.acked_count
    time.sleep(1.5)
    assert load.checker.acked_count == before


class SmallDisk:
    """A file system of DISK_BYTES at PATH, and its room taken away and given back."""

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"
        path.mkdir(parents=True, mode=0o700)
        self.mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(path)],
            stderr=subprocess.DEVNULL).returncode == 0

    def fill(self):
        with open(self.filler, "wb", buffering=0) as f:
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"\0" * 65536)
            with contextlib.suppress(OSError):
                while True:
                    f.write(b"\0" * 512)

    def empty(self):
        self.filler.unlink()

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=True)


@contextlib.contextmanager
def small_disk(path):
    disk = SmallDisk(path)
    try:
        yield disk
    finally:
        disk.close()


@pytest.mark.parametrize("way_out", ["room", "restart with room", "restart without"])
def test_disk_full(tmp_path, way_out):
    """A full disk stops commits and nothing else; room is enough to go on."""
    directory = tmp_path / "cluster"
    with small_disk(directory / "data" / CONTROL_PLANE) as disk, \
            FaultCluster(directory, control_plane_set=SMALL,
                         agent_set=AGENT_SET) as cluster, \
            Workload(cluster, burst=4) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        if disk.mounted:
            disk.fill()
        else:
            cluster.kill(CONTROL_PLANE)
            assert cluster.start_armed(CONTROL_PLANE, "wal-no-space:*:error")
        wait_until(lambda: get(cluster, "/readyz")[0] == 503, "not ready")
        assert_says_so(cluster, "the disk is full")
        assert_acknowledges_nothing(load)
        if way_out == "restart without":
            # It may refuse to start, or start and wait; it must not lose what it has.
            cluster.kill(CONTROL_PLANE)
            if disk.mounted:
                with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                    cluster.start_armed(CONTROL_PLANE, None, limit_s=10)
                cluster.kill(CONTROL_PLANE)
        if disk.mounted:
            disk.empty()
        if way_out != "room" or not disk.mounted:
            cluster.kill(CONTROL_PLANE)
            cluster.start(CONTROL_PLANE)
        wait_until(lambda: get(cluster, "/readyz")[0] == 200, "ready again")
        load.wait_progress("with room again")
        load.finish()


def test_sync_fails(tmp_path):
    """After a failed fdatasync nobody knows what the disk has: nothing is acknowledged any
    more until a restart reads it anew."""
    with FaultCluster(tmp_path / "cluster", control_plane_set=SMALL,
                      agent_set=AGENT_SET) as cluster, Workload(cluster) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        cluster.kill(CONTROL_PLANE)
        assert cluster.start_armed(CONTROL_PLANE, "wal-sync-fails:40:error")
        wait_until(lambda: get(cluster, "/readyz")[0] == 503, "not ready")
        assert_says_so(cluster, "the log cannot be written")
        assert_acknowledges_nothing(load)
        cluster.kill(CONTROL_PLANE)
        cluster.start(CONTROL_PLANE)
        load.wait_progress("after the restart")
        load.finish()


@pytest.mark.parametrize("point", [p for p in points("controlplane", kinds=("ERROR",))
                                   if p not in ("wal-sync-fails", "wal-no-space")])
def test_other_failures(tmp_path, point):
    """Every other write of the control plane may fail, once and again: it goes on or stops,
    and loses nothing."""
    with FaultCluster(tmp_path / "cluster", control_plane_set=SMALL,
                      agent_set=AGENT_SET) as cluster, Workload(cluster) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        for passes in ("1", "3", "*"):
            cluster.kill(CONTROL_PLANE)
            if cluster.start_armed(CONTROL_PLANE, f"{point}:{passes}:error"):
                pid = cluster.pid(CONTROL_PLANE)
                until = time.monotonic() + 3
                while time.monotonic() < until and not cluster.wait_dead(pid, 0.05):
                    pass
        assert get(cluster, "/healthz")[0] in (200, None)
        cluster.kill(CONTROL_PLANE)
        cluster.start(CONTROL_PLANE)
        load.wait_progress("after the restart")
        load.finish()


def test_store_fails(tmp_path):
    """Each operation of a directory store fails now and then, in both agents: uploads are
    tried again, and nothing is lost, doubled or out of order."""
    names = points("common", kinds=("ERROR",))
    with FaultCluster(tmp_path / "cluster", agent_set=AGENT_SET) as cluster, \
            Workload(cluster) as load:
        load.add_default_producers().start()
        load.wait_progress("before")
        for number, agent in enumerate(("agent-1", "agent-2")):
            rules = [f"{name}:{turn + 3 * i}:error" for i, name in enumerate(names)
                     for turn in (4 + number, 31)]
            cluster.kill(agent)
            assert cluster.start_armed(agent, ",".join(rules))
        for _ in range(5):
            load.wait_progress("while the store fails now and then")
        load.finish()
