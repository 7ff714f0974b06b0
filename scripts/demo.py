"""demo.py - the main job on real input, verified; called by ./scripts/demo.

One control plane (or three, or five), two agents and a directory as the object store. The machine's own
Debian package index, a record a package keyed by its name, is produced by kcat through
one agent, in all five compressions, and consumed through the other while it is still being
produced. Then every process is killed with kill -9, started again, and everything is
consumed once more. Both readings must hold every record of the input exactly once, in
the order of its producer within its partition, under dense offsets. With --chaos, and
several nodes, the leading control-plane node is killed with kill -9 every few seconds
while the records are produced, and started again.
"""

import argparse
import glob
import collections
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DEV_CLUSTER = os.path.join(ROOT, "scripts", "dev-cluster")
WEFT = os.path.join(os.environ.get("WEFT_BUILD", os.path.join(ROOT, "build", "release")), "weft")
TOPIC = "packages"
PARTITIONS = 12
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
LEAST_RECORDS = 60000
# Between records and between key and value; neither byte occurs in the index.
RECORD_END, KEY_END = b"\x1e", b"\x1f"
# US dollars for 1,000 requests, as S3 standard lists them.
PUT_PRICE, GET_PRICE = 0.005, 0.0004


def fail(text):
    print(f"\ndemo: FAILED: {text}", file=sys.stderr)
    sys.exit(1)


def say(text):
    print(f"[{time.monotonic() - STARTED:6.1f} s] {text}", flush=True)


STARTED = time.monotonic()


def package_index():
    """(name, stanza) of every package that apt knows of, without exact repeats."""
    command = ["apt-cache", "dumpavail"]
    text = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    if text.count(b"\nPackage: ") < LEAST_RECORDS:
        say("the package index is not here; fetching it with apt-get update")
        update = ["apt-get", "update", "-qq"]
        subprocess.run(update if os.getuid() == 0 else ["sudo"] + update, check=True)
        text = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    records = {}
    for stanza in text.split(b"\n\n"):
        stanza = stanza.strip(b"\n")
        if stanza.startswith(b"Package: "):
            records[stanza] = stanza[9:stanza.find(b"\n")].strip()
    if len(records) < LEAST_RECORDS:
        fail(f"the package index has {len(records)} packages, the demo wants {LEAST_RECORDS}")
    return [(name, stanza) for stanza, name in records.items()]


def dev_cluster(*words):
    done = subprocess.run([DEV_CLUSTER, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        fail("dev-cluster " + " ".join(words))
    return done.stdout


def addresses(directory):
    """name -> address of every process of the cluster"""
    lines = dev_cluster("status", "--dir", directory).splitlines()
    return {line.split()[0]: line.split()[2] for line in lines}


def kcat(agent, zone, *words):
    """kcat against one agent; the client id's zone keeps it on that agent."""
    return ["kcat", "-b", agent, "-X", f"client.id=demo,zone={zone}", "-t", TOPIC, *words]


def create_topic(agent):
    """Auto-creation makes the topic; asking for its metadata is enough."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        done = subprocess.run(["kcat", "-b", agent, "-L", "-J", "-t", TOPIC, "-X",
                               "allow.auto.create.topics=true"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        if done.returncode == 0:
            topics = json.loads(done.stdout)["topics"]
            if topics and len(topics[0]["partitions"]) == PARTITIONS:
                return
        time.sleep(0.2)
    fail(f"the topic {TOPIC} with {PARTITIONS} partitions did not come to be")


class Consumer(threading.Thread):
    """Reads COUNT records with kcat into a list of (partition, offset, key, value)."""

    FORMAT = "%p %o %K %S\n%k%s\n"

    def __init__(self, agent, zone, count):
        super().__init__()
        self.records = []
        self.error = None
        self.process = subprocess.Popen(
            kcat(agent, zone, "-C", "-q", "-o", "beginning", "-c", str(count), "-f", self.FORMAT),
            stdout=subprocess.PIPE)

    def run(self):
        out = self.process.stdout
        try:
            while True:
                head = out.readline()
                if not head:
                    break
                partition, offset, key_len, value_len = map(int, head.split())
                body = out.read(max(key_len, 0) + max(value_len, 0) + 1)
                self.records.append((partition, offset, body[:key_len], body[key_len:-1]))
        except ValueError as e:
            self.error = f"kcat's output is not what was asked for: {e}"

    def wait(self, what, total):
        shown = time.monotonic()
        quiet = (time.monotonic(), 0)
        while self.is_alive():
            self.join(0.2)
            if len(self.records) != quiet[1]:
                quiet = (time.monotonic(), len(self.records))
            if time.monotonic() - quiet[0] > 60:
                self.process.kill()
                fail(f"{what}: nothing came for a minute after {len(self.records)} of {total} records")
            if time.monotonic() - shown > 2:
                shown = time.monotonic()
                say(f"{what}: {len(self.records)} of {total} records")
        if self.process.wait() != 0 or self.error:
            fail(f"{what}: {self.error or 'kcat failed'}")


class Chaos(threading.Thread):
    """Kills whoever leads, again and again, and starts it again."""

    EVERY_S, DOWN_S = 5, 1.5

    def __init__(self, directory):
        super().__init__()
        self.directory = directory
        self.over = threading.Event()
        self.kills = 0

    def tell(self, *words):
        done = subprocess.run([DEV_CLUSTER, *words, "--dir", self.directory],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def run(self):
        while not self.over.wait(self.EVERY_S - self.DOWN_S):
            leader = self.tell("leader")
            if leader is None:
                continue
            self.tell("kill", leader)
            self.kills += 1
            say(f"kill -9 of {leader}, which led")
            time.sleep(self.DOWN_S)
            if self.tell("start", leader) is None:
                fail(f"{leader} does not come back")

    def stop(self):
        self.over.set()
        self.join()


def produce(agent, zone, shards, seconds=0):
    """All shards at once, a kcat each, each with its own codec; spread over SECONDS."""
    producers = []
    for codec, shard in zip(CODECS, shards):
        process = subprocess.Popen(
            kcat(agent, zone, "-P", "-z", codec, "-D", RECORD_END.decode(), "-K", KEY_END.decode()),
            stdin=subprocess.PIPE)
        feeder = threading.Thread(target=feed, args=(process, shard, seconds))
        feeder.start()
        producers.append((codec, process, feeder))
    return producers


def feed(process, shard, seconds):
    begin = time.monotonic()
    for number, (name, stanza) in enumerate(shard):
        process.stdin.write(name + KEY_END + stanza + RECORD_END)
        ahead = begin + seconds * number / len(shard) - time.monotonic()
        if seconds and number % 50 == 0 and ahead > 0:
            process.stdin.flush()
            time.sleep(ahead)
    process.stdin.close()


def verify(what, records, shards):
    """Every record once; dense offsets; a shard's records in order in each partition."""
    place = {}
    for number, shard in enumerate(shards):
        for index, (_, stanza) in enumerate(shard):
            place[stanza] = (number, index)
    seen = set()
    last_index = {}
    keys = collections.defaultdict(set)
    next_offset = [0] * PARTITIONS
    for partition, offset, key, value in sorted(records, key=lambda r: (r[0], r[1])):
        if offset != next_offset[partition]:
            fail(f"{what}: partition {partition}: offset {offset} where {next_offset[partition]} is due")
        next_offset[partition] += 1
        if value not in place:
            fail(f"{what}: partition {partition} offset {offset}: a record that nobody produced")
        number, index = place[value]
        if shards[number][index][0] != key:
            fail(f"{what}: partition {partition} offset {offset}: the key is {key!r}")
        if value in seen:
            fail(f"{what}: partition {partition} offset {offset}: {key.decode()} came twice")
        seen.add(value)
        if last_index.get((partition, number), -1) >= index:
            fail(f"{what}: partition {partition} offset {offset}: out of its producer's order")
        last_index[(partition, number)] = index
        keys[key].add(partition)
    if len(seen) != len(place):
        fail(f"{what}: {len(place) - len(seen)} of {len(place)} records are missing")
    spread = [key for key, partitions in keys.items() if len(partitions) != 1]
    if spread:
        fail(f"{what}: the key {spread[0].decode()} lies in several partitions")
    say(f"{what}: {len(seen)} records verified: each exactly once, in order, content and key "
        f"equal; offsets dense in {PARTITIONS} partitions ({min(next_offset)} to {max(next_offset)} records each)")


def store_requests(directory, kind):
    """Requests of KIND that the running agents sent to the store."""
    wanted = f'weft_agent_store_requests_total{{kind="{kind}"}}'
    with open(os.path.join(directory, "cluster.json"), encoding="utf-8") as f:
        processes = json.load(f)["processes"]
    total = 0.0
    for process, facts in processes.items():
        if not process.startswith("agent-"):
            continue
        url = facts["ready_url"].replace("/readyz", "/metrics")
        with urllib.request.urlopen(url, timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(wanted):
                    total += float(line.rsplit(" ", 1)[1])
    return total


def show_objects(directory, requests):
    """The objects that came to be, read back by a tool that needs no control plane."""
    objects, total = [], 0
    # CLUSTER/o/XX/ID (proto/object.md); beside them lies what agents try the store with.
    for full in glob.glob(os.path.join(directory, "store", "*", "o", "*", "*")):
        objects.append(full)
        total += os.path.getsize(full)
    objects.sort(key=os.path.getmtime)
    if not objects:
        fail("the store holds no object")
    for path in objects:
        if subprocess.run([WEFT, "object", "verify", path], stdout=subprocess.DEVNULL,
                          check=False).returncode != 0:
            fail(f"weft object verify {path}")
    say(f"the store holds {len(objects)} objects, {total / 2**20:.1f} MiB, each verified by checksum; the first:")
    listing = subprocess.run([WEFT, "object", "ls", objects[0]], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.splitlines()
    print("\n".join("    " + line for line in listing[:8] + (["..."] if len(listing) > 8 else [])))
    puts, gets = requests
    cost = puts * PUT_PRICE / 1000 + gets * GET_PRICE / 1000
    say(f"requests to the store until then: {puts:.0f} PUT, {gets:.0f} GET; on S3 that is ${cost:.6f}, "
        f"for {total / 2**20:.1f} MiB")


def main():
    parser = argparse.ArgumentParser(prog="demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true", help="leave the cluster running")
    parser.add_argument("--dir", help="where the cluster lives (default: a new directory below /tmp)")
    parser.add_argument("--control-planes", type=int, default=1, metavar="N", help="1, 3 or 5")
    parser.add_argument("--chaos", action="store_true",
                        help="kill the leading control-plane node every few seconds meanwhile")
    args = parser.parse_args()
    if args.chaos and args.control_planes == 1:
        parser.error("--chaos wants --control-planes 3 or 5")
    directory = args.dir or tempfile.mkdtemp(prefix="weft-demo-")
    cluster = os.path.join(directory, "cluster")

    index = package_index()
    size = sum(len(n) + len(s) for n, s in index)
    say(f"input: {len(index)} packages of this machine's Debian index, {size / 2**20:.1f} MiB")
    shards = [index[i::len(CODECS)] for i in range(len(CODECS))]

    nodes = "one control plane" if args.control_planes == 1 else \
        f"a cell of {args.control_planes} control-plane nodes"
    say(f"starting {nodes} and two agents over a file:// store")
    up = dev_cluster("up", "--dir", cluster, "--agents", "2",
                     "--control-planes", str(args.control_planes),
                     "--agent-set", f"default-partitions={PARTITIONS}")
    bootstrap = dict(line.split("=", 1) for line in up.splitlines())["bootstrap"]
    try:
        run(cluster, index, shards, args.chaos)
    except BaseException:
        print(f"demo: logs are in {cluster}/logs", file=sys.stderr)
        subprocess.run([DEV_CLUSTER, "down", "--dir", cluster], check=False)
        raise
    if args.keep:
        print(f"""
The cluster keeps running; it lives in {cluster}. Try:
  kcat -b {bootstrap} -L
  kcat -b {bootstrap} -t {TOPIC} -C -o -3 -e -f '%p@%o %k\\n'
  echo 'hello:world' | kcat -b {bootstrap} -t greetings -P -K:
Stop it: {DEV_CLUSTER} down --dir {cluster}
bootstrap={bootstrap}""")
    else:
        dev_cluster("down", "--dir", cluster)
        if args.dir is None:
            shutil.rmtree(directory)
    say("all of it held")


def run(cluster, index, shards, chaotic):
    at = addresses(cluster)
    create_topic(at["agent-1"])
    say(f"consuming through agent-2 while {len(CODECS)} producers ({', '.join(CODECS)}) write through agent-1")
    live = Consumer(at["agent-2"], "zone-2", len(index))
    live.start()
    chaos = Chaos(cluster)
    if chaotic:
        chaos.start()
    producers = produce(at["agent-1"], "zone-1", shards, 40 if chaotic else 0)
    for codec, process, feeder in producers:
        feeder.join()
        if process.wait() != 0:
            fail(f"the {codec} producer failed")
    say("produced: every record is acknowledged")
    live.wait("reading live", len(index))
    if chaotic:
        chaos.stop()
        say(f"the leader was killed {chaos.kills} times meanwhile")
    verify("reading live", live.records, shards)
    requests = store_requests(cluster, "put"), store_requests(cluster, "get")

    say("kill -9 of every process")
    dev_cluster("kill", *at, "--dir", cluster)
    dev_cluster("start", *(name for name in at if name.startswith("controlplane")),
                "--dir", cluster)
    dev_cluster("start", *(name for name in at if name.startswith("agent")), "--dir", cluster)
    say("all are back; consuming again, through agent-1")
    again = Consumer(at["agent-1"], "zone-1", len(index))
    again.start()
    again.wait("reading after the crash", len(index))
    verify("reading after the crash", again.records, shards)
    if sorted(again.records) != sorted(live.records):
        fail("the second reading differs from the first")
    say("both readings are equal to the byte, offsets included")
    show_objects(cluster, requests)


main()
