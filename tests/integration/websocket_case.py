"""What the stories of tutti.websocket share: scripts of one scenario in a folder of their own."""
import pathlib
import tempfile
import unittest

HEAD = """local tutti, websocket, http = require "tutti", require "tutti.websocket", require "tutti.http"
local function failed(...)
  local ok, why = pcall(...)
  assert(not ok, "it has not failed")
  return why
end
"""


class WebSocketCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tutti-websocket-")
        self.addCleanup(self.folder.cleanup)

    def script(self, body, before=""):
        path = pathlib.Path(self.folder.name, "script.lua")
        path.write_text(HEAD + before + "\ntutti.scenario('s', function(worker)\n" + body + "\nend)\n")
        return path
