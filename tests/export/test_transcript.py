"""The words of stored transcripts, in each of their formats."""

import json

import pytest

from audiocrawler.export.transcript import plain_words, ranked, words_of

SRT, VTT, JSON, TTML, HTML, TEXT = (
    "application/x-subrip",
    "text/vtt",
    "application/json",
    "application/ttml+xml",
    "text/html",
    "text/plain",
)


ROLL_UP = """WEBVTT

00:00.000 --> 00:01.000
one

00:01.000 --> 00:01.010
one

00:01.010 --> 00:02.000
one
two

00:02.000 --> 00:03.000
two
three

00:03.000 --> 00:04.000
three
"""
WITH_ALL = """WEBVTT - Ferry

NOTE
not said

STYLE
::cue {}

intro
00:00.000 --> 00:02.000 align:left
<v Gwen>At <00:01.000><c>seven</c> &amp; eight</v>
"""
SPOKEN = {
    "version": "1.0.0",
    "segments": [
        {"speaker": "A", "startTime": 0, "body": "The ferry"},
        {"speaker": "A", "body": "leaves."},
        {"speaker": "B", "body": "When?"},
    ],
}
TIMED_TEXT = """<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml"><body><div>
<p begin="0s">The<br/>ferry</p><p>leaves</p></div></body></tt>"""
PAGE = """<title>T</title><nav>Home</nav>
<main><cite>Gwen:</cite><p>At <b>seven</b></p><script>1</script></main>"""
TWO_CUES = "1\n00:00:00,000 --> 00:00:02,000\nThe <i>ferry</i>\nleaves\n\n2\n00:00:02,000 --> 00:00:03,000\n12"


@pytest.mark.parametrize(
    ("media_type", "body", "words"),
    [
        (SRT, TWO_CUES, "The ferry leaves\n12"),
        (SRT, "\ufeff1\r\n00:00:00,000 --> 00:00:02,000\r\n{\\an8}Über\r\n\r\n", "Über"),
        (SRT, "00:00:00.000 --> 00:00:02.000\nno number", "no number"),
        (VTT, WITH_ALL, "At seven & eight"),
        (VTT, "WEBVTT\n00:00.000 --> 00:02.000\nwithout a blank line", "without a blank line"),
        (VTT, ROLL_UP, "one\ntwo\nthree\nthree"),
        (VTT, "WEBVTT\n\n", None),
        (JSON, json.dumps(SPOKEN), "The ferry leaves.\nWhen?"),
        (JSON, '{"text": "All of it", "segments": [{"start": 0, "text": " All of"}, {"text": " it"}]}', "All of\nit"),
        (JSON, '{"text": "All of it"}', "All of it"),
        (JSON, '{"results": {"items": [{"content": "word"}]}}', "word"),
        (JSON, '["one", {"text": "two"}, 3]', "one\ntwo"),
        (JSON, '{"segments": 3}', None),
        (JSON, "{", None),
        (HTML, "<!-- nothing -->", None),
        (HTML, "<p>one\0two</p>", "onetwo"),
        (TTML, "no markup", None),
        (TTML, TIMED_TEXT, "The ferry\nleaves"),
        (HTML, PAGE, "Gwen:\nAt seven"),
        (TEXT, "  At seven.\n\n\nThen   eight. ", "At seven.\nThen eight."),
        ("application/octet-stream", "", None),
    ],
)
def test_the_words_of_each_format(media_type: str, body: str, words: str | None) -> None:
    assert plain_words(body.encode(), media_type) == words


def test_words_in_other_encodings() -> None:
    assert plain_words("Möwe".encode("cp1252"), TEXT) == "Möwe"
    assert plain_words("\ufeffMöwe".encode("utf-16-le"), TEXT) == "Möwe"


def stored(name: str, media_type: str, **more: str) -> dict[str, str]:
    return {"kind": "transcript", "object": name, "media_type": media_type, **more}


def test_the_language_of_the_file_comes_first_then_the_format() -> None:
    texts = [
        stored("page", HTML, language="nl"),
        stored("none", VTT),
        stored("english", VTT, language="en"),
        stored("dutch", SRT, language="nl-BE"),
        stored("former", VTT, language="nl", former="yes"),
        {"kind": "transcript", "url": "lost", "language": "nl", "error": "HTTP 404"},
        {"kind": "chapters", "object": "chapters", "media_type": JSON},
    ]
    assert [text["object"] for text in ranked(texts, "nl")] == ["dutch", "page", "none", "english"]
    assert [text["object"] for text in ranked(json.dumps(texts), None)] == ["none", "english", "dutch", "page"]


def test_a_transcript_that_is_missing_or_empty_leaves_the_next_one() -> None:
    bodies = {"empty": b"WEBVTT\n", "plain": b"At seven."}
    texts = [stored("lost", VTT), stored("empty", VTT), stored("plain", TEXT)]
    assert words_of({"texts": texts, "language": "en"}, bodies.get) == "At seven."
    assert words_of({"texts": None}, bodies.get) is None
