"""A cluster with everything in it that is measured: a cell of three nodes, two agents in two
zones, topics, a producer, consumers of a group that keep up and of one that falls behind.

    with BusyCluster(directory) as busy:
        busy.scrape("agent-1")
"""

import json
import pathlib
import threading
import time
import urllib.request

from confluent_kafka import Consumer, KafkaException, Producer

from cell_cluster import CellCluster
from exposition import parse

RELEASE = pathlib.Path(__file__).resolve().parents[2] / "build" / "release"
PARTITIONS = 2
TOPICS = ("orders", "payments")


class BusyCluster(CellCluster):
    def __init__(self, directory, agent_set=None, **options):
        super().__init__(directory, build=RELEASE, control_planes=3, agents=2, agent_set={
            # A directory bills nothing: as if it were a bucket.
            "store-provider": "aws", "store-region": "eu-west-1",
            "flush-interval": "50ms", **(agent_set or {})}, **options)
        self.ending = threading.Event()
        self.threads = []
        self.failures = []

    def up(self):
        super().up()
        leader = self.leader()
        for topic in TOPICS:
            self.post(leader, f"/api/v1/clusters/{self.cluster_id()}/topics",
                      {"name": topic, "partitions": PARTITIONS})
        for work in (self._produce, lambda: self._consume("readers", 0),
                     lambda: self._consume("laggards", 0.2)):
            self.threads.append(threading.Thread(target=self._guard, args=(work,)))
            self.threads[-1].start()
        return self

    def end_load(self):
        """No client is there any more, and everything is committed."""
        self.ending.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        self.threads = []

    def __exit__(self, *failure):
        self.end_load()
        super().__exit__(*failure)
        assert not self.failures, self.failures

    def _guard(self, work):
        try:
            work()
        except KafkaException as error:
            self.failures.append(error)

    def _produce(self):
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 20})
        n = 0
        while not self.ending.is_set():
            for topic in TOPICS:
                producer.produce(topic, b"v" * 500, partition=n % PARTITIONS)
            n += 1
            producer.poll(0)
            time.sleep(0.01)
        producer.flush(20)

    def _consume(self, group, pause_s):
        """Read and commit; with a pause, slower than is produced."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group,
                             "auto.offset.reset": "earliest",
                             "auto.commit.interval.ms": 500,
                             # One agent answers for all: of what the other wrote it
                             # has to ask the store.
                             "client.id": f"{group},zone=zone-2"})
        consumer.subscribe(list(TOPICS))
        while not self.ending.is_set():
            consumer.poll(0.2)
            time.sleep(pause_s)
        consumer.close()

    def agent_address(self, name):
        """HOST:PORT of an agent's /metrics."""
        return self.processes()[name]["ready_url"].split("/")[2]

    def text(self, name):
        """What NAME shows under /metrics."""
        if name in self.node_names:
            status, text = self.get(name, "/metrics", limit_s=20)
            assert status == 200
            return text
        url = f"http://{self.agent_address(name)}/metrics"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()

    def scrape(self, name):
        return parse(self.text(name))

    def jobs(self):
        """For Prometheus."""
        return [{"job": "weft-agent", "targets": [self.agent_address(f"agent-{i + 1}")
                                                  for i in range(self.agents)]},
                {"job": "weft-controlplane", "ca_file": self.ca_file,
                 "targets": [self.url(name).removeprefix("https://")
                             for name in self.node_names]}]

    def overview(self):
        path = f"/api/v1/clusters/{self.cluster_id()}/overview"
        status, text = self.get(self.leader(), path, self.admin_token)
        assert status == 200, text
        return json.loads(text)
