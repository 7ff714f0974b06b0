"""A cluster with everything in it that is measured: a cell of three nodes, two agents in two
zones, topics, a producer, consumers of a group that keep up and of one that falls behind.

    with BusyCluster(directory) as busy:
        busy.scrape("agent-1")
"""

import json
import pathlib
import urllib.request

from cell_cluster import CellCluster
from exposition import parse
from traffic import Traffic

RELEASE = pathlib.Path(__file__).resolve().parents[2] / "build" / "release"
PARTITIONS = 2
TOPICS = ("orders", "payments")


class BusyCluster(CellCluster):
    def __init__(self, directory, agent_set=None, **options):
        super().__init__(directory, build=RELEASE, control_planes=3, agents=2, agent_set={
            # A directory bills nothing: as if it were a bucket.
            "store-provider": "aws", "store-region": "eu-west-1",
            "flush-interval": "50ms", **(agent_set or {})}, **options)
        self.traffic = None

    def up(self):
        super().up()
        leader = self.leader()
        for topic in TOPICS:
            self.post(leader, f"/api/v1/clusters/{self.cluster_id()}/topics",
                      {"name": topic, "partitions": PARTITIONS})
        self.traffic = Traffic(self.bootstrap)
        self.traffic.produce(dict.fromkeys(TOPICS, 1))
        # One agent answers for all: of what the other wrote it has to ask the store.
        for group, pause_s in (("readers", 0), ("laggards", 0.2)):
            self.traffic.consume(group, list(TOPICS), pause_s, f"{group},zone=zone-2")
        return self

    def __exit__(self, *failure):
        try:
            if self.traffic:
                self.traffic.end()
        finally:
            super().__exit__(*failure)

    def agent_address(self, name):
        """HOST:PORT of an agent's /metrics."""
        return self.processes()[name]["ready_url"].split("/")[2]

    def text(self, name):
        """What NAME shows under /metrics."""
        if name in self.node_names:
            status, text = self.get(name, "/metrics", limit_s=20)
            assert status == 200
            return text
        url = f"http://{self.agent_address(name)}/metrics"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()

    def scrape(self, name):
        return parse(self.text(name))

    def jobs(self):
        """For Prometheus."""
        return [{"job": "weft-agent", "targets": [self.agent_address(f"agent-{i + 1}")
                                                  for i in range(self.agents)]},
                {"job": "weft-controlplane", "ca_file": self.ca_file,
                 "targets": [self.url(name).removeprefix("https://")
                             for name in self.node_names]}]

    def overview(self):
        path = f"/api/v1/clusters/{self.cluster_id()}/overview"
        status, text = self.get(self.leader(), path, self.admin_token)
        assert status == 200, text
        return json.loads(text)
