"""What agents do for groups, beside what the control plane decides: agents that go, that
share the list of groups, that hold clients who wait; lag in their metrics.
"""

import json
import re
import time
import urllib.request

import pytest

from cluster import Cluster
from raw_group import ClassicMember, begin, commit, describe
from records import batch
from schema_wire import Link, SchemaWire

NOT_COORDINATOR, REBALANCE_IN_PROGRESS = 16, 27
WAIT_S = 20


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("agents"), agents=3,
                 agent_set={"flush-interval": "50ms"},
                 control_plane_set={"group-initial-rebalance-delay": "0ms"}) as cluster:
        yield cluster


def wait(condition, what):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def member(cell, agent, group, **values):
    return ClassicMember([cell.bootstraps[agent - 1]], group, ["t"], **values)


def metrics(cell, agent):
    """What a scrape of AGENT gets."""
    known = json.loads((cell.directory / "cluster.json").read_text())
    ready = known["processes"][f"agent-{agent}"]["ready_url"]
    with urllib.request.urlopen(ready.replace("readyz", "metrics")) as answer:
        return answer.read().decode()


def test_drain_moves_who_waits(cell, new_name):
    """A join that waits at an agent which ends is answered with NOT_COORDINATOR at once,
    and its member joins elsewhere as who it is: the generation is the next one."""
    group = new_name()
    first = member(cell, 2, group)
    first.join()
    first.sync({first.id: [("t", [0])]})
    second = member(cell, 1, group)
    second.get_id()
    with SchemaWire(cell.bootstraps[0]) as wire:
        wire.send("JoinGroup", 9, **second.join_values())
        wait(lambda: first.heartbeat() == REBALANCE_IN_PROGRESS, "no rebalance")
        began = time.monotonic()
        cell.stop("agent-1")
        answer = wire.receive()[1]
        assert answer["error_code"] == NOT_COORDINATOR, answer
        assert answer["member_id"] == second.id
        assert time.monotonic() - began < 10
    moved = member(cell, 3, group)
    moved.id = second.id
    joining = begin(moved.join)
    time.sleep(0.3)
    assert not joining.done()
    generation = first.generation
    first.join()
    joining.result()
    assert first.generation == moved.generation == generation + 1
    cell.start("agent-1")


def test_nameless_member_leaves(cell, new_name):
    """Before version 4 a member has no id until its join is answered: when its client goes
    before that, it leaves, and the group need not wait for it."""
    group = new_name()
    first = member(cell, 2, group, session_ms=30_000)
    first.join()
    first.sync({first.id: [("t", [0])]})
    wire = SchemaWire(cell.bootstraps[0])
    values = {name: value for name, value in first.join_values().items()
              if name not in ("member_id", "group_instance_id", "reason")}
    wire.send("JoinGroup", 3, member_id="", **values)
    wait(lambda: first.heartbeat() == REBALANCE_IN_PROGRESS, "no rebalance")
    wire.close()
    link = Link(cell.bootstraps[1:])
    time.sleep(1)
    began = time.monotonic()
    first.join()
    assert time.monotonic() - began < 5
    first.sync({first.id: [("t", [0])]})
    assert len(describe(link, group)["members"]) == 1
    link.close()


def test_agents_share_the_list(cell, new_name):
    """All agents that a client is shown list each group once; so does each zone's agent for
    a client of that zone, alone."""
    prefix = new_name()
    with SchemaWire(cell.bootstraps[0]) as wire:
        create(wire, prefix)
        for n in range(30):
            assert commit(wire, f"{prefix}-{n}", prefix, {0: 1}) == {0: 0}
    names = sorted(f"{prefix}-{n}" for n in range(30))
    for zone, agents in (("", (1, 2, 3)), ("zone-2", (2,)), ("zone-3", (3,))):
        listed = []
        client = f"tool,zone={zone}" if zone else "tool"
        for agent in (1, 2, 3):
            with SchemaWire(cell.bootstraps[agent - 1], client_id=client) as wire:
                answer = wire.call("ListGroups", 5)
                assert answer["error_code"] == 0
                found = [g["group_id"] for g in answer["groups"]
                         if g["group_id"].startswith(prefix)]
                assert bool(found) == (agent in agents), (zone, agent, found)
                listed += found
        assert sorted(listed) == names, zone


def test_lag_is_in_metrics(cell, new_name):
    """How far a group is behind is told by one agent, after a scrape made it ask."""
    topic = new_name()
    with SchemaWire(cell.bootstraps[0]) as wire:
        create(wire, topic)
        produce(wire, topic)
        assert commit(wire, f"{topic}-g", topic, {0: 0}) == {0: 0}

    def rows():
        found = []
        for agent in (1, 2, 3):
            found += re.findall(f'weft_agent_group_lag_records{{group="{topic}-g",'
                                f'topic="{topic}",partition="0"}} (\\d+)',
                                metrics(cell, agent))
        return found

    wait(lambda: rows() == ["1"], "no lag in the metrics")


def create(wire, topic):
    answer = wire.call("CreateTopics", 5, topics=[{
        "name": topic, "num_partitions": 1, "replication_factor": 1}], timeout_ms=20_000)
    assert answer["topics"][0]["error_code"] == 0, answer


def produce(wire, topic):
    answer = wire.call("Produce", 8, acks=-1, timeout_ms=20_000, topic_data=[{
        "name": topic, "partition_data": [{"index": 0, "records": batch([b"v"])}]}])
    assert answer["responses"][0]["partition_responses"][0]["error_code"] == 0, answer
