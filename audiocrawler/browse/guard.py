"""What no request passes: other hosts, other methods, other sites; and what each response tells the browser."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from audiocrawler.browse.objects import Receive, Scope, Send, refuse

App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Under any other name the request comes through DNS rebinding; the port may be that of a tunnel."""
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ADDED = {
    b"content-security-policy": _PAGE_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}


def guarded(app: App) -> App:
    """Return the application behind these checks."""

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = [(bytes(name), bytes(value)) for name, value in message["headers"]]
                known = {name.lower() for name, _ in given}
                more = [(name, value) for name, value in _ADDED.items() if name not in known]
                message = {**message, "headers": [*given, *more]}
            await send(message)

        problem = _problem(scope) if scope["type"] == "http" else None
        if problem:
            await refuse(send_with_headers, *problem)
        elif scope["type"] in {"http", "lifespan"}:
            await app(scope, receive, send_with_headers)

    return inner


def _problem(scope: Scope) -> tuple[HTTPStatus, str] | None:
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if name not in HOSTS:
        return HTTPStatus.MISDIRECTED_REQUEST, "open this page as 127.0.0.1 or localhost"
    if scope["method"] not in {"GET", "HEAD"}:
        return HTTPStatus.METHOD_NOT_ALLOWED, "nothing can be changed here"
    is_foreign = headers.get(b"sec-fetch-site") == "cross-site" and headers.get(b"sec-fetch-mode") != "navigate"
    return (HTTPStatus.FORBIDDEN, "other sites cannot use this one") if is_foreign else None
