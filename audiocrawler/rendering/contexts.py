"""Which browser contexts are open: one a site; idle ones make room, and all are renewed after a while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Open:
    users: int = 0
    pages: int = 0


class Contexts:
    """Lends contexts to pages. ``close`` closes the context of a site, ``renew`` the whole browser.

    A context is lent to at most ``max_pages`` pages and the browser to ``max_browser_pages``, so that what they leak
    stays small; while one that is used up drains, its site's pages wait.
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
        """Enter when the site's context may be used by another page."""
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
        """Take the site's context, opening room for it first; return False if it must be waited for."""
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
