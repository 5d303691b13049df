"""What all pipelines of a file share: the crawl, and what becomes of a file that goes no further."""

import logging
from abc import ABC, abstractmethod
from functools import partial
from pathlib import Path
from typing import Any, Self

from scrapy.crawler import Crawler

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.crawl.drops import FetchAgainError, GivenBackError
from audiocrawler.crawl.lifecycle import crawl_of, stop_crawl
from audiocrawler.download.reasons import explain, is_disk_full
from audiocrawler.errors import FileRejectedError
from audiocrawler.items import AudioItem, Status
from audiocrawler.spiders.outcomes import MAX_REASON_LENGTH
from audiocrawler.spiders.sources import FOREIGN
from audiocrawler.texts import one_line

logger = logging.getLogger(__name__)


class CrawlPipeline:
    """A pipeline that works with what the crawl shares."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @property
    def crawl(self) -> Crawl:
        """Return what the pipelines share; it is there as soon as the spider is open."""
        return crawl_of(self.crawler)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Return the pipeline."""
        return cls(crawler)


class Stage(CrawlPipeline, ABC):
    """A stage of a file's way; one that was refused passes through it untouched."""

    async def process_item(self, item: Any) -> Any:
        """Take a file one stage on; what goes wrong becomes the status and reason of its source row."""
        if not isinstance(item, AudioItem) or item.source.status != Status.PENDING or not item.files:
            return item
        try:
            await self.advance(item)
        except GivenBackError:
            self._give_back(item)
            raise
        except FetchAgainError:
            self._give_back(item)
            await self.crawl.in_thread(partial(Path(item.files[0]["path"]).unlink, missing_ok=True))
            raise
        except FileRejectedError as error:
            refuse(item, Status(error.status), str(error))
            item.source.judged_by = self.crawl.judge
        except Exception as error:  # noqa: BLE001 - no file may end a crawl
            self._fail(item, error)
        return item

    def may_fetch_again(self, item: AudioItem) -> bool:
        """Return whether the file has tries left, so that FetchAgainError may be raised for it."""
        has_request = item.source.found_by != FOREIGN
        return has_request and (item.source.attempts or 1) <= self.crawler.settings.getint("RETRY_TIMES")

    @abstractmethod
    async def advance(self, item: AudioItem) -> None:
        """Do the stage's work; raises FileRejectedError, or FetchAgainError for a file that has tries left."""

    def _give_back(self, item: AudioItem) -> None:
        """Let others have the file's content; its row stays pending."""
        self.crawl.claims.release(str(item.files[0]["checksum"]))

    def _fail(self, item: AudioItem, error: Exception) -> None:
        if is_disk_full(error):
            stop_crawl(
                self.crawler,
                f"the disk is full or read-only: {explain(error)}; free room and run the same command again",
            )
            self._give_back(item)
            raise GivenBackError(f"{item.source.source_url}: left to the next run") from error
        logger.error("%s: %s", item.source.source_url, explain(error), exc_info=error)
        refuse(item, Status.FAILED, explain(error))


def refuse(item: AudioItem, status: Status, reason: str) -> None:
    """Give the file a final status and its reason; it goes no further."""
    item.source.status = item.source.last_status = status
    item.source.reason = item.source.last_error = one_line(reason, MAX_REASON_LENGTH)
    item.source.sha256 = item.source.size_bytes = None  # they speak of a stored file
    item.audio = None
