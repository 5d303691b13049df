"""Text of strangers keeps its meaning and loses its teeth."""

import pytest

from audiocrawler.model.text import one_line, printable, storable, storable_url


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Möwen 🐦 \u0645\u06cc\u200c\u062e", "Möwen 🐦 \u0645\u06cc\u200c\u062e"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("\x1b[2J\x9bA\x00\x7f\r", "[2JA"),
        ("a\u202e3pm\u2066b\u2069", "a3pmb"),
        ("\ufeffa\u2028b\ufffe\uffff", "ab"),
        ("half \ud83d of a pair", "half \ufffd of a pair"),
    ],
)
def test_what_steers_and_turns_goes(text: str, stored: str) -> None:
    assert storable(text) == stored


def test_urls_keep_it_percent_encoded() -> None:
    assert storable_url("https://h/\x1b\u202e\n.mp3", 100) == "https://h/%1B%E2%80%AE%0A.mp3"


def test_long_urls_stay_distinct() -> None:
    one, other = (storable_url(f"https://h/{'x' * 1000}{end}", 100) for end in "ab")
    assert len(one) == len(other) == 100
    assert one != other


def test_one_line_is_one_and_bounded() -> None:
    assert one_line("a\r\n b\u2028c\x00" + "x" * 1000, 10) == "a bcxxxxxx"


def test_what_is_printed_shows_what_it_was() -> None:
    assert printable("a\x1b[2J\u202e\nb") == "a\\x1b[2J\\u202e\nb"
