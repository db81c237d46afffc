"""--ca, --cert, --key and --insecure: what they give to all requests of a campaign, with both engines."""
import pathlib
import ssl
import tempfile
import unittest

from daemon import Agent, Coordinator
from support import BY_ITS_STEPS, run, tutti
from test_http import ENGINES, HEAD, make_certificates, serving

WHOSE = """
    local function whose(tls)
      local ok, r = pcall(http.get, tutti.target .. '/', { tls = tls, name = 'r' })
      return ok and r.body:match(' (.*)') or r.kind
    end
    local function expect(name, tls) assert(whose(tls) == name, whose(tls)) end
    """


class TlsOptions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="tutti-tls-")
        cls.files = pathlib.Path(cls.folder.name)
        make_certificates(cls.folder.name)
        cls.files.joinpath("both.pem").write_text(cls.files.joinpath("c.pem").read_text() + cls.files.joinpath("c.key").read_text())
        cls.files.joinpath("bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def context(self, asks_client=False):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.files / "s.pem", self.files / "s.key")
        if asks_client:
            context.verify_mode = ssl.CERT_OPTIONAL
            context.load_verify_locations(self.files / "ca.pem")
        return context

    def script(self, body, before=""):
        # In a folder of its own: what the options name is not beside the script.
        folder = tempfile.TemporaryDirectory(prefix="tutti-tls-script-")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name, "script.lua")
        path.write_text(HEAD + before + "tutti.scenario('s', function(worker)\n" + WHOSE + body + "\nend)\n")
        return path

    def passes(self, target, body, *options, before=""):
        for engine in ENGINES:
            with self.subTest(engine):
                result = run(self.script(body, before), *options, "--target", target, "--http-engine", engine, "--agents", 1, *BY_ITS_STEPS, timeout=60)
                self.assertEqual(result.code, 0, (result.out, result.err))

    def test_an_authority_is_trusted(self):
        with serving(self.context()) as target:
            self.passes(target, "expect('nobody') expect('tls', { verify = true, ca = [[%s]] })" % self.files.joinpath("other.pem").read_text(),
                        "--ca", self.files / "ca.pem")
            self.passes(target, "expect('tls')", "--ca", self.files / "other.pem")

    def test_any_certificate_will_do(self):
        with serving(self.context()) as target:
            self.passes(target, "expect('nobody') expect('tls', { verify = true })", "--insecure")
            self.passes(target, "expect('nobody')", before="tutti.options { insecure = true }\n")
            self.passes(target, "expect('tls')", "--insecure=false", before="tutti.options { insecure = true }\n")

    def test_a_certificate_is_shown(self):
        ca, pem, key = self.files / "ca.pem", self.files / "c.pem", self.files / "c.key"
        with serving(self.context(asks_client=True)) as target:
            self.passes(target, "expect('c')", "--ca", ca, "--cert", pem, "--key", key)
            self.passes(target, "expect('c')", "--ca", ca, "--cert", self.files / "both.pem")
            self.passes(target, "expect('nobody')", "--ca", ca)

    def test_a_script_says_more_and_its_word_counts(self):
        with serving(self.context(asks_client=True)) as target:
            shown = "tutti.http_defaults { tls = { certificate = [[%s]] } }\n" % self.files.joinpath("both.pem").read_text()
            self.passes(target, "expect('c')", "--ca", self.files / "ca.pem", before=shown)
            self.passes(target, "expect('tls') expect('c', { verify = false })", "--cert", self.files / "c.pem", "--key", self.files / "c.key")

    def test_agents_elsewhere_have_the_files(self):
        with serving(self.context(asks_client=True)) as target, Coordinator() as coordinator, Agent(coordinator.endpoint, "a1"):
            path = self.script("expect('c')")
            result = tutti("start", path, "--ca", self.files / "ca.pem", "--cert", self.files / "both.pem", "--target", target, "--wait",
                           "--api", f"http://127.0.0.1:{coordinator.port}")
            self.assertEqual(result.code, 0, (result.out, result.err))

    def test_what_cannot_be_used_is_said_before_the_start(self):
        path, ca, pem, key = self.script(""), self.files / "ca.pem", self.files / "c.pem", self.files / "c.key"
        for options, words in ((("--ca", "/nowhere.pem"), "--ca: cannot read /nowhere.pem"),
                               (("--ca", key), "--ca: tls: ca holds no certificate"),
                               (("--ca", self.files / "bad.pem"), "--ca: tls: ca holds no certificate"),
                               (("--cert", key, "--key", key), "--cert and --key: tls: the client's certificate cannot be used"),
                               (("--cert", pem), "--cert without --key: tls: the client's key cannot be used"),
                               (("--cert", pem, "--key", self.files / "other.key"), "--cert and --key: tls: the client's key cannot be used"),
                               (("--cert", pem, "--key", "/nowhere.key"), "--key: cannot read /nowhere.key"),
                               (("--key", key), "--key is given without --cert"),
                               (("--insecure", "--ca", ca), "--insecure and --ca contradict each other")):
            with self.subTest(words):
                result = tutti("run", path, *options)
                self.assertEqual((result.code, words in result.err), (2, True), result)
                self.assertEqual(result.err.count("\n"), 1, result.err)


if __name__ == "__main__":
    unittest.main()
