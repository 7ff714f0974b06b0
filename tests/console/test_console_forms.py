"""Each form of the console and each way it fails: signing in, topics, groups, agents,
clusters; what the API refuses is told in its words, beside what was typed."""

import json
import re
import time
import uuid

import pytest

from control import Batch, Commit, ControlPlane, Run

API = "/api/v1"
HOSTILE = '"><img src=x onerror="window.broken=1"><script>window.broken=1</script>'


@pytest.fixture(scope="module")
def plane(tmp_path_factory):
    """A control plane without agents, but for those that a test plays."""
    with ControlPlane(tmp_path_factory.mktemp("console"), max_token_requests=0,
                      group_initial_rebalance_delay="0s") as plane:
        yield plane


class Desk:
    """A cluster of one's own, its tokens, and the API."""

    def __init__(self, plane):
        self.plane = plane
        self.admin = plane.admin
        made = self.admin.create_cluster(f"c-{uuid.uuid4().hex[:8]}")
        self.id, self.name = made["id"], made["name"]
        self.path = f"/clusters/{self.id}"
        self.made = {}

    def api(self, method, path, body=None):
        """An operator's call below the cluster."""
        status, _, content = self.admin.raw(
            method, f"{API}{self.path}{path}", None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {self.admin.token}"} |
            ({"Content-Type": "application/json"} if body is not None else {}))
        assert status < 400, (status, content)
        return json.loads(content) if content else None

    def token(self, role, **more):
        """A new token of ROLE: {"id", "token" …}."""
        return self.admin.call("POST", f"{API}/tokens", {
            "name": f"{role} {uuid.uuid4().hex[:6]}", "role": role, "cluster_id": self.id, **more})


@pytest.fixture
def desk(plane):
    """For one test."""
    return Desk(plane)


def dialog(tab):
    """The one that is open."""
    found = tab.page.get_by_role("dialog")
    found.wait_for()
    return found


def press(tab, name):
    """A button of the page, not of a dialog."""
    tab.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()


def submit(tab, name):
    """The dialog's button; it closes. Pressed again, as a person would, when the browser had
    no answer (browser.py says when)."""
    found = dialog(tab)
    for _ in range(3):
        found.get_by_role("button", name=name, exact=True).click()
        tab.until("() => { const d = document.querySelector('dialog');"
                  " return !d || (!d.hasAttribute('aria-busy') && d.textContent.includes('No answer')); }")
        if found.count() == 0:
            return
    raise AssertionError("no answer three times")


def refused(tab, name, title, text):
    """The dialog's button; it stays and says why."""
    found = dialog(tab)
    found.get_by_role("button", name=name, exact=True).click()
    alert = found.get_by_role("alert").filter(has_text=title)
    alert.wait_for()
    assert re.search(text, alert.inner_text()), alert.inner_text()
    assert tab.violations() == []


# --- signing in ---


def token_of_kind(desk, kind):
    """The text of a token that is no good."""
    if kind == "garbled":
        return "not a token at all"
    if kind == "unknown":
        good = desk.token("viewer")["token"]
        return good[:-1] + ("A" if good[-1] != "A" else "B")
    if kind == "expired":
        token = desk.token("viewer", ttl_ms=1)["token"]
        time.sleep(0.05)
        return token
    if kind == "revoked":
        made = desk.token("viewer")
        desk.admin.raw("DELETE", f"{API}/tokens/{made['id']}", headers={
            "Authorization": f"Bearer {desk.admin.token}"})
        return made["token"]
    return desk.api("POST", "/enrolment-tokens", {})["token"]


@pytest.mark.parametrize("kind,text", [
    ("garbled", "This is no API token"), ("unknown", "Unknown or revoked token"),
    ("expired", "This token has expired"), ("revoked", "Unknown or revoked token"),
    ("enrolment", "This is an enrolment token")])
def test_tokens_that_are_no_good(browser, desk, kind, text):
    """One clear sentence, and one can try again."""
    tab = browser.open(desk.plane.people_url, expect={401, 403})
    tab.go("/")
    field = tab.page.get_by_label("API token")
    field.fill(token_of_kind(desk, kind))
    tab.page.get_by_role("button", name="Sign in").click()
    alert = tab.page.get_by_role("alert").filter(has_text=text)
    alert.wait_for()
    assert len(re.findall(r"[.!?](\s|$)", alert.locator("p").inner_text())) == 1
    assert tab.violations() == []
    tab.shot(f"signin-{kind}")
    field.fill(desk.token("viewer")["token"])
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.get_by_role("heading", name="Overview").wait_for()
    tab.close()


def test_no_token(browser, desk):
    """The field says what is missing."""
    tab = browser.open(desk.plane.people_url)
    tab.go("/")
    tab.page.get_by_role("button", name="Sign in").click()
    tab.page.get_by_text("Paste an API token.").wait_for()
    assert tab.page.get_by_label("API token").get_attribute("aria-invalid") == "true"
    tab.close()


def test_revoked_while_signed_in(browser, desk):
    """The session ends by itself, with the reason, and keeps no token."""
    made = desk.token("admin")
    tab = browser.open(desk.plane.people_url, made["token"], expect={401})
    tab.go(desk.path + "/topics").heading("Topics")
    desk.admin.raw("DELETE", f"{API}/tokens/{made['id']}",
                   headers={"Authorization": f"Bearer {desk.admin.token}"})
    tab.page.get_by_role("alert").filter(has_text="Unknown or revoked token").wait_for()
    assert tab.page.get_by_label("API token").is_visible()
    assert made["token"] not in tab.page.evaluate("JSON.stringify({...sessionStorage})")
    tab.close()


# --- topics ---


def test_create_a_topic(browser, desk):
    """Name, partitions, settings; what is wrong is said before, or by the API after."""
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"], expect={409, 422})
    tab.go(desk.path + "/topics").heading("Topics")
    tab.page.get_by_text("No topics yet").wait_for()
    tab.shot("topics-empty")
    press(tab, "Create a topic")
    form = dialog(tab)
    form.get_by_role("button", name="Create").click()
    form.get_by_text("That is no name").wait_for()
    form.get_by_label("Name").fill("a b")
    form.get_by_label("Partitions").fill("many")
    form.get_by_role("button", name="Create").click()
    assert form.locator("[aria-invalid=true]").count() == 2
    assert tab.violations() == []
    form.get_by_label("Name").fill("orders")
    form.get_by_label("Partitions").fill("3")
    form.get_by_role("button", name="Add a setting").click()
    form.get_by_label("Setting").fill("retention.ms")
    form.get_by_label("Value of retention.ms").fill("soon")
    tab.shot("topic-create")
    refused(tab, "Create", "Not accepted", "retention.ms: Not a number")
    tab.shot("topic-create-refused")
    form.get_by_label("Value of retention.ms").fill("60000")
    submit(tab, "Create")
    tab.heading("orders")
    assert desk.api("GET", "/topics/orders")["configs"] == {"retention.ms": "60000"}
    assert desk.api("GET", "/topics/orders")["partitions"] == 3
    tab.page.get_by_role("link", name="Topics").first.click()
    tab.heading("Topics")
    press(tab, "Create a topic")
    dialog(tab).get_by_label("Name").fill("orders")
    refused(tab, "Create", "In conflict", "orders|exists")
    dialog(tab).get_by_role("button", name="Cancel").click()
    tab.close()


def test_limit(browser, desk):
    """A limit that is reached is told as such."""
    desk.api("PATCH", "/limits", {"topics": 1})
    desk.api("POST", "/topics", {"name": "one"})
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"], expect={409})
    tab.go(desk.path + "/topics").heading("Topics")
    press(tab, "Create a topic")
    dialog(tab).get_by_label("Name").fill("two")
    refused(tab, "Create", "In conflict", "limit|as many|may have")
    tab.close()


def test_change_a_topic(browser, desk):
    """Settings and partitions; who changed it meanwhile is not overwritten."""
    desk.api("POST", "/topics", {"name": "t", "partitions": 2, "configs": {
        "retention.ms": "1000", "cleanup.policy": "delete"}})
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"], expect={412, 422})
    tab.go(desk.path + "/topics/t").heading("t")
    press(tab, "Edit settings")
    form = dialog(tab)
    assert form.get_by_role("button", name="Save").is_disabled()
    form.get_by_label("Value of retention.ms").fill("2000")
    form.get_by_role("button", name="Take cleanup.policy back to its default").click()
    tab.shot("topic-settings")
    assert tab.violations() == []
    submit(tab, "Save")
    assert desk.api("GET", "/topics/t")["configs"] == {"retention.ms": "2000"}
    tab.page.get_by_role("cell", name="2000", exact=True).wait_for()

    press(tab, "Add partitions")
    desk.api("PATCH", "/topics/t", {"configs": {"retention.ms": "3000"}})
    dialog(tab).get_by_label("Partitions in all").fill("5")
    refused(tab, "Add", "Changed meanwhile", "Somebody changed this")
    tab.shot("topic-changed-meanwhile")
    dialog(tab).get_by_role("button", name="Cancel").click()
    tab.page.get_by_role("cell", name="3000", exact=True).wait_for()
    press(tab, "Add partitions")
    dialog(tab).get_by_label("Partitions in all").fill("1")
    dialog(tab).get_by_role("button", name="Add", exact=True).click()
    dialog(tab).get_by_text("Want a whole number from 3").wait_for()
    dialog(tab).get_by_label("Partitions in all").fill("5")
    submit(tab, "Add")
    assert desk.api("GET", "/topics/t")["partitions"] == 5
    tab.close()


def test_delete_a_topic(browser, desk):
    """Only by typing its name; leaving the dialog leaves the topic."""
    desk.api("POST", "/topics", {"name": "precious"})
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"])
    tab.go(desk.path + "/topics/precious").heading("precious")
    press(tab, "Delete")
    form = dialog(tab)
    sure = form.get_by_role("button", name="Delete the topic")
    for text in ("", "preciou", "Precious"):
        form.get_by_role("textbox").fill(text)
        assert sure.is_disabled()
    tab.shot("topic-delete")
    assert tab.violations() == []
    tab.page.keyboard.press("Escape")
    form.wait_for(state="detached")
    assert desk.api("GET", "/topics/precious")
    press(tab, "Delete")
    dialog(tab).get_by_role("textbox").fill("precious")
    submit(tab, "Delete the topic")
    tab.heading("Topics")
    assert desk.api("GET", "/topics")["items"] == []
    tab.go(desk.path + "/topics/precious")
    tab.expect.add(404)
    tab.page.get_by_role("alert").filter(has_text="no such topic").wait_for()
    tab.errors.clear()  # a 404 that may have come before it was expected
    tab.close()


def test_find_sort_page(browser, desk):
    """Sixty topics: by pages, forwards and back, by part of a name, by order; the address
    keeps what was asked for."""
    for i in range(60):
        desk.api("POST", "/topics", {"name": f"t-{i:02}"})
    tab = browser.open(desk.plane.people_url, desk.token("viewer")["token"])
    tab.go(desk.path + "/topics").heading("Topics")
    names = "[...document.querySelectorAll('tbody th')].map((e) => e.textContent)"
    shown = lambda first, count: tab.until(  # noqa: E731
        f"(w) => {{ const n = {names}; return n[0] === w[0] && n.length === w[1]; }}",
        arg=[first, count])
    shown("t-00", 25)
    tab.page.get_by_role("button", name="Next").click()
    shown("t-25", 25)
    tab.page.get_by_role("button", name="Next").click()
    shown("t-50", 10)
    assert tab.page.get_by_role("button", name="Next").get_attribute("aria-disabled") == "true"
    tab.page.get_by_role("button", name="Previous").click()
    shown("t-25", 25)
    tab.page.get_by_label("Rows on a page").select_option("100")
    shown("t-00", 60)
    assert tab.violations() == []
    tab.page.get_by_role("button", name="Name").click()
    shown("t-59", 60)
    assert tab.page.get_by_role("columnheader", name="Name").get_attribute("aria-sort") == "descending"
    tab.page.get_by_label("Search").fill("-4")
    shown("t-49", 10)
    assert "q=-4" in tab.page.url and "sort=-name" in tab.page.url
    tab.page.reload()
    tab.heading("Topics")
    shown("t-49", 10)
    tab.page.get_by_label("Search").fill("none such")
    tab.page.get_by_text("No topic has that in its name").wait_for()
    tab.close()


# --- groups ---


def make_group(desk, group):
    """A group that has consumed 4 of 10 records."""
    agent = desk.plane.enrol(desk.id)
    agent.register(state="draining")
    topic = agent.create_topic("read")
    agent.commit([Commit([Run(topic, 0, [Batch(10)])])])
    desk.admin.call("POST", f"{API}{desk.path}/groups/{group}/reset-offsets", {
        "to": "offset", "offset": 4, "topics": ["read"], "dry_run": False})
    return agent


def test_set_offsets_and_delete_a_group(browser, desk):
    """First shown, then done; deleted by typing its id."""
    agent = make_group(desk, "readers")
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"])
    tab.go(desk.path + "/groups/readers").heading("readers")
    tab.page.get_by_role("row").filter(has_text="read").get_by_role("cell", name="6", exact=True).wait_for()
    press(tab, "Set offsets")
    dialog(tab).get_by_label("Go on from").select_option("offset")
    dialog(tab).get_by_role("button", name="Preview").click()
    dialog(tab).get_by_text("Want a number.").wait_for()
    dialog(tab).get_by_label("Which").fill("7")
    dialog(tab).get_by_role("button", name="Preview").click()
    second = tab.page.get_by_role("dialog", name="Set these offsets of readers?")
    second.wait_for()
    assert second.get_by_role("row").last.inner_text().split() == ["read", "0", "4", "7"]
    assert tab.violations() == []
    tab.shot("group-set-offsets")
    assert desk.api("GET", "/groups/readers/offsets")["items"][0]["offset"] == 4
    submit(tab, "Set offsets")
    tab.page.get_by_role("cell", name="7", exact=True).wait_for()
    assert desk.api("GET", "/groups/readers/offsets")["items"][0]["offset"] == 7
    press(tab, "Delete")
    dialog(tab).get_by_role("textbox").fill("readers")
    submit(tab, "Delete the group")
    tab.heading("Groups")
    tab.page.get_by_text("No groups yet").wait_for()
    agent.close()
    tab.close()


def test_filter_groups(browser, desk):
    """By state, protocol and part of the id."""
    agent = make_group(desk, "readers")
    tab = browser.open(desk.plane.people_url, desk.token("viewer")["token"])
    tab.go(desk.path + "/groups").heading("Groups")
    row = tab.page.get_by_role("rowheader", name="readers")
    row.wait_for()
    tab.page.get_by_label("State").select_option("Stable")
    tab.page.get_by_text("No group is like that").wait_for()
    tab.page.get_by_label("State").select_option("Empty")
    row.wait_for()
    agent.close()
    tab.close()


# --- agents ---


def test_agents(browser, desk):
    """Drained, taken back, forgotten; a token for a new one is shown once."""
    agent = desk.plane.enrol(desk.id)
    agent.register(zone="z-1")
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"])
    tab.go(desk.path + "/agents").heading("Agents")
    row = tab.page.get_by_role("row").filter(has_text="z-1")
    row.get_by_role("button", name="Drain").click()
    assert tab.violations() == []
    submit(tab, "Drain")
    row.get_by_text("asked to drain").wait_for()
    assert desk.api("GET", "/agents")["items"][0]["wanted_state"] == "draining"
    row.get_by_role("button", name="Take back").click()
    submit(tab, "Take back")
    row.get_by_text("active", exact=True).wait_for()
    row.get_by_role("button", name="Forget").click()
    submit(tab, "Forget")
    tab.page.get_by_text("No agents yet").wait_for()
    tab.shot("agents-empty")
    press(tab, "Add agents")
    dialog(tab).get_by_label("Good for hours").fill("2")
    dialog(tab).get_by_role("button", name="Make a token").click()
    shown = tab.page.get_by_role("dialog", name="Start an agent")
    shown.wait_for()
    token, command = shown.locator("pre").all_inner_texts()
    fingerprint = (desk.plane.data / "ca.fingerprint").read_text().strip()
    assert f"--ca-fingerprint {fingerprint}" in command
    assert f"--control-plane {desk.plane.people_url}" in command
    assert tab.violations() == []
    tab.shot("agents-token")
    shown.get_by_role("button", name="Copy").first.click()
    shown.get_by_role("button", name="Copied").wait_for()
    assert tab.page.evaluate("navigator.clipboard.readText()") == token
    submit(tab, "Done")
    new = desk.plane.enrol(desk.id, token=token)
    new.register(zone="z-2")
    tab.page.get_by_role("row").filter(has_text="z-2").wait_for()
    tab.page.get_by_label("Zone").fill("z-9")
    tab.page.get_by_text("No agent is like that").wait_for()
    agent.close()
    new.close()
    tab.close()


# --- clusters, audit ---


def test_clusters(browser, desk):
    """Created, renamed, deleted by typing the name; a name that is taken is refused."""
    name = f"new-{uuid.uuid4().hex[:8]}"
    tab = browser.open(desk.plane.people_url, desk.admin.token, expect={409})
    tab.go("/clusters").heading("Clusters")
    press(tab, "Create a cluster")
    dialog(tab).get_by_label("Name").fill(desk.name)
    refused(tab, "Create", "In conflict", "name")
    dialog(tab).get_by_label("Name").fill(name)
    submit(tab, "Create")
    tab.page.get_by_label("Search").fill(name)
    press(tab, f"Rename {name}")
    dialog(tab).get_by_label("Name").fill(f"{name}.b")
    submit(tab, "Rename")
    press(tab, f"Delete {name}.b")
    assert dialog(tab).get_by_role("button", name="Delete the cluster").is_disabled()
    dialog(tab).get_by_role("textbox").fill(f"{name}.b")
    submit(tab, "Delete the cluster")
    tab.page.get_by_text("No cluster has that in its name").wait_for()
    tab.close()


def test_audit_filters(browser, desk):
    """By action, by who, by time."""
    admin = desk.token("admin")
    for name in ("one", "two"):
        desk.admin.call("POST", f"{API}{desk.path}/topics", {"name": name}, admin["token"])
    desk.api("DELETE", "/topics/one")
    tab = browser.open(desk.plane.people_url, desk.token("viewer")["token"])
    tab.go(desk.path + "/audit").heading("Audit")
    rows = tab.page.locator("tbody tr")
    tab.page.get_by_label("Action").fill("topic.")
    tab.until("document.querySelectorAll('tbody tr').length === 3")
    tab.page.get_by_label("Who").fill(admin["name"])
    tab.until("document.querySelectorAll('tbody tr').length === 2")
    assert "topics/two" in rows.first.inner_text() and "done" in rows.first.inner_text()
    tab.page.get_by_label("From").fill("2030-01-01T00:00:00")
    tab.page.get_by_text("Nothing like that was done").wait_for()
    tab.close()


# --- what the API refuses ---


def test_role_taken_while_a_form_is_open(browser, desk):
    """403 is told by the API's words: a form that a viewer would not be offered."""
    user = desk.admin.call("POST", f"{API}/users", {
        "name": f"u-{uuid.uuid4().hex[:6]}", "role": "admin", "cluster_id": desk.id})
    token = desk.token("admin", user_id=user["id"])["token"]
    tab = browser.open(desk.plane.people_url, token, expect={403})
    tab.go(desk.path + "/topics").heading("Topics")
    press(tab, "Create a topic")
    dialog(tab).get_by_label("Name").fill("mine")
    desk.admin.call("PATCH", f"{API}/users/{user['id']}", {"role": "viewer"})
    refused(tab, "Create", "Not allowed", "needs the role admin or operator; this token's is viewer")
    tab.shot("forbidden")
    tab.page.reload()
    tab.heading("Topics")
    assert tab.page.get_by_role("button", name="Create a topic").count() == 0
    tab.close()


def test_too_many_requests(browser, desk):
    """429: said, waited as long as told, and live again by itself."""
    desk.api("PATCH", "/limits", {"requests_per_second": 1})
    tab = browser.open(desk.plane.people_url, desk.token("viewer")["token"], expect={429})
    tab.go(desk.path + "/usage")
    told = tab.page.get_by_role("alert").filter(has_text="Too many requests")
    told.wait_for(timeout=40_000)
    assert "Retry-After" in told.inner_text()
    tab.shot("too-many-requests")
    desk.api("PATCH", "/limits", {"requests_per_second": 0})
    tab.page.locator(".live-live").wait_for(timeout=60_000)
    assert told.count() == 0
    tab.close()


@pytest.mark.parametrize("status,more", [(503, {}), (429, {}), (421, {"leader": None})])
def test_not_yet(browser, desk, status, more):
    """While leadership moves, or too much is asked, a change waits as it is told and is made
    again, under the same key; it is not left half way; what takes too long is told."""
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"], expect={status})
    tab.go(desk.path + "/topics").heading("Topics")
    keys = []

    def not_yet(route):
        if route.request.method != "POST":
            return route.fallback()
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) > 2:
            return route.continue_()
        return route.fulfill(status=status, headers={"Retry-After": "1"},
                             content_type="application/problem+json",
                             body=json.dumps({"detail": "not now", **more}))

    tab.page.route(re.compile("/topics$"), not_yet)
    press(tab, "Create a topic")
    dialog(tab).get_by_label("Name").fill("patient")
    dialog(tab).get_by_role("button", name="Create").click()
    assert dialog(tab).get_by_role("button", name="Cancel").is_disabled()
    tab.heading("patient")
    assert len(keys) == 3 and len(set(keys)) == 1
    tab.page.unroute(re.compile("/topics$"))
    tab.close()


def test_not_yet_and_done(browser, desk):
    """A leader that deletes and is gone before it answers: the next one has nothing to
    delete, and that is no error."""
    desk.api("POST", "/topics", {"name": "gone"})
    tab = browser.open(desk.plane.people_url, desk.token("admin")["token"], expect={503, 404})
    tab.go(desk.path + "/topics/gone").heading("gone")
    asked = []

    def answer_lost(route):
        if route.request.method != "DELETE":
            return route.fallback()
        asked.append(route.fetch().status if not asked else 0)
        if len(asked) > 1:
            return route.continue_()
        return route.fulfill(status=503, headers={"Retry-After": "1"}, body="")

    tab.page.route(re.compile("/topics/gone$"), answer_lost)
    press(tab, "Delete")
    dialog(tab).get_by_role("textbox").fill("gone")
    submit(tab, "Delete the topic")
    tab.heading("Topics")
    assert asked[0] < 300 and len(asked) == 2
    tab.close()


def test_another_tenant(browser, desk):
    """Another's cluster is not there."""
    tab = browser.open(desk.plane.people_url, Desk(desk.plane).token("admin")["token"], expect={404})
    tab.go(desk.path + "/topics")
    tab.page.get_by_role("alert").filter(has_text="There is no cluster of this id").wait_for()
    tab.close()


def test_names_are_never_markup(browser, desk):
    """Groups, clients, zones, versions, tokens may be called anything: it is shown as it is,
    and does nothing."""
    agent = desk.plane.enrol(desk.id)
    agent.register(zone=HOSTILE, host="a.example", version=HOSTILE[:60], state="draining")
    topic = agent.create_topic("read")
    agent.commit([Commit([Run(topic, 0, [Batch(10)])])])
    group = f"g/{HOSTILE}"
    join = ["join", group, "", None, HOSTILE, HOSTILE, 30000, 30000, "consumer",
            [["range", "AAA="]], 0, str(uuid.uuid4())]
    agent.call("groups", {"ops": [join]})
    desk.admin.call("POST", f"{API}/tokens", {"name": HOSTILE[:90], "role": "viewer",
                                              "cluster_id": desk.id})
    token = desk.admin.call("POST", f"{API}/tokens", {
        "name": HOSTILE[:90], "role": "admin", "cluster_id": desk.id})["token"]
    tab = browser.open(desk.plane.people_url, token)
    for place, heading in (("/groups", "Groups"), ("/agents", "Agents"), ("/audit", "Audit"),
                           ("/overview", "Overview")):
        tab.go(desk.path + place).heading(heading)
        tab.page.get_by_text("<img src=x").first.wait_for(state="attached")
        assert tab.overflow() == 0
        tab.page.set_viewport_size({"width": 360, "height": 740})
        assert tab.overflow() == 0
        tab.page.set_viewport_size({"width": 1280, "height": 860})
    tab.go(desk.path + "/groups").heading("Groups")
    tab.shot("hostile-names")
    tab.page.get_by_role("link", name="g/").click()
    tab.heading(group)
    tab.page.get_by_role("rowheader", name=HOSTILE[:20]).wait_for()
    assert tab.overflow() == 0
    assert tab.page.evaluate("window.broken") is None
    assert tab.page.locator("main img, main script").count() == 0
    agent.close()
    tab.close()
