"""Which URLs are one URL, however they are spelt."""

import pytest
from scrapy import Request

from audiocrawler.model.urls import one_spelling

PLAIN = "http://example.org/a/f2.mp3?x=1&y=%2F"


@pytest.mark.parametrize(
    "url",
    [
        PLAIN,
        "HTTP://EXAMPLE.org/a/f2.mp3?x=1&y=%2F",
        "http://example.org:80/a/f2.mp3?x=1&y=%2f",
        "http://example.org:/a/f2.mp3?x=1&y=%2f",
        "http://example.org:0080/a/f2.mp3?x=1&y=%2f",
        "http://example.org./a/f2.mp3?x=1&y=%2F#t=3",
        "http://anna:secret@example.org/a/f2.mp3?x=1&y=%2F",
        "http://ex%61mple.org/%61/f2%2Emp3?%78=1&y=%2F",
        "http://example.org/b/../a/./f2.mp3?x=1&y=%2F",
        "http://example.org/../%2e%2E/b/%2e./a/%2E/f2.mp3?x=1&y=%2F",
        "http:\\\\example.org\\a\\f2.mp3?x=1&y=%2F",
        "http:/example.org/a/f2.mp3?x=1&y=%2F",
        " http://exam\nple.org/a/f2.mp3?x=1&y=%2F\t",
    ],
)
def test_spellings_of_one_url_are_one(url: str) -> None:
    assert one_spelling(url) == PLAIN
    assert one_spelling(one_spelling(url)) == PLAIN


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://example.org", "https://example.org/"),
        ("https://example.org:443/?", "https://example.org/"),
        ("https://bücher.example/ü b.mp3", "https://xn--bcher-kva.example/%C3%BC%20b.mp3"),
        ("https://BÜCHER。example/%c3%bc%20b.mp3", "https://xn--bcher-kva.example/%C3%BC%20b.mp3"),
        ("http://2130706433/a", "http://127.0.0.1/a"),
        ("http://[0:0::1]:8080/a", "http://[::1]:8080/a"),
        ("http://example.org/100%.mp3", "http://example.org/100%25.mp3"),
        ("http://example.org/a?q=[ü|]", "http://example.org/a?q=%5B%C3%BC%7C%5D"),
        ("http://example.org/a?token=%7E12345678", "http://example.org/a?token=~12345678"),
        ("http://example.org/a/..", "http://example.org/"),
        ("sha256:AB", "sha256:AB"),
        ("http://", "http://"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_the_one_spelling(url: str, same: str) -> None:
    assert one_spelling(url) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://example.org/a", "https://example.org/a"),
        ("http://example.org/a", "http://example.org:81/a"),
        ("http://example.org/a", "http://example.org/A"),
        ("http://example.org/a", "http://example.org/a/"),
        ("http://example.org/a%2Fb", "http://example.org/a/b"),
        ("http://example.org/a%3Fb", "http://example.org/a?b"),
        ("http://example.org/a?x=1&y=2", "http://example.org/a?y=2&x=1"),
        ("http://example.org/a?x=%26", "http://example.org/a?x=&"),
        ("http://example.org//a", "http://example.org/a"),
    ],
)
def test_different_urls_stay_different(one: str, other: str) -> None:
    assert one_spelling(one) != one_spelling(other)


@pytest.mark.parametrize("url", [PLAIN, "http://example.org/ü [b].mp3?q=ü|\"<>' +%zz", "http://example.org/%e9%"])
def test_what_scrapy_makes_of_a_url_is_spelt_the_same(url: str) -> None:
    assert one_spelling(Request(url).url) == one_spelling(url)
