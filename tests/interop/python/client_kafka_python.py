"""kafka-python behind the interop command line."""

import re
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (AlterConfigOp, ConfigResource, ConfigResourceType,
                         KafkaAdminClient)
from kafka.errors import KafkaError, for_code

from common import Client, Failure, encode, main


def failure(error):
    """The Failure for an exception of the library."""
    name = getattr(error, "message", None) or type(error).__name__
    return Failure({"INVALID_TOPIC": "INVALID_TOPIC_EXCEPTION"}.get(name, name), repr(error))


class KafkaPython(Client):
    def config(self):
        return {"bootstrap_servers": self.options.bootstrap.split(","), **self.settings()}

    def produce(self, records):
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
        if self.options.in_flight is not None:
            config["max_in_flight_requests_per_connection"] = int(self.options.in_flight)
        producer = KafkaProducer(**config)
        futures = []
        for record in records:
            try:
                futures.append(producer.send(
                    self.options.topic, value=record["value"], key=record["key"],
                    headers=record["headers"], partition=record["partition"],
                    timestamp_ms=record["timestamp"]))
            except KafkaError as exception:
                futures.append(exception)
        producer.flush()
        for index, future in enumerate(futures):
            try:
                if isinstance(future, KafkaError):
                    raise future
                done = future.get(timeout=60)
                self.sent(index, done.partition, done.offset, done.timestamp)
            except KafkaError as exception:
                self.error(failure(exception), index=index)
        producer.close()

    def consume(self):
        partitions = [TopicPartition(self.options.topic, part)
                      for part in self.partitions()]
        config = {"auto_offset_reset": "none", **self.config()}
        consumer = KafkaConsumer(group_id=None, enable_auto_commit=False, **config)
        consumer.assign(partitions)
        start = getattr(self.options, "from")
        if start in (None, "beginning"):
            consumer.seek_to_beginning(*partitions)
        elif start == "end":
            consumer.seek_to_end(*partitions)
        else:
            for part in partitions:
                consumer.seek(part, int(start))
        left = self.options.count
        deadline = time.monotonic() + self.options.timeout_ms / 1000
        try:
            for part in partitions:
                consumer.position(part)
            self.polling()
            while left > 0 and time.monotonic() < deadline:
                for found in consumer.poll(timeout_ms=500).values():
                    for record in found:
                        self.describe(record)
                        left -= 1
        except KafkaError as exception:
            self.error(failure(exception))
        self.failed = self.failed or left > 0
        consumer.close()

    def describe(self, record):
        self.print(topic=record.topic, partition=record.partition, offset=record.offset,
                   timestamp=record.timestamp,
                   timestamp_type="LogAppendTime" if record.timestamp_type == 1
                   else "CreateTime",
                   key=encode(record.key), value=encode(record.value),
                   headers=[[name, encode(value)] for name, value in record.headers])

    def call(self, method, *arguments, **named):
        """Call an admin method and turn its exception into a Failure."""
        admin = KafkaAdminClient(bootstrap_servers=self.options.bootstrap.split(","))
        try:
            return getattr(admin, method)(*arguments, **named)
        except KafkaError as exception:
            raise failure(exception) from exception
        finally:
            admin.close()

    def offsets(self):
        found = self.call("list_partition_offsets", {
            TopicPartition(self.options.topic, part): int(self.options.timestamp)
            for part in self.partitions()})
        for part, answer in sorted(found.items()):
            self.print(partition=part.partition, offset=answer.offset,
                       timestamp=answer.timestamp)

    def admin_create(self):
        self.call("create_topics", {self.options.topic: {
            "num_partitions": int(self.options.partitions or -1),
            "replication_factor": int(self.options.replication or -1),
            "configs": dict(self.options.config)}})

    def admin_delete(self):
        self.call("delete_topics", [self.options.topic])

    def admin_partitions(self):
        self.call("create_partitions", {self.options.topic: self.options.count})

    def admin_configs(self):
        resource = ConfigResource(ConfigResourceType.TOPIC, self.options.topic)
        found = self.call("describe_configs", [resource], config_filter="all")
        return {"configs": {name: {"value": entry["value"],
                                   "source": entry["config_source"]}
                            for name, entry in found["topic"][self.options.topic].items()}}

    def admin_alter(self):
        configs = {name: (AlterConfigOp.SET, value) for name, value in self.options.config}
        if self.options.delete:
            configs[self.options.delete] = (AlterConfigOp.DELETE, None)
        resource = ConfigResource(ConfigResourceType.TOPIC, self.options.topic, configs)
        # It does not raise, but answers with a text for each resource.
        answer = self.call("alter_configs", [resource], raise_on_unknown=False)
        for text in answer["topic"].values():
            refused = re.match(r"\[Error (\d+)\]", text or "")
            if refused:
                raise failure(for_code(int(refused[1]))())

    def admin_describe(self):
        topic = self.call("describe_topics", [self.options.topic])[0]
        if topic.get("error_code"):
            raise Failure({3: "UNKNOWN_TOPIC_OR_PARTITION"}.get(
                topic["error_code"], str(topic["error_code"])))
        return {"topic": topic["name"],
                "partitions": [{"partition": part["partition_index"],
                                "leader": part["leader_id"],
                                "replicas": len(part["replica_nodes"])}
                               for part in sorted(topic["partitions"],
                                                  key=lambda p: p["partition_index"])]}

    def admin_cluster(self):
        found = self.call("describe_cluster")
        return {"cluster": found["cluster_id"], "controller": found["controller_id"],
                "brokers": [{"id": node.get("broker_id", node.get("node_id")),
                             "host": node["host"], "port": node["port"]}
                            for node in found["brokers"]]}

    def admin_list(self):
        topics = self.call("list_topics")
        return {"topics": [topic["name"] if isinstance(topic, dict) else topic
                           for topic in topics]}


if __name__ == "__main__":
    main(KafkaPython)
