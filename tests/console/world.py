"""A cluster with life in it: what the console's pages are looked at with.

Three agents in three zones, topics with settings, a producer that goes on, a group that
keeps up, one that lags, one that nobody is in any more, tokens of each role.
"""

import json
import threading

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from cell import wait_until
from cluster import Cluster
from control import Admin

LIMIT_S = 60
TOPICS = {"orders": 12, "payments": 6, "clicks": 24, "inventory.changes": 3}


class World:
    """Begin and end it as a context."""

    def __init__(self, directory):
        # As if somebody billed for the store, so that costs are told.
        self.cluster = Cluster(directory, agents=3, agent_set={
            "flush-interval": "50ms", "store-provider": "aws", "store-region": "us-east-1"})
        self.stop = threading.Event()
        self.threads = []

    def __enter__(self):
        self.cluster.up()
        self.url = self.cluster.control_plane
        self.admin = Admin(self.url, self.cluster.ca_file, self.cluster.admin_token)
        self.operator = self.cluster.admin_token
        self.id = self.admin.call("GET", "/api/v1/clusters")["items"][0]["id"]
        self.path = f"/clusters/{self.id}"
        self.admin_token = self.token("admin")
        self.viewer = self.token("viewer")
        self._make_topics()
        for work in (self._produce, lambda: self._consume("billing", "orders", 0),
                     lambda: self._consume("reporting", "clicks", 0.02)):
            self.threads.append(threading.Thread(target=work))
            self.threads[-1].start()
        self._leave_a_group()
        wait_until(lambda: all(self.group(g)["state"] == "Stable" for g in ("billing", "reporting")),
                   "groups that are stable", LIMIT_S)
        return self

    def token(self, role, **more):
        """The text of a new token of ROLE."""
        body = {"name": f"{role} of the tests", "role": role, **more}
        if role != "operator":
            body["cluster_id"] = self.id
        return self.admin.call("POST", "/api/v1/tokens", body)["token"]

    def group(self, name):
        """What the API says of a group; {"state": "none"} when it says nothing."""
        items = self.admin.call("GET", f"/api/v1/clusters/{self.id}/groups?q={name}")["items"]
        return items[0] if items else {"state": "none"}

    def _make_topics(self):
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap})
        new = [NewTopic(name, partitions, 1, config={"retention.ms": "86400000"}
                        if name == "orders" else {}) for name, partitions in TOPICS.items()]
        for done in admin.create_topics(new).values():
            done.result(LIMIT_S)

    def _produce(self):
        producer = Producer({"bootstrap.servers": self.cluster.bootstrap, "linger.ms": 20,
                             "client.id": "shop"})
        number = 0
        while not self.stop.is_set():
            for name in TOPICS:
                for _ in range(4 if name == "clicks" else 1):
                    number += 1
                    producer.produce(name, json.dumps({"n": number, "fill": "x" * 400}),
                                     key=str(number))
            producer.poll(0)
            self.stop.wait(0.02)
        producer.flush(10)

    def _consume(self, group, topic, pause_s):
        consumer = Consumer({"bootstrap.servers": self.cluster.bootstrap, "group.id": group,
                             "client.id": f"{group}-1", "auto.offset.reset": "earliest",
                             "auto.commit.interval.ms": 500})
        consumer.subscribe([topic])
        while not self.stop.is_set():
            consumer.poll(0.2)
            self.stop.wait(pause_s)
        consumer.close()

    def _leave_a_group(self):
        self.admin.call("POST", f"/api/v1/clusters/{self.id}/groups/nightly-export/reset-offsets",
                        {"to": "earliest", "topics": ["payments"], "dry_run": False})

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join(LIMIT_S)
        self.admin.close()
        self.cluster.down()
