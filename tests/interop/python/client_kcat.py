"""kcat behind the interop command line; needs only Python's standard library.

kcat reads and prints text, and has one list of headers for all records of a run, so the
tests give it records of that kind.  A key that is null has no key delimiter in front of
the value; with -Z an empty value becomes null.
"""

import json
import re
import subprocess
import sys
import tempfile

from common import Client, Failure, encode, main

KEY_END = "\x1f"
RECORD_END = "\x1e"


class Kcat(Client):
    def command(self, *arguments):
        settings = []
        for name, value in self.options.set:
            settings += ["-X", f"{name}={value}"]
        return ["kcat", "-b", self.options.bootstrap, "-q", *settings, *arguments]

    def produce(self, records):
        command = self.command("-P", "-t", self.options.topic, "-K", KEY_END,
                               "-D", RECORD_END)
        for option, setting in (("codec", "compression.codec"), ("acks", "acks"),
                                ("idempotent", "enable.idempotence"),
                                ("linger_ms", "linger.ms")):
            if getattr(self.options, option) is not None:
                command += ["-X", f"{setting}={getattr(self.options, option)}"]
        partitions = {record["partition"] for record in records}
        headers = {tuple(record["headers"]) for record in records}
        if len(partitions) > 1 or len(headers) > 1:
            raise SystemExit("kcat has one partition and one list of headers a run")
        for partition in partitions - {None}:
            command += ["-p", str(partition)]
        for name, value in headers.pop():
            command += ["-H", f"{name}={value.decode()}"]
        if any(record["value"] is None for record in records):
            command += ["-Z"]
        with tempfile.NamedTemporaryFile() as file:
            for record in records:
                if record["key"] is not None:
                    file.write(record["key"] + KEY_END.encode())
                file.write((record["value"] or b"") + RECORD_END.encode())
            file.flush()
            with open(file.name, "rb") as source:
                done = subprocess.run(command, stdin=source, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise Failure("KCAT", done.stderr.decode(errors="replace"))

    def consume(self):
        start = getattr(self.options, "from") or "beginning"
        command = self.command("-C", "-J", "-t", self.options.topic, "-o", start,
                               "-c", str(self.options.count), "-u",
                               "-X", "auto.offset.reset=error")
        if "," not in self.options.partitions:
            command += ["-p", self.options.partitions]
        with subprocess.Popen(command, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            self.polling()
            try:
                out, err = process.communicate(timeout=self.options.timeout_ms / 1000)
            except subprocess.TimeoutExpired:
                process.kill()
                out, err = process.communicate()
        for line in out.splitlines():
            self.describe(json.loads(line))
        if process.returncode != 0:
            raise Failure("KCAT", err.decode(errors="replace"))

    def describe(self, record):
        headers = record.get("headers") or []

        def data(text):
            return None if text is None else encode(text.encode())
        self.print(topic=record["topic"], partition=record["partition"],
                   offset=record["offset"], timestamp=record["ts"],
                   timestamp_type="LogAppendTime" if record["tstype"] == "logappend"
                   else "CreateTime",
                   key=data(record["key"]), value=data(record["payload"]),
                   headers=[[headers[i], data(headers[i + 1])]
                            for i in range(0, len(headers), 2)])

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failure("KCAT", done.stderr)
        return done.stdout

    def offsets(self):
        for part in self.partitions():
            out = self.run("-Q", "-t",
                           f"{self.options.topic}:{part}:{self.options.timestamp}")
            self.print(partition=part, offset=int(re.search(r"offset (-?\d+)", out)[1]))

    def metadata(self):
        return json.loads(self.run("-L", "-J"))

    def admin_describe(self):
        for topic in self.metadata()["topics"]:
            if topic["topic"] == self.options.topic:
                return {"topic": topic["topic"], "partitions": [
                    {"partition": part["partition"], "leader": part["leader"],
                     "replicas": len(part["replicas"])} for part in topic["partitions"]]}
        raise Failure("UNKNOWN_TOPIC_OR_PARTITION")

    def admin_cluster(self):
        brokers = []
        for node in self.metadata()["brokers"]:
            host, _, port = node["name"].rpartition(":")
            brokers.append({"id": node["id"], "host": host, "port": int(port)})
        return {"controller": self.metadata()["controllerid"], "brokers": brokers}

    def admin_list(self):
        return {"topics": [topic["topic"] for topic in self.metadata()["topics"]]}


if __name__ == "__main__":
    sys.stdin.reconfigure(newline="\n")
    main(Kcat)
