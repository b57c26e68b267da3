"""Real browsers, for what only they can show: pages that load, scripts that run, policies that hold."""

import os
import shutil

import pytest


def find_chromium() -> str:
    """Return Chromium's path; without one the test is left out, but never in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("Pages are checked in a real browser: install chromium (Debian: apt-get install chromium).")
    if found is None:
        pytest.skip("needs chromium")
    return found
