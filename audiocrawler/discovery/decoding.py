"""Decode the body of a response: what its bytes show outweighs the declared encoding."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from gzip import BadGzipFile, GzipFile
from io import BytesIO
from zlib import error as zlib_error

from scrapy.http import Response, TextResponse
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding, read_bom

MAX_BYTES = 64 * 2**20
"""Longer bodies are cut after they are unpacked; DOWNLOAD_MAXSIZE bounds them before."""
_HEAD = 4096
_BLOCK = 2**20
_GZIP = b"\x1f\x8b\x08"
_LEAST_SHARE = 0.25
"""Share of the high bytes that are zero even in a page whose text is not Latin, because its markup is."""
_MOST_SHARE = 0.02
_LANES = {  # the bytes of each group of four that are zero in Latin text
    "utf-32-le": (1, 2, 3),
    "utf-32-be": (0, 1, 2),
    "utf-16-le": (1, 3),
    "utf-16-be": (0, 2),
}
_CONTROLS = frozenset(map(chr, range(32))) - set("\t\n\f\r")


@dataclass(frozen=True, slots=True)
class Body:
    """An unpacked body and its encoding, None if it is binary."""

    content: bytes
    encoding: str | None
    left_out: str | None = None
    """What of it could not be unpacked, in words."""

    def blocks(self) -> Iterator[str]:
        """Yield the decoded text in blocks; invalid bytes are replaced."""
        if self.encoding is None:
            return
        decoder = codecs.getincrementaldecoder(self.encoding)(errors="replace")
        for start in range(0, len(self.content), _BLOCK):
            yield decoder.decode(self.content[start : start + _BLOCK])
        yield decoder.decode(b"", final=True)


def body_of(response: Response) -> Body:
    """Return the body; sitemaps and feeds are also served as gzip files, without Content-Encoding."""
    content, left_out = response.body, None
    if content.startswith(_GZIP):
        content, left_out = _unpacked(content)
    return Body(content, _encoding_of(content, response), left_out)


def text_of_body(response: Response, body: Body) -> str:
    """Return the whole text, decoded as browsers do unless its bytes show UTF-16 or UTF-32."""
    if body.encoding is None:
        return ""
    if is_wide(body.encoding) or body.encoding == _REFUTED:
        return "".join(body.blocks())
    if body.content is response.body and isinstance(response, TextResponse):
        return response.text
    return TextResponse(response.url, headers=response.headers, body=body.content).text


def is_wide(encoding: str) -> bool:
    """Return whether characters take at least two bytes in this encoding."""
    return encoding.startswith(("utf-16", "utf-32"))


_REFUTED = "utf_8"
"""UTF-8 instead of a declared encoding that the bytes refute."""


def _encoding_of(content: bytes, response: Response) -> str | None:
    head = content[:_HEAD]
    if wide := _by_bom(head) or _by_zeros(head):
        return wide
    declared = _declared(head, response)
    if declared and is_wide(declared) and b"\0" not in head:
        return _REFUTED
    if declared is None and b"\0" in head[:1024] and not isinstance(response, TextResponse):
        return None
    return declared or _guessed(content)


def _by_bom(head: bytes) -> str | None:
    encoding, bom = read_bom(head)
    return str(encoding) if encoding and bom and is_wide(encoding) else None


def _by_zeros(head: bytes) -> str | None:
    """Return the encoding in which the zero bytes of the head are halves of characters."""
    whole = head[: len(head) // 4 * 4]
    if b"\0" not in whole:
        return None
    shares = [whole[lane::4].count(0) * 4 / len(whole) for lane in range(4)]
    for encoding, lanes in _LANES.items():
        is_zero = all(shares[lane] >= _LEAST_SHARE for lane in lanes)
        if is_zero and all(shares[lane] <= _MOST_SHARE for lane in {0, 1, 2, 3} - {*lanes}):
            return encoding if _is_text(whole, encoding) else None
    return None


def _is_text(head: bytes, encoding: str) -> bool:
    try:
        return _CONTROLS.isdisjoint(codecs.getincrementaldecoder(encoding)().decode(head))
    except UnicodeDecodeError:
        return False


def _declared(head: bytes, response: Response) -> str | None:
    content_type = (response.headers.get("Content-Type") or b"").decode("latin-1")
    encoding = http_content_type_encoding(content_type) or html_body_declared_encoding(head)
    return f"{encoding}-be" if encoding in {"utf-16", "utf-32"} else encoding


def _guessed(content: bytes) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(content), _BLOCK):
            decoder.decode(content[start : start + _BLOCK])
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _unpacked(content: bytes) -> tuple[bytes, str | None]:
    """Return the content of a gzip file as far as it is readable, and what is not, in words."""
    unpacked, left_out = BytesIO(), None
    with GzipFile(fileobj=BytesIO(content)) as file:
        try:
            while (room := MAX_BYTES - unpacked.tell()) and (block := file.read1(min(room, _BLOCK))):
                unpacked.write(block)
            if not room and file.read1(1):
                left_out = f"all after the first {MAX_BYTES >> 20} MiB of the unpacked file"
        except BadGzipFile:  # what follows the last member: padding, mostly
            left_out = None if unpacked.tell() else "all of the damaged gzip file"
        except (EOFError, zlib_error):
            left_out = "the end of the damaged gzip file"
    return unpacked.getvalue(), left_out
