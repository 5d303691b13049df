"""Wrong arguments are told in one line that names them and says what to do."""

from pathlib import Path

import pytest

from audiocrawler.arguments.arguments import parse_arguments
from audiocrawler.errors import ConfigurationError

START = "https://example.org/"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "-a url=https://"),
        ({"url": ""}, "-a url=https://"),
        ({"url": "example.org/sounds"}, "write https://example.org/sounds"),
        ({"url": "ftp://example.org/"}, "only http and https"),
        ({"url": "https:///sounds"}, "has no host"),
        ({"url": "https://[::1/"}, "is not a URL"),
        ({"url": "https://example.org:port/"}, "is not a URL"),
        ({"url": f"{START} nonsense"}, "'nonsense'"),
        ({"url": START, "depht": "1"}, "-a depht: no such argument; there are url"),
        ({"url": START, "depth": "deep"}, "-a depth"),
        ({"url": START, "depth": "-1"}, "-a depth"),
        ({"url": START, "limit": "0"}, "-a limit"),
        ({"url": START, "allow": "("}, "-a allow: '(' is not a regular expression"),
        ({"url": START, "download": "maybe"}, "-a download"),
        ({"urls": "/nowhere/urls.txt"}, "/nowhere/urls.txt: cannot be read"),
        ({"url": START, "urls": "urls.txt"}, "one of"),
    ],
)
def test_a_wrong_argument_is_named_in_one_line(given: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_arguments(given)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_several_urls_are_separated_by_white_space() -> None:
    assert parse_arguments({"url": f"{START}a \n {START}b"}).start_urls() == (f"{START}a", f"{START}b")


def test_a_file_holds_one_url_a_line_and_comments(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text(f"# shores\n{START}a\n\n{START}b\n", encoding="utf-8")
    assert parse_arguments({"urls": str(file)}).start_urls() == (f"{START}a", f"{START}b")


def test_a_bad_line_of_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("example.org\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"urls\.txt: 'example\.org' has no scheme"):
        parse_arguments({"urls": str(file)})


def test_a_file_without_urls_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("# nothing yet\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="holds no URL"):
        parse_arguments({"urls": str(file)})


def test_scrapyds_job_id_is_accepted() -> None:
    assert parse_arguments({"url": START, "_job": "2026-11-22"}).url == (START,)
