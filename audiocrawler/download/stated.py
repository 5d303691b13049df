"""The headers of an answer in; what they state of the whole file, its size and its digests, out.

RFC 9530 (Repr-Digest, Content-Digest), RFC 3230 (Digest), RFC 1864 (Content-MD5), and what Cloud Storage and S3 add. An
ETag is no digest, whatever it looks like.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64Error
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from scrapy.http import Headers

SIZES = {"sha256": 32, "sha512": 64, "sha1": 20, "md5": 16, "crc32c": 4}
"""Algorithm, the best for the purpose first -> bytes of its digest."""
_NAMES = {"sha-256": "sha256", "sha-512": "sha512", "sha": "sha1", "sha-1": "sha1", "md5": "md5", "crc32c": "crc32c"}
_DICTIONARY = re.compile(r"([a-z0-9-]+)=:([A-Za-z0-9+/=]*):")
"""A member of a structured field whose value is a byte sequence (RFC 9651, section 3.3.5)."""
_INSTANCE = re.compile(r"([A-Za-z0-9-]+)\s*=\s*([A-Za-z0-9+/=]+)")
_CONTENT_RANGE = re.compile(r"bytes\s+\d+-\d+/(\d+)\s*", re.IGNORECASE)


@dataclass(slots=True)
class Stated:
    """What a server states of a file: its size in bytes, and its digests by algorithm."""

    size_bytes: int | None = None
    digests: dict[str, bytes] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Return whether nothing is stated."""
        return self.size_bytes is None and not self.digests


def stated_in(status: int, headers: Headers) -> Stated:
    """Return what the answer states of the file as it is without an encoding of its transfer."""
    if is_encoded(headers) or status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
        return Stated()
    is_whole = status == HTTPStatus.OK
    found = [*_members("Repr-Digest", headers), *_instances(headers), *_of_clouds(headers)]
    if is_whole:  # of a part these two speak of the part
        found += [*_members("Content-Digest", headers), ("md5", _text(headers, "Content-MD5"))]
    digests: dict[str, bytes] = {}
    for name, value in found:
        digest = _decoded(name, value)
        if digest is not None:
            digests.setdefault(name, digest)
    return Stated(_length(headers) if is_whole else _total(headers), digests)


def is_encoded(headers: Headers) -> bool:
    """Return whether length and digests are those of an encoding of the file."""
    return _text(headers, "Content-Encoding").strip().lower() not in {"", "identity"}


def _length(headers: Headers) -> int | None:
    value = _text(headers, "Content-Length").strip()
    return int(value) if re.fullmatch(r"\d{1,18}", value) and "Transfer-Encoding" not in headers else None


def _total(headers: Headers) -> int | None:
    found = _CONTENT_RANGE.fullmatch(_text(headers, "Content-Range").strip())
    return int(found[1]) if found else None


def _members(header: str, headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in _DICTIONARY.findall(_text(headers, header)):
        yield _NAMES.get(name, ""), value


def _instances(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in _INSTANCE.findall(_text(headers, "Digest")):
        yield _NAMES.get(name.lower(), ""), value


def _of_clouds(headers: Headers) -> Iterator[tuple[str, str]]:
    if _text(headers, "x-goog-stored-content-encoding") in {"", "identity"}:
        yield from _INSTANCE.findall(_text(headers, "x-goog-hash"))
    for name in ("sha256", "sha1", "crc32c"):
        yield name, _text(headers, f"x-amz-checksum-{name}")  # that of parts ends with their number, and is no digest


def _decoded(name: str, value: str) -> bytes | None:
    """Return the digest that is written in Base64, or in hex as some do; None if it is none of this algorithm."""
    size_bytes = SIZES.get(name, 0)
    if size_bytes and re.fullmatch(rf"[0-9A-Fa-f]{{{2 * size_bytes}}}", value):
        return bytes.fromhex(value)
    try:
        digest = b64decode(value, validate=True)
    except (NotBase64Error, ValueError):
        return None
    return digest if size_bytes and len(digest) == size_bytes else None


def _text(headers: Headers, name: str) -> str:
    return b", ".join(headers.getlist(name)).decode("latin-1")
