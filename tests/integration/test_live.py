"""Points that go to other programs while a campaign runs: their values are held with known causes, and no receiver stops the load."""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

from daemon import Agent, Coordinator
from receivers import Datagrams, Receiver, read_influx, read_otlp, read_remote_write, read_statsd, wait_for
from support import ROOT, environment, run, tutti, write_secret

STEPS, WORKERS = 25, 4
COUNT = STEPS * WORKERS
ODD = (STEPS + 1) // 2 * WORKERS
FIFTY = ("-w", WORKERS, "-r", STEPS, "--target", "builtin", "--agents", 2, "--threshold", "http.p95 < 2s; http.count > 1000000", "--quiet")
# Requests of 50 ms: more on a machine with much else to do.
LEAST_S, MOST_S = 0.049, 0.5


def value_of(points, of, /, **labels):
    found = [value for (name, has), value in points.items() if of == name and set(labels.items()) <= set(has)]
    assert len(found) == 1, (of, labels, found)
    return found[0]


def one(process, kind):
    """The row of the report about the output of this kind."""
    (row,) = [row for row in process.report["outputs"] if row["output"].startswith(kind)]
    return row


class Values(unittest.TestCase):
    """100 requests of 50 ms, to all outputs at once."""

    @classmethod
    def setUpClass(cls):
        cls.receiver = cls.enterClassContext(Receiver())
        cls.datagrams = cls.enterClassContext(Datagrams())
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        write_secret(folder / "token", "geheim-1\n")
        url = cls.receiver.url
        cls.result = run("fifty", *FIFTY, "--out", f"influxdb:{url}/api/v2/write?org=o&bucket=b,token-file={folder / 'token'}",
                         "--out", f"otlp:{url}/v1/metrics", "--out", f"prometheus:{url}/api/v1/write,token-file={folder / 'token'}",
                         "--out", f"statsd:127.0.0.1:{cls.datagrams.port},prefix=load.{{campaign}}",
                         env=environment(INFLUX_TOKEN="another", OTEL_EXPORTER_OTLP_HEADERS="x-team=a%20b,broken,x-more=1"))

    def posts(self, path):
        return [(headers, body) for at, headers, body in self.receiver.taken if at.startswith(path)]

    def test_the_report_counts_them(self):
        self.assertEqual(self.result.code, 1, self.result)
        self.assertEqual([row["lost"] for row in self.result.report["outputs"]], [0, 0, 0, 0], self.result.report["outputs"])
        for kind, path in (("influxdb", "/api/v2"), ("otlp", "/v1"), ("prometheus", "/api/v1")):
            row = one(self.result, kind)
            self.assertEqual(row["points"], len(self.posts(path)), row)
            self.assertEqual((row["error"], row["output"]), ("", f"{kind} at {self.receiver.url}"))

    def test_influxdb(self):
        posts = self.posts("/api/v2/write?org=o&bucket=b")
        self.assertEqual({headers["Authorization"] for headers, _ in posts}, {"Token geheim-1"})
        points = read_influx(b"".join(body for _, body in posts).decode())
        total = [fields for (measurement, _, _), fields in points.items() if measurement == "tutti_requests"]
        self.assertEqual(sum(fields["count"] for fields in total), COUNT)
        self.assertEqual(sum(fields["failed"] for fields in total), 0)
        for fields in total:
            if fields["count"]:
                self.assertTrue(LEAST_S * 1000 < fields["p50_ms"] < MOST_S * 1000, fields)
        by_name = [(dict(tags), fields) for (measurement, tags, _), fields in points.items() if measurement == "tutti_requests_by_name"]
        self.assertEqual({tags["name"] for tags, _ in by_name}, {"odd", "even, or not"})
        self.assertEqual(sum(fields["count"] for tags, fields in by_name if tags["name"] == "odd"), ODD)
        self.assertEqual({tags["campaign"] for tags, _ in by_name}, {"1"})
        workers = [fields["workers"] for (measurement, _, _), fields in points.items() if measurement == "tutti_load"]
        self.assertEqual(max(workers), WORKERS)
        last = max((at, fields) for (measurement, tags, at), fields in points.items()
                   if measurement == "tutti_thresholds" and dict(tags)["threshold"] == "http.count > 1000000")[1]
        self.assertEqual(last, {"missed": True, "value": COUNT})
        times = [at for (measurement, _, at) in points if measurement == "tutti_requests"]
        self.assertLess(abs(min(times) / 1e9 - time.time()), 600)
        self.assertEqual({at % 10**9 for at in times}, {times[0] % 10**9}, "seconds are apart by whole seconds")

    def test_statsd(self):
        counters, gauges = read_statsd(self.datagrams.all())
        self.assertEqual(counters["load.1.requests.count"], COUNT)
        self.assertEqual(counters["load.1.steps.ok"], COUNT)
        self.assertEqual(counters["load.1.requests_by_name.odd.count"], ODD)
        self.assertEqual(counters["load.1.requests_by_name.even__or_not.count"], COUNT - ODD)
        self.assertNotIn("load.1.requests.failed", counters)
        self.assertTrue(LEAST_S * 1000 < gauges["load.1.requests.p50_ms"] < MOST_S * 1000, gauges)
        self.assertEqual(gauges["load.1.thresholds.http_count_>_1000000.missed"], 1)

    def test_otlp(self):
        posts = self.posts("/v1/metrics")
        self.assertEqual({(headers["Content-Type"], headers["x-team"], headers["x-more"]) for headers, _ in posts}, {("application/json", "a b", "1")})
        for _, body in posts:
            points = read_otlp(body)
        self.assertEqual(int(value_of(points, "tutti.campaign.requests")["asInt"]), COUNT)
        self.assertEqual(int(value_of(points, "tutti.campaign.steps", result="ok")["asInt"]), COUNT)
        self.assertEqual(int(value_of(points, "tutti.campaign.checks", name="is 200", result="passed")["asInt"]), COUNT)
        duration = value_of(points, "tutti.campaign.request.duration", name="odd")
        self.assertEqual((int(duration["count"]), duration["unit"]), (ODD, "s"))
        self.assertTrue(LEAST_S * ODD < duration["sum"] < MOST_S * ODD, duration)
        fast = sum(int(count) for count, bound in zip(duration["bucketCounts"], duration["explicitBounds"]) if bound < LEAST_S)
        self.assertEqual(fast, 0, duration)
        self.assertEqual(value_of(points, "tutti.campaign.threshold.missed", threshold="http.p95 < 2s")["asDouble"], 0)

    def test_remote_write(self):
        posts = self.posts("/api/v1/write")
        for headers, _ in posts:
            self.assertEqual((headers["Content-Encoding"], headers["Content-Type"], headers["X-Prometheus-Remote-Write-Version"], headers["Authorization"]),
                             ("snappy", "application/x-protobuf", "0.1.0", "Bearer geheim-1"))
        samples = [read_remote_write(body) for _, body in posts]
        last = samples[-1]
        self.assertEqual(value_of(last, "tutti_campaign_requests_total", campaign="1")[0], COUNT)
        self.assertEqual(value_of(last, "tutti_campaign_request_duration_seconds_count", name="odd")[0], ODD)
        self.assertEqual(value_of(last, "tutti_campaign_request_duration_seconds_bucket", name="odd", le="+Inf")[0], ODD)
        self.assertEqual(value_of(last, "tutti_campaign_request_duration_seconds_bucket", name="odd", le="0.025")[0], 0)
        self.assertGreater(value_of(last, "tutti_campaign_request_duration_seconds_bucket", name="odd", le="0.5")[0], 0)
        at = [value_of(each, "tutti_campaign_requests_total")[1] for each in samples]
        self.assertEqual(at, sorted(at))
        self.assertLess(abs(at[-1] / 1e3 - time.time()), 600)


class Trouble(unittest.TestCase):
    """The load goes on; the report says what was lost, and why; the end comes within a bound."""

    def through(self, *behaviour, lost, why, kind="influxdb"):
        with self.subTest(behaviour=behaviour), Receiver(*behaviour) as receiver:
            result = run("fifty", *FIFTY[:-1], "--out", f"{kind}:{receiver.url}/x")
            row = one(result, kind)
            self.assertEqual(result.steps["ok"], COUNT, result)
            self.assertEqual(result.report["requests"]["odd"]["failed"], 0)
            self.assertLess(result.report["duration_s"], 20)
            self.assertLess(result.seconds - result.report["duration_s"], 15, result)
            if lost == "all":
                self.assertEqual(row["lost"], row["points"], row)
                self.assertIn(f"output  {kind} at {receiver.url}: {row['lost']} of {row['points']} points were not taken: {why}", result.out)
            else:
                self.assertEqual(row["lost"], lost, row)
            self.assertEqual(row["error"], why)
            said = [line for line in result.err.splitlines() if "does not take points" in line]
            self.assertEqual(said, [f"tutti: run: {kind} at {receiver.url} does not take points: {why}"], result)
            return result, receiver

    def test_answers_500(self):
        self.through(500, lost="all", why="HTTP 500: not now")

    def test_answers_500_at_first(self):
        result, receiver = self.through(503, "take", lost=0, why="HTTP 503: not now", kind="prometheus")
        self.assertEqual(len(receiver.taken), one(result, "prometheus")["points"])

    def test_is_refused(self):
        _, receiver = self.through(400, lost="all", why="HTTP 400: not now")
        self.assertLess(len(receiver.posts), 30, "what is refused is not sent again")

    def test_redirects_lead_nowhere(self):
        self.through(307, lost="all", why="HTTP 307: not now")

    def test_resets(self):
        self.through("reset", lost="all", why="the connection was closed without an answer")

    def test_hangs(self):
        with Receiver("hang") as receiver:
            result = run("fifty", *FIFTY, "--out", f"influxdb:{receiver.url}/x")
        row = one(result, "influxdb")
        self.assertEqual((row["lost"], result.steps["ok"]), (row["points"], COUNT), result)
        self.assertIn(row["error"], ("it is too slow", "no answer within 5 s"))
        self.assertLess(result.seconds - result.report["duration_s"], 15, result)

    def test_nobody_listens(self):
        with Receiver() as receiver:
            pass
        result = run("fifty", *FIFTY, "--out", f"otlp:{receiver.url}/v1/metrics")
        row = one(result, "otlp")
        self.assertEqual((row["lost"], row["error"], result.steps["ok"]), (row["points"], "connection refused", COUNT), result)

    def test_is_slow(self):
        with Receiver("slow") as receiver:
            result = run("fifty", *FIFTY, "--out", f"influxdb:{receiver.url}/x")
        row = one(result, "influxdb")
        self.assertEqual((len(receiver.taken), row["lost"] <= 1, result.steps["ok"]), (row["points"] - row["lost"], True, COUNT), row)

    def test_what_is_malformed_starts_nothing(self):
        for value, why in (("influx:http://a", "is none of statsd:HOST:PORT, influxdb:URL, otlp:URL and prometheus:URL"),
                           ("statsd:localhost", "is not HOST:PORT"), ("statsd:localhost:0", "is not HOST:PORT"), ("statsd:localhost:99999", "is not HOST:PORT"),
                           ("statsd:localhost:1,prefix=a b", "a prefix has letters, digits"), ("statsd:localhost:1,token-file=x", "is no setting of this output"),
                           ("influxdb:file:///etc/passwd", "is not a URL of http or https"), ("influxdb:http://", "is not a URL"),
                           ("otlp:http://user:secret@host/v1", "use token-file=FILE"), ("otlp:http://h/,token-file=", "is given twice, or empty"),
                           ("otlp:http://127.0.0.1:1/,token-file=/nowhere/token", "/nowhere/token"),
                           ("statsd:no-such-host.invalid:8125", "no-such-host.invalid: ")):
            with self.subTest(value=value):
                result = run("fifty", *FIFTY, "--out", value)
                self.assertEqual(result.code, 2, result)
                self.assertEqual(len(result.err.splitlines()), 1, result)
                self.assertIn("--out", result.err)
                self.assertIn(why, result.err)
                self.assertNotIn("secret", result.err)
        result = run("fifty", *FIFTY, *[word for _ in range(9) for word in ("--out", "statsd:127.0.0.1:9")])
        self.assertEqual(result.code, 2)
        self.assertIn("at most 8 outputs", result.err)

    def test_a_script_cannot_choose_one(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "out.lua")
            path.write_text('local tutti = require "tutti"\ntutti.options { out = "statsd:127.0.0.1:9" }\ntutti.scenario("a", function() end)\n')
            result = tutti("run", path)
            self.assertEqual(result.code, 2, result)
            self.assertIn("out", result.err)


class Scraped(unittest.TestCase):
    """What Prometheus reads."""

    def test_histograms_and_too_many_names(self):
        with Coordinator() as coordinator, Agent(coordinator.endpoint, "a1") as agent:
            coordinator.wait_agents(1)
            campaign = coordinator.create("many-names", workers=1, duration_ms=30000, target="builtin")
            of = lambda metric, name, more="": f'tutti_campaign_{metric}{{campaign="{campaign}",name="{name}"{more}}}'
            left_out = f'tutti_metrics_dropped_series{{campaign="{campaign}"}}'
            coordinator.wait_until(lambda: coordinator.metrics().get(left_out, 0) == 50, 20, "names are not counted")
            coordinator.wait_until(lambda: coordinator.metrics()[of("request_duration_seconds_count", "(other)")] == 50, 20, "not all are there")
            metrics = coordinator.metrics()
            self.assertEqual(metrics[of("request_duration_seconds_count", "first")], 10)
            self.assertEqual(metrics[of("request_duration_seconds_bucket", "first", ',le="+Inf"')], 10)
            self.assertEqual(metrics[of("request_duration_seconds_bucket", "first", ',le="0.025"')], 0)
            self.assertTrue(10 * LEAST_S < metrics[of("request_duration_seconds_sum", "first")] < 10 * MOST_S, metrics)
            self.assertEqual(metrics[of("request_failures_total", "z-0")], 1)
            self.assertEqual(metrics[of("request_duration_seconds_count", "z-198")], 1)
            self.assertNotIn(of("request_duration_seconds_count", "z-199"), metrics)
            self.assertEqual(metrics[of("request_failures_total", "(other)")], 50)
            self.assertEqual(len([line for line in coordinator.log.splitlines() if "too many names for /metrics" in line]), 1, coordinator.log)
            self.promtool(coordinator.get("/metrics").body)
            coordinator.post(f"/v1/campaigns/{campaign}/stop", {"at_once": True})
            coordinator.wait_state(campaign, "ended")

    def promtool(self, text):
        if shutil.which("promtool") is None:
            print("promtool is not installed (package prometheus): its check of /metrics is left out")
            return
        result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=60)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    @unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed (package prometheus)")
    def test_a_real_prometheus_scrapes_and_is_written_to(self):
        with tempfile.TemporaryDirectory() as name, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            folder = pathlib.Path(name)
            write_secret(folder / "token", coordinator.token)
            (folder / "prometheus.yml").write_text(json.dumps({
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [{"job_name": "tutti", "static_configs": [{"targets": [f"127.0.0.1:{coordinator.port}"]}],
                                    "authorization": {"credentials_file": str(folder / "token")}}]}))
            checked = subprocess.run(["promtool", "check", "config", folder / "prometheus.yml"], capture_output=True, timeout=60)
            self.assertEqual(checked.returncode, 0, checked)
            self.url = f"http://127.0.0.1:{free_port()}"
            with open(folder / "log", "w") as log:
                process = subprocess.Popen(["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
                                            f"--web.listen-address={self.url.removeprefix('http://')}", "--web.enable-remote-write-receiver"],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                self.assertTrue(wait_for(self.is_ready, 30), (folder / "log").read_text())
                coordinator.wait_agents(1)
                campaign = coordinator.create("fifty", workers=2, runs=200, target="builtin")
                written = run("fifty", *FIFTY, "--out", f"prometheus:{self.url}/api/v1/write")
                self.assertEqual(one(written, "prometheus")["lost"], 0, written.report["outputs"])
                self.assertTrue(wait_for(lambda: self.ask('tutti_campaign_requests_total{job!="tutti"}') == [COUNT]), (folder / "log").read_text())
                self.assertEqual(self.ask('tutti_campaign_request_duration_seconds_count{job!="tutti",name="odd"}'), [ODD])
                (p50,) = self.ask('histogram_quantile(0.5, sum by (le) (tutti_campaign_request_duration_seconds_bucket{job!="tutti"}))')
                self.assertTrue(0.025 <= p50 <= 0.25, p50)
                scraped = f'tutti_campaign_request_duration_seconds_count{{job="tutti",campaign="{campaign}",name="odd"}}'
                self.assertTrue(wait_for(lambda: self.ask(scraped) and self.ask(scraped)[0] > 0), (folder / "log").read_text())
                self.assertEqual(self.ask('up{job="tutti"}'), [1])
                for expression in dashboard_expressions():
                    self.ask(expression.replace("$campaign", ".*"))
                coordinator.post(f"/v1/campaigns/{campaign}/stop", {"at_once": True})
                coordinator.wait_state(campaign, "ended")
            finally:
                process.terminate()
                process.wait(30)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def ask(self, expression):
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=10) as answer:
            result = json.load(answer)
        self.assertEqual(result["status"], "success", (expression, result))
        return [float(item["value"][1]) for item in result["data"]["result"]]


class Dashboards(unittest.TestCase):
    def test_they_use_what_exists(self):
        sources = "".join(path.read_text() for folder in ("api", "metrics") for path in sorted((ROOT / "coordinator" / folder).glob("*.c")))
        rows = dict(re.findall(r'"((?:tutti|process)_[a-z_0-9]+)",\s*"?(METRIC_\w+|gauge|counter)?', sources))
        expressions = dashboard_expressions()
        self.assertGreater(len(expressions), 15)
        for expression in expressions:
            names = re.findall(r"\btutti_\w+", expression)
            self.assertTrue(names, expression)
            for name in names:
                whole = re.sub(r"_(bucket|sum|count)$", "", name)
                is_histogram = rows.get(whole) == "METRIC_HISTOGRAM"
                self.assertTrue(name in rows if not is_histogram else name != whole, f"{name} of the dashboard does not exist")
        known = {"campaign", "result", "name", "scenario", "kind", "notifier", "threshold", "le", "quantile", "agent"}
        for labels in re.findall(r"by \(([^)]*)\)|\{\{(\w+)\}\}", json.dumps([*expressions, *legends()])):
            for label in re.split(r", *", "".join(labels)):
                self.assertIn(label, known)


def panels():
    for path in sorted((ROOT / "deploy" / "grafana").glob("*.json")):
        yield from json.loads(path.read_text())["panels"]


def dashboard_expressions():
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def legends():
    return [target["legendFormat"] for panel in panels() for target in panel["targets"]]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Daemon(unittest.TestCase):
    def test_campaigns_of_a_coordinator(self):
        with Receiver() as receiver, Receiver(500) as broken, tempfile.TemporaryDirectory() as state, \
                Coordinator("--state", state, "--out", f"influxdb:{receiver.url}/a", "--out", f"prometheus:{receiver.url}/b",
                            "--out", f"otlp:{broken.url}/c") as coordinator, Agent(coordinator.endpoint, "a1"):
            coordinator.wait_agents(1)
            first = coordinator.create("fifty", workers=2, runs=30, target="builtin")
            second = coordinator.create("fifty", workers=1, runs=30, target="builtin")
            reports = [coordinator.report(first), coordinator.report(second)]
            self.assertEqual([report["steps"]["ok"] for report in reports], [60, 30])
            settled = lambda: [coordinator.get(f"/v1/campaigns/{campaign}/report").json["outputs"] for campaign in (first, second)]
            coordinator.wait_until(lambda: all(row["lost"] > 0 for row in (outputs[2] for outputs in settled())), 15, "not given up")
            points = read_influx(b"".join(body for path, _, body in receiver.taken if path == "/a").decode())
            counts = {}
            for (measurement, tags, _), fields in points.items():
                if measurement == "tutti_requests":
                    counts[dict(tags)["campaign"]] = counts.get(dict(tags)["campaign"], 0) + fields["count"]
            self.assertEqual(counts, {str(first): 60, str(second): 30})
            lines = [line for line in coordinator.log.splitlines() if "otlp at" in line]
            self.assertEqual(len([line for line in lines if f"campaign {first}: otlp at {broken.url} does not take points: HTTP 500" in line]), 1, lines)
            for campaign in (first, second):
                said = [line for line in lines if f"campaign {campaign}: otlp at" in line and "points were not taken: HTTP 500: not now" in line]
                self.assertEqual(len(said), 1, lines)
            for outputs in settled():
                self.assertEqual((outputs[0]["lost"], outputs[1]["lost"], outputs[2]["lost"]), (0, 0, outputs[2]["points"]), outputs)
                self.assertGreater(outputs[0]["points"], 0)
            self.assertEqual(coordinator.end(), 0)

    def test_a_campaign_whose_points_are_not_taken_holds_up_no_other(self):
        """Neither by answers that never come nor by errors; each is said once."""
        def behave(body):
            return "hang" if b"campaign=1," in body else 503 if b"campaign=2," in body else "take"
        with Receiver(behave) as receiver, Coordinator("--out", f"influxdb:{receiver.url}/a") as coordinator, Agent(coordinator.endpoint, "a1"):
            coordinator.wait_agents(1)
            campaigns = [coordinator.create("fifty", workers=1, runs=200, target="builtin") for _ in range(3)]
            for campaign in campaigns:
                coordinator.report(campaign)
            outputs = lambda: [coordinator.get(f"/v1/campaigns/{campaign}/report").json["outputs"][0] for campaign in campaigns]
            coordinator.wait_until(lambda: all(row["lost"] == row["points"] > 0 for row in outputs()[:2]), 20, "not given up")
            stands, fails, works = outputs()
            self.assertEqual((works["lost"], works["error"]), (0, ""), works)
            self.assertGreater(works["points"], 8)
            self.assertEqual((stands["error"], fails["error"]), ("no answer within 5 s", "HTTP 503: not now"))
            taken = read_influx(b"".join(body for _, _, body in receiver.taken).decode())
            self.assertEqual(sum(fields["count"] for (measurement, _, _), fields in taken.items() if measurement == "tutti_requests"), 200)
            said = [line for line in coordinator.log.splitlines() if "does not take points" in line]
            self.assertEqual([sum(f"campaign {campaign}: " in line for line in said) for campaign in campaigns], [1, 1, 0], said)
            self.assertEqual(coordinator.end(), 0)

    def test_a_campaign_cannot_choose_one(self):
        with Coordinator() as coordinator:
            answer = coordinator.post("/v1/campaigns", {"script": "a.lua", "files": [{"path": "a.lua", "content": "LS0="}], "options": {"out": "statsd:127.0.0.1:9"}})
            self.assertEqual(answer.status, 400, answer)
            self.assertIn("out", answer.json["error"])
        self.assertEqual(tutti("start", "x.lua", "--out", "statsd:127.0.0.1:9").code, 2)


if __name__ == "__main__":
    unittest.main()
