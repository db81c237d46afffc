"""Compares docs/openapi.yaml with the running coordinator: every path, method, status and key of it."""
import pathlib
import re
import sys
import tempfile
import unittest

from daemon import Agent, Coordinator, Events, campaign
from described import DESCRIPTION, METHODS, check, hold, resolve
from support import ROOT, write_secret

sys.path.insert(0, str(ROOT / "tests" / "browser"))

from fake_driver import PICTURE, SOURCE, FakeDriver  # noqa: E402

TOKEN = "a-token-of-some-length"


def sample(schema):
    """A value that the schema of an option allows, the default where it has one."""
    if "default" in schema:
        return schema["default"]
    return {"string": "", "boolean": False}.get(schema["type"], schema.get("minimum", 0))


class Valid(unittest.TestCase):
    """The description is one: of OpenAPI 3.0, as far as it uses that."""

    def nodes(self, node, where="#"):
        yield where, node
        for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            yield from self.nodes(item, f"{where}/{key}")

    def test_by_a_validator(self):
        try:
            from openapi_spec_validator import validate
        except ImportError:
            self.skipTest("python3-openapi-spec-validator is not installed")
        validate(DESCRIPTION)

    def test_references_lead_somewhere(self):
        for where, node in self.nodes(DESCRIPTION):
            if isinstance(node, dict) and "$ref" in node:
                self.assertEqual(set(node), {"$ref"}, where)
                self.assertIsInstance(resolve(node), dict, where)

    def test_schemas_are_schemas(self):
        known = {"type", "properties", "required", "items", "additionalProperties", "enum", "nullable", "description", "default", "minimum", "maximum", "minLength",
                 "maxLength", "minItems", "maxItems", "pattern", "format", "example"}
        for where, node in self.nodes(DESCRIPTION):
            is_schema = where.endswith("/schema") or where.endswith("/items") or where.endswith("/additionalProperties") or \
                (where.split("/")[-2:-1] == ["properties"] or where.split("/")[-2:-1] == ["schemas"])
            if not is_schema or not isinstance(node, dict) or "$ref" in node:
                continue
            self.assertLessEqual(set(node), known, where)
            self.assertIn(node.get("type"), ("string", "boolean", "integer", "number", "array", "object"), where)
            self.assertIsInstance(node.get("description", ""), str, f"{where}: a word of YAML in place of a text")
            self.assertEqual(node["type"] == "array", "items" in node, where)
            self.assertLessEqual(set(node.get("required", ())), set(node.get("properties", ())), where)

    def test_operations_are_whole(self):
        names = []
        for path, item in DESCRIPTION["paths"].items():
            declared = [resolve(parameter)["name"] for parameter in item.get("parameters", ())]
            for method in METHODS:
                if method in item:
                    names.append(item[method]["operationId"])
                    own = [resolve(parameter)["name"] for parameter in item[method].get("parameters", ()) if resolve(parameter)["in"] == "path"]
                    self.assertEqual(sorted(re.findall(r"{(\w+)}", path)), sorted(declared + own), path)
                    for status, response in item[method]["responses"].items():
                        self.assertRegex(status, r"^[1-5]\d\d$")
                        self.assertLessEqual({"description", "content"}, set(resolve(response)), f"{method} {path} {status}")
        self.assertEqual(len(names), len(set(names)))


class Description(unittest.TestCase):
    """One long story, which must have seen every response of the description by its end."""

    def hold(self, method, path, status, **more):
        """Makes a request and compares all of the answer with the description."""
        answer = self.coordinator.request(method.upper(), path, **more)
        self.assertEqual(answer.status, status, f"{method} {path}: {answer}")
        template = hold(method, path, answer)
        self.assertIsNotNone(template, path)
        self.met.add((template, method, str(status)))
        return answer

    def test_it_is_the_truth(self):
        self.met = set()
        folder = self.enterContext(tempfile.TemporaryDirectory())
        token_file = pathlib.Path(folder) / "token"
        write_secret(token_file, TOKEN)
        self.reports = pathlib.Path(folder) / "state" / "reports"
        self.coordinator = self.enterContext(Coordinator("--token-file", token_file, "--state", self.reports.parent))
        self.strangers_are_refused()
        self.coordinator.token = TOKEN
        agents = [self.enterContext(Agent(self.coordinator.endpoint, name, "--labels", "zone=a", "--capacity", 1000)) for name in ("a1", "a2")]
        self.coordinator.wait_agents(2)
        self.about_the_process()
        self.about_agents_and_lists()
        self.about_one_campaign()
        self.about_artifacts()
        self.about_deleting()
        self.what_is_refused()
        self.about_codes()
        self.while_it_drains(agents)
        described = {(path, method, status) for path, item in DESCRIPTION["paths"].items()
                     for method in METHODS if method in item for status in item[method]["responses"]}
        self.assertEqual(described - self.met, set(), "described, but never met")

    def strangers_are_refused(self):
        for path, item in DESCRIPTION["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                one = path.replace("{campaign}", "1").replace("{number}", "1").replace("{name}", "app.js")
                self.hold(method, one, 403, headers={"Origin": "http://evil.example"}, token=TOKEN)
                if item[method].get("security") != []:
                    self.hold(method, one, 401)
                if method == "post":
                    self.hold(method, one, 415, body="{}", headers={"Content-Type": "text/plain"}, token=TOKEN)

    def about_the_process(self):
        self.hold("get", "/healthz", 200)
        self.hold("get", "/readyz", 200)
        self.assertIn(b"tutti_agents 2", self.hold("get", "/metrics", 200).body)
        for path in ("/", "/dashboard/app.js"):
            tag = self.hold("get", path, 200).headers["ETag"]
            self.hold("get", path, 304, headers={"If-None-Match": tag})
        self.hold("get", "/dashboard/nothing", 404)
        served = self.hold("get", "/v1/openapi.yaml", 200).body
        self.assertEqual(served, (ROOT / "docs" / "openapi.yaml").read_bytes())

    def about_agents_and_lists(self):
        self.hold("get", "/v1/campaigns", 200)
        number = self.hold("post", "/v1/campaigns", 201, body=campaign("slow-steps", 2, workers=4, runs=100000)).json["campaign"]
        self.coordinator.wait_state(number, "running")
        self.hold("get", "/v1/agents", 200)
        self.hold("get", "/v1/log", 200)
        self.hold("get", "/v1/log?after=x", 400)
        self.hold("get", "/v1/campaigns", 200)
        self.hold("get", f"/v1/campaigns/{number}", 200)
        self.hold("get", f"/v1/campaigns/{number}/report", 200)
        self.hold("get", f"/v1/campaigns/{number}/series", 200)
        self.hold("get", f"/v1/campaigns/{number}/series?since=1&only=total", 200)
        self.hold("get", f"/v1/campaigns/{number}/rooms", 200)
        self.hold("get", f"/v1/campaigns/{number}/rooms?limit=0", 400)
        self.hold("get", f"/v1/campaigns/{number}/rooms/0", 200)
        self.hold("get", f"/v1/campaigns/{number}/rooms/0?offset=x", 400)
        self.hold("get", f"/v1/campaigns/{number}/rooms/1", 404)
        for wrong in ("since=x", "since=-1", "only=names", "name=login", "name=load.workers", "name=load.pad", "name=waits.", "name=requests."):
            self.hold("get", f"/v1/campaigns/{number}/series?{wrong}", 400)
        self.hold("get", f"/v1/campaigns/{number}/events?since=", 400)
        with Events(self.coordinator, number) as events:
            _, live = events.until("progress")[-1]
            check(live, DESCRIPTION["components"]["schemas"]["Live"], "event progress")
            self.hold("post", f"/v1/campaigns/{number}/scale", 202, body={"workers": 6})
            self.hold("post", f"/v1/campaigns/{number}/rate", 409, body={"rate": "5/s"})
            self.hold("post", f"/v1/campaigns/{number}/resume", 409, body={})
            self.hold("post", f"/v1/campaigns/{number}/pause", 202, body={})
            self.hold("post", f"/v1/campaigns/{number}/pause", 409, body={})
            self.hold("post", f"/v1/campaigns/{number}/resume", 202, body={})
            self.hold("post", f"/v1/campaigns/{number}/stop", 202, body={"at_once": False, "reason": "told to"})
            _, report = events.until("ended")[-1]
            check(report, DESCRIPTION["components"]["schemas"]["Report"], "event ended")
        self.hold("post", f"/v1/campaigns/{number}/stop", 409)
        self.hold("post", f"/v1/campaigns/{number}/scale", 409, body={"workers": 6})
        for path in ("rooms", "rooms/0"):
            self.hold("get", f"/v1/campaigns/{number}/{path}", 409)
        number = self.coordinator.create("quick", 2, workers=4, rate="20/s", duration_ms=60000)
        self.coordinator.wait_state(number, "running")
        self.hold("post", f"/v1/campaigns/{number}/rate", 202, body={"rate": "50/s"})
        self.hold("post", f"/v1/campaigns/{number}/stop", 202, body={"at_once": True})
        check(self.coordinator.report(number), DESCRIPTION["components"]["schemas"]["Report"], "a report with a load")

    def about_one_campaign(self):
        properties = DESCRIPTION["components"]["schemas"]["Options"]["properties"]
        chosen = {"workers": 4, "runs": 2, "duration_ms": 60000, "ramp_up_ms": 1, "delay_ms": 1, "room_size": 2, "on_loss": "replace", "on_deadlock": "fail", "browser": "firefox", "sync_timeout_ms": 5000, "setup_timeout_ms": 5000, "verbosity": 0,
                  "single_run": False, "single_mode": "meet", "exception": False, "fail_steps": 0, "fail_percent": 2.5, "target": "http://127.0.0.1:1", "seed": 5, "on": "zone=a"}
        self.assertEqual(set(chosen) - set(properties), set())
        every_option = {name: chosen[name] if name in chosen else sample(schema) for name, schema in properties.items()}
        for name, value in every_option.items():
            check(value, properties[name], name)
        body = {**campaign("quick", 2, **every_option), "creation_key": "drawn once", "env": {"HOST": "h"}}
        self.assertEqual(set(body), set(DESCRIPTION["components"]["schemas"]["NewCampaign"]["properties"]))
        number = self.hold("post", "/v1/campaigns", 201, body=body).json["campaign"]
        self.assertEqual(self.hold("post", "/v1/campaigns", 200, body=body).json["campaign"], number)
        report = self.coordinator.report(number)
        self.assertEqual((report["verdict"], report["steps"]["ok"], report["seed"]), ("passed", 8, 5), report)
        self.hold("get", f"/v1/campaigns/{number}", 200)
        self.hold("get", f"/v1/campaigns/{number}/report", 200)
        self.hold("get", f"/v1/campaigns/{number}/events", 200)
        self.hold("get", "/v1/agents", 200)
        for name, schema in DESCRIPTION["components"]["schemas"]["Options"]["properties"].items():
            for wrong in wrong_values(schema):
                self.hold("post", "/v1/campaigns", 400, body=campaign("quick", **{name: wrong}))

    def about_artifacts(self):
        with FakeDriver() as driver:
            number = self.coordinator.create("fails-in-a-browser", 2, workers=2, runs=1, target=driver.url)
            report = self.coordinator.report(number)
        check(report, DESCRIPTION["components"]["schemas"]["Report"], "a report with artifacts")
        self.assertEqual(sorted((artifact["kind"], artifact["worker"]) for artifact in report["artifacts"]),
                         [("screenshot", 0), ("screenshot", 1), ("source", 0), ("source", 1)])
        for artifact in report["artifacts"]:
            answer = self.hold("get", f"/v1/campaigns/{number}/artifacts/{artifact['number']}", 200)
            self.assertEqual(answer.body, PICTURE if artifact["kind"] == "screenshot" else SOURCE.encode())
        for wrong in (0, 5, 2**63):
            self.hold("get", f"/v1/campaigns/{number}/artifacts/{wrong}", 404)
        self.hold("get", "/v1/campaigns/999/artifacts/1", 404)

    def about_deleting(self):
        number = self.coordinator.create("quick", 2, workers=2, runs=1)
        self.coordinator.report(number)
        series = self.reports / f"{number}.series"
        series.unlink()
        series.mkdir()
        self.hold("delete", f"/v1/campaigns/{number}", 503)
        series.rmdir()
        self.assertEqual(self.hold("delete", f"/v1/campaigns/{number}", 200).json, {"campaign": number})
        self.hold("delete", f"/v1/campaigns/{number}", 404)

    def what_is_refused(self):
        self.hold("post", "/v1/campaigns", 409, body=campaign("quick", 2, workers=2001))
        number = self.coordinator.create("quick", 9, deadline_ms=60000)
        large = b" " * (96 * 1024 * 1024)
        self.hold("delete", f"/v1/campaigns/{number}", 409)
        self.hold("post", "/v1/campaigns", 400, body="{}")
        self.hold("post", "/v1/campaigns", 400, body={**campaign("quick"), "env": {"1": "x"}})
        self.hold("get", "/v1/campaigns?label=team", 400)
        self.hold("post", "/v1/campaigns", 413, body=large)
        self.hold("post", f"/v1/campaigns/{number}/stop", 400, body="[]")
        for wrong in ("[]", "{}", '{"workers": 0}', '{"workers": 1000001}', '{"workers": 5, "more": 1}'):
            self.hold("post", f"/v1/campaigns/{number}/scale", 400, body=wrong)
        self.hold("post", f"/v1/campaigns/{number}/stop", 413, body=large)
        self.hold("post", f"/v1/campaigns/{number}/scale", 413, body=large)
        for wrong in ("[]", "{}", '{"rate": 5}', '{"rate": "5"}', '{"rate": "5/s", "more": 1}'):
            self.hold("post", f"/v1/campaigns/{number}/rate", 400, body=wrong)
        for path in ("pause", "resume"):
            self.hold("post", f"/v1/campaigns/{number}/{path}", 400, body='{"more": 1}')
        for path in ("rate", "pause", "resume"):
            self.hold("post", f"/v1/campaigns/{number}/{path}", 413, body=large)
        for method, path in (("get", ""), ("get", "/report"), ("get", "/series"), ("get", "/rooms"), ("get", "/events"), ("post", "/stop"), ("post", "/scale"), ("post", "/rate"),
                             ("post", "/pause"), ("post", "/resume")):
            self.hold(method, f"/v1/campaigns/999{path}", 404)
        self.coordinator.post(f"/v1/campaigns/{number}/stop")

    def about_codes(self):
        large = b" " * (96 * 1024 * 1024)
        code = self.hold("post", "/v1/login/code", 201, body={}).json["code"]
        self.assertEqual(self.hold("post", "/v1/login", 200, body={"code": code}).json, {"token": TOKEN})
        for wrong in ("[]", "{}", '{"code": 5}', f'{{"code": "{code}", "more": 1}}'):
            self.hold("post", "/v1/login", 400, body=wrong)
        self.hold("post", "/v1/login/code", 400, body='{"more": 1}')
        for path in ("/v1/login", "/v1/login/code"):
            self.hold("post", path, 413, body=large)
        for _ in range(10):
            self.hold("post", "/v1/login", 401, body={"code": code})
        self.hold("post", "/v1/login", 429, body={"code": code})

    def while_it_drains(self, agents):
        script = campaign("drains-slowly", 2, workers=2, runs=100000)
        number = self.hold("post", "/v1/campaigns", 201, body=script).json["campaign"]
        self.coordinator.wait_until(lambda: self.coordinator.show(number)["steps"]["ok"] > 0, 20, "no steps")
        self.coordinator.process.terminate()
        self.coordinator.wait_for("shutting down")
        self.hold("get", "/healthz", 200)
        self.hold("get", "/readyz", 503)
        self.hold("post", "/v1/campaigns", 503, body=script)


def wrong_values(schema):
    if schema["type"] in ("integer", "number"):
        yield "5"
        for bound, beyond in (("minimum", -1), ("maximum", 1)):
            if bound in schema:
                yield schema[bound] + beyond
    elif schema["type"] == "boolean":
        yield "true"
    else:
        yield 5
        if "enum" in schema:
            yield "other"
        if "maxLength" in schema:
            yield "x" * (schema["maxLength"] + 1)


if __name__ == "__main__":
    unittest.main()
