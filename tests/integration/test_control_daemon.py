"""The control commands against a real coordinator with three agents."""
import json
import os
import pathlib
import signal
import socket
import tempfile
import urllib.request
import time
import unittest

from daemon import Agent, Coordinator, Events, WithAgents
from support import EXAMPLES, Process, environment, script, tutti, wait_until


class Controlled(WithAgents):
    def start(self, name, *options):
        result = self.tutti("start", script(name), *options)
        self.assertEqual((result.code, result.err), (0, ""), result)
        return int(result.out)

    def status(self, campaign):
        return json.loads(self.tutti("status", campaign, "--json").out)


class Whole(Controlled):
    def test_300_on_the_pad(self):
        with Process("target", "--port", 0) as target, tempfile.TemporaryDirectory() as folder:
            address = target.read_until("http://").strip()
            path = f"{folder}/report.json"
            result = self.tutti("start", script("pad"), "-w", 300, "--room-size", 5, "-d", "5s", "--expect-agents", 3, "--wait", "--target", address, "--json", path)
            self.assertEqual(result.code, 0, result)
            with open(path) as file:
                report = json.load(file)
            self.assertEqual([agent["workers"] for agent in report["agents"]], [100, 100, 100])
            self.assertEqual((report["verdict"], report["steps"]["failed"], report["errors"]), ("passed", 0, []))
            # The same text afterwards, by two other ways.
            campaign = report["campaign"]
            text = self.tutti("report", campaign).out
            self.assertIn(text, result.out)
            self.assertEqual(self.tutti("watch", campaign).out, text)
            self.assertEqual(json.loads(self.tutti("report", campaign, "--json", "-").out), report)
            self.assertRegex(self.tutti("status").out, rf"(?m)^  {campaign} +\S*pad.lua +passed +300 +3 ")
            self.assertEqual(self.tutti("agents").out.count(" idle "), 3)

    def test_the_literal_line_of_the_readme(self):
        result = self.tutti("start", EXAMPLES / "pad.lua", "-w", 300, "--room-size", 5, "-d", "2s", "--expect-agents", 3, "--wait")
        self.assertEqual(result.code, 0, result)
        self.coordinator.wait_for("the practice target is no longer in use")

    def test_worker_ids_are_unique(self):
        result = self.tutti("start", script("identities"), "-w", 30, "--room-size", 5, "-r", 2, "--expect-agents", 3, "--wait")
        self.assertEqual(result.code, 0, result)

    def test_the_verdict_is_the_exit_code(self):
        result = self.tutti("start", script("fails-half"), "-w", 4, "-r", 4, "--wait")
        self.assertEqual(result.code, 1, result)
        self.assertIn("failed: ", result.out)

    def test_what_the_coordinator_refuses(self):
        for command in ("stop", "status", "report", "watch"):
            result = self.tutti(command, 999999)
            self.assertEqual(result.code, 2, result)
            self.assertIn("there is no campaign 999999", result.err)

    def test_agents_that_do_not_come(self):
        result = self.tutti("start", script("scene-right"), "--expect-agents", 4, "--deadline", "500ms", "--wait")
        self.assertEqual(result.code, 3, result)
        self.assertIn("aborted", result.out)

    def test_two_at_once_do_not_meet(self):
        options = ("-w", 30, "--expect-agents", 3, "-d", "3s")
        first = self.start("apart", *options, "--target", "http://one")
        second = self.start("apart", *options, "--target", "http://two")
        wait_until(lambda: all(self.status(campaign)["state"] == "running" for campaign in (first, second)), 20, "they do not run at once")
        for agent in json.loads(self.tutti("agents", "--json").out)["agents"]:
            self.assertEqual(agent["campaigns"], [first, second])
        for campaign in (first, second):
            result = self.tutti("watch", campaign)
            self.assertEqual(result.code, 0, result)
            report = json.loads(self.tutti("report", campaign, "--json", "-").out)
            steps = report["steps"]["ok"]
            self.assertGreater(steps, 300)
            self.assertEqual(report["waits"]["round.barrier"]["count"] // 30, -(-steps // 30), "numbers of its own")

    def test_interrupt_stops_the_campaign(self):
        with Process("start", script("waits"), "-w", 6, "-r", 100000, "--expect-agents", 3, "--wait", env=self.env) as process:
            campaign = int(process.read_until("campaign ").split()[1])
            wait_until(lambda: self.status(campaign)["state"] == "running", 20, "it does not run")
            os.kill(process.pid, signal.SIGINT)
            result = process.finish(20)
        self.assertEqual(result.code, 130, result)
        self.assertIn("aborted: interrupted", result.out)
        self.assertEqual(self.status(campaign)["state"], "ended")


class Wishes(Controlled):
    def test_verbosity_reaches_the_agents(self):
        def failures():
            return sum(agent.log.count("worker 0, step 1: ") for agent in self.agents)
        before = failures()
        self.assertEqual(self.tutti("start", script("many-errors"), "--wait").code, 1)
        self.assertEqual(failures(), before)
        self.assertEqual(self.tutti("start", script("many-errors"), "--wait", "-v").code, 1)
        wait_until(lambda: failures() == before + 1, 10, "no agent told of the failed step")

    def test_nobody_waits_for_ever_for_global_setup(self):
        result = self.tutti("start", script("hangs-in-setup"), "--wait", "--expect-agents", 3, "--setup-timeout", "500ms")
        self.assertEqual(result.code, 3, result)
        self.assertIn("aborted: global_setup on agent a1 did not end within 500 ms (--setup-timeout)", result.out)
        self.assertEqual(self.tutti("start", script("quick"), "--wait", "--expect-agents", 3).code, 0)

    def test_a_large_report_comes_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/report.json"
            result = self.tutti("start", script("many-errors"), "-w", 10, "-r", 100, "--wait", "--json", path)
            self.assertEqual(result.code, 1, result.err)
            self.assertIn("failed", result.out)
            report = json.loads(pathlib.Path(path).read_text())
            self.assertEqual((len(report["errors"]), report["steps"]["failed"]), (1000, 1000))
        ended = json.loads(self.tutti("watch", report["campaign"], "--json").out.splitlines()[-1])
        self.assertEqual((ended["event"], len(ended["data"]["errors"])), ("ended", 1000))
        with Events(self.coordinator, report["campaign"]) as events:
            _, reference = events.until("ended")[-1]
        self.assertEqual(reference, {"campaign": report["campaign"], "verdict": "failed", "report": f"/v1/campaigns/{report['campaign']}/report"})


class Logs(unittest.TestCase):
    def lines(self, process):
        return [json.loads(line) for line in process.log.splitlines()]

    def test_lines_have_fields_of_what_they_are_about(self):
        with Coordinator("--log-format", "json") as coordinator:
            with Agent(coordinator.endpoint, "a1", "--log-format", "json") as agent:
                coordinator.wait_agents(1)
                campaign = coordinator.create("broken-teardown", 1, workers=2, runs=1)
                coordinator.report(campaign)
                agent.end()
                told = self.lines(agent)
                coordinator.wait_for("has left")
            lines = self.lines(coordinator)
        for line in lines + told:
            self.assertGreaterEqual(set(line), {"time", "level", "who", "text"})
        self.assertEqual([line["campaign"] for line in lines if "is ready" in line["text"] or "has ended" in line["text"]], [campaign, campaign])
        self.assertEqual({line["agent"] for line in lines if line["text"].startswith("agent a1")}, {"a1"})
        self.assertEqual({line["agent"] for line in told}, {"a1"})
        complaints = [line for line in told if line.get("campaign") == campaign and line["level"] != "info"]
        self.assertEqual({line["worker"] for line in complaints}, {0, 1}, told)


class Stop(unittest.TestCase):
    """1,000 workers in the middle of steps that would take ten minutes."""

    def test_in_two_seconds_with_teardown(self):
        with Coordinator() as coordinator:
            env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
            agents = [self.enterContext(Agent(coordinator.endpoint, name, "--quiet=false")) for name in ("a1", "a2", "a3")]
            coordinator.wait_agents(3)
            started = tutti("start", script("sleeps"), "-w", 1000, "--expect-agents", 3, env=env)
            campaign = int(started.out)
            said = "".join(self.said(agent, "sleeping", count) for agent, count in zip(agents, (334, 333, 333)))
            self.assertEqual(said.count("sleeping"), 1000)
            with Process("watch", campaign, env=env) as watch:
                begun = time.monotonic()
                self.assertEqual(tutti("stop", campaign, env=env).code, 0)
                result = watch.finish(20)
            passed = time.monotonic() - begun
            self.assertLess(passed, 2)
            self.assertEqual(result.code, 3, result)
            self.assertIn("aborted: stopped by tutti stop", result.out)
            self.assertIn("1,000 stopped", result.out)
            for agent, count in zip(agents, (334, 333, 333)):
                self.said(agent, "torn down", count)

    def said(self, agent, words, count):
        """Waits for `count` lines of output of this agent's scripts."""
        lines = [agent.process.stdout.readline() for _ in range(count)]
        self.assertTrue(all(words in line for line in lines), lines[-3:])
        return "".join(lines)


class Choosing(unittest.TestCase):
    """Agents by their labels, and how many workers they take."""

    def test_labels_and_capacity(self):
        with Coordinator() as coordinator, \
                Agent(coordinator.endpoint, "a1", "--labels", "zone=a,disk=ssd", "--capacity", 6), \
                Agent(coordinator.endpoint, "a2", "--labels", "zone=a", "--capacity", 10), \
                Agent(coordinator.endpoint, "b1", "--labels", "zone=b"):
            coordinator.wait_agents(3)
            env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")

            def start(*options):
                return tutti("start", script("sleeps"), "--room-size", 4, *options, env=env)

            first = start("-w", 12, "--on", "zone=a", "--expect-agents", 2)
            self.assertEqual(first.code, 0, first)
            coordinator.wait_state(int(first.out), "running")
            report = json.loads(tutti("report", int(first.out), "--json", "-", env=env).out)
            self.assertEqual([(agent["name"], agent["workers"], agent["labels"]) for agent in report["agents"]],
                             [("a1", 6, {"zone": "a", "disk": "ssd"}), ("a2", 6, {"zone": "a"})])
            listed = tutti("agents", "--wide", env=env).out
            self.assertRegex(listed, r"(?m)^ *a1 .* 6 +zone=a,disk=ssd +")
            self.assertRegex(listed, r"(?m)^ *b1 .* any +zone=b +none")
            agents = {agent["name"]: agent for agent in coordinator.get("/v1/agents").json["agents"]}
            self.assertEqual([(agents[name]["capacity"], agents[name]["free"]) for name in ("a1", "a2", "b1")], [(6, 0), (10, 4), (None, None)])
            second = start("-w", 5, "--on", "zone=a")
            self.assertEqual((second.code, second.out, second.err), (2, "", "tutti: start: only 4 of 5 workers fit on the 2 agents with zone=a, by what their --capacity leaves\n"))
            self.assertEqual(start("-w", 4, "--on", "zone=a").code, 0)
            self.assertEqual(start("-w", 50).code, 0, "b1 takes any number")
            tutti("stop", int(first.out), env=env)
            coordinator.report(int(first.out))
            self.assertEqual(start("-w", 5, "--on", "zone=a").code, 0)

    def test_words_that_are_no_labels(self):
        for command in (("agent", "--coordinator", "tcp://127.0.0.1:1", "--labels", "zone"), ("start", script("sleeps"), "--on", "zone=a,"), ("agent", "--capacity", "0")):
            result = tutti(*command)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertIn(command[-2], result.err)


class PracticeTarget(unittest.TestCase):
    """The one that the coordinator starts when a campaign requests it."""

    def start(self, coordinator, name, *options):
        return tutti("start", script(name), *options, env=environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}"))

    def test_each_agent_reaches_it_as_it_reaches_the_coordinator(self):
        with Coordinator("--insecure", listen="tcp://0.0.0.0:0") as coordinator:
            port = coordinator.endpoint.rpartition(":")[2]
            with Agent(f"tcp://127.0.0.1:{port}", "a1"), Agent(f"tcp://127.0.0.2:{port}", "a2"):
                result = self.start(coordinator, "says-target", "-w", 2, "--expect-agents", 2, "--fail", 0, "--wait", "--json", "-")
        self.assertEqual(result.code, 0, result)
        errors = sorted(error["message"].split()[1] for error in json.loads(result.out)["errors"])
        self.assertRegex("\n".join(errors), r"^http://127.0.0.1:(\d+)\nhttp://127.0.0.2:\1$")

    def test_it_is_there_as_long_as_a_campaign_uses_it(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        page = f"http://127.0.0.1:{port}/page"
        with Coordinator("--target-port", port) as coordinator, Agent(coordinator.endpoint, "a1"):
            coordinator.wait_agents(1)
            with self.assertRaises(OSError):
                urllib.request.urlopen(page)
            first = coordinator.create("sleeps", workers=1, target="builtin")
            second = coordinator.create("sleeps", workers=1, target="builtin")
            self.assertEqual(urllib.request.urlopen(page).status, 200)
            coordinator.post(f"/v1/campaigns/{first}/stop")
            coordinator.report(first)
            self.assertEqual(urllib.request.urlopen(page).status, 200)
            coordinator.post(f"/v1/campaigns/{second}/stop")
            coordinator.report(second)
            with self.assertRaises(OSError):
                urllib.request.urlopen(page)
            self.assertEqual(coordinator.report(coordinator.create("pad", workers=5, runs=2, target="builtin"))["verdict"], "passed")

    def test_no_port_for_it(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with Coordinator("--target-port", port) as coordinator:
                result = self.start(coordinator, "pad")
                self.assertEqual((result.code, result.out), (3, ""), result)
                self.assertRegex(result.err, rf"\Atutti: start: .*the practice target: port {port} is in use: something else already listens at 127.0.0.1.*\n\Z")
                self.assertEqual(coordinator.get("/v1/campaigns").json["campaigns"], [])


if __name__ == "__main__":
    unittest.main()
