"""The Helm charts, for tests: helm itself, what a chart renders to, pods out of it.

    docs = charts.render("weft-agent", charts.least("weft-agent", {"replicas": 5}))
    pod = charts.pod_of(charts.one(docs, "Deployment"), "agent-1")

helm is made by tests/packaging/setup, by whoever asks first.
"""

import copy
import fcntl
import functools
import json
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
NAMES = ("weft-agent", "weft-controlplane")
TOOLS = ROOT / "build" / "charts"

# The least that must be given.
LEAST = {
    "weft-agent": {
        "controlPlane": {"url": "https://cp.example.com:7800"},
        "enrolment": {"existingSecret": "weft-enrolment"},
        "store": {"url": "s3://bucket/prefix?region=eu-central-1"},
    },
    "weft-controlplane": {},
}


def setup():
    """Make helm, unless it is there."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with open(TOOLS / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([ROOT / "tests" / "packaging" / "setup"], check=True)


def helm(*words, stdin=None):
    """Run helm: (exit status, standard output, standard error)."""
    done = subprocess.run([TOOLS / "helm", *map(str, words)], input=stdin, text=True,
                          capture_output=True, check=False, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr


def merge(base, over):
    """OVER laid over BASE, as helm does."""
    out = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(out.get(key), dict):
            out[key] = merge(out[key], value)
        else:
            out[key] = copy.deepcopy(value)
    return out


def least(chart, *more):
    """The least values of CHART, and MORE."""
    values = LEAST[chart]
    for each in more:
        values = merge(values, each)
    return values


@functools.cache
def _text_of(chart, values, version):
    code, out, err = helm("template", chart, CHARTS / chart, "--namespace", "weft",
                          "--kube-version", version, "--values", "-", stdin=values)
    assert code == 0, err
    return out


def text_of(chart, values, version="1.35.0"):
    """What CHART renders to for Kubernetes VERSION, as text."""
    return _text_of(chart, json.dumps(values, sort_keys=True), version)


def render(chart, values, version="1.35.0"):
    """Its manifests."""
    return [doc for doc in yaml.safe_load_all(text_of(chart, values, version)) if doc]


def one(docs, kind, name=None):
    """The manifest of KIND among DOCS."""
    found = [d for d in docs if d["kind"] == kind and name in (None, d["metadata"]["name"])]
    assert len(found) == 1, [f"{d['kind']} {d['metadata']['name']}" for d in docs]
    return found[0]


def env_of(pod):
    """Name -> value, or valueFrom, of the first container of a pod."""
    return {e["name"]: e.get("value", e.get("valueFrom"))
            for e in pod["spec"]["containers"][0]["env"]}


def pod_of(workload, name, claims=()):
    """The pod NAME of the template of a Deployment or StatefulSet, as its controller makes
    it: CLAIMS are the names of its volumes that are claims."""
    template = copy.deepcopy(workload["spec"]["template"])
    template |= {"apiVersion": "v1", "kind": "Pod"}
    template["metadata"]["name"] = name
    volumes = template["spec"].setdefault("volumes", [])
    volumes += [{"name": claim, "persistentVolumeClaim": {"claimName": f"{claim}-{name}"}}
                for claim in claims]
    return template
