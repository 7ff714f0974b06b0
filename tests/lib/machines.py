"""Machines of their own for tests of what is installed: Debian under systemd, in containers.

    with Machines(image, ["cp1", "agent1"]) as machines:
        machines["cp1"].run("systemctl start weft-controlplane")

Each has a name NAME.example.com that the others resolve, and is ready when its systemd is. They
are Debian's own, not the programs' images: packages are installed there as on any machine.
They reach each other and this host, nothing else; what comes from mirrors is in the image.
"""

import json
import subprocess
import time

import containers

READY_LIMIT_S = 120
RUN_LIMIT_S = 300
# A unit's sandbox is made of mounts. Where systemd is told that it runs in a container it
# leaves their propagation to who made the container.
INIT = ["sh", "-c", "mount --make-rshared / && exec /sbin/init"]
RIGHTS = ["--systemd=always", "--cap-add=SYS_ADMIN", "--security-opt=seccomp=unconfined"]


class Failed(AssertionError):
    """A script on a machine ended with another status than 0."""


class Machine:
    """One machine; `run` is what root does there in bash."""

    def __init__(self, name, container):
        self.name = name
        self.container = container

    def run(self, script, limit_s=RUN_LIMIT_S, check=True):
        """Run SCRIPT until its first command that fails; what it printed, both outputs."""
        words = ["podman", "exec", "-i", "-w", "/root", "-e", "DEBIAN_FRONTEND=noninteractive",
                 "-e", "HOME=/root", "-e", "LC_ALL=C.UTF-8", self.container, "bash", "-e"]
        done = subprocess.run(words, input=script, env=containers.environment(), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=limit_s)
        if check and done.returncode != 0:
            raise Failed(f"{self.name}: exit {done.returncode}\n{script}\n{done.stdout}")
        return done.stdout

    def copy(self, source, target):
        """A file of this host to the machine."""
        containers.podman("cp", source, f"{self.container}:{target}")

    def unit(self, name):
        """What systemd knows of a unit, as a dict."""
        lines = self.run(f"systemctl show {name}").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def journal(self, name):
        """What a unit's programs, and systemd of it, have said."""
        return self.run(f"journalctl -u {name} -o cat --no-pager")

    def wait(self, script, what, limit_s=READY_LIMIT_S):
        """Until SCRIPT succeeds; what it printed."""
        until = time.monotonic() + limit_s
        while True:
            try:
                return self.run(script)
            except Failed as failed:
                assert time.monotonic() < until, f"{what}: not in {limit_s} s\n{failed}"
            time.sleep(0.3)


class Machines(dict):
    """Machines by name, on a network of their own."""

    def __init__(self, image, names):
        super().__init__()
        self.image = image
        self.names = names
        self.network = containers.unique("machines")

    def __enter__(self):
        containers.podman("network", "create", self.network)
        try:
            for name in self.names:
                self.start(name)
            for machine in self.values():
                machine.wait("systemctl is-system-running | grep -E 'running|degraded'",
                             "systemd is not up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, name):
        """One machine more; its systemd may not be up yet."""
        container = f"{self.network}-{name}"
        self[name] = Machine(name, container)
        containers.podman("run", "-d", "--name", container, "--hostname", name, *RIGHTS,
                          "--network", self.network,
                          "--network-alias", f"{name}.example.com", self.image, *INIT)

    def __exit__(self, *_):
        for machine in self.values():
            containers.run(["podman", "rm", "-f", "-v", "-t", "0", machine.container],
                           check=False)
        containers.run(["podman", "network", "rm", "-f", self.network], check=False)

    @property
    def host(self):
        """The address of this host, as the machines know it."""
        network = json.loads(containers.podman("network", "inspect", self.network))[0]
        return network["subnets"][0]["gateway"]


def make_image(name, script, files=()):
    """An image NAME: plain Debian in which SCRIPT was run by bash, with FILES in /root. It may
    use the network. Nothing is done when the image is there."""
    with containers.locked("machines"):
        if containers.image_exists(name):
            return
        base = containers.base_image()
        with containers.Container(base, "sleep", "infinity",
                                  options=["--network", "host"]) as container:
            builder = Machine(name, container.name)
            for file in files:
                builder.copy(file, "/root/")
            builder.run(script, limit_s=900)
            containers.podman("commit", "-q", container.name, name)
