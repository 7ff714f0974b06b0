"""A real Apache Kafka broker on free ports of this machine.

Tests compare Weft with it, golden bytes are captured from it, benchmarks measure
beside it.  tests/kafka/setup must have run (start() runs it when the jars are
missing).  One KafkaBroker is one process with the roles broker and controller,
its data in a directory of its own; a further one can join() it as a plain broker.

    with KafkaBroker() as kafka:
        print(kafka.bootstrap)

From a shell, `python3 tests/lib/kafka_broker.py --dir DIR` runs one until it is
interrupted, and prints `bootstrap=HOST:PORT` when it is ready.
"""

import argparse
import ctypes
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from ports import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIB = ROOT / "build" / "kafka" / "lib"
SETUP = ROOT / "tests" / "kafka" / "setup"
START_LIMIT_S = 120

LOG_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="warn">
  <Appenders><Console name="out">
    <PatternLayout pattern="[%d] %p %m (%c)%n"/>
  </Console></Appenders>
  <Loggers><Root level="info"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""

# Small internal topics and no waiting: what a single test broker wants.
TEST_CONFIG = {
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 5,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 5,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
}


def _die_with_parent():
    """In the child: be killed when the process that started us goes away."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class KafkaBroker:
    """One broker process.

    directory   where data and log go; a temporary one, removed by stop(), if None
    heap_mib    the JVM's heap
    fsync       flush the log to disk after each append, as a durable server does
    config      further lines of server.properties, as a dict; they win
    prefix      a command put before java, for instance ["taskset", "-c", "0"]
    join        another, started KafkaBroker: become a second broker of its cluster
    """

    def __init__(self, directory=None, heap_mib=512, fsync=False, config=None,
                 prefix=(), join=None, node_id=None):
        self.temporary = directory is None
        self.directory = pathlib.Path(
            tempfile.mkdtemp(prefix="kafka-") if directory is None else directory)
        self.heap_mib = heap_mib
        self.fsync = fsync
        self.config = dict(config or {})
        self.prefix = list(prefix)
        self.join = join
        self.node_id = node_id if node_id is not None else (2 if join else 1)
        self.process = None
        self.port = None
        self.controller_port = join.controller_port if join else None
        self.cluster_id = join.cluster_id if join else None

    @property
    def bootstrap(self):
        """The address to give to clients, HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self):
        """The broker's process id, None when it does not run."""
        return self.process.pid if self.process else None

    @property
    def log_file(self):
        """What the broker writes to its standard output."""
        return self.directory / "broker.log"

    def _java(self, heap_mib, *arguments, extra=()):
        return ["java", f"-Xms{heap_mib}m", f"-Xmx{heap_mib}m", *extra,
                f"-Dlog4j2.configurationFile={self.directory / 'log4j2.xml'}",
                "-cp", f"{LIB}/*", *arguments]

    def _properties(self):
        client = f"PLAINTEXT://127.0.0.1:{self.port}"
        control = f"CONTROLLER://127.0.0.1:{self.controller_port}"
        values = {
            "process.roles": "broker" if self.join else "broker,controller",
            "node.id": self.node_id,
            "controller.quorum.bootstrap.servers": control.split("//")[1],
            "listeners": client if self.join else f"{client},{control}",
            "advertised.listeners": client if self.join else f"{client},{control}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self.directory / "data",
            **TEST_CONFIG,
        }
        if self.fsync:
            values["log.flush.interval.messages"] = 1
        values.update(self.config)
        return "".join(f"{name}={value}\n" for name, value in values.items())

    def _format(self):
        """Make the data directory what a broker accepts; done once a directory."""
        if (self.directory / "data" / "meta.properties").exists():
            return
        quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        tool = "kafka.tools.StorageTool"
        if not self.cluster_id:
            self.cluster_id = subprocess.run(
                self._java(64, tool, "random-uuid", extra=quick), check=True,
                stdout=subprocess.PIPE, text=True).stdout.split()[-1]
        role = [] if self.join else ["--standalone"]
        done = subprocess.run(
            self._java(64, tool, "format", "-t", self.cluster_id, "-c",
                       self.directory / "server.properties", *role, extra=quick),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"kafka storage format: {done.stdout}")

    def start(self):
        """Start the broker and return self once it serves clients.

        The ports are chosen at the first start and kept over stop() and start()."""
        if not any(LIB.glob("kafka_2.13-*.jar")):
            subprocess.run([SETUP], check=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.port is None:
            self.port, control = free_ports(2)
            self.controller_port = self.controller_port or control
        (self.directory / "log4j2.xml").write_text(LOG_CONFIG)
        (self.directory / "server.properties").write_text(self._properties())
        self._format()
        command = self.prefix + self._java(
            self.heap_mib, "kafka.Kafka", self.directory / "server.properties",
            extra=["-XX:+UseG1GC"])
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        self._wait_until_ready()
        return self

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        while b"Kafka Server started" not in self.log_file.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                tail = self.log_file.read_text(errors="replace")[-4000:]
                self.stop()
                raise RuntimeError(f"Kafka did not start:\n{tail}")
            time.sleep(0.1)

    def stop(self):
        """End the process, and remove the directory if it is our own."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
        if self.temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self):
        """kill -9; start() brings the broker back with its data."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dir", help="data directory (default: a temporary one)")
    parser.add_argument("--heap-mib", type=int, default=512)
    parser.add_argument("--fsync", action="store_true", help="flush after each append")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a further line of server.properties")
    options = parser.parse_args()
    config = dict(item.split("=", 1) for item in options.set)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with KafkaBroker(options.dir, options.heap_mib, options.fsync, config) as kafka:
        print(f"bootstrap={kafka.bootstrap}", flush=True)
        try:
            kafka.process.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
