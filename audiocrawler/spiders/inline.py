"""Take the audio that a document holds as data: URLs (RFC 2397)."""

import re
from base64 import b64decode
from binascii import Error
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import unquote_to_bytes

from scrapy import Request
from scrapy.http import Response

from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery import Candidate, Kind
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.records import Outcome, clean_name, item_of, record_attempt
from audiocrawler.sniff import sniff

_HEAD = re.compile(r"data:([^,;]{0,100})((?:;[^,;]{0,100}){0,8}),", re.IGNORECASE)
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Inline:
    """The bytes of a data: URL, None if they cannot be decoded, and its name: its type and their SHA-256."""

    name: str
    data: bytes | None

    @classmethod
    def of(cls, url: str) -> "Inline":
        """Decode a data: URL. The name is that of all URLs with these bytes and type, and short enough for a row."""
        head = _HEAD.match(url)
        declared = head[1].strip().lower() if head else ""
        data = _decoded(url[head.end() :], is_base64=head[2].lower().endswith(";base64")) if head else None
        digest = sha256(url.encode(errors="replace") if data is None else data).hexdigest()
        kind = declared if _TYPE.fullmatch(declared) else "application/octet-stream"
        return cls(f"data:{kind};sha256={digest}", data)


def _decoded(text: str, *, is_base64: bool) -> bytes | None:
    data = unquote_to_bytes(text)
    if not is_base64:
        return data or None
    try:
        plain = _SPACE.sub("", data.decode("ascii")).replace("-", "+").replace("_", "/").rstrip("=")
        return b64decode(plain + "=" * (-len(plain) % 4), validate=True) or None
    except (UnicodeDecodeError, Error):
        return None


def named(candidates: list[Candidate]) -> tuple[list[Candidate], dict[str, Inline]]:
    """Return the candidates with names in place of data: URLs, and what the names stand for."""
    held: dict[str, Inline] = {}
    kept: list[Candidate] = []
    for each in candidates:
        if each.kind is not Kind.DATA:
            kept.append(each)
        elif (inline := Inline.of(each.url)).name not in held:
            held[inline.name] = inline
            kept.append(replace(each, url=inline.name))
    return kept, held


def why_not(inline: Inline, max_bytes: int) -> Outcome | None:
    """Return why the bytes are not taken, None if they are."""
    if inline.data is None:
        return Outcome(Status.UNDECODABLE, "a data: URL that is empty or cannot be decoded")
    if max_bytes and len(inline.data) > max_bytes:
        return Outcome(Status.TOO_LARGE, f"larger than {max_bytes} bytes")
    return None


async def inline_item(crawl: Crawl, inline: Inline, source: AudioSource) -> AudioItem:
    """Write the bytes to a file, and return the item that carries it through the pipelines."""
    data = inline.data or b""
    path = crawl.incoming.path_for(f"inline-{inline.name.rpartition('=')[2][:32]}")
    await crawl.in_thread(lambda: path.write_bytes(data))
    request = Request(inline.name)
    answer = Response(inline.name, headers={"Content-Type": inline.name[5:].partition(";")[0]}, request=request)
    item = item_of(record_attempt(source, answer, request), answer, str(path))
    source.final_url = source.http_status = None  # nothing was requested
    item.file_name = clean_name(f"{source.title or 'inline'}.{sniff(data).extension}")
    return item
