"""docker-compose.yml of the root, run by podman-compose, with the images of this tree.

    with Compose(tag) as compose:
        compose.wait_ready()
        print(compose.bootstrap)

The images that users pull cannot be had where no registry can be reached. So the store is
a radosgw on this machine, which verifies signatures, too (WEFT_STORE); Prometheus is
Debian's, in an image made here; Grafana is left out, its files are looked at by themselves.
Every project has names, a network and ports of its own.
"""

import json
import time

import containers
import yaml
from containers import ROOT, podman, run
from ports import free_ports
from radosgw import Radosgw

FILE = ROOT / "docker-compose.yml"
PROMETHEUS_IMAGE = "localhost/weft-test-prometheus:" + containers.TAG
READY_LIMIT_S = 180
CONTROL_PLANES = ("cp1", "cp2", "cp3")
NOT_HERE = ("s3", "grafana")


def prometheus_image():
    """Debian's Prometheus with the arguments of the public image, made once."""
    with containers.locked("stand-ins"):
        if not containers.image_exists(PROMETHEUS_IMAGE):
            containers.import_programs(
                PROMETHEUS_IMAGE, ["/usr/bin/prometheus"], ["/usr/bin/prometheus"],
                command=["--config.file=/etc/prometheus/prometheus.yml",
                         "--storage.tsdb.path=/prometheus"])
    return PROMETHEUS_IMAGE


class Compose:
    """One project; `with` brings it up and removes it, its volumes too."""

    def __init__(self, tag, directory):
        self.project = containers.unique("compose")
        ports = free_ports(6)
        self.bootstraps = [f"127.0.0.1:{port}" for port in ports[:2]]
        self.bootstrap = ",".join(self.bootstraps)
        self.prometheus = f"http://127.0.0.1:{ports[5]}"
        self.network = f"{self.project}_default"
        self.store = Radosgw(directory / "s3", listen="0.0.0.0")
        self.env = {
            "WEFT_PROMETHEUS_IMAGE": prometheus_image(),
            "WEFT_STORE_ACCESS_KEY": self.store.access_key,
            "WEFT_STORE_SECRET_KEY": self.store.secret_key,
            "WEFT_TAG": tag, "WEFT_HOST": "127.0.0.1",
            "WEFT_AGENT1_PORT": str(ports[0]), "WEFT_AGENT2_PORT": str(ports[1]),
            "WEFT_CP1_PORT": str(ports[2]), "WEFT_CP2_PORT": str(ports[3]),
            "WEFT_CP3_PORT": str(ports[4]), "WEFT_PROMETHEUS_PORT": str(ports[5])}
        self.services = [name for name in yaml.safe_load(FILE.read_text())["services"]
                         if name not in NOT_HERE]
        self.log = directory / "compose.log"
        self.down, self.cut = set(), set()

    def compose(self, *words, limit_s=600, check=True):
        """podman-compose of the project."""
        done = run(["podman-compose", "-p", self.project, "-f", FILE, *words], cwd=ROOT,
                   env=self.env, limit_s=limit_s, check=check)
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(words)}\n{done.stdout}{done.stderr}\n")
        return done.stdout

    def container(self, service):
        return f"{self.project}_{service}_1"

    def start_store(self):
        """The store, at the address that this machine has in the project's network."""
        self.store.start()
        self.store.make_bucket("weft")
        if run(["podman", "network", "exists", self.network], check=False).returncode != 0:
            podman("network", "create", "--label", "io.podman.compose.project=" + self.project,
                   "--label", "com.docker.compose.project=" + self.project, self.network)
        facts = json.loads(podman("network", "inspect", self.network))[0]
        gateway = facts["subnets"][0]["gateway"]
        self.env["WEFT_STORE"] = (f"s3://weft/records?endpoint=http://{gateway}:"
                                  f"{self.store.port}&region=us-east-1&path_style=true")

    def up(self):
        self.compose("up", "-d", *self.services)

    def logs(self, service):
        done = run(["podman", "logs", self.container(service)], check=False)
        return done.stdout + done.stderr

    def weft(self, *words, check=True):
        """`docker compose run --rm --no-deps weft WORDS`: what it prints."""
        return self.compose("run", "--rm", "-T", "--no-deps", "weft", *words, check=check)

    def stop(self, service):
        """SIGTERM; its exit status."""
        self.down.add(service)
        podman("stop", "-t", "60", self.container(service))
        return int(podman("inspect", "--format", "{{.State.ExitCode}}",
                          self.container(service)))

    def start(self, service):
        podman("start", self.container(service))
        self.down.discard(service)

    def kill(self, service):
        self.down.add(service)
        podman("kill", self.container(service))

    def disconnect(self, service):
        self.cut.add(service)
        podman("network", "disconnect", "-f", self.network, self.container(service))

    def connect(self, service):
        podman("network", "connect", "--alias", service, self.network,
               self.container(service))
        self.cut.discard(service)

    def mend(self):
        """Undo what a test that broke off has left: what fails is that test alone."""
        self.store.resume()
        left = self.cut | self.down
        for service in sorted(self.cut):
            self.connect(service)
        for service in sorted(self.down):
            self.start(service)
        if left:
            self.wait_ready()

    def wait(self, condition, what, limit_s=READY_LIMIT_S):
        """Until CONDITION() is true."""
        until = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > until:
                tails = "\n".join(f"--- {name}\n{self.logs(name)[-1500:]}"
                                  for name in self.services)
                raise AssertionError(f"{what} after {limit_s} s\n{tails}")
            time.sleep(0.2)

    def agents(self):
        """How many agents a client is shown."""
        done = run(["kcat", "-L", "-J", "-b", self.bootstrap, "-m", "5"], check=False)
        return len(yaml.safe_load(done.stdout)["brokers"]) if done.returncode == 0 else 0

    def wait_ready(self):
        """All agents serve, and all three nodes vote."""
        self.wait(lambda: self.agents() == 2, "not two agents")
        self.wait(lambda: self.voters() == 3, "not three voters")
        return self

    def items(self, *words):
        """A list that `weft WORDS` shows, [] when it cannot; without what podman-compose says
        around it."""
        done = run(["podman", "run", "--rm", "--network", self.network, *self.weft_options(),
                    "weft-cli:" + self.env["WEFT_TAG"], *words, "-o", "json", "--timeout", "10s"],
                   check=False)
        return json.loads(done.stdout)["items"] if done.returncode == 0 else []

    def nodes(self):
        """The cell's nodes, as the API tells."""
        return self.items("cell", "node", "list")

    def weft_options(self):
        """What the service `weft` is given, for a container that leaves no trace."""
        service = yaml.safe_load(FILE.read_text())["services"]["weft"]
        words = ["-v", f"{self.project}_cp1:/etc/weft:ro"]
        for name, value in service["environment"].items():
            words += ["-e", f"{name}={value}"]
        return words

    def voters(self):
        return sum(node["role"] == "voter" for node in self.nodes())

    def leader(self):
        """The name of the node that leads, or None."""
        return next((node["name"] for node in self.nodes() if node["leader"]), None)

    def __enter__(self):
        try:
            self.start_store()
            self.up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        run(["podman-compose", "-p", self.project, "-f", FILE, "down", "-v", "-t", "0"], cwd=ROOT,
            env=self.env, check=False, limit_s=600)
        left = podman("ps", "-aq", "--filter", f"name={self.project}").split()
        if left:
            podman("rm", "-f", "-v", "-t", "0", *left)
        for volume in podman("volume", "ls", "-q", "--filter", f"name={self.project}").split():
            run(["podman", "volume", "rm", "-f", volume], check=False)
        run(["podman", "network", "rm", "-f", self.network], check=False)
        self.store.stop()
