"""Encodings of bodies, fed in portions of any size."""

import gzip
import random
import sys
import zlib

import brotli
import pytest

from audiocrawler.fetch.encodings import CHUNK_BYTES, Decoding
from audiocrawler.model.errors import EncodingError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = b"ID3\x03\0\0\0\0\0\0" + random.Random(1).randbytes(12_000)
RAW = zlib.compressobj(wbits=-15)
BARE = RAW.compress(BODY) + RAW.flush()
ENCODED = {
    "gzip": gzip.compress(BODY),
    "x-gzip": gzip.compress(BODY[:5000]) + gzip.compress(BODY[5000:]),
    "GZIP": gzip.compress(BODY) + bytes(50),
    "br": brotli.compress(BODY),
    "zstd": zstd.compress(BODY),
    "ZSTD": zstd.compress(BODY[:5000]) + zstd.compress(BODY[5000:]),
    "deflate": BARE,
    "Deflate": zlib.compress(BODY),
    "gzip, br": brotli.compress(gzip.compress(BODY)),
    "aws-chunked, gzip": gzip.compress(BODY),
}


def decoded(encoding: str, data: bytes, portion_bytes: int) -> tuple[bytes, Decoding]:
    decoding = Decoding(encoding)
    portions = [data[at : at + portion_bytes] for at in range(0, len(data), portion_bytes)]
    pieces = [piece for portion in portions for piece in decoding.feed(portion)]
    return b"".join([*pieces, *decoding.finish()]), decoding


@pytest.mark.parametrize("portion_bytes", [1, 7, 4096, 1 << 20])
@pytest.mark.parametrize("encoding", ENCODED)
def test_an_encoding_is_undone_whatever_the_portions(encoding: str, portion_bytes: int) -> None:
    body, decoding = decoded(encoding, ENCODED[encoding], portion_bytes)
    assert body == BODY
    assert decoding.is_whole


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "br", "zstd", "ZSTD", "deflate", "Deflate", "gzip, br"])
def test_a_stream_that_lacks_its_end_is_not_whole(encoding: str) -> None:
    assert not decoded(encoding, ENCODED[encoding][:-3], 4096)[1].is_whole


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "aws-chunked", "binary", "utf-8", "identity"])
def test_what_is_not_encoded_stays_as_it_is(encoding: str) -> None:
    body, decoding = decoded(encoding, BODY, 100)
    assert body == BODY
    assert not decoding.is_encoded


def test_a_body_shorter_than_what_an_encoding_is_told_by_comes_too() -> None:
    assert decoded("gzip", gzip.compress(b"short"), 5)[0] == b"short"
    assert decoded("br", b"", 5)[0] == b""


@pytest.mark.parametrize("encode", [gzip.compress, brotli.compress, zstd.compress])
def test_a_bomb_comes_in_pieces_of_bounded_size(encode: object) -> None:
    assert callable(encode)
    encoding = {"gzip": "gzip", "brotli": "br"}.get(encode.__module__.lstrip("_"), "zstd")
    decoding = Decoding(encoding)
    pieces = [len(piece) for piece in (*decoding.feed(encode(bytes(20_000_000))), *decoding.finish())]
    assert sum(pieces) == 20_000_000
    assert max(pieces) <= 2 * CHUNK_BYTES


@pytest.mark.parametrize("encoding", ["compress", "gzip, xz"])
def test_an_encoding_that_is_not_read_is_refused(encoding: str) -> None:
    with pytest.raises(EncodingError, match="is not supported"):
        Decoding(encoding)


def test_damage_is_told() -> None:
    damaged = bytearray(ENCODED["gzip"])
    damaged[6000:6100] = bytes(100)
    with pytest.raises(EncodingError, match="damaged"):
        decoded("gzip", bytes(damaged), 4096)
