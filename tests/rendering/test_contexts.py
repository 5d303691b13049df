"""Contexts are lent one a site, within their bounds, and nobody waits for ever."""

import asyncio

from audiocrawler.rendering.chromium import Contexts


class Record:
    """Contexts of small bounds, and what they did."""

    def __init__(self, *, max_contexts: int = 2, max_pages: int = 100, max_browser_pages: int = 100) -> None:
        self.events: list[str] = []
        self.open: set[str] = set()
        self.most = 0
        self.contexts = Contexts(
            max_contexts=max_contexts,
            max_pages=max_pages,
            max_browser_pages=max_browser_pages,
            close=self._close,
            renew=self._renew,
        )

    async def page(self, site: str, seconds: float = 0.0) -> None:
        async with self.contexts.lent(site):
            self.open.add(site)
            self.most = max(self.most, len(self.open))
            await asyncio.sleep(seconds)

    async def _close(self, site: str) -> None:
        self.events.append(f"close {site}")
        self.open.discard(site)

    async def _renew(self) -> None:
        self.events.append("renew")
        self.open.clear()


def run(record: Record, *pages: tuple[str, float]) -> None:
    async def all_pages() -> None:
        await asyncio.wait_for(asyncio.gather(*(record.page(*page) for page in pages)), 10)

    asyncio.run(all_pages())


def test_three_sites_share_two_contexts() -> None:
    record = Record()
    run(record, *((site, 0.01) for site in "abcabcabc"))
    assert record.most == 2


def test_an_idle_context_makes_room_and_a_busy_one_stays() -> None:
    record = Record()
    run(record, ("a", 0.2), ("b", 0.0), ("c", 0.0))
    assert record.events == ["close b"]


def test_a_context_is_renewed_after_its_pages() -> None:
    record = Record(max_pages=3)
    run(record, *(("a", 0.0) for _ in range(7)))
    assert record.events == ["close a", "close a"]


def test_the_browser_is_renewed_when_no_page_is_open() -> None:
    record = Record(max_browser_pages=4)
    run(record, *((site, 0.01) for site in "abababab"))
    assert record.events == ["renew"]


def test_a_page_that_fails_gives_its_context_back() -> None:
    record = Record(max_contexts=1)

    async def failing() -> None:
        async with record.contexts.lent("a"):
            raise ValueError

    async def both() -> None:
        await asyncio.gather(failing(), return_exceptions=True)
        await asyncio.wait_for(record.page("b"), 5)

    asyncio.run(both())
    assert record.events == ["close a"]
