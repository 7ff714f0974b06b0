"""What the Python programs of group members share; tests/interop/README.md describes the
command line and the lines.

A library's member is a class with run(stop): it joins, reads, commits and, when stop is
set, leaves in good order. main() runs each member in a thread of its own.
"""

import argparse
import json
import os
import sys
import threading
import time

POLL_S = 0.1

_lock = threading.Lock()


def emit(member, event, **more):
    """Print what happened to MEMBER, at once: nothing may be lost when we are killed."""
    line = json.dumps({"event": event, "member": member, "at": time.monotonic(), **more})
    with _lock:
        os.write(1, line.encode() + b"\n")


class Positions:
    """What a member has read of the partitions that it has."""

    def __init__(self, member):
        self.member = member
        self.next = {}          # partition -> offset to commit
        self.done = {}          # partition -> offset acknowledged

    def assigned(self, partitions, **more):
        emit(self.member, "assigned", partitions=sorted(partitions), **more)

    def gone(self, event, partitions):
        for partition in partitions:
            self.next.pop(partition, None)
            self.done.pop(partition, None)
        emit(self.member, event, partitions=sorted(partitions))

    def read(self, offsets, owned=None):
        """OFFSETS {partition: [offset...]} were read now, or, if they are not of OWNED,
        just before the partition went: another thread has told that first."""
        for partition, found in offsets.items():
            late = owned is not None and partition not in owned
            emit(self.member, "records", partition=partition, first=found[0],
                 last=found[-1], count=len(found), late=late)
            if not late:
                self.next[partition] = found[-1] + 1

    def committing(self, partitions=None):
        """What is to be committed now, of PARTITIONS or all, told as attempted."""
        offsets = {p: offset for p, offset in self.next.items()
                   if self.done.get(p) != offset and (partitions is None or p in partitions)}
        if offsets:
            emit(self.member, "committing", offsets=offsets)
        return offsets

    def committed(self, offsets):
        self.done.update(offsets)
        if not offsets:
            return
        emit(self.member, "committed", offsets=offsets)

    def commit_failed(self, offsets, error):
        emit(self.member, "commit_failed", offsets=offsets, message=repr(error))


def options():
    parser = argparse.ArgumentParser()
    for name in ("bootstrap", "topic", "group", "members", "protocol"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--session-ms", type=int, default=6000)
    parser.add_argument("--commit-ms", type=int, default=300)
    return parser.parse_args()


def commands():
    """The words of each command on standard input; "quit" at its end."""
    for line in sys.stdin:
        words = line.split()
        if words:
            yield words
    yield ["quit"]


def main(make):
    """Run members that MAKE(options, name) gives, until told to quit."""
    chosen = options()
    running = {}

    def body(name, stop):
        try:
            make(chosen, name).run(stop)
            emit(name, "closed")
        except Exception as error:  # of any library: told, then the program ends
            emit(name, "error", message=f"{error!r}: {error.__cause__!r}")
            os._exit(1)

    def add(name):
        stop = threading.Event()
        thread = threading.Thread(target=body, args=(name, stop))
        running[name] = (thread, stop)
        thread.start()

    for name in chosen.members.split(","):
        add(name)
    for words in commands():
        if words[0] == "add":
            add(words[1])
        elif words[0] == "close":
            running[words[1]][1].set()
        else:
            break
    for thread, stop in running.values():
        stop.set()
    for thread, _ in running.values():
        thread.join()
