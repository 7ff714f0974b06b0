"""What loads the servers: Load.java, kcat, bench_commit; all on the client's core."""

import json
import os
import pathlib
import random
import string
import subprocess
import time

import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
JARS = ROOT / "build" / "kafka" / "lib"
SETTLE_LOOK_S = 0.25
SETTLE_BUSY = 0.15  # of a core
LOG_CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="error">
  <Appenders><Console name="err" target="SYSTEM_ERR">
    <PatternLayout pattern="%p %m (%c)%n"/>
  </Console></Appenders>
  <Loggers><Root level="error"><AppenderRef ref="err"/></Root></Loggers>
</Configuration>
"""


def compile_load():
    """Load.java into build/bench, unless that is newer."""
    source = ROOT / "tests" / "bench" / "Load.java"
    done = BUILD / "Load.class"
    if done.exists() and done.stat().st_mtime > source.stat().st_mtime:
        return
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-cp", f"{JARS}/*", "-d", BUILD, source], check=True)


def settle(server, at_most_s):
    """Wait until SERVER is idle: a JVM goes on compiling what it did before."""
    until = time.monotonic() + at_most_s
    while time.monotonic() < until:
        before = sum(server.cpu().values())
        time.sleep(SETTLE_LOOK_S)
        if sum(server.cpu().values()) - before < SETTLE_BUSY * SETTLE_LOOK_S:
            return


class Conversation:
    """A program that says {"ready":true}, begins at "go" and answers a line of JSON."""

    def __init__(self, command, cores, log, settle_s):
        self.name = os.path.basename(command[0])
        self.settle_s = settle_s
        with cores.on(cores.client), open(log, "ab") as err:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=err, text=True)
        self.log = log

    def say(self, line):
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._failed("ended")

    def hear(self):
        line = self.process.stdout.readline()
        if not line:
            self._failed("ended")
        answer = json.loads(line)
        if "error" in answer:
            self._failed(answer["error"])
        return answer

    def _failed(self, text):
        tail = pathlib.Path(self.log).read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name}: {text}\n{tail}")

    def perform(self, server, on_go=None):
        """From ready to the answer; the answer gains "cpu", seconds by part of SERVER.
        ON_GO is called when the work begins."""
        self.hear()
        settle(server, self.settle_s)
        before = server.cpu()
        self.say("go")
        if on_go:
            on_go()
        answer = self.hear()
        after = server.cpu()
        answer["cpu"] = {part: after[part] - before[part] for part in after}
        return answer

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Load(Conversation):
    """The Java process that produces and fetches for a whole run."""

    def __init__(self, cores, directory, settle_s):
        config = pathlib.Path(directory) / "load-log4j2.xml"
        config.write_text(LOG_CONFIG)
        super().__init__(["java", "-Xms256m", "-Xmx3g", "-XX:+UseSerialGC",
                          f"-Dlog4j2.configurationFile={config}",
                          "-cp", f"{BUILD}:{JARS}/*", "Load"], cores,
                         os.path.join(directory, "load.log"), settle_s)

    def command(self, verb, server, **options):
        words = [f"{name}={value}" for name, value in options.items() if value is not None]
        self.say(" ".join([verb, f"bootstrap={server.bootstrap}"] + words))

    def create(self, server, topic, partitions):
        self.command("create", server, topic=topic, partitions=partitions)
        self.hear()

    def produce(self, server, topic, partitions, size, settings=None, on_go=None, **options):
        more = {f"set.{name}": value for name, value in (settings or {}).items()}
        self.command("produce", server, topic=topic, partitions=partitions, bytes=int(size),
                     **options, **more)
        return self.perform(server, on_go)

    def fetch(self, server, topic, partitions, size, consumers=2):
        self.command("fetch", server, topic=topic, partitions=partitions, bytes=size,
                     consumers=consumers)
        return self.perform(server)

    def rebalance(self, server, topic, partitions, members, settings):
        """A group of MEMBERS gets one more; how long until it is balanced again."""
        more = {f"set.{name}": value for name, value in settings.items()}
        self.command("rebalance", server, topic=topic, partitions=partitions, members=members,
                     **more)
        return self.perform(server)


def make_lines(path, size):
    """A file of SIZE bytes in lines of 1 KiB for kcat."""
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=1 << 20)
    block = "".join("".join(letters[i:i + 1023]) + "\n" for i in range(0, 1 << 20, 1024))
    with open(path, "w", encoding="ascii") as f:
        for _ in range(size // machine.MIB):
            f.write(block)


def kcat(cores, server, topic, path):
    """Produce PATH's lines to partition 0 with kcat's default settings; MiB/s."""
    begin = time.monotonic()
    with cores.on(cores.client):
        process = subprocess.Popen(["kcat", "-P", "-b", server.bootstrap, "-t", topic, "-p", "0",
                                    "-l", path], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _, err = process.communicate(timeout=300)
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        raise RuntimeError(f"kcat: exit {process.returncode}\n{err[-2000:]}")
    return os.path.getsize(path) / machine.MIB / seconds


def commits(programs, cores, server, directory, settle_s, on_go=None, **options):
    """Run bench_commit against SERVER's control plane; its answer, with "cpu"."""
    options = {"enrolment-token": f"@{server.directory / 'weft' / 'enrolment-token'}", **options}
    program = control_load("bench_commit", programs, cores, server, directory, settle_s, **options)
    try:
        return program.perform(server, on_go)
    finally:
        program.close()


def control_load(name, programs, cores, server, directory, settle_s, **options):
    """The program NAME, one of those that load a control plane as agents do."""
    command = [str(programs / name), f"--control-plane={server.cluster.control_plane}",
               f"--ca-fingerprint={server.fingerprint}"]
    command += [f"--{option}={value}" for option, value in options.items()]
    return Conversation(command, cores, os.path.join(directory, f"{name}.log"), settle_s)
