"""A coordinator daemon with its agents, and a small client of its API, for the integration tests."""
import base64
import http.client
import json
import re
import signal
import threading
import unittest

import described
from support import Process, environment, script, token_of, tutti, wait_until

READY = re.compile(r"ready: agents at (tcp://\S+), API at http://(\S+):(\d+)")


class Logged(Process):
    """A process whose standard error is collected while it runs."""

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    @property
    def log(self):
        with self.changed:
            return "\n".join(self.lines)

    def wait_for(self, text, seconds=20, since=0):
        """The first line from line `since` on that contains `text`."""
        with self.changed:
            found = self.changed.wait_for(lambda: next((line for line in self.lines[since:] if text in line), None), seconds)
        if found is None:
            raise AssertionError(f"after {seconds} s nothing said {text!r}:\n{self.log}")
        return found

    def end(self, number=signal.SIGTERM, seconds=20):
        """Sends a signal and returns the exit code."""
        self.process.send_signal(number)
        return self.code(seconds)

    def code(self, seconds=20):
        code = self.process.wait(seconds)
        self.reader.join(5)
        return code

    def __exit__(self, *_):
        self.kill()
        self.process.wait()
        self.reader.join(5)
        self.close()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:2000]!r}"


class Coordinator(Logged):
    def __init__(self, *options, listen="tcp://127.0.0.1:0", http="127.0.0.1:0", token=None, **more):
        super().__init__("coordinator", "--listen", listen, "--http", http, *options, **more)
        found = READY.search(self.wait_for("ready: agents at"))
        self.endpoint, self.host, self.port = found.group(1), found.group(2).strip("[]"), int(found.group(3))
        self.token = token or token_of(self.port)

    @property
    def authorization(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def connect(self, timeout=20):
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, token=None):
        headers = {**self.authorization, **(headers or {})}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        finally:
            connection.close()
        described.hold(method, path, answer)
        return answer

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def create(self, name, /, expect_agents=1, deadline_ms=20000, **options):
        answer = self.post("/v1/campaigns", campaign(name, expect_agents, deadline_ms, **options))
        if answer.status != 201:
            raise AssertionError(str(answer))
        return answer.json["campaign"]

    def show(self, campaign):
        return self.get(f"/v1/campaigns/{campaign}").json

    def wait_until(self, condition, seconds, what):
        try:
            wait_until(condition, seconds, what)
        except AssertionError as failed:
            raise AssertionError(f"{failed}\n{self.log}") from None

    def wait_state(self, campaign, state, seconds=30):
        self.wait_until(lambda: self.show(campaign)["state"] == state, seconds, f"campaign {campaign} is not {state}")

    def report(self, campaign, seconds=60):
        """Waits for the end."""
        self.wait_state(campaign, "ended", seconds)
        return self.get(f"/v1/campaigns/{campaign}/report").json

    def wait_agents(self, count, seconds=20):
        def joined():
            return [agent for agent in self.get("/v1/agents").json["agents"] if agent["state"] not in ("left", "lost")]
        self.wait_until(lambda: len(joined()) == count, seconds, f"not {count} agents")

    def metrics(self):
        text = self.get("/metrics").body.decode()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line and not line.startswith("#")}


def campaign(name, /, expect_agents=1, deadline_ms=20000, **options):
    path = script(name)
    content = base64.b64encode(path.read_bytes()).decode()
    return {"script": path.name, "files": [{"path": path.name, "content": content}], "options": options,
            "expect_agents": expect_agents, "deadline_ms": deadline_ms}


class Agent(Logged):
    def __init__(self, endpoint, name, *options, **more):
        super().__init__("agent", "--coordinator", endpoint, "--name", name, "--shards", "1", "--quiet", *options, **more)


class WithAgents(unittest.TestCase):
    """One coordinator and its agents for all tests of the class."""

    names = ("a1", "a2", "a3")

    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator())
        cls.agents = [cls.enterClassContext(Agent(cls.coordinator.endpoint, name)) for name in cls.names]
        cls.coordinator.wait_agents(len(cls.names))
        cls.env = environment(TUTTI_API=f"http://127.0.0.1:{cls.coordinator.port}")

    def tutti(self, *arguments, **more):
        return tutti(*arguments, env=self.env, **more)


class Events:
    """The server-sent events of a campaign: (event, data) as they arrive."""

    def __init__(self, coordinator, campaign, since=None):
        self.connection = coordinator.connect(timeout=60)
        query = "" if since is None else f"?since={since}"
        self.id = None  # of the latest event that had one
        self.connection.request("GET", f"/v1/campaigns/{campaign}/events{query}", headers=coordinator.authorization)
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def __iter__(self):
        event, data = None, None
        for line in self.response:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("id: "):
                self.id = int(line[4:])
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "" and event is not None:
                described.hold_event(event, data)
                yield event, data
                event, data = None, None

    def until(self, wanted):
        seen = []
        for event, data in self:
            seen.append((event, data))
            if event == wanted:
                return seen
        raise AssertionError(f"the stream ended without {wanted}: {[event for event, _ in seen]}")

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
