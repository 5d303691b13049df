"""Every error that audiocrawler raises on purpose.

AudioCrawlerError
├── ConfigurationError          invalid arguments, settings, store or warehouse
│   ├── SchemaError             an existing table has incompatible columns
│   └── LockedError             another crawl of the same start is running
├── ExportError                 a training set could not be written or read
├── WarehouseError              rows could not be written or read
├── FrontierError               requests could not be written or leased
│   └── FrontierAwayError       the frontier is unreachable at the moment
├── ReleasedError *             the crawl is stopping: the file is released to the next run, its row stays pending
├── FetchAgainError *           the bytes are not analysed: the file is fetched again, its row stays pending
└── OutcomeError                a URL's final outcome: the error carries the row's status, the message its reason
    ├── StoreError              an object could not be written or verified
    ├── RenderError             a page could not be opened in a browser
    │   └── BrowserMissingError the browser does not start at all
    ├── FileRejectedError       a file was downloaded and discarded
    │   ├── NotAudioError       its bytes are something else: a page, an image, an archive
    │   ├── AnalysisError       its bytes could not be decoded or measured
    │   ├── FilteredError       a filter of the settings refused the measured file
    │   └── ContentTakenDownError  the same bytes were taken down
    ├── NotTextError            what came is no transcript and no chapters
    ├── RefusedError *          the refused file's row is written; the item is dropped
    ├── LimitReachedError *     not requested: the crawl has reached its limit
    ├── TakenDownError *        not requested: it was taken down
    ├── OptedOutError *         not requested: its host opts it out of AI training
    ├── RobotsError *           not requested: robots.txt
    ├── RefusedAddressError *   not connected to: its address is not allowed
    ├── UrlTooLongError *       not requested: the URL is too long for any server
    ├── StoredAlreadyError *    not requested again: this crawl has stored it
    ├── DeadLetterError *       not requested again: it seems to crash the worker
    ├── HostPausedError *       not requested: its host is left to a later crawl
    ├── NotReadyError *         the last of several responses had no body
    ├── TlsError *              the TLS connection failed
    │   └── UntrustedIssuerError *  the certificate chain leads to no trusted authority
    ├── HeadersTooLongError *   the response's headers are too long
    ├── TooLargeError *         the body is too large
    ├── TotalReachedError *     the body would exceed the crawl's limit of bytes
    ├── EndlessError *          the body has no length and does not end
    ├── DigestError *           the body does not match the digest that its server states
    ├── ArchiveError            an archive could not be read, or not within the bounds
    │   └── MemberError         one member of it could not be read
    ├── EncodingError           the body's encoding is unknown or damaged
    ├── SpoolError              the body could not be written to disk
    └── NoRoomError             the body would use the disk's reserve

Every message is one line that names the input and says what to do.

This package does not import Scrapy. Classes with a star also derive from a class that Scrapy knows (IgnoreRequest, so
that it logs no traceback; DropItem; the download errors, which it retries), the class of this tree first, and are
defined where they are raised. Errors that only end a loop within one package, such as EnoughError, are not in the
tree. Scrapy's and Twisted's own errors carry no status: ``status_of`` returns failed for them, and
``fetch.headers.explain`` words them.
"""

from audiocrawler.model.statuses import Status


class AudioCrawlerError(Exception):
    """The root of the tree."""


class ConfigurationError(AudioCrawlerError):
    """Raised before the first request when arguments or settings are invalid, from commands and extensions."""


class SchemaError(ConfigurationError):
    """Raised when an existing table is incompatible with the declared columns, from the warehouses."""


class LockedError(ConfigurationError):
    """Raised when another crawl of the same start into the same warehouse is running, from the crawl."""


class ExportError(AudioCrawlerError):
    """Raised when a set cannot be written, published or read back, from the export."""


class WarehouseError(AudioCrawlerError):
    """Raised when rows cannot be written or read, from the warehouses."""


class FrontierError(AudioCrawlerError):
    """Raised when requests cannot be written or leased, from the frontiers."""


class FrontierAwayError(FrontierError):
    """Raised when the frontier does not answer and a retry may help, from the frontiers."""


class OutcomeError(AudioCrawlerError):
    """Raised when a URL's outcome is known: a row of audio_sources with this ``status`` and the message as reason."""

    status: Status = Status.FAILED


def status_of(error: BaseException) -> Status:
    """Return the row's status for an error; FAILED for one of another library."""
    return error.status if isinstance(error, OutcomeError) else Status.FAILED


class StoreError(OutcomeError):
    """Raised when an object cannot be stored or does not verify, from the stores."""


class RenderError(OutcomeError):
    """Raised when a page cannot be opened in a browser, from the browser; the message is the reason for its row."""


class BrowserMissingError(RenderError):
    """Raised when no page can be opened because the browser does not start, from the browser."""


class FileRejectedError(OutcomeError):
    """Raised when a downloaded file is discarded, from the analysis."""


class NotAudioError(FileRejectedError):
    """Raised when the first bytes are not those of audio, from the pipelines."""

    status = Status.NOT_AUDIO


class AnalysisError(FileRejectedError):
    """Raised when the bytes cannot be decoded or measured within the limits, from the analysis."""

    status = Status.UNDECODABLE


class FilteredError(FileRejectedError):
    """Raised when a measured file is outside the bounds of the settings, from the filters."""

    status = Status.FILTERED


class ContentTakenDownError(FileRejectedError):
    """Raised when a file has the same bytes as one that was taken down, from the pipelines."""

    status = Status.TAKEN_DOWN


class ArchiveError(OutcomeError):
    """Raised when an archive or a member of one cannot be read, or not within the bounds, from the archives."""

    status = Status.UNDECODABLE


class MemberError(ArchiveError):
    """Raised when a member cannot be read, and others of the archive can, from the archives."""


class NotTextError(OutcomeError):
    """Raised when what came is no transcript and no chapters, from the transfers."""


class EncodingError(OutcomeError):
    """Raised when a body's encoding is unknown or damaged, from the transfers."""


class SpoolError(OutcomeError):
    """Raised when a body cannot be written to disk; ``__cause__`` tells a full disk from other errors."""


class NoRoomError(OutcomeError):
    """Raised when a body would use the disk's reserve, from the transfers."""
