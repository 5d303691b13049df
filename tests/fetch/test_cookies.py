"""Cookies go where they are for, and which domains are public is known without asking anybody."""

import socket
from pathlib import Path
from typing import Any

import pytest
from scrapy import Request
from scrapy.downloadermiddlewares import cookies
from scrapy.utils.test import get_crawler

from audiocrawler.fetch.accounts import LocalListCookiesMiddleware


def test_no_server_is_asked_which_domains_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **_: asked.append(args))
    assert issubclass(LocalListCookiesMiddleware, cookies.CookiesMiddleware)
    public = {name: cookies._is_public_domain(name) for name in ("co.uk", "github.io", "example.co.uk")}
    assert public == {"co.uk": True, "github.io": True, "example.co.uk": False}
    assert asked == []


FILE = """e.test\tFALSE\t/\tFALSE\t0\town\t1
.e.test\tTRUE\t/\tFALSE\t0\twide\t2
e.test\tFALSE\t/members\tFALSE\t0\tdeep\t3
e.test\tFALSE\t/\tTRUE\t0\tsafe\t4
127.0.0.1\tFALSE\t/\tFALSE\t0\tnumber\t5
nas\tFALSE\t/\tFALSE\t0\tlan\t6
"""


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("http://e.test/", {"own", "wide"}),
        ("https://e.test:8443/", {"own", "wide", "safe"}),
        ("http://e.test/members/a.mp3", {"own", "wide", "deep"}),
        ("http://e.test/membership", {"own", "wide"}),
        ("https://www.e.test/members/", {"wide"}),
        ("http://xe.test/", set()),
        ("http://127.0.0.1:8000/", {"number"}),
        ("http://127.0.0.10/", set()),
        ("http://nas/", {"lan"}),
    ],
)
def test_cookies_of_a_file_go_where_domain_path_and_secure_say(url: str, names: set[str], tmp_path: Path) -> None:
    (tmp_path / "cookies.txt").write_text(FILE, encoding="utf-8")
    crawler = get_crawler(settings_dict={"AUDIO_COOKIES": str(tmp_path / "cookies.txt")})
    middleware = LocalListCookiesMiddleware.from_crawler(crawler)
    metas: tuple[dict[str, Any], ...] = ({}, {"cookiejar": 2})
    for meta in metas:
        request = Request(url, meta=meta)
        middleware.process_request(request)
        sent = (request.headers.get("Cookie") or b"").decode().split("; ")
        assert {pair.partition("=")[0] for pair in sent if pair} == names
