"""The report and the ledger of a server that breaks, stalls, resets and closes by lot agree on every count.

    TUTTI=… LEDGER_SERVER=… LEDGER_REQUESTS=10000000 PYTHONPATH=tests/integration python3 tests/ledger/test_ledger.py
"""
import json
import os
import pathlib
import random
import subprocess
import tempfile
import threading
import time
import unittest

from support import Run, processes_of_session

REQUESTS = int(os.environ.get("LEDGER_REQUESTS", 20000))
WORKERS = int(os.environ.get("LEDGER_WORKERS", 50))
SEED = int(os.environ.get("LEDGER_SEED", random.randrange(1 << 32)))
ENGINES = os.environ.get("LEDGER_ENGINES", "native curl").split()

SCRIPT = """
local tutti, http = require "tutti", require "tutti.http"
local letters = ("x"):rep(3000)
tutti.scenario("ledger", function(worker)
  local id = (worker.step - 1) * %d + worker.id
  local is_post = id %% 2 == 1
  local options = { name = "ledger", timeout = %s }
  if is_post then options.body = letters:sub(1, id %% 3000) end
  local method = is_post and "POST" or "GET"
  local is_ok, r = pcall(http.request, method, tutti.target .. "/r/" .. id, options)
  if not is_ok then error(method .. " " .. r.kind) end
  if r.body:sub(1, #tostring(id) + 1) ~= id .. ":" then error("the answer to another request") end
  if #r.body ~= tonumber(r.headers["x-size"]) then error("not all of the answer") end
  if r.retried then
    if is_post then error("a POST was repeated") end
    tutti.time("retried", function() end)
  end
  if r.status ~= 200 then error("status " .. r.status) end
end)
"""


class Server:
    def __init__(self, requests):
        self.process = subprocess.Popen([os.environ["LEDGER_SERVER"], str(SEED), str(requests)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def ledger(self):
        out, _ = self.process.communicate(timeout=60)
        return json.loads(out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def expected(ledger, method):
    """How often which outcome: what the server did last to each request, and what never arrived."""
    counts = {}
    for act, count in ledger[method].items():
        outcome = ledger["outcomes"][act]
        counts[outcome] = counts.get(outcome, 0) + count
    return counts


def told(report):
    """The same by the report's errors."""
    counts = {}
    for error in report["errors"]:
        counts[error["message"]] = counts.get(error["message"], 0) + error["count"]
    return counts


def memory_mib(session):
    total = 0
    for pid in processes_of_session(session):
        try:
            total += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return total >> 20


class Ledger(unittest.TestCase):
    def play(self, engine, requests):
        steps = requests // WORKERS
        with tempfile.TemporaryDirectory() as folder, Server(steps * WORKERS) as server:
            path = pathlib.Path(folder, "ledger.lua")
            path.write_text(SCRIPT % (WORKERS, 3))
            with Run(path, "-w", WORKERS, "-r", steps, "--target", server.url, "--http-engine", engine, "--agents", 1) as process:
                over = threading.Event()
                sizes = []

                def watch():
                    while not over.wait(1 if requests < 1e6 else 20):
                        sizes.append(memory_mib(process.pid))
                        if requests >= 1e6:
                            print(f"{engine}: {time.monotonic() - process.started:.0f} s, {sizes[-1]} MiB", flush=True)

                watcher = threading.Thread(target=watch, daemon=True)
                watcher.start()
                result = process.finish(280 if requests < 1e6 else 7200)
                over.set()
                watcher.join()
            return result, server.ledger(), steps * WORKERS, sizes

    def check(self, engine):
        result, ledger, requests, sizes = self.play(engine, REQUESTS)
        report = result.report
        what = f"seed {SEED}, {engine}: {report['errors']}\n{ledger}\n{result}"
        self.assertEqual((ledger["strangers"], ledger["unseen_even"], ledger["repeated_post"]), (0, 0, 0), what)
        self.assertLessEqual(ledger["most_arrivals"], 2, what)
        self.assertEqual(report["requests"]["ledger"]["count"], requests, what)
        gets, posts = expected(ledger, "get"), expected(ledger, "post")
        posts["reset"] = posts.get("reset", 0) + ledger["unseen_odd"]  # sent on a connection that the server had closed
        errors = told(report)
        for kind in ("reset", "protocol", "timeout"):
            for method, counts in (("GET", gets), ("POST", posts)):
                got = sum(count for message, count in errors.items() if message.endswith(f": {method} {kind}"))
                self.assertEqual(got, counts.get(kind, 0), f"{method} {kind}: {what}")
        for status in ("404", "413", "503"):
            got = sum(count for message, count in errors.items() if message.endswith(f"status {status}"))
            self.assertEqual(got, gets.get(status, 0) + posts.get(status, 0), f"status {status}: {what}")
        self.assertEqual(report["steps"]["ok"], gets["ok"] + posts["ok"], what)
        self.assertEqual(sum(errors.values()), requests - report["steps"]["ok"], what)
        # The server has seen some of these twice, and of others only the second.
        self.assertGreaterEqual(report["timings"]["retried"]["count"], 1, what)
        return sizes

    def test_native(self):
        if "native" in ENGINES:
            self.check("native")

    def test_curl(self):
        if "curl" in ENGINES:
            self.check("curl")


if __name__ == "__main__":
    unittest.main()
