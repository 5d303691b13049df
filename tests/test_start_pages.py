"""What stands between a start and its site: a move to another host, a cookie, a form."""

from pathlib import Path

import pytest
from scrapy.http import HtmlResponse

from audiocrawler.discovery import read
from audiocrawler.spiders.walls import wall_in
from tests.crawling import crawl
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

CONSENT = "<p>We use cookies.</p><form action=/consent method=post><button>Accept</button></form>"
LOGIN = '<form method="POST"><input name=user><input type="password" name=word></form>'


def test_a_start_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        there = server.at("127.0.0.2")
        pages = {
            "/home": '<a href="/episode">1</a>',
            "/episode": '<a href="/there.wav">x</a>',
            "/mapped": '<a href="/mapped.wav">x</a>',
            "/consent": CONSENT,
            "/login": LOGIN,
        }
        if path in {"/cookie", "/linked"} and "seen=1" not in wire.headers.get("cookie", ""):
            wire.body("", f"Location: {path}", "Set-Cookie: seen=1; Path=/", status="302 Found")
        elif path == "/cookie":
            wire.body('<a href="/cookie.wav">x</a><a href="/linked">y</a>')
        elif path == "/linked":
            wire.body('<a href="/linked.wav">x</a>')
        elif path == "/old":
            wire.body("", f"Location: {there}/home", status="301 Moved Permanently")
        elif path == "/robots.txt" and wire.headers["host"].startswith("127.0.0.2"):
            wire.body(f"Sitemap: {there}/map.txt", kind="text/plain")
        elif path == "/map.txt":
            wire.body(f"{there}/mapped\n", kind="text/plain")
        elif path.endswith(".wav"):
            wire.body(tone_wav(ord(path[1]) - 90), kind="audio/wav")
        else:
            wire.body(pages.get(path, ""), status="200 OK" if path in pages else "404 Not Found")

    with strange(answer) as server:
        starts = ("/old", "/cookie", "/consent", "/login")
        (tmp_path / "starts").write_text("\n".join(server.url + path for path in starts), encoding="utf-8")
        run = crawl(tmp_path, "urls=starts", "depth=1", "render=never")
        rows = {url.rpartition("/")[2]: row for url, row in run.sources.items()}
    files = ("there.wav", "mapped.wav", "cookie.wav", "linked.wav")
    assert [rows[name]["status"] for name in files] == ["stored"] * len(files)
    assert rows["there.wav"]["site"] == "127.0.0.1"
    assert "redirects to" in run.log
    assert [(rows[name]["kind"], rows[name]["status"]) for name in ("consent", "login")] == [("page", "failed")] * 2
    assert "a consent form stands before the page" in run.stdout
    assert "a login form stands before the page" in run.stdout


def wall(body: str) -> str | None:
    return wall_in(read(HtmlResponse("https://site.example/", body=body.encode())))


@pytest.mark.parametrize(
    "body",
    [
        f"{CONSENT}<p>{'A long text about the sea. ' * 200}</p>",
        f"{LOGIN}{'<a href=/x>x</a>' * 20}",
        '<form action="/search"><input name=q></form> We use cookies',
        '<form method=post action="/newsletter"><input name=mail></form>',
        "<p>We use cookies</p>",
    ],
)
def test_pages_that_can_be_read_are_no_walls(body: str) -> None:
    assert wall(body) is None
