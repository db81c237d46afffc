"""A campaign that has ended can be deleted: it is gone from lists, metrics and disk, and no restart brings it back."""
import json
import pathlib
import signal
import tempfile
import unittest

from daemon import Agent, Coordinator
from fake_api import FakeApi
from support import environment, tutti


class Deleted(unittest.TestCase):
    def setUp(self):
        self.state = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "state"
        self.coordinator = self.enterContext(Coordinator("--state", self.state))
        self.agent = self.enterContext(Agent(self.coordinator.endpoint, "a1"))
        self.coordinator.wait_agents(1)

    def start_again(self):
        old = self.coordinator
        old.process.send_signal(signal.SIGKILL)
        old.process.wait()
        self.coordinator = self.enterContext(
            Coordinator("--state", self.state, listen=old.endpoint, http=f"127.0.0.1:{old.port}", token=old.token))
        self.coordinator.wait_agents(1)

    def tutti(self, *arguments):
        return tutti(*arguments, env=environment(TUTTI_API=f"http://127.0.0.1:{self.coordinator.port}"))

    def run_one(self):
        campaign = self.coordinator.create("quick", workers=2, runs=2)
        self.coordinator.report(campaign)
        return campaign

    def known(self):
        return [row["campaign"] for row in self.coordinator.get("/v1/campaigns").json["campaigns"]]

    def files(self):
        return sorted(path.name for folder in ("reports", "artifacts") for path in (self.state / folder).iterdir())

    def test_nothing_of_it_is_left(self):
        first, second = self.run_one(), self.run_one()
        self.assertEqual(self.files(), [f"{n}.{kind}" for n in (first, second) for kind in ("json", "series")])
        answer = self.coordinator.request("DELETE", f"/v1/campaigns/{first}")
        self.assertEqual((answer.status, answer.json), (200, {"campaign": first}))
        self.assertEqual(self.known(), [second])
        self.assertEqual(self.files(), [f"{second}.json", f"{second}.series"])
        for rest in ("", "/report", "/series", "/events", "/artifacts/1"):
            self.assertEqual(self.coordinator.get(f"/v1/campaigns/{first}{rest}").status, 404, rest)
        self.assertEqual(self.coordinator.metrics()['tutti_campaigns{state="ended"}'], 1)
        self.assertEqual(self.coordinator.request("DELETE", f"/v1/campaigns/{first}").status, 404)

    def test_one_of_an_earlier_process(self):
        first = self.run_one()
        self.start_again()
        self.assertEqual(self.known(), [first])
        self.assertEqual(self.coordinator.request("DELETE", f"/v1/campaigns/{first}").status, 200)
        self.assertEqual((self.known(), self.files()), ([], []))
        self.start_again()
        self.assertEqual(self.run_one(), first + 1)

    def test_a_restart_does_not_bring_it_back(self):
        """While another campaign runs, the journal still has the one that is deleted."""
        running = self.coordinator.create("sleeps", workers=1, duration_ms=60000)
        self.coordinator.wait_state(running, "running")
        ended = self.run_one()
        self.assertEqual(self.coordinator.request("DELETE", f"/v1/campaigns/{ended}").status, 200)
        self.start_again()
        self.assertEqual(self.known(), [running])
        self.assertFalse([name for name in self.files() if name.startswith(f"{ended}.")])

    def test_a_running_one_is_refused(self):
        running = self.coordinator.create("sleeps", workers=1, duration_ms=60000)
        self.coordinator.wait_state(running, "running")
        answer = self.coordinator.request("DELETE", f"/v1/campaigns/{running}")
        self.assertEqual(answer.status, 409)
        self.assertIn(f"it is running: stop it first (tutti stop {running})", answer.json["error"])
        self.assertEqual(self.coordinator.show(running)["state"], "running")

    def test_by_the_command(self):
        first, second = self.run_one(), self.run_one()
        done = self.tutti("delete", first, 99, second)
        self.assertEqual(done.code, 2)
        self.assertEqual(done.out, f"campaign {first} is deleted\ncampaign {second} is deleted\n")
        self.assertIn("there is no campaign 99", done.err)
        third = self.run_one()
        done = self.tutti("delete", third, "--json")
        self.assertEqual((done.code, json.loads(done.out)), (0, {"campaign": third}))
        self.assertEqual(self.known(), [])

    def test_words_that_are_no_ids(self):
        for words in ((), ("seven",), ("1", "x")):
            self.assertEqual(self.tutti("delete", *words).code, 2, words)


class Gone(unittest.TestCase):
    """`tutti agents` does not list for ever those that have gone."""

    def test_they_disappear(self):
        def agent(name, state, heard_ms_ago):
            return {"name": name, "host": "h", "pid": 1, "cores": 1, "memory_bytes": 1 << 30, "shards": 1, "labels": {}, "capacity": None,
                    "free": None, "workers": 0, "state": state, "campaigns": [], "link_backlog": 0, "gauges": None, "heard_ms_ago": heard_ms_ago}
        agents = [agent("here", "idle", 100), agent("left-now", "left", 59000), agent("left-before", "left", 61000),
                  agent("lost-now", "lost", 3500000), agent("lost-before", "lost", 3700000), agent("silent", "running", 9000000)]
        with FakeApi({("GET", "/v1/agents"): [(200, {"agents": agents})]}) as api:
            shown = tutti("agents", "--api", api.url)
            names = [line.split()[0] for line in shown.out.splitlines()[1:]]
            self.assertEqual(names, ["here", "left-now", "lost-now", "silent", "2"], shown)
            self.assertIn("2 more have gone (--all)", shown.out)
            every = tutti("agents", "--all", "--api", api.url)
            self.assertEqual([line.split()[0] for line in every.out.splitlines()[1:]], sorted(row["name"] for row in agents))
            self.assertEqual(len(json.loads(tutti("agents", "--json", "--api", api.url).out)["agents"]), 6)


if __name__ == "__main__":
    unittest.main()
