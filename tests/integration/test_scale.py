"""A campaign on real agents that gets more workers, and fewer, while it runs."""
import json
import unittest

from daemon import Agent, WithAgents
from support import script


class Scale(WithAgents):
    def start(self, *options):
        result = self.tutti("start", script("scales"), "--expect-agents", 3, *options)
        self.assertEqual(result.code, 0, result)
        campaign = int(result.out)
        self.coordinator.wait_until(lambda: self.coordinator.show(campaign)["steps"]["ok"] > 0, 20, "no steps")
        return campaign

    def scale(self, campaign, workers):
        result = self.tutti("scale", campaign, "--workers", workers)
        self.assertEqual((result.code, result.out), (0, f"campaign {campaign} goes to {workers} workers\n"), result)
        running = lambda: self.coordinator.show(campaign)["workers_running"]
        self.coordinator.wait_until(lambda: running() == workers, 20, f"not {workers} workers, but {running()}")
        self.assertEqual(self.coordinator.show(campaign)["workers"], workers)

    def end(self, campaign):
        """All steps succeed, and the output of global_teardown."""
        self.coordinator.post(f"/v1/campaigns/{campaign}/stop")
        report = self.coordinator.report(campaign)
        self.assertEqual(report["steps"]["failed"], 0, report)
        return report["reason"]

    def test_whole_rooms(self):
        campaign = self.start("-w", 6, "--room-size", 3, "-d", "60s")
        for workers in (12, 3, 9):
            self.scale(campaign, workers)
        agents = json.loads(self.tutti("report", campaign, "--json", "-").out)["agents"]
        self.assertEqual(sum(agent["workers"] for agent in agents), 12, "those that came back are no others")
        self.assertIn("at the end 9 of 18", self.end(campaign))

    def test_a_room_that_changes_keeps_its_rounds(self):
        campaign = self.start("-w", 4, "-d", "60s", "--sync-timeout", "2s")
        for workers in (7, 2, 5):
            self.scale(campaign, workers)
        self.assertIn("at the end 5 of 10", self.end(campaign))

    def test_after_a_loss(self):
        with Agent(self.coordinator.endpoint, "a4") as fourth:
            self.coordinator.wait_agents(4)
            campaign = self.start("-w", 8, "--room-size", 2, "-d", "60s", "--on-loss", "replace", "--fail", 0)
            self.scale(campaign, 12)
            self.assertEqual(fourth.end(), 0)
            for workers in (4, 10):
                self.scale(campaign, workers)
            self.coordinator.post(f"/v1/campaigns/{campaign}/stop")
            report = self.coordinator.report(campaign)
        self.assertIn("21 were set up and 18 torn down", report["reason"], "three of them twice")
        self.assertEqual(report["workers"], 10)

    def test_more_than_were_there_for_the_agents(self):
        campaign = self.start("-w", 1, "-d", "60s")
        self.scale(campaign, 6)
        agents = json.loads(self.tutti("report", campaign, "--json", "-").out)["agents"]
        self.assertEqual([agent["workers"] for agent in agents], [2, 2, 2])
        self.end(campaign)

    def test_what_cannot_be(self):
        campaign = self.start("-w", 2, "-r", 3)
        self.coordinator.report(campaign)
        for arguments, words in (((campaign, "-w", 3), f"campaign {campaign} is ended: only a running campaign can be scaled"),
                                 ((campaign, "-w", 0), "--workers"), ((campaign, "-w", 1000001), "--workers"), ((campaign,), "--workers N is required"),
                                 ((999999, "-w", 3), "there is no campaign 999999")):
            result = self.tutti("scale", *arguments)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertIn(words, result.err)
            self.assertEqual(result.err.count("\n"), 1, result)


if __name__ == "__main__":
    unittest.main()
