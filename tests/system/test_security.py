"""What crosses to the control plane is what agent/security.md lists, and no payload.

An agent works behind a proxy that reads all it says to its control plane
(tests/lib/control_proxy.py), while real clients produce, consume in groups of both kinds,
and administer. Each call's members and the length of its rows must be those of the page;
the page's calls must be those that the program has; and nothing of the records may be in
any call, as it is or in base64."""

import base64
import pathlib
import re
import subprocess
import time

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import (AdminClient, ConfigResource, NewPartitions, NewTopic,
                                   OffsetSpec, ResourceType)
from control import BUILD, ControlPlane
from control_proxy import ControlProxy
from ports import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "agent" / "security.md"
LIMIT_S = 60
RECORDS = 200
PLANTED = [b"planted-key-5e8a", b"planted-value-5e8a", b"planted-header-5e8a"]
HEADERS = {"accept", "accept-encoding", "authorization", "content-length", "content-type",
           "expect", "host", "user-agent", "x-request-id", "x-weft-accept",
           "x-weft-encoding"}


# -- the page --

def split(text):
    """The parts of TEXT between commas that are not within brackets."""
    return [part.strip() for part in re.split(r",\s*(?![^\[]*\])", text) if part.strip()]


def names_of_row(text):
    return [name.strip() for name in text.strip("[]").split(",")]


def read_page():
    """{path: (members, {member or "": [rows of names]})} of the page's table."""
    calls = {}
    for line in PAGE.read_text().splitlines():
        match = re.fullmatch(r"\| `(/\S+)` \|(.*)\|", line)
        if not match:
            continue
        members, rows, last = set(), {}, ""
        for part in split(match[2].replace("`: `[", "`, `[")):
            text = part.strip("`")
            if text.startswith("["):
                rows.setdefault(last, []).append(names_of_row(text))
            else:
                members.add(text)
                last = text
        calls[match[1]] = (members, rows)
    return calls


def check_row(path, row, kinds):
    """ROW has the form of one of KINDS."""
    if path == "/agent/v1/groups":
        kinds = [kind for kind in kinds if kind[0] == row[0]]
        assert kinds, f"{path}: the page lacks the operation {row[0]}"
    lengths = set()
    for kind in kinds:
        lengths.add(len(kind))
        if kind[-1].endswith("…"):
            lengths.add(len(kind) - 1)
    assert len(row) in lengths, f"{path}: {row} is not of the page's {kinds}"


def check_call(call, page):
    path = call.path
    assert path in page, f"the page lacks {path}"
    members, rows = page[path]
    assert call.headers.keys() <= HEADERS, f"{path}: headers {call.headers.keys() - HEADERS}"
    if not call.body:
        assert not members, path
        return
    body = call.json()
    if isinstance(body, list):
        for row in body:
            check_row(path, row, rows[""])
        return
    assert set(body) == members, f"{path}: {set(body) ^ members} differ from the page"
    for name, kinds in rows.items():
        for row in body[name]:
            check_row(path, row, kinds)


# -- the session --

@pytest.fixture(scope="module")
def session(tmp_path_factory):
    """The proxy after clients have done everything."""
    directory = tmp_path_factory.mktemp("security")
    store = directory / "store"
    store.mkdir()
    with ControlPlane(directory / "plane") as plane:
        cluster = plane.admin.create_cluster("seen")
        token = plane.admin.create_token(cluster["id"])["token"]
        with ControlProxy(directory, plane, token) as proxy:
            kafka, admin = free_ports(2)
            with open(directory / "agent.log", "wb") as log:
                agent = subprocess.Popen(
                    [BUILD / "weft-agent", f"--control-plane={proxy.url}",
                     f"--ca-fingerprint={proxy.fingerprint}", f"--enrolment-token={token}",
                     f"--store=file://{store}", f"--listen=127.0.0.1:{kafka}",
                     f"--advertise=127.0.0.1:{kafka}", f"--admin-listen=127.0.0.1:{admin}"],
                    stdout=log, stderr=log)
            try:
                await_ready(agent, directory / "agent.log")
                work(f"127.0.0.1:{kafka}")
                await_usage(proxy)
            finally:
                agent.terminate()
                agent.wait(LIMIT_S)
            proxy.store = store
            yield proxy


def await_ready(agent, log):
    until = time.monotonic() + LIMIT_S
    while b'msg="ready"' not in log.read_bytes():
        assert agent.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(0.05)


def await_usage(proxy):
    """It is told every ten seconds."""
    until = time.monotonic() + LIMIT_S
    while "/agent/v1/usage" not in proxy.paths():
        assert time.monotonic() < until
        time.sleep(0.1)


def produce(bootstrap, **config):
    producer = Producer({"bootstrap.servers": bootstrap, **config})
    failed = []
    for i in range(RECORDS):
        producer.produce("seen", PLANTED[1] * (i % 5 + 1), PLANTED[0],
                         headers={PLANTED[2].decode(): PLANTED[2]}, partition=i % 3,
                         on_delivery=lambda error, _: error and failed.append(error))
    assert producer.flush(LIMIT_S) == 0 and not failed


def consume(bootstrap, group, **config):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group,
                         "auto.offset.reset": "earliest", **config})
    consumer.subscribe(["seen"])
    left = RECORDS
    until = time.monotonic() + LIMIT_S
    while left > 0:
        assert time.monotonic() < until
        left -= sum(1 for m in consumer.consume(100, 1) if m.error() is None)
    consumer.commit(asynchronous=False)
    consumer.close()


def work(bootstrap):
    admin = AdminClient({"bootstrap.servers": bootstrap})

    def done(futures):
        for future in futures.values():
            future.result(LIMIT_S)

    done(admin.create_topics([NewTopic("seen", 2, 1, config={"retention.ms": "3600000"})]))
    done(admin.create_partitions([NewPartitions("seen", 3)]))
    done(admin.incremental_alter_configs([resource_change()]))
    produce(bootstrap)
    produce(bootstrap, **{"enable.idempotence": True, "compression.type": "zstd"})
    produce(bootstrap, **{"compression.type": "gzip"})
    consume(bootstrap, "classic")
    consume(bootstrap, "consumer", **{"group.protocol": "consumer"})
    done(admin.list_offsets({TopicPartition("seen", 0): OffsetSpec.max_timestamp()}))
    done(admin.describe_consumer_groups(["classic", "consumer"]))
    admin.list_consumer_groups().result(LIMIT_S)
    done(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("classic")]))
    done(admin.delete_records([TopicPartition("seen", 0, 5)]))
    done(admin.delete_consumer_groups(["classic"]))
    done(admin.create_topics([NewTopic("gone", 1, 1)]))
    done(admin.delete_topics(["gone"]))


def resource_change():
    from confluent_kafka.admin import AlterConfigOpType, ConfigEntry
    entry = ConfigEntry("max.message.bytes", "2000000",
                        incremental_operation=AlterConfigOpType.SET)
    return ConfigResource(ResourceType.TOPIC, "seen", incremental_configs=[entry])


# -- the tests --

def test_calls_are_those_of_the_page(session):
    page = read_page()
    assert len(session.calls) > 20
    for call in session.calls:
        check_call(call, page)
    for path in ("register", "commit", "watch", "metadata", "nodes", "groups", "usage",
                 "producer-ids", "topics/create", "topics/delete", "topics/partitions",
                 "topics/configs", "offsets", "records/delete", "leave"):
        assert f"/agent/v1/{path}" in session.paths(), f"nothing called {path}"
    assert "/api/v1/enrol" in session.paths()


def test_no_byte_of_a_record_crosses(session):
    """Nor does it in base64, at whatever position it begins; and it is in the store."""
    needles = list(PLANTED)
    for secret in PLANTED:
        for shift in range(3):
            whole = base64.b64encode(b"\0" * shift + secret)
            # Only the characters that no neighbour has a part in.
            needles.append(whole[(4 if shift else 0):-4])
    for call in session.calls:
        for needle in needles:
            assert needle not in call.body, f"{call.path} holds {needle}"
            assert needle.decode() not in str(call.headers)
    stored = b"".join(path.read_bytes() for path in session.store.rglob("*")
                      if path.is_file())
    assert PLANTED[1] in stored


def test_the_token_leaves_once(session):
    """The enrolment token is in the enrolment's head alone."""
    for call in session.calls:
        assert b"weft_enrol_" not in call.body
        assert ("authorization" in call.headers) == (call.path == "/api/v1/enrol")


def test_the_page_has_every_call_of_the_program():
    table = (ROOT / "controlplane" / "route.c").read_text()
    paths = set(re.findall(r'"(/agent/v1/[^"]+)"', table))
    listed = {path for path in read_page() if path.startswith("/agent/")}
    assert paths == listed, paths ^ listed
