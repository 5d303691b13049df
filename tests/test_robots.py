"""robots.txt as RFC 9309 wants it read, and what it asks for as the server sees it."""

import gzip
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from audiocrawler.fetch.robots import for_agent
from tests.crawling import Run, crawl
from tests.site.tones import tone_wav
from tests.strange_server import Strange, Wire, strange

PAGE = '<!doctype html><title>t</title><a href="/0.wav">0</a><a href="/1.wav">1</a>'
FORBIDDEN = "User-agent: *\nDisallow: /\n"
ONCE = {"RETRY_TIMES": "0"}


def serve(wire: Wire, path: str) -> None:
    if path.endswith(".wav"):
        wire.body(tone_wav(int(path[1:-4])), kind="audio/wav")
    else:
        wire.body(PAGE)


@dataclass(frozen=True)
class Rules:
    """A robots.txt as a server sends it."""

    body: bytes | str
    headers: tuple[str, ...] = ()
    status: str = "200 OK"
    kind: str = "text/plain"


def of_agent(name: str) -> Rules:
    return Rules(f"User-agent: {name}\nDisallow: /\n\nUser-agent: *\nDisallow:\n")


WRAPPED = {
    "BOM": Rules(b"\xef\xbb\xbf" + FORBIDDEN.encode()),
    "bad bytes": Rules(b"\xff\xfe\x00garbage \x80\n" + FORBIDDEN.encode()),
    "audio type": Rules(FORBIDDEN, kind="audio/mpeg"),
    "no type": Rules(FORBIDDEN, kind="application/octet-stream"),
    "gzip": Rules(gzip.compress(FORBIDDEN.encode()), ("Content-Encoding: gzip",)),
    "long": Rules(FORBIDDEN + "x" * 3_000_000),
    "bomb": Rules(gzip.compress(FORBIDDEN.encode() + b"\n" * 100_000_000), ("Content-Encoding: gzip",)),
}
BEYOND_500_KIB = "beyond 500 KiB"
BUSY, STATUSES = "503 Busy", ("404 Not Found", "403 Forbidden")
OUR_AGENTS, OTHER_AGENTS = ("audiocrawler", "AUDIOCRAWLER/9.9"), ("audio", "crawler")
ABSURD = "an absurd delay"
RULES = {
    **WRAPPED,
    BEYOND_500_KIB: Rules("# line\n" * 100_000 + FORBIDDEN),
    **{status: Rules(FORBIDDEN, status=status) for status in (*STATUSES, BUSY)},
    **{agent: of_agent(agent) for agent in (*OUR_AGENTS, *OTHER_AGENTS)},
    ABSURD: Rules("User-agent: *\nCrawl-delay: 86400\n"),
}
HOPS = {f"{hops} redirects": hops for hops in (5, 6)}
HOSTS = {f"127.0.1.{number}": name for number, name in enumerate((*RULES, *HOPS), 1)}
"""Each has rules of its own."""


@dataclass(frozen=True)
class Crawled:
    """What a crawl of all of HOSTS has done."""

    run: Run
    urls: dict[str, str]

    def lines(self, name: str) -> list[str]:
        """Return what is printed of a host."""
        return [line for line in self.run.stdout.splitlines() if self.urls[name] in line]

    def statuses(self, name: str) -> list[str]:
        """Return what became of the files of a host."""
        return [row["status"] for url, row in self.run.sources.items() if url.startswith(self.urls[name])]

    def is_forbidden(self, name: str) -> bool:
        """Tell whether nothing was asked for; where something was, all of it is here."""
        found = self.statuses(name)
        assert not found or (len(found) == 2 and set(found) <= {"stored", "duplicate"})
        return not found


def send_rules(wire: Wire, rules: Rules) -> None:
    wire.body(rules.body, *rules.headers, status=rules.status, kind=rules.kind)


def send_hop(wire: Wire, hops: int, number: int) -> None:
    """Send to the next of ``hops`` places, each at another host than the one before; the last one forbids."""
    if number == hops:
        wire.body(FORBIDDEN, kind="text/plain")
        return
    port = wire.sock.getsockname()[1]
    wire.body("", f"Location: http://127.0.2.{number % 2 + 1}:{port}/hop/{hops}/{number + 1}", status="302 Found")


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    """Return one crawl of hosts that each have their own robots.txt."""

    def answer(wire: Wire, path: str) -> None:
        name = HOSTS.get(wire.sock.getsockname()[0], "")
        if path == "/robots.txt" and name in RULES:
            send_rules(wire, RULES[name])
        elif path == "/robots.txt" and name in HOPS:
            send_hop(wire, HOPS[name], 0)
        elif path.startswith("/hop/"):
            send_hop(wire, *map(int, path.split("/")[2:]))
        else:
            serve(wire, path)

    with strange(answer) as server:
        urls = {name: f"{server.at(host)}/" for host, name in HOSTS.items()}
        run = crawl(tmp_path_factory.mktemp("robots"), f"url={' '.join(urls.values())}", settings=ONCE)
    assert run.code == 0, run.stderr
    return Crawled(run, urls)


@pytest.mark.parametrize("wrapping", WRAPPED)
def test_rules_are_read_whatever_they_are_wrapped_in(wrapping: str, crawled: Crawled) -> None:
    assert crawled.is_forbidden(wrapping)
    assert any("disallows it" in line for line in crawled.lines(wrapping))


def test_rules_beyond_500_kib_are_ignored(crawled: Crawled) -> None:
    assert not crawled.is_forbidden(BEYOND_500_KIB)


@pytest.mark.parametrize(("status", "is_forbidden"), [*((status, False) for status in STATUSES), (BUSY, True)])
def test_4xx_allows_everything_and_5xx_nothing(status: str, is_forbidden: bool, crawled: Crawled) -> None:
    assert crawled.is_forbidden(status) == is_forbidden


@pytest.mark.parametrize(("name", "is_forbidden"), [*zip(HOPS, (True, False), strict=True)])
def test_five_redirects_are_followed_also_to_another_host(name: str, is_forbidden: bool, crawled: Crawled) -> None:
    assert crawled.is_forbidden(name) == is_forbidden


@pytest.mark.parametrize(
    ("agent", "is_forbidden"), [*((agent, True) for agent in OUR_AGENTS), *((agent, False) for agent in OTHER_AGENTS)]
)
def test_only_the_group_of_our_product_token_counts(agent: str, is_forbidden: bool, crawled: Crawled) -> None:
    assert crawled.is_forbidden(agent) == is_forbidden


def test_a_host_with_an_absurd_crawl_delay_is_left_out_and_named(crawled: Crawled) -> None:
    assert crawled.is_forbidden(ABSURD)
    assert any("Crawl-delay 86400 s is above the limit" in line for line in crawled.lines(ABSURD))
    assert crawled.run.log.count("skipping ") == 1


def test_a_robots_txt_without_end_is_not_transferred(tmp_path: Path) -> None:
    sent = [0]

    def answer(wire: Wire, path: str) -> None:
        if path != "/robots.txt":
            serve(wire, path)
            return
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 9000000000\r\n\r\n")
        while sent[0] < 50_000_000:
            wire.send(b"# rule\n" * 10_000)
            sent[0] += 70_000

    with strange(answer) as server:
        assert crawl(tmp_path, f"url={server.url}/", "depth=1", settings=ONCE).code == 0
    assert sent[0] < 20_000_000


def test_thousands_of_names_over_thousands_of_rules_are_read_at_once() -> None:
    text = "".join(f"User-agent: bot{n}\n" for n in range(10_000)) + "Disallow: /a\n" * 20_000
    ours = for_agent(
        text + "User-agent: audio\nDisallow: /b\nUser-agent: AudioCrawler/2 # we\nDisallow: /c\n", "audiocrawler"
    )
    assert ours.count("User-agent") == 3
    assert ours.endswith("User-agent: others\nDisallow: /b\nUser-agent: audiocrawler\nDisallow: /c")


@pytest.mark.parametrize(("later", "status"), [(FORBIDDEN, "robots"), ("User-agent: GPTBot\nDisallow: /", "opted_out")])
def test_rules_are_asked_for_again_when_they_are_old(later: str, status: str, tmp_path: Path) -> None:
    (tmp_path / "hurried.py").write_text(
        "from audiocrawler.fetch import robots\nfrom audiocrawler.spiders.audio import AudioSpider\n"
        "robots.REFRESH_S = 0.5\nclass Hurried(AudioSpider):\n    name = 'hurried'\n",
        encoding="utf-8",
    )

    def answer(wire: Wire, path: str) -> None:
        if path == "/robots.txt":
            has_served_audio = any(asked.endswith(".wav") for _, asked, _ in server.requests)
            wire.body(later if has_served_audio else "", kind="text/plain")
            return
        time.sleep(0 if path == "/" else 1)
        serve(wire, path)

    with strange(answer) as server:
        settings = {"AUDIO_MAX_FILES_IN_FLIGHT": "1"}
        run = crawl(tmp_path, f"url={server.url}/", command=("runspider", "hurried.py"), settings=settings)
    assert len(server.times_s("/robots.txt")) >= 2
    assert {"stored", status} <= {row["status"] for row in run.sources.values()}


def gaps_s(server: Strange) -> list[float]:
    return [later - earlier for earlier, later in pairwise(sorted(server.times_s(host="127.0.0.1")))]


def test_a_crawl_delay_holds_between_all_requests_of_a_host(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path == "/robots.txt":
            wire.body("User-agent: *\nCrawl-delay: 0.7\n", kind="text/plain")
        elif path == "/":
            wire.body(PAGE + '<a href="/a.html">a</a><a href="/b.html">b</a>')
        else:
            serve(wire, path)

    with strange(answer) as server:
        assert crawl(tmp_path, f"url={server.url}/", "depth=1").code == 0
    after_rules = gaps_s(server)[-4:]
    assert len(server.times_s("/")) >= 6
    assert min(after_rules) >= 0.4


def test_a_redirect_to_another_host_keeps_that_hosts_delay(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        host = wire.sock.getsockname()[0]
        if path == "/robots.txt":
            wire.body("User-agent: *\nCrawl-delay: 1\n" if host == "127.0.0.2" else "", kind="text/plain")
        elif path == "/":
            wire.body("".join(f'<a href="/{n}.html">{n}</a>' for n in range(3)))
        elif host == "127.0.0.1":
            wire.body("", f"Location: {server.at('127.0.0.2')}{path}", status="302 Found")
        else:
            wire.body("<p>here")

    with strange(answer) as server:
        crawl(tmp_path, f"url={server.url}/", "depth=1")
    at_s = [at_s for host, path, at_s in server.requests if host == "127.0.0.2" and path.endswith(".html")]
    assert len(at_s) == 3
    assert min(later - earlier for earlier, later in pairwise(at_s)) >= 0.6


@pytest.mark.parametrize("slow", ["Crawl-delay: 120", "Retry-After: 120"])
def test_a_host_that_must_wait_takes_no_place_of_others(slow: str, tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        waits = wire.sock.getsockname()[0] != "127.0.0.1"
        if path == "/robots.txt":
            wire.body(f"User-agent: *\n{slow}\n" if waits and "Crawl" in slow else "", kind="text/plain")
        elif waits and "Retry" in slow:
            wire.body("", slow, status="503 Busy")
        elif path == "/":
            far = [f"{server.at(f'127.0.1.{n}')}/{k}.wav" for n in range(1, 5) for k in range(4)]
            near = [f"/{n}.wav" for n in range(12)]
            wire.body("".join(f'<a href="{url}">x</a>' for url in [*far, *near]))
        else:
            serve(wire, path)

    started_s = time.monotonic()
    settings = {"CONCURRENT_REQUESTS": "4", "AUDIO_MAX_FILES_IN_FLIGHT": "4", "CLOSESPIDER_TIMEOUT": "6"}
    with strange(answer) as server:
        crawl(tmp_path, f"url={server.url}/", settings=settings)
    near = [at_s for host, path, at_s in server.requests if host == "127.0.0.1" and path.endswith(".wav")]
    assert len(near) == 12
    assert max(near) - started_s < 60


def test_retry_after_holds_back_pages_and_media_of_the_whole_host(tmp_path: Path) -> None:
    asked_at: list[float] = []

    def answer(wire: Wire, path: str) -> None:
        if path == "/0.wav" and not asked_at:
            asked_at.append(time.monotonic())
            date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 4))
            wire.body("", f"Retry-After: {date}", status="429 Too Many Requests")
        elif path == "/":
            wire.body(PAGE + "".join(f'<a href="/{n}.html">{n}</a>' for n in range(9)))
        elif path == "/robots.txt":
            wire.body("", status="404 Not Found")
        else:
            serve(wire, path)

    settings = {"DOWNLOAD_DELAY": "0.4", "AUDIO_MEDIA_PER_HOST": "1"}
    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", "depth=1", settings=settings)
    later = [at_s - asked_at[0] for at_s in server.times_s("/") if at_s > asked_at[0] + 0.3]
    assert min(later) >= 2.0
    assert len(later) > 5
    assert len(run.objects) == 2


def test_a_host_that_asks_for_an_hour_is_left_to_a_later_crawl(tmp_path: Path) -> None:
    def answer(wire: Wire, path: str) -> None:
        if path.endswith(".wav"):
            wire.body("", "Retry-After: 3600", status="503 Busy")
        else:
            serve(wire, path)

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", settings={"AUDIO_MEDIA_PER_HOST": "1"})
    assert len(server.times_s("/0.wav") + server.times_s("/1.wav")) == 1
    assert any("Retry-After 3600 s" in str(row["reason"]) for row in run.sources.values())
