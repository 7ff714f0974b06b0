"""The commands of the pages for operators, run as they stand there.

A block of commands is marked by a remark before it:

    <!-- run -->     it is run, line by line as a script, on a cluster that lives
    <!-- text -->    it is no command: output, a file
    <!-- found -->, <!-- join -->, <!-- restore -->
                     how a node is started: it is, and gets ready
    <!-- desk -->    it is run against the cell that was founded like that

and a page of PAGES has no block without a mark. README.md and cli/README.md, which are for
everybody, have none: their indented blocks are known here one by one. Names that stand for a reader's own
(cp1.example.com, the ports of an agent) are replaced by those of the test's cluster; a
command that fails fails the test, and so does a script of more than a minute."""

import os
import pathlib
import re
import shutil
import subprocess
import textwrap
import time

import pytest
from cluster import Cluster
from confluent_kafka import Producer
from ports import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release")).resolve()
PAGES = ["agent/operate.md", "agent/troubleshooting.md"]
CELL_PAGE = "controlplane/operate.md"
LIMIT_S = 60
BLOCK = re.compile(r"(?:<!-- (?P<mark>\w+) -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$",
                   re.M | re.S)


def indented(page):
    """The indented blocks of a page."""
    text = BLOCK.sub("", (ROOT / page).read_text())
    return [textwrap.dedent(block) for block in re.findall(r"(?:^    .*\n)+", text, re.M)]


def blocks(page):
    """[(mark, text)] of a page."""
    text = (ROOT / page).read_text()
    return [(match["mark"], match["text"]) for match in BLOCK.finditer(text)]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A function that runs a script as an operator who is logged in, on a cell of three
    nodes with one agent."""
    directory = tmp_path_factory.mktemp("docs")
    with Cluster(directory / "cluster", agents=1, control_planes=3) as cluster:
        producer = Producer({"bootstrap.servers": cluster.bootstrap})
        producer.produce("orders", b"1")
        assert producer.flush(LIMIT_S) == 0
        log = cluster.logs("agent-1")
        admin = log.split("admin-listen=", 1)[1].split()[0]
        names = {"http://127.0.0.1:9093": f"http://{admin}",
                 "127.0.0.1:9092": cluster.bootstrap,
                 "https://cp1.example.com:7800": cluster.control_plane}
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("WEFT_")}
        env |= {"PATH": f"{BUILD}:{env['PATH']}", "WEFT_CONFIG": str(directory / "config"),
                "HOME": str(directory)}
        (directory / "token").write_text(cluster.admin_token)
        (directory / "desk").mkdir()

        def run(script):
            for name, value in names.items():
                script = script.replace(name, value)
            return subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env,
                                  cwd=directory / "desk", capture_output=True, text=True,
                                  timeout=LIMIT_S, check=False)

        done = run(f"weft login https://cp1.example.com:7800 --ca-file {cluster.ca_file} "
                   f"--token @{directory}/token")
        assert done.returncode == 0, done.stderr
        yield run


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page(desk, page):
    run = 0
    for mark, text in blocks(page):
        assert mark in ("run", "text"), f"{page}: no mark before\n{text}"
        if mark == "run":
            done = desk(text)
            assert done.returncode == 0, f"{page}:\n{text}\n{done.stdout}{done.stderr}"
            run += 1
    assert run > 0


def test_the_page_of_weft(desk):
    """Each line of cli/README.md is run, on a cluster with a group."""
    page = indented("cli/README.md")
    assert len(page) == 1
    lines = page[0].splitlines()
    assert lines[0].startswith("weft login "), "the login is the desk's own, with its CA and token"
    assert len(lines) > 9
    script = "\n".join(lines[1:]).replace("weft group lag", MAKE_GROUP + "\nweft group lag")
    assert script.count(MAKE_GROUP) == 1
    done = desk(script + "\nweft context set --cluster dev")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert "events" in done.stdout.split()  # of the line with jq


MAKE_GROUP = "weft group reset-offsets billing --topic events --to-earliest --execute"


class Machines:
    """The machines of the page's cell: each a directory, three ports, perhaps a node."""

    def __init__(self, directory):
        self.directory = directory
        self.ports = {name: free_ports(3) for name in ("cp1", "cp2")}
        self.nodes = []
        (directory / "desk").mkdir()

    def localise(self, script, machine):
        """SCRIPT as it is on MACHINE ("desk" is none)."""
        for name, ports in self.ports.items():
            for port, well_known in zip(ports, (7800, 7801, 7802)):
                script = script.replace(f"{name}.example.com:{well_known}", f"127.0.0.1:{port}")
        first = self.directory / "cp1"
        for name, path in (("/var/lib/weft", self.directory / machine),
                           ("/etc/weft/cell.key", self.directory / "cell.key"),
                           ("/root/", f"{self.directory}/desk/"),
                           ("@admin-token", f"@{first}/admin-token")):
            script = script.replace(name, str(path))
        if "FINGERPRINT" in script:
            script = script.replace("FINGERPRINT", (first / "ca.fingerprint").read_text().strip())
        return script

    def start(self, script, machine, ports="cp1"):
        """Start a node by SCRIPT; return when it is ready."""
        people, agents, peers = self.ports[ports]
        script = self.localise(script, machine).strip() + (
            f" --listen 127.0.0.1:{people} --listen-agents 127.0.0.1:{agents}"
            f" --listen-peers 127.0.0.1:{peers}")
        log = self.directory / f"{machine}.log"
        with open(log, "wb") as out:
            node = subprocess.Popen(["bash", "-c", f"exec {script}"], env=self.environment(),
                                    stdout=out, stderr=out)
        self.nodes.append(node)
        url = f"https://127.0.0.1:{people}/readyz"
        until = time.monotonic() + LIMIT_S
        while subprocess.run(["curl", "-skf", url], capture_output=True,
                             check=False).returncode != 0:
            assert node.poll() is None and time.monotonic() < until, log.read_text()
            time.sleep(0.1)

    def environment(self):
        env = {name: value for name, value in os.environ.items()
               if not name.startswith("WEFT_")}
        return env | {"PATH": f"{BUILD}:{env['PATH']}", "HOME": str(self.directory)}

    def desk(self, script):
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", self.localise(script, "desk")],
                              env=self.environment(), cwd=self.directory / "desk",
                              capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def stop(self):
        for node in self.nodes:
            node.kill()
            node.wait()
        self.nodes = []


def test_a_cell_by_the_page(tmp_path):
    """Founded, joined, kept, backed up, lost and restored, as the page says."""
    machines = Machines(tmp_path)
    marks = set()
    try:
        for mark, text in blocks(CELL_PAGE):
            marks.add(mark)
            if mark == "found":
                machines.start(text, "cp1")
                shutil.copy(tmp_path / "cp1" / "cell.key", tmp_path / "cell.key")
            elif mark == "join":
                machines.start(text, "cp2", "cp2")
            elif mark == "desk":
                machines.desk(text)
            else:
                assert mark == "restore", f"no mark before\n{text}"
                machines.stop()
                (tmp_path / "desk" / "cell.weft").rename(tmp_path / "desk" / "backup.weft")
                machines.start(text, "restored")
                machines.desk("weft cluster show orders && weft cell status")
    finally:
        machines.stop()
    assert marks == {"found", "join", "desk", "restore"}


def agent_is_ready(url, process, log):
    """Wait until /readyz of URL says so."""
    until = time.monotonic() + LIMIT_S
    while subprocess.run(["curl", "-sf", f"{url}/readyz"], capture_output=True,
                         check=False).returncode != 0:
        assert process.poll() is None and time.monotonic() < until, log.read_text()
        time.sleep(0.1)


def test_a_cluster_by_the_readme(tmp_path):
    """"Run a cluster by hand", as it stands there: a control plane, a cluster, an agent that
    gets ready and serves a client."""
    found, make, agent = [block for block in indented("README.md")
                          if block.startswith(("weft-controlplane ", "cd ", "weft-agent "))]
    machines = Machines(tmp_path)
    machines.ports = {"cp": machines.ports["cp1"], "cp1": machines.ports["cp1"]}
    store, kafka, admin = tmp_path / "store", *free_ports(2)
    store.mkdir()
    log = tmp_path / "agent.log"
    try:
        machines.start(found, "cp1")
        shown = machines.desk(make.replace("/var/lib/weft", str(tmp_path / "cp1")))
        token = re.search(r"weft_enrol_\S+", shown)[0]
        script = machines.localise(agent.strip(), "cp1")
        for name, value in (("TOKEN", token), ("0.0.0.0:9092", f"127.0.0.1:{kafka}"),
                            ("s3://bucket/prefix?region=eu-central-1", f"file://{store}")):
            assert name in script
            script = script.replace(name, value)
        with open(log, "wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {script}"], stdout=out, stderr=out, cwd=tmp_path / "cp1",
                env=machines.environment() | {"WEFT_ADMIN_LISTEN": f"127.0.0.1:{admin}"})
        machines.nodes.append(process)
        agent_is_ready(f"http://127.0.0.1:{admin}", process, log)
        producer = Producer({"bootstrap.servers": f"127.0.0.1:{kafka}"})
        producer.produce("greetings", b"hello")
        assert producer.flush(LIMIT_S) == 0
    finally:
        machines.stop()


@pytest.mark.parametrize("page", [*PAGES, CELL_PAGE])
def test_no_block_hides(page):
    """Indented blocks would be code too, and not seen by BLOCK; links lead somewhere."""
    text = (ROOT / page).read_text()
    bare = BLOCK.sub("", text)
    assert "```" not in bare
    for line in bare.splitlines():
        assert not line.startswith("    "), f"{page}: an indented block: {line}"
    for path in re.findall(r"`([\w./-]+/[\w.-]+\.(?:md|py|sh|json|yml))`", bare):
        assert (ROOT / path).exists() or (ROOT / page).parent.joinpath(path).exists(), \
            f"{page} names {path}"
