"""Every error that audiocrawler raises on purpose.

AudioCrawlerError
├── ConfigurationError      the user's arguments, settings, store or warehouse cannot be used
│   ├── SchemaError         a table exists whose columns contradict ours
│   └── LockedError         another crawl of the same start is running
├── StoreError              an object could not be written or verified
├── WarehouseError          rows could not be written or read
├── RenderError             a page could not be opened in a browser
│   └── BrowserMissingError the browser does not start at all
├── FrontierError           requests could not be kept or had
│   └── FrontierAwayError   the frontier does not answer at the moment
└── FileRejectedError       one file will not become a row: it carries the status and the reason of its source row
    ├── NotAudioError       the bytes are something else: a page, an image, an archive
    ├── AnalysisError       the bytes cannot be decoded or measured
    ├── FilteredError       a filter of the settings refused the measured file
    └── ContentTakenDownError  the same bytes were taken down

Every message is one line that names the input and says what to do.
"""


class AudioCrawlerError(Exception):
    """The root of the tree."""


class ConfigurationError(AudioCrawlerError):
    """Raised before the first request when arguments or settings cannot work, from commands and extensions."""


class SchemaError(ConfigurationError):
    """Raised when an existing table contradicts the declared columns, from the warehouses."""


class LockedError(ConfigurationError):
    """Raised when another crawl of the same start into the same warehouse is running, from the crawl."""


class StoreError(AudioCrawlerError):
    """Raised when an object cannot be stored or does not verify, from the stores."""


class WarehouseError(AudioCrawlerError):
    """Raised when rows cannot be written or read, from the warehouses."""


class RenderError(AudioCrawlerError):
    """Raised when a page cannot be opened in a browser, from the browser; the message is the reason for its row."""


class BrowserMissingError(RenderError):
    """Raised when no page can be opened because the browser does not start, from the browser."""


class FrontierError(AudioCrawlerError):
    """Raised when requests cannot be kept or had, from the frontiers."""


class FrontierAwayError(FrontierError):
    """Raised when the frontier does not answer and trying again may help, from the frontiers."""


class FileRejectedError(AudioCrawlerError):
    """Raised when one file will not become a row; ``status`` is the status of its source row."""

    status = "failed"


class NotAudioError(FileRejectedError):
    """Raised when the first bytes are those of something that is not audio, from the pipelines."""

    status = "not_audio"


class AnalysisError(FileRejectedError):
    """Raised when the bytes cannot be decoded or measured within the limits, from the analysis."""

    status = "undecodable"


class FilteredError(FileRejectedError):
    """Raised when a measured file is outside the bounds of the settings, from the filters."""

    status = "filtered"


class ContentTakenDownError(FileRejectedError):
    """Raised when a file brings bytes that were taken down, from the pipelines."""

    status = "taken_down"
