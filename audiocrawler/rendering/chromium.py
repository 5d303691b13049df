"""Finding a Chromium on this machine, and starting it so that it is safe in a container and keeps to itself."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiocrawler.errors import ConfigurationError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chromium-headless-shell")
HOW_TO_INSTALL = (
    "no Chromium is found: `playwright install --with-deps chromium` installs one, on Debian also "
    "`apt install chromium`; or name one in AUDIO_CHROMIUM"
)
NO_DRIVER = (
    "scrapy-playwright, by which pages are opened in a browser (-a render), is not installed: "
    "pip install 'audiocrawler[browser]'"
)
_SHELLS = (
    "chromium_headless_shell-*/*/headless_shell",
    "chromium_headless_shell-*/*/chrome-headless-shell",
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--disable-quic",  # UDP passes no proxy
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-pings",
    "--no-first-run",
    "--dns-prefetch-disable",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers have 64 MB there
    "--mute-audio",
    "--js-flags=--max-old-space-size=512",  # a page that wants more memory crashes, and not the machine
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=Prerender2,SpeculationRulesPrefetchProxy,PreconnectToSearch,DnsOverHttps,MediaRouter,Translate",
)


def find_chromium(named: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of the Chromium to start: the named one, else Playwright's own, else one on the PATH.

    Raises ConfigurationError where the named one is not there.
    """
    if named:
        found = shutil.which(named, path=environment.get("PATH"))
        if found is None:
            raise ConfigurationError(f"AUDIO_CHROMIUM={named}: is no program that can be run")
        return found
    on_path = (shutil.which(name, path=environment.get("PATH")) for name in NAMES)
    return next((path for path in (*_playwrights_own(environment), *on_path) if path), None)


def launch_options(executable: str, proxy: Mapping[str, str], *, sandbox: bool) -> dict[str, Any]:
    """Return the arguments of Playwright's ``launch``. Signals are left to the crawl, which ends the browser itself."""
    return {
        "executable_path": executable,
        "headless": True,
        "args": list(FLAGS),
        "chromium_sandbox": sandbox,
        "proxy": dict(proxy),
        "handle_sigint": False,
        "handle_sigterm": False,
        "handle_sighup": False,
        "timeout": 30_000,
    }


def can_sandbox() -> bool:
    """Return whether Chromium's own sandbox can be asked for: it refuses to start with it for root."""
    return sys.platform != "linux" or os.geteuid() != 0


def _playwrights_own(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the Chromiums that ``playwright install`` has put in its cache, the newest first."""
    for pattern in _SHELLS:
        for path in sorted(_cache(environment).glob(pattern), key=_revision, reverse=True):
            if os.access(path, os.X_OK):
                yield str(path)


def _cache(environment: Mapping[str, str]) -> Path:
    named = environment.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if named not in {"", "0"}:
        return Path(named)
    home = Path(environment.get("HOME", str(Path.home())))
    return home / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "ms-playwright"


def _revision(path: Path) -> int:
    folder = next(part for part in path.parts if part.startswith("chromium") and "-" in part)
    revision = folder.rpartition("-")[2]
    return int(revision) if revision.isdigit() else 0
