"""A headless Chromium on the console, for tests.

    with Browser() as browser:
        tab = browser.open(people_url, token)
        tab.go("/clusters")
        tab.page.get_by_role("heading", name="Clusters").wait_for()
        tab.close()

A tab is a person: a context of its own, so that storage is not shared. What must never
happen is watched all the time and told by Tab.close(): an error on the browser's console,
an uncaught exception, a request to another host. A test that provokes refused calls says
which statuses it expects: Chromium writes each of them on its console.
"""

import os
import pathlib
import re
import subprocess
import tempfile
import time
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, TimeoutError, sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "console"
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync"]
LIMIT_MS = 45_000
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 360, "height": 740}
REFUSED = re.compile(r"Failed to load resource: .* status of (\d+)")


class Tab:
    """One person's page at URL; signed in if a TOKEN is given."""

    def __init__(self, browser, url, token=None, theme="light", size=None, expect=()):
        self.url = url.rstrip("/")
        self.host = urlsplit(url).netloc
        self.expect = set(expect)
        self.errors, self.foreign = [], []
        self.context = browser.new_context(ignore_https_errors=True, viewport=size or DESKTOP,
                                           color_scheme=theme, reduced_motion="reduce",
                                           permissions=["clipboard-read", "clipboard-write"],
                                           device_scale_factor=1, locale="en-GB",
                                           timezone_id="UTC")
        self.context.set_default_timeout(LIMIT_MS)
        self.page = self.context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))
        self.page.on("request", self._on_request)
        if token:
            self.page.add_init_script(
                f"sessionStorage.getItem('test-began') || "
                f"(sessionStorage.setItem('test-began', '1'), "
                f"sessionStorage.setItem('weft-console-token', '{token}'))")

    def _on_console(self, message):
        if message.type not in ("error", "warning"):
            return
        refused = REFUSED.match(message.text)
        if refused and int(refused[1]) in self.expect:
            return
        if "lost" in self.expect and "net::ERR_" in message.text:
            return
        # Chromium drops its connections when any network of the machine comes or goes, a
        # container's for example.
        if "net::ERR_NETWORK_CHANGED" in message.text:
            return
        self.errors.append(message.text)

    def _on_request(self, request):
        if urlsplit(request.url).netloc != self.host:
            self.foreign.append(request.url)

    def go(self, place="/"):
        """Load the console at PLACE, what stands behind the #."""
        address = f"{self.url}/console#{place}"
        if self.page.url.split("#")[0] == address.split("#", 1)[0]:
            self.page.evaluate("hash => { location.hash = hash }", place)
            return self
        for _ in range(5):
            try:
                self.page.goto(address)
                break
            except Error as error:
                if "ERR_NETWORK_CHANGED" not in str(error):  # see _on_console
                    raise
        if not self._began():  # a file of it was cut off (see _on_console)
            self.page.reload()
        return self

    def _began(self):
        try:
            self.page.locator("main").wait_for(timeout=LIMIT_MS / 3)
            return True
        except TimeoutError:
            return False

    def heading(self, text):
        """Wait for the page of this heading, with its first reading shown."""
        self.page.get_by_role("heading", level=1, name=text, exact=True).wait_for()
        self.page.locator(".live-live").wait_for()
        return self

    def shot(self, name):
        """Keep a picture of the whole page as an artefact of the run."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)

    def violations(self):
        """What axe finds wrong, a line each."""
        found = Axe().run(self.page).response["violations"]
        return [f"{v['id']}: {v['help']} at {node['target']}: {node.get('failureSummary', '')}"
                for v in found for node in v["nodes"]]

    def until(self, script, arg=None, limit_s=LIMIT_MS / 1000):
        """Wait until SCRIPT, an expression or a function of ARG, gives something true. (What
        Playwright has for it evaluates texts in the page, which the page's policy forbids.)"""
        deadline = time.monotonic() + limit_s
        while not self.page.evaluate(script, arg):
            assert time.monotonic() < deadline, f"not within {limit_s} s: {script}"
            self.page.wait_for_timeout(50)

    def overflow(self):
        """By how many pixels the page is wider than the window."""
        return self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def close(self):
        """Done; whatever must not happen has not happened."""
        self.context.close()
        assert not self.foreign, f"requests to other hosts: {self.foreign}"
        assert not self.errors, f"errors in the browser: {self.errors}"


class Browser:
    """Chromium with a profile of its own, in a directory that goes with it."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory(prefix="weft-browser-")
        self.playwright = sync_playwright().start()
        # The profile is Playwright's: a fresh directory below TMPDIR.
        self.chromium = self.playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS,
            env={**os.environ, "HOME": self.home.name, "TMPDIR": self.home.name})
        return self

    def open(self, *args, **options):
        """A new Tab."""
        return Tab(self.chromium, *args, **options)

    def __exit__(self, *_):
        self.chromium.close()
        self.playwright.stop()
        self.home.cleanup()


def check_syntax(path):
    """What `node --check` says of the module at PATH, or ""."""
    with tempfile.TemporaryDirectory() as scratch:
        module = pathlib.Path(scratch) / "module.mjs"  # the name says that it is one
        module.write_bytes(path.read_bytes())
        done = subprocess.run(["node", "--check", module], capture_output=True, text=True,
                              check=False)
    return "" if done.returncode == 0 else done.stderr
