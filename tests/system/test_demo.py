"""The demo, as the README has it: what somebody sees first must end well."""

import os
import re
import subprocess
import sys

from cluster import ROOT

SPREAD = True
LIMIT_S = 600


def run(command, **options):
    """What COMMAND wrote; it must end with 0."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False, **options)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_demo(tmp_path):
    """It verifies all that it shows by itself; with --keep the cluster goes on, and the
    three commands that it prints do what they should."""
    cluster = tmp_path / "demo" / "cluster"
    try:
        said = run([sys.executable, ROOT / "scripts" / "demo.py", "--keep", "--dir",
                    cluster.parent])
        records = int(re.search(r"input: (\d+) packages", said)[1])
        assert records > 60_000
        for reading in ("reading live", "reading after the crash"):
            assert f"{reading}: {records} records verified: each exactly once, in order" in said
        assert "both readings are equal to the byte, offsets included" in said
        assert re.search(r"the store holds \d+ objects, .* each verified by checksum", said)
        assert re.search(r"\d+ PUT, \d+ GET; on S3 that is \$", said)
        assert re.search(r"^bootstrap=127\.0\.0\.1:\d+,127\.0\.0\.1:\d+$", said, re.M)

        listing, last, greeting = re.findall(r"^  ((?:echo|kcat) .*)$", said, re.M)
        assert "2 brokers" in run(listing, shell=True)
        assert len(re.findall(r"^\d+@\d+ \S+$", run(last, shell=True), re.M)) >= 3
        run(greeting, shell=True)
        assert "hello" in run(last.replace("-t packages", "-t greetings"), shell=True)
    finally:
        run([ROOT / "scripts" / "dev-cluster", "down", "--dir", cluster])


def test_demo_on_a_cell(tmp_path):
    """README.md's other way: three control planes, the leader killed again and again; all the
    same holds, and nothing is left behind."""
    command = "./scripts/demo --control-planes 3 --chaos"
    assert command in (ROOT / "README.md").read_text()
    said = run(command.split(), cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)})
    assert int(re.search(r"the leader was killed (\d+) times", said)[1]) > 0
    assert "all of it held" in said
    assert not list(tmp_path.glob("weft-demo-*"))
