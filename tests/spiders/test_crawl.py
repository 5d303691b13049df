"""What all parts of a crawl share says in one place how the crawl ends."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from audiocrawler.crawl.exit_codes import Rest
from audiocrawler.model.rows import AudioCrawl
from tests.one_crawl import crawl_in


def test_the_first_reason_for_leaving_something_behind_counts(tmp_path: Path) -> None:
    crawl = crawl_in(tmp_path)
    assert crawl.leave_behind("the disk is full")
    assert not crawl.leave_behind("rows cannot be sent")
    assert crawl.rest.left_behind == "the disk is full"


def test_a_crawl_ends_in_the_order_in_which_the_data_flows(tmp_path: Path) -> None:
    told: list[str] = []

    def record() -> AudioCrawl:
        told.append(f"record with {crawl.rest.waiting} left")
        return AudioCrawl(crawl_id="c-1", started_at=datetime.now(UTC))

    async def items_done() -> str:
        told.append("items done")
        return "the export failed"

    async def pending() -> int:
        told.append("requests done")
        return 2

    async def sent() -> None:
        told.append(f"sent with {crawl.row_counts()['warehouse/rows']} row")

    async def close() -> None:
        await crawl.close(record, pending_starts=3)

    crawl = crawl_in(tmp_path)
    crawl.on_sent(sent)
    crawl.on_requests_done(pending)
    crawl.on_items_done(items_done)
    crawl.stop()
    crawl.leave_behind("stopped")
    assert crawl.is_stopping
    asyncio.run(close())
    assert told == ["items done", "requests done", "record with 5 left", "sent with 1 row"]
    assert crawl.rest == Rest(5, is_kept=False, left_behind="stopped; the export failed")
