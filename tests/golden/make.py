#!/usr/bin/env python3
"""Make the golden frames anew, or verify the ones that stand.

    tests/golden/make.py raw [API...]  every api, or these, and version, by capture/*.java
    tests/golden/make.py clients    real clients at work, through tests/lib/kafka_proxy.py
    tests/golden/make.py groups [NAME...]  real clients in groups, all or these
    tests/golden/make.py verify     Kafka's own classes decode and encode each frame

README.md beside this file says what the frames are for.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIB = ROOT / "build" / "kafka" / "lib"
CLASSES = ROOT / "build" / "kafka" / "capture"
sys.path.insert(0, str(ROOT / "tests" / "lib"))

import real_clients  # noqa: E402
from kafka_broker import SETUP, KafkaBroker  # noqa: E402


def build():
    """Compile the capture programs."""
    subprocess.run([SETUP], check=True)
    CLASSES.mkdir(parents=True, exist_ok=True)
    sources = sorted(str(path) for path in (HERE / "capture").glob("*.java"))
    subprocess.run(["javac", "-cp", f"{LIB}/*", "-d", CLASSES, *sources], check=True)


JAVA = ["java", "-Xmx256m", "-cp", f"{CLASSES}:{LIB}/*"]


def java(name, *arguments):
    """Run one of the capture programs; True if it succeeded."""
    return subprocess.run([*JAVA, name, *map(str, arguments)]).returncode == 0


def take(made, apis):
    """Put the frames of APIS, of all if there are none, from MADE in place of the old."""
    for folder in sorted(made.iterdir()):
        if apis and folder.name not in apis:
            continue
        (HERE / folder.name).mkdir(exist_ok=True)
        for path in (HERE / folder.name).glob("*-capture-*.bin"):
            path.unlink()
        for path in folder.iterdir():
            shutil.copy(path, HERE / folder.name)


def capture_raw(apis):
    """Frames of every api and version, from two brokers of one cluster."""
    config = {"broker.rack": "zone-1", "auto.create.topics.enable": "false"}
    with KafkaBroker(config=config) as first:
        second = KafkaBroker(join=first).start()
        try:
            if not java("Capture", "seed", first.bootstrap, second.bootstrap):
                raise SystemExit("seeding failed")
            # A new leader epoch for the second broker's partitions.
            second.kill()
            time.sleep(1)
            second.start()
            with tempfile.TemporaryDirectory() as made:
                if not java("Capture", "frames", first.bootstrap, second.bootstrap, made):
                    raise SystemExit("capturing failed")
                take(pathlib.Path(made), apis)
        finally:
            second.stop()


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    some = sys.argv[2:]
    if wanted not in ("raw", "clients", "groups", "verify") or \
            some and wanted not in ("raw", "groups"):
        raise SystemExit(__doc__)
    build()
    if wanted == "raw":
        capture_raw(some)
    if wanted in ("clients", "groups"):
        subprocess.run([ROOT / "tests" / "interop" / "setup"], check=True)
    if wanted == "clients":
        real_clients.capture()
    if wanted == "groups":
        real_clients.capture_groups(JAVA, some)
    if not java("Verify", HERE):
        raise SystemExit("some frames are not good")


if __name__ == "__main__":
    main()
