"""AutoThrottle that never goes below the delay a host has asked for."""

from scrapy import Request, Spider
from scrapy.core.downloader import Slot
from scrapy.extensions.throttle import AutoThrottle
from scrapy.http import Response

from audiocrawler.download.slots import floor_s, is_page_slot


class FlooredAutoThrottle(AutoThrottle):
    """Scrapy's AutoThrottle for pages, with a floor per slot; media have no delay but what robots.txt asks for."""

    def _response_downloaded(self, response: Response, request: Request, spider: Spider) -> None:
        slot = request.meta.get("download_slot", "")
        if is_page_slot(slot):
            self._slot_name = slot
            super()._response_downloaded(response, request, spider)

    def _adjust_delay(self, slot: Slot, latency: float, response: Response) -> None:
        super()._adjust_delay(slot, latency, response)
        slot.delay = max(slot.delay, floor_s(self.crawler, self._slot_name))
