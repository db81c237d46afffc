"""Names with several addresses: users come to all of them, and an address that refuses gives way to the next. Both engines."""
import http.server
import pathlib
import socket
import subprocess
import tempfile
import threading
import unittest

from support import Run

ENGINES = ("native", "curl")
SCRIPT = """
local tutti, http = require "tutti", require "tutti.http"
tutti.scenario("s", function()
  assert(http.get(tutti.target .. "/", { timeout = 20 }).status == 200)
end)
"""
# In a mount namespace of its own, with another /etc/hosts.
WITH_HOSTS = ("unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"')


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.served += 1
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def may_change_hosts():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


@unittest.skipUnless(may_change_hosts(), "no mount namespace can be made here")
class Addresses(unittest.TestCase):
    def serve(self, addresses):
        """A server on each, at one port; its number."""
        while True:
            with socket.create_server((addresses[0], 0)) as listener:
                port = listener.getsockname()[1]
            servers = []
            try:
                for address in addresses:
                    servers.append(http.server.ThreadingHTTPServer((address, port), Handler))
            except OSError:
                for server in servers:
                    server.server_close()
                continue
            for server in servers:
                server.served = 0
                threading.Thread(target=server.serve_forever, daemon=True).start()
                self.addCleanup(server.server_close)
                self.addCleanup(server.shutdown)
            return port, servers

    def play(self, engine, port, addresses, workers):
        with tempfile.TemporaryDirectory() as folder:
            hosts = pathlib.Path(folder, "hosts")
            hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} shop.test\n" for address in addresses))
            path = pathlib.Path(folder, "script.lua")
            path.write_text(SCRIPT)
            with Run(path, "-w", workers, "-r", 1, "--target", f"http://shop.test:{port}", "--http-engine", engine, "--agents", 1,
                     prefix=(*WITH_HOSTS, hosts)) as process:
                result = process.finish(60)
            self.assertEqual(result.code, 0, result)
            return result.report

    def test_users_come_to_all_addresses(self):
        addresses = ("127.0.0.2", "127.0.0.3", "127.0.0.4")
        for engine in ENGINES:
            with self.subTest(engine):
                port, servers = self.serve(addresses)
                self.play(engine, port, addresses, 60)
                self.assertEqual(sum(server.served for server in servers), 60)
                for server in servers:
                    self.assertGreaterEqual(server.served, 6)

    def test_an_address_that_refuses_gives_way_at_once(self):
        for engine in ENGINES:
            with self.subTest(engine):
                port, servers = self.serve(("127.0.0.4",))
                report = self.play(engine, port, ("127.0.0.2", "127.0.0.3", "127.0.0.4"), 20)
                self.assertEqual(servers[0].served, 20)
                self.assertLess(report["requests"]["GET /"]["max_ms"], 3000)


if __name__ == "__main__":
    unittest.main()
