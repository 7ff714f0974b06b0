"""A rolling upgrade of a cell: programs of two feature levels in it, one after the other.

The newer program is a build of its own, `make LEVEL=2`: it says that it knows level 2, and
is otherwise the same. What a node does with a command that is above the level, or that it
does not know, is in tests/unit/test_node.c.
"""

import re
import subprocess

import pytest
from cell import wait_until
from cell_cluster import CellCluster
from control import BUILD, ROOT, Admin, Refused
from faults import FAULT_BUILD
from workload import Workload

NEW_BUILD = ROOT / "build" / "release-level-2"
FATAL_STATUS = 4


@pytest.fixture(name="new_build")
def new_build_fixture():
    """The programs of the higher level."""
    assert (NEW_BUILD / "weft-controlplane").exists(), \
        f"{NEW_BUILD} is missing: run 'make LEVEL=2'"
    assert NEW_BUILD not in (BUILD, FAULT_BUILD)
    return NEW_BUILD


def admin(cell):
    """An operator at the leader."""
    return Admin(cell.url(cell.leader()), cell.ca_file, cell.admin_token)


def level(cell):
    """(level, what all nodes can) as the cell tells."""
    told = cell.get_json(cell.leader(), "/api/v1/cell")
    return told["feature_level"], told["feature_level_max"]


def known(cell, name):
    """The level that the cell believes node NAME to know."""
    nodes = cell.get_json(cell.leader(), "/api/v1/cell/nodes")["items"]
    return next(n["feature_level_max"] for n in nodes if n["people_url"] == cell.url(name))


def use(directory, build):
    """The directory of programs, where what is started from now on is the control plane of
    BUILD; a process that runs keeps what it is."""
    directory.mkdir(exist_ok=True)
    for program in ("weft-agent", "weft", "weft-controlplane"):
        new = directory / f"{program}.new"
        new.symlink_to((build if program == "weft-controlplane" else BUILD) / program)
        new.replace(directory / program)
    return directory


def restart(cell, name, build):
    """NAME in good order, with the program of BUILD."""
    cell.stop(name)
    use(cell.build, build)
    cell.start(name)


def refused_to_raise(cell):
    with pytest.raises(Refused) as refused:
        admin(cell).call("PATCH", "/api/v1/cell", {"feature_level": 2})
    assert refused.value.status == 409
    return refused.value.problem["detail"]


def test_rolling_upgrade(tmp_path, new_build):
    """Old and new nodes are a cell under load; the level is raised when all can and not
    before; then an old program is refused, says what to start, and harms nothing."""
    programs = use(tmp_path / "programs", BUILD)
    with CellCluster(tmp_path / "c", build=programs, agents=2) as cell, Workload(cell) as load:
        load.add_default_producers().start()
        load.wait_progress("all old")
        for count, name in enumerate(cell.node_names, 1):
            assert level(cell) == (1, 1)
            assert re.search("feature level 1|knows level 1|Upgrade", refused_to_raise(cell))
            restart(cell, name, new_build)
            load.wait_progress(f"{count} of 3 new")
            wait_until(lambda name=name: known(cell, name) == 2, f"{name} tells what it knows")

        # Back to the old one before the level was raised: allowed, and told.
        back = cell.node_names[0]
        restart(cell, back, BUILD)
        wait_until(lambda: known(cell, back) == 1, f"{back} tells that it is old again")
        refused_to_raise(cell)
        restart(cell, back, new_build)
        wait_until(lambda: level(cell) == (1, 2), "all can")

        upgrade = subprocess.run(
            [BUILD / "weft", "cell", "upgrade", "--feature-level", "2", "--yes"], check=False,
            env={"HOME": str(tmp_path), "WEFT_SERVER": cell.url(cell.leader()),
                 "WEFT_CA_FILE": cell.ca_file, "WEFT_TOKEN": cell.admin_token},
            capture_output=True, text=True, timeout=60)
        assert upgrade.returncode == 0, upgrade.stderr
        assert level(cell) == (2, 2)
        load.wait_progress("raised")

        # An old one that comes back, whether or not it has heard of the new level.
        for name in cell.node_names[:2]:
            cell.stop(name)
            use(cell.build, BUILD)
            with pytest.raises(RuntimeError, match="ended before it was ready"):
                cell.start(name)
            log = cell.logs(name)
            assert "the cell is at feature level 2" in log
            assert "start the version that the other nodes run" in log
            load.wait_progress(f"without {name}")
            use(cell.build, new_build)
            cell.start(name)
            cell.wait_caught_up(name)
        load.wait_progress("all new")
        load.finish()


def test_old_program_that_was_away(tmp_path, new_build):
    """A node that was down while the others rose, and comes back as it was, meets the
    higher level in the log: it stops with a status of its own, and goes on as a new one."""
    with CellCluster(tmp_path / "c", build=use(tmp_path / "programs", BUILD), agents=0) as cell:
        for name in cell.node_names:
            restart(cell, name, new_build)
        wait_until(lambda: level(cell) == (1, 2), "all can")
        away = next(n for n in cell.node_names if n != cell.leader())
        cell.kill(away)
        assert admin(cell).call("PATCH", "/api/v1/cell", {"feature_level": 2})[
            "feature_level"] == 2
        use(cell.build, BUILD)
        try:
            cell.start(away)
        except RuntimeError as error:
            assert "ended before it was ready" in str(error)
        wait_until(lambda: f"status={FATAL_STATUS}" in cell.logs(away), "it stops")
        assert "the cell is at feature level 2" in cell.logs(away)
        use(cell.build, new_build)
        cell.start(away)
        cell.wait_caught_up(away)
        assert level(cell) == (2, 2)
