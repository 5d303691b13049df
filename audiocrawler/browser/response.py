"""The response of a rendered page."""

from typing import Any

from scrapy.http import HtmlResponse

from audiocrawler.rendering.visit import Seen


class RenderedResponse(HtmlResponse):
    """A rendered page; ``body`` is its DOM in UTF-8, ``seen`` what else was recorded."""

    attributes: tuple[str, ...] = (*HtmlResponse.attributes, "seen")

    def __init__(self, *args: Any, seen: Seen, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seen = seen
