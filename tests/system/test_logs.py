"""Logs of both programs as JSON: every line is an object, and from one Kafka request an id
leads through the agent to the control plane.

A produce and a CreateTopics of a client with a name of its own are looked for in the
agent's log; the request id that stands there is that of the control plane's line about the
very call. What clients choose may be anything: their ids come with quotes, line ends and
bytes that are no UTF-8, and no line breaks."""

import http.client
import json
import re
import socket
import struct
import time

import pytest
from cluster import Cluster
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

LIMIT_S = 30
SECRET_KEY = b"planted-key-7d1f"
SECRET_VALUE = b"planted-value-7d1f"
HOSTILE_IDS = [b'a"b\\c', b"line\nend\r", b"\xff\xfe\x00\x01", "é日本".encode(), b"{\"x\":1}"]


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """One agent and one control plane that log everything, as JSON."""
    both = {"log-format": "json", "log-level": "debug"}
    with Cluster(tmp_path_factory.mktemp("traced"), agents=1, agent_set=both,
                 control_plane_set=both) as cluster:
        yield cluster


def lines(cluster, name):
    """The log of NAME; each line must be an object with the four fields of all."""
    found = []
    for text in cluster.logs(name).splitlines():
        line = json.loads(text)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]), text
        assert line["level"] in ("debug", "info", "warn", "error"), text
        assert line["module"] and line["msg"], text
        found.append(line)
    return found


def await_line(cluster, name, **fields):
    """The line of NAME's log with these FIELDS, once it is there."""
    until = time.monotonic() + LIMIT_S
    while True:
        for line in lines(cluster, name):
            if all(line.get(key) == value for key, value in fields.items()):
                return line
        assert time.monotonic() < until, f"{name} has no line with {fields}"
        time.sleep(0.1)


def produce(bootstrap, client_id, topic):
    producer = Producer({"bootstrap.servers": bootstrap, "client.id": client_id})
    failed = []
    producer.produce(topic, SECRET_VALUE, SECRET_KEY, headers={"h": SECRET_VALUE},
                     on_delivery=lambda error, _: error and failed.append(error))
    assert producer.flush(LIMIT_S) == 0 and not failed


def test_a_request_is_followed_by_its_id(traced):
    client = AdminClient({"bootstrap.servers": traced.bootstrap, "client.id": "trace-admin"})
    client.create_topics([NewTopic("followed", 1, 1)])["followed"].result(LIMIT_S)
    produce(traced.bootstrap, "trace-producer", "followed")

    created = await_line(traced, "agent-1", module="request", api="CreateTopics",
                         client="trace-admin")
    produced = await_line(traced, "agent-1", module="request", api="Produce",
                          client="trace-producer")
    assert created["request"] != produced["request"]
    for request, path in ((created, "/agent/v1/topics/create"),
                          (produced, "/agent/v1/commit")):
        assert request["correlation"] >= 0 and request["ms"] >= 0
        call = await_line(traced, "agent-1", module="ctl", request=request["request"])
        assert call["path"] == path
        seen = await_line(traced, "controlplane-1", module="http",
                          request=request["request"])
        assert seen["path"] == path and seen["status"] == 200 and seen["cluster"] != "-"


def test_no_payload_and_no_token_is_logged(traced):
    produce(traced.bootstrap, "quiet", "unseen")
    await_line(traced, "agent-1", module="request", api="Produce", client="quiet")
    for name in ("agent-1", "controlplane-1"):
        text = traced.logs(name)
        for secret in (SECRET_KEY.decode(), SECRET_VALUE.decode(), traced.admin_token,
                       "weft_enrol_", "weft_api_", "PRIVATE KEY"):
            assert secret not in text, f"{secret} is in the log of {name}"


def ask_versions(address, client_id, correlation):
    """ApiVersions 0 with a client id of any bytes."""
    host, port = address.rsplit(":", 1)
    head = struct.pack(">hhih", 18, 0, correlation, len(client_id)) + client_id
    with socket.create_connection((host, int(port)), LIMIT_S) as sock:
        sock.sendall(struct.pack(">i", len(head)) + head)
        size, answered = struct.unpack(">ii", sock.recv(8, socket.MSG_WAITALL))
        assert size > 0 and answered == correlation


def test_any_client_id_leaves_one_line(traced):
    for i, client_id in enumerate(HOSTILE_IDS):
        ask_versions(traced.bootstraps[0], client_id, 4000 + i)
    for i, client_id in enumerate(HOSTILE_IDS):
        line = await_line(traced, "agent-1", module="request", correlation=4000 + i)
        shown = client_id.split(b"\0")[0].decode(errors="replace")
        assert line["client"] == shown


def agent_http(cluster):
    """The agent's HTTP listener: host and port."""
    options = await_line(cluster, "agent-1", msg="starting")
    return options["admin-listen"].rsplit(":", 1)


def test_the_last_lines_are_shown_to_who_may_see_them(traced):
    """The agent's to this machine, the control plane's to operators."""
    host, port = agent_http(traced)
    connection = http.client.HTTPConnection(host, int(port), timeout=LIMIT_S)
    connection.request("GET", "/logs")
    answer = connection.getresponse()
    shown = [json.loads(line) for line in answer.read().decode().splitlines()]
    assert answer.status == 200 and any(line["msg"] == "ready" for line in shown)
