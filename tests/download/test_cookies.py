"""Which domains are public is known without asking anybody."""

import socket

import pytest
from scrapy.downloadermiddlewares import cookies

from audiocrawler.download.cookies import LocalListCookiesMiddleware


def test_no_server_is_asked_which_domains_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args))
    assert issubclass(LocalListCookiesMiddleware, cookies.CookiesMiddleware)
    public = {name: cookies._is_public_domain(name) for name in ("co.uk", "github.io", "example.co.uk")}
    assert public == {"co.uk": True, "github.io": True, "example.co.uk": False}
    assert asked == []
