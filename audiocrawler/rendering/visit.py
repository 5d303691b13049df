"""A visit of one page: load it, let its scripts run, scroll, play, and take what it then shows."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from audiocrawler.rendering.scripts import COLLECT, PLAY, SCROLL
from audiocrawler.rendering.seen import How, Seen, SeenText
from audiocrawler.rendering.watch import Watch

QUIET_S = 0.5
SETTLE_S = 8.0
"""How long a page may go on asking for more before it is taken as it is."""
STEP_S = 10.0
"""How long a script of ours may take in a frame."""
STEP_SHARE = 0.4
"""Of the time that is left, what a step may take at most: on a slow machine, too, the page is taken before its end."""
MAX_FRAMES = 30
_LISTS = {How.PLAYER: "players", How.DOWNLOAD: "downloads", How.VIDEO: "videos"}


class PageCrashedError(Exception):
    """Raised when the renderer of a page has died."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One page, its watch, and the ``time.monotonic()`` at which it is given up."""

    page: Any
    watch: Watch
    ends_s: float

    async def see(self, url: str) -> Seen:
        """Return what the page shows and asks for; raises PageCrashedError, TimeoutError and Playwright's errors."""
        seeing = asyncio.ensure_future(self._see(url))
        crash = asyncio.ensure_future(self.watch.crashed())
        try:
            await asyncio.wait({seeing, crash}, return_when=asyncio.FIRST_COMPLETED)
            if crash.done():
                raise PageCrashedError("the page crashed its browser tab")
            return await seeing
        finally:
            for task in (seeing, crash):
                task.cancel()
            await asyncio.gather(seeing, crash, return_exceptions=True)

    async def _see(self, url: str) -> Seen:
        answer = await self.page.goto(url, wait_until="domcontentloaded")
        seen = Seen(status=answer.status if answer else 200, headers=await answer.all_headers() if answer else {})
        await self.watch.quiet(QUIET_S, self._at_most(SETTLE_S))
        self.watch.is_frozen = True
        for script in (SCROLL, PLAY):
            await self._in_all_frames(script)
        await self.watch.quiet(QUIET_S, self._at_most(SETTLE_S))
        await self._collect(seen)
        seen.cookies = await self.page.context.cookies()
        return seen

    async def _collect(self, seen: Seen) -> None:
        for frame, shown in await self._in_all_frames(COLLECT):
            if frame == self.page.main_frame:
                seen.url, seen.html = frame.url, shown["html"]
            else:
                seen.texts.append(SeenText(frame.url, shown["html"], "markup"))
            seen.texts += [SeenText(frame.url, html, "markup") for html in shown["shadows"]]
            for how, urls in _LISTS.items():
                for url in shown[urls]:
                    self.watch.note(url, how)
        if not seen.html:
            raise TimeoutError  # it is busy with itself for ever
        seen.urls = list(self.watch.urls.values())
        seen.texts += self.watch.texts

    def _at_most(self, seconds: float) -> float:
        return min(seconds, STEP_SHARE * (self.ends_s - time.monotonic()))

    async def _in_all_frames(self, script: str) -> list[tuple[Any, Any]]:
        frames = self.page.frames[:MAX_FRAMES]
        at_most_s = self._at_most(STEP_S)
        results = await asyncio.gather(*(_evaluate(frame, script, at_most_s) for frame in frames))
        return [(frame, result) for frame, result in zip(frames, results, strict=True) if result is not None]


async def _evaluate(frame: Any, script: str, at_most_s: float) -> Any:
    """Return the script's result; None for a frame that is gone, or does not answer in time."""
    from playwright.async_api import Error

    with suppress(Error, asyncio.TimeoutError):
        return await asyncio.wait_for(frame.evaluate(script), at_most_s)
    return None
