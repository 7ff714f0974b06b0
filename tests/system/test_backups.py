"""Backups that a cell makes by itself (--backup-to): by whoever leads, every so often, and
only so many of them. What `weft backup` does is in test_cli_cell.py."""

import json
import re
import subprocess
import time

from cell import Cell, Node, wait_until
from control import BUILD

EVERY_S = 1
KEEP = 4
NAME = re.compile(r"weft-backup-([0-9a-f-]{36})-(\d{14})-(\d+)\.snapshot")


def verify(path):
    """What `weft backup verify` tells of PATH; it reads and checks everything."""
    done = subprocess.run([BUILD / "weft", "backup", "verify", path, "-o", "json"],
                          check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (path, done.stderr)
    return json.loads(done.stdout)


def names(directory):
    """The backups in DIRECTORY, oldest first, and nothing else but what is being put."""
    return sorted(p.name for p in directory.glob("*.snapshot"))


def wait_newer(directory, than, limit_s=30):
    """Wait for a backup younger than the name THAN; its name."""
    return wait_until(lambda: next((n for n in reversed(names(directory)) if n > than), None),
                      f"a backup after {than}", limit_s)


def test_scheduled_backups(tmp_path):
    """The leader of three makes them, also the next one after it was killed; each is whole
    and noted, the oldest go, and one of them is a cell again."""
    store = tmp_path / "store"
    store.mkdir()
    with Cell(tmp_path, backup_to=f"file://{store}", backup_every=f"{EVERY_S}s",
              backup_keep=KEEP) as cell:
        cell.grow(3)
        cell_id = cell.call("GET", "/api/v1/cell")["id"]
        last = wait_newer(store, "")
        leader = cell.leader()
        leader.kill()
        cluster = cell.call("POST", "/api/v1/clusters", {"name": "after"})
        assert cell.leader() is not leader
        last = wait_newer(store, wait_newer(store, last))
        leader.start()

        # Not more often than asked for, by however many nodes.
        begun, before = time.monotonic(), int(NAME.fullmatch(last)[2])
        for _ in range(KEEP + 2):
            last = wait_newer(store, last)
        made_in_ms = int(NAME.fullmatch(last)[2]) - before
        assert made_in_ms >= (KEEP + 2) * EVERY_S * 1000, (made_in_ms, time.monotonic() - begun)

        # While one is put, one more than is kept may lie there.
        wait_until(lambda: len(names(store)) <= KEEP, "the oldest are deleted")
        found = names(store)
        assert len(found) >= KEEP - 1
        assert {NAME.fullmatch(name)[1] for name in found} == {cell_id}
        told = verify(store / found[-1])
        assert told["applied_index"] == int(NAME.fullmatch(found[-1])[3])
        noted = wait_until(
            lambda: next((b for b in cell.call("GET", "/api/v1/backups")["items"]
                          if b["place"].endswith(found[-1])), None), "it is noted")
        assert noted["applied_index"] == told["applied_index"]
        assert noted["sha256"] == told["sha256"]
        assert noted["size_bytes"] == (store / found[-1]).stat().st_size
        for node in cell.nodes:
            assert not list(node.data.glob("*.snapshot"))
        kept = tmp_path / "kept.snapshot"
        kept.write_bytes((store / found[-1]).read_bytes())
        key, ports = cell.founder_data / "cell.key", cell.nodes[0].all_ports
        for node in cell.nodes:
            node.kill()

        again = Node(cell, tmp_path / "again", ports=ports, restore=kept, cell_key_file=key)
        cell.nodes.append(again)
        again.start()
        clusters = cell.call("GET", "/api/v1/clusters")["items"]
        assert cluster["id"] in [c["id"] for c in clusters]
