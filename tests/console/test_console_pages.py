"""Every page of the console on a live cluster: what it shows, in both themes, on a phone,
by keyboard alone, for each role; and by which rules the page lives."""

import itertools
import pathlib
import re
import time
import urllib.parse

import pytest

from browser import PHONE, check_syntax

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "controlplane" / "console"
FILES = sorted(str(p.relative_to(FOLDER)) for p in FOLDER.rglob("*.*") if p.suffix != ".md")

# The name of the screenshot, the place ("C": the cluster), the heading, a text on it.
PAGES = [
    ("clusters", "/clusters", "Clusters", "dev"),
    ("overview", "C/overview", "Overview", "zone-2"),
    ("topics", "C/topics", "Topics", "inventory.changes"),
    ("topic", "C/topics/orders", "orders", "retention.ms"),
    ("groups", "C/groups", "Groups", "nightly-export"),
    ("group", "C/groups/reporting", "reporting", "reporting-1"),
    ("agents", "C/agents", "Agents", "zone-3"),
    ("usage", "C/usage", "Usage", "Partition hours"),
    ("audit", "C/audit", "Audit", "topic.create"),
    ("nodes", "/nodes", "Cell nodes", "controlplane-1"),
    ("usage-all", "/usage", "Usage", "dev"),
    ("audit-all", "/audit", "Audit", "cluster.create"),
]
THEMES = ["light", "dark"]


def place_of(world, place):
    """PLACE with the cluster's path in it."""
    return world.path + place[1:] if place.startswith("C") else place


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name,place,heading,text", PAGES, ids=[p[0] for p in PAGES])
def test_page(browser, world, name, place, heading, text, theme):
    """A page shows what there is; axe finds nothing wrong in either theme, nor on a phone,
    where nothing is wider than the screen."""
    tab = browser.open(world.url, world.operator, theme=theme)
    tab.go(place_of(world, place)).heading(heading)
    tab.page.get_by_role("main").get_by_text(text).first.wait_for()
    assert tab.violations() == []
    assert tab.overflow() == 0
    tab.shot(f"{name}-{theme}")
    tab.page.set_viewport_size(PHONE)
    tab.until("document.querySelector('.nav-toggle').offsetParent !== null")
    assert tab.overflow() == 0
    if theme == "light":
        assert tab.violations() == []
        tab.shot(f"{name}-phone")
    tab.page.set_viewport_size({"width": 320, "height": 640})
    assert tab.overflow() == 0
    tab.close()


@pytest.mark.parametrize("theme", THEMES)
def test_sign_in_page(browser, world, theme):
    """It says what the console is and that it never shows records; by the token it leads to
    the clusters, and signing out leads back and forgets."""
    tab = browser.open(world.url, theme=theme)
    tab.go("/")
    token = tab.page.get_by_label("API token")
    token.wait_for()
    assert "never" in tab.page.locator(".signin-note").inner_text()
    assert tab.violations() == []
    tab.shot(f"signin-{theme}")
    token.fill(world.operator)
    tab.page.get_by_role("button", name="Sign in").click()
    tab.heading("Clusters")
    stored = "JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])"
    assert world.operator in tab.page.evaluate(stored)
    assert world.operator not in tab.page.evaluate("JSON.stringify({...localStorage})")
    tab.page.reload()
    tab.heading("Clusters")
    tab.page.get_by_role("button", name="Sign out").click()
    token.wait_for()
    assert world.operator not in tab.page.evaluate(stored)
    tab.close()


def test_every_page_is_here():
    """PAGES names every module of pages/ but the first page and the one for no page."""
    named = {re.sub("-all$", "", name) for name, *_ in PAGES}
    assert named == {p.stem for p in (FOLDER / "pages").glob("*.js")} - {"signin", "missing"}


def test_live_rates(browser, world):
    """Rates of topics appear with the second reading and are about what is produced."""
    tab = browser.open(world.url, world.operator)
    tab.go(world.path + "/topics").heading("Topics")
    row = tab.page.get_by_role("row").filter(has_text="clicks")
    rate = row.locator("td").nth(2)
    tab.until("e => /\\d+ \\/s$/.test(e.textContent)", arg=rate.element_handle())
    assert float(rate.inner_text().replace(" /s", "").replace(",", "")) > 10
    # The same row goes on: the list is not made anew under who reads it.
    handle = row.element_handle()
    kept = row.locator("td").nth(3).inner_text()
    tab.until("([e, was]) => e.children[4].textContent !== was",
                               arg=[handle, kept])
    assert handle.evaluate("e => e.isConnected")
    tab.close()


def test_lag_over_time(browser, world):
    """The lag of a group that is too slow is a curve; leaving the page keeps it."""
    tab = browser.open(world.url, world.operator)
    tab.go(world.path + "/groups/reporting").heading("reporting")
    curve = "document.querySelector('path.line').getAttribute('d').split('L').length"
    tab.until(f"{curve} >= 3")
    assert re.search(r"Lag, last .*: Lag now [\d.,k]+, at most",
                     tab.page.locator("svg.chart").get_attribute("aria-label"))
    tab.page.get_by_role("link", name="Topics").click()
    tab.heading("Topics")
    tab.page.go_back()
    tab.heading("reporting")
    assert tab.page.evaluate(curve) >= 3
    # The arrow keys read single values.
    tab.page.locator("svg.chart").focus()
    tab.page.keyboard.press("ArrowLeft")
    assert "Lag" in tab.page.locator(".chart-tip").inner_text()
    tab.close()


def test_overview_is_one_picture(browser, world):
    """Health, throughput, latency, cost; every zone with its agents in one picture, which
    says the same in words."""
    tab = browser.open(world.url, world.operator)
    tab.go(world.path + "/overview").heading("Overview")
    picture = tab.page.locator("svg.picture")
    label = picture.get_attribute("aria-label")
    for zone in ("zone-1", "zone-2", "zone-3"):
        assert zone in label
        assert picture.get_by_text(zone, exact=True).count() == 1
    assert picture.locator(".agent").count() == 3
    assert picture.locator("path.thread").count() >= 9
    tiles = tab.page.locator(".stat").all_inner_texts()
    assert [t.split("\n")[0] for t in tiles] == [
        "Health", "Produced", "Fetched", "Produce p99", "Commit p99", "Object store"]
    # Agents report every ten seconds.
    tab.until(
        "[...document.querySelectorAll('.stat-value')].slice(1, 5)"
        ".every(e => /[1-9]/.test(e.textContent))", limit_s=60)
    tab.until("document.querySelectorAll('.stat-value')[5].textContent.startsWith('$')")
    assert "GiB produced" in tab.page.locator(".stat").last.inner_text()
    assert "List prices of aws" in tab.page.get_by_role("main").inner_text()
    tab.shot("overview-flowing")
    tab.close()


def test_records_are_never_shown(browser, world):
    """It says so, and why; and no request asks for any."""
    tab = browser.open(world.url, world.operator)
    asked = []
    tab.page.on("request", lambda request: asked.append(urllib.parse.urlsplit(request.url).path))
    tab.go(world.path + "/topics/orders").heading("orders")
    assert "The control plane sees names, offsets and sizes" in \
        tab.page.locator(".no-records").inner_text()
    assert {p for p in asked if p.startswith("/api/")} == {
        "/api/v1/whoami", f"/api/v1{world.path}", f"/api/v1{world.path}/topics/orders",
        f"/api/v1{world.path}/topics/orders/partitions"}
    tab.close()


@pytest.mark.parametrize("role", ["viewer", "admin"])
def test_roles(browser, world, role):
    """A viewer is offered no form; an admin those of its cluster; neither the cell."""
    tab = browser.open(world.url, world.viewer if role == "viewer" else world.admin_token)
    tab.go("/").heading("Overview")
    assert tab.page.get_by_role("link", name="Cell nodes").count() == 0
    buttons = {}
    for name, place, heading, _ in PAGES:
        if place.startswith("C"):
            tab.go(place_of(world, place)).heading(heading)
            buttons[name] = {b.inner_text() for b in
                             tab.page.get_by_role("main").get_by_role("button").all()
                             if not re.search("[↑↓↕]", b.inner_text())} - {"", "Previous", "Next"}
    if role == "viewer":
        assert set(itertools.chain(*buttons.values())) == set()
        tab.shot("topic-viewer")
    else:
        assert buttons["topics"] == {"Create a topic"}
        assert buttons["topic"] == {"Edit settings", "Add partitions", "Delete"}
        assert buttons["group"] == {"Set offsets", "Delete"}
        assert buttons["agents"] == {"Add agents", "Drain", "Forget"}
    for place in ("/nodes", "/clusters", "/audit", "/nowhere"):
        tab.go(place)
        tab.page.get_by_role("heading", name="There is no such page").wait_for()
    assert tab.violations() == []
    tab.close()


def test_keyboard_alone(browser, world):
    """From signing in to a created and deleted topic without a pointer: what has the focus
    is seen, the skip link works, a dialog keeps the focus and gives it back."""
    tab = browser.open(world.url)
    page, keys = tab.page, tab.page.keyboard
    tab.go(world.path + "/topics")
    page.get_by_label("API token").wait_for()
    keys.type(world.admin_token)  # the field has the focus
    keys.press("Enter")
    tab.heading("Topics")
    focused = "document.activeElement"

    def press_until(key, text, most=40):
        for _ in range(most):
            keys.press(key)
            if page.evaluate(f"({focused}.getAttribute('aria-label') || {focused}.textContent)"
                             ".trim()") == text:
                return
        raise AssertionError(f"{text} is not reached by {key}")

    page.reload()  # the focus begins at the top again
    tab.heading("Topics")
    press_until("Tab", "Skip to the content", 2)
    assert page.evaluate(f"getComputedStyle({focused}).outlineStyle") == "solid"
    keys.press("Enter")
    assert page.evaluate(f"{focused}.id") == "main"
    press_until("Tab", "Create a topic", 4)
    keys.press("Enter")
    page.get_by_role("dialog").wait_for()
    for _ in range(12):  # round and round, never outside
        keys.press("Tab")
        assert page.evaluate(f"{focused}.closest('dialog') !== null")
    keys.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate(f"{focused}.textContent") == "Create a topic"
    keys.press("Enter")
    keys.type("by-keyboard")
    keys.press("Enter")
    tab.heading("by-keyboard")
    assert page.evaluate(f"{focused}.tagName") == "H1"  # where reading begins
    press_until("Tab", "Delete")
    keys.press("Enter")
    keys.type("by-keyboard")
    keys.press("Enter")
    page.get_by_role("status").filter(has_text="by-keyboard was deleted").wait_for()
    tab.heading("Topics")
    tab.close()


def test_narrow_menu(browser, world):
    """On a phone the way around folds away; it opens, closes by Escape, and leads on."""
    tab = browser.open(world.url, world.operator, size=PHONE)
    tab.go(world.path + "/topics").heading("Topics")
    menu = tab.page.get_by_role("button", name="Menu")
    link = tab.page.get_by_role("link", name="Groups")
    assert menu.get_attribute("aria-expanded") == "false" and not link.is_visible()
    menu.click()
    assert menu.get_attribute("aria-expanded") == "true" and link.is_visible()
    assert tab.violations() == []
    tab.shot("menu-phone")
    tab.page.keyboard.press("Escape")
    assert not link.is_visible()
    menu.click()
    link.click()
    tab.heading("Groups")
    assert not link.is_visible()
    tab.close()


def test_theme(browser, world):
    """As the system has it, until somebody chooses; the choice stays."""
    tab = browser.open(world.url, world.operator, theme="dark")
    tab.go("/clusters").heading("Clusters")
    ink = "getComputedStyle(document.body).color"
    dark = tab.page.evaluate(ink)
    tab.page.get_by_role("button", name="Theme: as the system").click()
    light = tab.page.evaluate(ink)
    assert light != dark
    tab.page.reload()
    tab.heading("Clusters")
    assert tab.page.evaluate(ink) == light
    tab.page.get_by_role("button", name="Theme: light").click()
    assert tab.page.evaluate(ink) == dark
    tab.close()


def test_hidden_pages_ask_nothing(browser, world):
    """Nobody looks, nothing is asked; when somebody looks again, at once."""
    tab = browser.open(world.url, world.operator)
    tab.go(world.path + "/topics").heading("Topics")
    asked = []
    tab.page.on("request", lambda request: asked.append(request.url))
    see = ("state => { Object.defineProperty(document, 'visibilityState', "
           "{value: state, configurable: true}); "
           "document.dispatchEvent(new Event('visibilitychange')); }")
    tab.page.evaluate(see, "hidden")
    tab.page.wait_for_timeout(500)  # what was under way may end
    asked.clear()
    tab.page.wait_for_timeout(4000)  # longer than the page's interval
    assert asked == []
    with tab.page.expect_request("**/topics?**"):  # hidden, no timer runs: this is why
        tab.page.evaluate(see, "visible")
    tab.close()


# --- by which rules the page lives ---


def test_policy_holds(browser, world):
    """What somebody would bring into the page, the browser refuses: scripts and styles in
    the markup, other hosts, frames."""
    tab = browser.open(world.url, world.operator)
    tab.go("/clusters").heading("Clusters")
    refused = tab.page.evaluate("""async () => {
        const seen = [];
        document.addEventListener("securitypolicyviolation", (e) => seen.push(e.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "window.broken = true";
        const button = document.createElement("button");
        button.setAttribute("onclick", "window.broken = true");
        const frame = document.createElement("iframe");
        frame.src = "/api/v1/docs";
        const image = document.createElement("img");
        image.src = "https://127.0.0.1:1/x.png";
        const style = document.createElement("style");
        style.textContent = "body { color: red }";
        document.body.append(script, button, frame, image, style);
        button.click();
        await fetch("https://127.0.0.1:1/").catch(() => {});
        for (let i = 0; i < 100 && new Set(seen).size < 6; i++)
            await new Promise((done) => setTimeout(done, 100));
        return [seen, window.broken === undefined];
    }""")
    assert refused[1]
    assert {"script-src-elem", "script-src-attr", "frame-src", "img-src", "style-src-elem",
            "connect-src"} <= set(refused[0])
    # The browser told each of them; what it did not let out is told as a request, too.
    tab.errors.clear()
    tab.foreign.clear()
    tab.close()


@pytest.mark.parametrize("file", FILES)
def test_file(world, file):
    """Each file of the folder is served as what it is, once per change; none brings code by
    the markup, and none makes markup of data."""
    path = "/console" if file == "index.html" else f"/console/{file}"
    status, headers, body = world.admin.raw("GET", path)
    assert status == 200 and body == (FOLDER / file).read_bytes()
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html",
             ".svg": "image/svg+xml"}
    assert headers["Content-Type"].split(";")[0] == kinds[pathlib.Path(file).suffix]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "unsafe" not in headers["Content-Security-Policy"]
    again = world.admin.raw("GET", path, headers={"If-None-Match": headers["ETag"]})
    assert again[0] == 304 and again[2] == b""
    text = body.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", text)
    assert not re.search(r"<script>|<style|\sstyle=\"|\son\w+=\"", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    if file.endswith(".js"):
        assert check_syntax(FOLDER / file) == ""
        assert text.startswith("// ") and len(text.splitlines()) <= 400


def test_setting_names():
    """The forms suggest the settings that there are, with their defaults."""
    rows = re.findall(r'CONFIG\("([^"]+)",\s*\w+,\s*"([^"]*)"',
                      (ROOT / "proto" / "topic_config.def").read_text())
    named = re.findall(r'\["([^"]+)", "([^"]*)"\]', (FOLDER / "config_names.js").read_text())
    assert named == rows and len(rows) > 30


def test_first_page_is_quick(browser, world):
    """Signed in, on this machine, the list of topics is there well within two seconds, and
    all of the console together is small."""
    tab = browser.open(world.url, world.operator)
    begun = time.monotonic()
    tab.go(world.path + "/topics").heading("Topics")
    assert time.monotonic() - begun < 10  # a slow machine; the usual time is printed
    print(f"topics shown after {time.monotonic() - begun:.2f} s")
    assert sum((FOLDER / f).stat().st_size for f in FILES) < 200_000
    tab.close()
