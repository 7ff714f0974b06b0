"""What must hold of a group's members, whatever joins, leaves, dies or pauses meanwhile.

A GroupChecker is told what each member says of itself, with monotonic times of this
machine, and what the test does to it; verify() goes through the history in order of time.
All of it is of one topic and one group. What is wrong is kept in `violations`:

    owned-twice  two members had a partition at a time, or in one generation
    skipped      a record was passed over: a hole in what a member read, a member that began
                 past what was committed, a commit past what anybody read, or the end
    doubled      a record was read again although its commit had been acknowledged
    fence        a commit was acknowledged after the partition had gone to somebody else
    stray        a member read records of a partition that it did not have
    lost-commit  the server has less than what it acknowledged, or what nobody committed
    order        a member says what cannot be, for instance that it got what it had
    failed       a client ended, or said that something failed that must work

Duplicates are allowed where at-least-once allows them: what was read and whose commit was
not acknowledged, because its reader died, paused, or was refused the commit. A member that
pauses or dies may be taken for dead: until it says itself that it lost its partitions, its
ownership does not count. Told from many threads; tests/system/test_group_checker.py shows
that it fails.
"""

import threading
import time
from dataclasses import dataclass, field

from checker import Violation

SHOWN = 20
OWNERSHIP = ("assigned", "revoked", "lost", "dead")


@dataclass
class _Partition:
    """What is known of a partition at one point of the history."""

    covered: int = 0                            # every record below was read
    acked: int = 0                              # the largest offset acknowledged
    attempted: int = 0                          # the largest that anybody tried to commit
    owners: dict = field(default_factory=dict)  # member -> since when
    position: dict = field(default_factory=dict)    # member -> next offset, None: none yet
    begun_at: dict = field(default_factory=dict)    # member -> acked when it got it
    resume: dict = field(default_factory=dict)  # member -> next offset, when it had it last
    asked: dict = field(default_factory=dict)   # member -> when it asked for a commit last


class GroupChecker:
    """partitions   how many the topic has
    fences          False for a target that does not check generations (simple commits)"""

    def __init__(self, partitions, fences=True):
        self.partitions = partitions
        self.fences = fences
        self.lock = threading.Lock()
        self.history = []           # (at, serial, member, kind, what)
        self.owned = {}             # member -> set of partitions, as it said last
        self.covered = [0] * partitions     # as told, before verify()
        self.changed_at = 0.0       # when ownership changed last
        self.gone = set()
        self.errors = []
        self.violations = []

    # -- what members say --

    def told(self, member, kind, at, **what):
        """Member MEMBER said KIND at AT, in seconds of the monotonic clock.

        assigned, revoked, lost   partitions; assigned also generation, if the client has it
        records                   partition, first, last, count; late, if they were read
                                  before the partition went, of which was told first
        committing, committed, commit_failed   offsets {partition: offset}
        error                     message"""
        with self.lock:
            self.history.append((at, len(self.history), member, kind, what))
            if kind == "error":
                self.errors.append(f"{member}: {what.get('message')}")
            owned = self.owned.setdefault(member, set())
            if kind == "assigned":
                owned.update(what["partitions"])
            elif kind in ("revoked", "lost"):
                owned.difference_update(what["partitions"])
            elif kind == "dead":
                self.owned.pop(member)
            elif kind == "records":
                at_end = self.covered[what["partition"]]
                self.covered[what["partition"]] = max(at_end, what["last"] + 1)
            if kind in OWNERSHIP and (kind == "dead" or what["partitions"]):
                self.changed_at = max(self.changed_at, at)

    # -- what the test does --

    def dead(self, member, at=None):
        """MEMBER was killed at AT."""
        self.told(member, "dead", time.monotonic() if at is None else at)

    def paused(self, member, at=None):
        """MEMBER was stopped at AT, and may be taken for dead from then on."""
        self.told(member, "paused", time.monotonic() if at is None else at)

    # -- how the group stands --

    def settled(self, members):
        """True when each of MEMBERS has something, as far as there is enough of it, and
        all partitions are owned, each by one of them."""
        with self.lock:
            shares = [self.owned.get(member, set()) for member in members]
        everything = set().union(*shares)
        if sum(map(len, shares)) != self.partitions or len(everything) != self.partitions:
            return False
        return sum(map(bool, shares)) >= min(len(members), self.partitions)

    def wait_settled(self, members, since, limit_s):
        """Wait until settled(); the seconds from SINCE to the last change of ownership."""
        until = time.monotonic() + limit_s
        while not self.settled(members):
            if time.monotonic() > until or self.errors:
                raise Violation("\n".join(
                    [f"the group does not settle within {limit_s} s:"] + self.errors +
                    [f"{member}: {sorted(self.owned.get(member, ()))}"
                     for member in members]))
            time.sleep(0.02)
        return max(0.0, self.changed_at - since)

    def wait_covered(self, ends, limit_s):
        """Wait until everything below ENDS {partition: offset} was read by somebody."""
        until = time.monotonic() + limit_s
        while True:
            missing = {p: (self.covered[p], end) for p, end in ends.items()
                       if self.covered[p] < end}
            if not missing:
                return
            if time.monotonic() > until or self.errors:
                raise Violation("\n".join(
                    [f"not read within {limit_s} s (partition: up to, of): {missing}"] +
                    self.errors))
            time.sleep(0.02)

    # -- judging --

    def verify(self, ends, committed=None):
        """Judge the whole history. ENDS {partition: offset} is what there was to read,
        COMMITTED {partition: offset} what the server says at the end, if known."""
        with self.lock:
            history = sorted(self.history, key=lambda event: event[:2])
        self.parts = [_Partition() for _ in range(self.partitions)]
        self.zombies = set()
        self.generations = {}       # (partition, generation) -> member
        for at, _, member, kind, what in history:
            getattr(self, "_" + kind)(member, at, what)
        for partition, end in ends.items():
            part = self.parts[partition]
            if part.covered < end:
                self._wrong("skipped", f"partition {partition} was read up to {part.covered} "
                            f"of {end}")
        for partition, offset in (committed or {}).items():
            part = self.parts[partition]
            if not part.acked <= max(offset, 0) <= part.attempted:
                self._wrong("lost-commit", f"partition {partition}: {offset} at the end, "
                            f"{part.acked} was acknowledged, {part.attempted} tried")

    def assert_clean(self, context=""):
        """Raise Violation if anything was seen that must not be."""
        if self.violations:
            lines = [f"{kind}: {text}" for kind, text in self.violations[:SHOWN]]
            more = len(self.violations) - len(lines)
            raise Violation("\n".join([context, *lines] +
                                      ([f"and {more} more"] if more > 0 else [])))

    def kinds(self):
        return {kind for kind, _ in self.violations}

    def _wrong(self, kind, text):
        self.violations.append((kind, text))

    def _assigned(self, member, at, what):
        for partition in what["partitions"]:
            part = self.parts[partition]
            if member in part.owners:
                self._wrong("order", f"{member} gets {partition}, which it has ({at:.3f})")
            for other, since in part.owners.items():
                if other != member and other not in self.zombies:
                    self._wrong("owned-twice", f"{member} gets partition {partition} at "
                                f"{at:.3f}, {other} has it since {since:.3f}")
            generation = what.get("generation")
            if generation is not None:
                before = self.generations.setdefault((partition, generation), member)
                if before != member:
                    self._wrong("owned-twice", f"partition {partition} in generation "
                                f"{generation}: {before} and {member}")
            part.owners[member] = at
            # Some go on where they were if they get again what was taken from them.
            part.resume[member] = part.position.get(member)
            part.position[member] = None
            part.begun_at[member] = part.acked

    def _revoked(self, member, at, what):
        for partition in what["partitions"]:
            self.parts[partition].owners.pop(member, None)
        # It has heard what became of it.
        self.zombies.discard(member)

    _lost = _revoked

    def _dead(self, member, at, what):
        for part in self.parts:
            part.owners.pop(member, None)
        self.zombies.add(member)

    def _paused(self, member, at, what):
        self.zombies.add(member)

    def _records(self, member, at, what):
        partition, first, last = what["partition"], what["first"], what["last"]
        part = self.parts[partition]
        where = f"{member}, partition {partition}: {first} to {last} at {at:.3f}"
        if member not in part.owners and member not in self.zombies and \
                not what.get("late"):
            self._wrong("stray", where)
        if what["count"] != last + 1 - first:
            self._wrong("skipped", f"{where}, but only {what['count']} records")
        position = part.position.get(member)
        if position is None:
            if first > max(part.attempted, part.resume.get(member) or 0):
                self._wrong("skipped", f"{where}, although {part.attempted} is the most "
                            "that was committed")
            if first < part.begun_at.get(member, 0):
                self._wrong("doubled", f"{where}, although {part.begun_at[member]} was "
                            "committed when it began")
        elif first > position:
            self._wrong("skipped", f"{where}, after {position - 1}")
        elif first < position:
            self._wrong("doubled", f"{where}, after {position - 1}")
        if first > part.covered:
            self._wrong("skipped", f"{where}: nobody has read {part.covered}")
        part.covered = max(part.covered, last + 1)
        part.position[member] = last + 1

    def _committing(self, member, at, what):
        for partition, offset in what["offsets"].items():
            part = self.parts[int(partition)]
            part.attempted = max(part.attempted, offset)
            if offset > part.covered:
                self._wrong("skipped", f"{member} commits {offset} of partition {partition}, "
                            f"which is read up to {part.covered}")
            part.asked[member] = at

    def _committed(self, member, at, what):
        for partition, offset in what["offsets"].items():
            part = self.parts[int(partition)]
            asked = part.asked.get(member)
            if asked is None or offset > part.attempted:
                self._wrong("order", f"{member}: {offset} of {partition} is acknowledged, "
                            "but was not asked for")
                continue
            for other, since in part.owners.items():
                if self.fences and other != member and other not in self.zombies \
                        and since < asked:
                    self._wrong("fence", f"{member} committed {offset} of {partition} at "
                                f"{asked:.3f}, {other} has it since {since:.3f}")
            part.acked = max(part.acked, offset)

    def _commit_failed(self, member, at, what):
        pass

    def _error(self, member, at, what):
        self._wrong("failed", f"{member}: {what.get('message')}")

    def _joined(self, member, at, what):
        pass
