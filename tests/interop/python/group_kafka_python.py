"""Members of a group by kafka-python."""

import threading
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

from group_common import POLL_S, Positions, main


class Member(ConsumerRebalanceListener):
    def __init__(self, options, name):
        self.options = options
        self.positions = Positions(name)
        self.lock = threading.Lock()
        self.owned = set()
        self.consumer = KafkaConsumer(
            bootstrap_servers=options.bootstrap.split(","), group_id=options.group,
            client_id=name, enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=options.session_ms, heartbeat_interval_ms=500,
            fetch_max_wait_ms=100)

    # The listener is called in a thread of the library's, where nothing may block: what was
    # not committed when a partition goes is read again by the next one.

    def on_partitions_assigned(self, assigned):
        # Not by generation_if_stable(), which says nothing before this has returned.
        generation = self.consumer._coordinator._generation
        with self.lock:
            self.owned.update(p.partition for p in assigned)
            self.positions.assigned([p.partition for p in assigned],
                                    generation=generation.generation_id)

    def on_partitions_revoked(self, revoked, event="revoked"):
        with self.lock:
            self.owned.difference_update(p.partition for p in revoked)
            self.positions.gone(event, [p.partition for p in revoked])

    def on_partitions_lost(self, lost):
        self.on_partitions_revoked(lost, "lost")

    def commit(self):
        with self.lock:
            offsets = self.positions.committing()
        if not offsets:
            return
        try:
            self.consumer.commit({TopicPartition(self.options.topic, p):
                                  OffsetAndMetadata(offset, "", -1)
                                  for p, offset in offsets.items()})
        except KafkaError as error:
            self.positions.commit_failed(offsets, error)
            return
        with self.lock:
            self.positions.committed({p: offset for p, offset in offsets.items()
                                      if p in self.owned})

    def run(self, stop):
        self.consumer.subscribe([self.options.topic], listener=self)
        commit_at = 0
        while not stop.is_set():
            polled = self.consumer.poll(timeout_ms=int(POLL_S * 1000), max_records=5000)
            with self.lock:
                self.positions.read({part.partition: [r.offset for r in records]
                                     for part, records in polled.items()}, self.owned)
            if time.monotonic() >= commit_at:
                self.commit()
                commit_at = time.monotonic() + self.options.commit_ms / 1000
        self.commit()
        self.consumer.close(autocommit=False)


if __name__ == "__main__":
    main(Member)
