"""What must hold of produced and consumed records, whatever was killed meanwhile.

A Checker is told everything that producers send and get acknowledged, and everything that
readers read.  A record says of itself which producer sent it, to which partition and with
which number (`value`), so that a reader's record can be judged alone; what is wrong is
kept in `violations`:

    lost        an acknowledged record is not at its offset, or nowhere
    doubled     an idempotent producer's record is there twice
    order       an idempotent producer's records of a partition are out of order
    gap         offsets are not dense
    content     bytes that nobody sent
    changed     an offset stands for another record than it did before
    watermark   the high watermark went back for a reader
    differs     two readings of the same partition are not the same
    failed      a producer that must not fail did

Told from many threads.  Needs no cluster: tests/system/test_mutants.py holds it to this.
"""

import hashlib
import collections
import threading

SHOWN = 20


class Violation(AssertionError):
    """Something that must never happen was seen."""


def value(producer, partition, sequence):
    """The value of that record: its name, and bytes that follow from the name."""
    name = b"%s/%d/%d/" % (producer.encode(), partition, sequence)
    digest = hashlib.blake2b(name, digest_size=32).hexdigest().encode()
    return name + digest * (1 + sequence % 5)


def name_of(data):
    """(producer, partition, sequence) of a record's value, None if nobody made it."""
    try:
        producer, partition, sequence, _ = bytes(data).split(b"/", 3)
        name = (producer.decode(), int(partition), int(sequence))
    except (ValueError, TypeError):
        return None
    return name if value(*name) == data else None


class _Sent:
    """What one producer sent to one partition."""

    def __init__(self):
        self.count = 0          # sequences 0 .. count - 1 were sent
        self.acked = {}         # sequence -> offset, None if the producer was not told
        self.failed = {}        # sequence -> error text


class _Settled:
    """The checker's lock. Whoever takes it sees all that callbacks have told before."""

    def __init__(self, checker):
        self.lock = threading.Lock()
        self.checker = checker

    def __enter__(self):
        self.lock.acquire()
        self.checker._drain()

    def __exit__(self, *failure):
        self.lock.release()


class Checker:
    def __init__(self):
        # What clients' callbacks tell goes here first. A callback must take no lock: after a
        # fatal error the client library raises what is no exception of Python's at any
        # place of the thread, a lock that was just taken included.
        self.told = collections.deque()
        self.lock = _Settled(self)
        self.sent = {}          # (producer, partition) -> _Sent
        self.idempotent = {}    # producer -> bool
        self.seen = {}          # partition -> {offset: name}
        self.high = {}          # (reader, partition) -> high watermark
        self.violations = []
        self._acked_count = 0

    # -- what producers do --

    def add_producer(self, producer, idempotent):
        with self.lock:
            self.idempotent[producer] = idempotent

    def next_value(self, producer, partition):
        """The next record of PRODUCER for PARTITION: its sequence and value."""
        with self.lock:
            sent = self.sent.setdefault((producer, partition), _Sent())
            sequence = sent.count
            sent.count += 1
        return sequence, value(producer, partition, sequence)

    def acked(self, producer, partition, sequence, offset):
        self.told.append((self._acked, producer, partition, sequence, offset))

    def failed(self, producer, partition, sequence, error):
        """The producer was told that its record is not acknowledged."""
        self.told.append((self._failed, producer, partition, sequence, error))

    def must_not_fail(self, text):
        """Something failed that must work by itself."""
        self.told.append((self._wrong, "failed", text))

    def _drain(self):
        while self.told:
            what, *arguments = self.told.popleft()
            what(*arguments)

    def _acked(self, producer, partition, sequence, offset):
        if offset is not None and offset < 0:
            offset = None
        self.sent[producer, partition].acked[sequence] = offset
        self._acked_count += 1
        # librdkafka takes the acknowledgement of a later record of an idempotent producer
        # for that of an earlier one whose answer was lost, and has no offset of that then.
        if offset is None and not self.idempotent[producer]:
            self._wrong("lost", f"{producer}/{partition}/{sequence} was acknowledged "
                        "without an offset")

    def _failed(self, producer, partition, sequence, error):
        self.sent[producer, partition].failed[sequence] = str(error)

    @property
    def acked_count(self):
        with self.lock:
            return self._acked_count

    def failures(self):
        """The texts of all failed records, by (producer, partition, sequence)."""
        with self.lock:
            return {(*key, sequence): text for key, sent in self.sent.items()
                    for sequence, text in sent.failed.items()}

    def unsettled(self):
        """How many records are neither acknowledged nor failed."""
        with self.lock:
            return sum(sent.count - len(sent.acked) - len(sent.failed)
                       for sent in self.sent.values())

    # -- what readers see --

    def watermark(self, reader, partition, high):
        with self.lock:
            before = self.high.get((reader, partition), 0)
            if high < before:
                self._wrong("watermark", f"{reader}: partition {partition} went from "
                            f"{before} back to {high}")
            self.high[reader, partition] = max(high, before)

    def watermark_below(self, reader, partition, high, offset):
        with self.lock:
            self._wrong("watermark", f"{reader}: partition {partition} ends at {high}, but "
                        f"was read up to {offset}")

    def read(self, partition, offset, data):
        """A record, read by whomever, whenever; wrong or not it is remembered."""
        with self.lock:
            return self._read(partition, offset, data)

    def _read(self, partition, offset, data):
        name = name_of(data)
        if name is None or name[1] != partition or not self._was_sent(name):
            self._wrong("content", f"partition {partition} offset {offset}: "
                        f"{bytes(data or b'')[:60]!r}")
            return None
        before = self.seen.setdefault(partition, {}).setdefault(offset, name)
        if before != name:
            self._wrong("changed", f"partition {partition} offset {offset} was "
                        f"{before[0]}/{before[2]} and is {name[0]}/{name[2]}")
        return name

    def _was_sent(self, name):
        sent = self.sent.get(name[:2])
        return sent is not None and 0 <= name[2] < sent.count

    # -- judging --

    def verify(self, reading):
        """Judge a whole reading: a list of (offset, value) for each partition."""
        with self.lock:
            for partition in {p for _, p in self.sent} | set(reading):
                self._verify(partition, reading.get(partition, []))

    def _verify(self, partition, rows):
        names = {}
        for at, (offset, data) in enumerate(rows):
            if offset != at:
                self._wrong("gap", f"partition {partition}: offset {offset} stands where "
                            f"{at} should")
                break
            names[offset] = self._read(partition, offset, data)
        self._verify_acked(partition, names)
        self._verify_idempotent(partition, names)
        for offset, name in self.seen.get(partition, {}).items():
            if offset not in names:
                self._wrong("lost", f"partition {partition} offset {offset} was read as "
                            f"{name[0]}/{name[2]} and is gone")

    def _verify_acked(self, partition, names):
        somewhere = set(names.values())
        for (producer, at), sent in self.sent.items():
            if at != partition:
                continue
            for sequence, offset in sent.acked.items():
                name = (producer, partition, sequence)
                if offset is None:
                    if name not in somewhere:
                        self._wrong("lost", f"{producer}/{partition}/{sequence} was "
                                    "acknowledged and is nowhere")
                    continue
                found = names.get(offset)
                if found != name:
                    self._wrong("lost", f"{producer}/{partition}/{sequence} was acknowledged "
                                f"at offset {offset}, where there is {found}")

    def _verify_idempotent(self, partition, names):
        found = {}              # producer -> its sequences so far
        for offset in sorted(names):
            if names[offset] is None or not self.idempotent.get(names[offset][0]):
                continue
            producer, _, sequence = names[offset]
            before = found.setdefault(producer, {})
            if sequence in before:
                self._wrong("doubled", f"{producer}/{partition}/{sequence} at offset "
                            f"{before[sequence]} and again at {offset}")
            elif before and sequence < next(reversed(before)):
                self._wrong("order", f"{producer}/{partition}/{sequence} at offset {offset} "
                            f"comes after {next(reversed(before))}")
            before[sequence] = offset

    def compare(self, one, other):
        """Two whole readings, of one cluster through two agents, are the same."""
        with self.lock:
            for partition in set(one) | set(other):
                a, b = one.get(partition, []), other.get(partition, [])
                if a != b:
                    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
                              min(len(a), len(b)))
                    self._wrong("differs", f"partition {partition}: {len(a)} and {len(b)} "
                                f"records, the first difference at {at}")

    def _wrong(self, kind, text):
        self.violations.append((kind, text))

    def kinds(self):
        with self.lock:
            return {kind for kind, _ in self.violations}

    def assert_clean(self, context=""):
        """Raise Violation if anything was seen that must not be."""
        with self.lock:
            if self.violations:
                lines = [f"{kind}: {text}" for kind, text in self.violations[:SHOWN]]
                more = len(self.violations) - len(lines)
                raise Violation("\n".join([context, *lines] +
                                          ([f"and {more} more"] if more > 0 else [])))
