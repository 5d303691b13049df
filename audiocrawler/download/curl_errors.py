"""What libcurl reports of a failed exchange in; Scrapy's error for it, with a reason that a person can act on, out."""

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

from audiocrawler.download.connect import Connecting, RefusedAddressError

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


class TlsError(DownloadFailedError):
    """Raised when no TLS connection comes about; the message says why."""


class UntrustedIssuerError(TlsError):
    """Raised when no chain of certificates leads to a trusted authority, for whatever reason."""


def failure_of(error: pycurl.error, request: Request, connecting: Connecting, *, has_answered: bool) -> Exception:
    """Return the error to raise in place of libcurl's."""
    code, message = int(error.args[0]), str(error.args[1]) if len(error.args) > 1 else ""
    if connecting.refusal is not None and code == pycurl.E_COULDNT_CONNECT:
        return RefusedAddressError(connecting.refusal)
    if code in _CUT_SHORT and has_answered:
        return ResponseDataLossError(f"the transfer broke off: {message}")
    if connecting.proxy_shown and (failure := _of_proxy(code, message, connecting.proxy_shown)):
        return failure
    return _of_server(code, message, request)


def _of_proxy(code: int, message: str, proxy: str) -> Exception | None:
    if code == pycurl.E_COULDNT_RESOLVE_PROXY:
        return DownloadFailedError(f"proxy {proxy}: unknown host")
    if code == pycurl.E_COULDNT_CONNECT:
        return DownloadFailedError(f"proxy {proxy}: {_plain(message)}")
    is_refused = "CONNECT tunnel failed" in message or code == _PROXY_ERROR
    return DownloadFailedError(f"proxy {proxy}: {_plain(message)}") if is_refused else None


def _of_server(code: int, message: str, request: Request) -> Exception:
    if code == pycurl.E_UNSUPPORTED_PROTOCOL and "HTTP/0.9" not in message:
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


_NOT_HTTP = "the answer is not HTTP/1: the server may speak HTTP/2 only, or another protocol"
_KNOWN: dict[int, tuple[type[Exception], str]] = {
    pycurl.E_COULDNT_RESOLVE_HOST: (CannotResolveHostError, ""),
    pycurl.E_COULDNT_CONNECT: (DownloadConnectionRefusedError, ""),
    pycurl.E_OPERATION_TIMEDOUT: (DownloadTimeoutError, "timed out"),
    pycurl.E_PEER_FAILED_VERIFICATION: (TlsError, ""),
    pycurl.E_SSL_CONNECT_ERROR: (TlsError, ""),
    pycurl.E_UNSUPPORTED_PROTOCOL: (DownloadFailedError, _NOT_HTTP),
    pycurl.E_FTP_WEIRD_SERVER_REPLY: (DownloadFailedError, _NOT_HTTP),
    _TOO_LARGE: (DownloadFailedError, "a response header is longer than 100 kB"),
    pycurl.E_GOT_NOTHING: (DownloadFailedError, "the connection was closed without an answer"),
    pycurl.E_RECV_ERROR: (DownloadFailedError, "the connection was reset before an answer came"),
    pycurl.E_SEND_ERROR: (DownloadFailedError, "the connection was reset before the request was sent"),
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
