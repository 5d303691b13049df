"""Build source rows, items and outcomes from candidates, responses and failures."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from audiocrawler.discovery import Candidate, Kind
from audiocrawler.discovery.dash import Track
from audiocrawler.discovery.hls import Rendition
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from audiocrawler.discovery.paging import with_parameter
from audiocrawler.fetch.file_names import suggested_name, unquoted
from audiocrawler.fetch.first_bytes import judge
from audiocrawler.fetch.headers import explain, header_text, is_disk_full, is_endless, media_type
from audiocrawler.fetch.receivers import UNPROVED
from audiocrawler.fetch.requests import CAME, KIND, OPT_OUT, OPTED_OUT, Place, RequestKind
from audiocrawler.fetch.slots import media_slot
from audiocrawler.model.errors import status_of
from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import AudioItem, AudioSource, FileInfo
from audiocrawler.model.settings import AudioSettings
from audiocrawler.model.statements import Statement
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.model.text import mask_text, mask_url, one_line
from audiocrawler.rights.licences import Stated, with_statements
from audiocrawler.rights.optouts import joined, opt_out_reason
from audiocrawler.sniff import EMPTY, HEAD_BYTES, UNKNOWN, sniff
from audiocrawler.warehouse.rows import clean_url


def stated_by(source: AudioSource) -> Stated:
    """Return the licence statement in the row."""
    return Stated(source.license, source.license_url, source.license_raw, source.license_found_in)


def add_statements(source: AudioSource, statements: Iterable[Statement], credit: str | None) -> None:
    """Add licence statements to the row, secrets masked; the attribution defaults to the artist."""
    stated = with_statements(stated_by(source), statements)
    source.license, source.license_found_in = stated.license, stated.found_in
    source.license_url = mask_url(stated.url) if stated.url else None
    source.license_raw = mask_text(stated.raw) if stated.raw else None
    source.attribution = source.attribution or credit or (source.artist if stated.raw else None)


_FOREIGN = "item"
"""``found_by`` of a URL in another spider's item."""
_FROM_BROWSER = "browser_"
"""Prefix of ``found_by`` for URLs found in a browser; no other column records it."""
PAGE = "page"
"""The ``kind`` of a page's own row; written only for pages whose audio may have been missed."""
MAX_NAME_LENGTH = 180
_UNIQUE_GUID = re.compile(r"://[^/]+/.|^tag:|[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_MAX_RAW_NAME = 10_000
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\\/:*?"<>|]+')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)
"""Names reserved for devices on Windows, with any extension."""


def source_of(candidate: Candidate, page: Response, page_title: str | None, site: str | None) -> AudioSource:
    """Return the pending row of an audio URL found on ``page``."""
    now = datetime.now(UTC)
    source = AudioSource(
        source_url=source_url_of(candidate),
        site=site,
        host=urlsplit(candidate.url).hostname,
        page_url=mask_url(page.url),
        page_title=page_title,
        link_text=candidate.link_text,
        found_by=candidate.found_by,
        confidence=candidate.confidence,
        kind=candidate.kind,
        role=candidate.role,
        group_id=candidate.group,
        guid=_guid_of(candidate, page),
        title=candidate.title,
        artist=candidate.artist,
        published_at=candidate.published_at,
        declared_duration_ms=candidate.duration_ms,
        declared_size_bytes=candidate.size_bytes,
        language=candidate.language,
        show_title=candidate.show_title,
        season=candidate.season,
        episode=candidate.episode,
        description=candidate.description,
        episode_url=_masked(candidate.episode_url),
        image_url=_masked(candidate.image_url),
        people=candidate.people,
        transcript_url=_masked(candidate.transcript_url),
        transcripts=candidate.transcripts,
        chapters_url=_masked(candidate.chapters_url),
        status=Status.PENDING,
        first_seen_at=now,
        last_seen_at=now,
    )
    add_statements(source, candidate.statements or (), candidate.credit)
    return source


def page_row(request: Request, status: Status, reason: str, *, found_by: str) -> AudioSource:
    """Return the row of a page itself: it was not searched, or what came is none."""
    now, url = datetime.now(UTC), mask_url(request.url)
    return AudioSource(
        source_url=url,
        site=request.meta["site"],
        host=urlsplit(request.url).hostname,
        page_url=url,
        found_by=found_by,
        kind=PAGE,
        status=status,
        reason=reason,
        last_status=status,
        last_error=None if status in {Status.PENDING, Status.NOT_AUDIO} else reason,
        last_attempt_at=None if status == Status.PENDING else now,
        first_seen_at=now,
        last_seen_at=now,
    )


def _masked(url: str | None) -> str | None:
    return mask_url(url) if url else None


def source_url_of(candidate: Candidate) -> str:
    """Return the key of a candidate's row."""
    return clean_url(row_key(candidate.url))


def _guid_of(candidate: Candidate, page: Response) -> str | None:
    """Return the guid, without rotating parameters if it is a URL; a short one is prefixed by its feed."""
    if not candidate.guid:
        return None
    guid = row_key(candidate.guid) if "://" in candidate.guid else mask_text(candidate.guid)
    return guid if _UNIQUE_GUID.search(guid) else f"{row_key(page.url)} {guid}"


def direct_candidate(answer: Response) -> Candidate | None:
    """Return the candidate for a response to a page request that is a file itself: audio, a video or an archive.

    A video that is a start is taken like audio. None for a document, and for what has no sound.
    Bytes of no known type are audio if the URL, or the name under which they are to be saved, ends like audio.
    """
    judgement = judge(answer.body, answer.headers)
    meta = answer.request.meta if answer.request is not None else {}
    is_stopped = "download_stopped" in answer.flags and CAME not in meta
    if judgement.is_archive and judgement.is_neither:
        return replace(audio_candidate(answer), kind=Kind.ARCHIVE)
    if judgement.is_video and "start" not in meta and not _is_named_like_audio(answer):
        return replace(audio_candidate(answer), kind=Kind.VIDEO)
    if is_stopped or judgement.is_audio_instead_of_page:
        return audio_candidate(answer)
    is_unknown = judgement.kind is UNKNOWN and not judgement.is_declared_other
    return audio_candidate(answer) if is_unknown and _is_named_like_audio(answer) else None


def audio_candidate(answer: Response) -> Candidate:
    """Return the candidate for the audio that a response is."""
    kind = Kind.STREAM if is_endless(answer.headers) else Kind.AUDIO
    return Candidate(url=answer.url, kind=kind, found_by="direct", confidence=1.0)


def _is_named_like_audio(answer: Response) -> bool:
    name = suggested_name(answer.headers.get("Content-Disposition") or b"") or ""
    return extension_of(answer.url) in AUDIO_EXTENSIONS or extension_of(f"/{quote(name)}") in AUDIO_EXTENSIONS


def what_came(answer: Response) -> str:
    """Return what a response is, in words for "got ... instead of a page"."""
    kind = sniff(answer.body[:HEAD_BYTES])
    return kind.name if kind not in {UNKNOWN, EMPTY} else media_type(answer.headers) or "no type"


def rendition_candidate(answer: Response, rendition: Rendition) -> Candidate:
    """Return the candidate for an HLS media playlist."""
    duration_ms = rendition.duration_ms or None
    place = Place.of(answer.meta)
    found_by = place.via if place.via and place.is_from_browser else "hls"
    return Candidate(url=answer.url, kind=Kind.AUDIO, found_by=found_by, confidence=0.9, duration_ms=duration_ms)


def track_candidate(answer: Response, track: Track, *, is_only: bool) -> Candidate:
    """Return the candidate for the audio of one language in a DASH manifest.

    If there are several, the language is added to the manifest's URL as a parameter, so that each has a row.
    """
    own = rendition_candidate(answer, track.rendition)
    url = answer.url if is_only else with_parameter(answer.url, "lang", track.language or "und")
    found_by = own.found_by if Place.of(answer.meta).is_from_browser else "dash"
    return replace(own, url=url, found_by=found_by, language=track.language, bit_rate_bps=track.bit_rate_bps)


def media_meta(url: str, settings: AudioSettings) -> dict[str, Any]:
    """Return the meta of a request whose body is streamed to disk."""
    return {
        KIND: RequestKind.FILE.value,
        "download_slot": media_slot(url),
        "download_maxsize": settings.max_bytes,
        "download_timeout": settings.stall_timeout_s,
        "allow_offsite": True,
        "dont_cache": True,
    }


def record_attempt(source: AudioSource, answer: Response | None, request: Request) -> AudioSource:
    """Record the attempt and its response in the row."""
    source.last_attempt_at = source.last_seen_at = datetime.now(UTC)
    source.attempts = int(request.meta.get("retry_times", 0)) + 1
    add_opt_out(source, request)
    if answer is None:
        return source
    source.http_status = answer.status
    source.final_url = mask_url(answer.url)
    source.content_type = _header(answer, "Content-Type")
    source.etag, source.last_modified = _header(answer, "ETag"), _header(answer, "Last-Modified")
    return source


def add_opt_out(source: AudioSource, request: Request) -> None:
    """Add the request's opt-out signals to those of the page in the row."""
    source.opt_out = joined((source.opt_out, request.meta.get(OPT_OUT)))


def item_of(source: AudioSource, answer: Response, body_file: str) -> AudioItem:
    """Return the item that carries a downloaded body through the pipelines."""
    status = UNPROVED if UNPROVED in answer.flags else "downloaded"
    entry: FileInfo = {"url": source.source_url, "path": body_file, "checksum": None, "status": status}
    name = (
        suggested_name(answer.headers.get("Content-Disposition") or b"")
        or urlsplit(source.source_url).path.rsplit("/", 1)[-1]
    )
    return AudioItem(file_urls=[source.source_url], files=[entry], file_name=clean_name(mask_text(name)), source=source)


@dataclass(slots=True, kw_only=True)
class ForeignItem(AudioItem):
    """A file of another spider's item, which we cannot fetch again."""


@dataclass(slots=True, kw_only=True)
class MemberItem(AudioItem):
    """A member of an archive, which is not fetched by itself."""


def request_of_file(item: object, answer: Response | None) -> Request | None:
    """Return the request that fetched the item's file; None for a member of an archive, and for what is no file."""
    is_fetched = isinstance(item, AudioItem) and not isinstance(item, MemberItem)
    return getattr(answer, "request", None) if is_fetched else None


def foreign_item(request: Request, answer: Response, body_file: str) -> ForeignItem:
    """Return the item for a file of another spider's item."""
    own = item_of(foreign_source(request.url, answer), answer, body_file)
    return ForeignItem(**{each.name: getattr(own, each.name) for each in fields(own)})


def was_in_browser(row: AudioSource) -> bool:
    """Return whether the row's URL was found in a browser, and may be absent from the plain page."""
    return (row.found_by or "").startswith(_FROM_BROWSER)


def foreign_source(url: str, answer: Response | None) -> AudioSource:
    """Return the row of a URL in another spider's item; without an answer it was refused."""
    now = datetime.now(UTC)
    request = (answer.request if answer is not None else None) or Request(url)
    page_url = (request.headers.get("Referer") or b"").decode("latin-1")
    source = AudioSource(
        source_url=clean_url(row_key(url)),
        host=urlsplit(url).hostname,
        site=urlsplit(page_url or url).hostname,
        page_url=mask_url(page_url) if page_url else None,
        found_by=_FOREIGN,
        kind="audio",
        role="main",
        status=Status.PENDING,
        first_seen_at=now,
        last_seen_at=now,
    )
    return record_attempt(source, answer, request)


def clean_name(name: str) -> str:
    """Return a safe file name, without path, control and bidi characters, of at most MAX_NAME_LENGTH."""
    readable = _UNSAFE.sub("_", unquoted(name[:_MAX_RAW_NAME])).strip(" ._") or "audio"
    readable = _DEVICE.sub(r"\g<0>_", readable) if _DEVICE.match(readable) else readable
    stem, dot, extension = readable.rpartition(".")
    if not dot or len(readable) <= MAX_NAME_LENGTH:
        return readable[:MAX_NAME_LENGTH]
    return stem[: MAX_NAME_LENGTH - len(extension) - 1] + dot + extension


def _header(answer: Response, name: str) -> str | None:
    value = answer.headers.get(name)
    return header_text(value) if value else None


MAX_REASON_LENGTH = 500
_MEASURED = re.compile(r"\bAUDIO_MIN_\w+ is ")
"""Matches the reason of a file filtered by a measure."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A final status with its reason; with ``disk_full`` the URL is not to blame."""

    status: Status
    reason: str
    disk_full: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason, MAX_REASON_LENGTH))  # may contain text from servers

    @property
    def rules_out_recording(self) -> bool:
        """Return whether it applies to the recording, whichever file is requested: opt-out, takedown, licence."""
        is_about_licence = self.status == Status.FILTERED and not _MEASURED.search(self.reason)
        return is_about_licence or Trait.RECORDING in self.status.traits

    @property
    def leaves_alternates(self) -> bool:
        """Return whether an alternate may be fetched instead."""
        return Trait.ONE_FILE in self.status.traits and not self.rules_out_recording


def outcome_of_failure(failure: Failure) -> Outcome:
    """Return the outcome of a failed request."""
    error = failure.value
    if isinstance(error, HttpError):
        status = Status.GONE if error.response.status == HTTPStatus.GONE else Status.FAILED
        return Outcome(status, f"HTTP {error.response.status}")
    if error is None:
        return Outcome(Status.FAILED, "unknown error")
    return Outcome(status_of(error), mask_text(explain(error)), is_disk_full(error))


def outcome_without_body(response: Response) -> Outcome:
    """Return the outcome of a successful response without a body to a request for audio."""
    if opt_out := response.meta.get(OPTED_OUT):
        return opted_out(opt_out)
    if is_endless(response.headers):
        return Outcome(Status.STREAM, "an endless stream")
    if "download_stopped" in response.flags:
        came = response.meta.get(CAME) or media_type(response.headers)
        return Outcome(Status.NOT_AUDIO, f"got {came} instead of audio")
    return Outcome(Status.NOT_AUDIO, "empty response")


def opted_out(signals: str) -> Outcome:
    """Return the outcome for opt-out signals."""
    return Outcome(Status.OPTED_OUT, opt_out_reason(signals))
