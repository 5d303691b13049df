"""What counts as a transcript: by its bytes, and pages and plain text only where they are declared."""

import pytest

from audiocrawler.fetch.texts import text_kind
from audiocrawler.model.errors import NotTextError

CUE = "1\n00:00:00,000 --> 00:00:02,000\nHello\n"


@pytest.mark.parametrize(
    ("body", "declared", "url", "extension"),
    [
        (b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello", "text/plain", "/t", "vtt"),
        (b"\xef\xbb\xbfWEBVTT\n", "", "/t", "vtt"),
        (CUE.encode(), "text/vtt", "/t", "srt"),
        (CUE.replace("\n", "\r\n").encode(), "application/x-subrip", "/t", "srt"),
        (f"\ufeff{CUE}".encode("utf-16-le"), "", "/t", "srt"),
        (CUE.replace("Hello", "Möwe").encode("cp1252"), "", "/t", "srt"),
        (b"00:00:00.000 --> 00:00:02.000\nHello", "", "/t", "srt"),
        (b'{"version": "1.0.0", "segments": []}', "application/json", "/t", "json"),
        (b'[{"text": "Hello"}]', "", "/t", "json"),
        (b'<?xml version="1.0"?><tt xmlns="http://www.w3.org/ns/ttml"></tt>', "", "/t", "ttml"),
        (b"<!doctype html><title>Episode 12</title><p>Hello", "text/html", "/t", "html"),
        (b"<!doctype html><title>Episode 12</title><p>Hello", "", "/t.html", "html"),
        (b"Hello there", "text/plain", "/t", "txt"),
        (b"Hello there", "", "/t.txt", "txt"),
        ("Möwe".encode("cp1252"), "text/plain", "/t", "txt"),
    ],
)
def test_transcripts_are_known_by_their_bytes(body: bytes, declared: str, url: str, extension: str) -> None:
    assert text_kind(body, declared, f"https://example.org{url}", "").extension == extension


@pytest.mark.parametrize(
    ("body", "declared", "url", "reason"),
    [
        (b" \n", "text/vtt", "/t", "empty response"),
        (b"<!doctype html><title>Sorry</title>", "text/vtt", "/t.vtt", "got an HTML page"),
        (b"<!doctype html><title>404 Not Found</title>", "text/html", "/t", "titled '404 Not Found'"),
        (b"<html><title>Log in - Ferry</title>", "text/html", "/t", "titled 'Log in - Ferry'"),
        (b"Not found", "application/srt", "/t.srt", "got plain text"),
        (b'{"error": "not found", "status": 404}', "application/json", "/t", "error message in JSON"),
        (b'{"segments": [', "application/json", "/t", "damaged JSON"),
        (b"%PDF-1.7", "application/pdf", "/t.pdf", "got a PDF document"),
        (b"#EXTM3U\n", "", "/t.m3u8", "got an M3U playlist"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x00", "text/plain", "/t", "got an MP3 file"),
    ],
)
def test_what_came_instead_is_named(body: bytes, declared: str, url: str, reason: str) -> None:
    with pytest.raises(NotTextError, match=reason):
        text_kind(body, declared, f"https://example.org{url}", "")
