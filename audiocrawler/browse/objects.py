"""Objects over HTTP: found by their hash, served with ranges, and never run as a page."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Any

from audiocrawler.model.errors import StoreError
from audiocrawler.storage import Store
from audiocrawler.storage.store import content_disposition, key_in

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PIECE_BYTES = 1 << 18
POLICY = (
    "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-same-origin"
)
"""What a browser may do with an object that is opened as a page: play it, and run nothing.

It asks for it again to play it, which an origin of its own would not be given.
"""
_SOUND = re.compile(r"(?:audio|video)/[\w.+-]+|application/ogg")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says of an object."""

    gcp_url: str
    content_type: str | None
    file_name: str


Find = Callable[[str], Awaitable[Found | None]]


class UnsatisfiableError(Exception):
    """No byte of the object is in the range."""


def range_of(header: str | None, size_bytes: int) -> range | None:
    """Return the bytes that a Range header asks for, None for all of them (RFC 9110, section 14).

    Several ranges, and what is no range of bytes, are ignored. Raises UnsatisfiableError.
    """
    found = _RANGE.fullmatch((header or "").strip())
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        asked = range(max(0, size_bytes - int(last)), size_bytes)
    else:
        asked = range(int(first), min(int(last), size_bytes - 1) + 1 if last else size_bytes)
        if last and int(last) < int(first):
            return None
    if not asked:
        raise UnsatisfiableError
    return asked


class Objects:
    """Answers requests for objects with what ``find`` knows of a hash and the ``store`` has under it."""

    def __init__(self, store: Store | None, find: Find) -> None:
        self._store, self._find = store, find

    async def respond(self, scope: Scope, receive: Receive, send: Send, sha256: str) -> None:
        """Send the object with this hash, or why there is none."""
        found = await self._find(sha256)
        url = self._url(found, sha256)
        try:
            if found is None or url is None or self._store is None or not await self._is_there(url):
                await refuse(send, HTTPStatus.NOT_FOUND, f"{sha256}: not found in the store")
                return
            file = await asyncio.to_thread(self._store.open_object, url)
        except StoreError as error:
            await refuse(send, HTTPStatus.BAD_GATEWAY, str(error))
            return
        with file:
            await _send_object(scope, receive, send, file, _headers(found, sha256))

    def _url(self, found: Found | None, sha256: str) -> str | None:
        """Return where the store has the object: a row that names any other place has none."""
        key = key_in(found.gcp_url) if found else None
        return self._store.url_of(key) if self._store and key and f"/{sha256}." in key else None

    async def _is_there(self, url: str) -> bool:
        return self._store is not None and await asyncio.to_thread(self._store.exists, url, None)


def _headers(found: Found, sha256: str) -> dict[str, str]:
    is_sound = found.content_type and _SOUND.fullmatch(found.content_type)
    return {
        "content-type": str(found.content_type) if is_sound else "application/octet-stream",
        "content-disposition": content_disposition(found.file_name),
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "etag": f'"{sha256}"',
    }


async def _send_object(scope: Scope, receive: Receive, send: Send, file: IO[bytes], headers: dict[str, str]) -> None:
    size_bytes = await asyncio.to_thread(file.seek, 0, os.SEEK_END)
    asked = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    is_same = asked.get(b"if-range", headers["etag"]) == headers["etag"]
    try:
        part = range_of(asked.get(b"range") if is_same else None, size_bytes)
    except UnsatisfiableError:
        headers["content-range"] = f"bytes */{size_bytes}"
        await refuse(send, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"the object has {size_bytes} bytes", headers)
        return
    body = range(size_bytes) if part is None else part
    headers["content-length"] = str(len(body))
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{size_bytes}"
    await _start(send, HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT, headers)
    if scope["method"] == "HEAD" or not body:
        await send({"type": "http.response.body"})
        return
    await _send_bytes(receive, send, file, body)


async def _send_bytes(receive: Receive, send: Send, file: IO[bytes], body: range) -> None:
    """Send these bytes until the reader has gone, which one who seeks does with each click."""
    gone = asyncio.create_task(_disconnected(receive))
    at = await asyncio.to_thread(file.seek, body.start)
    try:
        while at < body.stop and not gone.done():
            piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, body.stop - at))
            at += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": bool(piece) and at < body.stop})
            if not piece:
                return
    except StoreError:
        return  # the server closes a connection whose response has not come to its end
    finally:
        gone.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    pairs = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": int(status), "headers": pairs})


async def refuse(send: Send, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
    """Send a status with what is wrong, as text."""
    body = f"{words}\n".encode()
    plain = {"content-type": "text/plain; charset=utf-8", "content-length": str(len(body))}
    await _start(send, status, {**(headers or {}), **plain})
    await send({"type": "http.response.body", "body": body})
