"""The checkers of the crash tests and of the simulators are themselves shown to fail:
on made-up readings, and on deliberately broken builds (tests/mutants/mutants.py).

    WEFT_MUTANTS=all         every mutant, not only those of the CI run
    WEFT_MUTANTS=NAME,NAME   these
"""

import os
import pathlib
import subprocess
import sys
import time

import pytest

from checker import Checker, Violation, value
from faults import FaultCluster
from workload import Workload

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "mutants"))

from mutants import (GROUP_MUTANTS, MUTANTS, SIMULATOR_MUTANTS, build,  # noqa: E402
                     build_simulator)

ROUNDS_LIMIT_S = 20
PROGRESS_S = 10


# -- made-up readings --


def told():
    """A checker that knows of five records, all acknowledged: three of an idempotent
    producer at offsets 0, 1 and 3, two of another at 2 and 4; and a reading of them."""
    checker = Checker()
    checker.add_producer("idem", True)
    checker.add_producer("plain", False)
    rows = []
    for offset, producer in enumerate(("idem", "idem", "plain", "idem", "plain")):
        sequence, data = checker.next_value(producer, 0)
        checker.acked(producer, 0, sequence, offset)
        rows.append((offset, data))
    return checker, rows


def kinds_of(rows, checker):
    checker.verify({0: rows})
    return checker.kinds()


def test_right_reading():
    checker, rows = told()
    assert kinds_of(rows, checker) == set()
    checker.compare({0: rows}, {0: list(rows)})
    checker.assert_clean()


def renumbered(rows):
    return [(offset, data) for offset, (_, data) in enumerate(rows)]


@pytest.mark.parametrize("kind,change", [
    ("lost", lambda rows: rows[:-1]),
    ("lost", lambda rows: []),
    ("lost", lambda rows: renumbered(rows[:2] + rows[3:])),
    ("gap", lambda rows: rows[:2] + rows[3:]),
    ("gap", lambda rows: rows[1:]),
    ("doubled", lambda rows: renumbered(rows + rows[3:4])),
    ("doubled", lambda rows: renumbered(rows[:1] + rows)),
    ("order", lambda rows: renumbered([rows[1], rows[0]] + rows[2:])),
    ("content", lambda rows: rows[:4] + [(4, rows[4][1] + b"x")]),
    ("content", lambda rows: rows[:4] + [(4, None)]),
    ("content", lambda rows: rows + [(5, value("idem", 0, 99))]),
    ("content", lambda rows: rows + [(5, value("nobody", 0, 0))]),
    ("content", lambda rows: rows + [(5, value("idem", 1, 0))]),
])
def test_wrong_reading(kind, change):
    """Each kind of wrong is found in an otherwise right reading."""
    checker, rows = told()
    assert kind in kinds_of(change(rows), checker)
    with pytest.raises(Violation):
        checker.assert_clean()


def test_plain_producers_may_repeat():
    """Without idempotence a record may be there twice; it must be there."""
    checker, rows = told()
    assert kinds_of(rows + [(5, rows[2][1])], checker) == set()


def test_acknowledged_without_an_offset():
    """An idempotent producer's record may be acknowledged by a later one's answer; it must be
    there then. No other producer's may."""
    checker, rows = told()
    checker.acked("idem", 0, 1, None)
    assert kinds_of(rows, checker) == set()
    _, data = checker.next_value("idem", 0)
    checker.acked("idem", 0, 3, -1001)
    assert kinds_of(rows + [(5, data)], checker) == set()
    assert kinds_of(rows, checker) == {"lost"}
    checker, _ = told()
    checker.acked("plain", 0, 0, None)
    assert checker.kinds() == {"lost"}


def test_offset_that_changes():
    """An offset stands for one record for ever, acknowledged or not."""
    checker, rows = told()
    sequence, data = checker.next_value("plain", 0)
    checker.read(0, 5, data)
    assert kinds_of(rows + [(5, data)], checker) == set()
    _, other = checker.next_value("plain", 0)
    checker.read(0, 5, other)
    assert checker.kinds() == {"changed"}


def test_record_that_goes_away():
    """What a reader has seen stays, acknowledged or not."""
    checker, rows = told()
    checker.read(0, 5, checker.next_value("plain", 0)[1])
    assert kinds_of(rows, checker) == {"lost"}


def test_watermark_that_goes_back():
    checker, _ = told()
    checker.watermark("a", 0, 5)
    checker.watermark("b", 0, 4)
    checker.watermark("a", 1, 3)
    checker.assert_clean()
    checker.watermark("a", 0, 4)
    assert checker.kinds() == {"watermark"}


def test_readings_that_differ():
    checker, rows = told()
    checker.compare({0: rows}, {0: rows[:-1]})
    assert checker.kinds() == {"differs"}


# -- broken builds --


def chosen():
    wanted = os.environ.get("WEFT_MUTANTS", "")
    if wanted == "all":
        return MUTANTS
    return [m for m in MUTANTS if (m.name in wanted.split(",") if wanted else m.in_ci)]


def chosen_of(mutants):
    wanted = os.environ.get("WEFT_MUTANTS", "")
    return [m for m in mutants if wanted in ("", "all") or m.name in wanted.split(",")]


def break_something(cluster, name, fault):
    """Let NAME die at FAULT, if it comes to it, and start it again."""
    cluster.kill(name)
    if fault and cluster.start_armed(name, fault, limit_s=PROGRESS_S):
        cluster.wait_dead(cluster.pid(name), PROGRESS_S)
        cluster.kill(name)
    cluster.start_armed(name, None, limit_s=PROGRESS_S)


def provoke(cluster, load, faults):
    """Break things until the checker finds something, or the time is over; then read
    everything, so that it has seen all there is to see. Raises what was found."""
    until = time.monotonic() + ROUNDS_LIMIT_S
    try:
        load.wait_progress("at first", PROGRESS_S)
        while time.monotonic() < until:
            for name, fault in faults:
                break_something(cluster, name, fault)
                load.wait_progress(f"{name} at {fault}", PROGRESS_S)
    except Violation as found:
        print(f"on the way: {found}")
    load.finish(read_limit_s=PROGRESS_S)


@pytest.mark.parametrize("mutant", chosen(), ids=lambda m: m.name)
def test_broken_build(mutant, tmp_path):
    """A build with one thing wrong does not pass: the checker says what it should."""
    programs = build(mutant)
    with FaultCluster(tmp_path / "cluster", build=programs,
                      agent_set={"flush-interval": "15ms"},
                      control_plane_set={"checkpoint-interval": "400ms"}) as cluster, \
            Workload(cluster) as load:
        load.flush_limit_s = PROGRESS_S
        load.add_default_producers().start()
        with pytest.raises(Violation) as caught:
            provoke(cluster, load, mutant.faults)
        load.close()
    print(f"{mutant.name}: {load.checker.kinds()}\n{caught.value}")
    assert load.checker.kinds() & mutant.kinds, f"found something else: {caught.value}"


@pytest.mark.parametrize("mutant", chosen_of(SIMULATOR_MUTANTS), ids=lambda m: m.name)
def test_broken_replica(mutant):
    """The simulator does not pass a build with one thing wrong, and names the seed."""
    simulator = build_simulator(mutant)
    done = subprocess.run(
        [simulator, "--first", str(mutant.first), "--seeds", str(mutant.seeds), "--jobs", "2",
         "--until-failure"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    print(f"{mutant.name}: {done.stdout}")
    assert done.returncode == 1, f"{mutant.wrong}, and {mutant.seeds} seeds pass"
    assert "; replay: " in done.stdout


@pytest.mark.parametrize("mutant", chosen_of(GROUP_MUTANTS), ids=lambda m: m.name)
def test_broken_group(mutant):
    """The simulations of groups do not pass a build with one thing wrong."""
    simulator = build_simulator(mutant)
    done = subprocess.run([simulator, "1", str(mutant.seeds)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    print(f"{mutant.name}: {done.stdout}")
    assert done.returncode == 1, f"{mutant.wrong}, and {mutant.seeds} seeds pass"
    assert done.stdout.startswith("seed ")
