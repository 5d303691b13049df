"""Check the settings before the first request; the first one that cannot work is told in one line."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from scrapy.settings import BaseSettings

from audiocrawler.fetch.accounts import read_cookies, read_host_headers
from audiocrawler.fetch.connect import proxies_of
from audiocrawler.model.addresses import AddressPolicy
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import NAMES, PREFIX, AudioSettings
from audiocrawler.rights.licences import wanted_licences


def check_settings(settings: BaseSettings) -> AudioSettings:
    """Return our settings, with what they name read or loaded once; raises ConfigurationError."""
    _check_names(name for source in (settings, os.environ) for name in map(str, source))
    ours = AudioSettings.of(settings)
    AddressPolicy((), ours.allow_addresses)
    wanted_licences(ours.licenses)
    _check_finders(ours.finders)
    check_accounts(settings)
    return ours


def _check_names(names: Iterable[str]) -> None:
    """Raise ConfigurationError for a setting or variable that looks like ours and does not exist."""
    for name in names:
        if name.startswith(PREFIX) and name not in _KNOWN and not name.startswith("AUDIO_TEST_"):
            raise ConfigurationError(
                f"{name}: no such setting{_hint(name, _KNOWN, 'README lists those that there are')}"
            )


_KNOWN = set(NAMES.values())


def _hint(name: str, known: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else f"; {otherwise}"


def _check_finders(finders: Mapping[str, int | None]) -> None:
    """Raise ConfigurationError for a finder that cannot be loaded, or be removed because there is none."""
    if not finders:
        return
    from audiocrawler.discovery import DEFAULT_FINDERS, load_finders  # costs commands that search nothing a parser

    for path, order in finders.items():
        where = f"AUDIO_FINDERS: {path}: "
        if order is None and path not in DEFAULT_FINDERS:
            hint = _hint(path, DEFAULT_FINDERS, "nothing is there to be removed")
            raise ConfigurationError(f"{where}no such finder{hint}")
        try:
            (finder,) = load_finders({path: 0})
        except Exception as error:  # whatever a module of the user's raises when it is imported
            raise ConfigurationError(f"{where}cannot be loaded: {error}; give the dotted path of a function") from error
        if not callable(finder):
            raise ConfigurationError(f"{where}is no function")


def check_accounts(settings: BaseSettings) -> None:
    """Raise ConfigurationError for cookies, headers or a proxy of the environment that cannot be sent or used."""
    ours = AudioSettings.of(settings)
    read_host_headers(ours.headers)
    if read_cookies(ours.cookies).cookies and not settings.getbool("COOKIES_ENABLED"):
        raise ConfigurationError(
            "AUDIO_COOKIES is set, and COOKIES_ENABLED=False lets no cookie be sent: unset one of them"
        )
    proxies_of(settings)
