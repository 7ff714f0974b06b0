"""The pods of the Helm charts, run: `podman kube play` stands for the kubelet.

A cell of three nodes out of the StatefulSet's template, which find one another by the names
that Kubernetes would give them, and agents out of the Deployment's template, which enrol with
them; kcat produces and consumes. What the kubelet does and podman 4.3 does not, is done here
(Play): secrets, variables, probes, the hook before the end.
"""

import base64
import copy
import http.client
import json
import os
import re
import ssl
import subprocess
import time

import pytest
import yaml

import charts
import containers
from cell import wait_until
from charts import least, one, render
from control import Client, Refused
from radosgw import Radosgw

LONG = True  # the images are built, once
READY_LIMIT_S = 90
RECORDS = 2000
# The programs listen here in every pod; each pod has an address of its own.
PEOPLE, KAFKA = 7800, 9092
# A pod's address is in no certificate; who it is, is not what is tested here.
UNVERIFIED = ssl._create_unverified_context()  # pylint: disable=protected-access


def expand(text, values):
    """$(NAME) as the kubelet does it: from the variables before; an unknown one stays."""
    return re.sub(r"\$\(([A-Za-z_]+)\)", lambda m: values.get(m[1], m[0]), text)


class Play:
    """A network with the pods that were played in it; all removed at the end.

    What the kubelet does and podman 4.3 does not, is done here: secrets become files that the
    pod's group may read, or variables, and those may refer to others; probes are asked, and a
    pod sleeps before it is told to end, as its manifest says. Taken out are fields of the
    pod's status (its own address is also what an agent takes when it is told none), and ports,
    which podman would publish on this machine."""

    def __init__(self, directory):
        self.name = containers.unique("charts")
        self.directory = directory
        self.played = []
        self.specs = {}
        self.secrets = {}
        self.volumes = []

    def __enter__(self):
        containers.podman("network", "create", self.name)
        return self

    def __exit__(self, *_):
        for pod in self.played:
            containers.run(["podman", "pod", "rm", "-f", "-t", "0", pod], check=False)
        for volume in self.volumes:
            containers.run(["podman", "volume", "rm", "-f", volume], check=False)
        containers.run(["podman", "network", "rm", "-f", self.name], check=False)

    def secret(self, secret):
        """A Secret that pods may refer to."""
        self.secrets[secret["metadata"]["name"]] = {
            key: base64.b64decode(value).decode() for key, value in secret["data"].items()}

    def claim(self, name, spec):
        """A volume by the claim NAME."""
        self.volumes.append(name)
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                 "metadata": {"name": name}, "spec": spec}
        containers.run(["podman", "kube", "play", "-"], input=yaml.safe_dump(claim))

    def release(self, name):
        """The volume of the claim NAME is gone."""
        self.volumes.remove(name)
        containers.podman("volume", "rm", name)

    def _mount(self, pod, volume):
        """The files of a secret's volume, with its mode and the pod's group."""
        wanted = volume.pop("secret")
        directory = self.directory / f"{pod['metadata']['name']}-{volume['name']}"
        directory.mkdir(exist_ok=True)
        data = self.secrets[wanted["secretName"]]
        items = wanted.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            path = directory / item["path"]
            path.write_text(data[item["key"]])
            os.chown(path, 0, pod["spec"]["securityContext"]["fsGroup"])
            path.chmod(wanted["defaultMode"])
        volume["hostPath"] = {"path": str(directory)}

    def _env(self, pod, entries):
        """ENTRIES with their values, without what podman cannot say."""
        values = {}
        for entry in entries:
            source = entry.get("valueFrom", {})
            path = source.get("fieldRef", {}).get("fieldPath", "")
            if path == "metadata.name":
                values[entry["name"]] = pod["metadata"]["name"]
            elif path.startswith("metadata.labels["):
                values[entry["name"]] = pod["metadata"]["labels"].get(path.split("'")[1], "")
            elif "secretKeyRef" in source:
                wanted = source["secretKeyRef"]
                data = self.secrets[wanted["name"]]
                if wanted["key"] in data or not wanted.get("optional"):
                    values[entry["name"]] = data[wanted["key"]]
            elif not path:
                values[entry["name"]] = expand(entry["value"], values)
        return values

    def pod(self, pod, *aliases):
        """Run POD, which has the names ALIASES in the network."""
        spec = pod["spec"]
        self.specs[pod["metadata"]["name"]] = copy.deepcopy(spec)
        for volume in spec["volumes"]:
            if "secret" in volume:
                self._mount(pod, volume)
        for container in spec["containers"] + spec.get("initContainers", []):
            values = self._env(pod, container.get("env", []))
            container["env"] = [{"name": n, "value": v} for n, v in values.items()]
            container["args"] = [expand(arg, values) for arg in container.get("args", [])]
            for key in ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "ports"):
                container.pop(key, None)
        name = pod["metadata"]["name"]
        if "initContainers" in spec:
            spec["restartPolicy"] = "Never"  # podman starts those that have ended again, too
        self.played.append(name)
        network = ",".join([self.name, *(f"alias={a}" for a in (name, *aliases))])
        containers.run(["podman", "kube", "play", "--network", network.replace(",", ":", 1), "-"],
                       input=yaml.safe_dump(pod))

    def container_of(self, pod):
        """What podman knows of the container in the pod named POD."""
        name = self.specs[pod]["containers"][0]["name"]
        return json.loads(containers.podman("inspect", f"{pod}-{name}"))[0]

    def address(self, pod):
        """The address of the pod named POD."""
        infra = json.loads(containers.podman("pod", "inspect", pod))["InfraContainerID"]
        networks = json.loads(containers.podman("inspect", infra))[0]["NetworkSettings"]["Networks"]
        return networks[self.name]["IPAddress"]

    def probe(self, pod, kind):
        """Whether the container of the pod passes its probe KIND, as the kubelet asks it."""
        container = self.specs[pod]["containers"][0]
        probe = container[kind]
        asked = probe["httpGet"]
        port = next(p["containerPort"] for p in container["ports"]
                    if asked["port"] in (p["name"], p["containerPort"]))
        status = status_of(self.address(pod), port, asked["path"],
                           tls=asked.get("scheme") == "HTTPS",
                           limit_s=probe.get("timeoutSeconds", 1))
        return 200 <= status < 400

    def remove(self, pod):
        """As if it had never been; volumes stay. podman may need another go, while it does not
        know yet that a container has ended."""
        words = ["podman", "pod", "rm", "-f", "-t", "0", pod]
        wait_until(lambda: containers.run(words, check=False).returncode == 0, f"{pod} removed",
                   READY_LIMIT_S)
        self.played.remove(pod)

    def logs(self, pod):
        """What the container in it has logged."""
        done = containers.run(["podman", "logs", self.container_of(pod)["Id"]], check=False)
        return done.stdout + done.stderr


def status_of(host, port, path, tls=False, limit_s=5):
    """The HTTP status that PATH has there; 0: nobody answers."""
    connection = http.client.HTTPSConnection(host, port, timeout=limit_s, context=UNVERIFIED) \
        if tls else http.client.HTTPConnection(host, port, timeout=limit_s)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


def await_pod(play, name):
    """Wait until the pod NAME is ready by its own probes; its address."""
    probes = [kind for kind in ("startupProbe", "livenessProbe", "readinessProbe")
              if kind in play.specs[name]["containers"][0]]
    assert "livenessProbe" in probes and "readinessProbe" in probes
    try:
        for kind in probes:
            wait_until(lambda k=kind: play.probe(name, k), f"{kind} of {name}", READY_LIMIT_S)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{play.logs(name)[-3000:]}") from None
    return play.address(name)


def kcat(*words, text=None):
    """What kcat prints."""
    done = subprocess.run(["kcat", *words], input=text, text=True, capture_output=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def produce_and_consume(bootstrap, topic, others):
    """RECORDS through one address, and all of them, in order, from each of OTHERS."""
    lines = [f"{topic} {i}" for i in range(RECORDS)]
    kcat("-b", bootstrap, "-P", "-t", topic, "-p", "0", text="\n".join(lines) + "\n")
    for other in others:
        read = kcat("-b", other, "-C", "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q")
        assert read.splitlines() == lines


def stop_pod(play, name, meanwhile=lambda: None):
    """The end of a pod as the kubelet makes it: the hook, during which MEANWHILE is called,
    SIGTERM, and SIGKILL when its grace is over, the hook's time included. The exit status."""
    container = play.container_of(name)["Id"]
    spec = play.specs[name]
    sleep = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = spec["terminationGracePeriodSeconds"]
    ends = time.monotonic() + sleep
    meanwhile()
    assert play.probe(name, "readinessProbe"), "it serves on until it is told to end"
    time.sleep(max(0, ends - time.monotonic()))
    began = time.monotonic()
    containers.podman("stop", "-t", grace - sleep, container)
    assert time.monotonic() - began < grace - sleep, "it was killed"
    return json.loads(containers.podman("inspect", container))[0]["State"]["ExitCode"]


@pytest.fixture(scope="module", name="tag")
def tag_fixture():
    """The tag of this tree's images; helm is there too."""
    charts.setup()
    return containers.build_images()


@pytest.fixture(scope="module", name="play")
def play_fixture(tag, tmp_path_factory):
    """A network for this module's pods."""
    assert tag
    with Play(tmp_path_factory.mktemp("secrets")) as play:
        yield play


@pytest.fixture(scope="module", name="store")
def store_fixture(tmp_path_factory):
    """A directory that pods may write."""
    store = tmp_path_factory.mktemp("store")
    for path in [store, *store.parents][:4]:
        path.chmod(path.stat().st_mode | 0o711)
    store.chmod(0o777)
    return store


@pytest.fixture(scope="module", name="s3")
def s3_fixture(play, tmp_path_factory):
    """A real S3 server with a bucket for agents, and its keys as a Secret; its URL, as pods
    reach it."""
    with Radosgw(tmp_path_factory.mktemp("s3"), listen="0.0.0.0") as server:
        server.make_bucket("weft-charts")
        play.secret(secret_of("weft-store", access_key=server.access_key,
                              secret_key=server.secret_key))
        network = json.loads(containers.podman("network", "inspect", play.name))[0]
        yield server.url("weft-charts", "records").replace(
            "localhost", network["subnets"][0]["gateway"])


def agent_values(tag, name, cell, url, **more):
    """Values of weft-agent for an agent of this module."""
    return least("weft-agent", {
        "fullnameOverride": name,
        "image": {"repository": "localhost/weft-agent", "tag": tag},
        "controlPlane": {"url": f"https://{cell.name}.weft.svc:{PEOPLE}"},
        "enrolment": {"existingSecret": f"{name}-enrolment"},
        "store": {"url": url, "existingSecret": "weft-store"},
        "resources": {"limits": {"memory": "512Mi"}},
        "config": {"flush-interval": "50ms"},
        "podLabels": {"topology.kubernetes.io/zone": "eu-a"}}, more)


def secret_of(name, **data):
    """A Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name},
            "data": {key.replace("_", "-"): base64.b64encode(value.encode()).decode()
                     for key, value in data.items()}}


class Cell:
    """Three nodes out of the chart, begun at once."""

    def __init__(self, play, tag):
        self.play = play
        self.name = containers.unique("cell")
        self.values = {
            "fullnameOverride": self.name, "resources": {"limits": {"memory": "512Mi"}},
            "image": {"repository": "localhost/weft-controlplane", "tag": tag},
            "cliImage": {"repository": "localhost/weft-cli", "tag": tag}}
        docs = render("weft-controlplane", self.values)
        self.stateful, self.secret = one(docs, "StatefulSet"), one(docs, "Secret")
        self.token = base64.b64decode(self.secret["data"]["admin-token"]).decode()
        self.pods = [f"{self.name}-{i}" for i in range(self.stateful["spec"]["replicas"])]
        self.play.secret(self.secret)
        self.addresses = {}
        self.begin()
        log = play.logs(self.pods[0])
        self.fingerprint = log.partition(" ca_fingerprint=")[2].split()[0]

    def begin(self):
        """All pods at once, on new volumes."""
        for pod in self.pods:
            self.play.claim(f"data-{pod}",
                            self.stateful["spec"]["volumeClaimTemplates"][0]["spec"])
        for pod in self.pods:
            self.start(pod)
        self.addresses = {pod: await_pod(self.play, pod) for pod in self.pods}

    def lose(self):
        """Pods and volumes are gone; the Secret is not."""
        for pod in self.pods:
            self.play.remove(pod)
            self.play.release(f"data-{pod}")

    def voters(self):
        """The rows of three voters, by name, or None."""
        rows = self.call("GET", "/api/v1/cell/nodes")["items"]
        whole = len(rows) == 3 and all(row["role"] == "voter" for row in rows)
        return {row["name"]: row for row in rows} if whole else None

    def start(self, pod):
        """Run the pod as Kubernetes would, with the names that it would have; the Service's
        name leads to one of its pods, here to the first."""
        domain = f"{self.stateful['spec']['serviceName']}.weft.svc.cluster.local"
        service = [f"{self.name}.weft.svc"] if pod == self.pods[0] else []
        self.play.pod(charts.pod_of(self.stateful, pod, ["data"]), f"{pod}.{domain}", *service)

    def call(self, method, path, value=None):
        """An operator's call, of the node that leads."""
        def leader():
            for pod in self.pods:
                client = Client(f"https://{self.addresses[pod]}:{PEOPLE}", UNVERIFIED)
                headers = {"Authorization": f"Bearer {self.token}"}
                try:
                    client.json("GET", "/api/v1/cell", None, headers)
                    return client.json(method, path, value, headers)
                except (OSError, http.client.HTTPException, Refused):
                    pass
                finally:
                    client.close()
            return None
        return wait_until(leader, f"an answer to {path}", READY_LIMIT_S)


@pytest.fixture(scope="module", name="cell")
def cell_fixture(tag, play):
    """The cell of this module."""
    return Cell(play, tag)


@pytest.fixture(scope="module", name="enrolment")
def enrolment_fixture(cell):
    """A token by which agents join a cluster of that cell."""
    cluster = cell.call("POST", "/api/v1/clusters", {"name": "charts"})
    return cell.call("POST", f"/api/v1/clusters/{cluster['id']}/enrolment-tokens", {})["token"]


def test_the_pods_of_the_statefulset_become_a_cell(cell):
    """Three pods out of one template are one cell of three voters, the first its founder,
    under the names that the Services give them; nobody made a token for that."""
    rows = wait_until(cell.voters, "three voters", READY_LIMIT_S)
    assert set(rows) == set(cell.pods)
    assert rows[cell.pods[0]]["id"] == 1
    for pod in cell.pods:
        assert rows[pod]["people_url"] == \
            f"https://{pod}.{cell.name}-peers.weft.svc.cluster.local:{PEOPLE}"
    for pod in cell.pods:
        container = cell.play.container_of(pod)
        assert container["Config"]["User"] == "65532:65532"
        assert container["HostConfig"]["ReadonlyRootfs"] is True
        assert container["EffectiveCaps"] in (None, [])


def job_of(docs, name):
    """The pod NAME of the CronJob among DOCS."""
    job = one(docs, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]
    job |= {"apiVersion": "v1", "kind": "Pod"}
    job["metadata"]["name"] = name
    return job


def run_to_end(cell, pod):
    """Play POD, which ends by itself, with status 0."""
    name = pod["metadata"]["name"]
    pod["spec"]["restartPolicy"] = "Never"
    cell.play.pod(pod)
    container = cell.play.container_of(name)["Id"]
    status = int(containers.podman("wait", container).strip())
    assert status == 0, cell.play.logs(name)


def back_up(cell, store):
    """The CronJob's pod, for once, into the bucket of agents; the backup's URL."""
    name = containers.unique("backup")
    place = store.replace("/records?", "/vault/{name}.weft?")
    docs = render("weft-controlplane", charts.merge(cell.values, {
        "caFingerprint": cell.fingerprint, "secrets": {"existingSecret": f"{cell.name}-cell"},
        "backup": {"cronJob": {"enabled": True, "secret": "weft-store", "to": place}}}))
    run_to_end(cell, job_of(docs, name))
    return place.replace("{name}", name)


def test_helm_test_and_backup(cell, store):
    """The pod of `helm test`, and that of the CronJob, log in by the fingerprint and do what
    they are for: the backup is there, under the pod's name."""
    docs = render("weft-controlplane", charts.merge(cell.values, {
        "caFingerprint": cell.fingerprint, "secrets": {"existingSecret": f"{cell.name}-cell"},
        "backup": {"cronJob": {"enabled": True, "to": f"file://{store}/{{name}}.weft"}}}))
    test = one(docs, "Pod")
    job = job_of(docs, f"{cell.name}-backup-1")
    job["spec"]["volumes"].append({"name": "store", "hostPath": {"path": str(store)}})
    job["spec"]["containers"][0]["volumeMounts"].append(
        {"name": "store", "mountPath": str(store)})
    for pod in (test, job):
        run_to_end(cell, pod)
    assert cell.pods[0] in cell.play.logs(test["metadata"]["name"])
    backup = store / f"{cell.name}-backup-1.weft"
    assert backup.stat().st_size > 1000


def test_an_agent_of_the_deployment_is_produced_to(cell, play, tag, s3, enrolment):
    """Two agents out of the chart, enrolled with the cell by its Service's name, over an S3
    server whose keys a Secret has: kcat produces to one and reads all from both, each under
    its pod's address and in the zone of its pod's label. SIGTERM ends one with status 0 and
    nothing lost; it had no right and wrote nothing."""
    name = containers.unique("agent")
    docs = render("weft-agent", agent_values(tag, name, cell, s3))
    play.secret(secret_of(f"{name}-enrolment", enrolment_token=enrolment,
                          ca_fingerprint=cell.fingerprint))
    pods = [f"{name}-x{i}" for i in range(2)]
    for pod in pods:
        play.pod(charts.pod_of(one(docs, "Deployment"), pod))
    brokers = [f"{await_pod(play, pod)}:{KAFKA}" for pod in pods]
    produce_and_consume(brokers[0], "charts", brokers)
    told = {b["name"] for b in json.loads(kcat("-b", brokers[0], "-L", "-J"))["brokers"]}
    assert told == set(brokers)
    container = play.container_of(pods[0])
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    assert container["EffectiveCaps"] in (None, [])
    assert "WEFT_ZONE=eu-a" in container["Config"]["Env"]
    assert stop_pod(play, pods[0], meanwhile=lambda: produce_and_consume(
        brokers[0], "before-the-end", brokers)) == 0
    assert "drained" in play.logs(pods[0])
    produce_and_consume(brokers[1], "after", brokers[1:])


def test_a_node_that_is_replaced_comes_back(cell):
    """What a rolling update does to each pod: SIGTERM, and the same pod again on the same
    volume. The others go on, and it is the same node."""
    pod = cell.pods[1]
    assert stop_pod(cell.play, pod) == 0
    before = {row["name"]: row["id"] for row in cell.call("GET", "/api/v1/cell/nodes")["items"]}
    cell.play.remove(pod)
    cell.start(pod)
    cell.addresses[pod] = await_pod(cell.play, pod)
    after = {row["name"]: row["id"] for row in cell.call("GET", "/api/v1/cell/nodes")["items"]}
    assert before == after and len(after) == 3


@pytest.mark.parametrize("wrong, told", [
    ({"config": {"flush-intervall": "1s"}}, "flush-intervall"),
    ({"store": {"url": "s3://bucket/x"}}, "region"),
])
def test_an_agent_that_cannot_work_says_so(cell, play, tag, s3, enrolment, wrong, told):
    """A value that only the program can judge ends the pod at once, with status not 0 and a
    last line that says what it was."""
    name = containers.unique("wrong")
    values = agent_values(tag, name, cell, s3)
    play.secret(secret_of(f"{name}-enrolment", enrolment_token=enrolment,
                          ca_fingerprint=cell.fingerprint))
    docs = render("weft-agent", charts.merge(values, wrong))
    pod = charts.pod_of(one(docs, "Deployment"), f"{name}-x")
    pod["spec"]["restartPolicy"] = "Never"
    play.pod(pod)
    container = play.container_of(f"{name}-x")["Id"]
    assert int(containers.podman("wait", container, limit_s=30).strip()) != 0
    assert told in play.logs(f"{name}-x").strip().splitlines()[-1]


def test_restored_out_of_a_backup(cell, play, s3):
    """All pods and volumes are lost: the same chart with the Secret and `restore.from` makes
    the cell again out of the bucket, and of three nodes; without that value it goes on."""
    old = cell.call("GET", "/api/v1/cell")["id"]
    url = back_up(cell, s3)
    before = [row["name"] for row in cell.call("GET", "/api/v1/clusters")["items"]]
    cell.lose()
    normal = cell.stateful
    restoring = charts.merge(cell.values, {
        "secrets": {"existingSecret": cell.secret["metadata"]["name"]},
        "restore": {"from": url, "secret": "weft-store"}})
    cell.stateful = one(render("weft-controlplane", restoring), "StatefulSet")
    cell.begin()
    rows = wait_until(cell.voters, "three voters", READY_LIMIT_S)
    assert set(rows) == set(cell.pods)
    told = cell.call("GET", "/api/v1/cell")["id"]
    assert told != old
    assert [row["name"] for row in cell.call("GET", "/api/v1/clusters")["items"]] == before
    cell.stateful = normal
    for pod in reversed(cell.pods):
        assert stop_pod(play, pod) == 0
        play.remove(pod)
        cell.start(pod)
        cell.addresses[pod] = await_pod(play, pod)
    wait_until(cell.voters, "three voters", READY_LIMIT_S)
    assert cell.call("GET", "/api/v1/cell")["id"] == told
