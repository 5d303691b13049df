"""Every setting of audiocrawler, declared once: its type, unit, bounds, default and meaning.

Field ``max_bytes`` is the setting ``AUDIO_MAX_BYTES``. Scrapy reads the defaults from ``audiocrawler.settings``,
README's table is printed from here, and all components of a crawl share the object that ``settings_of`` returns.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self
from weakref import WeakKeyDictionary

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audiocrawler import __version__
from audiocrawler.model.declared import demand, first_error, shown
from audiocrawler.model.errors import ConfigurationError

PREFIX = "AUDIO_"
MAX_WHOLE = 2**63 - 1
MAX_SECONDS = 1e9
"""31 years; clocks and C libraries overflow not far above."""


def _whole(value: object) -> object:
    """Return ``1e9``, ``4.0`` or ``4294967296`` as an integer; anything else unchanged.

    A bool is not converted: it is a mistake that would count as 1.
    """
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        with suppress(ValueError):
            return int(value)
    with suppress(TypeError, ValueError):
        number = float(value)  # type: ignore[arg-type]
        if isfinite(number) and number.is_integer():
            return int(number)
    return value


def _nothing(value: object) -> object:
    """Return None for the two ways to write it in a shell."""
    return None if isinstance(value, str) and value.strip().lower() in {"", "none"} else value


def _read_json(value: object) -> object:
    if isinstance(value, str) and value.strip():
        with suppress(ValueError):
            return json.loads(value)
    return dict(value) if isinstance(value, Mapping) else value


def _lower_keys(schemes: dict[str, str]) -> dict[str, str]:
    return {scheme.lower(): path for scheme, path in schemes.items()}


def _one_line_only(text: str | None) -> str | None:
    """Refuse what would break a header."""
    if text and not text.isprintable():
        raise ValueError("must be one line of printable text")
    return text


def _database(uri: str) -> str:
    """Refuse a bare word, such as a table's name without ``bigquery://``: it would become a new file of that name."""
    if ":" not in uri and "/" not in uri and not uri.endswith((".db", ".sqlite", ".sqlite3")):
        raise ValueError("must be a URI such as sqlite:data/audio.db, or the path of a .db file")
    return uri


Nothing = BeforeValidator(_nothing)
Whole = Annotated[int, Field(ge=0, le=MAX_WHOLE), BeforeValidator(_whole)]
Count = Annotated[int, Field(ge=1, le=MAX_WHOLE), BeforeValidator(_whole)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Duration = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
Timeout = Annotated[float, Field(gt=0, le=MAX_SECONDS, allow_inf_nan=False)]
Text = Annotated[str, Field(min_length=1)]
Words = Annotated[str | list[str] | None, Nothing]
"""Separated by spaces or commas; validated where they are used."""
Folder = Annotated[Path, BeforeValidator(lambda value: value or None)]
Finders = Annotated[dict[str, int | None], BeforeValidator(_read_json)]
Schemes = Annotated[dict[str, str], BeforeValidator(_read_json), AfterValidator(_lower_keys)]


def setting(default: Any, meaning: str, **words: str) -> Any:
    """Return a field.

    In ``words``, ``unit`` is a number's unit, ``takes`` describes valid texts, and ``shown`` is what README shows
    instead of the default.
    """
    return Field(default=default, description=meaning, json_schema_extra=dict(words))


class AudioSettings(BaseModel):
    """The validated AUDIO_ settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    # --- Where the data goes ---

    store: Text = setting("file:data/objects", "folder of the audio objects, or `gs://bucket/prefix`", takes="a URI")
    warehouse: Annotated[Text, AfterValidator(_database)] = setting(
        "sqlite:data/audio.db", "database of the tables, or `bigquery://project/dataset/audio_metadata`", takes="a URI"
    )
    stores: Schemes = setting(
        {}, '`{"s3": "package.S3Store"}` adds a kind of store: see [Working on it](#working-on-it)', shown="none"
    )
    warehouses: Schemes = setting(
        {}, '`{"postgres": "package.PostgresWarehouse"}` adds a kind of warehouse', shown="none"
    )
    gcp_project: Annotated[str | None, Nothing] = setting(None, "Google Cloud project, where the credentials name none")
    gcp_key_file: Annotated[str | None, Nothing] = setting(
        None, "a service account's JSON key, instead of Application Default Credentials", takes="a path"
    )
    bigquery_create: bool = setting(default=False, meaning="whether to create a missing dataset; tables always are")
    bigquery_location: Annotated[str | None, Nothing] = setting(None, "location of a new dataset, such as EU")
    # It must outlive the process, and each process needs its own.
    outbox: Folder = setting(Path("data/outbox"), "folder of rows pending upload to BigQuery, one file per warehouse")
    # A MERGE is billed for the whole table, so batches are large or rare.
    flush_rows: Count = setting(5000, "rows are uploaded once so many are pending ...")
    flush_seconds: Duration = setting(300, "... or after so long, and at the end of the crawl", unit="s")
    max_outbox_rows: Count = setting(1_000_000, "no new requests while so many rows are pending")  # about 1 GB
    frontier: Text = setting(
        "sqlite:data/frontier.db",
        "where pending requests are kept: a file, `memory`, or `redis://host:6379/0` for many workers",
        takes="a URI",
    )
    lease_s: Timeout = setting(
        60, "with Redis: requests of a worker that is silent for so long go to the others", unit="s"
    )
    # On the store's file system a finished download is linked, not copied.
    incoming: Folder = setting(
        Path("data/incoming"), "folder of downloads in progress; best on the file system of the store"
    )
    log_dir: Annotated[Path | None, Nothing] = setting(
        Path("data/logs"),
        "folder of log files, `<crawl_id>.log` and, when resumed, `<crawl_id>.2.log` ...; unless `--logfile` names one",
    )
    log_format: Literal["text", "json"] = setting(
        "text", "`json`: one object a line with time, level, logger, message and crawl_id"
    )
    manifest_dir: Folder = setting(
        Path("data/crawls"), "a record per crawl: arguments, settings, versions, times, counts, exit code"
    )

    report: Annotated[str | None, AfterValidator(_one_line_only)] = setting(
        None,
        "page that each crawl writes at its end, see [Looking at it](#looking-at-it); empty: none",
        shown="`data/report.html`; none under Scrapyd or with BigQuery",
        takes="a path",
    )

    # --- Manners and safety ---

    contact: Annotated[str | None, Nothing, AfterValidator(_one_line_only)] = setting(
        None, "URL or address shown in the user agent, so that a site can reach you", takes="a URL or address"
    )
    allow_addresses: Words = setting(
        None,
        "networks, addresses, hosts or `host:port` that pages may lead to although they are not public",
        takes="a list",
    )

    # --- What is taken ---

    max_bytes: Whole = setting(4 * 1024**3, "larger files are refused; 0: no limit", unit="bytes")
    max_total_bytes: Annotated[Whole | None, Nothing] = setting(
        None, "the crawl ends when it has transferred so much audio", unit="bytes"
    )
    max_files_per_page: Count = setting(10_000, "audio URLs taken from one page; the log names what is left out")
    max_duration_s: Timeout = setting(24 * 3600, "longer files are refused", unit="s", shown="24 h")
    min_duration_ms: Annotated[Whole | None, Nothing] = setting(None, "shorter files are left out", unit="ms")
    min_sample_rate_hz: Annotated[Whole | None, Nothing] = setting(
        None, "files with a lower rate are left out", unit="Hz"
    )
    licenses: Words = setting(
        None,
        "`CC0-1.0,CC-BY-4.0`: files not stated to be under one of these are left out",
        shown="all",
        takes="SPDX identifiers",
    )
    energy_loudness_dbfs: Number = setting(-20.0, "High Energy is louder than this, Low Energy is not", unit="dBFS")
    energy_duration_ms: Whole = setting(
        60_000, "High Energy is shorter than this, Low Energy is not; all else is Medium Energy", unit="ms"
    )
    opt_out: Literal["honour", "record", "ignore"] = setting(
        "honour",
        "content opted out of AI training is not downloaded; `record`: it is, and noted; `ignore`: not checked",
    )
    finders: Finders = setting(
        {}, '`{"package.module.find": 150}` adds a finder, `null` instead of the number removes one', shown="all"
    )

    # --- Sites that want an account ---

    cookies: Annotated[str | None, Nothing] = setting(
        None, "path of a Netscape `cookies.txt`, for sites where you have an account", takes="a path"
    )
    headers: Annotated[str | None, Nothing] = setting(
        None, 'path of a JSON file: `{"media.example.org": {"Authorization": "Bearer ..."}}`', takes="a path"
    )

    # --- How much at a time ---

    workers: Annotated[Whole | None, Nothing] = setting(None, "analysis processes", shown="cores, at most 4")
    media_per_host: Count = setting(4, "audio transfers at a time from one host")
    stall_timeout_s: Timeout = setting(60, "a transfer without data for so long is aborted and retried", unit="s")
    min_bytes_per_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = setting(
        100, "a transfer slower than this over a stall timeout is aborted and retried, too", unit="bytes/s"
    )
    max_unsized_s: Duration = setting(
        3600, "a transfer of unknown length that has not ended by then is a radio stream", unit="s"
    )
    max_files_in_flight: Count = setting(32, "files in progress at a time, from request to row")
    max_incoming_bytes: Count = setting(
        16 * 1024**3, "bytes that may wait on disk between download and store", unit="bytes"
    )
    min_free_bytes: Whole = setting(256 * 1024**2, "bytes of a disk that stay free; then the crawl stops", unit="bytes")
    stop_grace_s: Duration = setting(4, "how long transfers in progress may continue after a stop", unit="s")

    # --- Pages that need a browser ---

    chromium: Annotated[str | None, Nothing] = setting(
        None, "the Chromium to start; else Playwright's own, else one on the PATH", shown="found", takes="a path"
    )
    browser_pages: Count = setting(4, "pages that are open in the browser at a time")  # each takes up to a core
    browser_contexts: Count = setting(4, "sites that are open in the browser at a time, each with cookies of its own")
    browser_page_s: Timeout = setting(45, "a page that has not finished loading by then is given up", unit="s")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Return the validated settings; raises ConfigurationError with one line about the first invalid one."""
        given = {field: settings[name] for field, name in NAMES.items() if name in settings}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigurationError(_one_line(error, given)) from None


NAMES = {field: PREFIX + field.upper() for field in AudioSettings.model_fields}
"""Field -> name of the setting."""


class _Configured(Protocol):
    """The part of Scrapy's Crawler that is used here."""

    @property
    def settings(self) -> Any: ...


_BUILT: WeakKeyDictionary[_Configured, AudioSettings] = WeakKeyDictionary()


def settings_of(crawler: _Configured) -> AudioSettings:
    """Return a crawler's settings, validated once they are final; raises ConfigurationError."""
    if (built := _BUILT.get(crawler)) is None:
        built = AudioSettings.of(crawler.settings)
        if crawler.settings.frozen:
            _BUILT[crawler] = built
    return built


def defaults() -> dict[str, Any]:
    """Return the defaults as plain values that Scrapy can print and a shell can pass."""
    plain = ((name, AudioSettings.model_fields[field].default) for field, name in NAMES.items())
    return {name: str(value) if isinstance(value, Path) else value for name, value in plain}


def user_agent(contact: str | None) -> str:
    """Return the User-Agent header."""
    return f"audiocrawler/{__version__}" + (f" (+{contact})" if contact else "")


def _one_line(error: ValidationError, given: dict[str, Any]) -> str:
    first = first_error(error)
    field = str(first["loc"][0])
    return f"{NAMES[field]}={shown(given[field])}: {demand(AudioSettings, first)}"
