"""Watchers of a campaign second by second: no gap, nothing doubled, and what a slow one or a late one is told."""
import json
import socket
import tempfile
import time
import unittest

from daemon import Agent, Coordinator, Events
from support import wait_until

ADDED = {"requests": ("count", "failed"), "timings": ("count", "failed"), "steps": ("ok", "failed")}


class Rows:
    """What a page keeps: for each second the latest that it was told."""

    def __init__(self):
        self.seconds = {}
        self.skipped = []
        self.next = 0

    def take(self, event, data):
        if event == "skipped":
            self.skipped.append((data["from"], data["to"]))
        if event != "series":
            return
        since = data.get("since", 0)
        assert data["point_s"] == 1 and since <= self.next or self.skipped, (self.next, data)
        for i in range(data["points"]):
            self.seconds[since + i] = {column: values[i] for column, values in data["total"]["steps"].items()}
            self.seconds[since + i]["names"] = {name: columns["count"][i] for name, columns in data["timings"].items()}
        self.next = since + data["points"]


class Watchers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator())
        cls.agents = [cls.enterClassContext(Agent(cls.coordinator.endpoint, name)) for name in ("a1", "a2")]
        cls.coordinator.wait_agents(2)

    def follow(self, number, rows, since, seconds):
        """Until so many seconds are there, or the end. Gives the ids of the events."""
        ids = []
        with Events(self.coordinator, number, since) as events:
            self.assertEqual(events.status, 200)
            for event, data in events:
                rows.take(event, data)
                if event == "series":
                    self.assertEqual(events.id, rows.next)
                    ids.append(events.id)
                if event == "ended" or (seconds is not None and rows.next >= seconds):
                    return ids
        self.fail("the stream ended")

    def expect_equal(self, rows, series):
        self.assertEqual(sorted(rows.seconds), list(range(series["points"])))
        for column, values in series["total"]["steps"].items():
            self.assertEqual([rows.seconds[second][column] for second in range(series["points"])], values, column)
        for name, columns in series["timings"].items():
            self.assertEqual([rows.seconds[second]["names"].get(name, 0) for second in range(series["points"])], columns["count"], name)

    def test_every_second_once_over_several_connections(self):
        number = self.coordinator.create("many-timings", 2, workers=4, runs=16)
        self.coordinator.wait_state(number, "running")
        rows = Rows()
        self.follow(number, rows, 0, 2)
        since = rows.next
        time.sleep(2.5)
        ids = self.follow(number, rows, since, None)
        self.assertGreater(len(ids), 2)
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual(rows.skipped, [])
        report = self.coordinator.report(number)
        series = self.coordinator.get(f"/v1/campaigns/{number}/series").json
        self.expect_equal(rows, series)
        self.assertEqual(sum(second["ok"] for second in rows.seconds.values()), report["steps"]["ok"])
        with Events(self.coordinator, number, 3) as events:
            self.assertEqual([event for event, _ in events], ["ended"])

    def test_parts_of_a_series(self):
        number = self.coordinator.create("many-timings", 2, workers=4, runs=8)
        self.coordinator.report(number)
        path = f"/v1/campaigns/{number}/series"
        whole = self.coordinator.get(path).json
        cut = self.coordinator.get(f"{path}?since=2").json
        self.assertEqual((cut["since"], cut["points"]), (2, whole["points"] - 2))
        self.assertEqual(cut["total"]["steps"]["ok"], whole["total"]["steps"]["ok"][2:])
        totals = self.coordinator.get(f"{path}?only=total").json
        self.assertEqual((totals["total"], totals["timings"], totals["scenarios"]), (whole["total"], {}, {}))
        name = sorted(whole["timings"])[7]
        one = self.coordinator.get(f"{path}?name=timings.{name}&since=1").json
        self.assertEqual(list(one["timings"]), [name])
        self.assertEqual(one["timings"][name]["count"], whole["timings"][name]["count"][1:])
        self.assertEqual(self.coordinator.get(f"{path}?since=100000").json["points"], 0)

    def test_who_asks_for_the_past_or_is_slow_is_told(self):
        number = self.coordinator.create("many-timings", 2, workers=4, duration_ms=70000)
        self.coordinator.wait_state(number, "running")
        slow = self.open_slow(number)
        quick = Rows()
        self.follow(number, quick, 0, 21)
        self.assertEqual(quick.skipped, [])
        late = Rows()
        self.follow(number, late, 0, 20)
        (first, last), = late.skipped
        self.assertEqual((first, min(late.seconds)), (0, last))
        self.assertGreater(last, 2)
        future = Rows()
        future.next = 10**9
        with Events(self.coordinator, number, 10**9) as events:
            for event, data in events:
                future.take(event, data)
                if future.seconds:
                    break
        self.assertLessEqual(min(future.seconds), quick.next + 3)
        missing = self.coordinator.get(f"/v1/campaigns/{number}/series?since=0&only=total").json
        self.assertEqual(missing["total"]["steps"]["ok"][:last], [quick.seconds[second]["ok"] for second in range(last)])
        self.follow(number, quick, quick.next, 29)  # one that takes nothing for 30 s is closed
        self.read_slow(slow)
        self.coordinator.post(f"/v1/campaigns/{number}/stop", {"at_once": True})
        self.coordinator.report(number)

    def open_slow(self, number):
        """Takes almost nothing before it reads."""
        connection = self.coordinator.connect()
        self.addCleanup(connection.close)
        connection.sock = socket.socket()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sock.settimeout(20)
        connection.sock.connect((self.coordinator.host, self.coordinator.port))
        connection.request("GET", f"/v1/campaigns/{number}/events?since=0", headers=self.coordinator.authorization)
        return connection.getresponse()

    def read_slow(self, slow):
        """It has read nothing so far. What it gets then is whole, says what it has missed, and goes on with what is new."""
        rows, event = Rows(), None
        until = time.monotonic() + 20
        while time.monotonic() < until and not (rows.skipped and rows.next > rows.skipped[-1][1]):
            line = slow.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                rows.take(event, json.loads(line[6:]))
        self.assertTrue(rows.skipped)
        self.assertTrue(all(0 < last - first for first, last in rows.skipped), rows.skipped)
        missed = {second for first, last in rows.skipped for second in range(first, last)}
        self.assertEqual(sorted(missed | set(rows.seconds)), list(range(rows.next)))
        self.assertEqual(missed & set(rows.seconds), set())


class Restart(unittest.TestCase):
    """Under an open page: with a journal, the next process goes on where the page stopped."""

    def test_no_gap_over_a_restart(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        coordinator = self.enterContext(Coordinator("--state", folder))
        agent = self.enterContext(Agent(coordinator.endpoint, "a1"))
        coordinator.wait_agents(1)
        number = coordinator.create("many-timings", 1, workers=2, runs=24)
        rows = Rows()
        coordinator.wait_state(number, "running")
        with Events(coordinator, number, 0) as events:
            for event, data in events:
                rows.take(event, data)
                if rows.next >= 3:
                    break
        port, endpoint, token = coordinator.port, coordinator.endpoint, coordinator.token
        coordinator.kill()
        coordinator.process.wait()
        with Coordinator("--state", folder, listen=endpoint, http=f"127.0.0.1:{port}") as again:
            self.assertEqual(again.token, token)
            with Events(again, number, rows.next) as events:
                for event, data in events:
                    rows.take(event, data)
            self.assertEqual(rows.skipped, [])
            series = again.get(f"/v1/campaigns/{number}/series").json
            self.assertEqual(sorted(rows.seconds), list(range(series["points"])))
            self.assertEqual([rows.seconds[second]["ok"] for second in range(series["points"])], series["total"]["steps"]["ok"])
            self.assertEqual(again.report(number)["steps"]["ok"], sum(series["total"]["steps"]["ok"]))
            wait_until(lambda: again.get("/v1/agents").json["agents"][0]["state"] == "idle", 20, "it works on")
        agent.end()


if __name__ == "__main__":
    unittest.main()
