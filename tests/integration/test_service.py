"""The coordinator as a service: its options, its start and its end, and agents that join, leave and are lost."""
import json
import os
import pathlib
import signal
import socket
import tempfile
import time
import unittest

from daemon import Agent, Coordinator, Events, campaign
from support import environment, tutti, wait_until


class Options(unittest.TestCase):
    def test_other_machines_only_with_keys_and_token(self):
        for options, word in ((("--listen", "tcp://0.0.0.0:0"), "--listen"), (("--listen", "tcp://*:0"), "--listen"), (("--http", "0.0.0.0:0"), "--http"), (("--http", "[::]:0"), "--http")):
            result = tutti("coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", *options)
            self.assertEqual(result.code, 2, result)
            self.assertIn(word, result.err)
            self.assertIn("--insecure", result.err)
        with Coordinator("--insecure", listen="tcp://0.0.0.0:0", http="0.0.0.0:0") as coordinator:
            self.assertEqual(coordinator.get("/healthz").status, 200)

    def test_a_port_that_is_in_use(self):
        with Coordinator() as first:
            for options in (("--listen", first.endpoint, "--http", "127.0.0.1:0"), ("--listen", "tcp://127.0.0.1:0", "--http", f"127.0.0.1:{first.port}")):
                result = tutti("coordinator", *options)
                self.assertEqual(result.code, 2, result)
                self.assertIn("in use", result.err)

    def test_bad_addresses(self):
        for option, value in (("--listen", "127.0.0.1:7440"), ("--listen", "tcp://127.0.0.1"), ("--listen", "tcp://127.0.0.1:70000"), ("--http", "7441"), ("--http", "::1:7441"), ("--http", "127.0.0.1:"),
                              ("--http", "http://127.0.0.1:1"), ("--http", "192.0.2.1:0"), ("--log-level", "loud")):
            result = tutti("coordinator", "--insecure", "--listen", "tcp://127.0.0.1:0", option, value)
            self.assertEqual(result.code, 2, (option, value, str(result)))

    def test_flags_beat_environment_beats_file(self):
        with tempfile.TemporaryDirectory() as folder:
            config = pathlib.Path(folder) / "coordinator.conf"
            config.write_text("# of the test\nlisten = tcp://127.0.0.1:0\n\nhttp=192.0.2.1:1\nlog_format = json\nlog-level = error\n")
            with Coordinator("--config", config, env=environment(TUTTI_LOG_LEVEL="info", TUTTI_HTTP="192.0.2.1:2")) as coordinator:
                line = json.loads(coordinator.wait_for("ready"))
            self.assertEqual((line["level"], line["who"]), ("info", "coordinator"))
            for text, words in (("listen\n", "line 1"), ("\nlisteners = 5", "line 2: unknown option --listeners"), ("insecure = maybe", "neither true nor false"), ("config = x", "is not allowed in a file")):
                config.write_text(text)
                result = tutti("coordinator", "--config", config)
                self.assertEqual(result.code, 2, result)
                self.assertIn(words, result.err)
            self.assertIn("No such file", tutti("coordinator", env=environment(TUTTI_CONFIG=str(config) + "x")).err)


class Life(unittest.TestCase):
    def test_the_service_manager_is_told(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(10)
            with Coordinator(env=environment(NOTIFY_SOCKET=f"{folder}/notify")) as coordinator:
                self.assertEqual(manager.recv(100), b"READY=1")
                self.assertEqual(coordinator.end(), 0)
                self.assertEqual(manager.recv(100), b"STOPPING=1")

    def test_sigterm_brings_campaigns_to_their_end(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1") as agent:
            number = coordinator.create("slow-steps", workers=4, runs=100000)
            with Events(coordinator, number) as events:
                wait_until(lambda: coordinator.show(number)["steps"]["ok"] > 0, 20, "no steps")
                coordinator.process.send_signal(signal.SIGTERM)
                report = events.until("ended")[-1][1]
            self.assertEqual(coordinator.code(), 0, coordinator.log)
            self.assertEqual((report["verdict"], report["reason"]), ("aborted", "the coordinator was shut down"))
            self.assertEqual(report["agents"][0]["state"], "finished", "it ended in order")
            self.assertIn("campaign 1 has ended: aborted", coordinator.log)

    def test_while_it_drains_it_takes_nothing_new(self):
        body = campaign("drains-slowly", workers=2, runs=100000)
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1") as agent:
            number = coordinator.post("/v1/campaigns", body).json["campaign"]
            wait_until(lambda: coordinator.show(number)["steps"]["ok"] > 0, 20, "no steps")
            coordinator.process.send_signal(signal.SIGTERM)
            wait_until(lambda: coordinator.get("/readyz").status == 503, 5, "readyz does not tell")
            self.assertEqual((coordinator.get("/healthz").status, coordinator.post("/v1/campaigns", body).status), (200, 503))
            self.assertEqual(coordinator.show(number)["state"], "stopping")
            with Events(coordinator, number) as events:
                events.until("progress")
                started = time.monotonic()
                coordinator.process.send_signal(signal.SIGTERM)
                self.assertEqual(coordinator.code(), 3, coordinator.log)
            self.assertLess(time.monotonic() - started, 2, "a second signal ends it at once")

    def test_a_lost_agent_is_told_and_shown(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1") as first, Agent(coordinator.endpoint, "a2") as second:
            coordinator.wait_agents(2)
            number = coordinator.create("slow-steps", 2, workers=4, runs=600)
            coordinator.wait_state(number, "running")
            second.process.kill()
            coordinator.wait_for("agent a2 is lost", 40)
            agents = {agent["name"]: agent for agent in coordinator.get("/v1/agents").json["agents"]}
            self.assertEqual((agents["a1"]["state"], agents["a2"]["state"], agents["a2"]["campaigns"]), ("running", "lost", []))
            self.assertEqual(coordinator.metrics()["tutti_agents_lost_total"], 1)
            self.assertEqual(coordinator.report(number)["verdict"], "degraded")
            with Agent(coordinator.endpoint, "a2"):
                coordinator.wait_agents(2)
                self.assertEqual(len(coordinator.get("/v1/agents").json["agents"]), 2)

    def test_an_agent_that_says_goodbye_is_not_waited_for(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"), Agent(coordinator.endpoint, "a2") as second:
            coordinator.wait_agents(2)
            number = coordinator.create("slow-steps", 2, workers=4, runs=60, on_loss="replace")
            coordinator.wait_until(lambda: coordinator.show(number)["steps"]["ok"] > 0, 20, "no step")
            started = time.monotonic()
            self.assertEqual(second.end(), 0)
            coordinator.wait_for("agent a2 has left", 5)
            self.assertLess(time.monotonic() - started, 5)
            agents = {agent["name"]: agent for agent in coordinator.get("/v1/agents").json["agents"]}
            self.assertEqual(agents["a2"]["state"], "left")
            metrics = coordinator.metrics()
            self.assertEqual((metrics["tutti_agents_left_total"], metrics["tutti_agents_lost_total"]), (1, 0))
            report = coordinator.report(number)
            self.assertEqual(report["verdict"], "degraded")
            self.assertIn("agent a2 has left; 2 of its 2 workers went on elsewhere", report["reason"])
            self.assertEqual(report["agents"][1]["state"], "lost")

    def test_an_agent_leaves_also_where_nobody_answers(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1") as first, Agent(coordinator.endpoint, "a2") as second:
            coordinator.wait_agents(2)
            coordinator.process.send_signal(signal.SIGSTOP)
            try:
                started = time.monotonic()
                self.assertEqual(first.end(signal.SIGINT), 0)
                self.assertLess(time.monotonic() - started, 5)
                second.process.send_signal(signal.SIGTERM)
                self.assertEqual(second.end(signal.SIGTERM), 0)
            finally:
                coordinator.process.send_signal(signal.SIGCONT)

    def test_agents_wait_for_a_coordinator_and_outlive_it(self):
        with Coordinator() as found:
            endpoint = found.endpoint
        with Agent(endpoint, "a1") as agent:
            for _ in range(2):
                with Coordinator(listen=endpoint) as coordinator:
                    coordinator.wait_agents(1, 30)
                    done = coordinator.create("quick", workers=2)
                    self.assertEqual(coordinator.report(done)["verdict"], "passed")
                    left = coordinator.create("slow-steps", workers=2, runs=100000)
                    coordinator.wait_state(left, "running")
                    os.kill(coordinator.pid, signal.SIGKILL)
                    coordinator.code()
            with Coordinator(listen=endpoint) as coordinator:
                coordinator.wait_agents(1, 30)
                self.assertEqual(coordinator.get("/v1/campaigns").json["campaigns"], [])
                number = coordinator.create("quick", workers=2)
                self.assertEqual(coordinator.report(number)["verdict"], "passed")
            self.assertEqual(agent.end(), 0, agent.log)


if __name__ == "__main__":
    unittest.main()
