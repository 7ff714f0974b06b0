"""Real consumers in groups, while members join, leave, die and pause under load.

Each scenario runs with each library and protocol; the checker (tests/lib/group_checker.py)
shows that no record was skipped, that records came twice only where at-least-once allows
it, and that no partition was ever owned by two. Times to rebalance are printed. --target
kafka runs all of it against a real Apache Kafka.
"""

import time

import pytest

from cluster import Cluster
from group_run import (AIOKAFKA, CONFLUENT_CONSUMER, CONFLUENT_COOPERATIVE, CONFLUENT_RANGE,
                       FRANZ_COOPERATIVE, FRANZ_RANGE, JAVA_CONSUMER, JAVA_COOPERATIVE,
                       JAVA_RANGE, KAFKA_PYTHON, KAFKAJS, SARAMA, SESSION_MS, GroupRun)

from schema_wire import SchemaWire

SPREAD = True
LONG = True
SESSION_S = SESSION_MS / 1000

# The new protocol's session is the server's; a test wants it short, as the classic one.
GROUP_CONFIG = {"group.consumer.session.timeout.ms": SESSION_MS,
                "group.consumer.min.session.timeout.ms": SESSION_MS,
                "group.consumer.heartbeat.interval.ms": 500,
                "group.consumer.min.heartbeat.interval.ms": 500}
WEFT_GROUP_SET = {"group-initial-rebalance-delay": "0ms"}


@pytest.fixture(scope="module")
def servers(target, tmp_path_factory):
    """A cluster whose members' sessions are short, for this file."""
    with Cluster(tmp_path_factory.mktemp("groups"), target=target,
                 agent_set={"flush-interval": "50ms"}, control_plane_set=WEFT_GROUP_SET,
                 kafka_config=GROUP_CONFIG) as cluster:
        if target == "weft":
            configure(cluster.bootstrap)
        yield cluster


def configure(bootstrap):
    """The settings of GROUP_CONFIG that can be altered, for all brokers."""
    with SchemaWire(bootstrap) as wire:
        answer = wire.call("IncrementalAlterConfigs", 1, resources=[{
            "resource_type": 4, "resource_name": "", "configs": [
                {"name": name, "config_operation": 0, "value": str(GROUP_CONFIG[name])}
                for name in ("group.consumer.session.timeout.ms",
                             "group.consumer.heartbeat.interval.ms")]}])
    assert answer["responses"][0]["error_code"] == 0, answer


# The kind, and the members that come first, second and third: 1 to 20 in all.
LIVES = [(JAVA_RANGE, 10, 9, 1), (JAVA_COOPERATIVE, 6, 3, 1), (JAVA_CONSUMER, 5, 4, 1),
         (CONFLUENT_RANGE, 3, 3, 2), (CONFLUENT_COOPERATIVE, 4, 3, 2),
         (CONFLUENT_CONSUMER, 4, 3, 2), (FRANZ_RANGE, 2, 1, 1),
         (FRANZ_COOPERATIVE, 10, 8, 2), (SARAMA, 5, 4, 1), (KAFKAJS, 2, 2, 1),
         (KAFKA_PYTHON, 2, 2, 1), (AIOKAFKA, 2, 2, 1)]


# Members join twice, one process is killed while another pauses for longer than its
# session, that one comes back, one more joins, two leave; all under load.
@pytest.mark.parametrize("kind,first,second,third", LIVES, ids=lambda v: str(v))
def test_lives(servers, new_name, kind, first, second, third):
    with GroupRun(servers.bootstrap, new_name()) as run:
        stays = run.start(kind, first)
        run.settle(f"{first} join")
        pauses = run.start(kind, second)
        run.settle(f"{second} more")
        dies = run.start(kind, third)
        run.settle(f"{third} more")
        time.sleep(1)
        run.pause(pauses)
        run.kill(dies)
        took = run.settle("killed and paused")
        assert took < SESSION_S + 10
        run.resume(pauses)
        run.settle("back")
        run.add(stays)
        run.settle("one joins")
        run.leave(stays, min(first, 2))
        run.settle("leave")
        time.sleep(0.5)
        run.finish()


# A group of one, alone with fifty partitions, and its successor.
@pytest.mark.parametrize("kind", [FRANZ_RANGE, CONFLUENT_CONSUMER], ids=repr)
def test_one_after_another(servers, new_name, kind):
    with GroupRun(servers.bootstrap, new_name()) as run:
        first = run.start(kind, 1)
        run.settle("one")
        time.sleep(1)
        run.leave(first)
        first.process.stdin.close()
        first.process.wait(30)
        run.programs.remove(first)
        time.sleep(0.5)
        run.start(kind, 1)
        run.settle("the next")
        run.finish()


# Libraries of different languages in one group, by the assignor that all of them have.
def test_mixed_libraries(servers, new_name):
    with GroupRun(servers.bootstrap, new_name()) as run:
        run.start(FRANZ_RANGE, 2)
        run.start(CONFLUENT_RANGE, 2)
        run.settle("two libraries")
        third = run.start(SARAMA, 2)
        fourth = run.start(AIOKAFKA, 1)
        run.settle("four libraries")
        time.sleep(1)
        run.kill(third)
        run.leave(fourth)
        run.settle("two are gone")
        run.finish()


# A group goes over from the classic protocol to the new one and back, a member at a time,
# while it works.
def test_migration(servers, new_name):
    with GroupRun(servers.bootstrap, new_name()) as run:
        old = run.start(JAVA_COOPERATIVE, 2)
        run.settle("classic")
        new = run.start(JAVA_CONSUMER, 2)
        run.settle("both protocols")
        time.sleep(1)
        run.leave(old, 2)
        run.settle("the new protocol")
        back = run.start(JAVA_COOPERATIVE, 1)
        run.settle("both again")
        run.leave(new, 2)
        run.settle("classic again")
        time.sleep(0.5)
        assert back.process.poll() is None
        run.finish()
