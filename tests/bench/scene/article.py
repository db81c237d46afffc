"""The article's scene on Molotov 2.6 and Arsenic 21.8, repaired so that it runs: step and id from the context, a text for each step, the
notifier of the previous step, readers from 0, and a writer that stays until its last line is read.

Told by the environment: PAD (address), STEPS, BROWSER, ARGUMENTS (of the browser), LOOK ("article": as its helper reads the pad, with three
commands; "lean": with one), SEEN (file that gets the seconds from each edit until it was read)."""
import asyncio
import os
import time

import arsenic.connection
import molotov
from arsenic import browsers, keys, services, start_session, stop_session
from arsenic.errors import ArsenicTimeout, JavascriptError, NoSuchElement

PAUSE_S = 0.1
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
STEPS = int(os.environ["STEPS"])

IS_READY = """
try {
  const outer = document.querySelector('iframe[name=ace_outer]').contentDocument;
  const inner = outer.querySelector('iframe[name=ace_inner]').contentDocument;
  return inner.querySelector('#innerdocbody[contenteditable=true]') !== null;
} catch { return false; }
"""
SHOW_TEXT = """
var text = require('ep_etherpad-lite/static/js/pad_editor').padeditor.ace.exportText();

var div = document.getElementById('padText');
if (!div) {
    var div = document.createElement('div');
    div.id = 'padText';
    document.body.appendChild(div);
}

div.textContent = text;
"""
RETURN_TEXT = "return require('ep_etherpad-lite/static/js/pad_editor').padeditor.ace.exportText();"


class Silence:
    """Arsenic prints every request by default, which would cost more than the request."""

    def info(self, *_, **__):
        pass

    error = info


arsenic.connection.log = Silence()


class Notifier:
    def __init__(self, readers=4):
        self.left = readers
        self.readers, self.writer = asyncio.Event(), asyncio.Event()

    async def wait_for_writer(self):
        await self.writer.wait()

    async def one_read(self):
        self.left -= 1
        if self.left == 0:
            self.readers.set()

    def written(self):
        self.writer.set()

    async def wait_for_readers(self):
        await self.readers.wait()


def notifier_of(step):
    return molotov.get_var(f"notifier{step}", factory=Notifier)


async def start_browser():
    arguments, log = os.environ["ARGUMENTS"].split(), open(os.devnull, "w")
    if os.environ["BROWSER"] == "firefox":
        return await start_session(services.Geckodriver(log_file=log), browsers.Firefox(**{"moz:firefoxOptions": {"args": arguments}}))
    return await start_session(services.Chromedriver(log_file=log), browsers.Chrome(**{"goog:chromeOptions": {"args": arguments}}))


async def look(page):
    """The text of the pad, behind a pause."""
    while True:
        await asyncio.sleep(PAUSE_S)
        if os.environ["LOOK"] == "lean":
            return await page.execute_script(RETURN_TEXT)
        try:
            await page.execute_script(SHOW_TEXT)
            element = await page.wait_for_element(5, "#padText")
            return await element.get_text()
        except (NoSuchElement, ArsenicTimeout, JavascriptError):
            continue


async def enter_editor(page):
    """Arsenic knows no frames; its connection takes the commands all the same."""
    for name in ("ace_outer", "ace_inner"):
        frame = await page.get_element(f"iframe[name={name}]")
        await page._request(url="/frame", method="POST", data={"id": {ELEMENT: frame.id}})
    return await page.get_element("#innerdocbody")


@molotov.setup_session()
async def open_pad(worker_id, session):
    session.browser = await start_browser()
    await session.browser.get(os.environ["PAD"])
    while not await session.browser.execute_script(IS_READY):
        await asyncio.sleep(PAUSE_S)
    if worker_id == 4:
        session.editor = await enter_editor(session.browser)


@molotov.teardown_session()
async def close_browser(_, session):
    await stop_session(session.browser)


@molotov.scenario(1)
async def example(session):
    context = molotov.get_context(session)
    step = context.step
    notifier, line = notifier_of(step), f"step {step}"
    if context.worker_id != 4:
        await notifier.wait_for_writer()
        while line not in await look(session.browser):
            pass
        with open(os.environ["SEEN"], "a") as file:
            print(time.monotonic() - molotov.get_var(f"typed{step}"), file=file)
        await notifier.one_read()
    else:
        if step > 1:
            await notifier_of(step - 1).wait_for_readers()
        await session.editor.send_keys(line + keys.ENTER)
        molotov.set_var(f"typed{step}", time.monotonic())
        notifier.written()
        if step == STEPS:
            await notifier.wait_for_readers()
