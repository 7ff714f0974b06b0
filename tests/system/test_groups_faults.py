"""Groups while processes die, replies get lost, and clients do what they should not.

Members speak the protocol by hand (tests/lib/raw_group.py), so that a group is in a known
state when something happens; beside them real clients of both protocols work under load,
and their checker shows that nobody's death is seen by a group. What kills nothing also
runs with --target kafka.
"""

import random
import time

import pytest

from cell_cluster import CellCluster
from cluster import ROOT, Cluster
from group_run import CONFLUENT_CONSUMER, CONFLUENT_COOPERATIVE, GroupRun
from raw_group import (FENCED_MEMBER_EPOCH, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER,
                       ClassicMember, ConsumerMember, assigned, assignment, begin, commit,
                       describe, describe_consumer, fetch, subscription)
from schema_wire import Link, SchemaWire
from wire import Closed

BUILD = ROOT / "build" / "release"
WAIT_S = 30
PARTITIONS = 12
QUIET_S = 7
NO_DELAY = {"group-initial-rebalance-delay": "0ms"}


@pytest.fixture(scope="module")
def cell(target, tmp_path_factory):
    """Three control-plane nodes and two agents, to be killed and started again."""
    if target == "kafka":
        pytest.skip("kills processes that a single broker does not have")
    with CellCluster(tmp_path_factory.mktemp("cell"), build=BUILD, agents=2,
                     agent_set={"flush-interval": "50ms"},
                     control_plane_set=NO_DELAY) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def load(cell):
    """Two groups of real clients, one of each protocol, working all the time."""
    runs = [GroupRun(cell.bootstrap, f"load-{kind.protocol}", partitions=20,
                     session_ms=15_000).__enter__()
            for kind in (CONFLUENT_COOPERATIVE, CONFLUENT_CONSUMER)]
    for run, kind in zip(runs, (CONFLUENT_COOPERATIVE, CONFLUENT_CONSUMER)):
        run.start(kind, 3)
        run.settle("start")
    # All partitions may have an owner while one still waits for what another gives up with
    # its next heartbeat, five seconds later.
    wait(lambda: all(time.monotonic() - run.checker.changed_at > QUIET_S for run in runs),
         "quiet groups")
    yield runs
    for run in runs:
        run.__exit__()


def create(address, topic, partitions=PARTITIONS):
    with SchemaWire(address) as wire:
        made = wire.call("CreateTopics", 5, timeout_ms=30_000, topics=[
            {"name": topic, "num_partitions": partitions, "replication_factor": -1}])
        assert made["topics"][0]["error_code"] == 0, made
        # Kafka's broker hears of it a little later.
        wait(lambda: wire.call("Metadata", 8, topics=[{"name": topic}])
             ["topics"][0]["error_code"] == 0, "topic")
    return topic


def topic_id(address, topic):
    with SchemaWire(address) as wire:
        answer = wire.call("Metadata", 12, topics=[{"name": topic}])
    return answer["topics"][0]["topic_id"]


def wait(condition, what, limit_s=WAIT_S):
    until = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < until, f"no {what} within {limit_s} s"
        time.sleep(0.02)
    return found


# ---- kill -9 in each state ----

def halves(topic, one, other):
    """An assignment of half the partitions to each."""
    middle = PARTITIONS // 2
    return {one.id: [(topic, list(range(middle)))],
            other.id: [(topic, list(range(middle, PARTITIONS)))]}


def kill(cell, victim):
    """kill -9 the VICTIM and start it again; the leader's node after another one leads."""
    if victim == "leader":
        victim = cell.leader()
        cell.kill(victim)
        cell.wait_other_leader(victim)
    else:
        cell.kill(victim)
        time.sleep(0.3)
    cell.start(victim)


def ownership(run):
    """All that anybody of RUN was told of ownership so far."""
    return [(round(at, 3), member, kind, what.get("partitions"))
            for at, _, member, kind, what in list(run.checker.history)
            if kind in ("assigned", "revoked", "lost", "error")]


@pytest.fixture
def unseen(load):
    """After the test no group of the load has rebalanced."""
    before = [len(ownership(run)) for run in load]
    began = time.monotonic()
    yield
    since = [event for run, count in zip(load, before) for event in ownership(run)[count:]]
    assert not since, (f"a death after {began:.3f} cost a rebalance; before: "
                       f"{[ownership(run)[:count] for run, count in zip(load, before)]}")


class Pair:
    """Two members of a new classic group, at different agents, and a link to look."""

    def __init__(self, cell, topic, **options):
        self.addresses = cell.bootstraps
        self.topic = create(self.addresses[0], topic)
        self.group = f"{topic}-group"
        self.a = ClassicMember(self.addresses, self.group, [topic], **options)
        self.b = ClassicMember(self.addresses[::-1], self.group, [topic], **options)
        self.link = Link(self.addresses)

    def state(self):
        return describe(self.link, self.group)["group_state"]

    def alone(self):
        """A is the group."""
        self.a.join()
        everything = {(self.topic, p) for p in range(PARTITIONS)}
        assert self.a.sync({self.a.id: [(self.topic, list(range(PARTITIONS)))]}) == everything

    def joining(self):
        """B waits until A joins again; the future of B's join."""
        self.alone()
        self.b.get_id()
        joined = begin(self.b.join)
        wait(lambda: self.state() == "PreparingRebalance", "rebalance")
        return joined

    def rejoin(self, joined):
        """A joins again, too: both are in one generation."""
        generation = self.a.generation
        assert wait(lambda: self.a.heartbeat(), "sign of it") == REBALANCE_IN_PROGRESS
        self.a.join()
        joined.result(WAIT_S)
        assert self.a.generation == self.b.generation == generation + 1
        leader = self.a if self.a.leads else self.b
        follower = self.b if self.a.leads else self.a
        assert {m["member_id"] for m in leader.members} == {self.a.id, self.b.id}
        assert follower.members == [] and follower.leader == leader.id
        return leader, follower

    def check(self):
        """Both work in the present generation."""
        assert self.a.heartbeat() == self.b.heartbeat() == 0
        found = describe(self.link, self.group)
        assert found["group_state"] == "Stable"
        parts = {m["member_id"]: assigned(m["member_assignment"]) for m in found["members"]}
        assert set(parts) == {self.a.id, self.b.id}
        assert parts[self.a.id] | parts[self.b.id] == \
            {(self.topic, p) for p in range(PARTITIONS)}
        assert not parts[self.a.id] & parts[self.b.id]
        assert parts[self.a.id] == assigned(self.a.assignment)
        for number, member in enumerate((self.a, self.b)):
            part = next(iter(sorted(assigned(member.assignment))))[1]
            assert member.commit(self.topic, {part: 7 + number}) == {part: 0}
            assert fetch(self.link, self.group, self.topic, [part])[part][0] == 7 + number

    def finish(self):
        assert self.a.leave() == self.b.leave() == 0
        assert self.state() == "Empty"
        for member in (self.a, self.b):
            member.close()
        self.link.close()


VICTIMS = ("agent-1", "agent-2", "leader")


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_while_preparing(cell, load, unseen, new_name, victim):
    """A rebalance that waits for a member goes on where it was."""
    pair = Pair(cell, new_name())
    joined = pair.joining()
    kill(cell, victim)
    leader, follower = pair.rejoin(joined)
    synced = begin(follower.sync)
    leader.sync(halves(pair.topic, leader, follower))
    synced.result(WAIT_S)
    pair.check()
    pair.finish()


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_while_completing(cell, load, unseen, new_name, victim):
    """Members that wait for the leader's assignment get it."""
    pair = Pair(cell, new_name())
    leader, follower = pair.rejoin(pair.joining())
    synced = begin(follower.sync)
    time.sleep(0.2)
    assert pair.state() == "CompletingRebalance"
    kill(cell, victim)
    assert pair.state() == "CompletingRebalance"
    leader.sync(halves(pair.topic, leader, follower))
    assert len(synced.result(WAIT_S)) == PARTITIONS // 2
    pair.check()
    pair.finish()


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_while_stable(cell, load, unseen, new_name, victim):
    """Heartbeats and commits go on in the same generation."""
    pair = Pair(cell, new_name())
    leader, follower = pair.rejoin(pair.joining())
    synced = begin(follower.sync)
    leader.sync(halves(pair.topic, leader, follower))
    synced.result(WAIT_S)
    generation = leader.generation
    assert leader.commit(pair.topic, {0: 3}) == {0: 0}
    kill(cell, victim)
    assert leader.heartbeat() == follower.heartbeat() == 0
    assert leader.generation == generation
    assert fetch(pair.link, pair.group, pair.topic, [0])[0][0] == 3
    pair.check()
    pair.finish()


@pytest.mark.parametrize("victim", VICTIMS)
def test_kill_while_reconciling(cell, load, unseen, new_name, victim):
    """A partition goes over when its owner has said that it gave it up, and not before."""
    topic = create(cell.bootstraps[0], new_name())
    group = f"{topic}-group"
    link = Link(cell.bootstraps)
    a = ConsumerMember(cell.bootstraps, group, [topic])
    b = ConsumerMember(cell.bootstraps[::-1], group, [topic])
    assert a.join() == 0
    wait(lambda: a.heartbeat() == 0 and a.target and len(a.target) == PARTITIONS,
         "whole topic")
    a.adopt()
    assert a.heartbeat(tell=True) == 0
    assert b.join() == 0
    # A is told what to give up, and has not said that it did.
    wait(lambda: a.heartbeat() == 0 and len(a.target) == PARTITIONS // 2, "half of it")
    assert describe_consumer(link, group)["group_state"] in ("Reconciling", "Assigning")
    assert not b.target
    kill(cell, victim)
    for _ in range(3):
        assert b.heartbeat() == 0
        assert not b.target, "a partition has two owners"
        assert a.heartbeat() == 0
    gone = a.revoke()
    assert a.heartbeat(tell=True) == 0
    wait(lambda: b.heartbeat() == 0 and b.target == gone, "other half")
    b.adopt()
    assert b.heartbeat(tell=True) == a.heartbeat() == 0
    wait(lambda: b.heartbeat() == 0 and describe_consumer(link, group)["group_state"] ==
         "Stable", "stable group")
    assert a.epoch == b.epoch
    assert a.leave() == b.leave() == 0


def test_rolling_restart(cell, load, unseen):
    """All agents and all control-plane nodes are restarted, one after the other."""
    for name in cell.names():
        cell.stop(name)
        cell.start(name)
    time.sleep(2)


# This is the last of those that use the load.
def test_load_was_clean(load):
    """Nothing was skipped, owned twice, or read twice for no reason, through all of it."""
    for run in load:
        run.finish()


# ---- replies that are lost, or come twice ----

@pytest.fixture(scope="module")
def servers(target, tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("groups"), target=target, agents=2,
                 control_plane_set=NO_DELAY,
                 # Where Kafka keeps a group, all of it is one record.
                 kafka_config={"message.max.bytes": 10_000_000}) as cluster:
        ready(cluster.bootstraps)
        yield cluster


def ready(addresses):
    """Wait until groups are served: Kafka makes a topic for them when it is asked first."""
    link = Link(addresses)
    link.call("FindCoordinator", 2, key="a group", key_type=0)
    wait(lambda: link.call("Heartbeat", 4, group_id="a group", member_id="nobody")
         ["error_code"] == UNKNOWN_MEMBER, "coordinator")


@pytest.fixture
def topic(servers, new_name):
    return create(servers.bootstraps[0], new_name())


def test_join_through_two_agents(servers, topic, target):
    """The same JoinGroup, SyncGroup and Heartbeat sent to both agents at once is one."""
    if target == "kafka":
        pytest.skip("one broker")
    member = ClassicMember(servers.bootstraps, f"{topic}-group", [topic])
    member.get_id()
    wires = [SchemaWire(address) for address in servers.bootstraps]
    for wire in wires:
        wire.send("JoinGroup", 9, **member.join_values())
    answers = [wire.receive()[1] for wire in wires]
    assert [a["error_code"] for a in answers] == [0, 0], answers
    for answer in answers:
        assert [m["member_id"] for m in answer["members"]] == [member.id]
    member.take(max(answers, key=lambda a: a["generation_id"]))
    for wire in wires:
        wire.send("SyncGroup", 5, group_id=member.group, generation_id=member.generation,
                  member_id=member.id, protocol_type="consumer", protocol_name="range",
                  assignments=[{"member_id": member.id,
                                "assignment": assignment([(topic, [0, 1])])}])
    answers = [wire.receive()[1] for wire in wires]
    assert [a["error_code"] for a in answers] == [0, 0], answers
    assert answers[0]["assignment"] == answers[1]["assignment"]
    for _ in range(3):
        for wire in wires:
            wire.send("Heartbeat", 4, group_id=member.group, member_id=member.id,
                      generation_id=member.generation)
        assert [wire.receive()[1]["error_code"] for wire in wires] == [0, 0]
    assert len(describe(member.link, member.group)["members"]) == 1
    for wire in wires:
        wire.close()


def test_lost_replies(servers, topic):
    """Requests whose replies never come are sent again: nobody is in the group twice."""
    rng = random.Random(5)
    members = [ClassicMember(servers.bootstraps[::1 - 2 * (n % 2)], f"{topic}-group", [topic])
               for n in range(3)]
    for member in members:
        member.get_id()

    def lossy(member):
        """Send the join, do not wait, go away; then in earnest, maybe to another agent."""
        for _ in range(3):
            with SchemaWire(rng.choice(servers.bootstraps)) as wire:
                wire.send("JoinGroup", 9, **member.join_values())
                time.sleep(rng.uniform(0, 0.05))
        return member.join()

    for _ in range(20):
        joins = [begin(lossy, member) for member in members]
        for join in joins:
            join.result(WAIT_S)
        if len({m.generation for m in members}) == 1 and \
                sum(m.leads for m in members) == 1:
            break
    leader = next(m for m in members if m.leads)
    assert {m["member_id"] for m in leader.members} == {m.id for m in members}
    followers = [m for m in members if m is not leader]
    for member in followers:
        with SchemaWire(rng.choice(servers.bootstraps)) as wire:
            wire.send("SyncGroup", 5, group_id=member.group, member_id=member.id,
                      generation_id=member.generation)
    synced = [begin(member.sync) for member in followers]
    leader.sync({m.id: [(topic, [n])] for n, m in enumerate(members)})
    for done in synced:
        assert len(done.result(WAIT_S)) == 1
    assert [m.heartbeat() for m in members] == [0, 0, 0]
    assert len(describe(leader.link, leader.group)["members"]) == 3


def rebalanced(servers, topic, **options):
    """A leader and a follower who have joined one generation and not synced."""
    a = ClassicMember(servers.bootstraps, f"{topic}-group", [topic], **options)
    b = ClassicMember(servers.bootstraps[::-1], f"{topic}-group", [topic], **options)
    a.join()
    a.sync({a.id: [(topic, [0])]})
    b.get_id()
    joined = begin(b.join)
    wait(lambda: a.heartbeat() == REBALANCE_IN_PROGRESS, "rebalance")
    a.join()
    joined.result(WAIT_S)
    return (a, b) if a.leads else (b, a)


def at_once(addresses, api, version, values, times=2):
    """The answers to one request that goes through each of ADDRESSES TIMES at once."""
    wires = [SchemaWire(address) for address in addresses for _ in range(times)]
    for wire in wires:
        wire.send(api, version, **values)
    answers = [wire.receive()[1] for wire in wires]
    for wire in wires:
        wire.close()
    return answers


def test_lost_sync_of_leader(servers, topic):
    """A leader's SyncGroup whose reply is lost has assigned: what it sends again, through
    all agents at once, changes nothing, whatever it says by then."""
    leader, follower = rebalanced(servers, topic)
    values = {"group_id": leader.group, "generation_id": leader.generation,
              "member_id": leader.id, "protocol_type": "consumer", "protocol_name": "range"}

    def given(one, other):
        return [{"member_id": one.id, "assignment": assignment([(topic, [1])])},
                {"member_id": other.id, "assignment": assignment([(topic, [2])])}]

    with SchemaWire(servers.bootstraps[0]) as wire:
        wire.send("SyncGroup", 5, **values, assignments=given(leader, follower))
        wait(lambda: describe(follower.link, leader.group)["group_state"] == "Stable",
             "assignment")
    for answer in at_once(servers.bootstraps, "SyncGroup", 5,
                          {**values, "assignments": given(follower, leader)}):
        assert answer["error_code"] == 0
        assert assigned(answer["assignment"]) == {(topic, 1)}
    assert follower.sync() == {(topic, 2)}
    for member in (leader, follower):
        # Some of the replies are never read.
        for address in servers.bootstraps:
            with SchemaWire(address) as wire:
                wire.send("Heartbeat", 4, group_id=member.group, member_id=member.id,
                          generation_id=member.generation)
        answers = at_once(servers.bootstraps, "Heartbeat", 4, {
            "group_id": member.group, "member_id": member.id,
            "generation_id": member.generation})
        assert {answer["error_code"] for answer in answers} == {0}
    assert describe(leader.link, leader.group)["group_state"] == "Stable"


def test_heartbeats_at_once_consumer(servers, topic):
    """Each heartbeat of KIP-848 sent through all agents at once, some replies lost, is one:
    joining, giving up and taking over; no partition has two owners."""
    def beat(member, **values):
        """The member believes the newest of the answers."""
        with SchemaWire(servers.bootstraps[-1]) as wire:
            wire.send("ConsumerGroupHeartbeat", 1, **values)
        answers = at_once(servers.bootstraps, "ConsumerGroupHeartbeat", 1, values)
        for answer in sorted(answers, key=lambda answer: answer["member_epoch"]):
            assert member.take(answer) == 0, answer

    def joins(member):
        beat(member, group_id=member.group, member_id=member.id, member_epoch=0,
             rebalance_timeout_ms=30_000, subscribed_topic_names=[topic],
             topic_partitions=[])

    def tells(member):
        beat(member, group_id=member.group, member_id=member.id, member_epoch=member.epoch,
             topic_partitions=member.parts())

    a = ConsumerMember(servers.bootstraps, f"{topic}-group", [topic])
    b = ConsumerMember(servers.bootstraps[::-1], f"{topic}-group", [topic])
    joins(a)
    wait(lambda: a.heartbeat() == 0 and len(a.target or ()) == PARTITIONS, "whole topic")
    a.adopt()
    tells(a)
    joins(b)
    wait(lambda: a.heartbeat() == 0 and len(a.target) == PARTITIONS // 2, "half of it")
    assert not b.target
    gone = a.revoke()
    tells(a)
    wait(lambda: b.heartbeat() == 0 and b.target == gone, "other half")
    b.adopt()
    tells(b)
    wait(lambda: a.heartbeat() == b.heartbeat() == 0 and
         describe_consumer(a.link, a.group)["group_state"] == "Stable", "stable group")
    assert not a.owned & b.owned and len(a.owned | b.owned) == PARTITIONS
    assert len(describe_consumer(a.link, a.group)["members"]) == 2


def test_lost_heartbeat_replies_consumer(servers, topic):
    """A heartbeat of KIP-848 whose answer is lost is sent again with the epoch before."""
    a = ConsumerMember(servers.bootstraps, f"{topic}-group", [topic])
    with SchemaWire(servers.bootstraps[-1]) as wire:
        wire.send("ConsumerGroupHeartbeat", 1, group_id=a.group, member_id=a.id,
                  member_epoch=0, rebalance_timeout_ms=30_000,
                  subscribed_topic_names=[topic], topic_partitions=[])
        time.sleep(0.2)
    assert a.join() == 0
    wait(lambda: a.heartbeat() == 0 and a.target and len(a.target) == PARTITIONS, "all")
    a.adopt()
    assert a.heartbeat(tell=True) == 0
    b = ConsumerMember(servers.bootstraps[::-1], a.group, [topic])
    assert b.join() == 0
    wait(lambda: a.heartbeat() == 0 and len(a.target) == PARTITIONS // 2, "half")
    gone = a.revoke()
    before = a.epoch
    assert a.heartbeat(tell=True) == 0
    assert a.epoch > before
    # As if that answer had not come.
    a.epoch = before
    assert a.heartbeat(tell=True) == 0
    wait(lambda: b.heartbeat() == 0 and b.target == gone, "other half")
    b.adopt()
    assert b.heartbeat(tell=True) == 0
    assert len(describe_consumer(a.link, a.group)["members"]) == 2
    # An epoch older than the one before is fenced.
    after = a.epoch
    assert b.leave() == 0
    wait(lambda: a.heartbeat() == 0 and a.epoch > after, "next epoch")
    a.epoch = before
    assert a.heartbeat(tell=True) == FENCED_MEMBER_EPOCH


# ---- members that do not do what they should ----

def test_leader_never_syncs(servers, topic):
    """A leader that does not sync in time is put out, and the others begin anew."""
    leader, follower = rebalanced(servers, topic, rebalance_ms=2000)
    began = time.monotonic()
    assert follower.try_sync() == REBALANCE_IN_PROGRESS
    assert time.monotonic() - began < 15
    follower.join()
    assert follower.leads and len(follower.members) == 1
    follower.sync({follower.id: [(topic, [0, 1])]})
    assert follower.heartbeat() == 0
    assert leader.heartbeat() == UNKNOWN_MEMBER
    assert leader.try_sync({leader.id: []}) == UNKNOWN_MEMBER


def test_follower_never_syncs(servers, topic):
    """A follower that does not ask for its assignment in time is put out, too; its silence
    is no matter before that."""
    leader, follower = rebalanced(servers, topic, rebalance_ms=3000)
    leader.sync({leader.id: [(topic, [0])], follower.id: [(topic, [1])]})
    assert leader.heartbeat() == 0
    began = time.monotonic()
    wait(lambda: leader.heartbeat() == REBALANCE_IN_PROGRESS, "rebalance without it")
    assert time.monotonic() - began < 15
    leader.join()
    assert [m["member_id"] for m in leader.members] == [leader.id]
    leader.sync({leader.id: [(topic, [0, 1])]})
    assert leader.heartbeat() == 0
    assert follower.heartbeat() == UNKNOWN_MEMBER
    assert follower.try_sync() == UNKNOWN_MEMBER


def test_member_never_joins_again(servers, topic):
    """Who does not join again within the rebalance timeout is put out."""
    a = ClassicMember(servers.bootstraps, f"{topic}-group", [topic], rebalance_ms=2000)
    b = ClassicMember(servers.bootstraps, f"{topic}-group", [topic], rebalance_ms=2000)
    a.join()
    a.sync({a.id: [(topic, [0])]})
    b.join()
    assert b.leads and [m["member_id"] for m in b.members] == [b.id]
    b.sync({b.id: [(topic, [0])]})
    assert a.heartbeat() == UNKNOWN_MEMBER
    assert a.commit(topic, {0: 1}) == {0: UNKNOWN_MEMBER}


def test_member_is_silent(servers, topic):
    """Who sends no heartbeats for its session is put out; commits count as heartbeats."""
    a = ClassicMember(servers.bootstraps, f"{topic}-group", [topic], session_ms=6000)
    a.join()
    a.sync({a.id: [(topic, [0])]})
    began = time.monotonic()
    while time.monotonic() - began < 8:
        assert a.commit(topic, {0: 1}) == {0: 0}
        time.sleep(0.5)
    began = time.monotonic()
    link = Link(servers.bootstraps)
    wait(lambda: describe(link, a.group)["group_state"] == "Empty", "end of the session")
    assert 5 < time.monotonic() - began < 15
    assert a.heartbeat() == UNKNOWN_MEMBER


def test_wrong_generation(servers, topic):
    """What speaks of another generation or member is refused."""
    a = ClassicMember(servers.bootstraps, f"{topic}-group", [topic])
    a.join()
    # Nothing is committed before the assignment is out.
    assert a.commit(topic, {0: 1}) == {0: REBALANCE_IN_PROGRESS}
    assert a.heartbeat() == 0
    a.sync({a.id: [(topic, [0])]})
    a.generation += 1
    assert a.heartbeat() == ILLEGAL_GENERATION
    assert a.try_sync({a.id: []}) == ILLEGAL_GENERATION
    assert a.commit(topic, {0: 1}) == {0: ILLEGAL_GENERATION}
    a.generation -= 1
    right, a.id = a.id, "nobody"
    assert a.heartbeat() == UNKNOWN_MEMBER
    assert a.try_sync({a.id: []}) == UNKNOWN_MEMBER
    assert a.commit(topic, {0: 1}) == {0: UNKNOWN_MEMBER}
    assert a.leave() == UNKNOWN_MEMBER
    a.id = right
    assert a.heartbeat() == 0


# ---- many, large ----

def pipeline(addresses, api, version, requests, width=200):
    """The answers of REQUESTS over several connections, WIDTH in flight on each."""
    def work(number):
        mine = requests[number::4]
        answers = []
        with SchemaWire(addresses[number % len(addresses)]) as wire:
            for at in range(0, len(mine), width):
                for values in mine[at:at + width]:
                    wire.send(api, version, **values)
                answers += [wire.receive()[1] for _ in mine[at:at + width]]
        return answers
    return [answer for done in [begin(work, n) for n in range(4)]
            for answer in done.result(WAIT_S * 2)]


def list_groups(servers):
    """The names of all groups: each agent lists those whose coordinator it is."""
    found = []
    for address in servers.bootstraps:
        with SchemaWire(address) as wire:
            answer = wire.call("ListGroups", 5)
        assert answer["error_code"] == 0
        found += [group["group_id"] for group in answer["groups"]]
    return found


def test_ten_thousand_groups(servers, topic):
    """10,000 groups commit, are listed once each, keep their offsets, and are deleted."""
    names = [f"{topic}-{n}" for n in range(10_000)]
    answers = pipeline(servers.bootstraps, "OffsetCommit", 8, [
        {"group_id": name, "topics": [{"name": topic, "partitions": [
            {"partition_index": p, "committed_offset": n, "committed_metadata": ""}
            for p in range(10)]}]} for n, name in enumerate(names)])
    assert {part["error_code"] for a in answers for t in a["topics"]
            for part in t["partitions"]} == {0}
    listed = [name for name in list_groups(servers) if name.startswith(f"{topic}-")]
    assert sorted(listed) == sorted(names)
    link = Link(servers.bootstraps)
    for n in (0, 17, 4999, 9999):
        assert fetch(link, names[n], topic, [3])[3][0] == n
    answer = link.call("OffsetFetch", 8, groups=[
        {"group_id": name, "topics": [{"name": topic, "partition_indexes": [9]}]}
        for name in names[:500]])
    assert [g["topics"][0]["partitions"][0]["committed_offset"]
            for g in answer["groups"]] == list(range(500))
    for at in range(0, 10_000, 1000):
        deleted = link.call("DeleteGroups", 2, groups_names=names[at:at + 1000])
        assert {r["error_code"] for r in deleted["results"]} == {0}
    assert not any(name.startswith(f"{topic}-") for name in list_groups(servers))


def test_thousand_members(servers, topic):
    """1,000 members join, each gets its own assignment, all join again, all leave."""
    group = f"{topic}-group"
    values = {"group_id": group, "session_timeout_ms": 60_000,
              "rebalance_timeout_ms": 60_000, "protocol_type": "consumer",
              "protocols": [{"name": "range", "metadata": subscription([topic])}]}
    first = ClassicMember(servers.bootstraps, group, [topic], session_ms=60_000).join()
    first.sync({first.id: [(topic, [0])]})
    wires = [SchemaWire(servers.bootstraps[n % len(servers.bootstraps)], timeout_s=90)
             for n in range(1000)]
    try:
        for wire in wires[1:]:
            wire.send("JoinGroup", 9, **values)
        ids = [first.id]
        for wire in wires[1:]:
            answer = wire.receive()[1]
            assert answer["error_code"] == 79, answer
            ids.append(answer["member_id"])
        leader = 0
        for _ in range(2):
            answers = everybody_joins(wires, values, ids, leader)
            leader = next(n for n, a in enumerate(answers) if a["leader"] == ids[n])
            assert {m["member_id"] for m in answers[leader]["members"]} == set(ids)
            everybody_syncs(wires, group, ids, answers[0]["generation_id"], leader, topic)
        answer = wires[0].call("LeaveGroup", 5, group_id=group, members=[
            {"member_id": member} for member in ids])
        assert {m["error_code"] for m in answer["members"]} == {0}
        assert describe(first.link, group)["group_state"] == "Empty"
    finally:
        for wire in wires:
            wire.close()


def everybody_joins(wires, values, ids, leader):
    """All join in one rebalance, which LEADER begins; the answers."""
    order = [leader, *(n for n in range(len(wires)) if n != leader)]
    link = Link([f"{host}:{port}" for host, port in [wires[0].socket.getpeername()]])
    for at, number in enumerate(order):
        wires[number].send("JoinGroup", 9, **values, member_id=ids[number])
        if at == 0:
            wait(lambda: describe(link, values["group_id"])["group_state"] ==
                 "PreparingRebalance", "rebalance")
    answers = [wire.receive()[1] for wire in wires]
    assert {(a["error_code"], a["generation_id"]) for a in answers} == \
        {(0, answers[0]["generation_id"])}
    return answers


def everybody_syncs(wires, group, ids, generation, leader, topic):
    for number, (wire, member) in enumerate(zip(wires, ids)):
        wire.send("SyncGroup", 5, group_id=group, generation_id=generation,
                  member_id=member, protocol_type="consumer", protocol_name="range",
                  assignments=[] if number != leader else [
                      {"member_id": other, "assignment": assignment([(topic, [n])])}
                      for n, other in enumerate(ids)])
    for number, wire in enumerate(wires):
        answer = wire.receive()[1]
        assert answer["error_code"] == 0
        assert assigned(answer["assignment"]) == {(topic, number)}
    for wire, member in zip(wires, ids):
        wire.send("Heartbeat", 4, group_id=group, generation_id=generation,
                  member_id=member)
    assert {wire.receive()[1]["error_code"] for wire in wires} == {0}


def test_thousand_members_consumer(servers, new_name, target):
    """1,000 members of KIP-848 share 1,000 partitions, one each, in a few rounds of
    heartbeats, and none is ever owned by two."""
    if target == "kafka":
        pytest.skip("takes minutes there")
    topic = create(servers.bootstraps[0], new_name(), 1000)
    members = [ConsumerMember([], f"{topic}-group", [topic]) for _ in range(1000)]
    last = {"group_id": f"{topic}-group"}

    def all_beat(values):
        answers = pipeline(servers.bootstraps, "ConsumerGroupHeartbeat", 1, [
            {**last, "member_id": m.id, **values(m)} for m in members])
        by_member = {answer["member_id"]: answer for answer in answers}
        for member in members:
            assert member.take(by_member[member.id]) == 0, by_member[member.id]
            if member.target is not None:
                member.adopt()
        owned = [part for member in members for part in member.owned]
        assert len(owned) == len(set(owned)), "a partition has two owners"

    all_beat(lambda m: {"member_epoch": 0, "rebalance_timeout_ms": 60_000,
                        "subscribed_topic_names": [topic], "topic_partitions": []})
    for _ in range(20):
        all_beat(lambda m: {"member_epoch": m.epoch, "topic_partitions": m.parts()})
        if all(len(m.owned) == 1 for m in members) and len({m.epoch for m in members}) == 1:
            break
    assert {len(m.owned) for m in members} == {1}
    link = Link(servers.bootstraps)
    found = describe_consumer(link, f"{topic}-group")
    assert found["group_state"] == "Stable" and len(found["members"]) == 1000
    left = pipeline(servers.bootstraps, "ConsumerGroupHeartbeat", 1, [
        {**last, "member_id": m.id, "member_epoch": -1} for m in members])
    assert {answer["error_code"] for answer in left} == {0}
    assert describe_consumer(link, f"{topic}-group")["group_state"] == "Empty"


def test_large_metadata(servers, topic):
    """1 MB of a member's metadata and 1 MB of its assignment go through unchanged."""
    rng = random.Random(1)
    data, parts = rng.randbytes(1_000_000), rng.randbytes(1_000_000)
    a = ClassicMember(servers.bootstraps, f"{topic}-group", protocols=[("own", data)],
                      protocol_type="own")
    a.join()
    assert a.members[0]["metadata"] == data
    assert a.try_sync({a.id: parts}) == 0
    assert a.assignment == parts
    found = describe(a.link, a.group)
    assert found["protocol_type"] == "own"
    assert found["members"][0]["member_metadata"] == data
    assert found["members"][0]["member_assignment"] == parts
    assert a.leave() == 0


# ---- hostile input ----

def test_names_with_every_byte(servers, topic):
    """Group, client, instance and protocol names and commit texts of any characters."""
    every = "".join(map(chr, range(1, 256)))
    for name in (every, "snow \u2603 \U0001f30a", "a/b?c=d&e#f%00", "\x00", "x" * 249,
                 '{"json": ["\\u0000"]}', " ", "..", "'; drop table groups; --"):
        group = f"{topic}{name}"
        a = ClassicMember(servers.bootstraps, group, client_id=f"c{name}",
                          protocols=[(f"p{name}", name.encode())],
                          protocol_type=f"t{name}", instance=f"i{name}"
                          if name in (every, " ", "..") else None)
        a.join()
        assert a.try_sync({a.id: b"x"}) == 0
        found = describe(a.link, group)
        assert found["group_id"] == group
        assert found["protocol_type"] == f"t{name}"
        assert found["protocol_data"] == f"p{name}"
        assert found["members"][0]["client_id"] == f"c{name}"
        assert a.heartbeat() == 0
        assert a.commit(topic, {0: 5}, metadata=f"m{name}") == {0: 0}
        assert fetch(a.link, group, topic, [0]) == {0: (5, f"m{name}")}
        assert group in list_groups(servers)
        assert a.leave() == 0
        deleted = a.link.call("DeleteGroups", 2, groups_names=[group])
        assert deleted["results"][0]["error_code"] == 0
        a.close()


def test_names_with_every_byte_consumer(servers, topic):
    """The same of a group of KIP-848: its members, instances, racks, clients and topics."""
    every = "".join(map(chr, range(1, 256)))
    mine = topic_id(servers.bootstraps[0], topic)
    for name in (every, "\x00", "x" * 249, '{"json": ["\\u0000"]}', " ", "'; drop table x"):
        group = f"{topic}{name}"
        a = ConsumerMember(servers.bootstraps, group, [topic, name], client_id=f"c{name}",
                           instance=f"i{name}", rack=f"r{name}")
        a.id = f"m{name}"
        assert a.join() == 0
        wait(lambda: a.heartbeat() == 0 and len(a.target or ()) == PARTITIONS, "partitions")
        a.adopt()
        assert a.heartbeat(tell=True) == 0
        found = describe_consumer(a.link, group)
        assert found["group_id"] == group
        member = found["members"][0]
        assert (member["member_id"], member["instance_id"], member["rack_id"]) == \
            (f"m{name}", f"i{name}", f"r{name}")
        assert member["client_id"] == f"c{name}"
        assert set(member["subscribed_topic_names"]) == {topic, name}
        assert {(part["topic_id"], p) for part in member["assignment"]["topic_partitions"]
                for p in part["partitions"]} == {(mine, p) for p in range(PARTITIONS)}
        assert a.leave() == 0
        deleted = a.link.call("DeleteGroups", 2, groups_names=[group])
        assert deleted["results"][0]["error_code"] == 0
        a.close()


def test_names_that_are_no_text(servers):
    """Bytes that are no UTF-8 do no harm: they are answered, or the connection is closed."""
    rng = random.Random(3)
    for _ in range(50):
        name = bytes(rng.randrange(128, 256) for _ in range(rng.randrange(1, 40)))
        with SchemaWire(servers.bootstraps[0]) as wire:
            try:
                wire.call("FindCoordinator", 2, key=name, key_type=0)
                wire.call("OffsetFetch", 8, groups=[{"group_id": name, "topics": None}])
                wire.call("DescribeGroups", 5, groups=[name])
            except (Closed, UnicodeDecodeError):
                pass
    with SchemaWire(servers.bootstraps[0]) as wire:
        assert wire.call("ListGroups", 4)["error_code"] == 0


HOSTILE = ["(a+)+$", "(a|aa)+$", "(.*a){20}", "(x+x+)+y", "((a*)*)*b", ".*.*.*.*.*.*=",
           "^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 5000, "[a-z]{1,500}"]
INVALID = ["(", "[", "*", "a**", "(?<x", "\\", "x{1001}", "(?=a)", "(a)\\1", "[z-a]", "(?P<>a)"]


def test_hostile_regex(servers, topic):
    """No pattern takes long, whatever it is; what is no RE2 is refused with 128."""
    create(servers.bootstraps[0], f"{topic}-{'a' * 100}", 1)
    for number, pattern in enumerate(HOSTILE):
        member = ConsumerMember(servers.bootstraps, f"{topic}-h{number}", regex=pattern)
        began = time.monotonic()
        assert member.join() in (0, 128), pattern
        assert time.monotonic() - began < 5, pattern
        member.leave()
    for number, pattern in enumerate(INVALID):
        member = ConsumerMember(servers.bootstraps, f"{topic}-i{number}", regex=pattern)
        assert member.join() == 128, pattern
    member = ConsumerMember(servers.bootstraps, f"{topic}-good",
                            regex=f"{topic.split('-')[0]}.*")
    assert member.join() == 0
    mine = topic_id(servers.bootstraps[0], topic)
    wait(lambda: member.heartbeat() == 0 and {(mine, p) for p in range(PARTITIONS)} <=
         (member.target or set()), "matching topics")
    assert member.leave() == 0


# ---- limits ----

def join_error(servers, **changes):
    """The error of a JoinGroup (version 3: no id is asked for) with CHANGES."""
    link = Link(servers.bootstraps)
    values = {"group_id": "limits", "session_timeout_ms": 30_000,
              "rebalance_timeout_ms": 30_000, "protocol_type": "consumer",
              "protocols": [{"name": "range", "metadata": b""}]}
    return link.call("JoinGroup", 3, **{**values, **changes})["error_code"]


def test_limits_of_joins(servers, new_name):
    """What a join must not be is refused with Kafka's error."""
    assert join_error(servers, group_id="") == 24
    assert join_error(servers, session_timeout_ms=5999) == 26
    assert join_error(servers, session_timeout_ms=1_800_001) == 26
    assert join_error(servers, group_id=new_name(), protocols=[]) == 23
    assert join_error(servers, group_id=new_name(), protocol_type="") == 23
    assert join_error(servers, group_id=new_name(), member_id="nobody") == 25


def test_limits_of_what_a_member_says(servers, new_name, target):
    """A member may name 64 protocols; more is refused with 42. What it says of itself has a
    limit, beyond which it gets what Kafka says of a group that is too large: -1."""
    if target == "kafka":
        pytest.skip("Kafka's limits are those of the records in which it keeps groups")
    for count, error in ((65, 42), (64, 0)):
        assert join_error(servers, group_id=new_name(), protocols=[
            {"name": f"p{n}", "metadata": b"m"} for n in range(count)]) == error
    for size, error in ((7 << 20, -1), (3 << 20, 0)):
        assert join_error(servers, group_id=new_name(), protocols=[
            {"name": "p", "metadata": bytes(size)}]) == error


def test_limits_of_commits(servers, topic):
    """A commit's text has 4,096 bytes at most, a partition must be there."""
    link = Link(servers.bootstraps)
    group = f"{topic}-group"
    assert commit(link, group, topic, {0: 1}, "x" * 4096) == {0: 0}
    assert commit(link, group, topic, {0: 2}, "x" * 4097) == {0: 12}
    assert fetch(link, group, topic, [0]) == {0: (1, "x" * 4096)}
    assert commit(link, group, topic, {PARTITIONS: 1}) == {PARTITIONS: 3}
    assert commit(link, group, "no such topic", {0: 1}) == {0: 3}
    assert commit(link, f"{group}-other", topic, {0: 1}, generation=4,
                  member="x") == {0: 69}
    assert commit(link, f"{group}-other", topic, {0: 1}, generation=4, member="x",
                  version=8) == {0: ILLEGAL_GENERATION}


def test_limits_of_consumer_groups(servers, topic):
    """What a heartbeat of KIP-848 must not be is refused with Kafka's error."""
    member = ConsumerMember(servers.bootstraps, f"{topic}-group", [topic])
    member.assignor = "no such"
    assert member.join() == 112
    member.assignor = None
    whole = {"rebalance_timeout_ms": 30_000, "subscribed_topic_names": [topic],
             "topic_partitions": []}
    for changes in ({"group_id": ""}, {"member_id": ""}, {"rebalance_timeout_ms": -1},
                    {"subscribed_topic_names": None}, {"topic_partitions": None},
                    {"instance_id": ""}, {"rack_id": ""}, {"server_assignor": ""},
                    {"member_epoch": -3}):
        code = member.call(**{**whole, **changes})["error_code"]
        assert code == (112 if "server_assignor" in changes else 42), (changes, code)
    assert member.call(member_epoch=5, **whole)["error_code"] in (25, 69)
    assert member.join() == 0
    assert member.call(member_epoch=member.epoch + 1)["error_code"] == 110
    assert member.leave() == 0


def test_group_max_size(new_cluster):
    """A group that is full takes nobody else: 81."""
    cluster = new_cluster(agents=1, control_plane_set={**NO_DELAY, "group-max-size": "3"},
                          kafka_config={"group.max.size": 3})
    ready(cluster.bootstraps)
    members = [ClassicMember(cluster.bootstraps, "full") for _ in range(3)]
    members[0].join()
    assert members[0].try_sync({members[0].id: b"x"}) == 0
    joins = [begin(member.try_join) for member in members[1:]]
    wait(lambda: len(describe(members[0].link, "full")["members"]) == 3, "three members")
    members[0].join()
    assert [join.result(WAIT_S) for join in joins] == [0, 0]
    assert join_error(cluster, group_id="full") == 81
