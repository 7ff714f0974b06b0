"""librdkafka, through confluent-kafka, behind the interop command line."""

import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, TIMESTAMP_LOG_APPEND_TIME
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry,
                                   ConfigResource, NewPartitions, NewTopic, OffsetSpec,
                                   ResourceType)

from common import Client, Failure, encode, main


# Where librdkafka's names differ from Kafka's.
NAMES = {"TOPIC_EXCEPTION": "INVALID_TOPIC_EXCEPTION",
         "UNKNOWN_TOPIC_OR_PART": "UNKNOWN_TOPIC_OR_PARTITION"}


def failure(error):
    """The Failure for a KafkaError or KafkaException."""
    if isinstance(error, KafkaException):
        error = error.args[0]
    return Failure(NAMES.get(error.name(), error.name()), error.str())


class Confluent(Client):
    admin = None

    def config(self):
        return {"bootstrap.servers": self.options.bootstrap, **self.settings()}

    def produce(self, records):
        config = self.config()
        for option, name in (("codec", "compression.type"), ("acks", "acks"),
                             ("idempotent", "enable.idempotence"),
                             ("linger_ms", "linger.ms"),
                             ("in_flight", "max.in.flight.requests.per.connection")):
            if getattr(self.options, option) is not None:
                config[name] = getattr(self.options, option)
        producer = Producer(config)
        results = [None] * len(records)

        def delivered(index):
            def callback(error, message):
                results[index] = (error, message)
            return callback

        for index, record in enumerate(records):
            more = {}
            if record["partition"] is not None:
                more["partition"] = record["partition"]
            if record["timestamp"] is not None:
                more["timestamp"] = record["timestamp"]
            while True:
                try:
                    producer.produce(self.options.topic, value=record["value"],
                                     key=record["key"], headers=record["headers"] or None,
                                     on_delivery=delivered(index), **more)
                    break
                except BufferError:
                    producer.poll(0.1)
        producer.flush()
        for index, (error, message) in enumerate(results):
            if error:
                self.error(failure(error), index=index)
            else:
                self.sent(index, message.partition(), message.offset(),
                          message.timestamp()[1])

    def consume(self):
        # A group id must be set, but nothing is ever committed or joined.
        consumer = Consumer({"auto.offset.reset": "error", **self.config(),
                             "group.id": "none", "enable.auto.commit": False})
        start = {"beginning": OFFSET_BEGINNING, "end": OFFSET_END,
                 None: OFFSET_BEGINNING}.get(getattr(self.options, "from"))
        if start is None:
            start = int(getattr(self.options, "from"))
        consumer.assign([TopicPartition(self.options.topic, part, start)
                         for part in self.partitions()])
        self.polling()
        left = self.options.count
        deadline = time.monotonic() + self.options.timeout_ms / 1000
        while left > 0 and time.monotonic() < deadline:
            for message in consumer.consume(500, 0.5):
                if message.error():
                    self.error(failure(message.error()))
                    return consumer.close()
                self.describe(message)
                left -= 1
        self.failed = self.failed or left > 0
        return consumer.close()

    def describe(self, message):
        kind, timestamp = message.timestamp()
        self.print(topic=message.topic(), partition=message.partition(),
                   offset=message.offset(), timestamp=timestamp,
                   timestamp_type="LogAppendTime" if kind == TIMESTAMP_LOG_APPEND_TIME
                   else "CreateTime",
                   key=encode(message.key()), value=encode(message.value()),
                   headers=[[name, encode(value)]
                            for name, value in message.headers() or []])

    def admin_client(self):
        """The one admin client; what it began fails when it is collected."""
        if self.admin is None:
            self.admin = AdminClient({"bootstrap.servers": self.options.bootstrap})
        return self.admin

    @staticmethod
    def wait(futures):
        try:
            return [future.result() for future in futures.values()]
        except KafkaException as exception:
            raise failure(exception) from exception

    def offsets(self):
        timestamp = int(self.options.timestamp)
        spec = {-1: OffsetSpec.latest, -2: OffsetSpec.earliest,
                -3: OffsetSpec.max_timestamp}.get(
                    timestamp, lambda: OffsetSpec.for_timestamp(timestamp))()
        futures = self.admin_client().list_offsets(
            {TopicPartition(self.options.topic, part): spec for part in self.partitions()})
        for part, future in futures.items():
            try:
                found = future.result()
                self.print(partition=part.partition, offset=found.offset,
                           timestamp=found.timestamp)
            except KafkaException as exception:
                self.error(failure(exception), partition=part.partition)

    def admin_create(self):
        topic = NewTopic(self.options.topic, int(self.options.partitions or -1),
                         int(self.options.replication or -1),
                         config=dict(self.options.config))
        self.wait(self.admin_client().create_topics([topic]))

    def admin_delete(self):
        self.wait(self.admin_client().delete_topics([self.options.topic]))

    def admin_partitions(self):
        self.wait(self.admin_client().create_partitions(
            [NewPartitions(self.options.topic, self.options.count)]))

    def resource(self, **more):
        if self.options.broker:
            return ConfigResource(ResourceType.BROKER, self.options.broker, **more)
        return ConfigResource(ResourceType.TOPIC, self.options.topic, **more)

    def admin_configs(self):
        found = self.wait(self.admin_client().describe_configs([self.resource()]))[0]
        return {"configs": {name: {"value": entry.value, "default": entry.is_default}
                            for name, entry in found.items()}}

    def admin_alter(self):
        entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                   for name, value in self.options.config]
        if self.options.delete:
            entries.append(ConfigEntry(self.options.delete, None,
                                       incremental_operation=AlterConfigOpType.DELETE))
        self.wait(self.admin_client().incremental_alter_configs(
            [self.resource(incremental_configs=entries)]))

    def admin_describe(self):
        futures = self.admin_client().describe_topics(TopicCollection([self.options.topic]))
        topic = self.wait(futures)[0]
        return {"topic": topic.name, "id": str(topic.topic_id),
                "partitions": [{"partition": part.id, "leader": part.leader.id,
                                "replicas": len(part.replicas)}
                               for part in topic.partitions]}

    def admin_cluster(self):
        found = self.admin_client().describe_cluster().result()
        return {"cluster": found.cluster_id, "controller": found.controller.id,
                "brokers": [{"id": node.id, "host": node.host, "port": node.port}
                            for node in found.nodes]}

    def admin_list(self):
        return {"topics": list(self.admin_client().list_topics(timeout=30).topics)}


if __name__ == "__main__":
    main(Confluent)
