"""The interop clients, as tests call them.

    JAVA.produce(bootstrap, "topic", [{"key": b"k", "value": b"v"}], codec="zstd")
    JAVA.consume(bootstrap, "topic", count=1)

Each is a program of tests/interop with the command line that its README describes;
tests/interop/setup builds them.  A record is a dict with key and value (bytes or None),
and as wanted headers (a list of name and bytes or None), partition and timestamp.
"""

import base64
import json
import pathlib
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "interop"
PYTHON = ROOT / "build" / "venv" / "bin" / "python"
SOURCES = ROOT / "tests" / "interop"
LIMIT_S = 240


def _encode(data):
    return None if data is None else base64.b64encode(data).decode()


def _decode(text):
    return None if text is None else base64.b64decode(text)


def _line(record):
    line = {"key": _encode(record.get("key")), "value": _encode(record.get("value")),
            "headers": [[name, _encode(value)] for name, value in record.get("headers", [])]}
    for name in ("partition", "timestamp"):
        if record.get(name) is not None:
            line[name] = record[name]
    return json.dumps(line) + "\n"


def _words(options):
    words = []
    for name, value in options.items():
        if name in ("set", "config"):
            for key, content in value.items():
                words += ["--" + name, f"{key}={content}"]
        elif value is not None:
            words += ["--" + name.replace("_", "-"), str(value)]
    return words


class ClientError(Exception):
    """A client printed an error, or ended with one; `name` is Kafka's name for it."""

    def __init__(self, name, message):
        super().__init__(f"{name}: {message}")
        self.name = name


class Consumption:
    """A consumer that runs beside the test."""

    def __init__(self, client, words):
        self.client = client
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.polling = threading.Event()
        self.errors = ""
        self.readers = [threading.Thread(target=self._read, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for reader in self.readers:
            reader.start()

    def _read(self):
        for text in self.process.stdout:
            line = json.loads(text)
            if line.get("event") == "polling":
                self.polling.set()
            else:
                self.lines.append(line)
        self.polling.set()

    def _read_errors(self):
        self.errors = self.process.stderr.read()

    def wait_polling(self):
        """Return when the consumer has its position and polls."""
        assert self.polling.wait(LIMIT_S)
        return self

    def records(self):
        """Wait for the end and return the records."""
        try:
            self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for reader in self.readers:
            reader.join(10)
        for line in self.lines:
            if "error" in line:
                raise ClientError(line["error"], line.get("message"))
        if self.process.returncode != 0:
            raise ClientError("INCOMPLETE", f"{self.client} exit {self.process.returncode}, "
                              f"{len(self.lines)} records; {self.errors}")
        return [{**line, "key": _decode(line["key"]), "value": _decode(line["value"]),
                 "headers": [(name, _decode(value)) for name, value in line["headers"]]}
                for line in self.lines]


class Client:
    """One client program and what it can do.

    codecs     the compressions its producer has
    consumer   it can consume
    full       any record: null header values, keys and values that are not text, a
               partition and headers of its own for each record
    admin      operations: all, most (alter replaces everything) or read
    """

    def __init__(self, name, command, codecs, consumer=True, full=True, admin="all",
                 null_headers=True, large=None):
        self.name = name
        self.command = [str(word) for word in command]
        self.codecs = codecs
        self.consumer = consumer
        self.full = full
        self.admin_level = admin
        self.null_headers = null_headers
        self.large = large or {}

    def __repr__(self):
        return self.name

    def run(self, words, text=""):
        """Run a command and return its lines; raises ClientError for the first error."""
        done = subprocess.run(self.command + words, input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        for line in lines:
            if "error" in line:
                raise ClientError(line["error"], line.get("message"))
        if done.returncode != 0:
            raise ClientError("EXIT", f"{self.name} exit {done.returncode}: {done.stderr}")
        return lines

    def produce(self, bootstrap, topic, records, **options):
        """Produce RECORDS; the lines with each one's partition and offset (not kcat)."""
        words = ["produce", "--bootstrap", bootstrap, "--topic", topic, *_words(options)]
        return self.run(words, "".join(_line(record) for record in records))

    def start_consume(self, bootstrap, topic, count, partitions=(0,), **options):
        """Begin to consume COUNT records; from= is an offset, "beginning" or "end"."""
        options.setdefault("timeout_ms", 150_000)
        return Consumption(self.name, self.command + [
            "consume", "--bootstrap", bootstrap, "--topic", topic, "--partitions",
            ",".join(map(str, partitions)), "--count", str(count), *_words(options)])

    def consume(self, bootstrap, topic, count, partitions=(0,), **options):
        return self.start_consume(bootstrap, topic, count, partitions, **options).records()

    def offsets(self, bootstrap, topic, timestamp, partitions=(0,)):
        """The offset of each partition for TIMESTAMP, in order of partitions."""
        lines = self.run(["offsets", "--bootstrap", bootstrap, "--topic", topic,
                          "--partitions", ",".join(map(str, partitions)),
                          "--timestamp", str(timestamp)])
        return [line["offset"] for line in sorted(lines, key=lambda l: l["partition"])]

    def admin(self, bootstrap, operation, **options):
        """An admin operation's answer."""
        return self.run(["admin", operation, "--bootstrap", bootstrap, *_words(options)])[0]


ALL_CODECS = ("none", "gzip", "snappy", "lz4", "zstd")

JAVA = Client("java", ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                       "-cp", f"{BUILD}/java/classes:{BUILD}/java/lib/*", "Client"],
              ALL_CODECS)
FRANZ = Client("franz-go", [BUILD / "go" / "client"], ALL_CODECS,
               large={"batch_max_bytes": 1048588})
KAFKAJS = Client("kafkajs", ["/usr/bin/node", BUILD / "node" / "client.js"],
                 ("none", "gzip", "snappy"), consumer=False, admin="most",
                 null_headers=False)
CONFLUENT = Client("confluent", [PYTHON, SOURCES / "python" / "client_confluent.py"],
                   ALL_CODECS, large={"message.max.bytes": 1048588})
KAFKA_PYTHON = Client("kafka-python", [PYTHON, SOURCES / "python" / "client_kafka_python.py"],
                      ALL_CODECS, null_headers=False)
AIOKAFKA = Client("aiokafka", [PYTHON, SOURCES / "python" / "client_aiokafka.py"],
                  ALL_CODECS, null_headers=False, admin="most")
KCAT = Client("kcat", [PYTHON, SOURCES / "python" / "client_kcat.py"], ALL_CODECS,
              full=False, admin="read", null_headers=False,
              large={"message.max.bytes": 1048588})

ALL = (JAVA, FRANZ, KAFKAJS, CONFLUENT, KAFKA_PYTHON, AIOKAFKA, KCAT)
CONSUMERS = tuple(client for client in ALL if client.consumer)
