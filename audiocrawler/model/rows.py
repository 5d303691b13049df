"""The tables: one dataclass each, whose fields declare every column's type, merge rule and meaning."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import Field, dataclass, field, fields
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypedDict, get_args, get_type_hints

MAX_URL_LENGTH = 8192
MAX_TEXT_LENGTH = 4000
"""Longest text of a column, in characters; longer ones are cut."""


class Merge(Enum):
    """How a column's new value is merged with the one already in the table."""

    KEY = "identifies the row"
    OVERWRITE = "the newer value, NULL included"
    COALESCE = "the newer value, unless it is NULL"
    EARLIEST = "the smaller of the two"
    LATEST = "the larger of the two"
    SMALLEST_SOURCE = "the value of the smallest source_url; a NULL is filled from the other row"
    SMALLEST_PAGE = "the value of the smallest page_url; a NULL is filled from the other row"
    FROM_SOURCES = "derived from all rows of audio_sources with this sha256"
    STATED = "together with the other licence columns; smallest page_url wins, unless the newer row has the file"
    ATTEMPT = "the newer value, unless the newer row is only pending"
    OUTCOME = "as ATTEMPT, but a failure does not overwrite a success"
    KNOWN = "as OUTCOME, but NULL keeps the old value unless the newer row has a file of its own"


def column(merge: Merge, description: str, *, required: bool = False) -> Any:
    """Return a dataclass field that declares a column; without ``required`` its default is None."""
    metadata = {"merge": merge, "description": description}
    return field(metadata=metadata) if required else field(default=None, metadata=metadata)


_TYPES = {
    str: "STRING",
    int: "INTEGER",
    float: "FLOAT",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
    bytes: "BYTES",
    dict[str, str]: "JSON",
    list[dict[str, str]]: "JSON",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A declared column; ``type`` and ``mode`` use BigQuery's names."""

    name: str
    type: str
    mode: str
    merge: Merge
    description: str
    is_url: bool
    max_length: int
    """Longest text of this column, in characters."""


def columns_of(row_type: type[Any]) -> Iterator[Column]:
    """Yield the columns declared by the fields of ``row_type``, in order."""
    hints = get_type_hints(row_type)
    for each in fields(row_type):
        yield _column(each, hints[each.name])


def _column(declared: Field[Any], hint: Any) -> Column:
    arguments = [a for a in get_args(hint) if a is not NoneType]
    optional = NoneType in get_args(hint)
    mode = "NULLABLE" if optional else "REQUIRED"
    type_name = _TYPES[arguments[0] if optional else hint]
    is_url = declared.name.endswith("_url")
    return Column(
        name=declared.name,
        type=type_name,
        mode=mode,
        merge=declared.metadata["merge"],
        description=declared.metadata["description"],
        is_url=is_url,
        max_length=MAX_URL_LENGTH if is_url else MAX_TEXT_LENGTH,
    )


LOUDNESS_FLOOR_DBFS = -120.0


@dataclass(slots=True, kw_only=True)
class AudioMetadata:
    """One row per distinct audio file, whichever URLs it came from."""

    gcp_url: str = column(
        Merge.KEY, "URL of the stored object: gs://bucket/... or file:///... with the local store", required=True
    )
    file_name: str = column(
        Merge.SMALLEST_SOURCE, "Readable name: from Content-Disposition, else from the URL, cleaned", required=True
    )
    duration_ms: int = column(Merge.OVERWRITE, "Decoded duration in milliseconds, as pydub's len()", required=True)
    loudness: float = column(
        Merge.OVERWRITE, "pydub's dBFS of the whole file, not below -120.0; see is_silent", required=True
    )
    classification: str = column(
        Merge.OVERWRITE, "High Energy, Medium Energy or Low Energy, from duration and loudness", required=True
    )
    sha256: str | None = column(Merge.OVERWRITE, "SHA-256 of the file's bytes, in hex")
    size_bytes: int | None = column(Merge.OVERWRITE, "Size of the file in bytes")
    content_type: str | None = column(Merge.OVERWRITE, "Media type detected from the bytes, not the server's")
    container: str | None = column(Merge.OVERWRITE, "Container format, in FFmpeg's terms")
    codec: str | None = column(Merge.OVERWRITE, "Codec of the first audio stream, in FFmpeg's terms")
    sample_rate_hz: int | None = column(Merge.OVERWRITE, "Samples per second and channel")
    channels: int | None = column(Merge.OVERWRITE, "Number of channels")
    samples: int | None = column(
        Merge.OVERWRITE, "Samples per channel, counted as they were decoded; duration_ms is rounded"
    )
    bit_rate_bps: int | None = column(Merge.OVERWRITE, "Bits per second of the audio stream, else of the whole file")
    bits_per_sample: int | None = column(Merge.OVERWRITE, "Bits per sample, where the codec defines them")
    rms_dbfs: float | None = column(
        Merge.OVERWRITE, "Exact RMS over all channels in dBFS; NULL where every sample is zero"
    )
    peak_dbfs: float | None = column(Merge.OVERWRITE, "Largest sample in dBFS; NULL where every sample is zero")
    lufs: float | None = column(
        Merge.OVERWRITE, "Integrated loudness in LUFS (EBU R 128); NULL where no block is above the gate"
    )
    loudness_range_lu: float | None = column(Merge.OVERWRITE, "Loudness range in LU (EBU Tech 3342)")
    is_silent: bool | None = column(Merge.OVERWRITE, "Whether rms_dbfs is NULL or below -60 dBFS")
    silence_ratio: float | None = column(Merge.OVERWRITE, "Share of 20 ms frames below -60 dBFS, 0 to 1")
    leading_silence_ms: int | None = column(Merge.OVERWRITE, "Milliseconds of silent frames at the start")
    trailing_silence_ms: int | None = column(Merge.OVERWRITE, "Milliseconds of silent frames at the end")
    clipping_ratio: float | None = column(Merge.OVERWRITE, "Share of samples at full scale, 0 to 1")
    dc_offset: float | None = column(Merge.OVERWRITE, "Mean of all samples, -1 to 1")
    bandwidth_hz_est: float | None = column(
        Merge.OVERWRITE, "Estimate: the frequency below which 99.9 % of the average power spectrum lies"
    )
    snr_db_est: float | None = column(
        Merge.OVERWRITE, "Estimate: 95th minus 10th percentile of the 20 ms frame levels, in dB"
    )
    pcm_hash: str | None = column(
        Merge.OVERWRITE, "BLAKE2b-128 of the decoded samples: equal for re-tagged copies decoded by one version"
    )
    waveform: bytes | None = column(Merge.OVERWRITE, "200 peaks over the file, a byte each, 255 is full scale")
    title: str | None = column(Merge.FROM_SOURCES, "Title given by the document, else by the file's tags")
    artist: str | None = column(Merge.FROM_SOURCES, "Artist or author given by the document, else by the file's tags")
    album: str | None = column(Merge.COALESCE, "Album, from the file's tags")
    language: str | None = column(Merge.SMALLEST_SOURCE, "Language, from the document, else from the file's tags")
    license: str | None = column(Merge.FROM_SOURCES, "Licence, where all sources of the file state the same")
    license_url: str | None = column(Merge.FROM_SOURCES, "URL of that licence")
    license_conflict: bool | None = column(
        Merge.FROM_SOURCES,
        "Whether the file's sources, one source's places or the file's tags state different licences",
    )
    tags: dict[str, str] | None = column(Merge.OVERWRITE, "All textual tags of the file")
    source_url: str | None = column(Merge.SMALLEST_SOURCE, "URL that the file came from (the smallest of several)")
    page_url: str | None = column(Merge.SMALLEST_SOURCE, "Document in which that URL was found")
    found_by: str | None = column(Merge.SMALLEST_SOURCE, "Mechanism that found that URL")
    decode_errors: int | None = column(Merge.OVERWRITE, "Packets that could not be decoded")
    status: str | None = column(
        Merge.OVERWRITE,
        "ok; partial where part could not be decoded or verify found it to differ; "
        "unproved where it cannot be checked for completeness",
    )
    analyser_version: str | None = column(
        Merge.OVERWRITE, "Version of the analysis and of the decoder that measured the file"
    )
    crawl_id: str | None = column(Merge.OVERWRITE, "Crawl that last wrote this row")
    first_seen_at: datetime | None = column(Merge.EARLIEST, "When the file was first stored, in UTC")
    updated_at: datetime | None = column(Merge.LATEST, "When this row was last written, in UTC")


@dataclass(slots=True, kw_only=True)
class AudioSource:
    """One row per audio URL ever found, whatever its outcome."""

    source_url: str = column(
        Merge.KEY, "The audio URL as first found, secrets masked, ~ for parts that change on each visit", required=True
    )
    site: str | None = column(Merge.COALESCE, "Host of the start page of the crawl that found it")
    host: str | None = column(Merge.COALESCE, "Host of the audio URL")
    gcp_url: str | None = column(Merge.KNOWN, "URL of the stored object, as in audio_metadata")
    page_url: str | None = column(Merge.SMALLEST_PAGE, "Document in which the URL was found (the smallest of several)")
    page_title: str | None = column(Merge.SMALLEST_PAGE, "Title of that document")
    link_text: str | None = column(Merge.SMALLEST_PAGE, "Text of the link or label of the player")
    found_by: str | None = column(Merge.SMALLEST_PAGE, "Mechanism that found the URL")
    confidence: float | None = column(Merge.SMALLEST_PAGE, "How sure that mechanism is that this is audio, 0 to 1")
    kind: str | None = column(
        Merge.SMALLEST_PAGE,
        "audio, stream, video, archive, data (within the page) or other_scheme (such as ftp); page for a page that was "
        "not rendered, was searched in part, or in place of which something else came: audio may be missing",
    )
    role: str | None = column(Merge.SMALLEST_PAGE, "main, preview, interface or speech_synthesis")
    group_id: str | None = column(Merge.SMALLEST_PAGE, "Equal for files that the document offers as one recording")
    guid: str | None = column(
        Merge.COALESCE, "The feed's guid of the item, after the feed's URL unless it is unique by itself"
    )
    url_pattern: str | None = column(
        Merge.COALESCE, "URL when last found, with * for parts that may change while the file stays"
    )
    rotates: bool | None = column(Merge.COALESCE, "Whether its URL has changed while its bytes stayed the same")
    title: str | None = column(Merge.SMALLEST_PAGE, "Title that the document gives")
    artist: str | None = column(Merge.SMALLEST_PAGE, "Artist or author that the document gives")
    published_at: datetime | None = column(Merge.SMALLEST_PAGE, "Publication time that the document gives, in UTC")
    declared_duration_ms: int | None = column(Merge.SMALLEST_PAGE, "Duration that the document gives")
    declared_size_bytes: int | None = column(Merge.SMALLEST_PAGE, "Size that the document gives")
    language: str | None = column(Merge.SMALLEST_PAGE, "Language that the document gives, as it writes it")
    show_title: str | None = column(Merge.SMALLEST_PAGE, "Podcast, series or programme that it belongs to")
    season: int | None = column(Merge.SMALLEST_PAGE, "Number of the season")
    episode: int | None = column(Merge.SMALLEST_PAGE, "Number of the episode")
    description: str | None = column(
        Merge.SMALLEST_PAGE, "Text about it that the document gives, without markup, up to 4000 characters"
    )
    episode_url: str | None = column(Merge.SMALLEST_PAGE, "Page about it that the document names")
    image_url: str | None = column(Merge.SMALLEST_PAGE, "Image of it, else of its show")
    people: list[dict[str, str]] | None = column(
        Merge.SMALLEST_PAGE, "Hosts, guests, readers and others: name and role, where stated group, url and image"
    )
    transcript_url: str | None = column(Merge.SMALLEST_PAGE, "Transcript that the document names, the first of several")
    transcript: str | None = column(
        Merge.SMALLEST_PAGE, "Text of a member of an archive, from a table or a file beside it in the archive"
    )
    transcripts: list[dict[str, str]] | None = column(
        Merge.SMALLEST_PAGE, "All transcripts and captions: url, where stated type, language and rel"
    )
    chapters_url: str | None = column(Merge.SMALLEST_PAGE, "Chapters that the document names")
    texts: list[dict[str, str]] | None = column(
        Merge.COALESCE, "Transcripts and chapters as stored: kind, url, object, sha256, or error: see Transcripts"
    )
    status: str = column(Merge.OUTCOME, "pending, or the outcome; a failure keeps a success", required=True)
    reason: str | None = column(Merge.OUTCOME, "Why it has that status, in one line")
    last_status: str | None = column(Merge.ATTEMPT, "Outcome of the last attempt")
    last_error: str | None = column(Merge.ATTEMPT, "Why the last attempt failed, in one line")
    last_attempt_at: datetime | None = column(Merge.ATTEMPT, "When the last attempt ended, in UTC")
    attempts: int | None = column(Merge.ATTEMPT, "Requests that the last attempt needed")
    http_status: int | None = column(Merge.ATTEMPT, "HTTP status of the last response")
    final_url: str | None = column(Merge.KNOWN, "URL after redirects, secrets masked")
    etag: str | None = column(Merge.KNOWN, "ETag of the stored file")
    last_modified: str | None = column(Merge.KNOWN, "Last-Modified of the stored file")
    content_type: str | None = column(Merge.KNOWN, "Content-Type that the server gave")
    size_bytes: int | None = column(Merge.KNOWN, "Size of the stored file in bytes")
    sha256: str | None = column(Merge.KNOWN, "SHA-256 of the stored file, as in audio_metadata")
    variants: int | None = column(Merge.KNOWN, "Fetches in a row that brought changed bytes")
    judged_by: str | None = column(Merge.OUTCOME, "Analyser version and limits that refused the file")
    license: str | None = column(
        Merge.STATED, "Identifier of the licence, as in SPDX; NULL where none is recognised or statements differ"
    )
    license_url: str | None = column(Merge.STATED, "URL stated for it; NULL where statements differ")
    license_raw: str | None = column(Merge.STATED, "All statements verbatim, separated by a bar")
    license_found_in: str | None = column(
        Merge.STATED, "Where each was found, in that order, and the licence it names: see Rights"
    )
    attribution: str | None = column(Merge.STATED, "Whom to credit under the licence, else the author")
    opt_out: str | None = column(Merge.ATTEMPT, "Opt-out signal that was seen")
    crawl_id: str | None = column(Merge.OVERWRITE, "Crawl that last wrote this row")
    first_seen_at: datetime | None = column(Merge.EARLIEST, "When the URL was first found, in UTC")
    last_seen_at: datetime | None = column(Merge.LATEST, "When the URL was last found, in UTC")


@dataclass(slots=True, kw_only=True)
class AudioCrawl:
    """One row per crawl: how it was started, its counts and its exit code."""

    crawl_id: str = column(
        Merge.KEY, "The crawl, as in the other tables: Scrapyd's job id, else its time", required=True
    )
    started_at: datetime | None = column(Merge.EARLIEST, "When the crawl was first started, in UTC")
    finished_at: datetime | None = column(Merge.OVERWRITE, "When its last run ended, in UTC")
    exit_code: int | None = column(Merge.OVERWRITE, "Exit code of its last run")
    finish_reason: str | None = column(Merge.OVERWRITE, "Scrapy's finish_reason of its last run, such as shutdown")
    error: str | None = column(Merge.OVERWRITE, "Why the exit code is not 0, in one line")
    arguments: dict[str, str] | None = column(Merge.OVERWRITE, "Arguments given with -a, secrets masked")
    settings: dict[str, str] | None = column(
        Merge.OVERWRITE, "All AUDIO_ settings, and others that were set for this crawl, secrets masked"
    )
    versions: dict[str, str] | None = column(
        Merge.OVERWRITE, "Versions of audiocrawler, its analysis, Scrapy and Python"
    )
    pages: int | None = column(Merge.OVERWRITE, "Documents that the last run searched")
    found: int | None = column(Merge.OVERWRITE, "Audio URLs that the last run found")
    stored: int | None = column(Merge.OVERWRITE, "Files that the last run stored")
    duplicate: int | None = column(Merge.OVERWRITE, "Audio URLs whose bytes were stored under another URL")
    unchanged: int | None = column(Merge.OVERWRITE, "Audio URLs whose bytes an earlier crawl had stored from them")
    failed: int | None = column(Merge.OVERWRITE, "Audio URLs that yielded no file, for any reason")
    stored_bytes: int | None = column(Merge.OVERWRITE, "Bytes of the files that the last run stored")
    duration_ms: int | None = column(Merge.OVERWRITE, "Milliseconds of audio in them")


Row = AudioMetadata | AudioSource | AudioCrawl

_TABLE_NAMES: dict[type, str] = {
    AudioMetadata: "audio_metadata",
    AudioSource: "audio_sources",
    AudioCrawl: "audio_crawls",
}


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A declared table: its name, the class of its rows and its columns in order."""

    name: str
    row_type: type[Row]
    columns: tuple[Column, ...]

    @property
    def key(self) -> str:
        """Return the name of the key column."""
        return next(c.name for c in self.columns if c.merge is Merge.KEY)


@cache
def table_of(row_type: type[Row]) -> TableSpec:
    """Return the table whose rows are instances of ``row_type``."""
    return TableSpec(_TABLE_NAMES[row_type], row_type, tuple(columns_of(row_type)))


AUDIO_METADATA = table_of(AudioMetadata)
AUDIO_SOURCES = table_of(AudioSource)
AUDIO_CRAWLS = table_of(AudioCrawl)
TABLES = (AUDIO_METADATA, AUDIO_SOURCES, AUDIO_CRAWLS)


class FileInfo(TypedDict):
    """An entry of an item's ``files``, in the format of Scrapy's FilesPipeline."""

    url: str
    path: str
    checksum: str | None
    status: str


def exported(row: Row | None) -> dict[str, Any] | None:
    """Return the row as feed exports write it: bytes in base64."""
    if row is None:
        return None
    values = ((each.name, getattr(row, each.name)) for each in fields(row))
    return {name: b64encode(value).decode() if isinstance(value, bytes) else value for name, value in values}


@dataclass(slots=True, kw_only=True)
class AudioItem:
    """One audio URL in the pipelines; afterwards ``audio`` is its row, or None if it was refused."""

    file_urls: list[str]
    files: list[FileInfo] = field(default_factory=list)
    file_name: str = ""
    source: AudioSource = field(metadata={"serializer": exported})
    audio: AudioMetadata | None = field(default=None, metadata={"serializer": exported})
