#!/usr/bin/env python3
"""Makes the pictures of the dashboard in this folder, from a real run in a real Chromium:

    TUTTI=build/release/tutti python3 docs/pictures/make.py
"""
import base64
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "tests/browser")]

from web import Tab  # noqa: E402  its path of the integration tests
from daemon import Agent, Coordinator  # noqa: E402
from support import EXAMPLES  # noqa: E402

SECONDS = 40
# In each room four read what the fifth writes; the first of them takes its time, and the others meet when they have read.
EDIT = """local tutti = require "tutti"
tutti.scenario("edit", function(worker)
  local round = worker:notifier("pad")
  if worker.seat == 4 then
    tutti.sleep(worker.room.id % 9)
    round:written("text")
    round:wait_for_readers()
  else
    round:wait_for_writer()
    tutti.sleep(worker.seat == 0 and 4 or 0.1)
    round:one_read()
    worker:barrier("all have read", { parties = 4 })
  end
end)
"""


def start(coordinator, file, text, **options):
    content = base64.b64encode(text.encode()).decode()
    body = {"script": f"examples/{file}", "files": [{"path": file, "content": content}], "options": options, "expect_agents": 3}
    return coordinator.post("/v1/campaigns", body).json["campaign"]


def room_of_both(coordinator, campaign):
    """A room with waits for readers and at the barrier."""
    for number in range(40):
        seats = coordinator.get(f"/v1/campaigns/{campaign}/rooms/{number}").json["seats"]
        if {"barrier", "wait_for_readers"} <= {seat["wait"]["kind"] for seat in seats if seat["wait"]}:
            return number
    return None


def show(tab, place, ready):
    tab.run("location.hash = arguments[0]", place)
    tab.wait(lambda: tab.run(ready), f"{place} is not drawn")
    time.sleep(1)  # a second of numbers


def main():
    with Coordinator() as coordinator, Tab(size=(1280, 1080)) as tab:
        agents = [Agent(coordinator.endpoint, f"web-{number}", "--labels", "zone=a").__enter__() for number in (1, 2, 3)]
        try:
            coordinator.wait_agents(3)
            code = coordinator.post("/v1/login/code", {}).json["code"]
            tab.open(f"http://127.0.0.1:{coordinator.port}/#code={code}")
            pad = start(coordinator, "pad.lua", (EXAMPLES / "pad.lua").read_text(), name="pads on Monday", workers=200, room_size=5, runs=0,
                        delay_ms=300, ramp_up_ms=20000, duration_ms=600000, target="builtin", thresholds="http.p95 < 200ms;steps.failed < 1%")
            coordinator.wait_until(lambda: coordinator.show(pad)["elapsed_s"] > SECONDS, SECONDS + 60, "it has not run so long")
            show(tab, f"/campaigns/{pad}/overview", "return document.querySelectorAll('.plot canvas').length > 3")
            tab.picture(HERE / "dashboard.png")
            coordinator.post(f"/v1/campaigns/{pad}/stop", {"at_once": True})
            edit = start(coordinator, "edit.lua", EDIT, workers=1000, room_size=5, runs=0, duration_ms=600000)
            coordinator.wait_until(lambda: coordinator.show(edit)["elapsed_s"] > 6, 30, "it has not run so long")
            show(tab, f"/campaigns/{edit}/rooms?room={room_of_both(coordinator, edit) or 0}", "return document.querySelector('svg.picture') !== null")
            tab.picture(HERE / "dashboard-room.png")
        finally:
            for agent in agents:
                agent.__exit__()


if __name__ == "__main__":
    main()
