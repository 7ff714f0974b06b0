"""Real Python clients in groups; real_clients.py records what they say.

    group_members.py confluent|kafka_python|aiokafka BOOTSTRAP

Each makes a topic, has two members share it, commits with a text, and does with groups
what its administrator can.  What that is refused is no concern.
"""

import asyncio
import sys
import time

LIMIT_S = 30


def attempt(call, *arguments, **named):
    try:
        return call(*arguments, **named)
    except Exception as error:  # of any library
        print(f"{getattr(call, '__name__', call)}: {error}", file=sys.stderr)
        return None


def settle(members, poll, owns):
    """Poll until each member has partitions."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        for member in members:
            poll(member)
        if all(owns(member) for member in members):
            return
    raise SystemExit("no assignment")


# ---- confluent (librdkafka) ----

def confluent_group(bootstrap, topic, group, **config):
    from confluent_kafka import Consumer, TopicPartition
    members = [Consumer({"bootstrap.servers": bootstrap, "group.id": group,
                         "auto.offset.reset": "earliest", **config}) for _ in range(2)]
    for member in members:
        member.subscribe([topic])
    settle(members, lambda member: member.poll(0.1), lambda member: member.assignment())
    for member in members:
        for part in member.assignment():
            attempt(member.commit, offsets=[TopicPartition(
                topic, part.partition, 3, metadata="text")], asynchronous=False)
        attempt(member.committed, [TopicPartition(topic, 0)], timeout=10)
    for _ in range(35):
        for member in members:
            member.poll(0.1)
    return members


def confluent(bootstrap):
    from confluent_kafka import ConsumerGroupTopicPartitions, ElectionType, TopicPartition
    from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec
    topic = "groups-confluent"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 4, 1)])[topic].result()
    classic = confluent_group(bootstrap, topic, "confluent-classic")
    modern = confluent_group(bootstrap, topic, "confluent-modern",
                             **{"group.protocol": "consumer"})
    groups = ["confluent-classic", "confluent-modern"]

    def wait(futures):
        for future in futures.values() if isinstance(futures, dict) else [futures]:
            attempt(future.result)

    wait(admin.list_consumer_groups())
    wait(admin.describe_consumer_groups(groups, include_authorized_operations=True))
    for member in classic + modern:
        member.close()
    part = TopicPartition(topic, 0, 1)
    for call in (lambda: admin.list_consumer_group_offsets(
                     [ConsumerGroupTopicPartitions(groups[0])]),
                 lambda: admin.alter_consumer_group_offsets(
                     [ConsumerGroupTopicPartitions(groups[0], [part])]),
                 lambda: admin.delete_records([part]),
                 lambda: admin.list_offsets({part: OffsetSpec.latest()}),
                 lambda: admin.elect_leaders(ElectionType.PREFERRED, [part]),
                 lambda: admin.delete_consumer_groups(groups)):
        futures = attempt(call)
        if futures is not None:
            wait(futures)


# ---- kafka-python ----

def kafka_python(bootstrap):
    import kafka
    from kafka.admin import NewTopic
    from kafka.structs import OffsetAndMetadata, TopicPartition
    topic, group = "groups-kafka-python", "kafka-python"
    admin = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, 4, 1)])
    time.sleep(1)
    members = [kafka.KafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group,
                                   auto_offset_reset="earliest") for _ in range(2)]
    settle(members, lambda member: member.poll(200), lambda member: member.assignment())
    for member in members:
        for part in member.assignment():
            attempt(member.commit, {part: OffsetAndMetadata(3, "text", 0)})
            attempt(member.committed, part)
    for _ in range(18):
        for member in members:
            member.poll(100)
    for name in ("list_groups", "list_consumer_groups"):
        attempt(getattr(admin, name, lambda: None))
    for name in ("describe_groups", "describe_consumer_groups"):
        attempt(getattr(admin, name, lambda _: None), [group])
    for member in members:
        member.close()
    for name in ("list_group_offsets", "list_consumer_group_offsets"):
        attempt(getattr(admin, name, lambda _: None), group)
    attempt(admin.delete_records, {TopicPartition(topic, 0): 0})
    attempt(admin.describe_log_dirs)
    for name in ("delete_groups", "delete_consumer_groups"):
        attempt(getattr(admin, name, lambda _: None), [group])
    admin.close()


# ---- aiokafka ----

async def aiokafka_group(bootstrap):
    import aiokafka
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    topic, group = "groups-aiokafka", "aiokafka"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 4, 1)])
    await asyncio.sleep(1)
    members = [aiokafka.AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=group,
                                         auto_offset_reset="earliest") for _ in range(2)]
    for member in members:
        await member.start()
    end = time.monotonic() + LIMIT_S
    # The first has all four until the second is in.
    while any(len(member.assignment()) != 2 for member in members) \
            and time.monotonic() < end:
        await asyncio.sleep(0.2)
    for member in members:
        for part in member.assignment():
            await member.commit({part: (3, "text")})
            await member.committed(part)
    await asyncio.sleep(4)
    await admin.list_consumer_groups()
    await admin.describe_consumer_groups([group])
    await admin.list_consumer_group_offsets(group)
    for member in members:
        await member.stop()
    await admin.close()


def main():
    name, bootstrap = sys.argv[1:]
    if name == "aiokafka":
        asyncio.run(aiokafka_group(bootstrap))
    else:
        {"confluent": confluent, "kafka_python": kafka_python}[name](bootstrap)


if __name__ == "__main__":
    main()
