"""A tab of a real browser, driven over WebDriver: what the tests of the dashboard click, type and read."""
import base64
import json
import os
import pathlib
import time
import urllib.request

from browsers import Driver, chromedriver, geckodriver

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": " ", "Left": "\ue012", "Up": "\ue013", "Right": "\ue014",
        "Down": "\ue015", "Home": "\ue011", "End": "\ue010", "Shift": "\ue008", "Control": "\ue009", "Backspace": "\ue003"}
# Collects violations of the policy and errors from the first line of each page on.
WATCH = """window.tuttiFaults ??= [];
document.addEventListener("securitypolicyviolation", (event) => tuttiFaults.push("policy: " + event.violatedDirective + " " + event.sourceFile));
window.addEventListener("error", (event) => tuttiFaults.push("error: " + event.message + " " + event.filename + ":" + event.lineno));
window.addEventListener("unhandledrejection", (event) => tuttiFaults.push("rejected: " + event.reason));
window.alert = () => tuttiFaults.push("alert");"""


def capabilities(browser, size):
    if browser == "firefox":
        return {"browserName": "firefox", "moz:firefoxOptions": {"args": ["-headless", f"--width={size[0]}", f"--height={size[1]}"],
                "prefs": {"browser.cache.disk.enable": False}}, "webSocketUrl": True}
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"browserName": "chrome", "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": [
        "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--force-device-scale-factor=1", "--mute-audio", f"--window-size={size[0]},{size[1]}", *root]}}


class WebError(AssertionError):
    pass


class Tab:
    def __init__(self, browser="chromium", size=(1280, 900)):
        self.browser = browser
        self.driver = Driver(geckodriver(), "--port=0") if browser == "firefox" else Driver(chromedriver(), "--port=0")
        try:
            self.session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": capabilities(browser, size)}})["sessionId"]
        except BaseException:
            self.driver.kill()
            raise
        if browser == "chromium":
            self.command("POST", "/goog/cdp/execute", {"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": WATCH}})

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.driver.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise WebError(json.load(error)["value"]["message"][:2000]) from None

    def command(self, method, path, body=None):
        return self.ask(method, f"/session/{self.session}{path}", body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.command("DELETE", "")
        except (WebError, OSError):
            pass
        self.driver.kill()

    def open(self, url):
        self.command("POST", "/url", {"url": url})
        if self.browser != "chromium":
            self.run(WATCH)

    def run(self, code, *arguments):
        """The value that a function body returns."""
        return self.command("POST", "/execute/sync", {"script": code, "args": list(arguments)})

    def faults(self):
        """Violations and errors since the page began to load; in Firefox, since it was loaded."""
        return self.run("return window.tuttiFaults ?? []")

    def find(self, css):
        return self.command("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def labelled(self, tag, text):
        """The first element of this kind whose text or label begins with `text`."""
        found = self.run("""return [...document.querySelectorAll(arguments[0])].find((each) =>
            (each.getAttribute("aria-label") ?? each.textContent).trim().startsWith(arguments[1])) ?? null""", tag, text)
        if found is None:
            raise WebError(f"there is no {tag} {text!r} in: {self.text()[:1500]}")
        return found[ELEMENT]

    def click(self, tag, text):
        self.wait(lambda: self.try_click(tag, text), f"{tag} {text!r} cannot be clicked")

    def try_click(self, tag, text):
        try:
            self.command("POST", f"/element/{self.labelled(tag, text)}/click", {})
        except WebError as error:
            if "stale" in str(error) or "there is no" in str(error) or "no such element" in str(error):
                return False
            raise
        return True

    def type(self, css, text):
        """Into what may appear only now."""
        self.wait(lambda: self.run("return document.querySelector(arguments[0]) !== null", css), f"there is no {css}")
        self.command("POST", f"/element/{self.find(css)}/value", {"text": text})

    def press(self, *keys):
        """Keys for whatever has the focus, one after the other; "Shift+Tab" holds the first."""
        actions = []
        for key in keys:
            held = [KEYS.get(part, part) for part in key.split("+")] if len(key) > 1 else [key]
            actions += [{"type": "keyDown", "value": part} for part in held] + [{"type": "keyUp", "value": part} for part in reversed(held)]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def write(self, text):
        self.press(*text)

    def focused(self):
        """Name of what has the focus."""
        return self.run("""const at = document.activeElement;
            return (at.getAttribute("aria-label") ?? at.closest("label")?.textContent ?? at.textContent ?? "").trim().slice(0, 80);""")

    def tab_to(self, name, most=80, back=False):
        """Reaches something by the keyboard alone."""
        for _ in range(most):
            self.press("Shift+Tab" if back else "Tab")
            if self.focused().startswith(name):
                return
        raise WebError(f"{most} times Tab do not reach {name!r}; the focus is at {self.focused()!r}")

    def text(self, css="body"):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css)

    def wait(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise WebError(f"after {seconds} s: {what}; faults {self.faults()}; the focus at {self.focused()!r}; the page at {self.run('return location.href')}:\n{self.text()[:3000]}")
            time.sleep(0.05)

    def wait_text(self, text, css="body", seconds=20):
        self.wait(lambda: text in self.text(css), f"{css} does not say {text!r}", seconds)

    def size(self, width, height):
        self.command("POST", "/window/rect", {"width": width, "height": height})

    def picture(self, path):
        pathlib.Path(path).write_bytes(base64.b64decode(self.command("GET", "/screenshot")))
