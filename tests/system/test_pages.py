"""Every command that a page names exists, with the options that it is given.

Commands in blocks are run: test_docs.py (agent/, controlplane/, cli/, README.md), test_dev.py
(`weft dev`), test_demo.py (the demo), test_alerts.py (monitoring/), and below tests/packaging test_deb.py (systemd/),
test_compose.py (compose/), test_images.py (image/), test_charts.py (charts/). Here is the rest:
what stands in sentences and tables.
"""

import gzip
import importlib.resources
import json
import os
import pathlib
import re
import subprocess

import pytest
from pages import (ROOT, alternatives, commands, fault_of_weft, help_of, options_missing,
                   pages, spans)

BUILD = pathlib.Path(os.environ.get("WEFT_BUILD", ROOT / "build" / "release")).resolve()
LIMIT_S = 300
SERVERS = ("weft-agent", "weft-controlplane")
# Who runs what is not ours.
ELSEWHERE = {
    "kubectl": "tests/packaging/test_charts.py", "helm": "tests/packaging/test_charts.py",
    "docker": "tests/packaging/test_compose.py", "systemctl": "tests/packaging/test_deb.py",
    "journalctl": "tests/packaging/test_deb.py",
    "systemd-analyze": "tests/packaging/test_deb.py", "promtool": "tests/system/test_alerts.py",
}
# Of clouds, whose program is too large for a test: looked at by people only.
NOT_RUN = ["az aks update --enable-oidc-issuer"]
OF_EKSCTL = "charts/weft-agent/README.md"
# In pages, but of other programs: podman's, systemd's, Kafka's, curl's.
OTHERS_OPTIONS = {"--force-confold", "--reuse-values", "--set", "--namespace", "--selector",
                  "--role-only", "--approve", "--enable-oidc-issuer", "--cluster-name",
                  "--service-account", "--role-arn"}


@pytest.mark.parametrize("page", pages())
def test_weft(page):
    """Each `weft` command of a sentence is one, with options and arguments that it takes."""
    for words in commands(page, ("weft",)):
        for one in alternatives(words):
            fault = fault_of_weft(BUILD / "weft", one[1:])
            assert not fault, f"{page}: {' '.join(one)}: {fault}"


def test_weft_is_looked_at_closely():
    """A command, an option and an argument too many would be found."""
    weft = BUILD / "weft"
    assert fault_of_weft(weft, ["cell", "status"]) is None
    assert fault_of_weft(weft, ["cell", "statuses"]) is not None
    assert fault_of_weft(weft, ["celebrate"]) is not None
    assert fault_of_weft(weft, ["cell", "node", "remove", "3", "--yes"]) is None
    assert fault_of_weft(weft, ["cell", "node", "remove", "3", "--yess"]) is not None
    assert fault_of_weft(weft, ["cell", "node", "remove", "3", "4"]) is not None


@pytest.mark.parametrize("page", pages())
def test_our_other_programs(page):
    """Servers by their options, make by its targets, scripts by their own --help."""
    for words in commands(page, (*SERVERS, "make")):
        if words[0] == "make":
            done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True,
                                  text=True, check=False, timeout=LIMIT_S)
            assert done.returncode == 0, f"{page}: {words}\n{done.stderr}"
        else:
            assert not options_missing(words, help_of(BUILD / words[0])), f"{page}: {words}"
    scripts = {f"{dot}scripts/{p.name}" for p in (ROOT / "scripts").iterdir() for dot in ("", "./")}
    for words in commands(page, scripts):
        script = ROOT / words[0]
        assert os.access(script, os.X_OK), words
        if script.name == "install":
            for subject in words[1:]:
                assert re.search(rf"^    {subject}\)", script.read_text(), re.M), f"{page}: {words}"
            continue
        first = [words[1]] if script.name == "dev-cluster" else []
        text = help_of(script, *first)
        assert text, f"{page}: {words} has no --help"
        assert not options_missing(words, text), f"{page}: {words}"


@pytest.mark.parametrize("page", pages())
def test_options(page):
    """Each option that a sentence names alone is one of our programs' or scripts'."""
    text = "".join(help_of(BUILD / name) for name in SERVERS)
    text += "".join(re.sub(r'"([a-z-]+)"', r'--\1', p.read_text())
                    for p in (ROOT / "cli").glob("*.c"))
    text += "".join(p.read_text() for p in (ROOT / "scripts").iterdir() if p.is_file())
    for span in spans(page):
        if span.startswith("--") and span.split()[0].split("=")[0] not in OTHERS_OPTIONS:
            name = re.split(r"[ =/]", span)[0]
            assert re.search(rf"{name}(?![\w-])", text), f"{page}: {name}"


def test_metrics_and_configurations():
    """Each metric that a page names outside of monitoring/, where test_metrics.py looks, is
    one of /metrics."""
    known = (ROOT / "monitoring" / "metrics.md").read_text()
    for page in pages():
        for name in re.findall(r"\bweft_(?:agent|controlplane)_[a-z_]+[a-z]\b",
                               " ".join(spans(page))):
            assert re.search(rf"\b{re.sub('_(bucket|sum|count)$', '', name)}\b", known), \
                f"{page}: {name}"


def test_nothing_is_left_out():
    """A command of another program is run by a test that there is, or is a cloud's."""
    for page in pages():
        for words in commands(page, (*ELSEWHERE, "az", "aws", "eksctl")):
            if words[0] in ELSEWHERE:
                test = (ROOT / ELSEWHERE[words[0]]).read_text()
                assert words[0] in test, words
            elif words[0] == "az":
                assert " ".join(words) in NOT_RUN, words


def test_aws():
    """What charts/ does with `aws` is an operation of AWS with these parameters, as its own
    description says."""
    found = [words for page in pages() for words in commands(page, ("aws",))]
    assert found
    for _, service, operation, *rest in found:
        folder = importlib.resources.files("botocore") / "data" / service
        newest = sorted(p.name for p in folder.iterdir() if p.name[0].isdigit())[-1]
        model = json.loads(gzip.decompress((folder / newest / "service-2.json.gz").read_bytes()))
        name = "".join(word.capitalize() for word in operation.split("-"))
        members = model["shapes"][model["operations"][name]["input"]["shape"]]
        known = {"--" + re.sub("(?<!^)(?=[A-Z])", "-", m).lower() for m in members["members"]}
        given = [word for word in rest if word.startswith("--")]
        assert set(given) <= known, (given, known)
        assert {"--" + re.sub("(?<!^)(?=[A-Z])", "-", m).lower()
                for m in members["required"]} <= set(given)
