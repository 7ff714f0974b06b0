"""aiokafka behind the interop command line."""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from common import Client, Failure, encode, main


def failure(error):
    """The Failure for an exception of the library."""
    name = getattr(error, "message", None) or type(error).__name__
    return Failure({"INVALID_TOPIC": "INVALID_TOPIC_EXCEPTION"}.get(name, name), repr(error))


def check(code):
    if code:
        raise failure(for_code(code)())


class AioKafka(Client):
    def config(self):
        return {"bootstrap_servers": self.options.bootstrap, **self.settings()}

    def produce(self, records):
        asyncio.run(self.produce_async(records))

    async def produce_async(self, records):
        config = self.config()
        if self.options.codec:
            config["compression_type"] = (None if self.options.codec == "none"
                                          else self.options.codec)
        if self.options.acks is not None:
            config["acks"] = {"0": 0, "1": 1}.get(self.options.acks, "all")
        if self.options.idempotent is not None:
            config["enable_idempotence"] = self.options.idempotent == "true"
        if self.options.linger_ms is not None:
            config["linger_ms"] = int(self.options.linger_ms)
        producer = AIOKafkaProducer(**config)
        await producer.start()
        futures = []
        for record in records:
            futures.append(await producer.send(
                self.options.topic, value=record["value"], key=record["key"],
                headers=record["headers"], partition=record["partition"],
                timestamp_ms=record["timestamp"]))
        results = await asyncio.gather(*futures, return_exceptions=True)
        for index, done in enumerate(results):
            if isinstance(done, KafkaError):
                self.error(failure(done), index=index)
            elif done is None:
                self.sent(index, records[index]["partition"], -1)
            else:
                self.sent(index, done.partition, done.offset, done.timestamp)
        await producer.stop()

    def consume(self):
        asyncio.run(self.consume_async())

    async def consume_async(self):
        partitions = [TopicPartition(self.options.topic, part)
                      for part in self.partitions()]
        config = {"auto_offset_reset": "none", **self.config()}
        consumer = AIOKafkaConsumer(group_id=None, enable_auto_commit=False, **config)
        await consumer.start()
        left = self.options.count
        deadline = time.monotonic() + self.options.timeout_ms / 1000
        try:
            consumer.assign(partitions)
            start = getattr(self.options, "from")
            if start in (None, "beginning"):
                await consumer.seek_to_beginning(*partitions)
            elif start == "end":
                await consumer.seek_to_end(*partitions)
            else:
                for part in partitions:
                    consumer.seek(part, int(start))
            self.polling()
            while left > 0 and time.monotonic() < deadline:
                for found in (await consumer.getmany(timeout_ms=500)).values():
                    for record in found:
                        self.describe(record)
                        left -= 1
        except KafkaError as exception:
            self.error(failure(exception))
        self.failed = self.failed or left > 0
        await consumer.stop()

    def describe(self, record):
        self.print(topic=record.topic, partition=record.partition, offset=record.offset,
                   timestamp=record.timestamp,
                   timestamp_type="LogAppendTime" if record.timestamp_type == 1
                   else "CreateTime",
                   key=encode(record.key), value=encode(record.value),
                   headers=[[name, encode(value)] for name, value in record.headers])

    def offsets(self):
        asyncio.run(self.offsets_async())

    async def offsets_async(self):
        partitions = [TopicPartition(self.options.topic, part)
                      for part in self.partitions()]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.options.bootstrap)
        await consumer.start()
        timestamp = int(self.options.timestamp)
        try:
            if timestamp == -1:
                found = await consumer.end_offsets(partitions)
            elif timestamp == -2:
                found = await consumer.beginning_offsets(partitions)
            else:
                found = await consumer.offsets_for_times(
                    {part: timestamp for part in partitions})
            for part, answer in sorted(found.items()):
                offset = answer if isinstance(answer, int) else (
                    answer.offset if answer else -1)
                self.print(partition=part.partition, offset=offset,
                           timestamp=getattr(answer, "timestamp", None))
        except KafkaError as exception:
            self.error(failure(exception))
        finally:
            await consumer.stop()

    def call(self, method, *arguments, **named):
        """Call an admin method and return its result."""
        async def run():
            admin = AIOKafkaAdminClient(bootstrap_servers=self.options.bootstrap)
            await admin.start()
            try:
                return await getattr(admin, method)(*arguments, **named)
            finally:
                await admin.close()
        try:
            return asyncio.run(run())
        except KafkaError as exception:
            raise failure(exception) from exception

    def admin_create(self):
        # It does not know the server's default replication, -1.
        topic = NewTopic(self.options.topic, int(self.options.partitions or 1),
                         int(self.options.replication or 1),
                         topic_configs=dict(self.options.config))
        for _, code, *_ in self.call("create_topics", [topic]).topic_errors:
            check(code)

    def admin_delete(self):
        for _, code in self.call("delete_topics", [self.options.topic]).topic_error_codes:
            check(code)

    def admin_partitions(self):
        answer = self.call("create_partitions",
                           {self.options.topic: NewPartitions(self.options.count)})
        for _, code, _ in answer.topic_errors:
            check(code)

    def resource(self, configs=None):
        return ConfigResource(ConfigResourceType.TOPIC, self.options.topic, configs)

    def admin_configs(self):
        answer = self.call("describe_configs", [self.resource()])[0].resources[0]
        check(answer[0])
        return {"configs": {entry[0]: {"value": entry[1]} for entry in answer[4]}}

    def admin_alter(self):
        """AlterConfigs only, which replaces all that was set."""
        answers = self.call("alter_configs", [self.resource(dict(self.options.config))])
        for answer in answers:
            for code, *_ in answer.resources:
                check(code)

    def admin_describe(self):
        topic = self.call("describe_topics", [self.options.topic])[0]
        check(topic["error_code"])
        return {"topic": topic["topic"],
                "partitions": [{"partition": part["partition"], "leader": part["leader"],
                                "replicas": len(part["replicas"])}
                               for part in sorted(topic["partitions"],
                                                  key=lambda p: p["partition"])]}

    def admin_cluster(self):
        found = self.call("describe_cluster")
        return {"cluster": found["cluster_id"], "controller": found["controller_id"],
                "brokers": [{"id": node["node_id"], "host": node["host"],
                             "port": node["port"]} for node in found["brokers"]]}

    def admin_list(self):
        return {"topics": self.call("list_topics")}


if __name__ == "__main__":
    main(AioKafka)
