"""Which commands are the same crawl."""

from pathlib import Path

from scrapy.settings import BaseSettings

from audiocrawler.config.arguments import parse_arguments
from audiocrawler.config.identity import identity_of

SETTINGS = BaseSettings({"AUDIO_STORE": "file:a", "AUDIO_WAREHOUSE": "sqlite:b"})


def identity(settings: BaseSettings = SETTINGS, **arguments: str) -> str:
    return identity_of("audio", parse_arguments(arguments), settings)


def test_the_way_in_which_a_crawl_is_written_makes_no_difference(tmp_path: Path) -> None:
    starts = tmp_path / "starts.txt"
    starts.write_text("https://b.org/\nhttps://a.org/\n", encoding="utf-8")
    same = {
        identity(url="https://a.org/ https://b.org/"),
        identity(url="https://b.org/  https://a.org/", depth="0", alternates="best", fresh="yes", _job="7"),
        identity(url="https://anna:secret@a.org/ https://b.org/"),
        identity(urls=str(starts)),
    }
    assert len(same) == 1


def test_what_a_crawl_does_makes_a_difference() -> None:
    url = "https://a.org/"
    other = BaseSettings({"AUDIO_STORE": "file:a", "AUDIO_WAREHOUSE": "sqlite:c"})
    different = [
        identity(url=url),
        identity(url=url, depth="1"),
        identity(url=url, limit="3"),
        identity(url=url, allow="x"),
        identity(url=url, deny="x"),
        identity(url="https://b.org/"),
        identity(url=url, settings=other),
        identity(url=url, crawl="nightly"),
    ]
    assert len(set(different)) == len(different)


def test_a_name_stands_for_all_arguments() -> None:
    assert identity(url="https://a.org/", crawl="n") == identity(url="https://b.org/", depth="3", crawl="n")
