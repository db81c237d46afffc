"""Which browsers this machine has, with their drivers; and the reason to give if a test has to be skipped without one."""
import os
import shutil
import unittest


def chromedriver():
    return shutil.which("chromedriver") if shutil.which("chromium") else None


def geckodriver():
    """Also where `cargo install` puts it, and where tests/run.sh builds it."""
    found = os.environ.get("TUTTI_GECKODRIVER") or shutil.which("geckodriver")
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    for place in ("~/.cargo/bin/geckodriver", f"{cache}/tutti/geckodriver/bin/geckodriver"):
        path = os.path.expanduser(place)
        if not found and os.access(path, os.X_OK):
            found = path
    return found if shutil.which("firefox") or shutil.which("firefox-esr") else None


needs_chromium = unittest.skipUnless(
    chromedriver(), "chromium and chromedriver are not installed: apt-get install chromium chromium-driver")
needs_firefox = unittest.skipUnless(
    geckodriver(), "firefox and geckodriver are not installed: apt-get install firefox-esr, and cargo install geckodriver --version 0.37.1 --locked")
