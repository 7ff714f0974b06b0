"""A cell of three nodes and two agents under load, while everything fails in turn.

Every producer must get records acknowledged again after each fault, by itself, with its
default settings; what was acknowledged and what was read is checked as a whole (I1, I4,
I5, I11).

    WEFT_CELL_SEED=N      another course of events; the seed is printed
    WEFT_CELL_SECONDS=N   how long test_kills goes on (600)
"""

import contextlib
import itertools
import os
import random
import shutil
import subprocess
import threading
import time

import pytest

from cell_cluster import CellCluster, programs_with_clocks
from faults import points
from test_disk import small_disk
from workload import Workload

SPREAD = True   # over all workers: nothing is shared
LONG = True
AGENT_SET = {"flush-interval": "15ms"}
# Small segments and frequent checkpoints, so that nodes that come back find the log cut
# and have to fetch a snapshot now and then.
NODE_SET = {"checkpoint-interval": "500ms", "checkpoint-log": "64KiB",
            "wal-segment": "64KiB"}
NODES = [f"controlplane-{i}" for i in (1, 2, 3)]
PROGRESS_LIMIT_S = 60
# Entries that a node keeps for others behind a checkpoint (controlplane/replica.c).
KEPT_ENTRIES = 4096


def seed_of():
    seed = int(os.environ.get("WEFT_CELL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"WEFT_CELL_SEED={seed}", flush=True)
    return seed


@contextlib.contextmanager
def loaded_cell(path, seed=0, **options):
    """A cell and a workload that has begun."""
    options.setdefault("agent_set", AGENT_SET)
    options["control_plane_set"] = {**NODE_SET, **options.get("control_plane_set", {})}
    with CellCluster(path, **options) as cell, Workload(cell, seed=seed) as load:
        load.add_default_producers().start()
        load.wait_progress("before anything fails")
        yield cell, load



def test_kills(tmp_path):
    """Leader, followers, agents and all at once are killed for ten minutes under load."""
    seed = seed_of()
    rng = random.Random(seed)
    seconds = int(os.environ.get("WEFT_CELL_SECONDS", 600))
    counts = dict.fromkeys(("leader", "follower", "majority", "all", "agent", "both"), 0)
    with loaded_cell(tmp_path / "cell", seed) as (cell, load):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            kind = rng.choice(("leader", "leader", "leader", "follower", "follower",
                               "majority", "all", "agent", "both"))
            leader = cell.leader()
            others = [n for n in NODES if n != leader]
            victims = {"leader": [leader], "follower": [rng.choice(others)],
                       "majority": [leader, rng.choice(others)], "all": NODES,
                       "agent": [rng.choice(("agent-1", "agent-2"))],
                       "both": [leader, "agent-1", "agent-2"]}[kind]
            for name in victims:
                cell.kill(name)
            # With a majority alive nothing waits for the dead to come back.
            if kind in ("leader", "follower") and rng.random() < 0.5:
                load.wait_progress(f"without {victims}, seed {seed}", PROGRESS_LIMIT_S)
            else:
                time.sleep(rng.uniform(0, 1))
            cell.start_many(victims)
            load.wait_progress(f"after {kind} {victims}, seed {seed}", PROGRESS_LIMIT_S)
            counts[kind] += 1
        reading = load.finish(context=f"after all, seed {seed}")
    print(f"kills {counts}, {load.checker.acked_count} acknowledged, "
          f"{sum(map(len, reading.values()))} records")
    assert load.readers[0].records > 0


@pytest.mark.parametrize("who", ["leader", "follower"])
def test_kill_at_each_point(tmp_path, who):
    """A node of three dies at each named fault point of the control plane: the others go
    on, and it comes back."""
    with loaded_cell(tmp_path / "cell") as (cell, load):
        for name in points("controlplane", kinds=("POINT",)):
            leader = cell.leader()
            victim = leader if who == "leader" else next(n for n in NODES if n != leader)
            cell.kill(victim)
            # Armed, it dies again when it comes to the point, or at this test's word: not
            # every point is on every node's way.
            if cell.start_armed(victim, f"{name}:2"):
                cell.wait_dead(cell.pid(victim), 1.5)
            load.wait_progress(f"{victim} armed with {name}")
            cell.kill(victim)
            cell.start(victim)
            load.wait_progress(f"{victim} back from {name}")
        load.finish()


def shapes(leader, followers):
    """Every way in which three nodes can be cut: (name, pairs that lose messages, whether
    the cell can go on)."""
    a, b = followers
    cut = {
        "leader alone": [(leader, a), (leader, b), (a, leader), (b, leader)],
        "leader is not heard": [(leader, a), (leader, b)],
        "leader hears nothing": [(a, leader), (b, leader)],
        "follower alone": [(a, leader), (a, b), (leader, a), (b, a)],
        "follower is not heard": [(a, leader), (a, b)],
        "follower hears nothing": [(leader, a), (b, a)],
        "leader and one follower": [(leader, a), (a, leader)],
        "between followers": [(a, b), (b, a)],
        "leader unheard by one": [(leader, a)],
        "one unheard by leader": [(a, leader)],
    }
    for name, pairs in cut.items():
        yield name, pairs, True
    # No two nodes can ask and answer each other.
    yield "ring", [(leader, a), (a, b), (b, leader)], False
    yield "everyone alone", list(itertools.permutations((leader, a, b), 2)), False


def test_partitions(tmp_path):
    """Cuts of every shape between the nodes, one-way ones included."""
    with loaded_cell(tmp_path / "cell", network=True) as (cell, load):
        for number in range(12):
            leader = cell.leader()
            followers = [n for n in NODES if n != leader]
            name, pairs, goes_on = list(shapes(leader, followers))[number]
            for pair in pairs:
                cell.network.lose(*pair)
            if goes_on:
                load.wait_progress(f"with the cut '{name}' (leader was {leader})")
            else:
                time.sleep(5)
            cell.network.heal()
            load.wait_progress(f"healed after '{name}'")
        load.finish()


def test_one_lease(tmp_path):
    """However the leader is cut off or paused, no two nodes may answer reads at once."""
    with loaded_cell(tmp_path / "cell", network=True) as (cell, load):
        over = threading.Event()
        doubles = []

        def watch():
            while not over.is_set():
                # Asked in turn: whoever is said to hold the lease at the first and the
                # third look held it at the second.
                for one, other in itertools.permutations(NODES, 2):
                    if cell.leaders([one]) and cell.leaders([other]) and \
                            cell.leaders([one]):
                        doubles.append((one, other))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        for _ in range(3):
            leader = cell.leader()
            cell.network.isolate(leader)
            cell.wait_other_leader(leader)
            load.wait_progress(f"{leader} isolated")
            cell.network.heal()
            load.wait_progress("healed")
        over.set()
        watcher.join(10)
        assert not doubles, doubles
        load.finish()


def test_paused_leader(tmp_path):
    """A leader that was stopped and goes on answers nothing that is stale."""
    with loaded_cell(tmp_path / "cell") as (cell, load):
        cluster_id = cell.cluster_id()
        path = f"/api/v1/clusters/{cluster_id}/topics"
        for number in range(5):
            leader = cell.leader()
            cell.pause(leader)
            other = cell.wait_other_leader(leader)
            load.wait_progress(f"{leader} stopped")
            # The question lies in the stopped process's socket; what it is asked about
            # happens elsewhere before it wakes up.
            answers = []
            asking = threading.Thread(target=lambda: answers.append(
                cell.get(leader, path, cell.admin_token, limit_s=30)))
            asking.start()
            cell.create_topic(other, f"made-while-stopped-{number}")
            cell.resume(leader)
            asking.join(40)
            status, text = answers[0]
            assert status in (421, 503, None) or f"made-while-stopped-{number}" in text, \
                (status, text)
            load.wait_progress(f"{leader} goes on")
        load.finish()


def test_clock_jumps(tmp_path):
    """The wall clock of a node, the leader's too, jumps an hour ahead and back: leases and
    elections go by the monotonic one, offsets and order hold."""
    clocks = tmp_path / "programs"
    build = programs_with_clocks(clocks)

    def jump(name, text):
        (clocks / f"clock-{name}").write_text(text + "\n")

    for name in NODES:
        jump(name, "+0")
    with loaded_cell(tmp_path / "cell", build=build) as (cell, load):
        for text in ("+20m", "-20m", "+50m", "+0"):
            leader = cell.leader()
            jump(leader, text)
            load.wait_progress(f"the clock of the leader {leader} is off by {text}")
            cell.kill(leader)
            load.wait_progress(f"{leader} dead, whose clock was off by {text}")
            cell.start(leader)
            for name in NODES:
                jump(name, text)
            load.wait_progress(f"all clocks are off by {text}")
        load.finish()


def test_full_disk(tmp_path):
    """The leader's disk fills up: it stops acknowledging and steps down, the others go on;
    with room again it comes back."""
    directory = tmp_path / "cell"
    with contextlib.ExitStack() as stack:
        disks = {n: stack.enter_context(small_disk(directory / "data" / n)) for n in NODES}
        if not all(d.mounted for d in disks.values()):
            pytest.fail("this test must be able to mount a tmpfs")
        cell, load = stack.enter_context(loaded_cell(directory))
        leader = cell.leader()
        disks[leader].fill()
        cell.wait_other_leader(leader)
        load.wait_progress(f"the disk of {leader} is full")
        disks[leader].empty()
        load.wait_progress(f"{leader} has room again")
        follower = next(n for n in NODES if n != cell.leader())
        disks[follower].fill()
        load.wait_progress(f"the disk of the follower {follower} is full")
        disks[follower].empty()
        cell.kill(leader)
        cell.start(leader)
        load.wait_progress("all have room again")
        load.finish()


@pytest.mark.parametrize("fault", ["wal-sync:*:sleep=150", "wal-sync-fails:40:error"])
def test_bad_disk(tmp_path, fault):
    """A leader whose disk is slow or breaks does not take the cell with it."""
    with loaded_cell(tmp_path / "cell") as (cell, load):
        for _ in range(2):
            leader = cell.leader()
            cell.kill(leader)
            assert cell.start_armed(leader, fault)
            load.wait_progress(f"{leader} with {fault}")
            with contextlib.suppress(RuntimeError):
                cell.transfer_to(leader)
            load.wait_progress(f"{leader} with {fault}, perhaps leading")
            cell.kill(leader)
            cell.start(leader)
            load.wait_progress("sound again")
        load.finish()


@pytest.mark.parametrize("fault", [None, "recover-moving:1", "recover-moved:1"])
def test_damaged_log(tmp_path, fault):
    """Bits of a node's log flip: it is noticed, never cut, and the node recovers from the
    others, also when it dies on the way."""
    with loaded_cell(tmp_path / "cell") as (cell, load):
        victim = next(n for n in NODES if n != cell.leader())
        cell.kill(victim)
        data = cell.directory / "data" / victim
        logs = sorted(data.glob("wal-*.log"))
        damaged = logs[0]
        content = bytearray(damaged.read_bytes())
        for at in range(200, 260):
            content[at] ^= 0x55
        damaged.write_bytes(content)
        if fault:
            assert not cell.start_armed(victim, fault), f"it did not come to {fault}"
        cell.start(victim)
        load.wait_progress("with a damaged node")
        cell.wait_caught_up(victim)
        assert "damage" in cell.logs(victim)
        # Only with it can the cell now lose another node.
        other = next(n for n in NODES if n not in (victim, cell.leader()))
        cell.kill(other)
        load.wait_progress(f"{victim} counts again")
        load.finish()


@pytest.mark.parametrize("sender", ["lives", "dies"])
def test_follower_far_behind(tmp_path, sender):
    """A node that was away while the others cut their logs gets the state as a snapshot,
    also when the leader dies while it sends that."""
    with loaded_cell(tmp_path / "cell") as (cell, load):
        victim, other = (n for n in NODES if n != cell.leader())
        cell.kill(victim)
        cell.make_entries(KEPT_ENTRIES + 500)
        load.wait_progress("with a node far behind")
        if sender == "dies":
            cell.kill(other)
            assert cell.start_armed(other, "snapshot-data-sent:1")
            cell.wait_caught_up(other)
            cell.transfer_to(other)
        cell.start(victim)
        cell.wait_caught_up(victim)
        assert cell.metric(victim, "snapshots_installed_total") >= 1
        if sender == "dies":
            assert cell.wait_dead(cell.pid(other), 1), "it did not come to the point"
            cell.start(other)
        load.wait_progress("all are there")
        load.finish()


def test_other_cells_data(tmp_path):
    """A node that is given another cell's directory joins nobody and harms nobody."""
    with CellCluster(tmp_path / "other", control_planes=1, agents=0) as other:
        other.stop("controlplane-1")
        with loaded_cell(tmp_path / "cell") as (cell, load):
            victim = next(n for n in NODES if n != cell.leader())
            cell.kill(victim)
            data = cell.directory / "data" / victim
            shutil.move(data, tmp_path / "kept")
            shutil.copytree(other.directory / "data" / "controlplane-1", data)
            with contextlib.suppress(RuntimeError, subprocess.TimeoutExpired):
                cell.start_armed(victim, None, limit_s=5)
            load.wait_progress("with a stranger")
            cell.kill(victim)
            shutil.rmtree(data)
            shutil.move(tmp_path / "kept", data)
            cell.start(victim)
            cell.wait_caught_up(victim)
            load.finish()
