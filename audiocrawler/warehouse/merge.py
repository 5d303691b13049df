"""Merge a stored row with a newer one of the same key: one function per merge rule."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from audiocrawler.model.marks import is_tombstone
from audiocrawler.model.rows import AudioMetadata, AudioSource, Merge, Row
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.warehouse.rows import table_for


def derive(audio: AudioMetadata, sources: Sequence[AudioSource]) -> AudioMetadata:
    """Return the row with title, artist and licence derived from all sources of its bytes.

    Sources with equal values may be given once, under the smallest source_url. A row without sources, such as one that
    audiocrawler did not write, is unchanged.
    """
    if not sources:
        return audio
    ordered = sorted(sources, key=lambda source: source.source_url)
    tags = audio.tags or {}
    licenses = {source.license for source in ordered}
    is_conflict = len(licenses - {None}) > 1 or any(map(_is_in_conflict, ordered))
    is_agreed = len(licenses) == 1 and None not in licenses
    return replace(
        audio,
        title=_first(source.title for source in ordered) or tags.get("title"),
        artist=_first(source.artist for source in ordered) or tags.get("artist"),
        license=ordered[0].license if is_agreed else None,
        license_url=_first(source.license_url for source in ordered) if is_agreed else None,
        license_conflict=is_conflict,
    )


def _is_in_conflict(source: AudioSource) -> bool:
    """Return whether the source lists licences but has none, because its statements differ."""
    return source.license is None and "=" in (source.license_found_in or "")


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


R = TypeVar("R", bound=Row)
_FINAL = Status.having(Trait.FINAL)


def merge_rows(old: R | None, new: R) -> R:
    """Return ``old`` and ``new`` merged by the rule of each column."""
    if old is None:
        return new
    if isinstance(old, AudioSource) and isinstance(new, AudioSource) and (is_tombstone(old) or is_tombstone(new)):
        return new if is_tombstone(new) else old
    columns = table_for(new).columns
    return type(new)(**{column.name: _RULES[column.merge](old, new, column.name) for column in columns})


def _overwrite(_old: Any, new: Any, name: str) -> Any:
    return getattr(new, name)


def _coalesce(old: Any, new: Any, name: str) -> Any:
    value = getattr(new, name)
    return getattr(old, name) if value is None else value


def _earliest(old: Any, new: Any, name: str) -> Any:
    return min(_values(old, new, name), default=None)


def _latest(old: Any, new: Any, name: str) -> Any:
    return max(_values(old, new, name), default=None)


def _smallest_source(old: Any, new: Any, name: str) -> Any:
    return _of_smallest("source_url", old, new, name)


def _smallest_page(old: Any, new: Any, name: str) -> Any:
    return _of_smallest("page_url", old, new, name)


def _of_smallest(origin: str, old: Any, new: Any, name: str) -> Any:
    old_origin, new_origin = getattr(old, origin), getattr(new, origin)
    is_new_preferred = old_origin is None or (new_origin is not None and new_origin <= old_origin)
    return _coalesce(old, new, name) if is_new_preferred else _coalesce(new, old, name)


def _stated(old: Any, new: Any, name: str) -> Any:
    return getattr(new if _is_statement_new(old, new) else old, name)


def _is_statement_new(old: Any, new: Any) -> bool:
    if old.license_raw is None:
        return new.license_raw is not None or old.license is None
    if new.license_raw is None:
        return False
    if new.sha256 is not None or old.page_url is None or new.page_url == old.page_url:
        return True
    return old.sha256 is None and new.page_url is not None and new.page_url < old.page_url


def _attempt(old: Any, new: Any, name: str) -> Any:
    return getattr(old if new.status == Status.PENDING else new, name)


def _outcome(old: Any, new: Any, name: str) -> Any:
    return getattr(new if _is_outcome_new(old, new) else old, name)


def _known(old: Any, new: Any, name: str) -> Any:
    if not _is_outcome_new(old, new):
        return getattr(old, name)
    # Values for other bytes, such as their ETag, do not apply to the new ones.
    return getattr(new, name) if new.sha256 is not None else _coalesce(old, new, name)


def _is_outcome_new(old: Any, new: Any) -> bool:
    if new.status == Status.PENDING:
        return False
    return new.status in _FINAL or old.status not in _FINAL


def _values(old: Any, new: Any, name: str) -> list[Any]:
    return [value for row in (old, new) if (value := getattr(row, name)) is not None]


_RULES: dict[Merge, Callable[[Any, Any, str], Any]] = {
    Merge.KEY: _overwrite,
    Merge.OVERWRITE: _overwrite,
    Merge.COALESCE: _coalesce,
    Merge.EARLIEST: _earliest,
    Merge.LATEST: _latest,
    Merge.SMALLEST_SOURCE: _smallest_source,
    Merge.SMALLEST_PAGE: _smallest_page,
    Merge.STATED: _stated,
    Merge.FROM_SOURCES: _coalesce,  # until derive() has seen all sources
    Merge.ATTEMPT: _attempt,
    Merge.OUTCOME: _outcome,
    Merge.KNOWN: _known,
}
