"""How WebSockets end: with their agent, their campaign, their server, or what lies between. Nothing hangs, nothing is left."""
import contextlib
import os
import signal
import socket
import struct
import threading
import time
import unittest

from daemon import Agent, Coordinator
from support import Run, children_of, run, wait_until
from threaded_server import ThreadedServer
from websocket_case import WebSocketCase
from websocket_server import CLOSE, FIN, PING, TEXT, WebSocketServer, frame, right_answer


class Watched(WebSocketServer):
    """Echoes, and notes how each connection ended: the code of the client's close frame, or None without one."""

    def __init__(self):
        self.greeted, self.ended = [], []
        super().__init__(self.serve_one)

    def serve_one(self, peer):
        try:
            while True:
                first, payload = peer.read()
                if first & 0xF == CLOSE:
                    self.ended.append(struct.unpack(">H", payload[:2])[0])
                    return peer.send(frame(first, payload))
                self.greeted.append(payload)
                peer.send(frame(first, payload))
        except OSError:
            self.ended.append(None)


class Proxy(ThreadedServer):
    """Carries bytes to the server until so many have come back from there, then cuts: by an end, or a reset."""

    def __init__(self, port, after, is_reset):
        self.onward_port, self.after, self.is_reset = port, after, is_reset
        super().__init__(self.carry)

    def carry(self, client):
        with socket.create_connection(("127.0.0.1", self.onward_port)) as onward:
            relay = threading.Thread(target=self.relay, args=(client, onward), daemon=True)
            relay.start()
            left = self.after
            while left > 0 and (data := onward.recv(min(left, 65536))):
                client.sendall(data)
                left -= len(data)
            if self.is_reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.shutdown(socket.SHUT_RD)  # so that nobody reads: else it would not be closed yet
            else:
                client.shutdown(socket.SHUT_RDWR)
            relay.join()
            self.open.remove(client)
            client.close()

    @staticmethod
    def relay(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)


class Ends(WebSocketCase):
    def test_an_agent_that_is_killed_takes_its_connections_along(self):
        body = """
            worker.ws = worker.ws or websocket.connect("/", { name = "all" })
            worker.ws:send("agent " .. worker.agent)
            worker.ws:receive()
            tutti.sleep(0.05)"""
        with Watched() as server, Run(self.script(body), "-w", 10, "-d", 6, "--agents", 2, "--target", server.url) as process:
            wait_until(lambda: len(server.greeted) > 100, 20, "no greetings")
            victim = children_of(process.pid)[0]
            os.kill(victim, signal.SIGKILL)
            wait_until(lambda: server.ended.count(None) == 5, 10, server.ended)
            heard = len(server.greeted)
            result = process.finish(60)
            self.assertGreater(len(server.greeted), heard + 20)
            self.assertEqual((result.code, result.verdict), (3, "degraded"), result)
            wait_until(lambda: len(server.ended) == 10, 5, server.ended)
        self.assertEqual(sorted(server.ended, key=str), [1001] * 5 + [None] * 5)
        counts = result.report["websockets"]["all"]
        self.assertGreaterEqual(counts["closed_by_us"], 5)

    def test_the_end_of_the_time_closes_what_is_open(self):
        """Steps that have begun come to their end; tasks that wait for ever do not keep it up."""
        body = """
            worker.ws = worker.ws or websocket.connect("/", { name = "all" })
            if worker.step == 1 then
              tutti.task({ keep = true }, function() for message in worker.ws:messages() do error(message) end end)
            end
            assert(failed(worker.ws.receive, worker.ws, { timeout = 1.5 }).kind == "timeout")"""
        with Watched() as server:
            result = run(self.script(body), "-w", 10, "-d", 1, "--agents", 2, "--target", server.url)
            self.assertEqual((result.code, result.steps["ok"], result.steps["failed"]), (0, 10, 0), result)
            self.assertTrue(1.5 <= result.report["duration_s"] < 8, result.report["duration_s"])
            wait_until(lambda: len(server.ended) == 10, 5, server.ended)
        self.assertEqual(server.ended, [1001] * 10)
        self.assertEqual(result.report["websockets"]["all"]["open"], 0)

    def test_who_does_not_answer_the_end_does_not_hold_it_up(self):
        """One server neither reads nor answers, one has not answered the handshake yet."""
        over = threading.Event()

        def behave(peer):
            over.wait(60)

        def answer(path, _):
            if path == "/never":
                is_asked.set()
                over.wait(60)
            return None

        body = """
            if worker.id == 0 then
              websocket.connect("/never", { timeout = 60, name = "never" })
            else
              worker.ws = websocket.connect("/deaf", { timeout = 60, name = "deaf" })
              worker.ws:send(("x"):rep(16 << 20))
            end"""
        is_asked = threading.Event()
        with WebSocketServer(behave, answer) as server:
            with Run(self.script(body), "-w", 2, "--agents", 1, "--target", server.url) as process:
                is_asked.wait(20)
                time.sleep(1)
                began = time.monotonic()
                os.kill(process.pid, signal.SIGINT)
                result = process.finish(30)
                took_s = time.monotonic() - began
            over.set()
        self.assertEqual((result.code, result.steps["stopped"]), (130, 2), result)
        self.assertLess(took_s, 12)
        deaf = result.report["websockets"]["deaf"]
        self.assertEqual((deaf["opened"], deaf["open"], deaf["closed_by_us"]), (1, 0, 1), deaf)

    def test_nothing_is_left_in_an_agent(self):
        body = """
            worker.ws = worker.ws or {}
            for i = #worker.ws + 1, 5 do
              local ws = websocket.connect("/", { name = "all", ping_interval = 0.05 })
              worker.ws[i] = ws
              tutti.task({ keep = true }, function() for _ in ws:messages() do end end)
              ws:send("x")
            end
            tutti.sleep(0.05)"""
        with Watched() as server, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1") as agent:
            coordinator.wait_agents(1)
            path = self.script(body.replace('"/"', f'"ws{server.url[4:]}/"'))

            def descriptors():
                return len(os.listdir(f"/proc/{agent.pid}/fd"))

            before = descriptors()
            first = None
            for stopped in (False, True):
                number = coordinator.create(path, workers=20, runs=100000 if stopped else 3)
                if stopped:
                    wait_until(lambda: coordinator.show(number)["websockets"].get("all", {}).get("open") == 100, 20, "not open")
                    self.assertGreaterEqual(descriptors(), before + 100)
                    coordinator.post(f"/v1/campaigns/{number}/stop")
                report = coordinator.report(number)
                self.assertEqual((report["websockets"]["all"]["opened"], report["websockets"]["all"]["open"]), (100, 0))
                wait_until(lambda: len(server.ended) == (200 if stopped else 100), 10, server.ended)
                first = first or descriptors()
                wait_until(lambda: descriptors() <= first, 10, f"{descriptors()} descriptors, {first} before")
        self.assertEqual(set(server.ended), {1001})

    def test_a_connection_that_is_cut_on_its_way_is_lost(self):
        """Within the handshake, between two frames, and within one."""
        def behave(peer):
            peer.send(frame(FIN | TEXT, b"whole"))
            peer.send(frame(FIN | TEXT, b"x" * 1000))
            with contextlib.suppress(ConnectionError):
                while True:
                    peer.read()

        with WebSocketServer(behave) as server:
            size = 129  # of the answer, which is always as long
            for is_reset in (False, True):
                for after, heard in ((20, None), (size, 0), (size + 7, 1), (size + 500, 1)):
                    with self.subTest(after=after, is_reset=is_reset), Proxy(server.port, after, is_reset) as proxy:
                        body = f"""
                            local url = "ws://127.0.0.1:{proxy.port}/"
                            if {"true" if heard is None else "false"} then
                              local why = failed(websocket.connect, url, {{ name = "cut" }})
                              assert(why.kind == "reset", tostring(why) .. " " .. why.kind)
                              return
                            end
                            local ws = websocket.connect(url, {{ name = "cut" }})
                            local count = 0
                            for message in ws:messages() do count = count + 1 assert(message == "whole") end
                            assert({"count <= " if is_reset else "count == "}{heard or 0}, count)
                            assert(ws.state == "closed" and ws.close_code == 1006, ws.close_code)
                            local why = failed(ws.send, ws, "more")
                            assert(why.kind == "closed", tostring(why))"""
                        result = run(self.script(body), "-w", 1, "-r", 1, "--agents", 1)
                        self.assertEqual(result.code, 0, result)
                        counts = result.report["websockets"]["cut"]
                        self.assertEqual((counts["failed"], counts["lost"], counts["open"]), (1, 0, 0) if heard is None else (0, 1, 0))
            self.assertEqual(server.failures, [])

    def test_a_large_message_with_the_101_and_pings_behind_it(self):
        """More than one read brings: the rest of a message of 16 MiB comes after the handshake."""
        large = b"y" * (16 << 20)
        heard = []

        def behave(peer):
            peer.send(large[1000:] + frame(FIN | PING, b"behind"))
            while True:
                first, payload = peer.read()
                heard.append((first, payload))
                if first & 0xF == CLOSE:
                    return peer.send(frame(first, payload))

        def answer(_, fields):
            return right_answer(fields) + frame(FIN | TEXT, b"first") + frame(FIN | TEXT, large)[:10 + 1000]

        with WebSocketServer(behave, answer) as server:
            result = run(self.script("""
                local ws = websocket.connect("/", { max_message = 16 << 20 })
                assert(ws:receive() == "first")
                local message, _, at = ws:receive()
                assert(message == ("y"):rep(16 << 20) and at <= tutti.now() and at > tutti.now() - 30)
                tutti.sleep(0.2)
                ws:close()"""), "-w", 1, "-r", 1, "--agents", 1, "--target", server.url)
            self.assertEqual(result.code, 0, result)
            self.assertEqual(server.failures, [])
        self.assertEqual(heard, [(0x8A, b"behind"), (FIN | CLOSE, struct.pack(">H", 1000))])


if __name__ == "__main__":
    unittest.main()
