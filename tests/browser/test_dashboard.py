"""The dashboard in real browsers: its story by mouse and by keyboard, names that attack, a lot of data, who sees or hears it."""
import json
import pathlib
import tempfile
import time
import unittest

import browsers  # noqa: F401  its path of the integration tests
from browsers import needs_chromium, needs_firefox
from daemon import Agent, Coordinator
from support import EXAMPLES, wait_until
from web import Tab, WebError

HERE = pathlib.Path(__file__).resolve().parent
ACCESSIBLE = (HERE / "accessible.js").read_text()
TABS = ("overview", "requests", "errors", "checks", "rooms", "seen", "agents")
DROP = """const data = new DataTransfer();
data.items.add(new File([arguments[0]], arguments[1], { type: "text/x-lua" }));
for (const type of ["dragover", "drop"]) {
  document.querySelector(".drop").dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
FIGURE = """const name = [...document.querySelectorAll("dt")].find((each) => each.textContent === arguments[0]);
return name ? Number(name.nextSibling.firstChild.data.split(" ")[0].replaceAll(",", "")) : null"""


class WithPage(unittest.TestCase):
    browser = "chromium"

    def setUp(self):
        self.coordinator = self.enterContext(Coordinator())
        self.url = f"http://127.0.0.1:{self.coordinator.port}"

    def join(self, *names):
        agents = [self.enterContext(Agent(self.coordinator.endpoint, name)) for name in names]
        self.coordinator.wait_agents(len(names))
        return agents

    def open(self, **more):
        self.tab = self.enterContext(Tab(self.browser, **more))
        self.log_in()

    def log_in(self):
        code = self.coordinator.post("/v1/login/code", {}).json["code"]
        self.tab.open(f"{self.url}/#code={code}")
        self.tab.wait(lambda: self.tab.run("return document.querySelector('table caption, .table-box')"), "no list of campaigns")

    def go(self, to):
        self.tab.run("location.hash = arguments[0]", to)

    def figure(self, name):
        return self.tab.run(FIGURE, name)

    def clean(self):
        self.assertEqual(self.tab.faults(), [])

    def same_numbers(self, campaign):
        """What only grows is, on the page, between what the API says before and after."""
        before = self.coordinator.show(campaign)["steps"]["ok"]
        shown = self.tab.wait(lambda: self.figure("steps ok") or None, "no steps")
        self.tab.wait(lambda: self.figure("steps ok") >= before, "the page has not come so far", 3)
        shown = self.figure("steps ok")
        self.assertLessEqual(shown, self.coordinator.show(campaign)["steps"]["ok"])
        self.assertGreaterEqual(shown, before)

    def kill(self, agent, name):
        """It is silent at once, and lost when its lease is over."""
        agent.process.kill()
        began = time.monotonic()
        self.tab.wait(lambda: "silent" in self.tab.text("tr.lost"), f"{name} is not silent", 5)
        self.assertLess(time.monotonic() - began, 3, "seen too late")
        self.assertIn(name, self.tab.text("tr.lost"))

    def same_report(self, campaign):
        report = self.coordinator.report(campaign)
        self.go(f"/campaigns/{campaign}/overview")
        self.tab.wait_text(report["verdict"], ".title")
        self.tab.wait(lambda: self.figure("steps ok") == report["steps"]["ok"], f"not the {report['steps']} of the report")
        self.assertEqual(self.figure("requests"), report["http"]["count"])
        return report


@needs_chromium
class ByMouse(WithPage):
    def test_from_an_empty_coordinator_to_a_report(self):
        agents = self.join("a1", "a2", "a3")
        self.open()
        self.assertNotIn("code=", self.tab.run("return location.href"))
        self.tab.click("a", "Start")
        self.tab.wait_text("Drop a script")
        self.tab.run(DROP, (EXAMPLES / "pad.lua").read_text(), "pad.lua")
        self.tab.wait_text("pad.lua", "fieldset")
        self.tab.type("input[name=workers]", "20")
        self.tab.type("input[name=runs]", "0")
        self.tab.type("input[name=room_size]", "5")
        self.tab.type("textarea[name=more]", "delay=50ms")
        self.tab.type("input[name=agents]", "\ue0033")
        self.tab.type("textarea[name=thresholds]", "http.p95 < 30s")
        self.tab.click("button", "Check")
        self.tab.wait_text("Nothing is missing.")
        self.tab.wait_text("builtin", "form table")
        self.tab.click("form button.main", "Start")
        self.tab.wait_text("running", ".title")
        self.assertRegex(self.tab.run("return location.hash"), r"^#/campaigns/1/overview")
        self.tab.wait(lambda: self.figure("steps ok"), "no steps")
        self.same_numbers(1)
        self.tab.wait(lambda: self.tab.run("return document.querySelectorAll('.plot canvas').length") >= 4, "no charts")
        self.refused()
        self.scale()
        self.go("/campaigns/1/agents")
        self.tab.wait_text("a3", "table")
        self.kill(agents[2], "a3")
        self.tab.click("button", "Stop…")
        self.tab.click("form.ask button", "Stop it")
        report = self.same_report(1)
        self.assertEqual((report["verdict"], report["workers"]), ("degraded", 30))
        self.assertIn("agent a3 is silent", self.tab.text(".lines"))
        self.download(report)
        self.clean()

    def refused(self):
        """What the coordinator refuses is said where it was asked, and the numbers go on."""
        self.tab.click("button", "Rate…")
        self.tab.type("form.ask input", "50/s")
        self.tab.click("form.ask button", "Change the rate")
        self.tab.wait_text("no rate", "form.ask .error")
        self.tab.press("Escape")
        self.tab.wait(lambda: not self.tab.text("form.ask"), "it still asks")
        before = self.coordinator.show(1)["steps"]["ok"]
        self.tab.wait(lambda: self.figure("steps ok") > before, "the numbers stand still")

    def scale(self):
        self.tab.click("button", "Scale…")
        self.assertEqual(self.tab.focused(), "Workers", "the question has not the focus")
        self.tab.type("form.ask input", "\ue009a\ue000" + "30")
        self.tab.click("form.ask button", "Scale")
        self.tab.wait_text("asked for 30 workers: accepted", ".lines")
        self.tab.wait_text("30 of 30", "dl")

    def download(self, report):
        with tempfile.TemporaryDirectory() as folder:
            self.tab.command("POST", "/goog/cdp/execute", {"cmd": "Browser.setDownloadBehavior", "params": {"behavior": "allow", "downloadPath": folder}})
            self.tab.click("button", "Download the report")
            path = pathlib.Path(folder, "campaign-1-report.json")
            wait_until(path.exists, 10, "no download")
            self.assertEqual(json.loads(path.read_text()), report)


@needs_firefox
class ByKeyboard(WithPage):
    browser = "firefox"

    def test_from_an_empty_coordinator_to_a_report(self):
        agents = self.join("a1", "a2", "a3")
        self.open()
        self.tab.tab_to("Start")
        self.tab.press("Enter")
        self.tab.wait_text("Drop a script")
        self.tab.type("#files", str(EXAMPLES / "pad.lua"))
        self.tab.wait_text("pad.lua", "fieldset")
        for name, text in (("Workers", "20"), ("Steps of each", "0"), ("Room size", "5"), ("More options", "delay=50ms")):
            self.tab.tab_to(name)
            self.tab.write(text)
        self.tab.tab_to("Check")
        self.tab.press("Space")
        self.tab.wait_text("Nothing is missing.")
        self.tab.tab_to("Start")
        self.tab.press("Enter")
        self.tab.wait_text("running", ".title")
        self.tab.wait(lambda: self.figure("steps ok"), "no steps")
        self.same_numbers(1)
        self.ask("Scale…", "30", "asked for 30 workers: accepted")
        self.tab.wait(lambda: self.tab.run("return document.querySelector('.plot canvas') !== null"), "no charts")
        self.tab.tab_to("Steps and requests per second, drawn")
        self.tab.press("Left", "+")
        self.tab.wait(lambda: "t=" in self.tab.run("return location.hash"), "the chart has not zoomed")
        self.tab.press("Escape")
        self.tab.wait(lambda: "t=" not in self.tab.run("return location.hash"), "the chart shows not all")
        self.tab.tab_to("Agents", back=True)
        self.tab.press("Enter")
        self.tab.wait_text("a3", "table")
        self.kill(agents[2], "a3")
        self.ask("Stop…", "", None, back=True)
        self.same_report(1)
        self.clean()

    def ask(self, name, text, said, back=False):
        self.tab.tab_to(name, back=back)
        self.tab.press("Enter")
        self.tab.wait_text("Cancel", "form.ask")
        if text:
            self.tab.press("Control+a")
            self.tab.write(text)
        self.tab.press("Enter")
        if said:
            self.tab.wait_text(said, ".lines")
            self.assertTrue(self.tab.focused().startswith(name), self.tab.focused())


HOSTILE = ("<img src=x onerror=alert(1)>", "x" * 10000, "\u202eevil \u05d0\u05d1\u05d2", "👩‍👩‍👧‍👦 emoji", "'\"><script>alert(2)</script>", "a\nb\x01")
FAKE = (HERE / "fake_model.js").read_text()


@needs_chromium
class Looks(WithPage):
    """All of it in one tab, over what a fake model has and what a real campaign left."""

    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator())
        cls.url = f"http://127.0.0.1:{cls.coordinator.port}"
        cls.tab = cls.enterClassContext(Tab())
        for name in ("a1", "a2"):
            cls.enterClassContext(Agent(cls.coordinator.endpoint, name))
        cls.coordinator.wait_agents(2)

    def setUp(self):
        self.tab.open("about:blank")
        self.log_in()

    def accessible(self, what):
        self.assertEqual(self.tab.run(ACCESSIBLE), [], what)

    def dark(self, scheme):
        self.tab.command("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": [
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]}})

    def test_every_view_is_for_everybody(self):
        first = self.coordinator.create("seen", expect_agents=2, workers=6, room_size=3, runs=3, target="builtin", thresholds="http.p95 < 1s")
        self.coordinator.report(first)
        second = self.coordinator.create("waits", workers=4, runs=0, room_size=2, duration_ms=600000)
        places = ["/campaigns", "/agents", "/start", f"/compare/{first}/{second}", *(f"/campaigns/{number}/{tab}" for number in (first, second) for tab in TABS),
                  *(f"/campaigns/{second}/{more}" for more in ("rooms?room=0", "requests?open=scenarios:wait&cols-scenarios=min,mean", "overview?rows-rate=0&t=0:00-0:30"))]
        for scheme, width in (("light", 1280), ("dark", 420)):
            self.dark(scheme)
            self.tab.size(width, 900)
            for place in places:
                with self.subTest(place=place, scheme=scheme):
                    self.go(place)
                    self.tab.wait(lambda: "Asking" not in self.tab.text("main") and len(self.tab.text("main")) > 30, "nothing is shown", 5)
                    self.accessible(place)
        self.tab.size(1280, 900)
        self.clean()

    def test_a_room_shows_who_waits_for_what(self):
        campaign = self.coordinator.create("waits", expect_agents=2, workers=40, runs=0, room_size=2, duration_ms=600000)
        self.go(f"/campaigns/{campaign}/rooms")
        self.tab.wait(lambda: self.figure("with a wait") == 20, "not all rooms wait")
        self.tab.wait(lambda: self.tab.run("return document.querySelector('.room-grid canvas').width") > 300, "no grid")
        self.tab.run("document.querySelector('.room-grid canvas').focus()")
        self.tab.press("Right", "Right")
        self.tab.wait_text("room 2: step 1", ".room-grid")
        self.tab.press("Enter")
        self.tab.wait_text("a change of never", ".panel[aria-label='Room 2'] table")
        seat = self.coordinator.get(f"/v1/campaigns/{campaign}/rooms/2").json["seats"][1]
        self.assertIn(f"worker {seat['worker']} on {seat['agent']}, step 1", self.tab.run("return document.querySelector('svg.picture').textContent"))
        self.assertIn("room=2", self.tab.run("return location.hash"))
        self.tab.click("button", "close")
        self.assertNotIn("room=2", self.tab.run("return location.hash"))
        self.clean()

    def test_names_are_shown_and_never_run(self):
        shown = self.tab.run(FAKE + "return showHostile(arguments[0])", list(HOSTILE))
        self.assertEqual(shown["elements"], 0)
        for name in HOSTILE[0], HOSTILE[4]:
            self.assertGreaterEqual(shown["text"].count(name), 3, name)
        self.assertIn("👩‍👩‍👧‍👦 emoji", shown["text"])
        self.assertNotIn("x" * 2000, shown["text"], "a name of 10 kB is not cut")
        self.accessible("hostile names")
        self.clean()

    def test_a_lot_of_data_is_drawn_in_time(self):
        took = self.tab.run(FAKE + "return measure()")
        print(json.dumps(took))
        for view, (first, update) in took.items():
            with self.subTest(view=view, first=first, update=update):
                self.assertLess(first, 1000, "the first drawing")
                self.assertLess(update, 50)
        self.clean()

    def test_a_wrong_token_leads_to_a_login(self):
        self.tab.run("sessionStorage.setItem('tutti.token', 'wrong')")
        self.go("/agents")
        self.tab.wait_text("Log in", "form")
        self.tab.wait(lambda: self.tab.run("return document.activeElement.name") == "token", "the field has not the focus")
        self.accessible("login")
        self.tab.type("input[name=token]", "wrong too\ue007")
        self.tab.wait_text("does not take this token")
        self.tab.type("input[name=token]", f"\ue009a\ue000{self.coordinator.token}\ue007")
        self.tab.wait_text("a2", "table")
        self.assertNotIn(self.coordinator.token, self.tab.run("return location.href + document.documentElement.outerHTML"))


@needs_chromium
class Away(unittest.TestCase):
    def test_it_says_so_and_comes_back_without_a_gap_or_a_double(self):
        state = self.enterContext(tempfile.TemporaryDirectory())
        first = Coordinator("--state", state)
        address = {"listen": first.endpoint, "http": f"127.0.0.1:{first.port}", "token": first.token}
        agent = self.enterContext(Agent(first.endpoint, "a1"))
        first.wait_agents(1)
        campaign = first.create("series", workers=2, runs=0, duration_ms=600000, target="builtin")
        tab = self.enterContext(Tab())
        code = first.post("/v1/login/code", {}).json["code"]
        tab.open(f"http://127.0.0.1:{first.port}/#code={code}")
        tab.wait_text("campaign 1")
        tab.run("location.hash = arguments[0]", f"/campaigns/{campaign}/overview")
        tab.wait(lambda: tab.run(FIGURE, "steps ok"), "no steps")
        first.kill()
        first.__exit__()
        tab.wait_text("What is shown is from before", ".notices", 10)
        with Coordinator("--state", state, **address) as second:
            token = second.token
            tab.run("sessionStorage.setItem('tutti.token', arguments[0])", token)
            tab.wait(lambda: not tab.text(".notices"), "it does not come back", 20)
            tab.wait_text("answers again", ".lines")
            second.wait_until(lambda: second.show(campaign)["elapsed_s"] > 4, 20, "it does not go on")
            second.post(f"/v1/campaigns/{campaign}/stop", {"at_once": True})
            report = second.report(campaign)
            tab.wait(lambda: tab.run(FIGURE, "steps ok") == report["steps"]["ok"], "not the steps of the report")
            series = second.get(f"/v1/campaigns/{campaign}/series").json
            self.assertEqual(agent.process.poll(), None)
            steps = series["total"]["steps"]["ok"]
            table = self.table(tab, len(steps))
            self.assertEqual([row[0] for row in table], [f"{second // 60}:{second % 60:02d}" for second in range(len(table))])
            self.assertEqual([float(row[2].removesuffix("/s")) for row in table], steps[:len(table)])

    def table(self, tab, points):
        """What the first chart shows, which has every second once."""
        tab.run("document.querySelector('figure summary').click()")
        tab.wait(lambda: tab.run("return document.querySelectorAll('figure tbody tr').length") >= min(points - 1, 50), "the table has not all points")
        return tab.run("""return [...document.querySelector("figure tbody").rows].map((row) => [...row.cells].map((cell) => cell.textContent))""")


if __name__ == "__main__":
    unittest.main()
