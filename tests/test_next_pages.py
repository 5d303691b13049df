"""Pages of a list cost no depth: pagers, buttons that load more, answers of services, sitemaps."""

import json
from pathlib import Path

from tests.crawling import crawl
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

Answer = tuple[str, str, tuple[str, ...]]


def html(*parts: str) -> Answer:
    return "<!doctype html><title>t</title>" + "".join(parts), "text/html", ()


def link(url: str, more: str = "") -> str:
    return f'<p><a {more} href="{url}">{url}</a></p>'


def pager(number: int, last: int) -> Answer:
    following = link(f"/blog/page/{number + 1}/", 'rel="next"') if number < last else ""
    numbers = "".join(link(f"/blog/page/{each}/") for each in range(2, last + 1))
    return html(link(f"/post/{number}"), numbers, following)


def tracks(number: int, last: int) -> Answer:
    following = f"/api/tracks?page={number + 1}" if number < last else None
    body = {"next": following, "results": [{"title": "x", "file": f"/w/api-{number}.wav"}]}
    return json.dumps(body), "application/json", ()


def media(number: int) -> Answer:
    body = [{"source_url": f"/w/wp-{number}.wav", "mime_type": "audio/wav"}]
    return json.dumps(body), "application/json", ("X-WP-TotalPages: 3",)


STARTS = ("/blog/", "/more", "/api/tracks", "/wp-json/media", "/episode/1", "/round?page=1")
PAGES: dict[str, Answer] = {
    "/blog/": pager(1, 4),
    **{f"/blog/page/{number}/": pager(number, 4) for number in (2, 3, 4)},
    **{f"/post/{number}": html(link(f"/w/post-{number}.wav")) for number in (1, 2, 3, 4)},
    "/more": html(link("/w/more-1.wav"), '<button class="load-more" data-next-url="/more/2">More</button>'),
    "/more/2": html(link("/w/more-2.wav"), '<button class="load-more" data-next-url="/more/3">More</button>'),
    "/more/3": html(link("/w/more-3.wav")),
    **{f"/api/tracks?page={number}": tracks(number, 3) for number in (2, 3)},
    "/api/tracks": tracks(1, 3),
    **{f"/wp-json/media?page={number}": media(number) for number in (2, 3)},
    "/wp-json/media": media(1),
    "/episode/1": html('<link rel="next" href="/episode/2">', link("/w/episode-1.wav")),
    "/episode/2": html('<link rel="next" href="/episode/3">', link("/w/episode-2.wav")),
    "/round?page=1": html(link("/round?page=2", 'rel="next"')),
    "/round?page=2": html(link("/round?page=1", 'rel="next"')),
    "/robots.txt": ("Sitemap: /all.txt\nSitemap: /all.xml\n", "text/plain", ()),
    "/all.txt": ("{url}/mapped/1\n{url}/mapped/2\n", "text/plain", ()),
    "/all.xml": ("<sitemapindex><sitemap><loc>{url}/news.xml</loc></sitemap></sitemapindex>", "text/xml", ()),
    "/news.xml": (
        (
            '<urlset xmlns:n="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>{url}/mapped/3</loc>'
            "<n:news><n:title>x</n:title></n:news></url></urlset>"
        ),
        "text/xml",
        (),
    ),
    **{f"/mapped/{number}": html(link(f"/w/mapped-{number}.wav")) for number in (1, 2, 3)},
}
FOUND = {
    *(f"/w/post-{number}.wav" for number in (1, 2, 3, 4)),
    *(f"/w/{name}-{number}.wav" for name in ("more", "api", "wp", "mapped") for number in (1, 2, 3)),
    *(f"/w/episode-{number}.wav" for number in (1, 2)),
}


def test_pages_of_a_list_cost_no_depth_and_end(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path.startswith("/w/"):
            wire.body(tone_wav(sorted(FOUND).index(path)) if path in FOUND else b"", kind="audio/wav")
        elif path in PAGES:
            body, kind, headers = PAGES[path]
            wire.body(body.replace("{url}", server.url), *headers, kind=kind)
        else:
            wire.body("", status="404 Not Found")

    with strange(answer) as server:
        (tmp_path / "starts").write_text("\n".join(server.url + path for path in STARTS), encoding="utf-8")
        run = crawl(tmp_path, "urls=starts", "depth=1", "render=never")
        rows = {url.removeprefix(server.url): row["status"] for url, row in run.sources.items()}
    assert rows == dict.fromkeys(FOUND, "stored")
    assert len(server.times_s("/round")) == 2
