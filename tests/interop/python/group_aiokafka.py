"""Members of a group by aiokafka, each with an event loop of its own."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from group_common import POLL_S, Positions, main


class Member(ConsumerRebalanceListener):
    def __init__(self, options, name):
        self.options = options
        self.name = name
        self.positions = Positions(name)
        self.consumer = None

    async def on_partitions_assigned(self, assigned):
        self.positions.assigned([p.partition for p in assigned],
                                generation=self.consumer._coordinator.generation)

    async def on_partitions_revoked(self, revoked):
        found = [p.partition for p in revoked]
        await self.commit(found)
        if found:
            self.positions.gone("revoked", found)

    async def commit(self, partitions=None):
        offsets = self.positions.committing(partitions)
        if not offsets:
            return
        try:
            await self.consumer.commit({TopicPartition(self.options.topic, p): offset
                                        for p, offset in offsets.items()})
        except KafkaError as error:
            self.positions.commit_failed(offsets, error)
            return
        self.positions.committed(offsets)

    async def work(self, stop):
        self.consumer = AIOKafkaConsumer(
            bootstrap_servers=self.options.bootstrap, group_id=self.options.group,
            client_id=self.name, enable_auto_commit=False, auto_offset_reset="earliest",
            session_timeout_ms=self.options.session_ms, heartbeat_interval_ms=500,
            rebalance_timeout_ms=20_000, fetch_max_wait_ms=100,
            partition_assignment_strategy=(RangePartitionAssignor,))
        self.consumer.subscribe([self.options.topic], listener=self)
        await self.consumer.start()
        commit_at = 0
        while not stop.is_set():
            polled = await self.consumer.getmany(timeout_ms=int(POLL_S * 1000))
            self.positions.read({part.partition: [r.offset for r in records]
                                 for part, records in polled.items() if records})
            if time.monotonic() >= commit_at:
                await self.commit()
                commit_at = time.monotonic() + self.options.commit_ms / 1000
        await self.commit()
        had = [p.partition for p in self.consumer.assignment()]
        # It does not call the listener when it stops.
        self.positions.gone("revoked", had)
        await self.consumer.stop()

    def run(self, stop):
        asyncio.run(self.work(stop))


if __name__ == "__main__":
    main(Member)
