"""docker-compose.yml as users start it: from nothing to records, and through breakages.

One project for the whole file, whose tests run in order; containers are stopped and killed,
networks cut, and at the end every acknowledged record must be there, in order, once.
"""

import json
import subprocess
import time
import urllib.request

import containers
import pytest
import yaml
from clients import CONFLUENT, FRANZ, KCAT
from compose import CONTROL_PLANES, FILE, Compose
from containers import ROOT, podman
from workload import Workload

LONG = True
STOP_LIMIT_S = 20


@pytest.fixture(name="project", scope="module")
def project_fixture(tmp_path_factory):
    """The running project."""
    tag = containers.build_images()
    with Compose(tag, tmp_path_factory.mktemp("compose")) as compose:
        yield compose


@pytest.fixture(name="compose")
def compose_fixture(project):
    """The project, which is whole again afterwards, whatever came of the test."""
    yield project
    project.mend()


def test_comes_up_from_nothing(compose):
    """`up` is all that is needed: the cell has three voters, the cluster two agents, each in
    a zone of its own, without a hand in between."""
    started = time.monotonic()
    compose.wait_ready()
    print(f"ready {time.monotonic() - started:.1f} s after up")
    agents = compose.items("agent", "list")
    assert sorted(agent["zone"] for agent in agents) == ["zone-1", "zone-2"]
    status = compose.weft("cell", "status")
    assert all(name in status for name in CONTROL_PLANES), status


def test_clients(compose):
    """What one client produces the others consume, in both directions."""
    records = [{"key": b"k%d" % i, "value": b"v%d" % i} for i in range(50)]
    compose.weft("topic", "create", "clients", "--partitions", "1")
    for producer, codec in ((KCAT, "none"), (FRANZ, "zstd"), (CONFLUENT, "lz4")):
        producer.produce(compose.bootstrap, "clients", records, codec=codec)
    for consumer in (KCAT, FRANZ, CONFLUENT):
        found = consumer.consume(compose.bootstrap, "clients", 150, **{"from": "beginning"})
        assert [record["value"] for record in found] == \
            [record["value"] for record in records] * 3


def test_the_page(compose, tmp_path):
    """The commands of packaging/compose/README.md do what it says; kcat's are run as they
    stand there, but for the port."""
    page = (ROOT / "packaging" / "compose" / "README.md").read_text(encoding="utf-8")
    commands = [line.strip() for line in page.splitlines() if line.startswith("    ")]
    assert [line for line in commands if line.startswith("docker compose")] == [
        "docker compose up -d", "docker compose logs -f weft",
        "docker compose run --rm --no-deps weft cell status", "docker compose down"]
    kcat = [line.replace("localhost:9092", compose.bootstraps[0]) for line in commands
            if "kcat" in line]
    assert len(kcat) == 2
    outs = [subprocess.run(["bash", "-c", line], check=True, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True, timeout=120).stdout
            for line in kcat]
    assert outs[1].split() == [str(i) for i in range(1, 101)]
    assert "agents of the cluster main can join" in compose.logs("weft")
    assert "cp cp1:/var/lib/weft/admin-token" in page
    podman("cp", compose.container("cp1") + ":/var/lib/weft/admin-token", tmp_path / "token")
    assert (tmp_path / "token").read_text().startswith("weft_api_")


def restarted(compose, service):
    """Start SERVICE again; until everybody is there."""
    compose.start(service)
    compose.wait_ready()


def test_breakages_lose_nothing(compose):
    """Stop the node that leads, stop and kill an agent, cut each one's network, let the store
    hang, all under load."""
    # A cut network is silence: a client notices by its own time limits.
    limits = {"socket.timeout.ms": 10_000, "request.timeout.ms": 8_000}
    with Workload(compose, topic="breakages") as load:
        for name, idempotent, zone in (("idem-1", True, "zone-1"), ("idem-2", True, "zone-2"),
                                       ("idem-any", True, None), ("plain", False, None)):
            load.add_producer(name, idempotent, zone=zone, **limits)
        load.start()
        load.wait_progress("before anything")

        leader = compose.leader()
        assert compose.stop(leader) == 0
        load.wait_progress(f"{leader}, which led, was stopped")
        restarted(compose, leader)

        leader = compose.leader()
        compose.disconnect(leader)
        load.wait_progress(f"{leader}, which led, was cut off")
        compose.wait(lambda: compose.leader() not in (None, leader), "nobody else leads")
        compose.connect(leader)
        compose.wait_ready()

        started = time.monotonic()
        assert compose.stop("agent-1") == 0
        print(f"agent drained in {time.monotonic() - started:.1f} s")
        assert time.monotonic() - started < STOP_LIMIT_S
        load.wait_progress("an agent was stopped")
        restarted(compose, "agent-1")

        compose.disconnect("agent-2")
        compose.wait(lambda: compose.agents() == 1, "the agent that was cut off is shown")
        load.wait_progress("an agent was cut off", limit_s=180)
        compose.connect("agent-2")
        compose.wait_ready()

        compose.kill("agent-2")
        load.wait_progress("an agent was killed")
        compose.wait(lambda: compose.agents() >= 1, "no agent is shown")
        restarted(compose, "agent-2")

        compose.store.pause()
        compose.wait(lambda: load.checker.unsettled() > 0, "produces go on without a store")
        compose.store.resume()
        load.wait_progress("the store hung for a while")
        load.finish()


def test_what_a_test_leaves_is_mended(compose):
    """A test that breaks off leaves a node cut off, an agent stopped, a store that hangs:
    the next one finds everything in order."""
    compose.store.pause()
    compose.kill("agent-2")
    compose.disconnect("cp3")
    compose.mend()
    assert compose.agents() == 2 and compose.voters() == 3
    assert not compose.down and not compose.cut


def test_prometheus_sees_all(compose):
    """Each program is scraped, by TLS where there is TLS, and the alerts are loaded."""
    def healths():
        with urllib.request.urlopen(compose.prometheus + "/api/v1/targets", timeout=10) as got:
            targets = json.load(got)["data"]["activeTargets"]
        return {target["labels"]["instance"]: target["health"] for target in targets}
    compose.wait(lambda: set(healths().values()) == {"up"}, "not all targets are up")
    assert sorted(healths()) == ["agent-1:9093", "agent-2:9093", "cp1:7800", "cp2:7800",
                                 "cp3:7800"]
    with urllib.request.urlopen(compose.prometheus + "/api/v1/rules", timeout=10) as got:
        assert json.load(got)["data"]["groups"]


def test_down_and_up_again(compose):
    """Volumes are all that is kept: after `down` and `up` the records are there, and the
    repeated setup hurts nobody."""
    compose.compose("down")
    assert not podman("ps", "-aq", "--filter", f"name={compose.project}").split()
    compose.up()
    compose.wait_ready()
    found = KCAT.consume(compose.bootstrap, "clients", 150, **{"from": "beginning"})
    assert len(found) == 150


# --- files, without containers ---

def test_file_is_hardened_and_true():
    """Our services can write nothing but volumes, have no capability, and have the version
    of the programs; nothing is published beyond this machine by default."""
    services = yaml.safe_load(FILE.read_text())["services"]
    header = (ROOT / "common" / "version.h").read_text(encoding="ascii")
    for name in (*CONTROL_PLANES, "agent-1", "agent-2", "weft"):
        service = services[name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        version = service["image"].split(":-")[1].rstrip("}")
        assert f'WEFT_VERSION "{version}"' in header
    for service in services.values():
        assert all(port.startswith(("127.0.0.1:", "${WEFT_BIND:-127.0.0.1}:"))
                   for port in service.get("ports", []))


def test_grafana_is_provisioned():
    """What Grafana is given fits together: the data source is Prometheus' address in the
    compose file, the dashboards lie where the provider looks, and ask that data source."""
    folder = ROOT / "packaging" / "compose" / "grafana"
    compose = yaml.safe_load(FILE.read_text())["services"]
    mounts = dict(volume.split(":")[:2] for volume in compose["grafana"]["volumes"]
                  if volume.startswith("./"))
    source, = yaml.safe_load((folder / "datasources.yml").read_text())["datasources"]
    provider, = yaml.safe_load((folder / "dashboards.yml").read_text())["providers"]
    assert source["url"] == "http://prometheus:9090" and source["type"] == "prometheus"
    assert mounts["./monitoring/dashboards"] == provider["options"]["path"]
    for path in mounts:
        assert (ROOT / path).exists(), path
    dashboards = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))
    assert dashboards
    uids = set()
    for path in dashboards:
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        assert dashboard["title"] and dashboard["panels"]
        assert dashboard.get("id") is None, f"{path}: an id of another Grafana"
        uids.add(dashboard["uid"])
        # A source by variable is chosen among all of the type; by uid it must be ours.
        for uid in find_sources(dashboard):
            assert uid in (source["uid"], "-- Grafana --", "grafana") or uid.startswith("$"), uid
    assert len(uids) == len(dashboards)


def find_sources(value):
    """The uids of all data sources that VALUE names."""
    if isinstance(value, dict):
        if isinstance(value.get("datasource"), dict) and "uid" in value["datasource"]:
            yield value["datasource"]["uid"]
        for inner in value.values():
            yield from find_sources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from find_sources(inner)


def test_prometheus_configuration():
    """promtool finds nothing wrong with what Prometheus is given."""
    text = (ROOT / "packaging" / "compose" / "prometheus.yml").read_text()
    assert "/etc/prometheus/alerts.yml" in text and "/etc/weft/ca.crt" in text
    done = subprocess.run(["promtool", "check", "rules", ROOT / "monitoring" / "alerts.yml"],
                          check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
