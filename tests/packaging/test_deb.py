"""The Debian packages, their units, and the page that says how to use them.

The page packaging/systemd/README.md is run: its blocks of commands, as they stand there, on
machines under systemd (tests/lib/machines.py), the values put in that it has in capital
letters. The tests with a cell are one story, in their order. A block that none of them runs is a
failure.
"""

import hashlib
import json
import pathlib
import re
import shlex
import subprocess
import time

import pytest

import containers
import machines
from pages import commands
from radosgw import Radosgw

LONG = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "packaging" / "systemd" / "README.md"
UNITS = ROOT / "packaging" / "systemd"
SERVICES = ("weft-agent", "weft-controlplane")
NAMES = ("weft-agent", "weft-controlplane", "weft-cli")
NEW_VERSION = "99.0.0"
RECORDS = 2000


def sh(*words, limit_s=600, **options):
    """Run a command here; what it printed."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False, timeout=limit_s, **options)
    assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stdout}"
    return done.stdout


def field(package, name):
    return sh("dpkg-deb", "-f", package, name).strip()


# --- what is made ---

@pytest.fixture(scope="module")
def packages():
    """The packages by name, made by `make deb`."""
    sh("make", "-s", "deb", cwd=ROOT, limit_s=1800)
    found = {field(file, "Package"): file for file in (ROOT / "build" / "deb").glob("*.deb")}
    return {name: found[name] for name in NAMES}


@pytest.fixture(scope="module")
def newer(packages, tmp_path_factory):
    """The same packages of a later version."""
    made = {}
    for name, file in packages.items():
        root = tmp_path_factory.mktemp(name) / "root"
        sh("dpkg-deb", "-R", file, root)
        control = root / "DEBIAN" / "control"
        control.write_text(re.sub(r"^Version: .*$", f"Version: {NEW_VERSION}",
                                  control.read_text(), flags=re.MULTILINE))
        for conf in (root / "etc" / "weft").glob("*.conf"):
            conf.write_text(conf.read_text() + "# of the later version\n")
        made[name] = root.parent / f"{name}_{NEW_VERSION}_amd64.deb"
        sh("dpkg-deb", "--root-owner-group", "-b", root, made[name])
    return made


@pytest.fixture(scope="module")
def unpacked(packages, tmp_path_factory):
    """All packages' files in one directory."""
    root = tmp_path_factory.mktemp("unpacked")
    for file in packages.values():
        sh("dpkg-deb", "-x", file, root)
    return root


def test_lintian_finds_nothing(packages):
    """No error and no warning, but for overrides that say why."""
    changes = list((ROOT / "build" / "deb").glob("*.changes"))
    assert len(changes) == 1
    found = sh("lintian", "--allow-root", "--fail-on", "error,warning", changes[0])
    assert not re.findall(r"^[EW]: ", found, re.MULTILINE), found
    for overrides in (ROOT / "packaging" / "debian").glob("*.lintian-overrides"):
        assert overrides.read_text().startswith("# "), f"{overrides}: no reason"


def test_packages_have_what_they_should(packages, unpacked):
    """Programs, manual pages, completions, units and private configuration, and nothing else
    in /usr/bin or /etc; the version is that of the programs."""
    version = re.search(r'WEFT_VERSION "(.*)"', (ROOT / "common/version.h").read_text())[1]
    programs = {"weft-agent": "weft-agent", "weft-controlplane": "weft-controlplane",
                "weft-cli": "weft"}
    for name, program in programs.items():
        assert field(packages[name], "Version").startswith(version + "+deb")
        listed = sh("dpkg-deb", "-c", packages[name])
        assert re.findall(r"\./usr/bin/(\S+)", listed) == [program]
        assert re.search(rf"\./usr/share/man/man[18]/{program}\.[18]\.gz", listed)
        assert "./usr/share/doc/" + name + "/copyright" in listed
    for service in SERVICES:
        conf = f"/etc/weft/{service.removeprefix('weft-')}.conf"
        listed = sh("dpkg-deb", "-c", packages[service])
        assert re.search(rf"\./(usr/)?lib/systemd/system/{service}\.service", listed)
        assert re.search(rf"^-rw-r----- root/root .* \.{conf}$", listed, re.MULTILINE)
        assert re.findall(r"\./etc/weft/(\S+)", listed) == [pathlib.Path(conf).name]
    listed = sh("dpkg-deb", "-c", packages["weft-cli"])
    assert "./usr/share/bash-completion/completions/weft" in listed
    assert "./usr/share/zsh/vendor-completions/_weft" in listed
    for name, program in programs.items():
        shown = sh(unpacked / "usr/bin" / program,
                   "version" if program == "weft" else "--version")
        assert shown.split()[-1] == version


def test_manual_pages_know_every_option(unpacked):
    """A manual page is made of --help: nothing is missing, and man finds no fault in it."""
    for service in SERVICES:
        page = unpacked / f"usr/share/man/man8/{service}.8.gz"
        shown = sh("man", "--warnings", "-l", page,
                   env={"PATH": "/usr/bin:/bin", "MANWIDTH": "1000", "LC_ALL": "C.UTF-8"})
        assert "warning" not in shown.split("NAME", 1)[0]
        help_text = sh(unpacked / "usr/bin" / service, "--help")
        for option in re.findall(r"^  (--\S+)", help_text, re.MULTILINE):
            assert re.search(rf"^ +{option}\b", shown, re.MULTILINE), f"{service}: {option}"
    shown = sh("man", "--warnings", "-l", unpacked / "usr/share/man/man1/weft.1.gz",
               env={"PATH": "/usr/bin:/bin", "MANWIDTH": "120", "LC_ALL": "C.UTF-8"})
    assert "topic create" in shown and "cell status" in shown


def test_configuration_files_tell_the_truth(unpacked):
    """Each line of the files that we install is a comment; each that names an option names a
    real one, and shows its default where it has one and the line is no example."""
    for service in SERVICES:
        conf = unpacked / f"etc/weft/{service.removeprefix('weft-')}.conf"
        options = dict(re.findall(r"^  --(\S+)(.*)$",
                                  sh(unpacked / "usr/bin" / service, "--help"), re.MULTILINE))
        named = re.findall(r"^#([a-z-]+) =(.*)$", conf.read_text(), re.MULTILINE)
        assert len(named) > 8
        for name, value in named:
            assert name in options, f"{conf.name}: there is no option {name}"
            default = re.search(r" \(default (\S+)\)$", options[name])
            if default and default[1] not in ("false", "true"):
                assert value.strip() == default[1], f"{conf.name}: {name}"
        assert all(line.startswith("#") or not line for line in conf.read_text().splitlines())


def test_units_are_locked_up():
    """systemd rates the units' exposure at 1.2 of 10."""
    for service in SERVICES:
        sh("systemd-analyze", "security", "--offline=true", "--threshold=13",
           UNITS / f"{service}.service")


def test_a_build_is_reproducible(packages, tmp_path):
    """The same source gives the same bytes."""
    sh("scripts/deb", tmp_path, cwd=ROOT)
    for file in packages.values():
        first, second = (hashlib.sha256(f.read_bytes()).hexdigest()
                         for f in (file, tmp_path / file.name))
        assert first == second, file.name


# --- the page ---

class Page:
    """The blocks of commands of the page, each with the machines that it is for. They are
    taken in the order of the page, or by what is told of them."""

    def __init__(self):
        found = re.findall(r"<!-- run: (.*?) -->\n\n((?:    .*\n|\n(?=    ))+)",
                           PAGE.read_text())
        self.blocks = [(where.split(), re.sub(r"^    ", "", text, flags=re.MULTILINE))
                       for where, text in found]
        indented = len(re.findall(r"^\n    \S", PAGE.read_text(), re.MULTILINE))
        assert indented == len(self.blocks), "a block of commands says not where it is run"

    def take(self, *where, having=""):
        """The first block that is left, for exactly the machines WHERE."""
        for i, (machines_of, text) in enumerate(self.blocks):
            if machines_of == list(where) and having in text:
                del self.blocks[i]
                return text
        raise AssertionError(f"the page has no block for {where} with {having!r}")


def put(text, **words):
    """TEXT with what stands in capital letters put in; all of it."""
    capitals = set(re.findall(r"\b[A-Z][A-Z_]{3,}\b", text)) - {"AWS_ACCESS_KEY_ID",
                                                               "AWS_SECRET_ACCESS_KEY"}
    assert capitals == set(words), f"{capitals} is to be put in:\n{text}"
    for word, value in words.items():
        text = re.sub(rf"\b{word}\b", lambda _, value=value: value, text)
    return text


@pytest.fixture(scope="module")
def page():
    page = Page()
    return page


@pytest.fixture(scope="module")
def image(packages, page):
    """Debian with systemd and what the packages depend on, but not the packages; backports
    are added as the page says."""
    backports = page.take("cp1", "cp2", "cp3", "if", "bookworm")
    script = f"""
        {backports}
        apt-get install -y -qq --no-install-recommends systemd systemd-sysv dbus kcat procps openssl
        apt-get install -y -qq ./weft-*.deb
        apt-get purge -y -qq weft-agent weft-controlplane weft-cli
        rm -f /root/*.deb
        apt-get clean
    """
    depends = "".join(field(file, "Depends") for file in packages.values())
    name = "weft-test-machine:" + hashlib.sha256((script + depends).encode()).hexdigest()[:12]
    machines.make_image(name, script, packages.values())
    return name


class Cell:
    """The machines with what a person at them knows."""

    def __init__(self, all_machines, page, s3):
        self.machines = all_machines
        self.page = page
        self.s3 = s3
        self.known = {}
        # What is put into the page's URLs of buckets; the endpoint goes with the region.
        endpoint = f"http://{all_machines.host}:{s3.port}"
        self.place = {"PREFIX": "weft", "REGION": f"{s3.region}&endpoint={endpoint}"}
        self.keys = {"ACCESS_KEY": s3.access_key, "SECRET_KEY": s3.secret_key}

    def __getitem__(self, name):
        return self.machines[name]

    def weft(self, *words):
        """A command of weft on cp1, as JSON."""
        # What it says meanwhile, such as that nobody leads yet, is for people.
        return json.loads(self["cp1"].run(f"weft {' '.join(words)} -o json 2>/root/weft.said || "
                                          "{ cat /root/weft.said; exit 1; }"))

    def status(self):
        return self.weft("cell status")

    def wait_for_voters(self, count):
        """Until COUNT nodes vote and none is behind."""
        def settled():
            try:
                nodes = self.weft("cell node list")["items"]
            except machines.Failed:
                return False
            return sum(n["role"] == "voter" and n["alive"] and n["behind"] < 100
                       for n in nodes) == count == len(nodes)
        until = time.monotonic() + 120
        while not settled():
            assert time.monotonic() < until, self["cp1"].run("weft cell status", check=False)
            time.sleep(0.5)

    def records(self, machine="agent1", topic="numbers"):
        """All records of TOPIC, read through an agent."""
        return self["cp1"].run(f"kcat -q -b {machine}.example.com:9092 -t {topic} -C -e "
                               f"-o beginning").split()


def install(machine, packages, block):
    """The page's way to install, of the packages in /root."""
    machine.run("rm -f /root/*.deb")
    for name, file in packages.items():
        if f"./{name}_" in block:
            machine.copy(file, f"/root/{file.name}")
    machine.run(block)


def begin(cell, packages):
    """What the page does until there are a cell of three and two agents."""
    page = cell.page
    nodes, agents = ("cp1", "cp2", "cp3"), ("agent1", "agent2")
    block = page.take(*nodes)
    for name in nodes:
        install(cell[name], packages, block)
        unit = cell[name].unit("weft-controlplane")
        assert (unit["ActiveState"], unit["UnitFileState"]) == ("inactive", "disabled")
    block = page.take(*agents)
    for name in agents:
        install(cell[name], packages, block)

    cell["cp1"].run(page.take("cp1"))
    cell["cp1"].run(page.take("cp1", having="weft login"))
    cell.known["CELL_KEY"] = \
        cell["cp1"].run("cat /etc/credstore/weft-controlplane.cell-key").strip()
    token_block = page.take("cp1", having="join-token create")
    block = page.take("cp2", "cp3")
    for name in nodes[1:]:
        shown = cell["cp1"].run(token_block)
        token = re.search(r"weft_join_\S+", shown)[0]
        cell.known["FINGERPRINT"] = re.search(r"\b[0-9a-f]{64}\b", shown)[0]
        cell[name].run(put(block.replace("cp2", name), JOIN_TOKEN=token, **cell.known))
    cell.wait_for_voters(3)
    assert "node 1 (cp1)" in cell["cp1"].run(page.take("cp1", having="cell status"))

    shown = cell["cp1"].run(page.take("cp1", having="cluster create"))
    cell.known["ENROLMENT_TOKEN"] = re.search(r"weft_enrol_\S+", shown)[0]


def begin_agents(cell):
    """The agents, configured and started as the page says."""
    page, agents = cell.page, ("agent1", "agent2")
    configure = page.take(*agents, having="ENROLMENT_TOKEN")
    keys = put(page.take(*agents, having="ACCESS_KEY"), **cell.keys)
    start = page.take(*agents, having="systemctl")
    for name in agents:
        cell[name].run(put(configure.replace("agent1", name), BUCKET="records", **cell.place,
                           ZONE=f"zone-{name[-1]}", FINGERPRINT=cell.known["FINGERPRINT"],
                           ENROLMENT_TOKEN=cell.known["ENROLMENT_TOKEN"]))
        cell[name].run(keys)
        cell[name].run(start)
    shown = cell["cp1"].run(page.take("cp1", having="agent list"))
    assert "zone-1" in shown and "zone-2" in shown
    assert "hello" in cell["cp1"].run(page.take("client"))


@pytest.fixture(scope="module")
def cell(packages, page, image, tmp_path_factory):
    """Five machines, from empty to a running cell with agents, by the page."""
    names = ["cp1", "cp2", "cp3", "agent1", "agent2"]
    with machines.Machines(image, names) as all_machines, \
            Radosgw(tmp_path_factory.mktemp("s3"), listen="0.0.0.0") as s3:
        s3.make_bucket("records")
        s3.make_bucket("backups")
        cell = Cell(all_machines, page, s3)
        begin(cell, packages)
        begin_agents(cell)
        cell["cp1"].run(f"seq {RECORDS} | kcat -q -b agent1.example.com:9092 -t numbers -P "
                        "-X acks=all")
        yield cell


def all_there(cell, **where):
    return sorted(map(int, cell.records(**where))) == list(range(1, RECORDS + 1))


def test_records_come_back(cell):
    """What was produced through one machine's agent is read through the other's."""
    assert all_there(cell, machine="agent2")


def test_services_are_in_their_sandbox(cell):
    """Each runs as its own user without rights, under a filter, with a read-only system, and
    ready as systemd knows it; secrets are its own and its configuration is private."""
    for name, service in (("cp1", "weft-controlplane"), ("agent1", "weft-agent")):
        machine, unit = cell[name], cell[name].unit(service)
        assert (unit["ActiveState"], unit["SubState"]) == ("active", "running")
        assert machine.run(f"systemd-analyze verify --man=no {service}.service") == ""
        assert (unit["Type"], unit["StatusText"], unit["NRestarts"]) == ("notify", "ready", "0")
        status = machine.run(f"cat /proc/{unit['MainPID']}/status")
        values = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        user = machine.run(f"id -u {service}").strip()
        assert set(values["Uid"].split()) == {user} and user != "0"
        assert all(int(values[cap], 16) == 0 for cap in ("CapEff", "CapPrm", "CapBnd", "CapAmb"))
        assert (values["NoNewPrivs"], values["Seccomp"]) == ("1", "2")
        mounts = machine.run(f"cat /proc/{unit['MainPID']}/mountinfo").splitlines()
        root = next(line for line in mounts if line.split()[4] == "/")
        assert root.split()[5].split(",")[0] == "ro"
        secrets = machine.run(f"stat -c '%U %a' /run/credentials/{service}.service/*")
        assert set(secrets.splitlines()) == {f"{service} 400"}
        conf = f"/etc/weft/{service.removeprefix('weft-')}.conf"
        assert machine.run(f"stat -c '%U %G %a' {conf}").split() == ["root", service, "640"]
    assert cell["cp1"].run("stat -c '%U %a' /var/lib/weft-controlplane").split() == \
        ["weft-controlplane", "700"]


EDITOR = r"""#!/bin/sh
for file; do :; done
printf '[Service]\nReadWritePaths=-/mnt/records\n' >"$file"
"""


def test_commands_in_sentences(cell):
    """Where the page says how to look and how to change a unit, that works as it says."""
    agent = cell["agent1"]
    agent.run(f"cat >/root/editor <<'END'\n{EDITOR}END\nchmod +x /root/editor")
    count = 0
    for words in commands("packaging/systemd/README.md",
                          ("systemctl", "journalctl", "systemd-analyze")):
        line = shlex.join(words)
        if line == "systemctl start":
            continue  # names a command, which the blocks use
        count += 1
        if words[1] == "edit":  # wants a terminal
            line = f"SYSTEMD_EDITOR=/root/editor script -qec '{line}' /dev/null"
        machine = cell["cp1"] if "weft-controlplane" in words else agent
        machine.run(line)
    assert count >= 4
    assert "ReadWritePaths=-/mnt/records" in agent.run("systemctl cat weft-agent")
    agent.run("systemctl revert weft-agent")


def test_a_killed_service_is_started_again(cell):
    """kill -9 of either program is mended by systemd, and no record is lost."""
    for name, service in (("agent2", "weft-agent"), ("cp2", "weft-controlplane")):
        machine = cell[name]
        pid = machine.unit(service)["MainPID"]
        machine.run(f"kill -9 {pid}")
        machine.wait(f"test $(systemctl show -P NRestarts {service}) = 1 && "
                     f"systemctl is-active {service}", f"{service} does not come back")
        assert machine.unit(service)["MainPID"] != pid
    cell.wait_for_voters(3)
    assert all_there(cell, machine="agent2")


def test_wrong_options_and_secrets_are_told_once(cell):
    """A misspelt option, or a secret that is not there, fails at once with one sentence in the
    journal, and is not tried again and again."""
    agent = cell["agent2"]
    for line, told in (("flush-bites = 1", "did you mean flush-bytes?"),
                       ("store-session-token = @/run/credentials/weft-agent.service/none",
                        "cannot read /run/credentials/weft-agent.service/none")):
        agent.run(f"cp -p /etc/weft/agent.conf /root/kept; echo '{line}' >>/etc/weft/agent.conf")
        started = time.monotonic()
        with pytest.raises(machines.Failed):
            agent.run("systemctl restart weft-agent")
        assert time.monotonic() - started < 60
        unit = agent.unit("weft-agent")
        assert (unit["ActiveState"], unit["ExecMainStatus"]) == ("failed", "2")
        assert told in agent.journal("weft-agent")
        agent.run("cp -p /root/kept /etc/weft/agent.conf; systemctl restart weft-agent")
    assert agent.unit("weft-agent")["ActiveState"] == "active"


def test_a_stop_drains(cell):
    """An agent is stopped in order: it drains, ends with 0, and is not taken for failed."""
    agent = cell["agent2"]
    agent.run("systemctl stop weft-agent")
    unit = agent.unit("weft-agent")
    assert (unit["ActiveState"], unit["Result"], unit["ExecMainStatus"]) == \
        ("inactive", "success", "0")
    assert 'msg="drained"' in agent.journal("weft-agent")
    agent.run("systemctl start weft-agent")


def test_backups(cell):
    """The cell puts backups into its bucket by itself, and by hand into a file."""
    page, nodes = cell.page, ("cp1", "cp2", "cp3")
    configure = put(page.take(*nodes, having="backup-to"), BACKUP_BUCKET="backups",
                    **cell.place)
    keys = put(page.take(*nodes, having="AWS_ACCESS_KEY_ID"), **cell.keys)
    restart = page.take(*nodes, having="restart")
    for name in nodes:
        cell[name].run(configure)
        cell[name].run(keys)
        cell[name].run(restart)
        cell.wait_for_voters(3)
    # It looks once a minute whether one is due.
    cell["cp1"].wait("weft backup list -o json | grep s3://", "no backup in the bucket")
    shown = cell["cp1"].run(page.take("cp1", having="backup create"))
    assert "cell.weft" in shown and "s3://" in shown


def test_upgrade_keeps_what_is_ours(cell, packages, newer):
    """An upgrade restarts one service after the other, and keeps configuration, secrets, state
    and records; the new configuration lies beside."""
    page = cell.page
    blocks = {("cp1", "cp2", "cp3"): page.take("cp1", "cp2", "cp3", "upgrade"),
              ("agent1", "agent2"): page.take("agent1", "agent2", "upgrade")}
    for names, block in blocks.items():
        for name in names:
            machine = cell[name]
            service = "weft-agent" if name.startswith("agent") else "weft-controlplane"
            conf = f"/etc/weft/{service.removeprefix('weft-')}.conf"
            before = machine.unit(service)["MainPID"], machine.run(f"sha256sum {conf}")
            install(machine, newer, block)
            after = machine.unit(service)
            assert machine.run(f"dpkg-query -W -f '${{Version}}' {service}") == NEW_VERSION
            assert after["MainPID"] != before[0] and after["ActiveState"] == "active"
            assert machine.run(f"sha256sum {conf}") == before[1]
            assert "of the later version" in machine.run(f"cat {conf}.dpkg-dist")
            assert machine.run(f"stat -c '%U %G %a' {conf}").split() == ["root", service, "640"]
            if name.startswith("cp"):
                cell.wait_for_voters(3)
    assert all_there(cell, machine="agent1") and all_there(cell, machine="agent2")


def test_removing(cell):
    """A purged agent leaves nothing behind; a node that was removed ends with 3 and is left
    alone, and purging removes its data and secrets."""
    page = cell.page
    agent2 = cell["agent2"]
    agent2.run(page.take("agent2"))
    assert agent2.run("ls -d /etc/weft /etc/credstore/weft* /usr/bin/weft* 2>/dev/null || :") == ""
    assert agent2.run("pgrep weft-agent || :") == ""
    cell["cp1"].run(page.take("cp1", having="node remove"))
    cp3 = cell["cp3"]
    cp3.wait("systemctl is-failed weft-controlplane", "the removed node does not stop")
    unit = cp3.unit("weft-controlplane")
    assert (unit["ExecMainStatus"], unit["NRestarts"]) == ("3", "0")
    cp3.run(page.take("cp3"))
    assert cp3.run("pgrep weft || :") == ""
    assert cp3.run("ls -d /etc/weft /etc/credstore/weft* /var/lib/weft* 2>/dev/null || :") == ""
    cell.wait_for_voters(2)
    assert all_there(cell)


def test_restore_on_an_empty_machine(cell):
    """A backup, the cell key and a package are enough: the new cell has clusters and tokens of
    the old one, and the agent that runs goes on with it."""
    cell["cp2"].run("systemctl disable --now weft-controlplane")
    cp1 = cell["cp1"]
    cp1.run("mv /root/cell.weft /srv/cell.weft; systemctl stop weft-controlplane; "
            "rm -rf /var/lib/weft-controlplane")
    cp1.run(cell.page.take("cp1", "restore"))
    cell.wait_for_voters(1)
    assert "orders" in cp1.run("weft cluster list")
    cp1.run("systemctl restart weft-controlplane")
    cp1.wait("kcat -q -b agent1.example.com:9092 -t numbers -C -e -o beginning | wc -l | "
             f"grep -qx {RECORDS}", "the agent does not go on with the restored cell")
    assert all_there(cell)


def test_every_command_of_the_page_was_run(cell):
    """Nothing stands in the page that the tests above have not done."""
    assert not cell.page.blocks
