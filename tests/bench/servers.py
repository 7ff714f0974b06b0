"""The servers that the benchmarks measure, behind one face.

    server.start()      returns when clients can use it
    server.bootstrap    for clients
    server.cpu()        CPU seconds so far, a dict of part -> seconds; the first part is
                        what is compared
    server.stop()

Weft is what scripts/dev-cluster starts: one control plane, one agent (cell.py: more). Its parts are the
agent, the control plane and, for S3, the store (radosgw with its OSD and monitor). With a
file:// store there is no store process: writing, fsync and reading are in the agent's
time. Kafka is one process with the roles broker and controller.
"""

import contextlib
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lib"))

from cluster import Cluster  # noqa: E402
from kafka_broker import KafkaBroker  # noqa: E402
from radosgw import Radosgw  # noqa: E402

KAFKA_HEAP_MIB = 1024  # what its own start script gives it
# Half of Kafka's heap, and not half of the machine: then the cache is full before it counts,
# and what is measured is an agent that has run for a while, not one that fills its memory.
AGENT = {"memory": "512MiB"}
BUCKET = "weft-bench"


@contextlib.contextmanager
def running(server):
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Weft:
    """Control-plane nodes and agents over a store: "file" or "s3"."""

    part = "agent"
    best_case = False

    def __init__(self, cores, directory, store="file", agents=1, control_plane_set=None,
                 control_planes=1):
        self.cores = cores
        self.directory = pathlib.Path(directory)
        self.name = f"Weft, {store}://"
        self.store = store
        self.agents = agents
        self.control_plane_set = control_plane_set
        self.control_planes = control_planes
        self.radosgw = None
        self.cluster = None
        self.pids = {}

    def start(self):
        url, agent_set = None, dict(AGENT)
        try:
            if self.store == "s3":
                with self.cores.on(self.cores.store):
                    self.radosgw = Radosgw(self.directory / "s3").start()
                self.radosgw.make_bucket(BUCKET)
                url = self.radosgw.url(BUCKET)
                agent_set.update({"store-access-key": self.radosgw.access_key,
                                  "store-secret-key": self.radosgw.secret_key})
            cluster = Cluster(self.directory / "weft", agents=self.agents, store=url,
                              agent_set=agent_set, control_plane_set=self.control_plane_set,
                              control_planes=self.control_planes)
            with self.cores.on(self.cores.server):
                self.cluster = cluster.up()
        except BaseException:
            self.stop()
            raise
        self._learn()
        return self

    def stop(self):
        if self.cluster:
            self.cluster.down()
            self.cluster = None
        if self.radosgw:
            self.radosgw.stop()
            self.radosgw = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def _learn(self):
        with open(self.directory / "weft" / "cluster.json", encoding="utf-8") as f:
            self.processes = json.load(f)["processes"]
        self.pids = {"control plane": self.processes["controlplane-1"]["pid"]}
        if self.agents:
            self.pids = {"agent": self.processes["agent-1"]["pid"], **self.pids}

    @property
    def bootstrap(self):
        return self.cluster.bootstrap

    @property
    def fingerprint(self):
        """Of the cell's CA, for who enrols."""
        file = self.directory / "weft" / "data" / "controlplane-1" / "ca.fingerprint"
        return file.read_text().strip()

    @property
    def pid(self):
        return self.pids["agent"]

    @property
    def admin_address(self):
        """Where the agent's /metrics is."""
        return self.processes["agent-1"]["ready_url"].split("/")[2]

    def cpu(self):
        times = {part: machine.cpu_seconds(pid) for part, pid in self.pids.items()}
        if self.radosgw:
            times["store"] = sum(machine.cpu_seconds(pid) for pid in self.radosgw.pids())
        return times

    def metrics(self):
        """The agent's counters by name, without labels."""
        values = {}
        for line in machine.http_get(self.admin_address, "/metrics").splitlines():
            name, _, value = line.partition(" ")
            if name.startswith("weft_agent_") and "{" not in name:
                values[name[len("weft_agent_"):]] = float(value)
        return values

    def forget(self):
        """Restart the agent, so that what is fetched next comes from the store. True: it
        was, and its memory is fresh."""
        with self.cores.on(self.cores.server):
            self.cluster.stop("agent-1")
            self.cluster.start("agent-1")
        self._learn()
        return True

    def start_times_ms(self, count):
        """Stop the agent, then start it COUNT times: milliseconds to ready, each."""
        self.cluster.stop("agent-1")
        times = []
        for _ in range(count):
            with self.cores.on(self.cores.server):
                begin = time.monotonic()
                with open(self.directory / "agent.log", "ab") as log:
                    child = subprocess.Popen(self.processes["agent-1"]["argv"],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                machine.wait_until(self._ready, 30, "the agent is not ready", pause_s=0.002)
                times.append((time.monotonic() - begin) * 1000)
            finally:
                child.send_signal(signal.SIGTERM)
                child.wait(40)
        with self.cores.on(self.cores.server):
            self.cluster.start("agent-1")
        self._learn()
        return times

    def _ready(self):
        try:
            machine.http_get(self.admin_address, "/readyz")
            return True
        except (OSError, ValueError, IndexError):
            return False


class Kafka:
    """A real Apache Kafka; FSYNC: flush the log at each append, as Weft's ack does."""

    part = "broker"

    def __init__(self, cores, directory, fsync=False):
        self.cores = cores
        self.directory = pathlib.Path(directory)
        self.name = "Kafka, fsync" if fsync else "Kafka"
        self.best_case = not fsync
        self.broker = KafkaBroker(self.directory, heap_mib=KAFKA_HEAP_MIB, fsync=fsync)

    def start(self):
        with self.cores.on(self.cores.server):
            self.broker.start()
        return self

    def stop(self):
        self.broker.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def bootstrap(self):
        return self.broker.bootstrap

    @property
    def pid(self):
        return self.broker.pid

    def cpu(self):
        return {"broker": machine.cpu_seconds(self.pid)}

    def forget(self):
        """Its reads come from the page cache; a restart would only cool the JVM."""
        return False

    def start_times_ms(self, count):
        times = []
        for _ in range(count):
            self.broker.stop()
            with self.cores.on(self.cores.server):
                begin = time.monotonic()
                self.broker.start()
                times.append((time.monotonic() - begin) * 1000)
        return times
