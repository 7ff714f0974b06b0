"""Members of a group by librdkafka, through confluent-kafka: range, cooperative, consumer."""

import time

from confluent_kafka import Consumer, KafkaException, TopicPartition

from group_common import POLL_S, Positions, main


class Member:
    def __init__(self, options, name):
        self.options = options
        self.positions = Positions(name)
        config = {"bootstrap.servers": options.bootstrap, "group.id": options.group,
                  "client.id": name, "enable.auto.commit": False, "log_level": 0,
                  "auto.offset.reset": "earliest", "fetch.wait.max.ms": 100}
        if options.protocol == "consumer":
            config["group.protocol"] = "consumer"
        else:
            config.update({
                "session.timeout.ms": options.session_ms, "heartbeat.interval.ms": 500,
                "partition.assignment.strategy":
                    {"cooperative": "cooperative-sticky"}.get(options.protocol,
                                                             options.protocol)})
        self.consumer = Consumer(config)

    def on_assign(self, _, partitions):
        self.positions.assigned([p.partition for p in partitions])

    def on_revoke(self, _, partitions):
        found = [p.partition for p in partitions]
        self.commit(found)
        self.positions.gone("revoked", found)

    def on_lost(self, _, partitions):
        self.positions.gone("lost", [p.partition for p in partitions])

    def commit(self, partitions=None):
        offsets = self.positions.committing(partitions)
        if not offsets:
            return
        try:
            results = self.consumer.commit(offsets=[
                TopicPartition(self.options.topic, p, offset)
                for p, offset in offsets.items()], asynchronous=False)
        except KafkaException as error:
            self.positions.commit_failed(offsets, error)
            return
        good = {p.partition: p.offset for p in results if p.error is None}
        bad = {p.partition: p.offset for p in results if p.error is not None}
        if good:
            self.positions.committed(good)
        if bad:
            self.positions.commit_failed(bad, next(p.error for p in results if p.error))

    def run(self, stop):
        self.consumer.subscribe([self.options.topic], on_assign=self.on_assign,
                                on_revoke=self.on_revoke, on_lost=self.on_lost)
        commit_at = 0
        while not stop.is_set():
            found = {}
            for message in self.consumer.consume(2000, POLL_S):
                # What is wrong with a connection or a coordinator mends itself.
                if message.error() is None:
                    found.setdefault(message.partition(), []).append(message.offset())
            self.positions.read(found)
            if time.monotonic() >= commit_at:
                self.commit()
                commit_at = time.monotonic() + self.options.commit_ms / 1000
        self.consumer.close()


if __name__ == "__main__":
    main(Member)
