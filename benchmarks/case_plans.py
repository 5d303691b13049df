"""For each case by its name: the commands to run and what is then to hold."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import case_checks as ask
from benchmarks.case_checks import Check
from benchmarks.case_server import PAGE, Case, Conn, Handle, Request
from benchmarks.case_words import SIZE_BYTES, revalidated
from tests.crawling import REPOSITORY

CRAWL = ("crawl", "audio", "-a", "url={url}")
TURNED_AWAY = (
    r"turn\w*\b.{0,40}\baway|back(s|ed|ing)?[ -]off|(gave|given)\b.{0,30}\bup|host\b.{0,40}\bleft|left\b.{0,30}\bhost"
)
DEAD_PROXY = r"(proxy|socks).{0,100}127\.0\.0\.1:9\b|127\.0\.0\.1:9\b.{0,100}(proxy|socks)"


@dataclass(frozen=True, slots=True)
class Step:
    """One command; ``{url}``, ``{port}`` and ``{folder}`` in its words and its stdin are filled in.

    Words that begin with ``python`` or ``sh`` are run as they are, others by scrapy. ``gate`` answers before the case.
    """

    words: tuple[str, ...] = CRAWL
    settings: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None
    before: Callable[[Path, str], None] | None = None
    gate: Handle | None = None
    interrupt_s: float | None = None
    """SIGINT so long after a file was first asked for."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Commands, and checks of what came of them. ``case`` is the server where the source describes none."""

    checks: tuple[Check, ...]
    steps: tuple[Step, ...] = (Step(),)
    case: Case | None = None
    start: str = "{base}{path}"
    """The start URL, of ``{base}`` and ``{path}`` or ``{port}``."""
    tls: bool = False


def _site(conn: Conn, request: Request, _number: int) -> bool:
    """Serve numbered files with ETags; those of /slow/ take a second, those of /no/ are unavailable."""
    found = re.fullmatch(r"/(slow/|no/)?f(\d+)(\.|%2E)mp3", request.path)
    if found and found[1] == "no/":
        conn.full("busy", "text/plain", "503 Service Unavailable")
    elif found:
        time.sleep(1 if found[1] else 0)
        revalidated(conn, request, int(found[2]))
    return bool(found)


def _pages(folder: str = "", count: int = 3) -> Case:
    return Case("site", PAGE, tuple(f"/{folder}f{number}.mp3" for number in range(1, count + 1)), _site)


def _refused(conn: Conn, request: Request, _number: int) -> bool:
    if ".mp3" in request.path:
        conn.full("expired", "text/plain", "403 Forbidden")
    return ".mp3" in request.path


def _list_file(encoding: str) -> Callable[[Path, str], None]:
    def write(folder: Path, url: str) -> None:
        (folder / "list.txt").write_text(f"{url}\r\n", encoding=encoding)

    return write


def _damage(folder: Path, _url: str) -> None:
    path = min(path for path in (folder / "data/objects").rglob("*") if path.is_file())
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _cron() -> tuple[str, ...]:
    """Return README's line for cron, for this folder and start."""
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if re.match(r"\d+ \d+ \* \* \*\s.*crawl", line))
    command = line.split(None, 5)[5].replace("https://example.org/", "{url}").replace("/srv/audio", "{folder}")
    return ("sh", "-c", re.sub(r"\S*bin/scrapy", "{scrapy}", command))


_LIBRARY = (
    "from scrapy.crawler import CrawlerProcess\nfrom audiocrawler.spiders.audio import AudioSpider\n"
    "p = CrawlerProcess({'LOG_LEVEL': 'INFO'})\np.crawl(AudioSpider, url='{url}')\np.start()\n"
)
_TWICE = (Step(), Step())
_ITEMS = (*CRAWL, "-O", "out.csv")
_AWAY = (ask.code(3, 4), ask.prints(TURNED_AWAY), ask.no_pending)
_ENDPOINT = {"GOOGLE_APPLICATION_CREDENTIALS": "", "NO_GCE_CHECK": "true"}


def _same_list(seen: ask.Seen) -> str | None:
    count = len((seen.last.run.folder / "out.csv").read_text(encoding="utf-8").splitlines())
    return None if count == 4 else f"out.csv has {count} lines after the second crawl, wanted 4"


def _one_value_a_cell(seen: ask.Seen) -> str | None:
    head, *lines = (seen.last.run.folder / "out.csv").read_text(encoding="utf-8").splitlines()
    nested = any("{'" in line or '{""' in line for line in lines)
    return f"{len(head.split(','))} columns, nested: {nested}" if nested or head.count(",") < 20 else None


FILES = {
    "resume-416-complete": Plan((ask.holds(4),)),
    "resume-206-other-etag": Plan((ask.holds(6),), _TWICE),
    "resume-206-capped": Plan((ask.holds(10),)),
    "unasked-206-first-part": Plan((ask.either((ask.holds(11),), (ask.nothing_stored, ask.status("failed"))),)),
    "resume-weak-etag": Plan((ask.holds(13),)),
    "length-too-large-always": Plan((ask.holds(15),), (Step(settings={"DOWNLOAD_FAIL_ON_DATALOSS": "False"}),)),
    "op-dataloss-setting": Plan((ask.holds(15),), (Step(settings={"DOWNLOAD_FAIL_ON_DATALOSS": "False"}),)),
    "http10-no-length-reset": Plan((ask.asked("/a.mp3", 20, 3), ask.admits, ask.never_unchanged), _TWICE),
    "icy-200-file": Plan((ask.holds(25),)),
    "header-line-20k": Plan((ask.holds(31),)),
    "gzip-wrong-length": Plan((ask.holds(32),)),
    "gzip-header-plain-body": Plan((ask.holds(33),)),
    "brotli-unasked": Plan((ask.holds(34),)),
    "encoding-aws-chunked": Plan((ask.holds(36),)),
    "encoding-binary": Plan((ask.holds(38),)),
    "deflate-raw": Plan((ask.holds(40),)),
    "gzip-two-members": Plan((ask.holds(41),)),
    "403-then-200": Plan((ask.either((ask.holds(69),), (ask.status("failed"), ask.reason("403"))),)),
    "userinfo-enclosures": Plan(
        (ask.holds(1, 2), ask.is_silent_about("s3cretpass")), start="http://alice:s3cretpass@127.0.0.1:{port}{path}"
    ),
    "signed-expire-during-crawl": Plan((ask.holds(*range(1, 17)), ask.asked(PAGE, 8))),
    "signed-retry-finds-nothing": Plan(
        (ask.holds(*range(1, 17)), ask.rows(16)), (Step(gate=_refused), Step(("retry",)))
    ),
    "token-new-at-each-visit": Plan(
        (ask.holds(*range(20, 25)), ask.rows(5), ask.sent_once(5 * SIZE_BYTES)), _TWICE * 2
    ),
    "feed-patreon-token": Plan((ask.holds(*range(40, 45)), ask.rows(5), ask.sent_once(5 * SIZE_BYTES)), _TWICE * 2),
    "feed-megaphone-updated": Plan((ask.holds(*range(60, 65)), ask.rows(5), ask.sent_once(5 * SIZE_BYTES)), _TWICE * 2),
    "meta-refresh-in-place-of-audio": Plan((ask.holds(61),)),
    "202-then-200": Plan((ask.holds(63),)),
    "425-then-200": Plan((ask.holds(65),)),
    "empty-then-200": Plan((ask.holds(71),)),
    "429-for-3s-without-retry-after": Plan((ask.holds(66),)),
    "all-429-no-retry-after": Plan((ask.asked("/d/", 60, 2), *_AWAY)),
    "all-503-no-retry-after": Plan((ask.asked("/d/", 60, 2), *_AWAY)),
    "error-body-700mb-404": Plan((ask.below_mib(150), ask.sent_once(20_000_000), ask.status("failed", "gone"))),
    "type-text-html": Plan((ask.holds(76),)),
    "type-mpegurl-on-mp3": Plan((ask.holds(80),)),
    "type-image-jpeg-on-mp3": Plan((ask.holds(81),)),
    "cd-raw-latin1": Plan((ask.named("Möwe am Kai.mp3"),)),
    "cd-rfc2047": Plan((ask.named("Möwe.mp3"),)),
    "cd-rfc2231-continuations": Plan((ask.named("very long name.mp3"),)),
    "cd-ext-quoted": Plan((ask.named("Möwe.mp3"),)),
    "h2-frames-to-http11": Plan((ask.status("failed"), ask.reason(r"HTTP/2|not HTTP/1"))),
    "url-backslash": Plan((ask.holds(118),)),
    "url-query-3k": Plan((ask.either((ask.holds(123),), (ask.no_pending, ask.rows(1), ask.reason("long"))),)),
    "robots-utf16": Plan((ask.either((ask.holds(9),), (ask.status("robots"),)),)),
    "hls-byterange-ignored": Plan((ask.holds(20), ask.asked("/h/all.mp3", 2))),
    "resume-between-runs": Plan(
        (ask.holds_big(), ask.header_sent("range", r"bytes=[1-9]"), ask.sent_once(2_600_000)),
        (Step(interrupt_s=3), Step()),
    ),
    "page-length-too-large": Plan((ask.holds(21),)),
    "page-typed-audio": Plan((ask.holds(22),)),
    "page-header-20k": Plan((ask.holds(29),)),
    "etag-not-ascii": Plan((ask.header_sent("if-none-match", '^"m\xf6we"$'),), _TWICE),
}
"""Those whose server is described by the case's own source."""

COMMANDS = {
    "tls-expired": Plan((ask.nothing_stored, ask.says("expired")), case=_pages(), tls=True),
    "host-trailing-dot": Plan((ask.holds(1, 2, 3),), case=_pages(), start="http://localhost.:{port}{path}"),
    "dead-proxy": Plan(
        (ask.code(3, 4), ask.prints(DEAD_PROXY)),
        (Step(env={"http_proxy": "http://127.0.0.1:9"}),),
        _pages(),
    ),
    "socks-proxy": Plan(
        (ask.code(2, 3, 4), ask.asked("/", 0), ask.prints(f"{DEAD_PROXY}|socks.{{0,40}}not")),
        (Step(env={"http_proxy": "socks5://127.0.0.1:9"}),),
        _pages(),
    ),
    "all-proxy-ignored": Plan(
        (ask.code(2, 3, 4), ask.asked("/", 0)), (Step(env={"all_proxy": "socks5://127.0.0.1:9"}),), _pages()
    ),
    "op-unknown-setting": Plan(
        (ask.code(2), ask.asked("/", 0), ask.says("AUDIO_STORE")), (Step(env={"AUDIO_STOER": "/x"}),), _pages()
    ),
    "op-unknown-setting by -s": Plan(
        (ask.code(2), ask.asked("/", 0), ask.says("AUDIO_MIN_DURATION_MS")),
        (Step(settings={"AUDIO_MIN_DURATON_MS": "10000"}),),
        _pages(),
    ),
    "op-exit-closespider": Plan((ask.code(4),), (Step(settings={"CLOSESPIDER_TIMEOUT": "4"}),), _pages("slow/", 40)),
    "op-exit-closespider by items": Plan(
        (ask.code(4),), (Step(settings={"CLOSESPIDER_ITEMCOUNT": "2"}),), _pages("slow/", 40)
    ),
    "op-exit-all-failed": Plan((ask.code(3),), case=_pages("no/", 20)),
    "op-export-unchanged": Plan((_same_list,), (Step(_ITEMS), Step(_ITEMS)), _pages()),
    "op-export-csv-nested": Plan((_one_value_a_cell,), (Step(_ITEMS),), _pages()),
    "op-export-fails-silently": Plan(
        (ask.code(4), ask.holds(1, 2, 3)), (Step((*CRAWL, "-O", "gs://nobucket/x.jsonl"), env=_ENDPOINT),), _pages()
    ),
    "op-stdout-mixed": Plan(
        (ask.stdout_is(ask.is_json_lines, "JSON lines"), ask.code(0)), (Step((*CRAWL, "-O", "-:jsonlines")),), _pages()
    ),
    "op-stdout-mixed into a closed pipe": Plan(
        (lambda seen: "a traceback" if "Traceback" in seen.last.run.stderr else None,),
        (Step(("sh", "-c", "{scrapy} crawl audio -a url={url} -O -:jsonlines | true")),),
        _pages(),
    ),
    "op-scrapy-parse": Plan(
        (ask.code(0), ask.says(r"f1\.mp3"), lambda seen: "KeyError" if "KeyError" in seen.last.text else None),
        (Step(("parse", "--spider=audio", "-a", "url={url}", "-c", "parse", "{url}")),),
        _pages(),
    ),
    "op-fetch-shell-side-effects": Plan((ask.code(0), ask.absent("data")), (Step(("fetch", "{url}")),), _pages()),
    "op-fetch-shell-side-effects of shell": Plan(
        (ask.code(0), ask.absent("data")), (Step(("shell", "{url}", "-c", "response.status")),), _pages()
    ),
    "op-help-arguments": Plan(
        tuple(ask.says(rf"\b{name}\b") for name in ("depth", "limit", "alternates", "render", "refresh", "fresh")),
        (Step(("crawl", "audio", "--help")),),
        _pages(),
    ),
    "op-urls-bom": Plan(
        (ask.holds(1, 2, 3), ask.code(0)),
        (Step(("crawl", "audio", "-a", "urls=list.txt"), before=_list_file("utf-8-sig")),),
        _pages(),
    ),
    "op-urls-bom utf-16": Plan(
        (ask.either((ask.holds(1, 2, 3), ask.code(0)), (ask.code(2), ask.says("UTF-8|encod"))),),
        (Step(("crawl", "audio", "-a", "urls=list.txt"), before=_list_file("utf-16")),),
        _pages(),
    ),
    "op-urls-bom stdin": Plan(
        (ask.holds(1, 2, 3), ask.code(0)), (Step(("crawl", "audio", "-a", "urls=-"), stdin="{url}\n"),), _pages()
    ),
    "op-cron-line": Plan((ask.holds(1, 2, 3),), (Step(_cron()),), _pages()),
    "op-takedown-spelling": Plan(
        (ask.holds(1, 3),),
        (Step(), Step(("takedown", "--source", "HTTP://127.0.0.1:{port}/f2.mp3", "--yes"))),
        _pages(),
    ),
    "op-takedown-spelling escaped": Plan(
        (ask.either((ask.holds(1, 2),), (ask.code(1, 2, 3, 4),)),),
        (Step(), Step(("takedown", "--source", "http://127.0.0.1:{port}/f3%2Emp3", "--yes"))),
        _pages(),
    ),
    "op-library-spider": Plan(
        (
            lambda seen: "AssertionError" if "AssertionError" in seen.last.text else None,
            ask.either((ask.holds(1, 2, 3),), (ask.says(r"audiocrawler\.settings|SCRAPY_SETTINGS_MODULE|setting"),)),
        ),
        (Step(("python", "-c", _LIBRARY), env={"SCRAPY_SETTINGS_MODULE": ""}),),
        _pages(),
    ),
    "op-headers-in-manifest": Plan(
        (ask.file_says("data/crawls/*.json", "X-Key"), ask.is_silent_about("hush7hush")),
        (Step(settings={"DEFAULT_REQUEST_HEADERS": json.dumps({"X-Key": "hush7hush"})}),),
        _pages(),
    ),
    "op-verify-heal": Plan(
        (ask.holds(1, 2, 3), ask.code(0)),
        (Step(), Step((*CRAWL, "-a", "refresh=all"), before=_damage), Step(("verify", "--hash"))),
        _pages(),
    ),
    "k8s-disruption": Plan((ask.repository_says("deploy/kubernetes", "DisruptionTarget"),), (), _pages()),
    "ci-no-image": Plan((ask.repository_says(".github", r"docker/build-push-action|docker push|pypi"),), (), _pages()),
}
"""Those of the command line, of proxies and of what lies beside the code; ``NAME more`` is a part of case NAME."""
