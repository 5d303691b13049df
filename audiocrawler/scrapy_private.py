"""What of Scrapy's engine has no public name and yet tells what is done with."""

from scrapy.crawler import Crawler


def missing_internals(crawler: Crawler) -> str | None:
    """Return what of Scrapy's engine acknowledgement relies on and is not there, None if all of it is."""
    engine = crawler.engine
    slot = getattr(engine, "_slot", None)
    if not isinstance(getattr(slot, "inprogress", None), set):
        return "engine._slot.inprogress"
    if not hasattr(getattr(slot, "nextcall", None), "schedule"):
        return "engine._slot.nextcall"
    if not hasattr(slot, "closing"):
        return "engine._slot.closing"
    downloader = getattr(engine, "downloader", None)
    if not isinstance(getattr(downloader, "active", None), set) or not hasattr(downloader, "slots"):
        return "engine.downloader.active and slots"
    return None
