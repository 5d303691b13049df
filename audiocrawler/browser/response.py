"""A page as the browser shows it."""

from typing import Any

from scrapy.http import HtmlResponse

from audiocrawler.rendering.visit import Seen


class RenderedResponse(HtmlResponse):
    """A page as the browser shows it; ``seen`` has what else was seen there, ``body`` is its DOM in UTF-8."""

    attributes: tuple[str, ...] = (*HtmlResponse.attributes, "seen")

    def __init__(self, *args: Any, seen: Seen, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen = seen
