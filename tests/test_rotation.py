"""Crawls of files whose URLs change from visit to visit, as the server sees them and as the rows tell."""

import re
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

FILES = 4


@dataclass
class Host:
    """A server on loopback whose pages are made anew at each visit, and which counts what it sends.

    ``names`` gives the number of the file that a path and its query stand for, None for none.
    """

    page: Callable[["Host"], str]
    names: Callable[[str, dict[str, list[str]]], int | None]
    has_tags: bool = True
    kind: str = "text/html"
    visits: int = 0
    refuse: Callable[[str, dict[str, list[str]]], int | None] = lambda _path, _query: None
    asked: list[str] = field(default_factory=list)
    sent_bytes: Counter[int] = field(default_factory=Counter)
    transfers: Counter[int] = field(default_factory=Counter)
    lasts_s: float = 0.0

    def answer(self, target: str, tag: str | None) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(target)
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        if parts.path == "/":
            self.visits += 1
            return 200, {"Content-Type": self.kind}, self.page(self).encode()
        number = self.names(parts.path, query)
        if number is None:
            return 404, {}, b""
        if refusal := self.refuse(parts.path, query):
            return refusal, {"Content-Type": "application/xml"}, b"<Error>no</Error>"
        headers = {"Content-Type": "audio/wav"} | ({"ETag": f'"file-{number}"'} if self.has_tags else {})
        if tag is not None and tag == headers.get("ETag"):
            return 304, headers, b""
        body = tone_wav(number)
        self.transfers[number] += 1
        self.sent_bytes[number] += len(body)
        time.sleep(self.lasts_s)
        return 200, headers, body


def send(host: Host, wire: Wire, target: str) -> None:
    status, headers, body = host.answer(target, wire.headers.get("if-none-match"))
    lines = (f"{name}: {value}" for name, value in headers.items() if name != "Content-Type")
    kind = headers.get("Content-Type", "text/plain")
    wire.body(body, *lines, status=f"{status} {HTTPStatus(status).phrase}", kind=kind)


@contextmanager
def served(host: Host) -> Iterator[str]:
    with strange(partial(send, host)) as server:
        yield server.url


@dataclass
class Visited:
    """A host of several that the same crawls visited, and what the rows said of it after each crawl."""

    host: Host
    url: str
    runs: list[Run] = field(default_factory=list)
    sources_after: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Return its rows of audio_sources after the last crawl."""
        return self.sources_after[-1]

    @property
    def audio(self) -> list[dict[str, Any]]:
        """Return its rows of audio_metadata."""
        return [row for row in self.runs[-1].audio if row["source_url"].startswith(self.url)]

    def note(self, run: Run) -> None:
        self.runs.append(run)
        self.sources_after.append([row for url, row in run.sources.items() if url.startswith(self.url)])


@contextmanager
def all_served(hosts: dict[str, Host]) -> Iterator[dict[str, Visited]]:
    """Serve each host at an address of its own."""
    at = {f"127.0.1.{number}": host for number, host in enumerate(hosts.values(), 1)}
    with strange(lambda wire, target: send(at[wire.sock.getsockname()[0]], wire, target)) as server:
        yield {
            name: Visited(host, server.at(address) + "/")
            for name, (address, host) in zip(hosts, at.items(), strict=True)
        }


def visit(all_hosts: dict[str, Visited], folder: Path, times: int = 1) -> None:
    """Crawl all of the hosts at once, so many times."""
    for _ in range(times):
        run = crawl(folder, f"url={' '.join(each.url for each in all_hosts.values())}")
        assert run.code == 0, run.stderr
        for each in all_hosts.values():
            each.note(run)


def feed(*items: str) -> str:
    return f'<rss version="2.0"><channel><title>Show</title>{"".join(items)}</channel></rss>'


def item(url: str, guid: object, title: str | None = None, date: str | None = None) -> str:
    about = f"<title>{title}</title>" if title else ""
    about += f"<pubDate>{date}</pubDate>" if date else ""
    return f'<item>{about}<guid>{guid}</guid><enclosure url="{url}" type="audio/wav" length="1"/></item>'.replace(
        "&", "&amp;"
    )


def day(number: int) -> str:
    return f"0{number} Jan 2026 08:00:00 GMT"


def links(*urls: str) -> str:
    return "<!doctype html><title>Page</title>" + "".join(f'<a href="{url}">listen</a>' for url in urls).replace(
        "&", "&amp;"
    )


def by_digits(path: str, _query: dict[str, list[str]]) -> int | None:
    found = re.search(r"ep(\d+)\.wav$", path)
    return int(found[1]) if found else None


def stamp(host: Host) -> int:
    return 1_700_000_000 + 1000 * host.visits


NEW_AT_EACH_VISIT: dict[str, Callable[[Host, int], str]] = {
    "token": lambda host, n: f"/ep{n}.wav?token={secrets.token_hex(8)}",
    "patreon": lambda host, n: f"/ep{n}.wav?token-time={stamp(host)}&token-hash={secrets.token_urlsafe(12)}",
    "megaphone": lambda host, n: f"/ep{n}.wav?updated={stamp(host)}",
    "cloudfront": lambda host, n: f"/ep{n}.wav?Expires={stamp(host)}&Signature={secrets.token_hex(20)}&Key-Pair-Id=K",
    "azure": lambda host, n: f"/ep{n}.wav?sv=1&se=2030-01-01T00%3A00%3A0{host.visits}Z&sig={secrets.token_hex(9)}",
    "path": lambda host, n: f"/{secrets.token_hex(12)}/ep{n}.wav",
    "dated": lambda host, n: f"/2026/05/0{host.visits}/ep{n}.wav",
    "buster": lambda host, n: f"/ep{n}.wav?v={stamp(host)}",
}


PLAIN_WAYS = ("token", "cloudfront", "buster", "path")


def feed_host(way: str, first: int) -> Host:
    """Return a host with a feed of files of its own, from this number on."""
    url_of = NEW_AT_EACH_VISIT[way]

    def page(host: Host) -> str:
        return feed(
            *(
                item(url_of(host, first + n), f"guid {n}", f"Episode {n}", f"Mon, 0{n} Jan 2026 08:00:00 GMT")
                for n in range(1, FILES + 1)
            )
        )

    return Host(page, by_digits, kind="application/rss+xml")


def page_host(way: str, first: int) -> Host:
    url_of = NEW_AT_EACH_VISIT[way]
    return Host(lambda host: links(*(url_of(host, first + n) for n in range(1, FILES + 1))), by_digits)


@pytest.fixture(scope="module")
def visited_four_times(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Visited]]:
    """Return hosts by the way in which their URLs change, after four crawls."""
    hosts = {f"feed {way}": feed_host(way, 10 * number) for number, way in enumerate(NEW_AT_EACH_VISIT)}
    hosts |= {f"page {way}": page_host(way, 10 * number) for number, way in enumerate(PLAIN_WAYS, len(hosts))}
    with all_served(hosts) as visited:
        visit(visited, tmp_path_factory.mktemp("four"), times=4)
        yield visited


@pytest.mark.parametrize("way", NEW_AT_EACH_VISIT)
def test_four_crawls_of_a_feed_leave_one_row_and_one_transfer_an_episode(
    way: str, visited_four_times: dict[str, Visited]
) -> None:
    visited = visited_four_times[f"feed {way}"]
    host = visited.host
    assert host.visits >= 4
    assert len(host.transfers) == FILES
    assert set(host.transfers.values()) == {1}, host.transfers
    assert [row["status"] for row in visited.sources] == ["unchanged"] * FILES
    assert len(visited.audio) == FILES
    newest = [target for target in host.asked if by_digits(target.partition("?")[0], {})][-FILES:]
    assert len(set(newest)) == FILES


@pytest.mark.parametrize("way", PLAIN_WAYS)
def test_a_page_without_guids_too(way: str, visited_four_times: dict[str, Visited]) -> None:
    visited = visited_four_times[f"page {way}"]
    assert visited.host.visits >= 4
    assert [row["status"] for row in visited.sources] == ["unchanged"] * FILES
    assert len(visited.host.transfers) == FILES
    assert set(visited.host.transfers.values()) == {2 if way == "path" else 1}, visited.host.transfers


def alike_host() -> Host:
    """Each address names a new file at each visit: as a parameter, under a guid for all items, or a guid used again."""

    def page(host: Host) -> str:
        first = 10 * host.visits
        numbers = range(first, first + 3)
        same_guid = [item(f"/play.php?id={n}", "http://example.org/show", f"Episode {n}") for n in numbers]
        again = [
            item(
                f"/again.php?n={first + 5}",
                "reused",
                f"News {host.visits}",
                f"Mon, 0{host.visits} Jan 2026 08:00:00 GMT",
            )
        ]
        silent = [item(f"/silent.php?n={first + 6}", "silent")]
        latest = [item(f"/latest.wav?t=17000{first + 7:05}", "latest")]
        return feed(*same_guid, *again, *silent, *latest)

    def names(path: str, query: dict[str, list[str]]) -> int | None:
        if path == "/latest.wav":
            return int(query["t"][0][-5:])
        return int(next(iter(query.values()))[0]) if query else None

    return Host(page, names, has_tags=False, kind="application/rss+xml")


QUERIES = ["id={}", "file=a{}.wav", "v={}", "token={}", "key=ep{}", "t={}", "ts=170000000{}"]


def query_host(query: str, first: int) -> Host:
    """Return a host whose files, from this number on, differ in a parameter only."""

    def page(host: Host) -> str:
        return links(*(f"/get.wav?{query.format(n)}" for n in range(host.visits, host.visits + 3)))

    def names(_path: str, asked: dict[str, list[str]]) -> int | None:
        return first + int(re.sub(r"\D", "", next(iter(asked.values()))[0])) % 10 if asked else None

    return Host(page, names, has_tags=False)


@pytest.fixture(scope="module")
def visited_twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Visited]]:
    """Return hosts with files that only look alike, after two crawls."""
    hosts = {"alike": alike_host()} | {query: query_host(query, 10 * n) for n, query in enumerate(QUERIES, 3)}
    with all_served(hosts) as visited:
        visit(visited, tmp_path_factory.mktemp("twice"), times=2)
        yield visited


def test_what_only_looks_alike_is_never_made_one(visited_twice: dict[str, Visited]) -> None:
    visited = visited_twice["alike"]
    assert len(visited.audio) == len(visited.host.transfers) == 12
    assert {row["status"] for row in visited.sources} == {"stored"}
    assert {row["sha256"] for row in visited.audio} == {row["sha256"] for row in visited.sources}
    assert len(visited.sources) == 12


@pytest.mark.parametrize("query", QUERIES)
def test_files_of_one_page_that_differ_in_a_parameter_only_stay_apart(
    query: str, visited_twice: dict[str, Visited]
) -> None:
    visited = visited_twice[query]
    assert len(visited.sources) == len(visited.audio) == 4
    assert all(row["sha256"] for row in visited.sources)


def test_files_that_expire_while_others_are_fetched_get_fresh_urls_from_their_page(tmp_path: Path) -> None:
    """The signatures of the first visit are good for 8 of 16 files."""

    def page(host: Host) -> str:
        return links(*(f"/ep{n}.wav?Expires=1&Signature={host.visits}-{secrets.token_hex(8)}" for n in range(1, 17)))

    def refuse(_path: str, query: dict[str, list[str]]) -> int | None:
        return 403 if query["Signature"][0].startswith("1-") and host.transfers.total() >= 8 else None

    with served(host := Host(page, by_digits, refuse=refuse, lasts_s=0.1)) as url:
        run = crawl(tmp_path, f"url={url}/")
    assert run.code == 0, run.stderr
    assert [(row["status"], row["reason"]) for row in run.sources.values()] == [("stored", None)] * 16
    assert host.transfers == dict.fromkeys(range(1, 17), 1)
    assert 2 <= host.visits <= 4


def refusing_host(status: int, first: int) -> Host:
    """Return a host that refuses all of its files but the first; the last one's URL has no signature."""
    allowed, plain = f"/ep{first + 1}.wav", f"/ep{first + 9}.wav"

    def page(host: Host) -> str:
        return links(*(NEW_AT_EACH_VISIT["token"](host, n) for n in range(first + 1, first + 9)), plain)

    return Host(page, by_digits, refuse=lambda path, _query: status if path != allowed else None)


REFUSALS = {401: 10, 403: 20, 410: 30}
"""The status, and the number before those of its files."""


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Visited]]:
    """Return hosts that refuse, after a crawl and a retry; what was asked for in the retry they do not keep."""
    folder = tmp_path_factory.mktemp("refused")
    with all_served({str(status): refusing_host(status, first) for status, first in REFUSALS.items()}) as visited:
        visit(visited, folder)
        for each in visited.values():
            each.host.refuse = lambda _path, _query: None
            each.host = replace(each.host, asked=list(each.host.asked))
        again = crawl(folder, command=("retry", "--status", "failed,gone"))
        for each in visited.values():
            each.note(again)
        yield visited


@pytest.mark.parametrize("status", REFUSALS)
def test_a_file_that_is_refused_under_fresh_urls_too_fails_and_ends_there(
    status: int, refused: dict[str, Visited]
) -> None:
    visited, first = refused[str(status)], REFUSALS[status]
    allowed, other, plain = (f"/ep{first + n}.wav" for n in (1, 2, 9))
    rows = {urlsplit(row["source_url"]).path: row for row in visited.sources_after[0]}
    assert rows[allowed]["status"] == "stored"
    assert {row["last_status"] for path, row in rows.items() if path != allowed} == {
        "gone" if status == 410 else "failed"
    }
    assert f"HTTP {status}" in rows[other]["reason"]
    host = visited.host
    assert host.visits <= 3
    assert max(Counter(urlsplit(each).path for each in host.asked).values()) <= 3
    assert sum(each == plain for each in host.asked) == 1  # a URL without a signature cannot expire

    again = visited.runs[-1]
    assert again.code == 0, again.stderr
    assert {row["last_status"] for row in visited.sources} == {"stored"}
    assert len(visited.sources) == 9


def test_a_retry_says_of_which_files_the_page_knows_no_more(tmp_path: Path) -> None:
    names = ["/ep1.wav", "/ep2.wav"]

    def page(_: Host) -> str:
        return links(*(f"{name}?token={secrets.token_hex(8)}" for name in names))

    with served(host := Host(page, by_digits, refuse=lambda _path, _query: 403)) as url:
        crawl(tmp_path, f"url={url}/")
        host.refuse = lambda _path, _query: None
        names.pop()
        run = crawl(tmp_path, command=("retry",))
    rows = {urlsplit(key).path: row for key, row in run.sources.items()}
    assert (rows["/ep1.wav"]["status"], rows["/ep2.wav"]["status"]) == ("stored", "failed")
    assert rows["/ep2.wav"]["reason"] == "no longer on its page"


def test_rows_of_an_older_database_are_found_again(tmp_path: Path) -> None:
    """Four crawls of an older version left four rows an episode: they become one, and nothing is fetched again."""
    url_of = NEW_AT_EACH_VISIT["token"]
    pages = lambda host: links(*(url_of(host, n) for n in range(1, FILES + 1)))  # noqa: E731
    with served(host := Host(pages, by_digits)) as url:
        run = crawl(tmp_path, f"url={url}/")
        make_old(run)
        assert len(run.sources) == 4 * FILES
        run = crawl(tmp_path, f"url={url}/")
    assert set(host.transfers.values()) == {1}
    assert [row["status"] for row in run.sources.values()] == ["unchanged"] * FILES
    assert {row["source_url"] for row in run.audio} == run.sources.keys()


def make_old(run: Run) -> None:
    """Turn the rows into those of four crawls by a version that knew no identity, under masked tokens."""
    with sqlite3.connect(run.folder / "data/audio.db") as database:
        names = [name for _, name, *_ in database.execute("PRAGMA table_info(audio_sources)")]
        rows = [dict(zip(names, row, strict=True)) for row in database.execute("SELECT * FROM audio_sources")]
        database.execute("DELETE FROM audio_sources")
        for row, number in ((row, number) for row in rows for number in range(4)):
            key = row["source_url"].replace("token=~", f"token=~{number}{secrets.token_hex(4)[1:]}")
            status = "stored" if number == 0 else "duplicate"
            old = {**row, "source_url": key, "status": status, "last_status": status, "url_pattern": None}
            database.execute(f"INSERT INTO audio_sources VALUES ({','.join('?' * len(names))})", list(old.values()))
        for index in ("guid", "url_pattern"):
            database.execute(f"DROP INDEX audio_sources_{index}")
        for name in ("guid", "url_pattern", "rotates"):
            database.execute(f"ALTER TABLE audio_sources DROP COLUMN {name}")
        database.execute(
            "UPDATE audio_metadata SET source_url = (SELECT min(source_url) FROM audio_sources s "
            "WHERE s.sha256 = audio_metadata.sha256)"
        )
        database.execute("PRAGMA user_version = 0")


TAKEN_WAYS = ("token", "buster", "dated")


def two_episodes(way: str, first: int) -> Host:
    url_of = NEW_AT_EACH_VISIT[way]

    def page(host: Host) -> str:
        return feed(*(item(url_of(host, first + n), f"guid {n}", f"Episode {n}") for n in (1, 2)))

    return Host(page, by_digits, kind="application/rss+xml")


@pytest.fixture(scope="module")
def taken_down(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Visited]]:
    """Return hosts that were crawled before and after the first file of each was taken down."""
    folder = tmp_path_factory.mktemp("taken")
    with all_served({way: two_episodes(way, 10 * number) for number, way in enumerate(TAKEN_WAYS)}) as visited:
        visit(visited, folder)
        for each in visited.values():
            gone = next(row["source_url"] for row in each.sources if re.search(r"ep\d*1\.wav", row["source_url"]))
            assert crawl(folder, command=("takedown", "--source", gone, "--yes")).code == 0
        visit(visited, folder)
        yield visited


@pytest.mark.parametrize("way", TAKEN_WAYS)
def test_what_was_taken_down_stays_so_under_its_next_url(way: str, taken_down: dict[str, Visited]) -> None:
    visited = taken_down[way]
    assert sorted(visited.host.transfers.values()) == [1, 1]
    assert sorted(row["status"] for row in visited.sources) == ["taken_down", "unchanged"]
