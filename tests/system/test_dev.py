"""`weft dev`: one command that is a whole Weft, and leaves nothing behind.

The real programs, a real client; what goes wrong is told in a sentence that helps."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release")).resolve()
LIMIT_S = 60


class Dev:
    """A running `weft dev`, ready."""

    def __init__(self, temp, *words, weft=BUILD / "weft"):
        self.process = subprocess.Popen(
            [weft, "dev", "--port", "0", "-o", "json", *words], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"TMPDIR": str(temp)})
        self.info = {}
        text = ""
        for line in self.process.stdout:
            text += line
            if line == "}\n":
                self.info = json.loads(text)
                break

    @property
    def children(self):
        """The pids of its programs."""
        listed = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True,
                                text=True, check=False)
        return [int(word) for word in listed.stdout.split()]

    def end(self, number=signal.SIGINT):
        """Interrupt it; exit code and standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, errors


@pytest.fixture
def dev(tmp_path):
    """One with a topic of three partitions, which a failed test does not leave behind."""
    running = Dev(tmp_path, "--topic", "orders", "--partitions", "3")
    yield running
    running.process.kill()


def gone(pid):
    """Whether no process PID runs."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] == "Z"
    except OSError:
        return True


def wait(condition, what):
    """Until CONDITION."""
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def produce(info, values):
    """VALUES into the topic, acknowledged."""
    producer = Producer({"bootstrap.servers": info["bootstrap_servers"]})
    for value in values:
        producer.produce(info["topic"], value)
    assert producer.flush(LIMIT_S) == 0


def consume(info, count):
    """COUNT values of the topic, sorted."""
    consumer = Consumer({"bootstrap.servers": info["bootstrap_servers"], "group.id": "dev",
                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    listed = consumer.list_topics(info["topic"], timeout=LIMIT_S).topics[info["topic"]]
    assert listed.error is None
    consumer.assign([TopicPartition(info["topic"], p, OFFSET_BEGINNING)
                     for p in listed.partitions])
    values, until = [], time.monotonic() + LIMIT_S
    while len(values) < count and time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None:
            assert message.error() is None, message.error()
            values.append(message.value().decode())
    consumer.close()
    return sorted(values)


def test_clients_are_served_until_ctrl_c(dev, tmp_path):
    """What is printed is what clients need; an interrupt leaves no process and no file."""
    children = dev.children
    assert len(children) == 2 and pathlib.Path(dev.info["directory"]).is_dir()
    produce(dev.info, ["a", "b", "c"])
    assert consume(dev.info, 3) == ["a", "b", "c"]
    code, errors = dev.end()
    assert code == 0, errors
    assert all(gone(pid) for pid in children)
    assert not list(tmp_path.iterdir())


def test_a_directory_is_kept(tmp_path):
    """With --dir, the next run has what the one before acknowledged."""
    home = tmp_path / "home"
    first = Dev(tmp_path, "--dir", home)
    produce(first.info, ["kept"])
    assert first.end(signal.SIGTERM)[0] == 0
    second = Dev(tmp_path, "--dir", home)
    assert second.info["cluster_id"] == first.info["cluster_id"]
    assert consume(second.info, 1) == ["kept"]
    assert second.end()[0] == 0 and home.is_dir()


def test_killed_it_takes_its_programs_along(dev):
    """kill -9 of `weft dev` leaves no control plane and no agent running."""
    children = dev.children
    dev.process.kill()
    wait(lambda: all(gone(pid) for pid in children), "its programs go on")


def test_a_program_that_dies(dev, tmp_path):
    """When the agent dies, all ends, and the end of its log is shown."""
    agent = [pid for pid in dev.children
             if b"weft-agent" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(agent[0], signal.SIGKILL)
    _, errors = dev.process.communicate(timeout=LIMIT_S)
    assert dev.process.returncode == 1
    assert "weft-agent ended by itself, by signal 9" in errors and 'msg="ready"' in errors
    assert not list(tmp_path.iterdir())


def test_a_port_in_use(tmp_path):
    """A port that somebody has is named, with what to do, and nothing is left."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([BUILD / "weft", "dev", "--port", str(port)], capture_output=True,
                              text=True, timeout=LIMIT_S, check=False,
                              env=os.environ | {"TMPDIR": str(tmp_path)})
    assert done.returncode == 1
    assert f"127.0.0.1:{port}: Address already in use" in done.stderr
    assert "--port" in done.stderr and not list(tmp_path.iterdir())


def test_a_program_that_is_missing(tmp_path):
    """Without the other programs beside it or in PATH it says which one it wants."""
    alone, temp = tmp_path / "bin", tmp_path / "temp"
    alone.mkdir()
    temp.mkdir()
    shutil.copy(BUILD / "weft", alone / "weft")
    done = subprocess.run([alone / "weft", "dev"], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False,
                          env=os.environ | {"TMPDIR": str(temp), "PATH": "/nowhere"})
    assert done.returncode == 1
    assert "cannot run weft-controlplane: No such file" in done.stderr
    assert not list(temp.iterdir())


@pytest.mark.parametrize("words, text", [
    (["--port", "70000"], "at most 65535"),
    (["--dir", "/proc/nowhere"], "cannot make the directory /proc/nowhere"),
    (["--port", "0", "--store", "s3://bucket?wrong=1"], "weft-agent ended by itself"),
    (["--port", "0", "--topic", "not a name"], "the topic: name: want 1 to 249"),
])
def test_what_cannot_be(tmp_path, words, text):
    """An option that cannot be is refused within seconds, with its name."""
    done = subprocess.run([BUILD / "weft", "dev", *words], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False,
                          env=os.environ | {"TMPDIR": str(tmp_path)})
    assert done.returncode != 0 and text in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())
