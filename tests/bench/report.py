"""The table: for each measure the target and what every server showed in every repeat."""

import machine

# key, what, target; in the order of the table. Rows without target are there to read the
# others by.
MEASURES = [
    ("produce_256k", "CPU s per GiB produced, 256 KiB batches",
     "of Kafka: file:// <= 0.33, s3:// <= 0.5"),
    ("rate_256k", "   MiB/s meanwhile", None),
    ("produce_16k", "CPU s per GiB produced, Java's defaults (16 KiB)",
     "of Kafka: file:// <= 0.33, s3:// <= 0.5"),
    ("rate_16k", "   MiB/s meanwhile", None),
    ("produce_steady", "CPU s per GiB produced, Java's defaults, steady 20 MiB/s",
     "of Kafka: <= 0.2"),
    ("fetch_tail", "CPU s per GiB fetched at the tail", "of Kafka: <= 1"),
    ("fetch_store", "CPU s per GiB fetched from the store (Kafka: its page cache)",
     "of Kafka: <= 1"),
    ("rate_store", "   MiB/s meanwhile", None),
    ("one_partition", "MiB/s, one producer (kcat's defaults), one partition", ">= 100"),
    ("one_partition_java", "   Java's defaults: 5 batches of 16 KiB in a round trip", None),
    ("p99_over", "produce p99 over the store's PUT p99 + flush interval, ms", "<= 10"),
    ("p99", "   produce p99, light load, ms", None),
    ("put_p99", "   PUT p99, ms", None),
    ("commit_cpu", "control-plane CPU ms per commit of 320 runs x 5 batches", "<= 2"),
    ("apply_cpu", "   apply and log alone, CPU ms", "<= 0.3"),
    ("commits", "commits/s, 16 runs x 5 batches, 64 outstanding, fsync", ">= 5,000"),
    ("commits_cpu", "   control-plane CPU ms per commit meanwhile", None),
    ("traffic", "control-plane traffic, MiB per GiB, 600 partitions", "<= 1.5"),
    ("traffic_runs", "   runs in an object", None),
    ("traffic_batches", "   batches in a run", None),
    ("start", "start to ready, ms", "< 50"),
    ("rss", "idle resident memory, MiB", "< 20"),
    ("idle_cpu", "idle cluster, % of a core", "< 1"),
    ("idle_puts", "   PUTs while idle", "0"),
    ("rebalance", "a group of 100 over 1,000 partitions gets one more: ms until it has its share",
     "of Kafka: <= 1"),
    ("heartbeat_cpu", "10,000 members that heartbeat every 3 s: % of a core",
     "control plane: < 5"),
    ("heartbeat_rate", "   heartbeats/s meanwhile", None),
    ("heartbeat_join", "   s until all have joined their groups", None),
    ("failover", "cell of three: longest time without an acknowledgement after kill -9 of the "
     "leader, ms", "p50 < 1000, max < 3000"),
    ("handover", "   after an orderly hand-over, commits, ms", "< 100"),
    ("cell_commits", "   commits/s, 16 runs x 5 batches, 64 outstanding, mTLS, fsync",
     ">= 5,000"),
    ("cell_commits_cpu", "   CPU ms of all three nodes per commit", None),
    ("cell_p99", "   commit p99 at half of 5,000/s, ms", "< 15"),
    ("cell_p50", "   commit p50, ms", None),
    ("cell_paced", "   commits/s meanwhile", None),
    ("offsets_rate", "   offset commits/s acknowledged, one partition each", ">= 20,000"),
    ("offsets_cpu", "   CPU us of all three nodes per offset commit", None),
    ("storm_rate", "   commit storm: commits/s acknowledged", None),
    ("storm_entries", "   commit storm: Raft entries/s", None),
    ("storm_bytes", "   commit storm: log bytes per commit, of the leader", None),
    ("storm_disk", "   commit storm: disk bytes per commit, of the leader", None),
    ("groups_rss", "10,000 groups x 10 partitions: memory of a node, MiB", "< 200"),
    ("million_rss", "a million partitions: memory of a node, MiB", "< 2048"),
    ("million_start", "   restart to ready, ms", "< 10000"),
    ("million_failover", "   failover, ms", "< 3000"),
    ("million_pause", "   longest pause by a checkpoint, ms", "< 50"),
    ("agents_cpu", "10,000 agents that watch: % of a core, all three nodes", "< 100"),
    ("agents_rate", "   watch calls/s meanwhile", None),
    ("agents_rss", "   memory of the leader, MiB", None),
    ("agents_join", "   s until all have enrolled, registered and watch", None),
    ("agents_join_cpu", "   CPU ms of all three nodes for one that joins", None),
    ("flood", "another tenant's flood: commit p99 over that without, factor", "< 2"),
    ("flood_p99", "   commit p99 of 200/s, ms", None),
    ("flood_p50", "   commit p50 of 200/s, ms", None),
    ("connections", "resident memory with 10,000 idle connections, MiB", "< 400"),
]


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"


class Report:
    """Values by measure and line; a line is a server, or a sum of its parts."""

    def __init__(self):
        self.values = {}

    def add(self, key, line, value):
        if key not in {measure[0] for measure in MEASURES}:
            raise KeyError(key)
        self.values.setdefault(key, {}).setdefault(line, []).append(value)

    def add_cpu(self, key, name, cpu, gib):
        """CPU seconds a GiB: the first part alone, then with each further one added."""
        total, names = 0.0, []
        for part, seconds in cpu.items():
            total += seconds
            names.append(part if not names else f"+ {part}")
            self.add(key, f"{name}: {' '.join(names)}", total / gib)

    def _ratio(self, lines, line, peer):
        """The median as a part of a Kafka's, or "" where there is nothing to compare."""
        others = [values for name, values in lines.items()
                  if name.split(":")[0] == peer and name != line]
        if not others or not line.startswith("Weft"):
            return ""
        least = machine.median(others[0])
        return number(machine.median(lines[line]) / least) if least > 0 else ""

    def rows(self):
        yield ("measure", "target", "server: what is in the figure", "min", "median", "max",
               "of Kafka", "1 producer", "of fsync", "every repeat")
        for key, what, target in MEASURES:
            lines = self.values.get(key, {})
            for i, (line, values) in enumerate(lines.items()):
                yield (what if i == 0 else "", (target or "") if i == 0 else "", line,
                       number(min(values)), number(machine.median(values)),
                       number(max(values)), self._ratio(lines, line, "Kafka"),
                       self._ratio(lines, line, "Kafka, 1 producer"),
                       self._ratio(lines, line, "Kafka, fsync"),
                       "  ".join(number(value) for value in values))

    def text(self):
        rows = list(self.rows())
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        out = []
        for row in rows:
            if row[0] and not row[0].startswith(" "):
                out.append("-" * (sum(widths) + 2 * len(widths)))
            out.append("  ".join(
                cell.rjust(width) if 3 <= i <= 8 else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
        return "\n".join(out)
