"""An HTTP API that answers what a test wants, and records the requests."""
import http.server
import json
import threading

PROGRESS = {"campaign": 7, "state": "running", "verdict": None, "workers": 5, "workers_running": 5, "elapsed_s": 1.0,
            "steps": {"ok": 10, "failed": 0, "stopped": 0}, "requests_total": 0, "requests_per_s": 0, "p95_ms": 0, "waiting": ""}


def report(verdict="passed", reason=""):
    return {"campaign": 7, "script": "pad.lua", "verdict": verdict, "reason": reason, "workers": 5, "started_at": "2026-01-01T00:00:00.000Z",
            "agents": [{"name": "a1", "pid": 11, "host": "h", "workers": 5, "state": "finished"}], "duration_s": 2.5, "seed": 42,
            "steps": {"ok": 10, "failed": 0, "stopped": 0, "p50_ms": 1.0, "p99_ms": 2.0}, "errors": [], "requests": {}, "timings": {},
            "waits": {"pad.barrier": {"kind": "barrier", "count": 10, "ok": 10, "p50_ms": 1.0, "p99_ms": 2.0}}, "release_spread_ms": None}


def event(name, data):
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        api = self.server.api
        with api.changed:
            api.asked.append((self.command, self.path, body, self.headers.get("Authorization")))
            api.changed.notify_all()
            plan = api.plans.get((self.command, self.path))
            step = plan.pop(0) if plan and len(plan) > 1 else plan[0] if plan else None
        try:
            if step is None:
                self.answer(404, {"error": "there is no such thing"})
            elif callable(step):
                step(self)
            else:
                self.answer(*step)
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_GET = do_POST = do

    def answer(self, status, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, *parts):
        """Each part is bytes, or an event to wait for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for part in parts:
            if callable(part):
                part()
            else:
                self.wfile.write(part)
                self.wfile.flush()


class FakeApi:
    """`plans`: for each (method, path) the answers in order, of which the last one is repeated: (status, body) or a function of the handler."""

    def __init__(self, plans, port=0):
        self.plans = {key: list(plan) for key, plan in plans.items()}
        self.asked = []
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.server.api = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def wait_for(self, path, seconds=20):
        with self.changed:
            if not self.changed.wait_for(lambda: any(asked[1] == path for asked in self.asked), seconds):
                raise AssertionError(f"nobody asked for {path}: {self.asked}")

    def bodies(self, path):
        return [body for _, asked, body, _ in self.asked if asked == path]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
