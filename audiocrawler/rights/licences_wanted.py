"""The licences that a crawl is confined to in; why a file is not among them out."""

import re

from audiocrawler.errors import ConfigurationError
from audiocrawler.rights.licences import is_identifier
from audiocrawler.rights.licences_combined import Stated


def wanted_licences(setting: str | list[str] | None) -> frozenset[str]:
    """Return the identifiers of AUDIO_LICENSES, none for all; raises ConfigurationError for one that is unknown."""
    names = setting if isinstance(setting, list) else re.split(r"[,\s]+", setting or "")
    wanted = frozenset(name for name in names if name)
    for name in sorted(wanted):
        if not is_identifier(name):
            raise ConfigurationError(
                f"AUDIO_LICENSES={name}: is no known licence; write it as in CC0-1.0, CC-BY-4.0 or CC-BY-SA-3.0-DE"
            )
    return wanted


def refusal_before(stated: Stated, wanted: frozenset[str]) -> str | None:
    """Return why a file is not to be downloaded by what its page states; None if that leaves it open."""
    return refusal(stated, wanted) if wanted and stated.identifiers else None


def refusal(stated: Stated, wanted: frozenset[str]) -> str | None:
    """Return why a file is refused by all that is stated about it; None if it is wanted."""
    if not wanted or stated.license in wanted:
        return None
    if stated.license:
        return f"its licence is {stated.license}, which AUDIO_LICENSES does not name"
    if stated.is_conflict:
        return f"different licences are stated ({stated.found_in})"
    return f"no licence that is known is stated ({stated.raw})" if stated.raw else "no licence is stated"
