"""tutti.socketio against servers that users have: python-socketio, of the distribution, and npm's socket.io 2 and 4, where
SOCKETIO_NODE names a folder whose v2 and v4 hold their node_modules."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import run

PYTHON = "/usr/bin/python3"

PYTHON_SERVER = """
import asyncio
import socketio
from aiohttp import web

io = socketio.AsyncServer(async_mode="aiohttp", ping_interval=1, ping_timeout=1)
app = web.Application()
io.attach(app)

def serve(namespace):
    async def connect(sid, environ, auth=None):
        if namespace == "/admin" and (auth or {}).get("token") != "right":
            raise socketio.exceptions.ConnectionRefusedError("not authorized")
    async def join(sid, room):
        io.enter_room(sid, room, namespace=namespace)
        return "joined"
    async def say(sid, room, text):
        await io.emit("said", (text, sid), room=room, namespace=namespace)
        return "ok", len(text)
    async def echo(sid, *values):
        return values
    async def ask(sid):
        async def answered(*values):
            await io.emit("answered", values, to=sid, namespace=namespace)
        await io.emit("question", "how much?", to=sid, namespace=namespace, callback=answered)
    async def kick(sid):
        await io.disconnect(sid, namespace=namespace)
    for name, handler in dict(connect=connect, join=join, say=say, echo=echo, ask=ask, kick=kick).items():
        io.on(name, handler, namespace=namespace)

serve("/")
serve("/admin")

async def main():
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    while True:
        await asyncio.sleep(3600)

asyncio.run(main())
"""

NODE_SERVER = """
const modules = process.argv[2], is4 = process.argv[3] === "4";
const io_module = require(modules + "/socket.io"), server = require("http").createServer();
const options = { pingInterval: 1000, pingTimeout: 1000 };
const io = is4 ? new io_module.Server(server, options) : io_module(server, options);
const serve = (socket) => {
  socket.on("join", (room, ack) => { socket.join(room); setImmediate(() => ack("joined")); });
  socket.on("say", (room, text, ack) => { io.of(socket.nsp.name).to(room).emit("said", text, socket.id); ack("ok", [...text].length); });
  socket.on("echo", (...values) => values.pop()(...values));
  socket.on("ask", () => socket.emit("question", "how much?", (...values) => socket.emit("answered", ...values)));
  socket.on("kick", () => socket.disconnect());
};
io.on("connection", serve);
io.of("/admin").use((socket, next) => {
  const token = (socket.handshake.auth || {}).token || socket.handshake.query.token;
  next(token === "right" ? undefined : new Error("not authorized"));
}).on("connection", serve);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""

TALK = """
local tutti, socketio, json = require "tutti", require "tutti.socketio", require "tutti.json"
local all = { websocket = { "websocket" }, polling = { "polling" }, upgrade = { "polling", "websocket" } }
local function same(a, b)
  a, b = json.encode(a), json.encode(b)
  if a ~= b then error(a .. " is not " .. b, 2) end
end
local function talk(worker, name)
  local io <close> = socketio.connect("/", { eio = EIO, transports = all[name], name = "chat" })
  assert(io.connected and #io.id > 5 and io.transport == (name == "polling" and name or "websocket"))
  local room = "room " .. worker.room.id .. name
  assert(io:emit("join", room, { ack = true }) == "joined")
  worker:barrier("in")
  same({ io:emit("say", room, "grüße 🎉", { ack = true }) }, { "ok", 7 })
  for _ = 1, worker.room.size do assert(io:once("said", 10) == "grüße 🎉") end
  worker:barrier("out")
  local a, b = io:emit("echo", { file = socketio.binary "\\0\\1\\255", list = { 1, json.null, 2.5 } }, socketio.binary(("x"):rep(70000)), { ack = true })
  assert(a.file == "\\0\\1\\255" and a.list[3] == 2.5 and #b == 70000)
  io:on("question", function(text, ack) ack(42, { bytes = socketio.binary "\\1" }) end)
  io:emit("ask")
  same({ io:once("answered", 10) }, { 42, { bytes = "\\1" } })
  local ok, why = pcall(io.of, io, "/admin", { auth = { token = "wrong" }, query = { token = "wrong" } })
  assert(not ok and why.kind == "connect_error" and tostring(why):find "not authorized", tostring(why))
  local admin = io:of("/admin", { auth = { token = "right" }, query = { token = "right" } })
  same({ admin:emit("echo", 1, "two", { ack = true }) }, { 1, "two" })
  tutti.sleep(2.5)
  assert(io.connected and io.reconnects == 0)
  admin:emit("kick")
  ok, why = pcall(admin.once, admin, "nothing", 10)
  assert(why.kind == "closed" and admin.disconnect_reason == "io server disconnect" and io.connected, tostring(why))
end
tutti.scenario("talk", function(worker)
  for _, name in ipairs { "websocket", "polling", "upgrade" } do talk(worker, name) end
end)
"""


class Servers(unittest.TestCase):
    def talks(self, eio, command, source, suffix):
        with tempfile.TemporaryDirectory(prefix="tutti-socketio-") as folder:
            server = pathlib.Path(folder, "server" + suffix)
            server.write_text(source)
            script = pathlib.Path(folder, "talk.lua")
            script.write_text(f"local EIO = {eio}\n{TALK}")
            with subprocess.Popen([command[0], server, *command[1:]], stdout=subprocess.PIPE, text=True) as process:
                try:
                    port = int(process.stdout.readline())
                    result = run(script, "-w", 4, "-r", 1, "--room-size", 2, "--agents", 2, "--target", f"http://127.0.0.1:{port}")
                finally:
                    process.kill()
            self.assertEqual((result.code, result.steps["ok"]), (0, 4), result)
            counts = result.report["websockets"]["chat"]
            self.assertEqual([counts[key] for key in ("opened", "failed", "closed_by_us", "lost")], [8, 0, 8, 0])

    def test_python_socketio(self):
        if subprocess.run([PYTHON, "-c", "import aiohttp, socketio"], capture_output=True).returncode != 0:
            self.skipTest("python3-socketio and python3-aiohttp are not installed")
        self.talks(4, [PYTHON], PYTHON_SERVER, ".py")

    def node(self, version, eio):
        modules = pathlib.Path(os.environ.get("SOCKETIO_NODE", "/nowhere"), f"v{version}", "node_modules")
        if shutil.which("node") is None or not (modules / "socket.io").is_dir():
            self.skipTest(f"node, or socket.io {version} in SOCKETIO_NODE, is not there")
        self.talks(eio, ["node", str(modules), str(version)], NODE_SERVER, ".js")

    def test_socket_io_2(self):
        self.node(2, 3)

    def test_socket_io_4(self):
        self.node(4, 4)


if __name__ == "__main__":
    unittest.main()
