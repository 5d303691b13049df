"""All statements about one file in; the columns of its source out, conflicts shown and not resolved."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audiocrawler.rights.licences import identify, most_precise
from audiocrawler.statements import NOTICE, Statement

BETWEEN = " | "
_UNKNOWN = "?"
_MAX_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated about one file, in the columns of its source.

    ``found_in`` names the places in their order. Where a licence was recognised its identifier follows the place, as in
    ``json_ld=CC-BY-4.0``; beside one, a licence that was not recognised is a ``?``. ``license`` is the one that all
    places state; None beside an identifier in ``found_in`` is a conflict.
    """

    license: str | None = None
    url: str | None = None
    raw: str | None = None
    found_in: str | None = None

    @property
    def is_conflict(self) -> bool:
        """Whether the statements are not of one licence."""
        return self.license is None and "=" in (self.found_in or "")

    @property
    def identifiers(self) -> list[str]:
        """The licences that are stated, in the order of the places."""
        return list(dict.fromkeys(name for _, name in _entries(self.found_in) if name))


def with_statements(before: Stated, statements: Iterable[Statement]) -> Stated:
    """Return what is stated when these statements are added."""
    statements = list(statements)
    entries = list(dict.fromkeys([*_entries(before.found_in), *(each for one in statements for each in _named(one))]))
    identifiers = most_precise(name for _, name in entries if name)
    unknown = [place for place, name in entries if name is None and not place.endswith(NOTICE)]
    is_agreed = len(identifiers) == 1 and not unknown
    raw = [*(before.raw.split(BETWEEN) if before.raw else ()), *(_raw(one) for one in statements)]
    agreed = next(iter(identifiers)) if is_agreed else None
    return Stated(
        license=agreed,
        url=None if identifiers and not is_agreed else _url_of(agreed, before.url, statements),
        raw=BETWEEN.join(dict.fromkeys(raw))[:_MAX_LENGTH] or None,
        found_in=BETWEEN.join(_written(*entry, beside=bool(identifiers)) for entry in entries) or None,
    )


def _named(statement: Statement) -> Iterator[tuple[str, str | None]]:
    names = {identify(statement.url), identify(statement.text)} - {None}
    for name in sorted(most_precise(name for name in names if name)):
        yield statement.found_in, name
    if not names:
        yield statement.found_in, None


def _entries(found_in: str | None) -> Iterator[tuple[str, str | None]]:
    for entry in found_in.split(BETWEEN) if found_in else ():
        place, _, name = entry.partition("=")
        yield place, name if name and name != _UNKNOWN else None


def _written(place: str, name: str | None, *, beside: bool) -> str:
    if name:
        return f"{place}={name}"
    return f"{place}={_UNKNOWN}" if beside and not place.endswith(NOTICE) else place


def _raw(statement: Statement) -> str:
    parts = [statement.text, statement.url if (statement.url or "") not in (statement.text or "") else None]
    return " ".join(filter(None, parts))


def _url_of(agreed: str | None, before: str | None, statements: list[Statement]) -> str | None:
    """Return the first URL that is of the agreed licence; without one, the first of a licence that is not known."""
    named = [before, *(one.url for one in statements if not one.found_in.endswith(NOTICE))]
    fitting = (url for url in named if url and (agreed is None or _fits(identify(url), agreed)))
    return next(fitting, None)


def _fits(of_url: str | None, agreed: str) -> bool:
    return of_url is not None and agreed in most_precise((of_url, agreed))
