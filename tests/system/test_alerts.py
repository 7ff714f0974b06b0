"""The alerts: each fires when it should and keeps quiet next to it (by promtool), names
metrics that there are, and has its paragraph in the runbook. In a healthy cell none
fires."""

import pathlib
import re
import subprocess
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))

from busy_cluster import BusyCluster  # noqa: E402
from prometheus import Prometheus, tool  # noqa: E402
from test_metrics import documented  # noqa: E402

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "monitoring"
ALERTS = MONITORING / "alerts.yml"
RUNBOOK = MONITORING / "runbook.md"
# What Prometheus itself adds to each target.
OF_PROMETHEUS = {"up"}


def rules():
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def anchor(heading):
    """As GitHub makes one of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def metrics_of(expression):
    """The names of the metrics in EXPRESSION."""
    plain = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without)\s*\([^)]*\)", "", expression)
    return {name for name in re.findall(r"[a-z_][a-z0-9_]*", plain)
            if name.startswith(("weft_", "process_")) or name in OF_PROMETHEUS}


def known_metrics():
    found = set(OF_PROMETHEUS)
    for section in documented().values():
        for name, (kind, _, _) in section.items():
            found |= {name} if kind != "histogram" else \
                {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
    return found


def test_rules_do_what_they_should():
    """promtool: the file is sound, and every case of alerts_test.yml holds."""
    for words in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run([tool("promtool"), *words], cwd=MONITORING, text=True,
                              capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tested():
    """alerts_test.yml has a case where it fires and one where it does not, for each."""
    cases = {}
    for test in yaml.safe_load((MONITORING / "alerts_test.yml").read_text())["tests"]:
        for case in test["alert_rule_test"]:
            cases.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    assert cases == {name: {True, False} for name in rules()}


def test_metrics_exist():
    """An alert on a metric that nobody has never fires."""
    known = known_metrics()
    for name, rule in rules().items():
        used = metrics_of(rule["expr"])
        assert used and used <= known, (name, used - known)


def test_runbook_has_a_paragraph_for_each():
    """The annotation leads to a heading of the runbook with text below it; none is left
    over. What the text names in code marks as a metric is one."""
    sections = dict(re.findall(r"^### (.+)\n\n((?:[^#\n].*\n?|\n(?!#))+)", RUNBOOK.read_text(),
                               re.MULTILINE))
    assert set(sections) == set(rules())
    for name, rule in rules().items():
        assert rule["annotations"]["runbook_url"] == f"monitoring/runbook.md#{anchor(name)}"
        assert len(sections[name]) > 100, name
        assert rule["labels"]["severity"] in ("page", "ticket")
    known = {name for section in documented().values() for name in section}
    named = set(re.findall(r"`(weft_(?:agent|controlplane)_\w+)`", RUNBOOK.read_text()))
    assert named and named <= known, named - known


def test_commands_are_there():
    """Every command of `weft` and every option that the pages here name exists."""
    programs = MONITORING.parent / "build" / "release"
    text = "".join(page.read_text() for page in MONITORING.glob("*.md"))
    commands = set(re.findall(r"`(weft [a-z -]+[a-z])(?: [A-Z]+)?`", text))
    assert len(commands) > 5
    for command in commands:
        done = subprocess.run([programs / "weft", *command.split()[1:], "--help"], text=True,
                              capture_output=True, timeout=30)
        assert done.returncode == 0, (command, done.stderr)
        assert command in done.stdout, (command, done.stdout)
    options = set(re.findall(r"`(--[a-z-]+)", text))
    helps = "".join(subprocess.run([programs / name, "--help"], text=True, capture_output=True,
                                   timeout=30, check=True).stdout
                    for name in ("weft-agent", "weft-controlplane"))
    assert options and not {option for option in options if f"{option}" not in helps}


def test_the_page_shows_how_to_scrape(tmp_path):
    """The configuration of monitoring/README.md is one, with the jobs that the alerts and
    dashboards go by."""
    text = re.search(r"```yaml\n(.*?)```", (MONITORING / "README.md").read_text(), re.DOTALL)[1]
    (tmp_path / "prometheus.yml").write_text(text)
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text())
    (tmp_path / "ca.crt").write_text("")
    done = subprocess.run([tool("promtool"), "check", "config", "prometheus.yml"], cwd=tmp_path,
                          text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = {job["job_name"] for job in yaml.safe_load(text)["scrape_configs"]}
    used = set(re.findall(r'job=~"([^"]+)\.\*"', ALERTS.read_text()))
    assert used <= jobs == {"weft-agent", "weft-controlplane"}


def test_a_healthy_cell_is_quiet(tmp_path):
    """Loaded by a real Prometheus, every rule can be evaluated on a live cell, and none is
    even pending that would wake a person."""
    with BusyCluster(tmp_path / "cell") as busy, \
            Prometheus(tmp_path / "prometheus", busy.jobs(), [ALERTS]) as prometheus:
        prometheus.wait(lambda: len(prometheus.query("up == 1")) == 5,
                        "not all are scraped", 60)
        names = set(rules())

        def evaluated():
            found = {rule["name"]: rule for group in prometheus.get("rules")["groups"]
                     for rule in group["rules"]}
            bad = {name: rule["lastError"] for name, rule in found.items()
                   if rule["health"] == "err"}
            assert not bad, bad
            return set(found) == names and \
                all(rule["health"] == "ok" for rule in found.values())

        prometheus.wait(evaluated, "the rules were not evaluated", 60)
        active = prometheus.query('ALERTS{severity="page"}')
        assert not [alert["metric"]["alertname"] for alert in active
                    if alert["metric"]["alertstate"] == "firing"]
