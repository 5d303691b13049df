"""Run single HTTP exchanges with libcurl, and map its errors to Scrapy's exceptions."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import pycurl
from scrapy import Request
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
    UnsupportedURLSchemeError,
)
from scrapy.http import Headers

from audiocrawler.fetch.connect import Connecting, RefusedAddressError
from audiocrawler.model.errors import OutcomeError

_PROXY_ERROR, _TOO_LARGE = 97, 100
"""CURLE_PROXY and CURLE_TOO_LARGE, which pycurl gives no names."""
_CUT_SHORT = frozenset(
    {
        pycurl.E_PARTIAL_FILE,
        pycurl.E_RECV_ERROR,
        pycurl.E_GOT_NOTHING,
        pycurl.E_HTTP2,
    }
)
_UNTRUSTED = "the certificate's issuer is not trusted"
MISSING_INTERMEDIATE = f"{_UNTRUSTED}, and the server sends no intermediate certificate"
_TLS_REASONS = {
    "has expired": "the certificate has expired",
    "not yet valid": "the certificate is not valid yet",
    "self-signed certificate in certificate chain": f"{_UNTRUSTED}: its root is self-signed",
    "self signed certificate in certificate chain": f"{_UNTRUSTED}: its root is self-signed",
    "self-signed": "the certificate is self-signed",
    "self signed": "the certificate is self-signed",
    "local issuer": _UNTRUSTED,
    "first certificate": _UNTRUSTED,
    "subject name": "the certificate is for another host name",
    "revoked": "the certificate was revoked",
}


class TlsError(OutcomeError, DownloadFailedError):
    """Raised when the TLS handshake fails; the message says why."""


class UntrustedIssuerError(TlsError):
    """Raised when the certificate chain does not lead to a trusted authority."""


def failure_of(error: pycurl.error, request: Request, connecting: Connecting, *, has_answered: bool) -> Exception:
    """Return the exception to raise instead of libcurl's error."""
    code, message = int(error.args[0]), str(error.args[1]) if len(error.args) > 1 else ""
    if connecting.refusal is not None and code == pycurl.E_COULDNT_CONNECT:
        return RefusedAddressError(connecting.refusal)
    if code in _CUT_SHORT and has_answered:
        return ResponseDataLossError(f"transfer aborted: {message}")
    if connecting.proxy_shown and (failure := _of_proxy(code, message, connecting.proxy_shown)):
        return failure
    return _of_server(code, message, request)


def is_length_invalid(error: pycurl.error) -> bool:
    """Return whether libcurl failed because of an invalid Content-Length."""
    return error.args[0] == pycurl.E_FTP_WEIRD_SERVER_REPLY and "Content-Length" in str(error.args[1])


def _of_proxy(code: int, message: str, proxy: str) -> Exception | None:
    if code == pycurl.E_COULDNT_RESOLVE_PROXY:
        return DownloadFailedError(f"proxy {proxy}: unknown host")
    if code == pycurl.E_COULDNT_CONNECT:
        return DownloadFailedError(f"proxy {proxy}: {_plain(message)}")
    is_refused = "CONNECT tunnel failed" in message or code == _PROXY_ERROR
    return DownloadFailedError(f"proxy {proxy}: {_plain(message)}") if is_refused else None


def _of_server(code: int, message: str, request: Request) -> Exception:
    if code == pycurl.E_UNSUPPORTED_PROTOCOL and "HTTP/" not in message:
        return UnsupportedURLSchemeError("only http and https can be fetched")
    kind, reason = _KNOWN.get(code, (DownloadFailedError, ""))
    if code == pycurl.E_COULDNT_RESOLVE_HOST:
        reason = f"unknown host {urlsplit(request.url).hostname}"
    if code == pycurl.E_COULDNT_CONNECT:
        reason = _connect_reason(message)
    if kind is TlsError:
        reason = f"TLS: {_tls_reason(message)}"
        kind = UntrustedIssuerError if reason.endswith(_UNTRUSTED) else TlsError
    return kind(reason or _plain(message) or f"libcurl error {code}")


_NOT_HTTP = "not an HTTP/1 response: the server may speak only HTTP/2, or another protocol"
_KNOWN: dict[int, tuple[type[Exception], str]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: (CannotResolveHostError, ""),
    pycurl.E_COULDNT_CONNECT: (DownloadConnectionRefusedError, ""),
    pycurl.E_OPERATION_TIMEDOUT: (DownloadTimeoutError, "timed out"),
    pycurl.E_PEER_FAILED_VERIFICATION: (TlsError, ""),
    pycurl.E_SSL_CONNECT_ERROR: (TlsError, ""),
    pycurl.E_UNSUPPORTED_PROTOCOL: (DownloadFailedError, _NOT_HTTP),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: (DownloadFailedError, ""),
    _TOO_LARGE: (DownloadFailedError, "a response header is longer than 100 kB"),
    pycurl.E_GOT_NOTHING: (DownloadFailedError, "connection closed without a response"),
    pycurl.E_RECV_ERROR: (DownloadFailedError, "connection reset before the response"),
    pycurl.E_SEND_ERROR: (DownloadFailedError, "connection reset while sending the request"),
}


def _connect_reason(message: str) -> str:
    lowered = message.lower()
    if "refused" in lowered or "could not connect" in lowered or "couldn't connect" in lowered:
        return "connection refused"
    return _plain(message)


def _tls_reason(message: str) -> str:
    lowered = message.lower()
    return next((reason for sign, reason in _TLS_REASONS.items() if sign in lowered), _plain(message))


def _plain(message: str) -> str:
    """Return libcurl's message without its full stop."""
    return message.strip().rstrip(".")


MAX_HEADER_BYTES = 256 * 1024
"""Limit for all response header lines together, as in browsers."""
MAX_HEADER_LINES = 4000
MAX_LENGTH_BYTES = 2**63 - 1
"""A larger Content-Length is an overflow or a -1; libcurl rejects it, too."""
TOO_MUCH_HEADER = f"the response headers are longer than {MAX_HEADER_BYTES} bytes or {MAX_HEADER_LINES} lines"
IDLE_S = 30
BUFFER_BYTES = 128 * 1024
_STATUS_LINE = re.compile(rb"(?P<protocol>HTTP/[\d.]+|ICY) +(?P<status>\d{3})\b")


class HeadersTooLongError(OutcomeError, DownloadFailedError):
    """Raised when the response headers exceed the limits."""


@dataclass(slots=True)
class Head:
    """Status and headers of a response."""

    status: int
    protocol: str
    headers: Headers = field(default_factory=Headers)

    def text(self, name: str) -> str:
        """Return the value of a header, or an empty string."""
        return (self.headers.get(name) or b"").decode("latin-1")

    def all_text(self, name: str) -> str:
        """Return all values of a header, joined by commas (RFC 9110, section 5.3)."""
        return b", ".join(self.headers.getlist(name)).decode("latin-1")

    @property
    def length_bytes(self) -> int | None:
        """Return the Content-Length, None if it is absent, invalid or overridden by chunks (RFC 9112, section 6.3)."""
        value = self.text("Content-Length").strip()
        is_valid = value.isascii() and value.isdigit() and not self.is_chunked
        return int(value) if is_valid and int(value) <= MAX_LENGTH_BYTES else None

    @property
    def is_chunked(self) -> bool:
        """Return whether the body is sent in chunks."""
        return "chunked" in self.all_text("Transfer-Encoding").lower()

    @property
    def is_framed(self) -> bool:
        """Return whether the message itself marks the end of the body, not only the end of the connection."""
        return self.is_chunked or self.length_bytes is not None or self.protocol.startswith(("HTTP/2", "HTTP/3"))


class Receiver(Protocol):
    """Where an exchange delivers its response; an exception raised here ends the exchange, which re-raises it."""

    def begin(self, head: Head) -> None:
        """Receive the head of the final response."""

    def take(self, data: bytes) -> None:
        """Receive the next bytes of the body."""


class Exchange:
    """One request and its response; call ``run`` once. ``head`` is set once the response headers have arrived."""

    def __init__(self, request: Request, receiver: Receiver, connecting: Connecting) -> None:
        self.head: Head | None = None
        self.has_body = False
        self.request = request
        self._receiver = receiver
        self._connecting = connecting
        self._reading: Head | None = None
        self._header_bytes = self._header_lines = 0
        self._ignores_length = False
        self._interruption: BaseException | None = None
        self._transfer: asyncio.Future[pycurl.Curl] | None = None
        self.ip_address: str | None = None

    async def run(self, multi: pycurl.AsyncCurlMulti) -> None:
        """Return at the end of the body; raises what the receiver raised, or a Scrapy download error."""
        await self._connecting.resolve()
        try:
            await self._perform(multi)
        except pycurl.error as error:
            if not is_length_invalid(error):
                raise self._failure(error) from error
            await self._perform_without_length(multi)

    async def _perform_without_length(self, multi: pycurl.AsyncCurlMulti) -> None:
        """Repeat the request, ignoring the invalid Content-Length and reading up to the end of the connection."""
        self._ignores_length, self._reading = True, None
        try:
            await self._perform(multi)
        except pycurl.error as error:
            raise self._failure(error) from error

    async def _perform(self, multi: pycurl.AsyncCurlMulti) -> None:
        if self._interruption is not None:
            raise self._interruption
        curl = pycurl.Curl()
        try:
            self._set_options(curl)
            self._transfer = multi.add_handle(curl)
            await self._transfer
        except (pycurl.error, asyncio.CancelledError):
            if self._interruption is None:
                raise
        finally:
            self.ip_address = _ip_address(curl)
            curl.close()
        if self._interruption is not None:
            raise self._interruption

    def abort(self, error: BaseException) -> None:
        """End the exchange from outside; ``run`` raises the error."""
        if self._interruption is None:
            self._interruption = error
        if self._transfer is not None:
            self._transfer.cancel()

    def _failure(self, error: pycurl.error) -> Exception:
        return failure_of(error, self.request, self._connecting, has_answered=self.head is not None)

    def _set_options(self, curl: pycurl.Curl) -> None:
        for option, value in {**ALWAYS, **_of_request(self.request)}.items():
            curl.setopt(option, value)
        self._connecting.set_options(curl)
        if self._ignores_length:
            curl.setopt(pycurl.IGNORE_CONTENT_LENGTH, 1)
            curl.setopt(pycurl.HTTPHEADER, [*_header_lines(self.request), b"Connection: close"])
        curl.setopt(pycurl.HEADERFUNCTION, self._on_header)
        curl.setopt(pycurl.WRITEFUNCTION, self._on_data)

    def _on_header(self, line: bytes) -> int:
        try:
            self._read_header(line)
        except BaseException as error:  # noqa: BLE001 - libcurl swallows exceptions; run() raises it
            self._interruption = error
            return -1
        return len(line)

    def _read_header(self, line: bytes) -> None:
        if self.head is not None:
            return  # a trailer
        self._header_bytes += len(line)
        self._header_lines += 1
        if self._header_bytes > MAX_HEADER_BYTES or self._header_lines > MAX_HEADER_LINES:
            raise HeadersTooLongError(TOO_MUCH_HEADER)
        stripped = line.rstrip(b"\r\n")
        if self._reading is None or _STATUS_LINE.match(line):
            self._reading = _head_of(stripped)
        elif stripped:
            _add_header(self._reading.headers, stripped)
        elif self._reading.status >= 200:  # 1xx announces another response
            self.head = self._reading
            if self.head.length_bytes is None:
                self.head.headers.pop("Content-Length", None)
            self._receiver.begin(self.head)
        else:
            self._reading = None

    def _on_data(self, data: bytes) -> int:
        self.has_body = True
        try:
            self._receiver.take(data)
        except BaseException as error:  # noqa: BLE001 - as above
            self._interruption = error
            return -1
        return len(data)


_SUPPRESS_CONNECT_HEADERS = 265  # CURLOPT_SUPPRESS_CONNECT_HEADERS, which pycurl gives no name
ALWAYS: dict[int, Any] = {
    pycurl.NOSIGNAL: 1,
    pycurl.PATH_AS_IS: 1,
    pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.HTTP200ALIASES: ["ICY 200 OK"],  # Shoutcast's status line
    pycurl.HTTP_CONTENT_DECODING: 0,
    _SUPPRESS_CONNECT_HEADERS: 1,
    pycurl.HEADEROPT: pycurl.HEADER_SEPARATE,
    pycurl.MAXAGE_CONN: IDLE_S,
    pycurl.BUFFERSIZE: BUFFER_BYTES,
    pycurl.TCP_KEEPALIVE: 1,
}


def _of_request(request: Request) -> dict[int, Any]:
    options: dict[int, Any] = {pycurl.URL: request.url}
    if request.method == "HEAD":
        options[pycurl.NOBODY] = 1
    elif request.body or request.method not in {"GET", "DELETE", "OPTIONS"}:
        options[pycurl.POSTFIELDS] = request.body
    if request.method != "HEAD":
        options[pycurl.CUSTOMREQUEST] = request.method
    options[pycurl.HTTPHEADER] = _header_lines(request)
    return options


def _header_lines(request: Request) -> list[bytes]:
    """Return the request's headers, and suppress those that libcurl adds by default."""
    lines = [
        name + (b": " + value.replace(b"\r", b"").replace(b"\n", b" ") if value else b";")
        for name, values in request.headers.items()
        if name.lower() != b"proxy-authorization"  # for the proxy only: see Connecting
        for value in values
    ]
    return lines + [name + b":" for name in (b"Accept", b"Expect", b"Content-Type") if name not in request.headers]


def _head_of(status_line: bytes) -> Head:
    match = _STATUS_LINE.match(status_line)
    if match is None:
        raise DownloadFailedError(f"not an HTTP status line: {status_line[:60]!r}")
    return Head(int(match["status"]), match["protocol"].decode("ascii"))


def _add_header(headers: Headers, line: bytes) -> None:
    name, colon, value = line.partition(b":")
    if colon and name.strip():
        headers.appendlist(name.strip(), value.strip())


def _ip_address(curl: pycurl.Curl) -> str | None:
    return str(curl.getinfo(pycurl.PRIMARY_IP)) or None
