"""Why an item goes no further: each reason is an exception by which a pipeline drops it."""

from scrapy.exceptions import DropItem


class GivenBackError(DropItem):
    """Raised when a crawl that stops leaves a file to its next run: the request is not acknowledged."""


class RefusedError(DropItem):
    """Raised when the row of a file that was refused has been written; another file of the recording may be tried."""


class FetchAgainError(DropItem):
    """Raised when the bytes that came are not to be judged: the same request is made again, and no row is written."""
