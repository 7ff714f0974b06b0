"""What is measured of consumer groups: one more member, side by side with Kafka; and many
members that do nothing but heartbeat.

The heartbeats are made here by hand, over real connections to the agents, since ten
thousand consumers do not fit beside the servers: each member is a group of its own, which
it joined and synced as the classic protocol wants.
"""

import concurrent.futures
import pathlib
import selectors
import sys
import time

from servers import Kafka, Weft, running

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from schema_wire import SchemaWire  # noqa: E402

PARTITIONS, MEMBERS = 1000, 100
QUICK_PARTITIONS, QUICK_MEMBERS = 200, 10
HEARTBEATS, QUICK_HEARTBEATS = 10_000, 1_000
JOINERS = 50
INTERVAL_S = 3
HEARTBEAT_S, QUICK_HEARTBEAT_S = 30, 9
LIMIT_S = 10
NO_DELAY = "group-initial-rebalance-delay"


def is_quick(bench):
    return bench.amounts.repeats == 1


def rebalance(bench, server):
    """The time until a newcomer has its share, by both protocols."""
    partitions, members = ((QUICK_PARTITIONS, QUICK_MEMBERS) if is_quick(bench) else
                           (PARTITIONS, MEMBERS))
    bench.load.create(server, "groups", partitions)
    for protocol, settings in (
            ("classic, range", {"group.protocol": "classic", "partition.assignment.strategy":
                                "org.apache.kafka.clients.consumer.RangeAssignor"}),
            ("classic, cooperative-sticky",
             {"group.protocol": "classic", "partition.assignment.strategy":
              "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"}),
            ("KIP-848, uniform", {"group.protocol": "consumer"})):
        name = protocol.replace(", ", "-")
        done = bench.load.rebalance(server, "groups", partitions, members,
                                    {"group.id": name, **settings})
        bench.report.add("rebalance", f"{server.name}: {protocol}", done["seconds"] * 1000)


class Member:
    """The only member of its group, on a connection of its own."""

    def __init__(self, address, number):
        self.wire = SchemaWire(address, timeout_s=60)
        self.group = f"heartbeats-{number}"
        join = {"group_id": self.group, "session_timeout_ms": 45_000,
                "rebalance_timeout_ms": 60_000, "protocol_type": "consumer",
                "protocols": [{"name": "range", "metadata": b""}]}
        self.id = self.wire.call("JoinGroup", 9, member_id="", **join)["member_id"]
        joined = self.wire.call("JoinGroup", 9, member_id=self.id, **join)
        self.generation = joined["generation_id"]
        synced = self.wire.call(
            "SyncGroup", 5, group_id=self.group, generation_id=self.generation,
            member_id=self.id, protocol_type="consumer", protocol_name="range",
            assignments=[{"member_id": self.id, "assignment": b"all"}])
        if joined["error_code"] or synced["error_code"]:
            raise RuntimeError(f"{self.group}: {joined} {synced}")

    def beat(self):
        self.wire.send("Heartbeat", 4, group_id=self.group, generation_id=self.generation,
                       member_id=self.id)

    def hear(self):
        _, answer = self.wire.receive()
        if answer["error_code"]:
            raise RuntimeError(f"{self.group}: heartbeat {answer}")


def join_all(addresses, count):
    with concurrent.futures.ThreadPoolExecutor(JOINERS) as pool:
        return list(pool.map(lambda number: Member(addresses[number % len(addresses)], number),
                             range(count)))


def beat_all(members, begin, length):
    """Each once in every interval, evenly spread; how many were answered."""
    selector = selectors.DefaultSelector()
    for member in members:
        selector.register(member.wire.socket, selectors.EVENT_READ, member)
    step = INTERVAL_S / len(members)
    total, sent, heard = int(length / step), 0, 0
    while heard < total:
        now = time.monotonic()
        while sent < total and begin + sent * step <= now:
            members[sent % len(members)].beat()
            sent += 1
        wait = max(0, begin + sent * step - now) if sent < total else LIMIT_S
        ready = selector.select(wait)
        for key, _ in ready:
            key.data.hear()
        heard += len(ready)
        if not ready and sent == total:
            raise RuntimeError(f"only {heard} of {total} heartbeats were answered")
    selector.close()
    return heard


def heartbeats(bench, server):
    """What members that heartbeat every three seconds cost the control plane."""
    count = QUICK_HEARTBEATS if is_quick(bench) else HEARTBEATS
    begin = time.monotonic()
    members = join_all(server.bootstrap.split(","), count)
    bench.report.add("heartbeat_join", server.name, time.monotonic() - begin)
    beat_all(members, time.monotonic(), INTERVAL_S)
    before, begin = server.cpu(), time.monotonic()
    heard = beat_all(members, begin, QUICK_HEARTBEAT_S if is_quick(bench) else HEARTBEAT_S)
    passed, after = time.monotonic() - begin, server.cpu()
    bench.report.add("heartbeat_rate", server.name, heard / passed)
    for part in after:
        bench.report.add("heartbeat_cpu", f"{server.name}: {part}",
                         100 * (after[part] - before[part]) / passed)
    for member in members:
        member.wire.close()


def round_rebalance(bench, cores, directory):
    """One after the other, as all of this."""
    for server in (Weft(cores, directory, "file"), Kafka(cores, directory)):
        with running(server):
            rebalance(bench, server)


def round_heartbeats(bench, cores, directory):
    """Two agents, as groups are spread over agents."""
    with running(Weft(cores, directory, "file", agents=2,
                      control_plane_set={NO_DELAY: "0s"})) as server:
        heartbeats(bench, server)


ROUNDS = {"groups-rebalance": round_rebalance, "groups-heartbeats": round_heartbeats}
