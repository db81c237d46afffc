"""Scripts that spin, hoard or block beside a well-behaved campaign, on the same thread of the same agent."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from daemon import Agent, Coordinator
from support import wait_until

P99_MS = 100
# Run at a higher priority, if permitted, so that other load on the machine is not measured.
ALONE = ("chrt", "-f", "1")
BUSY_S = 4

HEAD = "local tutti = require 'tutti'\nlocal json = require 'tutti.json'\ntutti.scenario('x', function(worker)\n"

# Each runs with ten workers, repeatedly.
HOSTILE = {
    "spins": "while true do pcall(function() while true do end end) end",
    "sorts": "table.sort({ 3, 2, 1 }, function() while true do end end)",
    "replaces": "('x'):gsub('x', function() while true do end end)",
    "joins": "table.concat(setmetatable({}, { __index = getmetatable, __metatable = '' }), '', 1, math.maxinteger)",
    "appends": "local s, line = '', ('x'):rep(50) while true do s = s .. line end",
    "encodes": "local t = { 1 } for i = 1, 45 do t = { t, t } end json.encode(t)",
    "hoards": "kept = kept or {} pcall(function() while true do kept[#kept + 1] = ('x'):rep(1e6) .. #kept end end) tutti.sleep(0.1)",
    "repeats": "while true do pcall(string.rep, 'x', 1e8) end",
    "passes on": "local function f(...) return f(1, ...) end f()",
    "converts": "local t = {} for i = 1, 2000 do t[i] = { id = i } end while true do t = json.decode(json.encode(t)) end",
}


def alone():
    may = shutil.which(ALONE[0]) and subprocess.run([*ALONE, "true"], capture_output=True).returncode == 0
    return {"prefix": ALONE} if may else {}


def write(folder, name, body):
    path = pathlib.Path(folder) / f"{name.replace(' ', '-')}.lua"
    path.write_text(f"{HEAD}{body}\nend)\n")
    return path


class Hostile(unittest.TestCase):
    def test_a_campaign_beside_it_does_not_mind(self):
        first = alone()
        with tempfile.TemporaryDirectory() as folder, Coordinator(**first) as coordinator, \
                Agent(coordinator.endpoint, "a1", "--turn-limit", "300ms", **first) as agent:
            for name, body in HOSTILE.items():
                with self.subTest(name):
                    calm = coordinator.create("meets", workers=4, duration_ms=BUSY_S * 1000)
                    coordinator.wait_state(calm, "running")
                    wild = coordinator.create(write(folder, name, body), workers=10, duration_ms=(BUSY_S - 2) * 1000)
                    report = coordinator.report(calm)
                    self.assertEqual((report["verdict"], report["steps"]["failed"]), ("passed", 0), report)
                    waits = {key: value["p99_ms"] for key, value in report["waits"].items()}
                    self.assertLess(max(waits.values()), P99_MS, f"{name}: {waits}")
                    self.assertIn(coordinator.report(wild)["verdict"], ("passed", "failed"), name)
            self.assertTrue(agent.process.poll() is None, agent.log)
            self.assertNotIn("lost", coordinator.log)
            self.assertEqual(agent.end(), 0, agent.log)

    def test_a_step_ends_in_its_time_and_says_why(self):
        with tempfile.TemporaryDirectory() as folder, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1", "--turn-limit", "200ms"):
            number = coordinator.create(write(folder, "spins", HOSTILE["spins"]), workers=1, runs=2)
            report = coordinator.report(number)
            self.assertEqual((report["verdict"], report["steps"]["failed"]), ("failed", 2), report)
            self.assertIn("spins.lua:4: used 200 ms of processor time without waiting (--turn-limit)", report["errors"][0]["message"])

    def blocked(self, coordinator, folder, *options):
        """An agent whose operator lets scripts block it, and does not wait in vain for the step's end."""
        agent = Agent(coordinator.endpoint, "a1", "--allow-system", *options)
        coordinator.wait_agents(1)
        coordinator.create(write(folder, "blocks", "os.execute('exec sleep 30')"), workers=1, runs=1)
        agent.wait_for("has not come back for 1 s: it is the turn of worker 0 of campaign 1, step 1", 20)
        return agent

    def test_a_shard_that_does_not_come_back_ends_the_agent(self):
        for shards in ("1", "2"):
            with self.subTest(shards), tempfile.TemporaryDirectory() as folder, Coordinator() as coordinator:
                with self.blocked(coordinator, folder, "--shards", shards) as agent:
                    self.assertEqual(agent.process.wait(30), 1, agent.log)
                    agent.wait_for("its workers cannot be stopped otherwise, so the agent ends", 1)

    def test_a_second_signal_ends_it_at_once(self):
        for shards in ("1", "2"):
            with self.subTest(shards), tempfile.TemporaryDirectory() as folder, Coordinator() as coordinator:
                with self.blocked(coordinator, folder, "--shards", shards) as agent:
                    os.kill(agent.pid, signal.SIGTERM)
                    time.sleep(0.5)
                    self.assertIsNone(agent.process.poll(), "the first one waits for the shard")
                    begin = time.monotonic()
                    os.kill(agent.pid, signal.SIGTERM)
                    self.assertEqual(agent.process.wait(5), 128 + signal.SIGTERM, agent.log)
                    self.assertLess(time.monotonic() - begin, 2)

    def test_a_thawed_agent_is_no_stuck_one(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1", "--shards", "2") as agent:
            coordinator.wait_agents(1)
            agent.process.send_signal(signal.SIGSTOP)
            time.sleep(12)
            agent.process.send_signal(signal.SIGCONT)
            time.sleep(2)
            wait_until(lambda: agent.process.poll() is None, 1, agent.log)
            self.assertNotIn("has not come back", agent.log)


if __name__ == "__main__":
    unittest.main()
