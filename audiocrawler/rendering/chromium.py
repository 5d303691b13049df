"""Find Chromium, set its launch options, and share a limited number of browser contexts."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiocrawler.model.errors import ConfigurationError

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chromium-headless-shell")
HOW_TO_INSTALL = (
    "Chromium not found: run `playwright install --with-deps chromium`, on Debian also "
    "`apt install chromium`; or set AUDIO_CHROMIUM to its path"
)
NO_DRIVER = (
    "scrapy-playwright, which renders pages in a browser (-a render), is not installed: "
    "pip install 'audiocrawler[browser]'"
)
_SHELLS = (
    "chromium_headless_shell-*/*/headless_shell",
    "chromium_headless_shell-*/*/chrome-headless-shell",
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
)
FLAGS = (
    "--disable-quic",  # UDP bypasses the proxy
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
    "--js-flags=--max-old-space-size=512",  # a page that needs more memory crashes instead of the machine
    "--autoplay-policy=no-user-gesture-required",
    "--disable-features=Prerender2,SpeculationRulesPrefetchProxy,PreconnectToSearch,DnsOverHttps,MediaRouter,Translate",
)


def find_chromium(named: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of the Chromium to start: ``named``, else Playwright's own, else one on the PATH.

    Raises ConfigurationError if ``named`` is not found.
    """
    if named:
        found = shutil.which(named, path=environment.get("PATH"))
        if found is None:
            raise ConfigurationError(f"AUDIO_CHROMIUM={named}: not found or not executable")
        return found
    on_path = (shutil.which(name, path=environment.get("PATH")) for name in NAMES)
    return next((path for path in (*_playwrights_own(environment), *on_path) if path), None)


def launch_options(executable: str, proxy: Mapping[str, str], *, sandbox: bool) -> dict[str, Any]:
    """Return the arguments of Playwright's ``launch``; the crawl handles signals and closes the browser itself."""
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
    """Return whether Chromium can be started with its sandbox, which it refuses as root."""
    return sys.platform != "linux" or os.geteuid() != 0


def _playwrights_own(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the Chromiums in Playwright's cache, newest first."""
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


@dataclass(slots=True)
class _Open:
    users: int = 0
    pages: int = 0


class Contexts:
    """A pool of one browser context per site. ``close`` closes a site's context, ``renew`` restarts the browser.

    A context serves at most ``max_pages`` pages and the browser ``max_browser_pages``, to limit memory leaks; while a
    used-up context drains, its site's pages wait.
    """

    def __init__(
        self,
        *,
        max_contexts: int,
        max_pages: int,
        max_browser_pages: int,
        close: Callable[[str], Awaitable[None]],
        renew: Callable[[], Awaitable[None]],
    ) -> None:
        self._max_contexts = max_contexts
        self._max_pages = max_pages
        self._max_browser_pages = max_browser_pages
        self._close = close
        self._renew = renew
        self._open: dict[str, _Open] = {}
        self._browser_pages = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def lent(self, site: str) -> AsyncIterator[None]:
        """Wait until the site's context is free for another page, and hold it."""
        async with self._changed:
            while not await self._take(site):
                await self._changed.wait()
        try:
            yield
        finally:
            async with self._changed:
                if site in self._open:
                    self._open[site].users -= 1
                self._changed.notify_all()

    async def _take(self, site: str) -> bool:
        """Acquire the site's context, making room first; return False to wait."""
        if self._browser_pages >= self._max_browser_pages and not await self._renewed():
            return False
        mine = self._open.get(site)
        if mine is not None and mine.pages >= self._max_pages:
            if mine.users:
                return False
            await self._close_context(site)
            mine = None
        if mine is None and not await self._has_room():
            return False
        mine = self._open.setdefault(site, _Open())
        mine.users, mine.pages = mine.users + 1, mine.pages + 1
        self._browser_pages += 1
        return True

    async def _renewed(self) -> bool:
        if any(each.users for each in self._open.values()):
            return False
        self._open.clear()
        self._browser_pages = 0
        await self._renew()
        return True

    async def _has_room(self) -> bool:
        if len(self._open) < self._max_contexts:
            return True
        idle = next((site for site, each in self._open.items() if not each.users), None)
        if idle is None:
            return False
        await self._close_context(idle)
        return True

    async def _close_context(self, site: str) -> None:
        del self._open[site]
        await self._close(site)
