"""Parse and validate the spider's arguments and lists of start URLs."""

import json
import re
import sys
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from audiocrawler.discovery.hubs import SCHEMES
from audiocrawler.discovery.subscriptions import subscribed_feed
from audiocrawler.model.declared import demand, first_error, shown
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.text import mask_url

STDIN = Path("-")
MAX_BYTES = 64 * 1024**2
"""Enough for a million URLs; anything larger, such as a device, is not a list of URLs."""
_INVISIBLE = "\ufeff\u200b\u200e\u200f\u2060 \t"
"""Left at the ends of lines by editors, spreadsheets and concatenated files."""
_COMMENT = re.compile(r"(?:^|\s)#.*")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and content of the lines that are neither blank nor comments.

    A pipe or ``-`` (standard input) can be read only once, so its content is cached. Raises ConfigurationError.
    """
    try:
        content = _content_once(path) if path == STDIN or not path.is_file() else _content(path)
        text = _text(content)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ConfigurationError(f"-a urls={path}: could not be read: {why}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if url := _COMMENT.sub("", line.strip(_INVISIBLE)).strip(_INVISIBLE):
            yield number, url


@cache
def _content_once(path: Path) -> bytes:
    return _content(path)


def _content(path: Path) -> bytes:
    if path != STDIN:
        with path.open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1))
    if sys.stdin is None:
        raise ValueError("standard input is closed")
    if sys.stdin.isatty():
        sys.stderr.write("enter start URLs, one per line; end with Ctrl-D\n")
    return _bounded(sys.stdin.buffer.read(MAX_BYTES + 1))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 20} MiB is too large for a list of URLs")
    return content


def _text(content: bytes) -> str:
    """Decode UTF-8, UTF-16 or UTF-32, with or without a byte order mark. Raises ValueError."""
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not {encoding.upper()}; save it as UTF-8 text") from error
    if "\0" in text:
        raise ValueError("binary data; write one URL per line")
    return text


Model = TypeVar("Model", bound=BaseModel)


class Arguments(BaseModel):
    """Every ``-a NAME=VALUE`` of ``scrapy crawl audio``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: tuple[str, ...] = Field(
        default=(), description="where to start; several are separated by spaces", json_schema_extra={"takes": "URLs"}
    )
    urls: Path | None = Field(default=None, description="a file with one start URL per line; - is standard input")
    depth: int = Field(default=0, ge=0, description="levels of links to follow on the same site, and its feeds")
    limit: int | None = Field(default=None, ge=1, description="stop after storing this many new audio files")
    allow: re.Pattern[str] | None = Field(default=None, description="follow only pages whose URL matches this regex")
    deny: re.Pattern[str] | None = Field(default=None, description="do not follow pages whose URL matches this regex")
    alternates: Literal["best", "all"] = Field(
        default="best", description="best: take one of several files of the same recording; all: take each"
    )
    download: Literal["yes", "no"] = Field(
        default="yes", description="no: list the audio URLs without downloading them"
    )
    video: Literal["yes", "no"] = Field(default="no", description="yes: take the sound of videos, too")
    archives: Literal["list", "expand"] = Field(
        default="list", description="list: note what is in archives; expand: take the audio in them, too"
    )
    transcripts: Literal["yes", "no"] = Field(
        default="no", description="yes: store the transcripts and chapters that are named for each stored file, too"
    )
    refresh: Literal["changed", "all"] = Field(
        default="changed", description="all: download again what earlier crawls have stored, even if unchanged"
    )
    render: Literal["auto", "always", "never"] = Field(
        default="auto", description="which pages to open in a browser: those that seem to need it, all, or none"
    )
    crawl: str | None = Field(
        default=None, min_length=1, description="a name by which the crawl is resumed, instead of its arguments"
    )
    fresh: Literal["yes", "no"] = Field(
        default="no", description="yes: start over instead of resuming an unfinished crawl"
    )

    @field_validator("url", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        starts = tuple(subscribed_feed(url) or url for url in urls)
        for url in starts:
            _check_url(url)
        return starts

    @field_validator("allow", "deny", mode="before")
    @classmethod
    def _compile(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return re.compile(value)
        except re.error as error:
            raise ValueError(f"{value!r} is not a regular expression: {error}") from error

    @model_validator(mode="after")
    def _check_start(self) -> "Arguments":
        if bool(self.url) == bool(self.urls):
            raise ValueError("give one of -a url=https://... and -a urls=FILE")
        return self

    @model_validator(mode="after")
    def _check_transcripts(self) -> "Arguments":
        if self.transcripts == "yes" and self.download == "no":
            raise ValueError("-a transcripts=yes stores them with their audio; leave -a download=no out")
        return self

    @cached_property
    def _starts(self) -> tuple[str, ...]:
        return self.url or _read_urls(self.urls)

    def start_urls(self) -> tuple[str, ...]:
        """Return the start URLs, from ``url`` or from the file ``urls``. Raises ConfigurationError for an invalid line.

        The file is read once, so that all parts of a crawl see the same list.
        """
        return self._starts


def arguments_of(spider: object) -> Arguments | None:
    """Return the arguments of one of our spiders, None for any other spider."""
    arguments = getattr(spider, "arguments", None)
    return arguments if isinstance(arguments, Arguments) else None


def parse_arguments(given: dict[str, Any]) -> Arguments:
    """Return the validated arguments. Raises ConfigurationError with one line about the first invalid one."""
    arguments = checked_arguments(Arguments, given)
    arguments.start_urls()
    return arguments


def checked_arguments(model: type[Model], given: dict[str, Any]) -> Model:
    """Return the arguments as a ``model``. Raises ConfigurationError as ``parse_arguments`` does."""
    own = {name: value for name, value in given.items() if name != "_job"}  # Scrapyd adds its job id
    try:
        return model.model_validate(own)
    except ValidationError as error:
        raise ConfigurationError(_one_line(error, model, own)) from error


def _one_line(error: ValidationError, model: type[BaseModel], given: dict[str, Any]) -> str:
    first = first_error(error)
    if not first["loc"]:
        return str(first["ctx"]["error"])
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"-a {name}: no such argument; choose from {', '.join(model.model_fields)}"
    if first["type"] == "value_error":  # the message already quotes the value, with secrets masked
        return f"-a {name}: {demand(model, first)}"
    return f"-a {name}={shown(given[name])}: {demand(model, first)}"


def _read_urls(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return ()
    lines = [(number, subscribed_feed(url) or url) for number, url in read_lines(path)]
    if not lines:
        raise ConfigurationError(f"-a urls={path}: contains no URLs; put one on each line")
    for number, url in lines:
        try:
            _check_url(url)
        except ValueError as error:
            raise ConfigurationError(f"-a urls={path}: line {number}: {error}") from error
    return tuple(url for _, url in lines)


def _check_url(url: str) -> None:
    shown = mask_url(url) if "://" in url else mask_url(f"//{url}")[2:]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        why = "its host or port is invalid; in a password write / ? # as %2F %3F %23"  # the error may quote one
        raise ValueError(f"{shown!r} is not a URL: {why}") from error
    if not parts.scheme or "://" not in url:
        raise ValueError(f"{shown!r} has no scheme; write https://{shown.lstrip('/')}")
    if parts.scheme.lower() not in {"http", "https", *SCHEMES}:
        raise ValueError(f"{shown!r}: only http and https can be crawled, not {parts.scheme}")
    if not host:
        raise ValueError(f"{shown!r} has no host; write it as https://example.org/page")
