"""The Helm chart. What it renders for the values in chart/ is kept beside them and checked against this program, also where there
is no helm; a digest of the chart in their first line shows when they are old. Where tools are found (in PATH, or made by
tests/containers/tools.sh), helm renders them again, and they are held against the schemas of Kubernetes.

    python3 tests/integration/test_chart.py --update      writes the renderings"""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from support import ROOT
from test_deploy import DeployCase, matches, options_of, run

try:
    import yaml
except ImportError:
    yaml = None

CHART = ROOT / "deploy/helm/tutti"
KEPT = ROOT / "tests/integration/chart"
TOOLS = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "tutti/kubernetes/bin"
KUBERNETES = "1.37.0"
SETS = ("plain", "full")


def tool(name):
    return shutil.which(name) or shutil.which(name, path=TOOLS)


def digest():
    made = hashlib.sha256()
    for path in sorted([*CHART.rglob("*"), *KEPT.glob("*.values.yaml")]):
        if path.is_file():
            made.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return made.hexdigest()


def helm(*words, check=True):
    done = run(tool("helm"), *words, "--kube-version", KUBERNETES)
    assert not check or done.returncode == 0, done.stderr
    return done


def render(name):
    return helm("template", "load", CHART, "-n", "perf", "-f", KEPT / f"{name}.values.yaml").stdout


def kept(name):
    head, _, text = (KEPT / f"{name}.yaml").read_text().partition("\n")
    return head.removeprefix("# "), text


@unittest.skipUnless(yaml, "needs python3-yaml")
class Rendered(DeployCase):
    """What is kept, with this program."""

    def objects(self, name):
        return [found for found in yaml.safe_load_all(kept(name)[1]) if found]

    def by_kind(self, name):
        made = {}
        for found in self.objects(name):
            made.setdefault(found["kind"], []).append(found)
        return made

    def pods(self, name):
        for found in self.objects(name):
            if found["kind"] in ("Deployment", "StatefulSet", "Job"):
                yield found, found["spec"]["template"]

    def pod(self, name, component):
        chosen, = [template for _, template in self.pods(name) if
                   template["metadata"]["labels"]["app.kubernetes.io/component"] == component]
        return chosen

    def test_is_not_older_than_the_chart(self):
        for name in SETS:
            self.assertEqual(kept(name)[0], digest(), "render it again: python3 tests/integration/test_chart.py --update")

    def test_kinds(self):
        self.assertEqual({kind: len(found) for kind, found in self.by_kind("plain").items()}, {
            "ConfigMap": 1, "Service": 1, "StatefulSet": 1, "Deployment": 1, "Job": 1, "NetworkPolicy": 2})
        self.assertEqual({kind: len(found) for kind, found in self.by_kind("full").items()}, {
            "Service": 1, "StatefulSet": 2, "Job": 1, "NetworkPolicy": 2, "PodDisruptionBudget": 1, "ServiceMonitor": 1})

    def test_pods_are_restricted(self):
        """The Pod Security standard of that name, and what else we promise."""
        for name in SETS:
            for found, template in self.pods(name):
                pod = template["spec"]
                with self.subTest(name, found=found["metadata"]["name"]):
                    self.assertIs(pod["automountServiceAccountToken"], False)
                    self.assertIs(pod["enableServiceLinks"], False, "variables of services would be taken for our options")
                    self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertIs(pod["securityContext"]["runAsNonRoot"], True)
                    self.assertGreater(pod["securityContext"]["runAsUser"], 0)
                    self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(pod))
                    for volume in pod.get("volumes", []):
                        self.assertLessEqual(set(volume) - {"name"}, {"configMap", "emptyDir", "persistentVolumeClaim", "secret"})
                        if "secret" in volume:
                            self.assertEqual(volume["secret"]["defaultMode"] & 0o007, 0, "others can read the secret")
                    for container in [*pod["containers"], *pod.get("initContainers", [])]:
                        self.assertEqual(container["securityContext"], {
                            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]}})

    def test_commands_are_those_of_the_program(self):
        for name in SETS:
            for _, template in self.pods(name):
                for container in template["spec"]["containers"]:
                    self.check_command(container["args"])
                    variables = {variable["name"] for variable in container.get("env", [])}
                    known = options_of(container["args"][0])
                    for variable in variables:
                        if variable.startswith("TUTTI_"):
                            self.check_option(variable.removeprefix("TUTTI_").lower().replace("_", "-"), known, variable)
                    self.assertLessEqual(set(re.findall(r"\$\((\w+)\)", " ".join(container["args"]))), variables)

    def test_names_lead_somewhere(self):
        """Selectors choose pods, ports have names that exist, volumes are mounted, agents and campaigns dial the service."""
        for name in SETS:
            service, = self.by_kind(name)["Service"]
            templates = [template for _, template in self.pods(name)]
            chosen, = [each for each in templates if matches(service["spec"]["selector"], each["metadata"]["labels"])]
            ports = {port["name"]: port["containerPort"] for port in chosen["spec"]["containers"][0]["ports"]}
            self.assertEqual({port["port"]: ports[port["targetPort"]] for port in service["spec"]["ports"]},
                             {7440: 7440, 7441: 7441, 7442: 7442})
            called = service["metadata"]["name"]
            self.assertIn(f"--coordinator=tcp://{called}:7440", self.pod(name, "agent")["spec"]["containers"][0]["args"])
            hosts, = [word for word in chosen["spec"]["containers"][0]["args"] if word.startswith("--api-host=")]
            self.assertIn(called, hosts.removeprefix("--api-host=").split(","))
            environment = {each["name"]: each.get("value") for each in self.pod(name, "campaign")["spec"]["containers"][0]["env"]}
            self.assertEqual(environment["TUTTI_API"], f"http://{called}:7441")
            for found, template in self.pods(name):
                if found["kind"] != "Job":
                    self.assertTrue(matches(found["spec"]["selector"]["matchLabels"], template["metadata"]["labels"]))
                mounted = {mount["name"] for container in [*template["spec"]["containers"],
                           *template["spec"].get("initContainers", [])] for mount in container.get("volumeMounts", [])}
                claimed = {claim["metadata"]["name"] for claim in found["spec"].get("volumeClaimTemplates", [])}
                self.assertEqual(mounted, claimed | {volume["name"] for volume in template["spec"].get("volumes", [])})
            for policy in self.by_kind(name)["NetworkPolicy"]:
                chosen, = [each for each in templates if
                           matches(policy["spec"]["podSelector"]["matchLabels"], each["metadata"]["labels"])]
                named = {port["name"] for port in chosen["spec"]["containers"][0].get("ports", [])}
                self.assertEqual({port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}, named)
                self.assertTrue(all(rule["from"] for rule in policy["spec"]["ingress"]), "everybody")

    def test_a_campaign_is_a_job_with_its_exit_status(self):
        for name in SETS:
            job, = self.by_kind(name)["Job"]
            self.assertEqual((job["spec"]["backoffLimit"], job["spec"]["template"]["spec"]["restartPolicy"]), (0, "Never"))
            self.assertLessEqual(len(job["metadata"]["name"]), 63 - len("-xxxxx"))
        words = self.pod("plain", "campaign")["spec"]["containers"][0]["args"]
        self.assertEqual(words[:4], ["start", "pad.lua", "--wait", "--expect-agents=3"])
        self.assertEqual(set(words[4:]), {"--workers=30", "--room-size=5", "--duration=30s", "--phases"})
        words = self.pod("full", "campaign")["spec"]["containers"][0]["args"]
        self.assertEqual(words[-2:], ["--threshold", "http.p95 < 200ms"])
        self.assertIn("--expect-agents=5", words)

    def test_keys(self):
        """An agent sees its own key alone; the coordinator sees its list change."""
        mount, = [mount for mount in self.pod("full", "agent")["spec"]["containers"][0]["volumeMounts"] if mount["name"] == "keys"]
        self.assertEqual(mount["subPathExpr"], "$(POD_NAME).key")
        coordinator = self.pod("full", "coordinator")["spec"]["containers"][0]
        self.assertNotIn("--insecure", coordinator["args"])
        mount, = [mount for mount in coordinator["volumeMounts"] if mount["name"] == "keys"]
        self.assertFalse([word for word in mount if word.startswith("subPath")])

    def test_agents_scale(self):
        self.assertEqual(self.by_kind("plain")["Deployment"][0]["spec"]["replicas"], 3)
        agent, = [found for found in self.by_kind("full")["StatefulSet"] if found["metadata"]["name"] == "everything-agent"]
        self.assertNotIn("replicas", agent["spec"], "an autoscaler would be overruled at each upgrade")


@unittest.skipUnless(tool("helm"), "needs helm (tests/containers/tools.sh makes it)")
class Helm(unittest.TestCase):
    def test_renders_what_is_kept(self):
        for name in SETS:
            self.assertEqual(render(name), kept(name)[1], "python3 tests/integration/test_chart.py --update")

    def test_lint(self):
        for name in SETS:
            helm("lint", CHART, "--strict", "-f", KEPT / f"{name}.values.yaml")
        helm("lint", CHART, "--strict")

    def test_values_are_held_by_the_schema(self):
        for wrong in ("agents.replica=3", "image.pullPolicy=Sometimes", "keys.enabled=true", "coordinator.targetPort=80",
                      "campaign.options.Workers=3", "token.key=a/b", "agents.resources.limits.cpu=many"):
            done = helm("template", "load", CHART, "--set", wrong, check=False)
            self.assertNotEqual(done.returncode, 0, wrong)
            self.assertIn("schema", done.stderr)

    def test_a_script_comes_from_one_place(self):
        for wrong in ("campaign.enabled=true", "campaign.enabled=true,campaign.script.claim=a,campaign.script.configMap=b"):
            done = helm("template", "load", CHART, "--set", wrong, check=False)
            self.assertIn("exactly one of files, configMap, claim and image", done.stderr)

    def test_what_runs_names_the_job(self):
        """Jobs cannot be changed: another script, option or number is another Job, and nothing else is."""
        def name(*more):
            words = [word for each in more for word in ("--set", each)]
            text = helm("template", "load", CHART, "-f", KEPT / "plain.values.yaml", "-s", "templates/campaign.yaml", *words).stdout
            return re.search(r"kind: Job\nmetadata:\n  name: (\S+)", text)[1]
        same = {name(), name("coordinator.logLevel=debug"), name("networkPolicy.enabled=false")}
        others = [name("campaign.run=2"), name("campaign.options.workers=31"), name(r"campaign.script.files.pad\.lua=x"),
                  name("image.tag=1.2.4")]
        self.assertEqual(len(same), 1)
        self.assertEqual(len({*same, *others}), 5)

    @unittest.skipUnless(tool("kubernetes-validate"), "needs kubernetes-validate (tests/containers/tools.sh makes it)")
    def test_schemas_of_kubernetes(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in SETS:
                path = pathlib.Path(folder) / f"{name}.yaml"
                path.write_text(render(name))
                done = run(tool("kubernetes-validate"), "--strict", path)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


def update():
    for name in SETS:
        (KEPT / f"{name}.yaml").write_text(f"# {digest()}\n{render(name)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        unittest.main(verbosity=2)
