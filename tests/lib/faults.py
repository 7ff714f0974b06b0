"""Named fault points (common/fault.h), and processes started with one of them armed.

The points are found in the sources, so that a new one is tested by itself: those of
agent/ and common/ belong to the agent, those of controlplane/ to the control plane.
Needs programs built with `make FAULTS=1`; FaultCluster starts those.
"""

import json
import os
import pathlib
import re
import subprocess
import time

from cluster import COMMAND_LIMIT_S, DEV_CLUSTER, ROOT, UP_LIMIT_S, Cluster

FAULT_BUILD = ROOT / "build" / "release-faults"
POINT = re.compile(r"\bFAULT_(POINT|ERROR)\(\"([^\"]+)\"\)")


def points(*directories, kinds=("POINT", "ERROR")):
    """The names of the points in the sources of DIRECTORIES, sorted."""
    found = {name for directory in directories
             for source in (ROOT / directory).glob("*.c")
             for kind, name in POINT.findall(source.read_text()) if kind in kinds}
    assert found, f"no fault points in {directories}"
    return sorted(found)


class FaultCluster(Cluster):
    """A Cluster of another build's programs, by default those with fault points."""

    def __init__(self, directory, build=FAULT_BUILD, **options):
        super().__init__(directory, **options)
        self.build = pathlib.Path(build)
        self.dev_cluster = DEV_CLUSTER
        assert (self.build / "weft-agent").exists(), \
            f"{self.build} is missing: run 'make FAULTS=1'"

    def _run(self, command, *arguments, fault=None, limit_s=None):
        words = [str(self.dev_cluster), command, "--dir", str(self.directory), *arguments]
        environment = {**os.environ, "WEFT_BUILD": str(self.build)}
        environment.pop("WEFT_FAULT", None)
        if fault:
            environment["WEFT_FAULT"] = fault
        limit_s = limit_s or (UP_LIMIT_S if command == "up" else COMMAND_LIMIT_S)
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL, env=environment, timeout=limit_s)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit {done.returncode}\n"
                               f"{done.stdout}{done.stderr}")
        return done.stdout

    def start_armed(self, name, fault, limit_s=COMMAND_LIMIT_S):
        """Start NAME with WEFT_FAULT=FAULT. False if it died before it was ready."""
        try:
            self._run("start", name, fault=fault, limit_s=limit_s)
        except RuntimeError as error:
            if "ended before it was ready" not in str(error):
                raise
            return False
        return True

    def names(self):
        return ["controlplane-1"] + [f"agent-{i + 1}" for i in range(self.agents)]

    def pid(self, name):
        """The id of the process that NAME was started as last."""
        state = json.loads((self.directory / "cluster.json").read_text())
        return state["processes"][name]["pid"]

    def wait_dead(self, pid, limit_s):
        """True when the process PID has ended within LIMIT_S."""
        until = time.monotonic() + limit_s
        while time.monotonic() < until:
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                    if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                        return True
            except (FileNotFoundError, ProcessLookupError):
                return True
            time.sleep(0.01)
        return False
