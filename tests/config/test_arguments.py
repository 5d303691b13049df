"""Wrong arguments are told in one line that names them and says what to do."""

import os
from pathlib import Path
from threading import Thread

import pytest

from audiocrawler.config.arguments import parse_arguments
from audiocrawler.model.errors import ConfigurationError

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
        ({"url": START, "depht": "1"}, "-a depht: no such argument; choose from url"),
        ({"url": START, "depth": "deep"}, "-a depth=deep: must be a whole number, 0 or more"),
        ({"url": START, "depth": "-1"}, "-a depth=-1: must be a whole number, 0 or more"),
        ({"url": START, "limit": "0"}, "-a limit=0: must be a whole number, 1 or more"),
        ({"url": START, "crawl": ""}, "-a crawl=: must not be empty"),
        ({"url": START, "allow": "("}, "-a allow: '(' is not a regular expression"),
        ({"url": START, "download": "maybe"}, "-a download=maybe: must be yes or no"),
        ({"urls": "/nowhere/urls.txt"}, "/nowhere/urls.txt: could not be read"),
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


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig\r", "utf-16\r"]
)
def test_a_list_of_another_program_is_read_whatever_its_encoding_and_line_ends(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "urls.txt"
    text = f"{START}a\n\ufeff{START}\u00e9#part\n \t\n  # none\n{START}b  # the second\n"
    file.write_bytes(text.replace("\n", "\r\n" if encoding.endswith("\r") else "\n").encode(encoding.rstrip("\r")))
    assert parse_arguments({"urls": str(file)}).start_urls() == (f"{START}a", f"{START}\u00e9#part", f"{START}b")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(9), "binary data"),
        (b"https://a.org/\nhttps://a.org/\xe9", "line 2 is not UTF-8; save it as UTF-8 text"),
        (b"\xff\xfeh", "is not UTF-16"),
        (None, "Is a directory"),
    ],
)
def test_what_is_no_list_is_refused_in_one_line(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "urls.txt"
    file.mkdir() if content is None else file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"^-a urls={file}: could not be read: .*{words}"):
        parse_arguments({"urls": str(file)})


def test_a_pipe_is_read_once_and_a_file_each_time(tmp_path: Path) -> None:
    pipe, file = tmp_path / "pipe", tmp_path / "file"
    os.mkfifo(pipe)
    writer = Thread(target=pipe.write_text, args=(f"{START}a\n",))
    writer.start()
    assert [parse_arguments({"urls": str(pipe)}).start_urls() for _ in range(2)] == [(f"{START}a",)] * 2
    writer.join()
    for name in "ab":
        file.write_text(START + name)
        assert parse_arguments({"urls": str(file)}).start_urls() == (START + name,)


def test_a_bad_line_of_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("example.org\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"urls\.txt: line 1: 'example\.org' has no scheme"):
        parse_arguments({"urls": str(file)})


def test_a_file_without_urls_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "urls.txt"
    file.write_text("# nothing yet\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="contains no URLs"):
        parse_arguments({"urls": str(file)})


def test_scrapyds_job_id_is_accepted() -> None:
    assert parse_arguments({"url": START, "_job": "2026-11-22"}).url == (START,)
