"""Settings: what each may be, as whatever type it is given, and one line that names the first that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from scrapy import Spider
from scrapy.settings import BaseSettings, Settings
from scrapy.utils.test import get_crawler

from audiocrawler.config.settings import check_settings
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.settings import AudioSettings, defaults, settings_of

FINDER = "audiocrawler.discovery.finders.markup.find_links"


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("max_bytes", "1e9", 1_000_000_000),
        ("max_bytes", 5.0, 5),
        ("max_bytes", "9007199254740993", 9_007_199_254_740_993),
        ("max_total_bytes", "none", None),
        ("max_total_bytes", "", None),
        ("workers", "3", 3),
        ("stall_timeout_s", "0.5", 0.5),
        ("energy_loudness_dbfs", "-119", -119.0),
        ("bigquery_create", "1", True),
        ("bigquery_create", "False", False),
        ("log_dir", "", None),
        ("incoming", "a/b", Path("a/b")),
        ("finders", f'{{"{FINDER}": null}}', {FINDER: None}),
        ("finders", BaseSettings({FINDER: 5}), {FINDER: 5}),
        ("licenses", ["CC0-1.0"], ["CC0-1.0"]),
        ("contact", " ", None),
    ],
)
def test_a_setting_means_the_same_in_python_and_in_a_shell(name: str, given: Any, meant: Any) -> None:
    value = getattr(AudioSettings.of({f"AUDIO_{name.upper()}": given}), name)
    assert (value, type(value)) == (meant, type(meant)) or isinstance(meant, Path)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("MAX_BYTES", "1.5", "must be a whole number of bytes, 0 or more"),
        ("MAX_BYTES", "1e30", "must be at most 9223372036854775807"),
        ("MAX_BYTES", "9" * 5000, "must be a whole number of bytes"),
        ("MAX_BYTES", None, "must be a whole number of bytes"),
        ("WORKERS", "1.5", "must be a whole number, 0 or more"),
        ("WORKERS", True, "must be a whole number, 0 or more"),
        ("FLUSH_ROWS", "-1", "must be a whole number, 1 or more"),
        ("MAX_FILES_IN_FLIGHT", "0", "must be a whole number, 1 or more"),
        ("STALL_TIMEOUT_S", "nan", "must be a number of seconds, more than 0"),
        ("STALL_TIMEOUT_S", "inf", "must be a number of seconds, more than 0"),
        ("STALL_TIMEOUT_S", "0", "must be a number of seconds, more than 0"),
        ("STALL_TIMEOUT_S", "1e300", "must be at most 1000000000"),
        ("ENERGY_LOUDNESS_DBFS", "-inf", "must be a number of dBFS"),
        ("BIGQUERY_CREATE", "maybe", "must be True or False"),
        ("OPT_OUT", "honor", "must be honour, record or ignore"),
        ("LOG_FORMAT", "yaml", "must be text or json"),
        ("STORE", "", "must not be empty"),
        ("OUTBOX", "", "must be a path"),
        ("WAREHOUSE", "project.dataset.table", "must be a URI such as sqlite:data/audio.db, or the path of a .db file"),
        ("CONTACT", "a@b.c\r\nCookie: x", "must be one line of printable text"),
        ("FINDERS", "find", "must be a JSON object"),
        ("FINDERS", f'["{FINDER}"]', "must be a JSON object"),
        ("FINDERS", f'{{"{FINDER}": "last"}}', f"must have a whole number or null for {FINDER}"),
        ("FINDERS", '{"no.such.module.find": 1}', "no.such.module.find: could not be loaded: No module named 'no'"),
        ("FINDERS", f'{{"{FINDER}x": 1}}', "has no attribute 'find_linksx'"),
        ("FINDERS", '{"audiocrawler.discovery.MAX": 1}', "could not be loaded"),
        ("FINDERS", '{"audiocrawler.__version__": 1}', "not a function"),
        ("FINDERS", '{"find": 1}', "could not be loaded"),
        ("FINDERS", f'{{"{FINDER}x": null}}', f"no such finder; did you mean {FINDER}?"),
        ("LICENSES", "CC-BY-9.0", "unknown licence"),
        ("ALLOW_ADDRESSES", "10.0.0.1/8", "clear the host bits of the network"),
        ("COOKIES", "/no/such/file", "AUDIO_COOKIES=/no/such/file"),
        ("HEADERS", "/no/such/file", "AUDIO_HEADERS=/no/such/file"),
        ("STALL_TIMEOUT", "5", "no such setting; did you mean AUDIO_STALL_TIMEOUT_S?"),
    ],
)
def test_what_cannot_work_is_named_in_one_line(name: str, given: Any, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_settings(Settings({f"AUDIO_{name}": given}))
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"AUDIO_{name}")
    assert words in line


def test_the_defaults_are_valid_and_those_of_the_model() -> None:
    assert check_settings(Settings(defaults())) == AudioSettings()


def test_a_crawl_builds_them_once_they_are_final() -> None:
    crawler = get_crawler(settings_dict={"AUDIO_MAX_BYTES": "7"})
    assert settings_of(crawler).max_bytes == 7
    assert settings_of(crawler) is settings_of(crawler)
    other = get_crawler()
    other.settings.frozen = False
    assert settings_of(other).max_bytes == AudioSettings().max_bytes
    other.settings.set("AUDIO_MAX_BYTES", 8)
    assert settings_of(other).max_bytes == 8


def test_a_spider_may_have_settings_of_its_own() -> None:
    class Small(Spider):
        name = "small"
        custom_settings = {"AUDIO_MAX_BYTES": "1e3", "AUDIO_FINDERS": {FINDER: None}}  # noqa: RUF012 - as Scrapy has it

    ours = settings_of(get_crawler(Small))
    assert (ours.max_bytes, ours.finders) == (1000, {FINDER: None})


def test_settings_are_passed_on_by_scrapy_as_plain_values() -> None:
    assert json.loads(json.dumps(defaults())) == defaults()
