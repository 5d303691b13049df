"""Validators come back as they were sent, byte for byte."""

import pytest
from scrapy.http import Headers

from audiocrawler.fetch.headers import KnownFile, conditional_headers, header_bytes, header_text, proves_same
from audiocrawler.model.text import storable

TAGS = [
    b'"one"',
    b'W/"one"',
    '"möwe"'.encode(),
    b'"m\xf6we"',
    b'"\x9b\x85"',
    b'"\xed\xa0\x80"',
    '"a\u2028b"'.encode(),
    rb'"back\slash"',
    rb'"\x41"',
    rb'"\x0d\x0a"',
    b'"\xff' + bytes(range(0x20, 0x7F)) + b'"',
]


@pytest.mark.parametrize("tag", TAGS)
def test_a_validator_goes_through_a_row_unchanged(tag: bytes) -> None:
    text = header_text(tag)
    assert storable(text) == text
    assert header_bytes(text) == tag
    known = KnownFile("stored", etag=text)
    assert Headers(conditional_headers(known.etag, known.last_modified))["If-None-Match"] == tag
    assert proves_same(Headers({"ETag": tag}), KnownFile("stored", etag=text, size_bytes=1)) is not tag.startswith(
        b"W/"
    )


def test_validators_that_can_be_read_stay_readable() -> None:
    assert header_text('"möwe"'.encode()) == '"möwe"'
    assert header_text(b'"m\xf6we"') == r'"m\xf6we"'


def test_a_row_that_was_written_otherwise_breaks_no_header() -> None:
    assert header_bytes(r"a\x0d\x0ab") == rb"a\x0d\x0ab"
