"""The statements of a document or of tags in; the columns of a source's row out, and back."""

from collections.abc import Iterable

from audiocrawler.items import AudioSource
from audiocrawler.masking import mask_text, mask_url
from audiocrawler.rights.licences_combined import Stated, with_statements
from audiocrawler.statements import Statement


def stated_by(source: AudioSource) -> Stated:
    """Return what the row says is stated."""
    return Stated(source.license, source.license_url, source.license_raw, source.license_found_in)


def state(source: AudioSource, statements: Iterable[Statement], credit: str | None) -> None:
    """Add statements to the row, secrets masked; whom to name is the author where nobody else is said."""
    stated = with_statements(stated_by(source), statements)
    source.license, source.license_found_in = stated.license, stated.found_in
    source.license_url = mask_url(stated.url) if stated.url else None
    source.license_raw = mask_text(stated.raw) if stated.raw else None
    source.attribution = source.attribution or credit or (source.artist if stated.raw else None)
