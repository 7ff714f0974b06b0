"""What the Python interop clients share: the command line and the JSON lines.

tests/interop/README.md describes both.  A client is a class with some of the methods
produce(records), consume(), offsets() and admin(command); main() calls the right one.
"""

import argparse
import base64
import json
import sys


def decode(text):
    """The bytes that a JSON field stands for; None for null."""
    return None if text is None else base64.b64decode(text)


def encode(data):
    """The JSON field for DATA, which may be None."""
    return None if data is None else base64.b64encode(bytes(data)).decode()


class Failure(Exception):
    """Something the server or the client library refused, by Kafka's name for it."""

    def __init__(self, name, message=""):
        super().__init__(name, message)
        self.name = name
        self.message = message


class Client:
    """Options, output and exit status of one run; a library's client derives from it."""

    def __init__(self, options):
        self.options = options
        self.failed = False

    def partitions(self):
        return [int(part) for part in self.options.partitions.split(",")]

    def settings(self):
        """What --set gives, numbers and truth values as such."""
        return {name: _typed(value) for name, value in self.options.set}

    def print(self, **line):
        sys.stdout.write(json.dumps(line) + "\n")

    def polling(self):
        """Tell the test that records sent from now on are waited for."""
        self.print(event="polling")
        sys.stdout.flush()

    def sent(self, index, partition, offset, timestamp=None):
        self.print(index=index, partition=partition, offset=offset, timestamp=timestamp)

    def error(self, failure, **more):
        self.failed = True
        self.print(error=failure.name, message=str(failure.message), **more)


def _typed(value):
    if value in ("true", "false"):
        return value == "true"
    try:
        return int(value)
    except ValueError:
        return value


def _pair(text):
    name, _, value = text.partition("=")
    return name, value


def _parser():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("produce", "consume", "offsets", "admin"):
        command = commands.add_parser(name)
        if name == "admin":
            command.add_argument("operation")
        command.add_argument("--bootstrap", required=True)
        command.add_argument("--topic")
        command.add_argument("--set", type=_pair, action="append", default=[])
        command.add_argument("--config", type=_pair, action="append", default=[])
        for option in ("codec", "acks", "idempotent", "linger-ms", "in-flight", "batch",
                       "partitions", "from", "timestamp", "replication", "delete",
                       "broker"):
            command.add_argument("--" + option, dest=option.replace("-", "_"))
        command.add_argument("--count", type=int, default=1)
        command.add_argument("--timeout-ms", type=int, default=60_000)
    return parser


def read_records():
    """The records to produce, from standard input."""
    for line in sys.stdin:
        record = json.loads(line)
        yield {
            "key": decode(record.get("key")),
            "value": decode(record.get("value")),
            "headers": [(name, decode(value)) for name, value in record.get("headers", [])],
            "partition": record.get("partition"),
            "timestamp": record.get("timestamp"),
        }


def run_admin(client):
    """Call the method of the operation; one without a result prints ok."""
    operation = client.options.operation
    result = getattr(client, "admin_" + operation)()
    client.print(**(result if isinstance(result, dict) else {"ok": True}))


def main(make):
    """Run the client that MAKE gives for the options of the command line."""
    options = _parser().parse_args()
    client = make(options)
    try:
        if options.command == "produce":
            client.produce(list(read_records()))
        elif options.command == "consume":
            client.consume()
        elif options.command == "offsets":
            client.offsets()
        else:
            run_admin(client)
    except Failure as failure:
        client.error(failure)
    sys.stdout.flush()
    sys.exit(1 if client.failed else 0)
