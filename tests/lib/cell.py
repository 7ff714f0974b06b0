"""A cell of weft-controlplane nodes for tests, begun by hand as an operator would.

    with Cell(directory) as cell:
        cell.found()
        cell.join()
        cell.join()
        cell.wait_voters(3)
        cell.call("POST", "/api/v1/clusters", {"name": "first"})
"""

import http.client
import pathlib
import time

from control import Admin, ControlPlane, Refused
from ports import free_ports

READY_LIMIT_S = 30


def wait_until(check, what, limit_s=READY_LIMIT_S):
    """Wait for CHECK to give something true, and return that."""
    deadline = time.monotonic() + limit_s
    while True:
        found = check()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {limit_s} s: {what}"
        time.sleep(0.02)


class Node(ControlPlane):
    """One node at ports of its own, which stay."""

    def __init__(self, cell, directory, ports=None, **options):
        people, agents, peers = ports or free_ports(3)
        super().__init__(directory, listen_peers=f"127.0.0.1:{peers}", **options)
        self.ports = [people, agents]
        self.all_ports = (people, agents, peers)
        self.cell = cell

    @property
    def ca_file(self):
        """The founder's, by which all are known."""
        return self.cell.founder_data / "ca.crt"

    @property
    def admin(self):
        """An operator's client of this node."""
        token = (self.cell.founder_data / "admin-token").read_text().strip()
        return Admin(self.people_url, self.ca_file, token)

    def ask(self, method, path, value=None):
        """One call of this node, with a connection of its own."""
        admin = self.admin
        try:
            return admin.call(method, path, value)
        finally:
            admin.close()

    def leads(self):
        """Does this node answer as the leader?"""
        if self.process is None or self.process.poll() is not None:
            return False
        try:
            return bool(self.ask("GET", "/api/v1/cell"))
        except (OSError, Refused, http.client.HTTPException):
            return False


class Cell:
    """Nodes that were started; options are for all of them."""

    def __init__(self, directory, **options):
        self.directory = pathlib.Path(directory)
        self.options = options
        self.nodes = []
        self.founder_data = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            if node.process and node.process.poll() is None:
                node.kill()

    def _name(self):
        return f"node-{len(self.nodes) + 1}"

    def found(self):
        """The first node."""
        node = Node(self, self.directory / self._name(), bootstrap=True, **self.options)
        self.founder_data = node.data
        self.nodes.append(node)
        node.start()
        return node

    def token(self):
        """A new join token."""
        return self.call("POST", "/api/v1/cell/join-tokens", {})["token"]

    @property
    def fingerprint(self):
        """Of the CA that signs."""
        return (self.founder_data / "ca.fingerprint").read_text().strip()

    def joiner(self, token=None, **changes):
        """A further node that was not started."""
        values = {"join": self.leader().people_url, "join_token": token or self.token(),
                  "ca_fingerprint": self.fingerprint,
                  "cell_key_file": self.founder_data / "cell.key"} | self.options | changes
        return Node(self, self.directory / self._name(), **values)

    def join(self, **changes):
        """A further node."""
        node = self.joiner(**changes)
        self.nodes.append(node)
        node.start()
        return node

    def grow(self, count):
        """Found and join until there are COUNT voters."""
        if not self.nodes:
            self.found()
        while len(self.nodes) < count:
            self.join()
        self.wait_voters(count)
        return self

    def leader(self):
        """The node that leads, waited for."""
        return wait_until(lambda: next((n for n in self.nodes if n.leads()), None), "a leader")

    def followers(self):
        """All others that run."""
        leader = self.leader()
        return [n for n in self.nodes if n is not leader and n.process.poll() is None]

    def call(self, method, path, value=None):
        """A call of whoever leads."""
        return self.leader().ask(method, path, value)

    def table(self):
        """Node id -> node, as the leader sees them."""
        return {row["id"]: row for row in self.call("GET", "/api/v1/cell/nodes")["items"]}

    def id_of(self, node):
        """The id of NODE."""
        return next(row["id"] for row in self.table().values()
                    if row["people_url"] == node.people_url)

    def wait_voters(self, count, limit_s=READY_LIMIT_S):
        """Wait until COUNT nodes vote, and no other is there."""
        def settled():
            try:
                rows = self.table().values()
            except (OSError, Refused, http.client.HTTPException):
                return False
            return len(rows) == count and all(r["role"] == "voter" for r in rows)
        wait_until(settled, f"{count} voters", limit_s)
