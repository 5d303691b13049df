"""Feed damaged and made-up documents to discovery and to what the spider does with its findings.

python -m benchmarks.fuzz_discovery [FOLDER] [--cases N] [--seed N]

Each case is a piece of a document of the folder or of a made-up one, with mutations; seed and number of a case give
its bytes again (``--first NUMBER --cases 1 --show``). Ends with 1 if one raised, hung, or gave what is no Candidate.
"""

import argparse
import json
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from audiocrawler.config.arguments import Arguments
from audiocrawler.discovery import Candidate, Kind, choose, find_in, read
from audiocrawler.discovery.candidate import FILES, UNRESOLVED
from audiocrawler.discovery.dash import audio_tracks
from audiocrawler.discovery.hls import audio_rendition
from audiocrawler.model.urls import site_of
from audiocrawler.records import rendition_candidate, source_of
from audiocrawler.spiders.links import Traps, page_links
from audiocrawler.warehouse.rows import checked

SITE_PAGES = Path(__file__).parents[1] / "tests/site/pages"
URL = "https://site.example/music/page"
MAX_PIECE = 16 * 1024
LIMIT_S = 5.0
"""Of CPU for one case."""
DEAD_S = 30.0
"""Of CPU, after which a case that does not even take the signal ends its process."""
CHUNK = 500
ARGUMENTS = Arguments(url=("https://site.example/",), depth=1)
TYPES = {
    ".html": "text/html",
    ".rss": "application/rss+xml",
    ".atom": "application/atom+xml",
    ".m3u": "audio/x-mpegurl",
    ".pls": "audio/x-scpls",
    ".txt": "text/plain",
}
OWN = (
    ("#EXTM3U\n#EXT-X-VERSION:4\n#EXTINF:9.5,One\n#EXT-X-BYTERANGE:100@0\na.ts\n#EXT-X-ENDLIST\n", "audio/x-mpegurl"),
    (
        (
            '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="en",URI="a.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1,'
            'CODECS="mp4a.40.2",AUDIO="a"\nv.m3u8\n'
        ),
        "application/vnd.apple.mpegurl",
    ),
    ('#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXT-X-MAP:URI="i.mp4"\n#EXTINF:4,\nb.m4s\n', "audio/mpegurl"),
    ("[playlist]\nNumberOfEntries=2\nFile1=a.mp3\nTitle1=T\nLength1=-1\nFile2=//h/b.ogg\n", "audio/x-scpls"),
    (
        (
            '<MPD mediaPresentationDuration="PT1H"><Period><BaseURL>x/</BaseURL><AdaptationSet mimeType="audio/mp4">'
            '<SegmentTemplate media="$Number%05d$.m4s"/><Representation id="1" bandwidth="64000">'
            "<BaseURL>a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ),
        "application/dash+xml",
    ),
    ('<asx version="3"><entry><title>T</title><ref href="mms://h/a.wma"/></entry></asx>', "video/x-ms-asf"),
    (
        (
            '<playlist xmlns="http://xspf.org/ns/0/"><trackList><track><location>a.mp3</location><duration>1000</duration>'
            "</track></trackList></playlist>"
        ),
        "application/xspf+xml",
    ),
    ('{"playlist":{"title":"T","track":[{"location":["a.mp3"],"duration":1000,"creator":"C"}]}}', "application/json"),
    (
        (
            '<script type="application/ld+json">{"@context":"https://schema.org","@type":"AudioObject","contentUrl":"a.mp3"'
            ',"duration":"PT1M","uploadDate":"2024-01-01","license":{"@id":"x"},"@graph":[{"@type":["Episode"]}]}</script>'
        ),
        "text/html",
    ),
    ('<div itemscope itemtype="https://schema.org/AudioObject"><meta itemprop="contentUrl" content="a.mp3"></div>', ""),
    ('<meta property="og:audio" content="a.mp3"><meta property="og:audio:type" content="audio/mpeg">', "text/html"),
    ('<div data-tralbum="{&quot;trackinfo&quot;:[{&quot;file&quot;:{&quot;mp3-128&quot;:&quot;//h/a&quot;}}]}">', ""),
    ("<script>var p = [{mp3:'a.mp3', title:\"x\\u0041\"}]; window.__D__ = JSON.parse('[\"b.ogg\"]')</script>", ""),
    ('{"metadata":{"identifier":"i"},"server":"h","dir":"/d","files":[{"name":"a.mp3","length":"1:02"}]}', ""),
    ("<urlset><url><loc>https://site.example/a.mp3</loc></url></urlset>", "application/xml"),
    ('<rss><channel><item><enclosure url="a.mp3" length="x" type="audio/mpeg"/></item></channel></rss>', "text/xml"),
)
TOKENS = (
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\\ud800", b"&#xD800;", b"&#0;", b"]]>", b"<![CDATA[", b"-->", b"<!--",
    b"</script>", b"<script>", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b"<", b">", b"=", b"\r\n", b"http://[::1",
    b"http://[", b"http://a:99999/b.mp3", b"http://a:b/c.mp3", b"//", b"///x.mp3", b"javascript:x.mp3", b"data:audio/,",
    b"http://\xe2\x80\xae.example/a.mp3", b"http://xn--/a.mp3", b"http://%00/a.mp3", b"http://a..b/a.mp3", b"NaN",
    b"http://user:pw@h/a.mp3", b"1e999", b"-1", b"99999999999999999999", b"PT99999999999H", b"0000-00-00", b"null",
    b"9999-12-31T23:59:59-23:59", b"Mon, 99 Foo 99999 99:99:99 +9999", b"$Number%0999999999d$", b"&e;", b"\xc2\xa0",
    b"<!DOCTYPE x [<!ENTITY e 'y'>]>", b'<base href="http://[">', b'<base href="//">', b"http://h/\xe2\x80\xa8a.mp3",
    b"https://h/" + b"a" * 5000 + b".mp3", b"#EXT-X-BYTERANGE:99999999999999999999@-1\n", b"#EXTINF:nan,\n", b"@graph",
    "\u0661\u0662:\u0663\u0664".encode(), "\u00b2".encode(), "\u2460".encode(), b"%", b"%zz", b"\x1f\x8b\x08",
)  # fmt: skip

Case = tuple[bytes, str]


def _insert(rng: random.Random, body: bytearray, _: list[Case]) -> None:
    at = rng.randrange(len(body) + 1)
    body[at:at] = rng.choice(TOKENS) * rng.choice((1, 1, 1, 2, 200))


def _replace_quoted(rng: random.Random, body: bytearray, _: list[Case]) -> None:
    start = body.find(rng.choice((b'"', b">", b"=", b":")), rng.randrange(len(body) + 1))
    if start >= 0:
        body[start + 1 : start + 1 + rng.choice((0, 1, 5, 20))] = rng.choice(TOKENS)


def _flip(rng: random.Random, body: bytearray, _: list[Case]) -> None:
    for _time in range(rng.choice((1, 8))):
        if body:
            body[rng.randrange(len(body))] = rng.randrange(256)


def _drop(rng: random.Random, body: bytearray, _: list[Case]) -> None:
    at = rng.randrange(len(body) + 1)
    del body[at : at + rng.choice((1, 2, 10, 200))]


def _nest(rng: random.Random, body: bytearray, _: list[Case]) -> None:
    at = rng.randrange(len(body) + 1)
    length = rng.choice((1, 5, 30, 300))
    body[at:at] = body[at : at + length] * rng.choice((2, 10, 3000 // length + 1))


def _splice(rng: random.Random, body: bytearray, seeds: list[Case]) -> None:
    other, _ = rng.choice(seeds)
    start = rng.randrange(len(other) + 1)
    body[rng.randrange(len(body) + 1) :] = other[start : start + MAX_PIECE]


MUTATIONS: tuple[Callable[[random.Random, bytearray, list[Case]], None], ...] = (
    _insert, _insert, _insert, _replace_quoted, _replace_quoted, _flip, _drop, _nest, _splice,
)  # fmt: skip


def case(number: int, seed: int, seeds: list[Case]) -> Case:
    """Return the bytes and the content type of a case."""
    rng = random.Random(f"{seed}-{number}")
    whole, content_type = rng.choice(seeds)
    start = rng.randrange(len(whole)) if len(whole) > MAX_PIECE and rng.random() < 0.8 else 0
    body = bytearray(whole[start : start + MAX_PIECE])
    for _ in range(rng.choice((1, 1, 2, 4, 8))):
        rng.choice(MUTATIONS)(rng, body, seeds)
    if rng.random() < 0.15:
        content_type = rng.choice(seeds)[1]
    return bytes(body), content_type


def read_seeds(folder: Path) -> list[Case]:
    """Return the documents of a folder, by their ``case.json`` if they have one, and the made-up ones."""
    cases = sorted(folder.glob("*/case.json"))
    if cases:
        described = [(path.parent, json.loads(path.read_text(encoding="utf-8"))) for path in cases]
        found = [((place / about["file"]).read_bytes(), about["content_type"]) for place, about in described]
    else:
        paths = sorted(path for path in folder.rglob("*") if path.suffix in TYPES)
        found = [(path.read_bytes(), TYPES[path.suffix]) for path in paths]
    own = [(text.encode(), content_type) for text, content_type in OWN]
    return [each for each in found if each[0]] + own * max(1, len(found) // len(own))


class TooSlowError(Exception):
    """Raised when a case has used up its CPU time."""


def _too_slow(_signal: int, _frame: FrameType | None) -> None:
    raise TooSlowError(f"more than {LIMIT_S:g} s of CPU")


def search(body: bytes, content_type: str) -> int:
    """Do with a document what the spider does; return the number of candidates; raises ValueError for a bad one."""
    headers = {"Content-Type": content_type}
    kind = responsetypes.from_args(headers={b"Content-Type": content_type.encode()}, url=URL, body=body)
    response: Response = kind(URL, headers=headers, body=body, request=Request(URL))
    document = read(response)
    candidates = list(find_in(document))
    for candidate in candidates:
        _check(candidate)
        site_of(candidate.url)
        if candidate.kind in FILES - {Kind.DATA}:
            checked(source_of(candidate, response, document.title, "site.example"))
    list(choose(candidate for candidate in candidates if candidate.kind is Kind.AUDIO))
    traps = Traps()
    for url in page_links(response, "site.example", ARGUMENTS):
        if traps.why_not(url) is None:
            Request(url)
    if rendition := audio_rendition(document):
        checked(source_of(rendition_candidate(response, rendition), response, None, "site.example"))
        for part in rendition.parts:
            Request(part.url)
    for track in audio_tracks(document):
        for part in track.rendition.parts:
            Request(part.url)
    return len(candidates)


def _check(candidate: Candidate) -> None:
    parts = urlsplit(candidate.url)
    is_web = parts.scheme.lower() in {"http", "https"} and parts.hostname
    if not is_web and candidate.kind not in UNRESOLVED:
        raise ValueError(f"not an absolute http URL: {candidate.url!r}")
    Request(candidate.url)
    if not 0 <= candidate.confidence <= 1 or not isinstance(candidate.kind, Kind):
        raise ValueError(f"no Candidate: {candidate!r:.200}")
    stated = [text for each in candidate.statements or () for text in (each.text, each.url)]
    texts = (candidate.title, candidate.artist, candidate.credit, candidate.link_text, candidate.language, *stated)
    if any(text is not None and (not text or len(text) > 10_000) for text in texts):
        raise ValueError(f"a text without bounds: {candidate!r:.200}")
    if candidate.published_at is not None and candidate.published_at.tzinfo is None:
        raise ValueError(f"a time without a zone: {candidate.published_at}")


@dataclass(slots=True)
class Report:
    """What became of some cases."""

    outcomes: Counter[str] = field(default_factory=Counter)
    candidates: int = 0
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, int] = (0.0, 0)

    def add(self, other: "Report") -> None:
        """Count the cases of another report in."""
        self.outcomes += other.outcomes
        self.candidates += other.candidates
        self.failures += other.failures
        self.slowest = max(self.slowest, other.slowest)


def run_chunk(numbers: range, seed: int, seeds: list[Case]) -> Report:
    """Run some cases in this process; one that does not come back ends it."""
    signal.signal(signal.SIGPROF, _too_slow)
    report = Report()
    for number in numbers:
        body, content_type = case(number, seed, seeds)
        began_s = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, DEAD_S)  # its signal ends the process
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
        try:
            found = search(body, content_type)
            report.outcomes["with candidates" if found else "without"] += 1
            report.candidates += found
        except Exception as error:  # noqa: BLE001 - every one is a finding
            report.outcomes["failed"] += 1
            *_, place = traceback.extract_tb(error.__traceback__)
            what = f"{type(error).__name__}: {str(error)[:200]}"
            report.failures.append(f"case {number}: {what} ({Path(place.filename).name}, line {place.lineno})")
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        report.slowest = max(report.slowest, (time.process_time() - began_s, number))
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return report


def reports(arguments: argparse.Namespace, seeds: list[Case]) -> Iterator[Report]:
    """Yield the report of each chunk of cases, as they are worked through by two processes."""
    last = arguments.first + arguments.cases
    chunks = [range(start, min(last, start + CHUNK)) for start in range(arguments.first, last, CHUNK)]
    with ProcessPoolExecutor(2) as processes:
        futures = [processes.submit(run_chunk, chunk, arguments.seed, seeds) for chunk in chunks]
        for chunk, future in zip(chunks, futures, strict=True):
            try:
                yield future.result()
            except BrokenProcessPool:
                failure = f"cases {chunk[0]} to {chunk[-1]}: the process died or hung, and with it those that follow"
                yield Report(Counter({"died": len(chunk)}), failures=[failure])
                return


def main() -> None:
    """Run the cases and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SITE_PAGES)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="write the bytes of the first case instead")
    arguments = parser.parse_args()
    seeds = read_seeds(arguments.folder)
    if arguments.show:
        sys.stdout.buffer.write(case(arguments.first, arguments.seed, seeds)[0])
        return
    began_s, total = time.monotonic(), Report()
    for report in reports(arguments, seeds):
        total.add(report)
    print(f"{total.outcomes.total()} cases from {len(seeds)} documents, seed {arguments.seed},", end=" ")
    print(f"{time.monotonic() - began_s:.0f} s; {total.candidates} candidates")
    print(", ".join(f"{count} {outcome}" for outcome, count in total.outcomes.most_common()))
    print(f"slowest: case {total.slowest[1]}, {total.slowest[0]:.2f} s of CPU of {LIMIT_S:g} s")
    print(f"failures: {len(total.failures)}", *total.failures[:50], sep="\n  ")
    raise SystemExit(bool(total.failures))


if __name__ == "__main__":
    main()
