"""The contents of deploy/ fit this program and pass the usual tools; a check whose tool is missing is reported as skipped."""
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from support import ROOT, TUTTI, environment

try:
    import yaml
except ImportError:
    yaml = None
try:
    from docker.utils import exclude_paths
except ImportError:
    exclude_paths = None

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
KUBERNETES = DEPLOY / "kubernetes"
EXPOSURE_LIMIT = 2.0
# Of options that exist only with encryption: this program may be older than they are.
KEY_OPTIONS = {"key", "keys"}


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **more)


def options_of(subcommand):
    done = run(TUTTI, "help", subcommand, env=environment())
    assert done.returncode == 0, f"tutti help {subcommand}: {done.stderr}"
    return set(re.findall(r"^ +(?:-\w, )?--([a-z-]+)", done.stdout, re.MULTILINE))


class DeployCase(unittest.TestCase):
    def check_command(self, words):
        """Arguments of `tutti`: the program has this subcommand and these options."""
        known = options_of(words[0])
        for word in words[1:]:
            if word.startswith("--"):
                self.check_option(word[2:].partition("=")[0], known, words)

    def check_option(self, name, known, where):
        if name in KEY_OPTIONS and name not in known:
            print(f"skipped: this tutti has no --{name} to hold {where} against", flush=True)
            return
        self.assertIn(name, known, where)


class Image(DeployCase):
    def test_dockerfile(self):
        text = (DEPLOY / "Dockerfile").read_text()
        self.assertNotRegex(text, r"(?mi)^#\s*syntax\s*=", "that would pull a builder")
        lines = [line.split() for line in text.splitlines()]
        stages = [(line[1], line[3:]) for line in lines if line[:1] == ["FROM"]]
        self.assertEqual(stages, [("debian:bookworm-slim", ["build"]), ("debian:bookworm-slim", ["tutti"]),
                                  ("tutti", ["browsers"]), ("tutti", [])], "the last one is what is built without --target")
        self.assertNotRegex(text, r"amd64|arm64|x86|aarch64", "one file for all architectures")
        _, build, tutti, browsers, last = text.split("\nFROM ")
        for stage in (tutti, browsers):
            user = re.findall(r"(?m)^USER (\d+):(\d+)$", stage)[-1]
            self.assertTrue(int(user[0]) > 0 and int(user[1]) > 0, "the image must not run as root")
            self.assertNotIn("$build_packages", stage)
        self.assertIn('ENTRYPOINT ["tutti"]', tutti)
        self.assertEqual(last.split(), ["tutti"])
        self.assertIn("$build_packages", build)

    @unittest.skipUnless(shutil.which("readelf") and shutil.which("dpkg-query"), "needs readelf and dpkg-query")
    def test_runtime_packages_hold_every_library(self):
        listed = run("sh", "-c", ". deploy/packages.sh && echo $runtime_packages", cwd=ROOT).stdout.split()
        self.assertGreater(len(listed), 5)
        needed = re.findall(r"\(NEEDED\).*\[(.+)\]", run("readelf", "-d", TUTTI).stdout)
        self.assertIn("libzmq.so.5", needed)
        for library in needed:
            if re.match(r"(libc|libm|libgcc_s|lib[aut]b?san|ld-linux.*)\.so", library):
                continue
            owners = re.findall(r"^([^:\s]+)", run("dpkg-query", "-S", f"*/{library}").stdout, re.MULTILINE)
            self.assertTrue(set(owners) & set(listed), f"{library} is in {owners}, and none of them in runtime_packages")

    @unittest.skipUnless(exclude_paths, "needs python3-docker")
    def test_context_has_the_source_and_no_secrets(self):
        tracked = run("git", "ls-files", cwd=ROOT).stdout.splitlines()
        needed = {name for name in tracked if (ROOT / name).is_file() and (
            name.endswith((".c", ".h", ".proto", ".cmake", "CMakeLists.txt", ".inc")) or name in (
                "CMakePresets.json", "docs/openapi.yaml", "deploy/packages.sh"))}
        self.assertGreater(len(needed), 100)
        with tempfile.TemporaryDirectory() as folder:
            secrets = {"agent-1.key", "deploy/keys/coordinator.key", "keys/agents.allow", "token"}
            for name in needed | secrets | {"build/dev/tutti", ".git/config"}:
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            kept = set(exclude_paths(folder, self.rules()))
        self.assertEqual(needed - kept, set())
        self.assertEqual(kept & (secrets | {"build/dev/tutti", ".git/config"}), set())


    @unittest.skipUnless(exclude_paths and shutil.which("cmake"), "needs python3-docker and cmake")
    def test_context_can_be_configured(self):
        """All that cmake reads before anything is built is in the image's context."""
        with tempfile.TemporaryDirectory() as folder:
            for name in run("git", "ls-files", cwd=ROOT).stdout.splitlines():
                if (ROOT / name).is_file():
                    path = pathlib.Path(folder) / name
                    path.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / name, path)
            kept = set(exclude_paths(folder, self.rules()))
            for path in [each for each in pathlib.Path(folder).rglob("*") if each.is_file()]:
                if str(path.relative_to(folder)) not in kept:
                    path.unlink()
            done = run("cmake", "--preset", "release", cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def rules(self):
        return [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]


@unittest.skipUnless(shutil.which("docker-compose") and yaml, "needs docker-compose and python3-yaml")
class Compose(DeployCase):
    @classmethod
    def setUpClass(cls):
        done = run("docker-compose", "-f", DEPLOY / "compose.yaml", "--profile", "control", "config",
                   env=environment(TUTTI_CAMPAIGNS="/campaigns"))
        assert done.returncode == 0, done.stderr
        cls.project = yaml.safe_load(done.stdout)
        cls.services = cls.project["services"]

    def test_commands_are_those_of_the_program(self):
        self.assertEqual(set(self.services), {"coordinator", "agent", "target", "control"})
        for name, service in self.services.items():
            with self.subTest(name):
                self.check_command(service["command"])
                self.assertEqual(service["image"], "tutti")
        self.check_command(self.services["coordinator"]["healthcheck"]["test"][2:])
        environment = dict(self.services["control"]["environment"])
        for name in ("NO_PROXY", "no_proxy"):
            self.assertEqual(environment.pop(name).split(","), ["coordinator"], "asked through the proxies that Docker knows")
        for variable in environment:
            self.assertIn(variable.removeprefix("TUTTI_").lower().replace("_", "-"), options_of("start"))

    def test_the_coordinator_is_stopped_first(self):
        """Compose stops what depends on others before them; its campaigns need agents and target for their teardown."""
        self.assertEqual(set(self.services["coordinator"]["depends_on"]), {"agent", "target"})
        self.assertEqual([name for name, service in self.services.items() if "depends_on" in service], ["coordinator"])
        self.assertEqual(self.services["coordinator"]["stop_grace_period"], "60s")

    def test_scripts_and_results(self):
        """A folder of scripts that is not there is an error, not an empty folder that Docker makes."""
        scripts, = [each for each in self.services["control"]["volumes"] if "/campaigns" in str(each)]
        self.assertEqual(scripts, {"type": "bind", "source": "/campaigns", "target": "/campaigns", "read_only": True})
        self.assertTrue([each for each in self.services["control"]["volumes"] if str(each).startswith("results:/results")])

    def test_agents_with_browsers(self):
        done = run("docker-compose", "-f", DEPLOY / "compose.yaml", "-f", DEPLOY / "compose.browsers.yaml", "config", env=environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        services = yaml.safe_load(done.stdout)["services"]
        self.assertEqual({name: (each["image"], each["build"]["target"]) for name, each in services.items()}, {
            "agent": ("tutti:browsers", "browsers"),
            **{name: ("tutti", "tutti") for name in ("control", "coordinator", "target")}})
        self.assertTrue(services["agent"]["read_only"])
        self.assertTrue(str(services["agent"]["tmpfs"][0]).startswith("/tmp"))

    def test_nobody_outside_gets_in(self):
        self.assertIn("--insecure", self.services["coordinator"]["command"])
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertTrue(service["read_only"])
                self.assertEqual(service["cap_drop"], ["ALL"])
                self.assertIn("load", service["networks"])
                for port in service.get("ports", []):
                    self.assertRegex(str(port), r"^127\.0\.0\.1:7441:7441", "published beyond this host")
        self.assertIs(self.project["networks"]["load"]["internal"], True)
        self.assertEqual([name for name, service in self.services.items() if "ports" in service], ["coordinator"])

    def test_agents_can_be_scaled(self):
        agent = self.services["agent"]
        self.assertFalse({"container_name", "hostname", "ports"} & set(agent))
        self.assertFalse([word for word in agent["command"] if word.startswith("--name")], "each needs a name of its own")


def matches(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


@unittest.skipUnless(yaml, "needs python3-yaml")
class Kubernetes(DeployCase):
    def read_base(self):
        listed = yaml.safe_load((KUBERNETES / "base/kustomization.yaml").read_text())["resources"]
        return [found for name in listed for found in yaml.safe_load_all((KUBERNETES / "base" / name).read_text())]

    def render(self, name):
        if not shutil.which("kubectl"):
            self.skipTest("needs kubectl")
        version = json.loads(run("kubectl", "version", "--client", "-o", "json").stdout)["clientVersion"]
        if int(re.match(r"\d+", version["minor"])[0]) < 22:
            self.skipTest(f"needs kubectl 1.22 or newer, this is 1.{version['minor']}")
        done = run("kubectl", "kustomize", KUBERNETES / name)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return list(yaml.safe_load_all(done.stdout))

    def test_base(self):
        self.check(self.read_base(), "Deployment")

    def test_base_rendered(self):
        objects = self.render("base")
        self.check(objects, "Deployment")
        self.check_namespace(objects)

    def test_keys_rendered(self):
        objects = self.render("keys")
        coordinator, agent = self.check(objects, "StatefulSet")
        self.check_namespace(objects)
        arguments = coordinator["containers"][0]["args"]
        self.assertNotIn("--insecure", arguments)
        self.assertIn("--keys=/etc/tutti/keys", arguments)
        mount, = agent["containers"][0]["volumeMounts"]
        self.assertEqual(mount["subPathExpr"], "$(POD_NAME).key", "an agent sees its own key alone")
        self.assertIn(f"--key={mount['mountPath']}", agent["containers"][0]["args"])
        mount, = [mount for mount in coordinator["containers"][0]["volumeMounts"] if mount["name"] == "keys"]
        self.assertFalse([word for word in mount if word.startswith("subPath")], "revocation would need a restart")

    def check_namespace(self, objects):
        for found in objects:
            name = found["metadata"]["name"] if found["kind"] == "Namespace" else found["metadata"]["namespace"]
            self.assertEqual(name, "tutti")

    def check(self, objects, agent_kind):
        by_name = {(found["kind"], found["metadata"]["name"]): found for found in objects}
        self.assertEqual(len(by_name), len(objects), "two of one name")
        self.assertEqual(set(by_name), {
            ("Namespace", "tutti"), ("Service", "tutti-coordinator"), ("StatefulSet", "tutti-coordinator"),
            (agent_kind, "tutti-agent"), ("NetworkPolicy", "tutti-coordinator"), ("NetworkPolicy", "tutti-agent")})
        for found in objects:
            self.assertIn(found["apiVersion"], ("v1", "apps/v1", "networking.k8s.io/v1"))
        templates = []
        for key in (("StatefulSet", "tutti-coordinator"), (agent_kind, "tutti-agent")):
            spec = by_name[key]["spec"]
            with self.subTest(key):
                self.assertTrue(matches(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"]))
                self.check_pod(spec["template"]["spec"])
            if key[0] == "StatefulSet":
                self.assertIn(("Service", spec["serviceName"]), by_name)
            templates.append(spec["template"])
        self.assertEqual(by_name["StatefulSet", "tutti-coordinator"]["spec"]["replicas"], 1)
        self.check_service(by_name["Service", "tutti-coordinator"], templates)
        for found in objects:
            if found["kind"] == "NetworkPolicy":
                self.check_policy(found["spec"], templates)
        return [template["spec"] for template in templates]

    def check_pod(self, pod):
        self.assertIs(pod["automountServiceAccountToken"], False)
        self.assertIs(pod["enableServiceLinks"], False, "variables of services would be taken for our options")
        self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
        self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        container, = pod["containers"]
        self.check_container(container)
        volumes = {volume["name"] for volume in pod.get("volumes", [])}
        self.assertEqual({mount["name"] for mount in container.get("volumeMounts", [])}, volumes)
        for volume in pod.get("volumes", []):
            if "emptyDir" not in volume:
                self.assertEqual(volume["secret"]["defaultMode"] & 0o007, 0, "others can read the secret")

    def check_container(self, container):
        self.check_command(container["args"])
        known = options_of(container["args"][0])
        variables = {variable["name"] for variable in container.get("env", [])}
        for name in variables:
            if name.startswith("TUTTI_"):
                self.check_option(name.removeprefix("TUTTI_").lower().replace("_", "-"), known, name)
        used = set(re.findall(r"\$\((\w+)\)", " ".join(container["args"])))
        self.assertLessEqual(used, variables)
        self.assertEqual(container["securityContext"], {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}})
        self.assertIn("memory", container["resources"]["limits"])
        self.assertEqual(set(container["resources"]["requests"]), {"cpu", "memory"})
        ports = {port["name"] for port in container.get("ports", [])}
        paths = {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
        for probe, path in paths.items():
            if ports:
                self.assertEqual(container[probe]["httpGet"]["path"], path)
                self.assertIn(container[probe]["httpGet"]["port"], ports)

    def check_service(self, service, templates):
        chosen, = [template for template in templates if matches(service["spec"]["selector"], template["metadata"]["labels"])]
        ports = {port["name"]: port["containerPort"] for port in chosen["spec"]["containers"][0]["ports"]}
        for port in service["spec"]["ports"]:
            self.assertEqual(port["port"], ports[port["targetPort"]])
        arguments = " ".join(chosen["spec"]["containers"][0]["args"])
        self.assertIn(f"--listen=tcp://0.0.0.0:{ports['agents']} ", arguments)
        self.assertIn(f"--http=0.0.0.0:{ports['api']} ", arguments)
        self.assertIn(f"--target-port={ports['target']} ", arguments)
        agent = [template for template in templates if template is not chosen][0]["spec"]["containers"][0]
        self.assertIn(f"--coordinator=tcp://{service['metadata']['name']}:{ports['agents']}", agent["args"])

    def check_policy(self, policy, templates):
        chosen, = [template for template in templates if
                   matches(policy["podSelector"]["matchLabels"], template["metadata"]["labels"])]
        ports = {port["name"] for port in chosen["spec"]["containers"][0].get("ports", [])}
        self.assertEqual({port["port"] for rule in policy["ingress"] for port in rule["ports"]}, ports)
        for rule in policy["ingress"]:
            if {"port": "agents"} in rule["ports"]:
                self.assertEqual(rule["ports"], [{"port": "agents"}, {"port": "target"}])
                wanted = rule["from"][0]["podSelector"]["matchLabels"]
                self.assertTrue([template for template in templates if
                                 template is not chosen and matches(wanted, template["metadata"]["labels"])])
            self.assertTrue(rule["from"], "everybody")


class Systemd(DeployCase):
    def copy(self, folder):
        """The units with the program of the tests; the template as an instance, once bare and once with its key."""
        for name, made in (("tutti-coordinator.service", "tutti-coordinator.service"),
                           ("tutti-agent@.service", "tutti-agent@bare.service"),
                           ("tutti-agent@.service", "tutti-agent@keyed.service")):
            text = (UNITS / name).read_text()
            self.assertIn("ExecStart=/usr/local/bin/tutti ", text)
            path = pathlib.Path(folder) / made
            path.write_text(text.replace("/usr/local/bin/tutti ", f"{TUTTI} "))
            yield path
        shutil.copytree(UNITS / "tutti-agent@.service.d", pathlib.Path(folder) / "tutti-agent@keyed.service.d")

    def exposures(self, units):
        done = run("systemd-analyze", "security", "--offline=true", "--no-pager", *units)
        return dict(re.findall(r"Overall exposure level for (\S+): ([\d.]+)", done.stdout)), done

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_units_are_good(self):
        with tempfile.TemporaryDirectory() as folder:
            units = list(self.copy(folder))
            done = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_units_are_hardened(self):
        with tempfile.TemporaryDirectory() as folder:
            units = list(self.copy(folder))
            levels, done = self.exposures(units)
            self.assertEqual(set(levels), {path.name for path in units}, done)
            for name, level in levels.items():
                self.assertLessEqual(float(level), EXPOSURE_LIMIT, name)

    def test_units_let_libzmq_start_its_threads(self):
        """It aborts where it may not set the scheduling of its threads, and where it cannot list the host's addresses."""
        for path in UNITS.glob("*.service"):
            text = path.read_text()
            self.assertRegex(text, r"(?s)\nSystemCallFilter=~.*@resources.*\nSystemCallFilter=sched_setscheduler\n", path)
            self.assertRegex(text, r"\nRestrictAddressFamilies=.*AF_NETLINK", path)

    @unittest.skipUnless(shutil.which("systemd-sysusers") and os.geteuid() == 0, "needs systemd-sysusers and root")
    def test_user_and_folders(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "etc").mkdir()
            done = run("systemd-sysusers", f"--root={folder}", UNITS / "tutti.sysusers")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = run("systemd-tmpfiles", f"--root={folder}", "--create", UNITS / "tutti.tmpfiles")
            self.assertEqual(done.returncode, 0, done.stderr)
            users = (pathlib.Path(folder) / "etc/passwd").read_text()
            number = int(re.search(r"^tutti:[^:]*:(\d+):", users, re.MULTILINE)[1])
            keys = (pathlib.Path(folder) / "etc/tutti/keys").stat()
            self.assertEqual((keys.st_uid, keys.st_mode & 0o777), (number, 0o700))
            configuration = (pathlib.Path(folder) / "etc/tutti").stat()
            self.assertEqual((configuration.st_uid, configuration.st_mode & 0o777), (0, 0o750))

    def test_commands_are_those_of_the_program(self):
        for path in UNITS.glob("*.service"):
            line, = re.findall(r"(?m)^ExecStart=(.*)$", path.read_text())
            self.check_command(shlex.split(line)[1:])
        files = [*UNITS.glob("*.service"), *UNITS.glob("*.d/*.conf"), UNITS / "agent.env"]
        variables = {name for path in files for name in re.findall(r"\bTUTTI_(\w+)=", path.read_text())}
        self.assertLessEqual({"COORDINATOR", "KEY"}, variables)
        for name in variables:
            self.check_option(name.lower().replace("_", "-"), options_of("agent"), name)

    def test_configuration_names_options_of_the_program(self):
        names = re.findall(r"(?m)^#?([a-z-]+) = ", (UNITS / "coordinator.conf").read_text())
        self.assertLessEqual({"listen", "http", "keys", "token-file"}, set(names))
        for name in names:
            self.check_option(name, options_of("coordinator"), "coordinator.conf")

    def test_coordinator_says_when_it_is_ready(self):
        """With Type=notify and the shipped configuration (on free ports)."""
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            address = f"{folder}/notify"
            notify.bind(address)
            notify.settimeout(30)
            process = subprocess.Popen(
                [TUTTI, "coordinator", "--config", UNITS / "coordinator.conf", "--listen", "tcp://127.0.0.1:0",
                 "--http", "127.0.0.1:0"], env=environment(NOTIFY_SOCKET=address), stderr=subprocess.PIPE, text=True)
            try:
                self.assertIn(b"READY=1", notify.recv(4096))
                process.send_signal(signal.SIGTERM)
                self.assertIn(b"STOPPING=1", notify.recv(4096))
                _, errors = process.communicate(timeout=30)
                self.assertEqual(process.returncode, 0, errors)
            finally:
                process.kill()
                process.communicate()


class Guide(unittest.TestCase):
    def test_every_file_is_told_of(self):
        """What is shipped is documented, and what is documented is shipped."""
        text = (ROOT / "docs/deploy.md").read_text()
        for named in re.findall(r"(?<![\w/.])deploy/[\w./@-]*[\w@]", text):
            self.assertTrue((ROOT / named).exists(), named)
        for path in [*UNITS.iterdir(), *KUBERNETES.iterdir(), *DEPLOY.glob("compose*.yaml"), DEPLOY / "Dockerfile",
                     *(DEPLOY / "helm").iterdir()]:
            self.assertIn(path.name, text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
