"""The rooms of a running campaign, as the API shows them: who waits for what, for whom, and how long."""
import time
import unittest

from daemon import Agent, Coordinator


class Rooms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.coordinator = cls.enterClassContext(Coordinator())
        cls.agents = [cls.enterClassContext(Agent(cls.coordinator.endpoint, name)) for name in ("a1", "a2")]
        cls.coordinator.wait_agents(2)

    def test_who_waits_for_whom(self):
        number = self.coordinator.create("rooms-wait", 2, workers=20, room_size=5, runs=1)
        path = f"/v1/campaigns/{number}/rooms"
        self.coordinator.wait_until(lambda: [room["waiting"] for room in self.coordinator.get(path).json["rooms"]] == [4, 4, 1, 0], 30, "they do not wait")
        time.sleep(1)
        shown = self.coordinator.get(path).json
        self.assertEqual((shown["total"], shown["offset"], [room["room"] for room in shown["rooms"]]), (4, 0, [0, 1, 2, 3]))
        for room in shown["rooms"]:
            self.assertEqual((room["workers"], room["live"]), (5, 5))
            if room["waiting"]:
                self.assertTrue(0.9 < room["oldest_wait_s"] < 30, room)
                self.assertEqual(room["step"], 1)
        self.assertEqual((shown["rooms"][3]["step"], shown["rooms"][3]["oldest_wait_s"]), (None, None))
        part = self.coordinator.get(f"{path}?offset=1&limit=2").json
        self.assertEqual((part["total"], part["offset"], [room["room"] for room in part["rooms"]]), (4, 1, [1, 2]))
        self.assertEqual(self.coordinator.get(f"{path}?offset=4").json["rooms"], [])

        barrier, writer, readers, nothing = (self.coordinator.get(f"{path}/{room}").json for room in range(4))
        self.assertEqual([seat["worker"] for seat in writer["seats"]], [5, 6, 7, 8, 9])
        self.assertEqual({seat["agent"] for seat in writer["seats"]}, {"a1", "a2"})
        self.assertEqual([seat["state"] for seat in barrier["seats"]], ["waiting"] * 4 + ["running"])
        wait = barrier["seats"][1]["wait"]
        self.assertEqual((wait["kind"], wait["name"], wait["step"], wait["call"], wait["arrived"], wait["parties"], wait["for"], wait["for_more"]),
                         ("barrier", "go", 1, 1, 4, 5, [4], False))
        wait = writer["seats"][1]["wait"]
        self.assertEqual((wait["kind"], wait["name"], wait["step"], wait["arrived"], wait["for"]), ("wait_for_writer", "pad", 1, None, [9]))
        self.assertEqual(wait["timeout_s"], 60)
        wait = readers["seats"][4]["wait"]
        self.assertEqual((wait["kind"], wait["arrived"], wait["parties"], wait["for"]), ("wait_for_readers", 1, 4, [11, 12, 13]))
        self.assertEqual([seat["wait"] for seat in nothing["seats"]], [None] * 5)
        self.assertEqual([seat["seat"] for seat in self.coordinator.get(f"{path}/0?offset=3").json["seats"]], [3, 4])

        lines = self.coordinator.get("/v1/log").json["lines"]
        self.assertEqual([line["number"] for line in lines], list(range(1, len(lines) + 1)))
        for name in ("a1", "a2"):
            self.assertTrue(any(name in line["text"] for line in lines), lines)
        self.assertTrue(all(0 <= time.time() - line["at"] < 60 for line in lines), lines)
        self.assertEqual(self.coordinator.get("/v1/log?after=1").json["lines"], lines[1:])
        self.assertEqual(self.coordinator.get(f"/v1/log?after={len(lines)}").json["lines"], [])
        self.assertEqual(self.coordinator.get("/v1/log?after=100000").json["lines"], lines)

        for query in ("limit=0", "limit=20001", "limit=x", "offset=-1", "offset=99999999999"):
            self.assertEqual(self.coordinator.get(f"{path}?{query}").status, 400, query)
        self.assertEqual(self.coordinator.get(f"{path}/0?limit=1001").status, 400)
        self.assertEqual(self.coordinator.get(f"{path}/4").status, 404)
        self.coordinator.post(f"/v1/campaigns/{number}/stop", {"at_once": True})
        self.coordinator.report(number)
        for one in (path, f"{path}/0"):
            self.assertEqual(self.coordinator.get(one).status, 409)
            self.assertEqual(self.coordinator.get(one.replace(f"/{number}/", "/999/")).status, 404)


if __name__ == "__main__":
    unittest.main()
