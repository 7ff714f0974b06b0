"""A running cluster for a test: Weft through scripts/dev-cluster, or a real Kafka.

    with Cluster(directory) as cluster:
        print(cluster.bootstrap)

Both targets have the same methods, so that a test that runs against both does not ask
which it has.  The real Kafka is one broker: it answers to the name agent-1.
"""

import pathlib
import subprocess
import tempfile

from kafka_broker import KafkaBroker

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEV_CLUSTER = ROOT / "scripts" / "dev-cluster"
UP_LIMIT_S = 180
COMMAND_LIMIT_S = 120


class Cluster:
    """One cluster of its own directory and ports.

    target             "weft" or "kafka"
    agents             how many agents (Weft only; Kafka has one broker)
    control_planes     how many control-plane nodes (Weft only)
    store              the object store's URL, None for a directory below DIRECTORY
    agent_set          options of every agent, as a dict
    control_plane_set  options of every control-plane node, as a dict
    kafka_config       lines of server.properties (Kafka only)

    After up(): bootstrap, the text for a client; bootstraps, its addresses as a list;
    control_plane, admin_token and ca_file as dev-cluster printed them (Weft only).
    """

    def __init__(self, directory=None, target="weft", agents=2, control_planes=1,
                 store=None, agent_set=None, control_plane_set=None, kafka_config=None):
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="weft-"))
        self.target = target
        self.agents = agents
        self.control_planes = control_planes
        self.store = store
        self.agent_set = dict(agent_set or {})
        self.control_plane_set = dict(control_plane_set or {})
        self.kafka = KafkaBroker(self.directory, config=kafka_config) \
            if target == "kafka" else None
        self.facts = {}

    def _run(self, command, *arguments, limit_s=COMMAND_LIMIT_S):
        words = [str(DEV_CLUSTER), command, "--dir", str(self.directory), *arguments]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, timeout=limit_s)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def up(self):
        """Start the cluster; return self when clients can use it."""
        if self.kafka:
            self.kafka.start()
            self.facts = {"bootstrap": self.kafka.bootstrap}
            return self
        more = ["--agents", str(self.agents), "--control-planes", str(self.control_planes)]
        if self.store:
            more += ["--store", self.store]
        for option, values in (("--agent-set", self.agent_set),
                               ("--control-plane-set", self.control_plane_set)):
            for name, value in values.items():
                more += [option, f"{name}={value}"]
        out = self._run("up", *more, limit_s=UP_LIMIT_S)
        self.facts = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
        return self

    def down(self):
        """End every process of the cluster."""
        if self.kafka:
            self.kafka.stop()
        else:
            self._run("down")

    def stop(self, name):
        """End the process NAME in good order (SIGTERM)."""
        if self.kafka:
            self.kafka.stop()
        else:
            self._run("stop", name)

    def start(self, name):
        """Start NAME again after stop() or kill(), at its old address."""
        if self.kafka:
            self.kafka.start()
        else:
            self._run("start", name)

    def kill(self, name):
        """kill -9 the process NAME."""
        if self.kafka:
            self.kafka.kill()
        else:
            self._run("kill", name)

    def status(self):
        """A dict for each process's name: its pid, address and state as text."""
        if self.kafka:
            state = "running" if self.kafka.pid else "stopped"
            return {"agent-1": {"pid": str(self.kafka.pid or "-"), "state": state,
                                "address": self.kafka.bootstrap}}
        rows = (line.split(None, 3) for line in self._run("status").splitlines())
        return {row[0]: dict(zip(("pid", "address", "state"), row[1:]))
                for row in rows if len(row) >= 4}

    def leader(self):
        """The name of the control-plane node that leads, or None."""
        try:
            return self._run("leader").strip()
        except RuntimeError:
            return None

    def logs(self, name):
        """What the process NAME has logged so far."""
        if self.kafka:
            return self.kafka.log_file.read_text(errors="replace")
        return self._run("logs", name)

    @property
    def bootstrap(self):
        return self.facts["bootstrap"]

    @property
    def bootstraps(self):
        return self.bootstrap.split(",")

    @property
    def control_plane(self):
        return self.facts["control_plane"]

    @property
    def admin_token(self):
        return self.facts["admin_token"]

    @property
    def ca_file(self):
        return self.facts["ca_file"]

    def __enter__(self):
        return self.up()

    def __exit__(self, *_):
        self.down()
