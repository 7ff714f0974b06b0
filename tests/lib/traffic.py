"""Clients that go on in the background, so that a cluster has something to tell.

    traffic = Traffic(cluster.bootstrap)
    traffic.produce({"orders": 1, "clicks": 4})
    traffic.consume("billing", ["orders"])
    ...
    traffic.end()

Nothing is verified (workload.py does that); but a client that fails is told by end().
"""

import json
import threading

from confluent_kafka import Consumer, KafkaException, Producer

PAUSE_S = 0.02
LIMIT_S = 60
FILL = "x" * 500


class Traffic:
    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.ending = threading.Event()
        self.threads = []
        self.failures = []

    def _go(self, work, *args):
        def guard():
            try:
                work(*args)
            except KafkaException as error:
                self.failures.append(error)
        self.threads.append(threading.Thread(target=guard))
        self.threads[-1].start()

    def produce(self, topics, client_id="shop"):
        """Records to TOPICS, {name: so many each 20 ms}, over all of their partitions."""
        self._go(self._produce, topics, client_id)

    def _produce(self, topics, client_id):
        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 20,
                             "client.id": client_id})
        number = 0
        while not self.ending.is_set():
            for name, times in topics.items():
                for _ in range(times):
                    number += 1
                    producer.produce(name, json.dumps({"n": number, "fill": FILL}),
                                     key=str(number))
            producer.poll(0)
            self.ending.wait(PAUSE_S)
        producer.flush(LIMIT_S)

    def consume(self, group, topics, pause_s=0.0, client_id=None):
        """Read TOPICS as a member of GROUP and commit; with a pause after each record, slower
        than is produced."""
        self._go(self._consume, group, topics, pause_s, client_id or f"{group}-1")

    def _consume(self, group, topics, pause_s, client_id):
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group,
                             "client.id": client_id, "auto.offset.reset": "earliest",
                             "auto.commit.interval.ms": 500})
        consumer.subscribe(topics)
        while not self.ending.is_set():
            consumer.poll(0.2)
            self.ending.wait(pause_s)
        consumer.close()

    def end(self):
        """No client is there any more, and everything is committed."""
        self.ending.set()
        for thread in self.threads:
            thread.join(LIMIT_S)
            assert not thread.is_alive(), "a client does not end"
        self.threads = []
        assert not self.failures, self.failures
