"""Every error that audiocrawler raises on purpose.

AudioCrawlerError
├── ConfigurationError          the user's arguments, settings, store or warehouse cannot be used
│   ├── SchemaError             a table exists whose columns contradict ours
│   └── LockedError             another crawl of the same start is running
├── ExportError                 a training set could not be written or read
├── WarehouseError              rows could not be written or read
├── FrontierError               requests could not be kept or had
│   └── FrontierAwayError       the frontier does not answer at the moment
├── ReleasedError *            the crawl stops: the file is left to its next run, and its row stays pending
├── FetchAgainError *           the bytes that came are not judged: the file is fetched again, and its row stays pending
└── OutcomeError                a URL ends as a row: the error carries its status, the message is its reason
    ├── StoreError              an object could not be written or verified
    ├── RenderError             a page could not be opened in a browser
    │   └── BrowserMissingError the browser does not start at all
    ├── FileRejectedError       a file has come, and is not kept
    │   ├── NotAudioError       its bytes are something else: a page, an image, an archive
    │   ├── AnalysisError       its bytes cannot be decoded or measured
    │   ├── FilteredError       a filter of the settings refused the measured file
    │   └── ContentTakenDownError  the same bytes were taken down
    ├── RefusedError *          the row of a file that was refused is written: the item goes no further
    ├── LimitReachedError *     not asked for: the crawl has taken as much as it may
    ├── TakenDownError *        not asked for: it was taken down
    ├── OptedOutError *         not asked for: its host opts it out of AI training
    ├── RobotsError *           not asked for: robots.txt
    ├── RefusedAddressError *   not connected to: its address is not allowed
    ├── UrlTooLongError *       not asked for: no server would take its URL
    ├── StoredAlreadyError *    not asked for again: this crawl has stored it
    ├── DeadLetterError *         not asked for again: it seems to end the process that works on it
    ├── HostPausedError *       not asked for: its host is left to a later crawl
    ├── NotReadyError *         the last of several answers brought no body
    ├── TlsError *              no TLS connection comes about
    │   └── UntrustedIssuerError *  no chain of certificates leads to a trusted authority
    ├── HeadersTooLongError *   the headers of an answer go on and on
    ├── TooLargeError *         the body is larger than it may be
    ├── TotalReachedError *     the body would bring the crawl above the bytes that it may take
    ├── EndlessError *          the body has no length and does not end
    ├── DigestError *           the body has not the digest that its server states
    ├── EncodingError           the body is encoded in a way that is not known, or damaged
    ├── SpoolError              the body cannot be written
    └── NoRoomError             the body would take from the reserve of the disk

Every message is one line that names the input and says what to do.

This room knows no Scrapy. What Scrapy must know by a class of its own (IgnoreRequest, so that it logs no traceback;
DropItem; the download errors, which are tried again) derives from both, the class of this tree first, and stands beside
what raises it: those with a star. What only ends a loop within one room, such as EnoughError, is not in the tree.
Scrapy's and Twisted's own errors carry no status: ``status_of`` calls them failed, and ``fetch.headers.explain`` has
their wording.
"""

from audiocrawler.model.statuses import Status


class AudioCrawlerError(Exception):
    """The root of the tree."""


class ConfigurationError(AudioCrawlerError):
    """Raised before the first request when arguments or settings cannot work, from commands and extensions."""


class SchemaError(ConfigurationError):
    """Raised when an existing table contradicts the declared columns, from the warehouses."""


class LockedError(ConfigurationError):
    """Raised when another crawl of the same start into the same warehouse is running, from the crawl."""


class ExportError(AudioCrawlerError):
    """Raised when a set cannot be written, published or read back, from the export."""


class WarehouseError(AudioCrawlerError):
    """Raised when rows cannot be written or read, from the warehouses."""


class FrontierError(AudioCrawlerError):
    """Raised when requests cannot be kept or had, from the frontiers."""


class FrontierAwayError(FrontierError):
    """Raised when the frontier does not answer and trying again may help, from the frontiers."""


class OutcomeError(AudioCrawlerError):
    """Raised when a URL ends as a row of audio_sources that has this ``status``, and the message as its reason."""

    status: Status = Status.FAILED


def status_of(error: BaseException) -> Status:
    """Return the status of the row as which an error ends; one that is not ours is a failure."""
    return error.status if isinstance(error, OutcomeError) else Status.FAILED


class StoreError(OutcomeError):
    """Raised when an object cannot be stored or does not verify, from the stores."""


class RenderError(OutcomeError):
    """Raised when a page cannot be opened in a browser, from the browser; the message is the reason for its row."""


class BrowserMissingError(RenderError):
    """Raised when no page can be opened because the browser does not start, from the browser."""


class FileRejectedError(OutcomeError):
    """Raised when a file that has come is not kept, from the analysis."""


class NotAudioError(FileRejectedError):
    """Raised when the first bytes are those of something that is not audio, from the pipelines."""

    status = Status.NOT_AUDIO


class AnalysisError(FileRejectedError):
    """Raised when the bytes cannot be decoded or measured within the limits, from the analysis."""

    status = Status.UNDECODABLE


class FilteredError(FileRejectedError):
    """Raised when a measured file is outside the bounds of the settings, from the filters."""

    status = Status.FILTERED


class ContentTakenDownError(FileRejectedError):
    """Raised when a file brings bytes that were taken down, from the pipelines."""

    status = Status.TAKEN_DOWN


class EncodingError(OutcomeError):
    """Raised when a body is encoded in a way that is not known, or its encoding is damaged, from the transfers."""


class SpoolError(OutcomeError):
    """Raised when a body cannot be written; ``__cause__`` tells a full disk from other troubles."""


class NoRoomError(OutcomeError):
    """Raised when a body would take from the reserve, from the transfers."""
