"""The Helm charts: what they render is what Kubernetes takes, every documented value does
something, what is missing is told in one sentence, and their pods run.

helm comes from its Go module, Kubernetes' schemas from a package; podman stands for a
kubelet, as far as it can (`podman kube play`).
"""

import base64
import json
import re
import shlex
import shutil
import subprocess
import tarfile

import jsonschema
import kubernetes_validate
import pytest
import yaml

import charts
import pages
from charts import CHARTS, NAMES, ROOT, TOOLS, env_of, helm, least, merge, one, render, text_of

LONG = True  # helm is compiled, once

# The oldest that the charts take, both sides of each change that they make, and the newest.
VERSIONS = ("1.25", "1.28", "1.30", "1.31", "1.34", "1.35", "1.37")
FINGERPRINT = "0123456789abcdef" * 4

CRON = {"backup": {"cronJob": {"enabled": True, "to": "s3://b/{name}?region=r"}},
        "caFingerprint": FINGERPRINT}
ADDRESS = {"name": "a", "host": "a.example.com"}
KEYS = {"store": {"accessKey": "id", "secretKey": "key"}}
CELL = {"secrets": {"cellKey": "5e" * 32, "adminToken": "weft_api_" + "x" * 40}}
BY_TOKEN = {"enrolment": {"existingSecret": "", "token": "weft_enrol_x"},
            "controlPlane": {"caFingerprint": FINGERPRINT}}
VOLUME = {"extraVolumes": [{"name": "v", "emptyDir": {}}]}
PEER = [{"podSelector": {"matchLabels": {"a": "b"}}}]

# Each value of values.yaml: what it is set to, and what has to stand beside it for that to
# mean anything.
COMMON = {
    "nameOverride": ("other", {}),
    "fullnameOverride": ("other", {}),
    "image.repository": ("registry.example.com/x", {}),
    "image.tag": ("9.9.9", {}),
    "image.pullPolicy": ("Always", {}),
    "image.pullSecrets": ([{"name": "registry"}], {}),
    "config": ({"log-level": "debug"}, {}),
    "topologySpread.zone": ("DoNotSchedule", {}),
    "topologySpread.node": ("", {}),
    "podDisruptionBudget.enabled": (False, {}),
    "podDisruptionBudget.maxUnavailable": ("25%", {}),
    "drain.delaySeconds": (7, {}),
    "service.type": ("LoadBalancer", {}),
    "service.annotations": ({"a": "b"}, {}),
    "serviceAccount.create": (False, {}),
    "serviceAccount.name": ("account", {}),
    "serviceAccount.annotations": ({"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}, {}),
    "networkPolicy.enabled": (True, {}),
    "networkPolicy.egressPorts": ([9000], {"networkPolicy": {"enabled": True}}),
    "resources": ({"limits": {"memory": "8Gi"}}, {}),
    "monitoring.serviceMonitor.enabled": (True, {}),
    "monitoring.serviceMonitor.interval": (
        "10s", {"monitoring": {"serviceMonitor": {"enabled": True}}}),
    "monitoring.serviceMonitor.labels": (
        {"release": "prometheus"}, {"monitoring": {"serviceMonitor": {"enabled": True}}}),
    "monitoring.prometheusRule.enabled": (True, {}),
    "monitoring.prometheusRule.labels": (
        {"release": "prometheus"}, {"monitoring": {"prometheusRule": {"enabled": True}}}),
    "podSecurityContext": ({"runAsUser": 1234}, {}),
    "priorityClassName": ("high", {}),
    "nodeSelector": ({"a": "b"}, {}),
    "tolerations": ([{"key": "a", "operator": "Exists"}], {}),
    "affinity": ({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [
        {"topologyKey": "kubernetes.io/hostname",
         "labelSelector": {"matchLabels": {"a": "b"}}}]}}, {}),
    "labels": ({"team": "streams"}, {}),
    "podLabels": ({"team": "streams"}, {}),
    "podAnnotations": ({"a": "b"}, {}),
    "extraEnv": ([{"name": "A", "value": "b"}], {}),
    "extraVolumes": ([{"name": "v", "emptyDir": {}}], {}),
    "extraVolumeMounts": ([{"name": "v", "mountPath": "/v"}], VOLUME),
}
EXERCISES = {
    "weft-agent": COMMON | {
        "controlPlane.url": ("https://a:7800,https://b:7800", {}),
        "controlPlane.caFingerprint": (FINGERPRINT, {}),
        "enrolment.existingSecret": ("another", {}),
        "enrolment.token": ("weft_enrol_y", BY_TOKEN),
        "store.url": ("file:///mnt/store", {}),
        "store.existingSecret": ("keys", {}),
        "store.accessKey": ("another", KEYS),
        "store.secretKey": ("another", KEYS),
        "store.webIdentity.roleArn": ("arn:aws:iam::1:role/x", {}),
        "store.webIdentity.audience": (
            "other", {"store": {"webIdentity": {"roleArn": "arn:aws:iam::1:role/x"}}}),
        "replicas": (5, {}),
        "zones": (["eu-a", "eu-b"], {}),
        "autoscaling.enabled": (True, {}),
        "autoscaling.minReplicas": (4, {"autoscaling": {"enabled": True}}),
        "autoscaling.maxReplicas": (40, {"autoscaling": {"enabled": True}}),
        "autoscaling.targetCPU": (50, {"autoscaling": {"enabled": True}}),
        "autoscaling.scaleDownWindowSeconds": (60, {"autoscaling": {"enabled": True}}),
        "drain.timeoutSeconds": (60, {}),
        "service.port": (19092, {}),
        "service.zoneAware": (False, {}),
        "external.type": ("HostPort", {}),
        "external.addresses": (
            [ADDRESS, {"name": "b", "host": "b.example.com", "port": 31092,
                       "nodePort": 31092, "zone": "eu-b"}],
            {"external": {"type": "NodePort", "addresses": [ADDRESS]}}),
        "external.hostPort": (19092, {"external": {"type": "HostPort"}}),
        "external.annotations": (
            {"a": "{host}"}, {"external": {"type": "LoadBalancer", "addresses": [ADDRESS]}}),
        "networkPolicy.clients": (PEER, {"networkPolicy": {"enabled": True}}),
        "networkPolicy.monitoring": (PEER, {"networkPolicy": {"enabled": True}}),
    },
    "weft-controlplane": COMMON | {
        "clusterDomain": ("example.local", {}),
        "cliImage.repository": ("registry.example.com/x", CRON),
        "cliImage.tag": ("9.9.9", CRON),
        "replicas": (5, {}),
        "secrets.existingSecret": ("cell", {}),
        "secrets.cellKey": ("ab" * 32, CELL),
        "secrets.adminToken": ("weft_api_" + "y" * 40, CELL),
        "tlsNames": (["cp.example.com"], {}),
        "external.domain": ("cell.example.com", {}),
        "external.annotations": ({"a": "{host}"}, {"external": {"domain": "example.com"}}),
        "external.loadBalancerClass": ("nlb", {"external": {"domain": "example.com"}}),
        "persistence.size": ("50Gi", {}),
        "persistence.storageClass": ("gp3", {}),
        "persistence.annotations": ({"a": "b"}, {}),
        "update.partition": (2, {}),
        "drain.graceSeconds": (90, {}),
        "backup.to": ("s3://backups/weft?region=r", {}),
        "backup.every": ("1h", {"backup": {"to": "s3://backups/weft?region=r"}}),
        "backup.keep": (3, {"backup": {"to": "s3://backups/weft?region=r"}}),
        "backup.cronJob.enabled": (False, CRON),
        "backup.cronJob.schedule": ("1 2 * * *", CRON),
        "backup.cronJob.to": ("s3://other/{name}?region=r", CRON),
        "backup.cronJob.secret": ("keys", CRON),
        "restore.from": ("s3://vault/cell.weft?region=r", {}),
        "restore.secret": ("keys", {"restore": {"from": "s3://vault/cell.weft?region=r"}}),
        "caFingerprint": (FINGERPRINT, {}),
        "networkPolicy.people": (PEER, {"networkPolicy": {"enabled": True}}),
        "networkPolicy.agents": (PEER, {"networkPolicy": {"enabled": True}}),
        "monitoring.serviceMonitor.tlsConfig": (
            {"ca": {"configMap": {"name": "weft-ca", "key": "ca.crt"}}},
            {"monitoring": {"serviceMonitor": {"enabled": True}}}),
    },
}
# These stand alone: the other exercises of a chart can all be set at once.
ALONE = {"enrolment.existingSecret", "zones", "external.type", "external.hostPort",
         "store.existingSecret", "store.accessKey", "store.secretKey", "serviceAccount.create",
         "podDisruptionBudget.enabled", "backup.cronJob.enabled", "secrets.existingSecret",
         "external.addresses", "external.annotations", "fullnameOverride",
         "service.zoneAware", "topologySpread.node", "podSecurityContext"}


@pytest.fixture(scope="module", autouse=True, name="tools")
def tools_fixture():
    """helm is there."""
    charts.setup()


def at(path, value):
    """{"a": {"b": VALUE}} of "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def values_of(chart):
    """values.yaml."""
    return yaml.safe_load((CHARTS / chart / "values.yaml").read_text())


def schema_of(chart):
    """values.schema.json."""
    return json.loads((CHARTS / chart / "values.schema.json").read_text())


def leaves(values, schema, path=""):
    """(path, default, schema) of each value; what Kubernetes or the user names is one."""
    for key, value in values.items():
        inner = schema["properties"][key]
        name = f"{path}.{key}" if path else key
        if isinstance(value, dict) and inner.get("properties"):
            yield from leaves(value, inner, name)
        else:
            yield name, value, inner


def everything(chart):
    """Values with all exercises of CHART that go together."""
    values = least(chart)
    for path, (value, beside) in EXERCISES[chart].items():
        if path not in ALONE:
            values = merge(merge(values, beside), at(path, value))
    if chart == "weft-agent":
        values = merge(values, {"enrolment": {"existingSecret": ""},
                                "external": {"type": "", "addresses": []}})
    return values


def samples(chart):
    """Sets of values that between them make every manifest."""
    yield least(chart)
    yield everything(chart)
    for path in sorted(ALONE & EXERCISES[chart].keys()):
        value, beside = EXERCISES[chart][path]
        yield merge(merge(least(chart), beside), at(path, value))


# --- what a chart says of itself ---


@pytest.mark.parametrize("chart", NAMES)
def test_lint(chart):
    """helm finds nothing to say, of the least values and of all of them."""
    for values in (least(chart), everything(chart)):
        code, out, err = helm("lint", "--strict", CHARTS / chart, "--values", "-",
                              stdin=json.dumps(values))
        assert code == 0, out + err
        assert "0 chart(s) failed" in out and "WARNING" not in out


@pytest.mark.parametrize("chart", NAMES)
def test_version(chart):
    """A chart is of the version that the programs are."""
    version = re.search(r'WEFT_VERSION "([^"]+)"',
                        (ROOT / "common/version.h").read_text()).group(1)
    about = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    assert about["version"] == about["appVersion"] == version


@pytest.mark.parametrize("chart", NAMES)
def test_every_value_is_documented_and_exercised(chart):
    """values.yaml, the schema, the table of the README and the exercises below name the same
    values, with the same defaults and words."""
    rows = dict()
    for line in (CHARTS / chart / "README.md").read_text().splitlines():
        found = re.fullmatch(r"\| `([^`]+)` \| `(.*)` \| (.*) \|", line)
        if found:
            rows[found.group(1)] = (json.loads(found.group(2)), found.group(3))
    told = {path: (value, schema["description"])
            for path, value, schema in leaves(values_of(chart), schema_of(chart))}
    assert rows == told
    assert set(told) == set(EXERCISES[chart])


@pytest.mark.parametrize("chart", NAMES)
def test_every_value_changes_something(chart):
    """Setting a value to something else than it was changes what is rendered."""
    for path, (value, beside) in EXERCISES[chart].items():
        base = merge(CELL if chart == "weft-controlplane" and path != "secrets.existingSecret"
                     else {}, least(chart, beside))
        with_value = merge(base, at(path, value))
        assert with_value != base, path
        before, after = text_of(chart, base), text_of(chart, with_value)
        assert before != after, f"{path} changes nothing"


@pytest.mark.parametrize("chart", NAMES)
def test_a_value_of_the_wrong_kind_is_refused(chart):
    """A misspelt value and one of another type stop helm, with the value's name: beside each
    value of values.yaml."""
    schema = schema_of(chart)
    check = jsonschema.Draft7Validator(schema)
    assert not list(check.iter_errors(merge(values_of(chart), least(chart))))
    for path, value, _ in leaves(values_of(chart), schema):
        wrong = [] if isinstance(value, (str, dict, bool, int)) else "text"
        assert list(check.iter_errors(at(path, wrong))), path
        assert list(check.iter_errors(at(path + "x", value))), path
    code, _, err = helm("template", "x", CHARTS / chart, "--values", "-", "--set",
                        "image.repositry=x", stdin=json.dumps(least(chart)))
    assert code != 0 and "repositry" in err


MISSING = [
    ("weft-agent", {"controlPlane": {"url": ""}}, "controlPlane.url is missing: give"),
    ("weft-agent", {"store": {"url": ""}}, "store.url is missing: give"),
    ("weft-agent", {"enrolment": {"existingSecret": ""}},
     "enrolment.existingSecret is missing: give"),
    ("weft-agent", {"enrolment": {"token": "t"}}, "are both given: give one"),
    ("weft-agent", {"enrolment": {"existingSecret": "", "token": "t"}},
     "controlPlane.caFingerprint is missing: give"),
    ("weft-agent", {"store": {"accessKey": "a"}}, "store.secretKey are given together"),
    ("weft-agent", {"store": {"existingSecret": "s", "accessKey": "a", "secretKey": "b"}},
     "exclude each other"),
    ("weft-agent", {"external": {"type": "LoadBalancer"}}, "external.addresses is missing"),
    ("weft-agent", {"external": {"type": "NodePort", "addresses": [ADDRESS]}, "zones": ["a"]},
     "zones and external.addresses are both given"),
    ("weft-agent", {"external": {"type": "NodePort", "addresses": [ADDRESS]},
                    "autoscaling": {"enabled": True}}, "does not go with external.addresses"),
    ("weft-agent", {"external": {"addresses": [ADDRESS]}}, "wants external.type"),
    ("weft-controlplane", {"backup": {"cronJob": {"enabled": True}}},
     "backup.cronJob.to is missing: say"),
    ("weft-controlplane", {"backup": {"cronJob": {"enabled": True, "to": "s3://b/x"}}},
     "has no {name}"),
    ("weft-controlplane", {"backup": {"cronJob": {"enabled": True, "to": "s3://b/{name}"}}},
     "caFingerprint is missing: the CronJob"),
    ("weft-controlplane", {"secrets": {"existingSecret": "s"} | CELL["secrets"]},
     "secrets.existingSecret excludes"),
    ("weft-controlplane", {"secrets": {"cellKey": "ab" * 32}}, "are given together"),
]


@pytest.mark.parametrize("chart, values, told", MISSING)
def test_what_is_missing_is_told(chart, values, told):
    """Without a value that it needs, or with two that exclude each other, a chart renders
    nothing, and says in one sentence what to give."""
    code, out, err = helm("template", "x", CHARTS / chart, "--kube-version", "1.35.0",
                          "--values", "-", stdin=json.dumps(least(chart, values)))
    assert code != 0 and out == ""
    line = next(line for line in err.splitlines() if line.startswith("Error:"))
    sentence = line.rsplit("): ", 1)[-1]
    assert told in sentence and len(sentence) < 250 and sentence.endswith(".")
    assert line.count(". ") == 0, "one sentence"


# --- what Kubernetes takes ---


@pytest.fixture(scope="module", name="crds")
def crds_fixture(tools):
    """Kind -> schema, of the Prometheus operator's resources."""
    assert tools is None
    found = {}
    for file in TOOLS.glob("monitoring.coreos.com_*.yaml"):
        crd = yaml.safe_load(file.read_text())
        found[crd["spec"]["names"]["kind"]] = \
            closed(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"])
    return found


def closed(schema):
    """SCHEMA, which refuses what it does not name, as the API server does when asked to."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" \
            and "additionalProperties" not in schema \
            and schema["properties"].keys().isdisjoint({"apiVersion", "kind"}):
        schema["additionalProperties"] = False
    return schema


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("chart", NAMES)
def test_kubernetes_takes_every_manifest(crds, chart, version):
    """Each manifest is valid by the schemas of that version of Kubernetes, with no member
    that it does not know, and names and labels are such as it takes."""
    kinds = set()
    ends = version in (VERSIONS[0], VERSIONS[-1])
    for values in samples(chart) if ends else (least(chart), everything(chart)):
        seen = set()
        for doc in render(chart, values, f"{version}.0"):
            kinds.add(doc["kind"])
            key = (doc["kind"], doc["metadata"]["name"])
            assert key not in seen, f"{key} is there twice"
            seen.add(key)
            assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", doc["metadata"]["name"])
            for label, text in doc["metadata"]["labels"].items():
                assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", text), \
                    (label, text)
            if doc["kind"] in crds:
                jsonschema.Draft202012Validator(crds[doc["kind"]]).validate(doc)
            else:
                kubernetes_validate.validate(doc, version, strict=True)
    both = {"Secret", "Service", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget",
            "ServiceMonitor", "PrometheusRule"}
    own = {"weft-agent": {"Deployment", "HorizontalPodAutoscaler"},
           "weft-controlplane": {"StatefulSet", "CronJob", "Pod"}}
    assert not ends or kinds == both | own[chart]


def test_a_schema_finds_a_fault():
    """The schemas do refuse: a member that is misspelt, and one of the wrong type."""
    deployment = one(render("weft-agent", least("weft-agent")), "Deployment")
    for change in ({"spec": {"replicaz": 3}}, {"spec": {"replicas": "three"}}):
        with pytest.raises(Exception, match="replica"):
            kubernetes_validate.validate(merge(deployment, change), "1.35", strict=True)


# --- what the manifests say ---


def pods(docs):
    """The pod templates among DOCS."""
    for doc in docs:
        if doc["kind"] in ("Deployment", "StatefulSet"):
            yield doc["spec"]["template"]
        elif doc["kind"] == "CronJob":
            yield doc["spec"]["jobTemplate"]["spec"]["template"]
        elif doc["kind"] == "Pod":
            yield doc


@pytest.mark.parametrize("chart", NAMES)
def test_pods_are_restricted(chart):
    """Every pod meets Kubernetes' `restricted` standard, has a root that it cannot write, no
    token that it does not need, and no variables of other Services."""
    values = merge(everything(chart), {"podSecurityContext": values_of(chart)["podSecurityContext"]})
    found = 0
    for pod in pods(render(chart, values)):
        found += 1
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 65532
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        for container in spec["containers"] + spec.get("initContainers", []):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]}}
            assert "command" not in container, "the image's own entry point"
            lifecycle = container.get("lifecycle", {})
            assert "exec" not in json.dumps(lifecycle), "there is no shell"
    assert found == {"weft-agent": 1, "weft-controlplane": 3}[chart]


@pytest.mark.parametrize("chart", NAMES)
def test_selectors_match(chart):
    """Each Service, budget, policy and controller selects pods of its release, and none
    selects those of another component."""
    for values in samples(chart):
        docs = render(chart, values)
        labels = [pod["metadata"]["labels"] for pod in pods(docs)]
        for doc in docs:
            spec = doc.get("spec", {})
            selector = {"Service": lambda s: s["selector"],
                        "PodDisruptionBudget": lambda s: s["selector"]["matchLabels"],
                        "NetworkPolicy": lambda s: s["podSelector"]["matchLabels"],
                        "Deployment": lambda s: s["selector"]["matchLabels"],
                        "StatefulSet": lambda s: s["selector"]["matchLabels"]}.get(doc["kind"])
            if selector is None:
                continue
            wanted = {k: v for k, v in selector(spec).items()
                      if k != "statefulset.kubernetes.io/pod-name"}
            hit = [each for each in labels if wanted.items() <= each.items()]
            assert hit, doc["metadata"]["name"]
            assert {each["app.kubernetes.io/component"] for each in hit} <= \
                {"agent", "controlplane"}


def test_zones():
    """Without zones an agent takes its zone of the pod's own label; with them each has a
    Deployment whose pods run there and are told so, and an autoscaler of its own."""
    docs = render("weft-agent", least("weft-agent"))
    pod = one(docs, "Deployment")["spec"]["template"]
    assert env_of(pod)["WEFT_ZONE"] == {
        "fieldRef": {"fieldPath": "metadata.labels['topology.kubernetes.io/zone']"}}
    values = least("weft-agent", {"zones": ["eu-a", "eu-b"], "autoscaling": {"enabled": True},
                                  "affinity": {"podAntiAffinity": {}}})
    docs = render("weft-agent", values)
    selectors = []
    for zone in ("eu-a", "eu-b"):
        deployment = one(docs, "Deployment", f"weft-agent-{zone}")
        pod = deployment["spec"]["template"]
        assert env_of(pod)["WEFT_ZONE"] == zone
        required = pod["spec"]["affinity"]["nodeAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"]
        assert required["nodeSelectorTerms"] == [{"matchExpressions": [
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}]}]
        assert "podAntiAffinity" in pod["spec"]["affinity"]
        assert "replicas" not in deployment["spec"], "they are the autoscaler's"
        scaler = one(docs, "HorizontalPodAutoscaler", f"weft-agent-{zone}")
        assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
        selectors.append(deployment["spec"]["selector"]["matchLabels"])
    assert selectors[0] != selectors[1]


def test_zones_of_the_service():
    """The Service prefers agents of the client's zone in the way that this version knows."""
    def service(version):
        return one(render("weft-agent", least("weft-agent"), version), "Service")
    assert service("1.35.0")["spec"]["trafficDistribution"] == "PreferSameZone"
    assert service("1.34.0")["spec"]["trafficDistribution"] == "PreferClose"
    old = service("1.30.0")
    assert "trafficDistribution" not in old["spec"]
    assert old["metadata"]["annotations"] == {"service.kubernetes.io/topology-mode": "Auto"}
    assert service("1.26.0")["metadata"]["annotations"] == {
        "service.kubernetes.io/topology-aware-hints": "auto"}


def test_addresses_of_agents():
    """Clients are told the pod's address, the node's, or that of the agent's own Service."""
    def pod_of(more):
        return next(pods(render("weft-agent", least("weft-agent", more))))
    env = env_of(pod_of({}))
    assert env["POD_IP"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert "WEFT_ADVERTISE" not in env
    pod = pod_of({"external": {"type": "HostPort", "hostPort": 19092}})
    env = env_of(pod)
    assert env["WEFT_ADVERTISE"] == "$(HOST_IP):19092"
    assert list(env).index("HOST_IP") < list(env).index("WEFT_ADVERTISE"), "else not replaced"
    assert pod["spec"]["containers"][0]["ports"][0]["hostPort"] == 19092
    docs = render("weft-agent", least("weft-agent", {"external": {
        "type": "LoadBalancer", "annotations": {"dns": "{host}"},
        "addresses": [ADDRESS, {"name": "b", "host": "b.example.com", "port": 9094, "zone": "z"}]}}))
    deployment = one(docs, "Deployment", "weft-agent-b")
    assert deployment["spec"]["replicas"] == 1
    assert env_of(deployment["spec"]["template"])["WEFT_ADVERTISE"] == "b.example.com:9094"
    service = one(docs, "Service", "weft-agent-b-external")
    assert service["metadata"]["annotations"] == {"dns": "b.example.com"}
    assert service["spec"]["ports"][0]["port"] == 9094
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("chart", NAMES)
def test_the_end_of_a_pod(chart):
    """A pod is killed only after its delay and its drain, which is the program's own; where
    the kubelet can sleep for it, the Services forget it first."""
    for version, sleeps in (("1.29.0", False), ("1.30.0", True)):
        pod = next(pods(render(chart, least(chart), version)))
        container = pod["spec"]["containers"][0]
        drain = 30 if chart == "weft-agent" else 45
        assert pod["spec"]["terminationGracePeriodSeconds"] >= 5 + drain + 15
        assert ("lifecycle" in container) == sleeps
        if sleeps:
            assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}


def test_nodes_of_a_cell_are_started_alike():
    """One template for all pods: which founds, whom they join, names that stay and that the
    certificates have, and the same key; the Secret is kept."""
    docs = render("weft-controlplane", {"replicas": 3})
    stateful = one(docs, "StatefulSet")["spec"]
    env = env_of(stateful["template"])
    assert env["WEFT_FOUNDER"] == "weft-controlplane-0"
    hosts = [f"weft-controlplane-{i}.weft-controlplane-peers.weft.svc.cluster.local"
             for i in range(3)]
    assert env["WEFT_JOIN"] == ",".join(f"https://{host}:7800" for host in hosts)
    more = one(render("weft-controlplane", {"replicas": 5}), "StatefulSet")["spec"]
    assert more["template"] == stateful["template"], "growing restarts nobody"
    assert env["WEFT_ADVERTISE_PEERS"].replace("$(POD_NAME)", "weft-controlplane-1") == \
        f"{hosts[1]}:7802"
    assert list(env)[0] == "POD_NAME", "before what refers to it"
    assert "weft-controlplane.weft.svc" in env["WEFT_TLS_NAME"].split(",")
    assert stateful["serviceName"] == "weft-controlplane-peers"
    assert stateful["podManagementPolicy"] == "Parallel"
    peers = one(docs, "Service", "weft-controlplane-peers")["spec"]
    assert peers["clusterIP"] == "None" and peers["publishNotReadyAddresses"] is True
    secret = one(docs, "Secret")
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert one(docs, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_made_secrets():
    """A cell key of 64 hex digits and an operator's token are made when none are given,
    another time others."""
    found = []
    for version in ("1.34.0", "1.35.0"):
        data = one(render("weft-controlplane", {}, version), "Secret")["data"]
        key, token = (base64.b64decode(data[n]).decode() for n in ("cell-key", "admin-token"))
        assert re.fullmatch("[0-9a-f]{64}", key)
        assert re.fullmatch("weft_api_[A-Za-z0-9]{43}", token)
        found.append((key, token))
    assert found[0][0] != found[1][0] and found[0][1] != found[1][1]


@pytest.mark.parametrize("chart", NAMES)
def test_no_secret_outside_of_secrets(chart):
    """Tokens and keys that are given as values come into Secrets and nowhere else."""
    values = merge(least(chart), KEYS | BY_TOKEN if chart == "weft-agent" else CELL)
    words = ("weft_enrol_x", '"key"', "5e" * 32, "weft_api_x")
    for doc in render(chart, values):
        if doc["kind"] != "Secret":
            text = json.dumps(doc)
            assert not any(word in text for word in words if word != '"key"'), doc["kind"]


def test_configuration_reaches_the_program():
    """`config` becomes options, numbers and all; a large number stays whole."""
    pod = next(pods(render("weft-agent", least("weft-agent", {"config": {
        "flush-interval": "100ms", "max-connections": 12345678, "auto-create-topics": False}}))))
    assert sorted(pod["spec"]["containers"][0]["args"]) == [
        "--auto-create-topics=false", "--flush-interval=100ms", "--max-connections=12345678"]


def test_alerts_are_those_of_the_file():
    """The two charts' rules are together the alerts of monitoring/alerts.yml, to the letter, and
    the jobs that they name are those that the charts' monitors make."""
    groups = yaml.safe_load((ROOT / "monitoring/alerts.yml").read_text())["groups"]
    found = []
    for chart in NAMES:
        docs = render(chart, least(chart, {"monitoring": {
            "prometheusRule": {"enabled": True}, "serviceMonitor": {"enabled": True}}}))
        found += one(docs, "PrometheusRule")["spec"]["groups"]
        monitor = one(docs, "ServiceMonitor")["spec"]["endpoints"][0]
        assert {"targetLabel": "job", "replacement": chart} in monitor["relabelings"]
        assert (CHARTS / chart / "files/alerts.yml").samefile(ROOT / "monitoring/alerts.yml")
    assert sorted(found, key=json.dumps) == sorted(groups, key=json.dumps)
    jobs = set(re.findall(r'job="([^"]+)"', json.dumps(groups).replace("\\", "")))
    assert jobs <= set(NAMES)


@pytest.mark.parametrize("chart", NAMES)
def test_package(chart, tmp_path):
    """A packaged chart has all that it was tested with."""
    code, out, err = helm("package", CHARTS / chart, "--destination", tmp_path)
    assert code == 0, out + err
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as archive:
        packed = {name.partition("/")[2]: archive.extractfile(name).read()
                  for name in archive.getnames()}
    for path in (CHARTS / chart).rglob("*"):
        name = str(path.relative_to(CHARTS / chart))
        if path.is_file() and name not in (".helmignore", "Chart.yaml"):
            assert packed[name] == path.read_bytes(), name
    assert {"Chart.yaml", "values.schema.json", "README.md", "files/alerts.yml"} <= packed.keys()


def notes(chart, values, tmp_path, version="1.35.0"):
    """What NOTES.txt tells: by a copy of the chart in which it is a ConfigMap."""
    copy = tmp_path / "copy" / chart
    shutil.copytree(CHARTS / chart, copy, dirs_exist_ok=True)
    (copy / "templates/NOTES.txt").rename(copy / "notes.txt")
    (copy / "templates/notes.yaml").write_text(
        'kind: ConfigMap\ndata: {{ dict "notes" (tpl (.Files.Get "notes.txt") .) | toJson }}\n')
    code, out, err = helm("template", chart, copy, "--namespace", "weft", "--show-only",
                          "templates/notes.yaml", "--kube-version", version, "--values", "-",
                          stdin=json.dumps(values))
    assert code == 0, err
    return yaml.safe_load(out)["data"]["notes"]


def test_notes(tmp_path):
    """What helm tells after an install names things that are there; who has a Kubernetes that
    tells pods no zone, is told so."""
    told = notes("weft-agent", least("weft-agent"), tmp_path)
    service = one(render("weft-agent", least("weft-agent")), "Service")
    assert f"{service['metadata']['name']}.weft.svc:9092" in told and "zones" not in told
    told = notes("weft-agent", least("weft-agent"), tmp_path / "old", "1.34.0")
    assert "--set 'zones={" in told
    told = notes("weft-agent", least("weft-agent", {"external": {
        "type": "LoadBalancer", "addresses": [ADDRESS]}}), tmp_path / "external")
    assert "    a.example.com:9092" in told
    docs = render("weft-controlplane", {})
    told = notes("weft-controlplane", {}, tmp_path)
    stateful, secret = one(docs, "StatefulSet"), one(docs, "Secret")
    assert f"rollout status statefulset {stateful['metadata']['name']}" in told
    assert f"get secret {secret['metadata']['name']} -o 'go-template={{{{index .data" in told
    assert f"https://{one(docs, 'Service', 'weft-controlplane')['metadata']['name']}.weft.svc" in told
    assert "Keep a copy" in told
    assert "Keep a copy" not in notes(
        "weft-controlplane", {"secrets": {"existingSecret": "s"}}, tmp_path / "own")


# --- the commands of the READMEs ---


def commands(page):
    """The commands in PAGE's blocks of shell, each as words."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.strip():
                yield line.strip()


@pytest.mark.parametrize("chart", NAMES)
def test_helm_commands_of_the_readme(chart):
    """Each `helm install` and `helm upgrade` of a README renders, with its own flags, to
    what Kubernetes takes; upgrades on top of the least values, which --reuse-values keeps."""
    count = 0
    for line in commands((CHARTS / chart / "README.md").read_text()):
        words = shlex.split(line)
        if words[:2] != ["helm", "upgrade"]:
            continue
        count += 1
        words = [w for w in words[2:] if w not in ("--install", "--create-namespace")]
        stdin = "{}"
        if "--reuse-values" in words:
            words.remove("--reuse-values")
            stdin = json.dumps(least(chart))
        code, out, err = helm("template", *words, "--values", "-", "--kube-version", "1.35.0",
                              stdin=stdin)
        assert code == 0, f"{line}\n{err}"
        assert "\\" not in out, line
        for doc in yaml.safe_load_all(out):
            if doc:
                kubernetes_validate.validate(doc, "1.35", strict=True)
    assert count >= 5


@pytest.mark.parametrize("chart", NAMES)
def test_weft_commands_of_the_readme(chart, tmp_path):
    """Each `weft` command of a README is one that `weft` knows: it gets as far as asking a
    server, of which there is none here."""
    (tmp_path / "admin-token").write_text("weft_api_" + "x" * 40)
    count = 0
    for line in commands((CHARTS / chart / "README.md").read_text()):
        if not line.startswith("weft "):
            continue
        count += 1
        words = shlex.split(line.split("|")[0].replace("FINGERPRINT", FINGERPRINT))[1:]
        words = [w for w in words if not w.startswith("https://")] if words[0] != "login" else words
        words = ["login", "https://127.0.0.1:1", *words[2:]] if words[0] == "login" else words
        done = subprocess.run(
            [ROOT / "build/release/weft", *words, "--timeout", "100ms"], cwd=tmp_path, text=True,
            capture_output=True, check=False, env={
                "WEFT_CONFIG": str(tmp_path / "config"), "WEFT_SERVER": "https://127.0.0.1:1",
                "WEFT_TOKEN": "weft_api_" + "x" * 40} if words[0] != "login" else
            {"WEFT_CONFIG": str(tmp_path / "config")})
        assert done.returncode == 6, f"{line}\n{done.stderr}"
    assert count >= 2


def kubectl(line, cwd):
    """Run a line of shell with `kubectl` and `helm` as they would be where no Kubernetes
    answers."""
    env = {"PATH": f"{TOOLS}:/usr/bin:/bin", "HOME": str(cwd), "KUBECONFIG": "/dev/null",
           "HELM_KUBEAPISERVER": "http://127.0.0.1:1"}
    line = re.sub(r"^kubectl ", "kubectl --server http://127.0.0.1:1 ", line)
    return subprocess.run(["bash", "-c", line], cwd=cwd, env=env, text=True, capture_output=True,
                          check=False, timeout=120)


def kube_commands(chart):
    """Those of `kubectl`, and of `helm` but for installing, in blocks and sentences."""
    page = f"charts/{chart}/README.md"
    for line in commands((ROOT / page).read_text()):
        if line.startswith("kubectl ") or re.match(r"helm (?!upgrade)", line):
            yield line
    for name in (page, "agent/operate.md"):
        for words in pages.commands(name, ("kubectl",)):
            yield shlex.join(words)


@pytest.mark.parametrize("chart", NAMES)
def test_kubectl_commands_of_the_readme(chart, tmp_path):
    """Secrets are made, with the keys that the chart reads and under the name that the page
    installs with; every other command is one, and gets as far as asking Kubernetes, about
    things that the chart makes."""
    (tmp_path / "enrolment-token").write_text("weft_enrol_x")
    text = (CHARTS / chart / "README.md").read_text()
    made = text_of(chart, least(chart))
    count = 0
    for line in kube_commands(chart):
        count += 1
        line = line.replace("FINGERPRINT", FINGERPRINT)
        if " create " in line:
            done = kubectl(f"{line} --dry-run=client -o json", tmp_path)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            doc = json.loads(done.stdout)
            kubernetes_validate.validate(doc, "1.35", strict=True)
            if doc["kind"] == "Secret":
                assert f"xistingSecret={doc['metadata']['name']}" in text
                read = text_of(chart, least(chart, SECRETS[doc["metadata"]["name"]]))
                for key in doc["data"]:
                    assert key in read, f"{line}: nobody reads {key}"
            continue
        done = kubectl(re.split(r" \| (?=grep)| > ", line)[0], tmp_path)
        assert done.returncode != 0 and re.search("refused|unreachable", done.stderr), \
            f"{line}\n{done.stderr}"
        for name in re.findall(r"(?:statefulset|secret) (weft-\S+)|pod/(\S+)-0|logs (\S+)-0",
                               line):
            assert f"name: {''.join(name)}" in made, line
        for name, value in re.findall(r"--selector (\S+)=(\S+)", line):
            assert f"{name}: {value}" in made, line
    assert count >= 4


# What a Secret of a README's is for.
SECRETS = {
    "weft-enrolment": {"enrolment": {"existingSecret": "weft-enrolment"}},
    "weft-store": {"store": {"existingSecret": "weft-store"}},
    "weft-cell": {"secrets": {"existingSecret": "weft-cell"}},
}


def test_the_token_is_read_by_the_readme(tmp_path):
    """The template by which a page takes the first token out of the Secret does."""
    page = (CHARTS / "weft-controlplane" / "README.md").read_text()
    template = re.search(r"'(go-template=\{\{.*?\}\})'", page)[1]
    done = kubectl("kubectl create secret generic s --from-literal=admin-token=weft_api_x "
                   f"--dry-run=client -o '{template}'", tmp_path)
    assert (done.returncode, done.stdout) == (0, "weft_api_x"), done.stderr
