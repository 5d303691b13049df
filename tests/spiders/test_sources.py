"""Names of files are readable and harmless."""

import pytest
from scrapy.http import Response

from audiocrawler.model.rows import AudioSource
from audiocrawler.records import MAX_NAME_LENGTH, clean_name, item_of


def name_of(url: str, disposition: str | None = None) -> str:
    headers = {"Content-Disposition": disposition} if disposition else {}
    source = AudioSource(source_url=url, status="pending")
    return item_of(source, Response(url, headers=headers), "body").file_name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (None, "x.mp3"),
        ("attachment", "x.mp3"),
        ("attachment; filename=tide.mp3", "tide.mp3"),
        ('attachment; filename="low tide.mp3"', "low tide.mp3"),
        ("attachment; filename=\"a.mp3\"; filename*=UTF-8''M%C3%B6wen.mp3", "Möwen.mp3"),
        ("attachment; filename*=klingon''tide.mp3", "tide.mp3"),
        ('attachment; filename="../../etc/passwd"', "etc_passwd"),
    ],
)
def test_content_disposition_comes_before_the_url(disposition: str | None, name: str) -> None:
    assert name_of("https://example.org/a/x.mp3?id=1", disposition) == name


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("M%C3%B6wen%20am%20Kai.ogg", "Möwen am Kai.ogg"),
        ("", "audio"),
        ("..", "audio"),
        ("a\x00b\u202e3pm.mp3", "a_b_3pm.mp3"),
        ("a/b\\c.mp3", "a_b_c.mp3"),
    ],
)
def test_names_are_cleaned(raw: str, name: str) -> None:
    assert clean_name(raw) == name


def test_long_names_keep_their_extension() -> None:
    name = clean_name("x" * 1000 + ".flac")
    assert len(name) == MAX_NAME_LENGTH
    assert name.endswith("x.flac")
