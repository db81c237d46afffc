"""The image and the Compose cluster on a real engine, and what becomes of campaigns when containers are killed, frozen, cut off,
restarted and taken down. tests/containers/run.sh starts the engine; skipped unless TUTTI_CONTAINERS=1."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SKIPPED = 77
FILE = ROOT / "deploy/compose.yaml"
AGENTS = 3
WORKERS = 30
LOST_AFTER_S = 15
PATIENCE_S = 90
BUILD_S = 1500
PAD = ("pad.lua", "-w", str(WORKERS), "--room-size", "5", "--delay", "100ms", "--expect-agents", str(AGENTS))


def run(*command, check=True, patience=PATIENCE_S, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=patience, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def docker(*words, **more):
    return run("docker", *words, **more)


def compose(*words, env=None, files=(FILE,), **more):
    chosen = [word for file in files for word in ("-f", file)]
    return run("docker-compose", "-p", "tutti-test", *chosen, *words, env={**os.environ, **(env or {})}, **more)


def control(*words, **more):
    """A command in a container of the service `control`."""
    return compose("run", "--rm", "-T", "control", *words, **more)


def inside(*words, **more):
    """A command in the namespaces of the engine, whose processes and ports are its own."""
    return run("nsenter", "--target", os.environ["TUTTI_ENGINE_PID"], "--pid", "--mount", "--net", *words, **more)


def container(service, number=1):
    return f"tutti-test_{service}_{number}"


def kill_process(name):
    """As the kernel does when memory runs out: the engine's restart policy applies, unlike after `docker kill`."""
    inside("kill", "-KILL", docker("inspect", "-f", "{{.State.Pid}}", name).stdout.strip())


def wait_until(holds, what, patience=PATIENCE_S):
    until = time.monotonic() + patience
    while not holds():
        if time.monotonic() > until:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.3)


def joined():
    done = control("agents", "--json", check=False)
    if done.returncode != 0:
        return None
    return len([agent for agent in json.loads(done.stdout)["agents"] if agent["state"] not in ("lost", "left")])


def up(agents=AGENTS, files=(FILE,)):
    compose("up", "-d", "--scale", f"agent={agents}", files=files, patience=BUILD_S)
    wait_until(lambda: joined() == agents, f"{agents} agents join")


def start(*words, env=None):
    return control("start", *words, env=env).stdout.split()[-1]


def report(campaign):
    return json.loads(control("report", campaign, "--json", "-").stdout)


def wait_for_end(campaign):
    control("watch", campaign, check=False, patience=2 * PATIENCE_S)
    return report(campaign)


class Cluster(unittest.TestCase):
    """One cluster for all stories; each of them leaves it as it found it."""

    @classmethod
    def setUpClass(cls):
        compose("build", patience=BUILD_S)
        up()

    @classmethod
    def tearDownClass(cls):
        compose("down", "-v", check=False)

    def setUp(self):
        wait_until(lambda: joined() == AGENTS, "the cluster is whole before the story")

    def assertPassed(self, found):
        self.assertEqual(found["verdict"], "passed", found.get("reason"))
        self.assertEqual(found["steps"]["failed"], 0)
        self.assertGreater(found["steps"]["ok"], WORKERS)

    def assertDegraded(self, found):
        """One agent was lost, and no step has failed for any other reason."""
        self.assertEqual((found["verdict"], [agent["state"] for agent in found["agents"]].count("lost")), ("degraded", 1), found)
        self.assertEqual(found["steps"]["failed"], found["steps"]["failed_by_loss"])
        self.assertLessEqual(found["steps"]["failed"], 2 * WORKERS)
        # What it had not told yet: of its ten workers, each with ten steps a second at most, those of the last seconds.
        self.assertLessEqual(found["steps"]["lost"], 300)
        self.assertGreater(found["steps"]["ok"], 10 * WORKERS)

    def play(self, fault, *words):
        """The report of a campaign of the pad in whose middle the fault happens."""
        campaign = start(*PAD, "-d", "8s", *words)
        wait_until(lambda: report(campaign)["steps"]["ok"] > WORKERS, "the campaign runs")
        fault()
        return wait_for_end(campaign)

    # What the image is.

    def test_image_is_small_and_not_root(self):
        image = json.loads(docker("image", "inspect", "tutti").stdout)[0]
        self.assertEqual(image["Config"]["User"], "10001:10001")
        self.assertLess(image["Size"], 200e6)
        found = docker("run", "--rm", "--read-only", "--cap-drop", "ALL", "--entrypoint", "ls", "tutti", "/usr/bin/cc",
                       check=False)
        self.assertNotEqual(found.returncode, 0, "the compiler belongs to the stage that builds")
        checked = docker("run", "--rm", "--read-only", "--cap-drop", "ALL", "-v", f"{ROOT}/examples:/campaigns:ro", "tutti",
                         "check", "pad.lua")
        self.assertIn("pad.lua", checked.stdout + checked.stderr)

    # What users do with the cluster.

    def test_three_agents_play_the_pad(self):
        done = control("start", *PAD, "-r", "10", "--wait")
        self.assertIn("300 ok, 0 failed", done.stdout)
        self.assertEqual(len(re.findall(r"10 workers, finished", done.stdout)), AGENTS)

    def test_the_host_reaches_the_coordinator(self):
        """The practice is that of docs/deploy.md: the token out of the coordinator's container."""
        token = compose("exec", "-T", "coordinator", "cat", "/run/tutti/api-7441.token").stdout.strip()
        program = os.environ.get("TUTTI") or self.skipTest("TUTTI names no program of this host")
        done = inside(program, "agents", "--json", env={**os.environ, "TUTTI_TOKEN": token})
        self.assertEqual(len([agent for agent in json.loads(done.stdout)["agents"] if agent["state"] != "left"]), AGENTS)

    def test_reports_go_to_files(self):
        control("start", *PAD, "-r", "2", "--wait", "--json", "/results/report.json")
        kept = compose("run", "--rm", "-T", "--entrypoint", "cat", "control", "/results/report.json").stdout
        self.assertEqual(json.loads(kept)["verdict"], "passed")

    def test_a_proxy_that_docker_knows_is_not_asked_for_the_coordinator(self):
        with tempfile.TemporaryDirectory() as folder:
            nowhere = "http://192.0.2.1:3128"
            text = json.dumps({"proxies": {"default": {"httpProxy": nowhere, "httpsProxy": nowhere}}})
            (pathlib.Path(folder) / "config.json").write_text(text)
            done = control("agents", env={"DOCKER_CONFIG": folder}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_folder_of_scripts_that_is_not_there_is_refused(self):
        done = control("check", "pad.lua", env={"TUTTI_CAMPAIGNS": "./no-such-folder"}, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no-such-folder", done.stderr)
        self.assertFalse((ROOT / "deploy/no-such-folder").exists(), "Docker has made an empty folder")

    def test_scripts_from_a_config_map(self):
        """Kubernetes mounts the files of a ConfigMap as links to links."""
        with tempfile.TemporaryDirectory() as folder:
            real = pathlib.Path(folder) / "..2026_11_29"
            real.mkdir()
            shutil.copy(ROOT / "examples/pad.lua", real)
            (pathlib.Path(folder) / "..data").symlink_to(real.name)
            (pathlib.Path(folder) / "pad.lua").symlink_to("..data/pad.lua")
            for path in (folder, real):
                os.chmod(path, 0o755)
            done = control("start", *PAD, "-r", "2", "--wait", env={"TUTTI_CAMPAIGNS": folder})
        self.assertIn("60 ok, 0 failed", done.stdout)

    # What happens to agents.

    def test_an_agent_that_is_killed(self):
        """It is lost after 15 s, its workers go on elsewhere, and its container is started again."""
        found = self.play(lambda: kill_process(container("agent", 2)), "--on-loss", "replace", "-d", "30s")
        self.assertDegraded(found)

    def test_an_agent_that_is_frozen_for_a_moment(self):
        name = container("agent", 1)

        def fault():
            docker("pause", name)
            time.sleep(5)
            docker("unpause", name)
        self.assertPassed(self.play(fault, "-d", "12s"))

    def test_an_agent_that_is_frozen_for_too_long(self):
        name = container("agent", 1)

        def fault():
            docker("pause", name)
            time.sleep(LOST_AFTER_S + 5)
            docker("unpause", name)
        found = self.play(fault, "--on-loss", "replace", "-d", "30s")
        self.assertDegraded(found)
        wait_until(lambda: "declared lost" in docker("logs", name).stderr, "the agent says why it joins again")

    def test_an_agent_that_is_cut_off_for_a_moment(self):
        network, name = "tutti-test_load", container("agent", 3)

        def fault():
            docker("network", "disconnect", network, name)
            time.sleep(5)
            docker("network", "connect", network, name)
        self.assertPassed(self.play(fault, "-d", "12s"))

    # What happens to the coordinator.

    def test_the_coordinator_is_killed(self):
        """Its policy starts it again, and it goes on from its journal."""
        self.assertPassed(self.play(lambda: kill_process(container("coordinator"))))
        self.assertIn("continued from the journal", docker("logs", container("coordinator")).stderr)

    def test_the_coordinator_is_cut_off_for_a_moment(self):
        """With the alias that Compose has given it: without, agents would not find its name."""
        network, name = "tutti-test_load", container("coordinator")

        def fault():
            docker("network", "disconnect", network, name)
            time.sleep(5)
            docker("network", "connect", "--alias", "coordinator", network, name)
        self.assertPassed(self.play(fault, "-d", "12s"))

    def test_the_coordinator_is_restarted(self):
        """That is an orderly end of its campaigns; agents are back soon."""
        found = self.play(lambda: docker("restart", container("coordinator")), "-d", "60s")
        self.assertEqual(found["verdict"], "aborted")
        self.assertIn("shut down", found["reason"])
        self.assertEqual(found["steps"]["failed"], 0)
        wait_until(lambda: joined() == AGENTS, "the agents are back", 15)

    # Taking it down.

    def test_down_in_the_middle(self):
        """Coordinator first: campaigns end with teardown, for which agents and target are still there, and every count."""
        scripts = {"TUTTI_CAMPAIGNS": str(HERE / "scripts")}
        campaign = start("teardown.lua", "-w", WORKERS, "-d", "60s", "--expect-agents", AGENTS, env=scripts)
        wait_until(lambda: report(campaign)["steps"]["ok"] > WORKERS, "the campaign runs")
        compose("down")
        up()
        found = report(campaign)
        self.assertEqual((found["verdict"], found["steps"]["failed"]), ("aborted", 0))
        self.assertIn("shut down", found["reason"])
        self.assertEqual({agent["state"] for agent in found["agents"]}, {"finished"})
        requests = {name: (each["count"], each["failed"]) for name, each in found["requests"].items()}
        self.assertEqual(requests["teardown of a worker"], (WORKERS, 0))
        self.assertEqual(requests["teardown of the campaign"], (1, 0))
        self.assertEqual(requests["write"], (found["steps"]["ok"] + found["steps"]["stopped"], 0))

    def test_agents_stop_while_there_is_no_coordinator(self):
        """Where the name of the coordinator is not known, and Docker does not answer for it."""
        compose("stop", "coordinator")
        time.sleep(3)
        begun = time.monotonic()
        compose("stop", "agent")
        took = time.monotonic() - begun
        up()
        print(f"agents without a coordinator were stopped in {took:.1f} s", flush=True)
        self.assertLess(took, 15)


class Variants(unittest.TestCase):
    """What docs/deploy.md adds to the cluster by a second file."""

    def tearDown(self):
        compose("down", "-v", "--remove-orphans", check=False)

    def test_outside(self):
        """The agents' second network leads to what the first one keeps from them."""
        guide = (ROOT / "docs/deploy.md").read_text()
        text = re.search(r"```yaml\n(# outside.yaml:.*?)```", guide, re.DOTALL)[1]
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text)
            file.flush()
            compose("build", patience=BUILD_S)
            up(files=(FILE, file.name))
            docker("run", "-d", "--rm", "--name", "tutti-test-site", "--network", "tutti-test_outside", "tutti", "target",
                   "--address", "0.0.0.0", "--port", "8080")
            try:
                site = ("-r", "2", "--wait", "--target", "http://tutti-test-site:8080")
                self.assertIn("60 ok, 0 failed", control("start", *PAD, *site).stdout)
                compose("up", "-d", "--scale", f"agent={AGENTS}")
                wait_until(lambda: joined() == AGENTS, "agents without it join")
                refused = control("start", *PAD, *site, check=False)
                self.assertIn(" 0 ok", refused.stdout)
            finally:
                docker("rm", "-f", "tutti-test-site", check=False)

    def test_browsers(self):
        both = (FILE, ROOT / "deploy/compose.browsers.yaml")
        compose("build", files=both, patience=BUILD_S)
        up(2, both)
        scripts = {"TUTTI_CAMPAIGNS": str(HERE / "scripts")}
        done = control("start", "page.lua", "-w", "2", "-r", "2", "--expect-agents", "2", "--wait", env=scripts, check=False,
                       patience=2 * PATIENCE_S)
        self.assertIn("4 ok, 0 failed", done.stdout)


class Hosts(unittest.TestCase):
    """The commands of docs/deploy.md for several hosts, as they stand there, but all on this engine."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tutti-hosts-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(docker, "volume", "rm", "-f", "tutti-state", check=False)
        self.addCleanup(docker, "rm", "-f", "tutti-coordinator", "tutti-agent", check=False)

    def commands(self):
        guide = (ROOT / "docs/deploy.md").read_text()
        part = guide[guide.index("### Containers on several hosts"):guide.index("## Kubernetes")]
        blocks = re.findall(r"```sh\n(.*?)```", part, re.DOTALL)
        self.assertEqual([bool(re.search(word, block)) for word, block in zip(
            ("tutti coordinator", "docker save tutti", "tutti agent", "tutti start"), blocks)], [True] * 4)
        del blocks[1]
        made = [block.replace("/srv/tutti", f"{self.folder}/tutti").replace("COORDINATOR", "127.0.0.1") for block in blocks]
        return [re.sub(r"(?m)^docker build .*$", "", block) for block in made]

    def play(self, command):
        return run("sh", "-ec", command, cwd=ROOT / "examples", patience=2 * PATIENCE_S)

    def test_as_they_stand_there(self):
        compose("build", patience=BUILD_S)
        coordinator, agent, start_pad = self.commands()
        self.play(coordinator)
        self.play(agent)
        played = self.play(start_pad)
        self.assertRegex(played.stdout, r"passed\n(?s:.*) 0 failed")
        longer = start_pad.replace("--wait", "-d 8s --delay 100ms --expect-agents 1 --wait")
        with subprocess.Popen(["sh", "-ec", longer], cwd=ROOT / "examples", stdout=subprocess.PIPE, text=True) as campaign:
            self.assertRegex(campaign.stdout.readline(), "campaign 2")
            time.sleep(3)
            kill_process("tutti-coordinator")
            out = campaign.communicate(timeout=PATIENCE_S)[0]
        self.assertEqual(campaign.returncode, 0, out)
        self.assertRegex(out, r"passed\n(?s:.*) 0 failed")


class Removal(unittest.TestCase):
    def test_nothing_is_left(self):
        """But what the build keeps to be quicker the next time, which has no name."""
        compose("build", patience=BUILD_S)
        compose("up", "-d")
        control("agents")
        compose("down", "-v", "--rmi", "all", files=(FILE, ROOT / "deploy/compose.browsers.yaml"))
        compose("down", "-v", "--rmi", "all")
        self.assertEqual(docker("ps", "-aq", "--filter", "name=tutti-test").stdout, "")
        self.assertEqual(docker("volume", "ls", "-q", "--filter", "name=tutti-test").stdout, "")
        self.assertEqual(docker("network", "ls", "-q", "--filter", "name=tutti-test").stdout, "")
        self.assertEqual(docker("image", "ls", "-q", "tutti").stdout, "")


def main():
    if os.environ.get("TUTTI_CONTAINERS") != "1":
        print("skipped: containers are tried only with TUTTI_CONTAINERS=1 (tests/containers/run.sh)", flush=True)
        return SKIPPED
    if "TUTTI_ENGINE_PID" not in os.environ:
        with tempfile.TemporaryDirectory(prefix="tutti-engine-") as folder:
            return subprocess.run([HERE / "engine.sh", folder, sys.executable, __file__, *sys.argv[1:]]).returncode
    program = unittest.main(verbosity=2, exit=False)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
