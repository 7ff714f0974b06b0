"""A cluster with life in it: what the console's pages are looked at with.

Three agents in three zones, topics with settings, a producer that goes on, a group that
keeps up, one that lags, one that nobody is in any more, tokens of each role.
"""

from confluent_kafka.admin import AdminClient, NewTopic

from cell import wait_until
from cluster import Cluster
from control import Admin
from traffic import Traffic

LIMIT_S = 60
TOPICS = {"orders": 12, "payments": 6, "clicks": 24, "inventory.changes": 3}


class World:
    """Begin and end it as a context."""

    def __init__(self, directory):
        # As if somebody billed for the store, so that costs are told.
        self.cluster = Cluster(directory, agents=3, agent_set={
            "flush-interval": "50ms", "store-provider": "aws", "store-region": "us-east-1"})
        self.traffic = None

    def __enter__(self):
        self.cluster.up()
        self.url = self.cluster.control_plane
        self.admin = Admin(self.url, self.cluster.ca_file, self.cluster.admin_token)
        self.operator = self.cluster.admin_token
        self.id = self.admin.call("GET", "/api/v1/clusters")["items"][0]["id"]
        self.path = f"/clusters/{self.id}"
        self.admin_token = self.token("admin")
        self.viewer = self.token("viewer")
        self._make_topics()
        self.traffic = Traffic(self.cluster.bootstrap)
        self.traffic.produce({name: 4 if name == "clicks" else 1 for name in TOPICS})
        self.traffic.consume("billing", ["orders"])
        self.traffic.consume("reporting", ["clicks"], 0.02)
        self._leave_a_group()
        wait_until(lambda: all(self.group(g)["state"] == "Stable" for g in ("billing", "reporting")),
                   "groups that are stable", LIMIT_S)
        return self

    def token(self, role, **more):
        """The text of a new token of ROLE."""
        body = {"name": f"{role} of the tests", "role": role, **more}
        if role != "operator":
            body["cluster_id"] = self.id
        return self.admin.call("POST", "/api/v1/tokens", body)["token"]

    def group(self, name):
        """What the API says of a group; {"state": "none"} when it says nothing."""
        items = self.admin.call("GET", f"/api/v1/clusters/{self.id}/groups?q={name}")["items"]
        return items[0] if items else {"state": "none"}

    def _make_topics(self):
        admin = AdminClient({"bootstrap.servers": self.cluster.bootstrap})
        new = [NewTopic(name, partitions, 1, config={"retention.ms": "86400000"}
                        if name == "orders" else {}) for name, partitions in TOPICS.items()]
        for done in admin.create_topics(new).values():
            done.result(LIMIT_S)

    def _leave_a_group(self):
        self.admin.call("POST", f"/api/v1/clusters/{self.id}/groups/nightly-export/reset-offsets",
                        {"to": "earliest", "topics": ["payments"], "dry_run": False})

    def __exit__(self, *_):
        try:
            self.traffic.end()
        finally:
            self.admin.close()
            self.cluster.down()
