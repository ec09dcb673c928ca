"""A headless Chromium that a test can ask, over the DevTools protocol and two pipes."""

import fcntl
import json
import os
import shutil
import subprocess
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), "")
# No service of the browser's own: what it asks the network for is then the page's wish.
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
)


class Browser:
    """One page."""

    def __init__(self, sent, received):
        self._sent, self._received, self._number, self.events = sent, received, 0, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        found = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.ask(f"{domain}.enable")

    _session = None

    def ask(self, method, **params):
        """The result of a method of the protocol; events meanwhile are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._sent.write(json.dumps(message).encode() + b"\0")
        self._sent.flush()
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def wait_for(self, method):
        """The next event of this name, or one that came already."""
        for event in self.events:
            if event["method"] == method:
                return event
        while (event := self._next()).get("method") != method:
            self.events.append(event)
        self.events.append(event)
        return event

    def open(self, path, width, height=900, dark=False):
        """Open a file at this size, and wait until all of it is there."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.ask("Page.navigate", url=path.as_uri())
        self.wait_for("Page.loadEventFired")

    def run(self, script):
        """The value of an expression of JavaScript in the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"])
        return found["result"].get("value")

    def requests(self):
        """The addresses that were asked for since the page was opened; data within it is none."""
        events = [e for e in self.events if e["method"] == "Network.requestWillBeSent"]
        found = [event["params"]["request"]["url"] for event in events]
        return [address for address in found if not address.startswith("data:")]

    def errors(self):
        """What the console says is wrong."""
        wrong = ("Runtime.exceptionThrown", "Log.entryAdded")
        said = [e for e in self.events if e["method"] in wrong]
        calls = [e for e in self.events if e["method"] == "Runtime.consoleAPICalled"]
        return said + [e for e in calls if e["params"]["type"] in ("error", "warning")]

    def close(self):
        """End the browser, so that nothing of it still writes into its folder."""
        self._session = None
        self.ask("Browser.close")

    def _next(self):
        message = bytearray()
        while (byte := self._received.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("the browser has gone")
            message += byte
        return json.loads(message)


@contextmanager
def browser(folder):
    """A browser with its profile in `folder`, until the block ends."""
    to_read, to_write = os.pipe(), os.pipe()
    # It reads from 3 and writes to 4, which may be in use here: both go by way of numbers far off.
    far = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 100) for end in (to_read[0], to_write[1])]
    process = subprocess.Popen(
        ["bash", "-c", f'exec "$0" "$@" 3<&{far[0]} 4>&{far[1]}', CHROMIUM, *OPTIONS]
        + [f"--user-data-dir={folder}"],
        pass_fds=far,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"HOME": str(folder)},
    )
    for end in (to_read[0], to_write[1], *far):
        os.close(end)
    with os.fdopen(to_read[1], "wb") as sent, os.fdopen(to_write[0], "rb") as received:
        try:
            one = Browser(sent, received)
            yield one
            one.close()
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=20)
