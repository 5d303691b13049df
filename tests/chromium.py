"""The Chromium that tests of rendered pages need: ``python -m tests.chromium`` installs one where it may."""

import os
import shutil
import subprocess
import sys

import pytest

from audiocrawler.rendering.chromium import HOW_TO_INSTALL, find_chromium

NO_CHROMIUM = "pages that need a browser are not tested"
INSTALLERS = (
    (
        "apt-get",
        ("sh", "-c", "apt-get update -qq && apt-get install -qq --yes --no-install-recommends chromium >/dev/null"),
    ),
    (sys.executable, (sys.executable, "-m", "playwright", "install", "chromium")),
)


def require_chromium() -> str:
    """Return the Chromium's path; without one the test is skipped, or fails where CI is set."""
    found = find_chromium(None)
    if found is not None:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"{NO_CHROMIUM}: {HOW_TO_INSTALL}")
    pytest.skip(f"{NO_CHROMIUM}: {HOW_TO_INSTALL}")


def main() -> int:
    """Install a Chromium unless there is one; return 1 only where CI is set and none can be had."""
    for program, command in INSTALLERS:
        if find_chromium(None) is not None:
            return 0
        if shutil.which(program) and (program != "apt-get" or os.geteuid() == 0):
            sys.stderr.write("Installing Chromium for the tests, once ...\n")
            subprocess.run(command, check=False, timeout=900, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if find_chromium(None) is not None:
        return 0
    sys.stderr.write(f"{NO_CHROMIUM.upper()}: {HOW_TO_INSTALL}\n")
    return int(bool(os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main())
