"""Check the settings before the first request; the first invalid one is reported in one line."""

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
    """Return our settings after loading the files and classes that they name. Raises ConfigurationError."""
    _check_names(name for source in (settings, os.environ) for name in map(str, source))
    ours = AudioSettings.of(settings)
    AddressPolicy((), ours.allow_addresses)
    wanted_licences(ours.licenses)
    _check_finders(ours.finders)
    check_accounts(settings)
    return ours


def _check_names(names: Iterable[str]) -> None:
    """Raise ConfigurationError for a setting or environment variable with our prefix that does not exist."""
    for name in names:
        if name.startswith(PREFIX) and name not in _KNOWN and not name.startswith("AUDIO_TEST_"):
            raise ConfigurationError(f"{name}: no such setting{_hint(name, _KNOWN, 'see the settings in README')}")


_KNOWN = set(NAMES.values())


def _hint(name: str, known: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]}?" if near else f"; {otherwise}"


def _check_finders(finders: Mapping[str, int | None]) -> None:
    """Raise ConfigurationError for a finder that cannot be loaded, or is to be removed and does not exist."""
    if not finders:
        return
    from audiocrawler.discovery import DEFAULT_FINDERS, load_finders  # not every command needs its parsers

    for path, order in finders.items():
        where = f"AUDIO_FINDERS: {path}: "
        if order is None and path not in DEFAULT_FINDERS:
            hint = _hint(path, DEFAULT_FINDERS, "only a default finder can be removed")
            raise ConfigurationError(f"{where}no such finder{hint}")
        try:
            (finder,) = load_finders({path: 0})
        except Exception as error:  # a user's module may raise anything when imported
            problem = f"{where}could not be loaded: {error}; give the dotted path of a function"
            raise ConfigurationError(problem) from error
        if not callable(finder):
            raise ConfigurationError(f"{where}not a function")


def check_accounts(settings: BaseSettings) -> None:
    """Raise ConfigurationError for invalid cookies or headers, or a proxy in the environment that cannot be used."""
    ours = AudioSettings.of(settings)
    read_host_headers(ours.headers)
    if read_cookies(ours.cookies).cookies and not settings.getbool("COOKIES_ENABLED"):
        raise ConfigurationError(
            "AUDIO_COOKIES is set, but COOKIES_ENABLED=False prevents sending cookies: unset one of them"
        )
    proxies_of(settings)
