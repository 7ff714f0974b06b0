"""Kafka's own command-line tools, all in one JVM (tests/kafka/java/Tools.java).

    with KafkaTools(bootstrap) as tools:
        done = tools.run("topics", "--list")
        assert done.exit == 0 and "orders" in done.out

run() adds the server's address, unless told otherwise, and fails on a stack trace: a tool
that meets something unexpected shows one, whatever its exit status.
"""

import json
import pathlib
import re
import subprocess
import tempfile
import threading
from dataclasses import dataclass

from kafka_broker import LIB, LOG_CONFIG, ROOT

CLASSES = ROOT / "build" / "kafka" / "classes"
LIMIT_S = 120
TRACE = re.compile(r"^\s+at [\w.$/]+\([^)]*\)$", re.MULTILINE)

_TOOLS = "org.apache.kafka.tools."
# Of each tool, by the name of its script: the class, and the option for the server.
TOOLS = {
    "topics": (_TOOLS + "TopicCommand", "--bootstrap-server"),
    "configs": ("kafka.admin.ConfigCommand", "--bootstrap-server"),
    "consumer-groups": (_TOOLS + "consumer.group.ConsumerGroupCommand",
                        "--bootstrap-server"),
    "groups": (_TOOLS + "GroupsCommand", "--bootstrap-server"),
    "get-offsets": (_TOOLS + "GetOffsetShell", "--bootstrap-server"),
    "delete-records": (_TOOLS + "DeleteRecordsCommand", "--bootstrap-server"),
    "console-producer": (_TOOLS + "ConsoleProducer", "--bootstrap-server"),
    "console-consumer": (_TOOLS + "consumer.ConsoleConsumer", "--bootstrap-server"),
    "verifiable-producer": (_TOOLS + "VerifiableProducer", "--bootstrap-server"),
    "verifiable-consumer": (_TOOLS + "VerifiableConsumer", "--bootstrap-server"),
    "producer-perf-test": (_TOOLS + "ProducerPerformance", "--bootstrap-server"),
    "consumer-perf-test": (_TOOLS + "ConsumerPerformance", "--bootstrap-server"),
    "e2e-latency": (_TOOLS + "EndToEndLatency", "--bootstrap-server"),
    "broker-api-versions": (_TOOLS + "BrokerApiVersionsCommand", "--bootstrap-server"),
    "cluster": (_TOOLS + "ClusterTool", "--bootstrap-server"),
    "features": (_TOOLS + "FeatureCommand", "--bootstrap-server"),
    "log-dirs": (_TOOLS + "LogDirsCommand", "--bootstrap-server"),
    "metadata-quorum": (_TOOLS + "MetadataQuorumCommand", "--bootstrap-server"),
    "leader-election": (_TOOLS + "LeaderElectionCommand", "--bootstrap-server"),
    "reassign-partitions": (_TOOLS + "reassign.ReassignPartitionsCommand",
                            "--bootstrap-server"),
    "client-metrics": (_TOOLS + "ClientMetricsCommand", "--bootstrap-server"),
    "acls": (_TOOLS + "AclCommand", "--bootstrap-server"),
}
# Those whose command comes first, before the options.
COMMAND_FIRST = ("cluster",)
# Those that finish in hooks of the virtual machine, and want one of their own.
ALONE = ("verifiable-producer",)


@dataclass
class Done:
    """What a tool ended with, None if that cannot be known, and what it wrote."""

    exit: int
    out: str

    def rows(self, *names):
        """The rows of a table that the tool printed, as dicts; NAMES are in its head."""
        lines = self.out.splitlines()
        at = next((i for i, line in enumerate(lines)
                   if all(name in line.split() for name in names)), None)
        assert at is not None, f"no table with {names} in:\n{self.out}"
        head = lines[at].split()
        return [dict(zip(head, line.split())) for line in lines[at + 1:] if line.strip()]


def find_trace(text):
    """The first line of a stack trace in TEXT, None if there is none."""
    found = TRACE.search(text)
    return found.group().strip() if found else None


class KafkaTools:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.directory = tempfile.TemporaryDirectory(prefix="kafka-tools-")
        self.config = pathlib.Path(self.directory.name) / "log4j2.xml"
        # What a tool's libraries warn of is part of what it shows.
        self.config.write_text(LOG_CONFIG.replace('name="out"', 'name="out" follow="true"')
                               .replace('level="info"', 'level="warn"'))
        self.start()

    def _java(self, *words):
        return ["java", "-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                f"-Dlog4j2.configurationFile={self.config}", "-cp", f"{CLASSES}:{LIB}/*",
                *words]

    def start(self):
        self.process = subprocess.Popen(self._java("Tools"), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def run(self, tool, *arguments, text="", server=True, exit=0, trace=False, limit_s=LIMIT_S):
        """Run TOOL and return what it did; asserts the exit status (None: any) and, unless
        TRACE, that there is no stack trace."""
        name, option = TOOLS[tool]
        words = [str(word) for word in arguments]
        if server:
            address = [option, self.bootstrap]
            words = words[:1] + address + words[1:] if tool in COMMAND_FIRST \
                else address + words
        done = self._alone(name, words, text, limit_s) if tool in ALONE else \
            self._together(name, words, text, limit_s)
        shown = f"{tool} {' '.join(words)}\nexit {done.exit}\n{done.out}"
        assert exit is None or done.exit == exit, shown
        assert trace or not find_trace(done.out), shown
        return done

    def _alone(self, name, words, text, limit_s):
        ended = subprocess.run(self._java(name, *words), input=text, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               timeout=limit_s)
        return Done(ended.returncode, ended.stdout)

    def _together(self, name, words, text, limit_s):
        timer = threading.Timer(limit_s, self.process.kill)
        timer.start()
        try:
            self.process.stdin.write(json.dumps(
                {"class": name, "arguments": words, "input": text}) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        finally:
            timer.cancel()
        done = Done(**json.loads(answer)) if answer else None
        if done is None or done.exit is None:
            self.process.wait(20)
            self.start()
        assert done, f"{name} {words} did not end within {limit_s} s"
        return done

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
