"""URLs of any length are fetched or have a row that says why not, and backslashes in them mean slashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav
from tests.strange_server import Strange, Wire, strange

LENGTHS = (2_084, 4_096, 4_097, 8_193, 16_384, 40_000, 65_535)
KNOWN = ("unchanged", "")
_numbers = count(1)


def long_path(start: str, length: int, port: int) -> str:
    """Return a path by which the whole URL has this length."""
    return start + "x" * (length - len(f"http://127.0.0.1:{port}{start}"))


@dataclass(frozen=True, slots=True)
class Crawled:
    """Two crawls of a page with long URLs of all kinds."""

    first: Run
    second: Run
    server: Strange

    def starting_with(self, path: str) -> list[tuple[str, str]]:
        """Return the statuses and reasons after the second crawl, which is to know what the first has stored."""
        start = f"{self.server.url}{path}"
        rows = (row for url, row in self.second.sources.items() if url.startswith(start))
        return sorted((row["last_status"], row["reason"] or "") for row in rows)


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    bodies: dict[str, bytes] = {}

    def page() -> str:
        audio = [f'<audio src="{long_path("/a.wav?q=", n, server.port)}"></audio>' for n in LENGTHS]
        audio += [f'<audio src="/moved/{n}.wav"></audio>' for n in LENGTHS if n < 16_000]
        audio += [f'<audio src="{long_path("/too-long.wav?q=", n, server.port)}"></audio>' for n in (65_536, 65_537)]
        audio += [rf'<audio src="\back\{n}.wav?a=\b"></audio>' for n in range(2)]
        audio += ['<audio src="/moved-back.wav"></audio>']
        pages = [f'<a href="{long_path("/page.html?q=", n, server.port)}">x</a>' for n in (2_084, 65_535, 65_536)]
        script = f'<script>var u = "{long_path("/script.wav?q=", 3_000, server.port)}"</script>'
        return "".join([*audio, *pages, r'<a href="\deep\page.html">x</a>', script])

    def answer(wire: Wire, path: str) -> None:
        if path == "/":
            wire.body(page())
        elif "page.html" in path:
            wire.body(f'<audio src="/on-page.wav?n={len(path)}"></audio>')
        elif path.startswith("/moved/"):
            wire.body("", f"Location: {long_path('/target.wav?', int(path[7:-4]), server.port)}", status="302 Found")
        elif path == "/moved-back.wav":
            wire.body("", r"Location: \back\target.wav", status="302 Found")
        elif ".wav" in path:
            wire.body(bodies.setdefault(path, tone_wav(next(_numbers))), 'ETag: "1"', kind="audio/wav")
        else:
            wire.body("", status="404 Not Found")

    with strange(answer) as server:
        folder = tmp_path_factory.mktemp("long")
        first = crawl(folder, f"url={server.url}/", "depth=1")
        yield Crawled(first, crawl(folder, f"url={server.url}/", "depth=1"), server)


def test_long_urls_are_fetched_as_written(crawled: Crawled) -> None:
    assert crawled.starting_with("/a.wav") == [KNOWN] * len(LENGTHS)
    asked = {path for _, path, _ in crawled.server.requests}
    assert {long_path("/a.wav?q=", length, crawled.server.port) for length in LENGTHS} <= asked


def test_what_is_longer_has_a_row_with_the_reason(crawled: Crawled) -> None:
    why = "URL longer than 65535 characters"
    assert crawled.starting_with("/too-long") == [("failed", why)] * 2
    assert not crawled.server.times_s("/too-long")


def test_redirects_and_pages_may_be_long(crawled: Crawled) -> None:
    moved = crawled.starting_with("/moved/")
    assert moved == [KNOWN] * len([n for n in LENGTHS if n < 16_000])
    on_page = crawled.starting_with("/on-page")
    assert on_page == [KNOWN] * 3  # that with a backslash in its link, too
    assert len(crawled.starting_with("/script.wav")) == 1


def test_backslashes_mean_slashes_in_links_and_redirects(crawled: Crawled) -> None:
    assert crawled.starting_with("/back/") == [KNOWN] * 2
    assert crawled.starting_with("/moved-back") == [KNOWN]
    asked = {path for _, path, _ in crawled.server.requests}
    assert asked >= {"/back/0.wav?a=%5Cb", "/back/1.wav?a=%5Cb", "/back/target.wav", "/deep/page.html"}


def test_nothing_stays_pending_and_a_second_crawl_knows_them_all(crawled: Crawled) -> None:
    assert "left " not in crawled.first.stdout + crawled.second.stdout
    kinds = [row["kind"] for row in crawled.second.sources.values()]
    assert kinds.count("page") == 1  # it has a link that is too long to follow
    assert f"stored      {kinds.count('audio') - 2} files" in crawled.first.stdout
    assert f"unchanged   {kinds.count('audio') - 2} " in crawled.second.stdout
