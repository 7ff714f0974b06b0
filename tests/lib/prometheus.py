"""A real Prometheus that scrapes what a test names; from Debian's package.

    with Prometheus(directory, [{"job": "weft-agent", "targets": ["127.0.0.1:9093"]}]) as prom:
        prom.query('up{job="weft-agent"}')
"""

import json
import pathlib
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import yaml

from ports import free_ports

READY_LIMIT_S = 60
SCRAPE_S = 1


def tool(name):
    """The path of prometheus or promtool."""
    found = shutil.which(name)
    assert found, f"{name} is missing: run scripts/install test"
    return found


class Prometheus:
    """DIRECTORY takes its configuration, data and log.

    jobs   a list of {"job", "targets"} and, for HTTPS, "ca_file"
    rules  files of rules"""

    def __init__(self, directory, jobs, rules=()):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.jobs, self.rules = jobs, rules
        self.port = free_ports(1)[0]
        self.process = None

    def config(self):
        jobs = []
        for job in self.jobs:
            entry = {"job_name": job["job"], "static_configs": [{"targets": job["targets"]}]}
            if "ca_file" in job:
                entry |= {"scheme": "https", "tls_config": {"ca_file": str(job["ca_file"])}}
            jobs.append(entry)
        return {"global": {"scrape_interval": f"{SCRAPE_S}s",
                           "evaluation_interval": f"{SCRAPE_S}s"},
                "rule_files": [str(rule) for rule in self.rules], "scrape_configs": jobs}

    def __enter__(self):
        config = self.directory / "prometheus.yml"
        config.write_text(yaml.safe_dump(self.config()))
        log = open(self.directory / "log", "wb")
        self.process = subprocess.Popen(
            [tool("prometheus"), f"--config.file={config}",
             f"--storage.tsdb.path={self.directory / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.wait(self._ready, "Prometheus is not ready", READY_LIMIT_S)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _ready(self):
        assert self.process.poll() is None, (self.directory / "log").read_text()
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready",
                                          timeout=2).status == 200
        except OSError:
            return False

    def wait(self, check, what, limit_s):
        """Wait for CHECK to give something true, and return that."""
        until = time.monotonic() + limit_s
        while not (found := check()):
            assert time.monotonic() < until, f"{what} (after {limit_s} s)"
            time.sleep(0.25)
        return found

    def get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression):
        """The result of EXPRESSION now: a list of {"metric", "value"}."""
        found = self.get("query", query=expression)
        return found["result"] if found["resultType"] == "vector" else [found["result"]]

    def label_values(self, label, selector):
        """The values of LABEL among the series that SELECTOR names."""
        series = self.get("series", **{"match[]": selector})
        return sorted({one[label] for one in series if label in one})
