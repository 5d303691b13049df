"""A body is judged by its first bytes however they come: piece by piece, encoded, or decoded already."""

import gzip
import zlib

import pytest
from scrapy.http import Headers

from audiocrawler.fetch.first_bytes import MAX_HEAD_BYTES, FirstBytes, judge
from audiocrawler.sniff import HEAD_BYTES

TAG = b"ID3\x04\x00\x00\x00\x00\x7f\x7f" + bytes(20_000)
PAGE = b"<html><head>" + b" " * 20_000
RAW_DEFLATE = zlib.compressobj(wbits=-15)


def fed(body: bytes, piece_bytes: int, **headers: str) -> FirstBytes:
    first = FirstBytes(Headers({name.replace("_", "-"): value for name, value in headers.items()}))
    for start in range(0, len(body), piece_bytes):
        first.add(body[start : start + piece_bytes])
    return first


@pytest.mark.parametrize("piece_bytes", [1, 7, HEAD_BYTES - 1, HEAD_BYTES, 100_000])
def test_the_size_of_the_pieces_does_not_matter(piece_bytes: int) -> None:
    audio = fed(TAG, piece_bytes, Content_Type="text/html")
    assert audio.judgement is not None
    assert (audio.judgement.may_be_audio, audio.head) == (True, b"")
    page = fed(PAGE, piece_bytes, Content_Type="audio/mpeg")
    assert page.judgement is not None
    assert (page.judgement.may_be_audio, page.judgement.is_document) == (False, True)
    assert page.is_complete
    assert len(page.head) == MAX_HEAD_BYTES


def test_nothing_is_judged_before_there_is_enough_or_all_of_it() -> None:
    assert fed(TAG[: HEAD_BYTES - 1], 100).judgement is None
    assert fed(b"Gone", 1, Content_Length="4").is_complete
    assert not fed(b"Gon", 1, Content_Length="4").is_complete


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(PAGE)),
        ("x-gzip", gzip.compress(PAGE)),
        ("deflate", zlib.compress(PAGE)),
        ("deflate", RAW_DEFLATE.compress(PAGE) + RAW_DEFLATE.flush()),
        ("gzip", PAGE),
        ("br", PAGE),
    ],
    ids=["gzip", "x-gzip", "zlib", "raw-deflate", "gzip-decoded", "br-decoded"],
)
def test_encoded_pages_are_known_whether_decoded_already_or_not(encoding: str, body: bytes) -> None:
    first = fed(body, 1000, Content_Encoding=encoding, Content_Type="audio/mpeg")
    assert (first.judgement or first.end()).is_document


def test_the_type_decides_only_where_the_bytes_are_unknown() -> None:
    unknown = b"\x01\x02" * 3000
    assert not judge(unknown, Headers({"Content-Type": "text/html"})).may_be_audio
    assert judge(unknown, Headers({"Content-Type": "audio/mpeg"})).is_audio_instead_of_page
    assert judge(unknown, Headers()).may_be_audio
    assert not judge(unknown, Headers()).is_audio_instead_of_page
    assert judge(b"\r\n" + TAG[:100], Headers({"Content-Type": "text/html"})).is_audio_instead_of_page
