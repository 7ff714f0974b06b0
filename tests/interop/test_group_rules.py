"""Rules of classic groups, member by member, as Apache Kafka 4.2 has them.

Each test is one rule, spoken by hand; --target kafka runs the same against a real broker.
Members of a group use different agents.
"""

import time
import uuid

import pytest

from cluster import Cluster
from raw_group import ClassicMember, begin, commit
from schema_wire import Link

DELAY_MS = 1000
WAIT_S = 20
REBALANCE, ILLEGAL_GENERATION, UNKNOWN_MEMBER, INCONSISTENT = 27, 22, 25, 23
FENCED = 82


@pytest.fixture(scope="module")
def servers(target, tmp_path_factory):
    """A cluster whose first rebalance waits long enough for two to join."""
    with Cluster(tmp_path_factory.mktemp("rules"), target=target,
                 control_plane_set={"group-initial-rebalance-delay": f"{DELAY_MS}ms"},
                 kafka_config={"group.initial.rebalance.delay.ms": DELAY_MS}) as cluster:
        link = Link(cluster.bootstraps)
        for _ in range(100):  # Kafka makes the topic of its offsets now
            found = link.call("FindCoordinator", 4, key_type=0, coordinator_keys=["x"])
            if found["coordinators"][0]["error_code"] == 0:
                break
            time.sleep(0.2)
        link.call("CreateTopics", 7, timeout_ms=5000, topics=[
            {"name": "rules", "num_partitions": 1, "replication_factor": 1}])
        time.sleep(1)
        yield cluster


@pytest.fixture
def member(servers):
    """A function that makes a member of a group: of a new one, if it is not named."""
    made = []

    def make(group=None, **options):
        options.setdefault("protocols", [("range", b"says")])
        addresses = servers.bootstraps[len(made) % len(servers.bootstraps):] + \
            servers.bootstraps
        made.append(ClassicMember(addresses, group or f"rules-{uuid.uuid4()}", **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def join_all(*members):
    """Join together; (leader, the others...)."""
    steps = []
    for each in members:
        steps.append(begin(each.join))
        time.sleep(0.1)
    for step in steps:
        step.result(WAIT_S)
    assert len({each.generation for each in members}) == 1
    return sorted(members, key=lambda each: not each.leads)


def stable(*members):
    """Join and sync: each has its own id as its assignment. (leader, the others...)."""
    leader, *others = join_all(*members)
    steps = [begin(each.try_sync) for each in others]
    assert leader.try_sync({each.id: each.id.encode() for each in members}) == 0
    assert [step.result(WAIT_S) for step in steps] == [0] * len(others)
    assert all(each.assignment == each.id.encode() for each in members)
    return leader, *others


def ask(each, version=9, **changes):
    """One JoinGroup as EACH would send it, but for CHANGES."""
    values = {**each.join_values(), **changes}
    if version < 5:
        values.pop("group_instance_id")
    return each.link.call("JoinGroup", version, **values)


def describe(each):
    return each.link.call("DescribeGroups", 5, groups=[each.group])["groups"][0]


# An id is given to whoever comes without one from version 4 on; before, it is taken in.
def test_member_id_required(member):
    a = member()
    answer = ask(a)
    assert answer["error_code"] == 79 and answer["member_id"].startswith("raw-")
    a.id = answer["member_id"]
    a.generation = 0
    assert a.heartbeat() == UNKNOWN_MEMBER
    assert a.try_join() == 0 and a.leads and a.generation == 1
    assert ask(member(), 3)["error_code"] == 0


# What can be refused at once is: group, session, protocols, type, a member nobody knows.
def test_refused_joins(member):
    a = member()
    assert ask(a, group_id="")["error_code"] == 24
    assert ask(a, session_timeout_ms=10)["error_code"] == 26
    assert ask(a, protocols=[])["error_code"] == INCONSISTENT
    assert ask(a, protocol_type="")["error_code"] == INCONSISTENT
    assert ask(a, member_id="x")["error_code"] == UNKNOWN_MEMBER


# One protocol type and one protocol in common; even a lone member cannot change it.
def test_inconsistent_protocols(member):
    a = member()
    stable(a)
    assert ask(member(a.group), protocol_type="connect")["error_code"] == INCONSISTENT
    assert ask(member(a.group, protocols=[("odd", b"")]))["error_code"] == INCONSISTENT
    a.protocols = [("odd", b"")]
    assert a.try_join() == INCONSISTENT


# Members come while the first rebalance waits; the leader alone is told who they are, and
# what they say in the protocol that most prefer.
def test_first_rebalance(member):
    first = member(protocols=[("p", b"1"), ("q", b"2")])
    others = [member(first.group, protocols=[("q", b"2"), ("p", b"1")]) for _ in range(2)]
    began = time.monotonic()
    leader, *followers = join_all(first, *others)
    assert time.monotonic() - began > DELAY_MS / 1000 * 0.9
    assert leader.protocol == "q"
    assert {each["member_id"] for each in leader.members} == \
        {each.id for each in (first, *others)}
    assert all(each["metadata"] == b"2" for each in leader.members)
    assert all(each.members == [] and each.leader == leader.id for each in followers)


# A follower that says nothing new gets its generation again, a leader a rebalance.
def test_rejoins(member):
    a = member()
    leader, follower = stable(a, member(a.group))
    answer = ask(follower)
    assert (answer["error_code"], answer["generation_id"]) == (0, leader.generation)
    assert answer["members"] == [] and leader.heartbeat() == 0
    step = begin(leader.try_join)
    time.sleep(0.3)
    assert follower.heartbeat() == REBALANCE and not step.done()
    assert follower.try_join() == 0 and step.result(WAIT_S) == 0
    assert leader.generation == 2 and leader.leads


# Whoever lost the answer of its join asks again while the leader assigns.
def test_rejoin_while_completing(member):
    a = member()
    leader, follower = join_all(a, member(a.group))
    for each, told in ((leader, 2), (follower, 0)):
        answer = ask(each)
        assert (answer["error_code"], answer["generation_id"]) == (0, 1)
        assert len(answer["members"]) == told
    assert leader.heartbeat() == 0


# Heartbeat and sync of each state, of another generation, of a stranger.
def test_heartbeat_and_sync(member):
    a = member()
    stable(a)
    assert a.try_sync({a.id: b"other"}) == 0 and a.assignment == a.id.encode()
    b = member(a.group)
    step = begin(b.try_join)
    time.sleep(0.5)
    assert (a.heartbeat(), a.try_sync()) == (REBALANCE, REBALANCE)
    assert describe(a)["group_state"] == "PreparingRebalance"
    assert (a.try_join(), step.result(WAIT_S), a.generation) == (0, 0, 2)
    assert (a.heartbeat(), b.heartbeat()) == (0, 0)
    assert describe(a)["group_state"] == "CompletingRebalance"
    a.generation = 1
    assert (a.heartbeat(), a.try_sync()) == (ILLEGAL_GENERATION, ILLEGAL_GENERATION)
    a.id = "stranger"
    assert (a.heartbeat(), a.try_sync()) == (UNKNOWN_MEMBER, UNKNOWN_MEMBER)


# A sync that waits is told when the group rebalances instead.
def test_sync_overtaken(member):
    a = member()
    leader, follower = join_all(a, member(a.group))
    step = begin(follower.try_sync)
    time.sleep(0.3)
    assert leader.leave() == 0
    assert step.result(WAIT_S) == REBALANCE
    assert follower.heartbeat() == REBALANCE
    assert follower.try_join() == 0 and follower.leads and follower.generation == 2


# A static member takes its place again without a rebalance, and the old id is fenced. A
# leader is told not to assign, or as of version 8 that somebody else leads.
def test_static_replaced(member):
    a = member(instance="i")
    leader, follower = stable(a, member(a.group, instance="j"))
    back = member(a.group, instance=leader.instance)
    answer = ask(back)
    assert (answer["error_code"], answer["generation_id"]) == (0, 1)
    assert answer["skip_assignment"] and answer["leader"] == answer["member_id"]
    assert len(answer["members"]) == 2
    assert (follower.heartbeat(), leader.heartbeat()) == (0, FENCED)
    assert leader.commit("rules", {0: 1}) == {0: FENCED}
    assert leader.try_sync() == FENCED and ask(leader)["error_code"] == FENCED
    back.take(answer)
    assert back.try_sync() == 0 and back.assignment == leader.id.encode()
    older = ask(member(a.group, instance=leader.instance), 8)
    assert older["error_code"] == 0 and older["members"] == []
    assert older["leader"] != older["member_id"]
    again = ask(member(a.group, instance=follower.instance))
    assert not again["skip_assignment"] and again["leader"] == older["member_id"]


# Of two that join as the same instance the first one is fenced while it waits.
def test_static_fenced_while_waiting(member):
    a = member(instance="i")
    b = member(a.group, instance="i")
    first = begin(a.try_join)
    time.sleep(0.3)
    second = begin(b.try_join)
    assert (first.result(WAIT_S), second.result(WAIT_S)) == (FENCED, 0)


# An instance id is known or not; a member of that id need not name it.
def test_instance_named_or_not(member):
    a = member()
    leader, follower = stable(a, member(a.group))
    follower.instance = "new"
    assert (follower.try_join(), follower.heartbeat()) == (UNKNOWN_MEMBER, UNKNOWN_MEMBER)
    assert leader.heartbeat() == 0
    b = member(instance="i")
    stable(b)
    b.instance = None
    assert (b.heartbeat(), b.try_sync(), b.leave()) == (0, 0, 0)


# Members leave one by one, also by their instance; each has its own answer.
def test_leave(member):
    a = member(instance="i")
    leader, follower = stable(a, member(a.group, instance="j"))

    def leave(group, *members):
        answer = a.link.call("LeaveGroup", 5, group_id=group, members=[
            {"member_id": name, "group_instance_id": instance}
            for name, instance in members])
        return answer["error_code"], [each["error_code"] for each in answer["members"]]

    assert leave("", ("x", None))[0] == 24
    assert leave(f"none-{uuid.uuid4()}", ("x", None)) == (0, [UNKNOWN_MEMBER])
    assert leave(a.group) == (0, [])
    assert leave(a.group, ("x", None), ("x", "i"), ("", "none"), ("", follower.instance)) \
        == (0, [UNKNOWN_MEMBER, FENCED, UNKNOWN_MEMBER, 0])
    assert leader.heartbeat() == REBALANCE
    assert leave(a.group, (leader.id, leader.instance)) == (0, [0])
    told = describe(a)
    assert (told["group_state"], told["protocol_type"]) == ("Empty", "consumer")
    assert member(a.group).try_join() == 0


# Who dies is removed when its session is over; who waits in a join is not.
def test_session(member):
    a = member(session_ms=6000)
    leader, follower = stable(a, member(a.group, session_ms=6000))
    follower.close()
    joining = begin(leader.try_join)
    assert joining.result(WAIT_S) == 0
    assert [each["member_id"] for each in leader.members] == [leader.id]


# Commits are the members' while there are any, and not while they are assigned.
def test_commits(member):
    a = member()
    join_all(a)

    def code(generation, name, instance=None, group=a.group):
        return commit(a.link, group, "rules", {0: 1}, "", generation, name, instance)[0]

    assert code(1, a.id) == REBALANCE
    assert a.try_sync() == 0
    assert [code(1, a.id), code(-1, ""), code(-1, a.id), code(1, ""), code(2, a.id),
            code(1, a.id, "none")] == [0, 25, 22, 25, 22, 25]
    assert a.leave() == 0
    assert [code(1, a.id), code(-1, ""), code(-1, a.id), code(-1, "", "none")] == \
        [25, 0, 0, 0]
    assert [code(3, "m", group="none"), code(-1, "", group=f"new-{uuid.uuid4()}")] == [69, 0]


# A group with members cannot be deleted; one without can, and one that is not there not.
def test_delete(member):
    a = member()
    stable(a)

    def delete():
        names = [a.group, f"none-{uuid.uuid4()}", ""]
        answer = a.link.call("DeleteGroups", 2, groups_names=names)
        codes = {each["group_id"]: each["error_code"] for each in answer["results"]}
        return [codes[name] for name in names]

    assert delete() == [68, 69, 69]
    assert a.leave() == 0
    assert delete() == [0, 69, 69]
    assert describe(a)["group_state"] == "Dead"
    a.group = ""
    assert (describe(a)["group_state"], describe(a)["error_code"]) == ("Dead", 0)
