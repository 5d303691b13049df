"""The settings in; nothing, or the first of them that cannot work in one line, out."""

import os
from collections.abc import Iterable
from difflib import get_close_matches

from scrapy.settings import BaseSettings

from audiocrawler.fetch.accounts import read_cookies, read_host_headers
from audiocrawler.fetch.connect import proxies_of
from audiocrawler.model.addresses import AddressPolicy
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.rights.licences import wanted_licences

NUMBERS = (
    "AUDIO_MAX_BYTES",
    "AUDIO_MAX_TOTAL_BYTES",
    "AUDIO_MAX_DURATION_S",
    "AUDIO_MIN_DURATION_MS",
    "AUDIO_MIN_SAMPLE_RATE_HZ",
    "AUDIO_ENERGY_LOUDNESS_DBFS",
    "AUDIO_ENERGY_DURATION_MS",
    "AUDIO_FLUSH_ROWS",
    "AUDIO_FLUSH_SECONDS",
    "AUDIO_MAX_OUTBOX_ROWS",
    "AUDIO_WORKERS",
    "AUDIO_STALL_TIMEOUT_S",
    "AUDIO_MIN_BYTES_PER_S",
    "AUDIO_MAX_UNSIZED_S",
    "AUDIO_MIN_FREE_BYTES",
    "AUDIO_MAX_FILES_PER_PAGE",
    "AUDIO_MEDIA_PER_HOST",
    "AUDIO_MAX_FILES_IN_FLIGHT",
    "AUDIO_MAX_INCOMING_BYTES",
    "AUDIO_STOP_GRACE_S",
    "AUDIO_BROWSER_PAGES",
    "AUDIO_BROWSER_CONTEXTS",
    "AUDIO_BROWSER_PAGE_S",
    "AUDIO_LEASE_S",
)
"""Settings that must be numbers."""
OPT_OUT_MODES = ("honour", "record", "ignore")


def check_settings(settings: BaseSettings) -> None:
    """Raise ConfigurationError for a number, truth value, address or licence among the settings that is none."""
    _check_names(name for source in (settings, os.environ) for name in map(str, source))
    AddressPolicy((), settings["AUDIO_ALLOW_ADDRESSES"])
    wanted_licences(settings["AUDIO_LICENSES"])
    try:
        settings.getbool("AUDIO_BIGQUERY_CREATE")
    except ValueError as error:
        given = settings["AUDIO_BIGQUERY_CREATE"]
        raise ConfigurationError(f"AUDIO_BIGQUERY_CREATE={given}: is neither True nor False") from error
    if settings["AUDIO_OPT_OUT"] not in OPT_OUT_MODES:
        raise ConfigurationError(f"AUDIO_OPT_OUT={settings['AUDIO_OPT_OUT']}: is none of {', '.join(OPT_OUT_MODES)}")
    check_accounts(settings)
    for name in NUMBERS:
        try:
            number = settings.getfloat(name)
        except (TypeError, ValueError):
            number = -1 if settings[name] is not None else 0
        if number < 0 and name != "AUDIO_ENERGY_LOUDNESS_DBFS":
            raise ConfigurationError(f"{name}={settings[name]}: is not a number of 0 or more; unset it or give one")


def _check_names(names: Iterable[str]) -> None:
    """Raise ConfigurationError for a setting or variable that looks like ours and does not exist."""
    from audiocrawler import settings as defaults  # reads the environment when it is loaded

    known = [name for name in vars(defaults) if name.startswith("AUDIO_")]
    for name in names:
        if name.startswith("AUDIO_") and name not in known and not name.startswith("AUDIO_TEST_"):
            near = get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else "; README lists those that there are"
            raise ConfigurationError(f"{name}: no such setting{hint}")


def check_accounts(settings: BaseSettings) -> None:
    """Raise ConfigurationError for cookies, headers or a proxy of the environment that cannot be sent or used."""
    read_host_headers(settings["AUDIO_HEADERS"])
    if read_cookies(settings["AUDIO_COOKIES"]).cookies and not settings.getbool("COOKIES_ENABLED"):
        raise ConfigurationError(
            "AUDIO_COOKIES is set, and COOKIES_ENABLED=False lets no cookie be sent: unset one of them"
        )
    proxies_of(settings)
