"""kill -9 at every named fault point of produce and commit, and at random times.

One cluster and one workload go through all rounds. In each round one or more processes
die, are started again, and every producer must then get records acknowledged, by itself
(I11). What was acknowledged, and what a live reader read, is checked all along and as a
whole at the end (tests/lib/checker.py).

    WEFT_CRASH_SEED=N      another course of events; the seed is printed
    WEFT_CRASH_RANDOM=N    so many rounds at random, besides the fault points' (140)
    WEFT_CRASH_ROUNDS=A-B  only these rounds of the plan, to repeat what a failure names
"""

import concurrent.futures
import os
import random
import time

from checker import Violation
from faults import FaultCluster, points
from workload import Workload

CONTROL_PLANE = "controlplane-1"
# How long a process may take to come to an armed point. Generous: it is never waited out.
REACH_LIMIT_S = 60
# Small everything, so that each point is passed often: segments, checkpoints, objects.
AGENT_SET = {"flush-interval": "15ms", "hedge-after": "3ms"}
CONTROL_PLANE_SET = {"checkpoint-interval": "400ms", "checkpoint-log": "64KiB",
                     "wal-segment": "64KiB", "backup-every": "1s"}
# Points that a cell of one voter does not come to while it runs, by how their names
# begin, and who tests them.
ELSEWHERE = {
    "wal-cut": "cuts entries that another leader overruled, or a torn tail at start: "
               "tests/unit/test_wal.c",
    "wal-reset": "a log behind an installed snapshot: tests/unit/test_node_install.c",
    "install-": "a snapshot of the leader: tests/unit/test_node_install.c",
    "restore-": "a backup put in the place of nothing: tests/system/test_cell.py",
    "recover-": "a damaged log, made good by others: tests/system/test_cell_faults.py",
    "snapshot-data-sent": "to a node far behind: tests/system/test_cell_faults.py",
}


def is_elsewhere(name):
    return any(name.startswith(beginning) for beginning in ELSEWHERE)


# Points that are passed so often only in one life of the process, at its start.
PASSES = {"vote-store": 1, "vote-write": 2, "vote-written": 2}


def planned_rounds(rng, random_rounds):
    """The plan: (kind, what) for each round; the points that need a long log come last."""
    rounds = []
    for later in (0, rng.randrange(1, 8)):
        for name in points("agent", "common"):
            agent = f"agent-{rng.choice((1, 2))}"
            rounds.append(("point", (agent, f"{name}:{1 + later}")))
        for name in points("controlplane"):
            if not is_elsewhere(name):
                number = min(1 + later, PASSES.get(name, 1 + later))
                rounds.append(("point", (CONTROL_PLANE, f"{name}:{number}")))
    for _ in range(random_rounds):
        victims = rng.choice((["agent-1"], ["agent-2"], ["agent-1"], ["agent-2"],
                              [CONTROL_PLANE], [CONTROL_PLANE], [CONTROL_PLANE],
                              ["agent-1", "agent-2"], ["agent-2", CONTROL_PLANE],
                              ["agent-1", "agent-2", CONTROL_PLANE]))
        rounds.append(("random", (victims, rng.uniform(0, 0.25))))
    rng.shuffle(rounds)
    rounds.sort(key=lambda r: r[0] == "point" and r[1][1].startswith("wal-trim"))
    return rounds


def kill_at_point(cluster, name, fault):
    """Start NAME armed; it dies at the point, and comes back without."""
    cluster.kill(name)
    if cluster.start_armed(name, fault) and \
            not cluster.wait_dead(cluster.pid(name), REACH_LIMIT_S):
        raise Violation(f"{name} does not come to {fault} within {REACH_LIMIT_S} s: "
                        "the workload must reach each point")
    passed = f"point={fault.split(':')[0]}"
    if passed not in cluster.logs(name):
        raise Violation(f"{name} ended, but not at {fault}")
    cluster.start(name)


def kill_at_random(cluster, victims, after_s):
    time.sleep(after_s)
    with concurrent.futures.ThreadPoolExecutor(len(victims)) as pool:
        list(pool.map(cluster.kill, victims))
    # An agent is ready only when it has a control plane.
    for name in sorted(victims, reverse=True):
        cluster.start(name)


def chosen(rounds):
    first, _, last = os.environ.get("WEFT_CRASH_ROUNDS", "").partition("-")
    if not first:
        return list(enumerate(rounds))
    return list(enumerate(rounds))[int(first):int(last or first) + 1]


def test_kill_9(tmp_path):
    """Nothing acknowledged is lost, doubled, out of order or changed by 200 and more kills."""
    seed = int(os.environ.get("WEFT_CRASH_SEED", random.SystemRandom().randrange(10**6)))
    rng = random.Random(seed)
    rounds = planned_rounds(rng, int(os.environ.get("WEFT_CRASH_RANDOM", 140)))
    print(f"seed {seed}, {len(rounds)} rounds", flush=True)
    assert len(rounds) >= 200 or "WEFT_CRASH_RANDOM" in os.environ
    (tmp_path / "backups").mkdir()
    backups = f"file://{tmp_path}/backups"

    with FaultCluster(tmp_path / "cluster", agent_set=AGENT_SET,
                      control_plane_set={**CONTROL_PLANE_SET, "backup-to": backups}
                      ) as cluster, \
            Workload(cluster, seed=seed) as load:
        load.add_default_producers().start()
        load.wait_progress("before the first round")
        for number, (kind, what) in chosen(rounds):
            context = (f"round {number} ({kind} {what}); to repeat: "
                       f"WEFT_CRASH_SEED={seed} WEFT_CRASH_ROUNDS={number}")
            try:
                (kill_at_point if kind == "point" else kill_at_random)(cluster, *what)
                load.wait_progress(context)
            except (RuntimeError, AssertionError) as error:
                raise Violation(f"{context}\n{error}") from error
        reading = load.finish(context=f"after all rounds of seed {seed}")
    records = sum(len(rows) for rows in reading.values())
    print(f"{len(rounds)} rounds, {load.checker.acked_count} acknowledged, {records} records, "
          f"{load.readers[0].records} read live, refusals {load.readers[0].refusals}")
    assert load.readers[0].records > 0
