"""Say what of a document was neither searched nor followed: a line in the log, and a row of the page."""

import logging

from scrapy.http import Response

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery import Document
from audiocrawler.fetch.requests import LANDING
from audiocrawler.model.statuses import Status
from audiocrawler.records import page_row
from audiocrawler.warehouse.rows import clean_url

IN_PART = "searched in part; left out: "
"""Begins the reason in the row of such a page."""
_LEFT_OUT = "left_out"
"""In the meta of a response: what of it is left out, in words."""

logger = logging.getLogger(__name__)


def leave_out(page: Response, what: str) -> None:
    """Note that something that may lead to audio is not followed or taken."""
    noted = page.meta.setdefault(_LEFT_OUT, [])
    if what not in noted:
        noted.append(what)


async def tell_left_out(crawl: Crawl, page: Response, document: Document | None) -> None:
    """Log what was left out of a document, and write the row that says so."""
    left_out = [*(document.cuts if document else ()), *page.meta.pop(_LEFT_OUT, ())]
    if not left_out or page.request is None:
        return
    reason = IN_PART + "; ".join(left_out)
    logger.warning("%s: %s", clean_url(page.url), reason)
    crawl.stats.inc_value("audio/pages_in_part")
    if LANDING not in page.meta:  # the URL has the row of the file in whose place it came
        await crawl.write([page_row(page.request, Status.FAILED, reason, found_by="link")])
