"""Settings of Scrapy's own: what it would answer with a traceback, or with a crawl that never ends, is one line."""

import re
from pathlib import Path
from typing import Any

import pytest
import scrapy
from scrapy.settings import Settings, default_settings

from audiocrawler import settings as ours
from audiocrawler.config.scrapy_settings import (
    AT_LEAST_ONE,
    SWITCHES,
    TIMES,
    check_dictionaries,
    check_scrapy_parts,
    check_scrapy_values,
)
from audiocrawler.model.errors import ConfigurationError


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("CONCURRENT_REQUESTS", "abc", "must be a whole number, 1 or more"),
        ("CONCURRENT_REQUESTS", "0", "must be a whole number, 1 or more"),
        ("DOWNLOAD_DELAY", "x", "must be a number, 0 or more"),
        ("DOWNLOAD_DELAY", "-1", "must be a number, 0 or more"),
        ("DOWNLOAD_TIMEOUT", "nan", "must be a number, 0 or more"),
        ("RETRY_TIMES", "1e3", "must be a whole number"),
        ("ROBOTSTXT_OBEY", "maybe", "must be True or False"),
        ("TELNETCONSOLE_ENABLED", "maybe", "must be True or False"),
        ("RETRY_HTTP_CODES", "500,abc", "must be numbers, separated by commas"),
        ("LOG_LEVEL", "loud", "must be CRITICAL, ERROR, WARNING, INFO or DEBUG"),
        ("LOG_ENCODING", "klingon", "must be an encoding such as utf-8"),
        ("LOG_FORMAT", "%(levelname", "must be a format"),
        ("SPIDER_LOADER_CLASS", "no.such.Loader", "could not be loaded: No module named 'no'"),
        ("SPIDER_MODULES", "no.such", "module not found"),
    ],
)
def test_a_value_that_scrapy_cannot_read_is_named(name: str, given: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)) as caught:
        check_scrapy_values(Settings({name: given}))
    assert str(caught.value).startswith(name)
    assert given in str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("DOWNLOADER", "no.such.Downloader", "no.such.Downloader: could not be loaded: No module named 'no'"),
        ("STATS_CLASS", "Stats", "Stats: could not be loaded"),
        ("EXTENSIONS", {"scrapy.extensions.NoSuch": 1}, "scrapy.extensions.NoSuch: could not be loaded"),
        ("ITEM_PIPELINES", {"audiocrawler.pipelines.StorePipeline": "first"}, "first is not a number"),
        ("DOWNLOAD_HANDLERS", {"http": "no.such.Handler"}, "no.such.Handler: could not be loaded"),
    ],
)
def test_a_component_that_cannot_be_loaded_is_named(name: str, given: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)) as caught:
        check_scrapy_parts(Settings({name: given}))
    assert str(caught.value).startswith(name)


def test_what_is_not_used_need_not_be_there() -> None:
    check_scrapy_parts(
        Settings({"DOWNLOAD_HANDLERS": {"ftp": "no.such.Handler"}, "FEED_EXPORTERS": {"x": "no.such.X"}})
    )
    exporting = {"FEEDS": {"out.x": {"format": "x"}}, "FEED_EXPORTERS": {"x": "no.such.X"}}
    with pytest.raises(ConfigurationError, match=r"FEED_EXPORTERS: no\.such\.X: could not be loaded"):
        check_scrapy_parts(Settings(exporting))


def test_a_dictionary_of_the_command_line_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError, match="EXTENSIONS=x: must be a JSON object"):
        check_dictionaries(Settings(), ["LOG_LEVEL=INFO", "EXTENSIONS=x"])


def test_our_own_values_and_parts_pass_as_they_are_and_as_a_shell_gives_them() -> None:
    settings = Settings()
    settings.setmodule(ours)
    check_scrapy_values(settings)
    check_scrapy_parts(settings)
    simple = {name: value for name, value in settings.items() if isinstance(value, bool | int | float | str)}
    check_scrapy_values(Settings({name: str(value) for name, value in simple.items()}))


def test_scrapy_reads_its_settings_as_the_checks_believe() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in Path(scrapy.__file__).parent.rglob("*.py"))
    read_as = {kind: set(re.findall(rf'\.get{kind}\(\s*"(\w+)"', source)) for kind in ("bool", "int", "float")}
    of_type = {
        kind: {
            name for name, value in vars(default_settings).items() if name.isupper() and type(value).__name__ == kind
        }
        for kind in read_as
    }
    assert read_as["float"] & of_type["int"] == TIMES
    assert read_as["bool"] & of_type["int"] == SWITCHES
    assert not read_as["int"] & (of_type["float"] | of_type["bool"])
    assert of_type["int"] >= AT_LEAST_ONE
