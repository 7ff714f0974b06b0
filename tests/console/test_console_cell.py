"""The console at a cell of several nodes: who leads, handing over, and what a page says whose
node no longer leads or is gone."""

import re

import pytest

from cell import Cell, wait_until
from control import Refused


@pytest.fixture
def cell(tmp_path):
    """Three voters, patient ones: leadership shall move when a test says so, and not
    because a slow machine stood still for a moment."""
    with Cell(tmp_path, election_timeout="3s") as cell:
        cell.grow(3)
        yield cell


def token_of(cell):
    """The first operator's."""
    return (cell.founder_data / "admin-token").read_text().strip()


def row(tab, name):
    """The row of a node."""
    return tab.page.get_by_role("row").filter(
        has=tab.page.get_by_role("rowheader", name=name, exact=True))


def answer(tab, button, typed=None):
    """Answer the dialog that asks."""
    dialog = tab.page.get_by_role("dialog")
    if typed is not None:
        assert dialog.get_by_role("button", name=button).is_disabled()
        dialog.get_by_role("textbox").fill(typed)
    dialog.get_by_role("button", name=button, exact=True).click()
    dialog.wait_for(state="detached")


def test_nodes(browser, cell):
    """The nodes with their roles; one is made a standby, a voter again, and removed; a token
    for a new one is shown once."""
    leader = cell.leader()
    tab = browser.open(leader.people_url, token_of(cell), expect={503})
    tab.go("/nodes").heading("Cell nodes")
    names = {n["id"]: f"{n['name']} (node {n['id']})" for n in leader.ask("GET", "/api/v1/cell/nodes")["items"]}
    lead = leader.ask("GET", "/api/v1/cell")["leader"]
    other = next(i for i in names if i != lead)
    assert row(tab, names[lead]).get_by_text("leads").count() == 1
    assert row(tab, names[lead]).get_by_role("button").count() == 0
    tab.page.get_by_text("3 of 3 alive").wait_for()
    assert tab.violations() == []
    tab.shot("nodes-three")

    row(tab, names[other]).get_by_role("button", name="Demote").click()
    tab.shot("nodes-demote")
    answer(tab, "Demote")
    row(tab, names[other]).get_by_text("standby").wait_for()
    row(tab, names[other]).get_by_role("button", name="Promote").click()
    answer(tab, "Promote")
    row(tab, names[other]).get_by_text("voter").wait_for()
    row(tab, names[other]).get_by_role("button", name="Remove").click()
    assert tab.violations() == []
    answer(tab, "Remove the node", typed=names[other].split(" (node")[0])
    row(tab, names[other]).wait_for(state="detached")

    tab.page.get_by_role("button", name="Add a node").click()
    tab.page.get_by_role("dialog").get_by_role("button", name="Make a token").click()
    tab.page.get_by_role("dialog", name="Start the node").wait_for()
    shown = tab.page.get_by_role("dialog").locator("pre").all_inner_texts()
    assert len(shown) == 3 and re.fullmatch("[0-9a-f]{64}", shown[1]) and shown[1] in shown[2]
    assert tab.violations() == []
    tab.shot("nodes-token")
    tab.page.get_by_role("button", name="Done").click()
    tokens = leader.ask("GET", "/api/v1/cell/join-tokens")["items"]
    assert "console" in {t["name"] for t in tokens}
    tab.close()


def test_leadership_moves(browser, cell):
    """Handed over, the page says who leads, with a way there; the token is asked for again;
    a follower's sign-in page says the same."""
    old = cell.leader()
    tab = browser.open(old.people_url, token_of(cell), expect={421, 503})
    tab.go("/nodes").heading("Cell nodes")
    nodes = old.ask("GET", "/api/v1/cell/nodes")["items"]
    target = next(n for n in nodes if not n["leader"])
    row(tab, f"{target['name']} (node {target['id']})").get_by_role("button", name="Let lead").click()
    answer(tab, "Hand over")
    box = tab.page.get_by_role("alert").filter(has_text="Another node leads now")
    box.wait_for()
    link = box.get_by_role("link", name="Open the console of the leader")
    assert link.get_attribute("href") == f"{target['people_url']}/console#/nodes"
    assert tab.violations() == []
    tab.shot("leader-moved")
    tab.close()

    fresh = browser.open(old.people_url, expect={421, 503})
    fresh.go("/nodes")
    fresh.page.get_by_label("API token").fill(token_of(cell))
    fresh.page.get_by_role("button", name="Sign in").click()
    fresh.page.get_by_role("alert").filter(has_text="Another node leads now").wait_for()
    there = fresh.page.get_by_role("link", name="Open the console of the leader")
    fresh.host = target["people_url"].split("//")[1]  # from here on, it is the other one
    there.click()
    fresh.page.wait_for_url(f"{target['people_url']}/console#/nodes")
    fresh.page.get_by_label("API token").fill(token_of(cell))
    fresh.page.get_by_role("button", name="Sign in").click()
    fresh.heading("Cell nodes")
    fresh.close()


def test_nobody_answers(browser, cell):
    """The node is killed: the page says so, keeps what it has, and goes on by itself when the
    node is there again, or says who leads now."""
    node = cell.leader()
    try:
        cluster = node.ask("POST", "/api/v1/clusters", {"name": "kept"})
    except Refused as refused:
        raise AssertionError(refused.problem) from refused
    tab = browser.open(node.people_url, token_of(cell), expect={421, 503, "lost"})
    tab.go("/clusters").heading("Clusters")
    node.kill()
    alert = tab.page.get_by_role("alert")
    alert.filter(has_text="does not answer").wait_for()
    assert tab.page.get_by_role("link", name=cluster["name"]).is_visible()
    assert "Not up to date" in tab.page.locator(".live").inner_text()
    assert tab.violations() == []
    tab.shot("no-answer")
    node.start(wait=False)
    wait_until(lambda: any(n.leads() for n in cell.nodes), "a leader")
    # It follows now, most likely; then it says so.
    tab.page.get_by_text("Live", exact=True).or_(
        alert.filter(has_text="Another node leads now")).wait_for(timeout=90_000)
    tab.close()
