"""Serialise requests as one line of JSON, never as a pickle.

Types unknown to JSON (bytes, tuples, times, and the rows and parts in a request's meta) are written as an object whose
key "~" names the type.
"""

import hashlib
import inspect
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any

from scrapy import Request, Spider
from scrapy.utils.request import RequestFingerprinter, fingerprint

from audiocrawler.crawl.lifecycle import OF_THIS_PROCESS
from audiocrawler.discovery.hls import Part
from audiocrawler.fetch.requests import (
    KIND,
    OWN_KEY,
    TEXT_CHAIN,
    RequestKind,
    audio_row,
    is_media,
    is_rendered,
    kind_of,
    name_of_text,
    with_kind,
)
from audiocrawler.model.rows import AudioSource


class MediaFingerprinter(RequestFingerprinter):
    """Scrapy's fingerprinter, except that each audio row has a request of its own.

    Otherwise a row would stay pending for ever if its redirect's target, or its query in another order, had been
    requested before.
    """

    def fingerprint(self, request: Request) -> bytes:
        """Return the fingerprint; equal for equal requests."""
        if is_rendered(request):
            plain = fingerprint(request, keep_fragments=True)
            return hashlib.sha1(b"render " + plain, usedforsecurity=False).digest()
        if (chain := request.meta.get(TEXT_CHAIN)) is not None:
            return _digest(f"{name_of_text(chain)} {request.url}{_round(request)}")
        if not is_media(request):
            page = super().fingerprint(request)
            return _digest(f"{page.hex()} {_round(request)}") if _round(request) else page
        source, is_part = audio_row(request), kind_of(request) is RequestKind.PART
        key = request.meta.get(OWN_KEY) or (source.source_url if source else "")
        # The row's key identifies the file; its first URL may differ at each visit.
        place = request.url if not key or is_part or "redirect_urls" in request.meta else ""
        return _digest(f"audio {key} {place}{_round(request)}")


def _round(request: Request) -> str:
    """Return the round of a redirect loop, which would otherwise be dropped silently as a duplicate."""
    return f" {request.meta['redirect_times']}" if request.url in request.meta.get("redirect_urls", []) else ""


def _digest(name: str) -> bytes:
    return hashlib.sha1(name.encode(), usedforsecurity=False).digest()


_TYPE = "~"
_ROWS = {"AudioSource": AudioSource, "Part": Part}
_DEFAULTS = {name: value for name, value in Request("data:,").to_dict().items() if name not in {"url", "meta"}}


def to_json(request: Request, spider: Spider) -> str:
    """Serialise the request; raises ValueError for an unsupported type or a callback that is not the spider's."""
    meta = {name: value for name, value in request.meta.items() if name not in OF_THIS_PROCESS}
    meta[KIND] = kind_of(request).value
    values = {name: getattr(request, name) for name in request.attributes if name in _DEFAULTS} | {
        "callback": _name_of(request.callback, spider),
        "errback": _name_of(request.errback, spider),
        "headers": dict(request.headers),
    }
    given = {name: value for name, value in values.items() if value != _DEFAULTS[name]}
    return json.dumps(_plain({"url": request.url, "meta": meta, **given}), allow_nan=False)


def from_json(text: str, spider: Spider) -> Request:
    """Parse the request; raises ValueError if it is invalid or its callback is not the spider's."""
    try:
        values = _whole(json.loads(text))
        values |= {name: _method(values.get(name), spider) for name in ("callback", "errback")}
        return Request(**(values | {"meta": with_kind(values["meta"])}))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a request: {error}") from error


def callbacks_of(spider: Spider) -> frozenset[str]:
    """Return the names of the spider's allowed callbacks.

    These are listed in its attribute ``callbacks``; without one, all its own public methods are allowed.
    """
    listed = getattr(spider, "callbacks", None)
    if listed is not None:
        return frozenset(listed)
    own = [base for base in type(spider).__mro__ if issubclass(base, Spider) and base is not Spider]
    return frozenset(
        name for base in own for name, each in vars(base).items() if inspect.isfunction(each) and name[0] != "_"
    )


def _name_of(callback: Callable[..., Any] | None, spider: Spider) -> str | None:
    if callback is None:
        return None
    name = getattr(callback, "__name__", "")
    if getattr(callback, "__self__", None) is not spider or name not in callbacks_of(spider):
        raise ValueError(f"{callback!r} is not among the spider's callbacks")
    return name


def _method(name: str | None, spider: Spider) -> Callable[..., Any] | None:
    if name is None:
        return None
    if name not in callbacks_of(spider):
        raise ValueError(f"{name!r} is not among the spider's callbacks")
    method: Callable[..., Any] = getattr(spider, name)
    return method


def _plain(value: Any) -> Any:
    if value is None or type(value) in {str, int, float, bool}:
        return value
    if isinstance(value, str):
        return str(value)  # a StrEnum
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict) and _is_object(value):
        return {name: _plain(each) for name, each in value.items()}
    return {_TYPE: _type_name(value), "value": _parts(value)}


def _is_object(value: dict[Any, Any]) -> bool:
    return all(isinstance(name, str) for name in value) and _TYPE not in value


def _type_name(value: Any) -> str:
    """Return the name of a type unknown to JSON; raises ValueError if it is not supported."""
    name = type(value).__name__
    if name not in _TO_PLAIN or (name in _ROWS and type(value) is not _ROWS[name]):
        raise ValueError(f"a value of type {name} cannot be stored in the frontier")
    return name


def _parts(value: Any) -> Any:
    return _TO_PLAIN[type(value).__name__](value)


def _given(row: Any) -> dict[str, Any]:
    """Return the fields of a row that differ from their defaults."""
    values = {each.name: getattr(row, each.name) for each in fields(row)}
    default = {each.name: each.default for each in fields(row) if each.default is not MISSING}
    return {name: _plain(value) for name, value in values.items() if name not in default or value != default[name]}


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if not isinstance(value, dict):
        return value
    if _TYPE not in value:
        return {name: _whole(each) for name, each in value.items()}
    return _FROM_PLAIN[value[_TYPE]](value["value"])


_TO_PLAIN: dict[str, Callable[[Any], Any]] = {
    "dict": lambda value: [[_plain(name), _plain(each)] for name, each in value.items()],
    "tuple": lambda value: [_plain(each) for each in value],
    "bytes": lambda value: b64encode(value).decode("ascii"),
    "datetime": datetime.isoformat,
    "AudioSource": _given,
    "Part": _given,
}
_FROM_PLAIN: dict[str, Callable[[Any], Any]] = {
    "dict": lambda value: {_whole(name): _whole(each) for name, each in value},
    "tuple": lambda value: tuple(map(_whole, value)),
    "bytes": b64decode,
    "datetime": datetime.fromisoformat,
    "AudioSource": lambda value: AudioSource(**_whole(value)),
    "Part": lambda value: Part(**_whole(value)),
}
