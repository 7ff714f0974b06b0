"""A whole cluster over a real S3 server, and `weft object` looking into what it wrote.

radosgw verifies every signature. The records are compared byte by byte after all agents
were killed, and once more as the command line reads them out of the bucket, without any
agent or control plane."""

import json
import os
import pathlib
import re
import subprocess

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from radosgw import Radosgw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release"))
BUCKET = "weft-cluster"
RECORDS = [(f"key-{i}".encode(), f"value {i} ".encode() * (i % 50 + 1)) for i in range(3000)]


@pytest.fixture(scope="module")
def radosgw(tmp_path_factory):
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as server:
        server.make_bucket(BUCKET)
        yield server


def produce(bootstrap, topic, codec="none"):
    failed = []
    producer = Producer({"bootstrap.servers": bootstrap, "compression.type": codec})
    for key, value in RECORDS:
        producer.produce(topic, value, key, partition=0,
                         on_delivery=lambda error, _: error and failed.append(error))
        producer.poll(0)
    assert producer.flush(60) == 0
    assert not failed


def consume(bootstrap, topic):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "unused",
                         "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = []
    while len(found) < len(RECORDS):
        messages = consumer.consume(1000, 30)
        assert messages, f"nothing after {len(found)} records"
        for message in messages:
            assert message.error() is None
            found.append((message.key(), message.value()))
    consumer.close()
    return found


def weft(*words, env=None):
    return subprocess.run([BUILD / "weft", *words], capture_output=True, text=True,
                          env={**os.environ, **(env or {})}, timeout=60, check=False)


def objects_below(client, prefix):
    _, _, body = client.request("GET", f"/{BUCKET}",
                                query=[("list-type", "2"), ("prefix", prefix)])
    return re.findall(r"<Key>([^<]+)</Key>", body.decode())


# What was acknowledged is in the bucket: it outlives every agent.
def test_cluster_on_s3(radosgw, new_cluster, new_name, monkeypatch):
    for name, value in radosgw.environment().items():
        monkeypatch.setenv(name, value)
    cluster = new_cluster(agents=2, store=radosgw.url(BUCKET, "data"))
    topic = new_name()
    produce(cluster.bootstrap, topic, "zstd")
    assert consume(cluster.bootstrap, topic) == RECORDS
    for name in ("agent-1", "agent-2"):
        cluster.kill(name)
    for name in ("agent-1", "agent-2"):
        cluster.start(name)
    assert consume(cluster.bootstrap, topic) == RECORDS
    url = radosgw.url(BUCKET, "data")
    base, query = url.split("?", 1)
    keys = set(objects_below(radosgw.client(), "data/"))
    keys.remove("data/agent-check")    # what agents try the store with; else records alone
    assert keys
    values = []
    for key in sorted(keys):
        where = f"{base.rsplit('/data', 1)[0]}/{key}?{query}"
        done = weft("object", "verify", where)
        assert done.returncode == 0, done.stderr
        done = weft("object", "cat", where, "--topic", topic)
        values += [json.loads(line)["value"].encode() for line in done.stdout.splitlines()]
    assert sorted(values) == sorted(value for _, value in RECORDS)


# ls, verify and cat on a file; damage and nonsense are told from each other, in words.
def test_object_command(new_cluster, new_name, tmp_path):
    cluster = new_cluster(agents=1, store=f"file://{tmp_path}")
    topic = new_name()
    produce(cluster.bootstrap, topic)
    files = [p for p in tmp_path.rglob("*") if p.is_file() and "/o/" in str(p)]
    assert files
    done = weft("object", "ls", str(files[0]))
    assert done.returncode == 0 and topic in done.stdout
    assert weft("object", "verify", f"file://{files[0]}").stdout.startswith("ok: ")
    damaged = tmp_path / "damaged"
    data = bytearray(files[0].read_bytes())
    data[100] ^= 1
    damaged.write_bytes(data)
    done = weft("object", "verify", str(damaged))
    assert done.returncode == 1 and "checksum" in done.stderr
    damaged.write_bytes(data[:-1])
    done = weft("object", "ls", str(damaged))
    assert done.returncode == 1 and "cut off" in done.stderr
    done = weft("object", "ls", "/etc/passwd")
    assert done.returncode == 1 and "not a" in done.stderr
    assert weft("object", "ls", "/no/such/file").returncode == 1
    assert weft("object", "frobnicate", str(files[0])).returncode == 2
    assert weft("object", "cat", str(files[0]), "--partition", "x").returncode == 2
