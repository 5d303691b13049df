"""Logins in URLs, cookies and headers of the operator: each goes to its own place, and is seen nowhere else."""

import json
import os
import signal
import stat
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audiocrawler.fetch.accounts import read_cookies, read_host_headers
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.urls import Credentials, is_meant_for, login_of, without_credentials
from tests.crawling import Run, crawl, finish, start
from tests.origins import TONE, Origin

LATER, EARLIER = 4_000_000_000, 1_000_000_000


def basic(user: str, password: str = "") -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@dataclass
class Net:
    """Three origins: ``home`` and ``port`` on one host, ``other`` elsewhere."""

    home: Origin
    port: Origin
    other: Origin

    def url(self, name: str, path: str, login: str = "") -> str:
        return f"http://{login}{getattr(self, name).netloc}{path}"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    net = Net(Origin("127.0.0.1"), Origin("127.0.0.1"), Origin("127.0.0.2"))
    yield net
    for origin in (net.home, net.port, net.other):
        origin.close()


ALICE = basic("alice", "aSeCrEt")
FOUND = {
    # path: where the URL leads, the login that it is written with, the Authorization that is sent
    "/own.mp3": ("home", "alice:aSeCrEt@", ALICE),
    "/plain.mp3": ("home", "", ALICE),
    "/bob.mp3": ("home", "bob:bSeCrEt@", basic("bob", "bSeCrEt")),
    "/carol.mp3": ("other", "carol:p%40SeCrEt%3A%2F@", basic("carol", "p@SeCrEt:/")),
    "/none.mp3": ("other", "", None),
    "/empty.mp3": ("other", "@", None),
    "/dave.mp3": ("port", "daveSeCrEt@", basic("daveSeCrEt")),
    "/token.mp3": ("port", ":tSeCrEt@", basic("", "tSeCrEt")),
    "/erin.mp3": ("port", "erin:p@SeCrEt@", basic("erin", "p@SeCrEt")),
    "/umlaut.mp3": ("port", "jörg:güSeCrEt@", basic("jörg", "güSeCrEt")),
    "/quote.mp3": ("port", "quinn:it'sSeCrEt@", basic("quinn", "it'sSeCrEt")),
    "/neighbour.mp3": ("port", "", None),
}
LED_TO = {
    # by a redirect, a playlist or a player: the origin, the path, the Authorization that is sent
    ("other", "/moved.mp3"): None,
    ("port", "/frank.mp3"): basic("frank", "fSeCrEt"),
    ("home", "/returned.mp3"): ALICE,
    ("other", "/gina/list.m3u"): basic("gina", "gSeCrEt"),
    ("other", "/gina/song.mp3"): basic("gina", "gSeCrEt"),
    ("other", "/hal/list.m3u8"): basic("hal", "hSeCrEt"),
    ("other", "/hal/1.mp3"): basic("hal", "hSeCrEt"),
    ("other", "/hal/2.mp3"): basic("hal", "hSeCrEt"),
    ("other", "/kim/podcast-player.html"): basic("kim", "kSeCrEt"),
    ("other", "/kim/song.mp3"): basic("kim", "kSeCrEt"),
}


def fill(net: Net) -> None:
    for path, (name, _, authorization) in FOUND.items():
        origin = getattr(net, name)
        origin.audio(path)
        if authorization:
            origin.wanted[path] = authorization
    for (name, path), authorization in LED_TO.items():
        getattr(net, name).audio(path, b"" if "hal" in path else TONE)
        if authorization:
            getattr(net, name).wanted[path] = authorization
    net.other.pages["/gina/list.m3u"] = (200, {"Content-Type": "audio/x-mpegurl"}, b"#EXTM3U\nsong.mp3\n")
    net.other.pages["/hal/list.m3u8"] = (
        200,
        {"Content-Type": "application/vnd.apple.mpegurl"},
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n1.mp3\n#EXTINF:9,\n2.mp3\n#EXT-X-ENDLIST\n",
    )
    net.other.audio("/hal/1.mp3", TONE[:5000])
    net.other.audio("/hal/2.mp3", TONE[5000:])
    net.other.html("/kim/podcast-player.html", "<audio src='song.mp3'></audio>")
    net.port.redirect("/robots.txt", net.url("other", "/rules.txt", "rob:rSeCrEt@"))
    net.home.redirect("/moves.mp3", net.url("other", "/moved.mp3"))
    net.other.redirect("/away.mp3", net.url("port", "/frank.mp3", "frank:fSeCrEt@"))
    net.other.redirect("/back.mp3", net.url("home", "/returned.mp3"))
    enclosures = [net.url(name, path, login) for path, (name, login, _) in FOUND.items()]
    enclosures += [net.url("home", "/moves.mp3"), net.url("other", "/away.mp3"), net.url("other", "/back.mp3")]
    items = "".join(
        f'<item><title>{url}</title><enclosure url="{url}" type="audio/mpeg"/></item>' for url in enclosures
    )
    feed = f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>{items}</channel></rss>'
    net.home.pages["/feed.xml"] = (200, {"Content-Type": "application/rss+xml"}, feed.encode())
    linked = [net.url("other", "/gina/list.m3u", "gina:gSeCrEt@"), net.url("other", "/hal/list.m3u8", "hal:hSeCrEt@")]
    links = "".join(f"<a href='{url}'>{url}</a>" for url in linked)
    framed = net.url("other", "/kim/podcast-player.html", "kim:kSeCrEt@")
    dead = net.url("other", "/dead.mp3", "lou:lSeCrEt@").replace(net.other.netloc, "127.0.0.1:9")
    gone = net.url("other", "/gone.mp3", "max:mSeCrEt@")
    home = f"<title>on me:tSeCrEt@host.test</title>{links}<iframe src='{framed}'></iframe><audio src='{dead}'></audio>"
    net.home.html("/page", f"{home}<audio src='{gone}'></audio>")
    for path in ("/feed.xml", "/page"):
        net.home.wanted[path] = ALICE


@pytest.fixture(scope="module")
def run(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Run:
    fill(net)
    folder = tmp_path_factory.mktemp("logins")
    settings = {
        "LOG_LEVEL": "DEBUG",
        "RETRY_TIMES": "1",
        "MAIL_PASS": "mailSeCrEt",
        "DEFAULT_REQUEST_HEADERS": json.dumps({"Accept-Language": "de", "X-Anything": "xSeCrEt"}),
        "FEEDS": json.dumps({str(folder / "items.jsonl"): {"format": "jsonlines"}}),
    }
    starts = " ".join(net.url("home", path, "alice:aSeCrEt@") for path in ("/feed.xml", "/page"))
    return crawl(folder, f"url={starts}", settings=settings)


def test_each_login_goes_to_its_own_origin(net: Net, run: Run) -> None:
    expected = {(name, path): authorization for path, (name, _, authorization) in FOUND.items()} | LED_TO
    assert {place: set(getattr(net, place[0]).sent(place[1], "Authorization")) for place in expected} == {
        place: {authorization} for place, authorization in expected.items()
    }
    assert run.code == 0


def test_what_a_login_opens_is_stored(run: Run) -> None:
    status = {url.rpartition("@")[2].partition("/")[2]: row["status"] for url, row in run.sources.items()}
    failed = {name for name, each in status.items() if each not in {"stored", "duplicate"}}
    assert failed == {"dead.mp3", "gone.mp3"}
    assert len(status) == len(FOUND) + 3 + 3 + len(failed)


def test_no_login_is_kept_or_shown(run: Run) -> None:
    secrets = [b"SeCrEt", *(value.partition(" ")[2].encode() for *_, value in FOUND.values() if value)]
    texts = {path: path.read_bytes() for path in run.folder.rglob("*") if path.is_file()}
    texts |= {Path("stdout"): run.stdout.encode(), Path("stderr"): run.stderr.encode()}
    assert [(path, s) for path, text in texts.items() for s in secrets if s in text] == []
    assert run.log.count("GET http") > 20
    assert (run.folder / "items.jsonl").read_text(encoding="utf-8").count("\n") == len(FOUND) + 6


def test_hosts_are_asked_for_robots_txt_without_a_login(net: Net, run: Run) -> None:
    assert run.code == 0
    for origin in (net.home, net.port, net.other):
        assert set(origin.sent("/robots.txt", "Authorization")) == {None}
    assert net.other.sent("/rules.txt", "Authorization") == [None]


def test_the_record_has_names_of_headers_without_what_opens_something(run: Run) -> None:
    (path,) = (run.folder / "data/crawls").iterdir()
    settings = json.loads(path.read_text(encoding="utf-8"))["settings"]
    assert json.loads(settings["DEFAULT_REQUEST_HEADERS"])["X-Anything"] == "***"
    assert json.loads(settings["DEFAULT_REQUEST_HEADERS"])["Accept-Language"] == "de"
    assert settings["MAIL_PASS"] == "***"
    assert json.loads(settings["FEEDS"])[str(run.folder / "items.jsonl")] == {"format": "jsonlines"}


@pytest.mark.parametrize(
    ("url", "plain", "pair"),
    [
        ("http://user:pass@e.test/a", "http://e.test/a", "user:pass"),
        ("http://user@e.test/a", "http://e.test/a", "user:"),
        ("http://user:@e.test/a", "http://e.test/a", "user:"),
        ("http://:pass@e.test/a", "http://e.test/a", ":pass"),
        ("http://u%3Ax:p%40%2F@e.test", "http://e.test", "u:x:p@/"),
        ("http://u:a:b@e.test/a?b@c", "http://e.test/a?b@c", "u:a:b"),
        ("http://u:p@[::1]:8080/a", "http://[::1]:8080/a", "u:p"),
        ("http://@e.test/a", "http://e.test/a", None),
        ("http://e.test/me@home", "http://e.test/me@home", None),
    ],
)
def test_a_login_is_taken_out_of_a_url(url: str, plain: str, pair: str | None) -> None:
    assert without_credentials(url) == plain
    login = login_of(url)
    assert (login and login["authorization"]) == (pair and f"Basic {b64encode(pair.encode()).decode()}")


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("http://e.test/b", True),
        ("http://E.test:80/b", True),
        ("https://e.test/b", True),
        ("https://e.test:8443/b", False),
        ("http://e.test:81/b", False),
        ("http://www.e.test/b", False),
    ],
)
def test_a_login_is_meant_for_one_origin_also_when_that_goes_over_to_https(url: str, is_sent: bool) -> None:
    login = login_of("http://u:p@e.test/a")
    assert login is not None
    assert is_meant_for(login, url) == is_sent
    assert bool(Credentials(["http://u:p@e.test/a"]).headers_for(url)) == is_sent
    of_https = login_of("https://u:p@e.test/a")
    assert of_https is not None
    assert not is_meant_for(of_https, "http://e.test/a")


def test_a_killed_crawl_goes_on_with_the_logins_that_it_has_found(tmp_path: Path) -> None:
    home, other = Origin("127.0.0.1"), Origin("127.0.0.2")
    for number, login in enumerate(("nora:nSeCrEt@", "otto:oSeCrEt@")):
        other.audio(f"/{number}.mp3", TONE[: 9000 + number])
        other.wanted[f"/{number}.mp3"] = basic(*login.rstrip("@").split(":"))
    links = [f"http://{login}{other.netloc}/{n}.mp3" for n, login in enumerate(("nora:nSeCrEt@", "otto:oSeCrEt@"))]
    home.html("/", "".join(f"<audio src='{link}'></audio>" for link in links))
    other.held |= {"/0.mp3", "/1.mp3"}
    process = start(tmp_path, f"url=http://{home.netloc}/")
    deadline_s = time.monotonic() + 60
    while len(other.sent("/0.mp3", "Host") + other.sent("/1.mp3", "Host")) < 2:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    finish(process, tmp_path)
    assert stat.S_IMODE((tmp_path / "data/frontier.db").stat().st_mode) == 0o600
    other.held.clear()
    run = crawl(tmp_path, f"url=http://{home.netloc}/")
    for origin in (home, other):
        origin.close()
    assert "resuming" in run.stderr
    assert home.sent("/", "Host") == [home.netloc]
    assert [row["status"] for row in run.sources.values()] == ["stored", "stored"]
    assert "SeCrEt" not in run.stdout + run.stderr + run.log + str(run.sources)


COOKIES = """# Netscape HTTP Cookie File

127.0.0.1\tFALSE\t/\tFALSE\t{later}\tsid\tcSeCrEt1
#HttpOnly_127.0.0.1\tFALSE\t/members\tFALSE\t0\tmember\tcSeCrEt2
127.0.0.1\tFALSE\t/\tTRUE\t0\tsafe\tcSeCrEt3
127.0.0.2\tFALSE\t/\tFALSE\t0\tforeign\tcSeCrEt4
127.0.0.1\tFALSE\t/\tFALSE\t{earlier}\told\tcSeCrEt5
"""


def test_cookies_and_headers_of_the_operator_go_where_they_are_for(tmp_path: Path) -> None:
    home, other = Origin("127.0.0.1"), Origin("127.0.0.2")
    home.html(
        "/",
        f"""<audio src="/members/in.mp3"></audio><audio src="http://{other.netloc}/there.mp3"></audio>
        <audio src="/out.mp3"></audio>""",
    )
    home.audio("/members/in.mp3")
    other.audio("/there.mp3")
    other.audio("/moved.mp3")
    home.redirect("/out.mp3", f"http://{other.netloc}/moved.mp3")
    (tmp_path / "cookies.txt").write_text(COOKIES.format(later=LATER, earlier=EARLIER), encoding="utf-8")
    headers = {"127.0.0.1": {"Authorization": "Bearer hSeCrEt", "x-api-key": "kSeCrEt"}}
    (tmp_path / "headers.json").write_text(json.dumps(headers), encoding="utf-8")
    settings = {"AUDIO_COOKIES": "cookies.txt", "AUDIO_HEADERS": "headers.json"}
    run = crawl(
        tmp_path, f"url=http://{home.netloc}/", settings=settings | {"LOG_LEVEL": "DEBUG", "COOKIES_DEBUG": "True"}
    )
    for origin in (home, other):
        origin.close()
    assert {row["status"] for row in run.sources.values()} == {"stored", "duplicate"}
    assert home.sent("/", "Cookie") == ["sid=cSeCrEt1"]
    assert home.sent("/members/in.mp3", "Cookie") == ["member=cSeCrEt2; sid=cSeCrEt1"]
    for path in ("/there.mp3", "/moved.mp3"):
        assert other.sent(path, "Cookie") == ["foreign=cSeCrEt4"]
        assert other.sent(path, "Authorization") == other.sent(path, "X-Api-Key") == [None]
    for path in ("/", "/members/in.mp3", "/out.mp3"):
        assert home.sent(path, "Authorization") == ["Bearer hSeCrEt"]
        assert home.sent(path, "X-Api-Key") == ["kSeCrEt"]
    assert "AUDIO_COOKIES: 1 of 5 cookies have expired and are not sent" in run.stderr
    (tmp_path / "cookies.txt").unlink()
    (tmp_path / "headers.json").unlink()
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and b"SeCrEt" in path.read_bytes()]
    assert kept == []
    assert "SeCrEt" not in run.stdout + run.stderr
    (record,) = (tmp_path / "data/crawls").iterdir()
    assert json.loads(record.read_text(encoding="utf-8"))["settings"]["AUDIO_COOKIES"] == "cookies.txt"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "contains no cookies"),
        ("# Netscape HTTP Cookie File\n", "contains no cookies"),
        ("\n[{'name': 'SeCrEt'}]\n", "line 2: 1 tab-separated fields"),
        ("e.test FALSE / FALSE 0 sid SeCrEt", "line 1: 1 tab-separated fields"),
        ("e.test\tFALSE\t/\tno\t0\tsid\tSeCrEt", "line 1: the second and fourth fields"),
        ("e.test\tFALSE\tpath\tTRUE\t0\tsid\tSeCrEt", "line 1: the first field must be a domain and the third a path"),
        ("e.test\tFALSE\t/\tTRUE\tsoon\tsid\tSeCrEt", "line 1: the fifth field"),
        ("e.test\tFALSE\t/\tTRUE\t0\tsid\tSeC;rEt", "line 1: invalid character in the cookie's name or value"),
    ],
)
def test_a_wrong_file_of_cookies_is_named_with_its_line(text: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "cookies.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem) as error:
        read_cookies(str(tmp_path / "cookies.txt"))
    assert "SeC" not in str(error.value)
    with pytest.raises(ConfigurationError, match="could not be read"):
        read_cookies(str(tmp_path / "none.txt"))


def test_what_exporters_do_to_a_cookies_txt_is_understood(tmp_path: Path) -> None:
    lines = [
        "e.test\tTRUE\t/\tFALSE\t0.5\ta\t1",
        ".e.test\tFALSE\t/\tfalse\t-1\tb\t2",
        f"e.test\tFALSE\t/\tFALSE\t{LATER}\tc",
    ]
    (tmp_path / "cookies.txt").write_text("\ufeff" + "\r\n".join(lines), encoding="utf-8")
    cookies = read_cookies(str(tmp_path / "cookies.txt")).cookies
    assert [(each.domain, each.value, each.expires) for each in cookies] == [
        (".e.test", "1", None),
        (".e.test", "2", None),
        ("e.test", "", LATER),
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ('{"e.test": ', "invalid JSON on line 1"),
        ('["e.test"]', "must look like"),
        ('{"e.test": "SeCrEt"}', "must look like"),
        ('{"me:SeCrEt@e.test": {}}', "'e.test' is not a host"),
        ('{"e.test/path": {}}', "'e.test/path' is not a host"),
        ('{"e.test:port": {}}', "'e.test:port' is not a host"),
        ('{"e.test": {"A b": "SeCrEt"}}', "'A b' is not a valid header name"),
        ('{"e.test": {"Cookie": "SeCrEt"}}', "use AUDIO_COOKIES"),
        ('{"e.test": {"range": "SeCrEt"}}', "is set by the crawler itself"),
        ('{"e.test": {"X-Key": "SeC\\nrEt"}}', "must be one line of ASCII text"),
        ('{"e.test": {"X-Key": 5}}', "must be one line of ASCII text"),
    ],
)
def test_a_wrong_file_of_headers_is_named_without_its_values(given: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "headers.json").write_text(given, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem) as error:
        read_host_headers(str(tmp_path / "headers.json"))
    assert "SeC" not in str(error.value)


def test_headers_go_to_the_hosts_that_are_named(tmp_path: Path) -> None:
    given = {
        "*.e.test": {"X-A": "all", "X-B": "all"},
        "cdn.e.test": {"X-A": "cdn"},
        "https://safe.test": {"X-A": "safe"},
        "[::1]:8080": {"X-A": "six"},
    }
    (tmp_path / "headers.json").write_text(json.dumps(given), encoding="utf-8")
    headers = read_host_headers(str(tmp_path / "headers.json"))
    assert headers.headers_for("http://CDN.e.test:81/x") == {"X-A": "cdn", "X-B": "all"}
    assert headers.headers_for("https://a.b.e.test/") == {"X-A": "all", "X-B": "all"}
    assert headers.headers_for("https://safe.test/") == {"X-A": "safe"}
    assert headers.headers_for("http://[::1]:8080/") == {"X-A": "six"}
    for url in ("http://e.test/", "http://safe.test/", "http://note.test/", "http://[::1]/", "http://xe.test/"):
        assert headers.headers_for(url) == {}


def test_what_cannot_be_sent_stops_the_crawl_before_its_first_request(tmp_path: Path) -> None:
    (tmp_path / "cookies.txt").write_text(COOKIES.format(later=LATER, earlier=EARLIER), encoding="utf-8")
    run = crawl(tmp_path, "url=http://127.0.0.1:9/", settings={"AUDIO_COOKIES": "cookies.txt", "COOKIES_ENABLED": "0"})
    assert (run.code, run.stderr.count("\n")) == (2, 1)
    assert "AUDIO_COOKIES is set, but COOKIES_ENABLED=False" in run.stderr
    run = crawl(tmp_path, "url=http://127.0.0.1:9/", settings={"AUDIO_HEADERS": "none.json"})
    assert (run.code, run.stderr.count("\n")) == (2, 1)
    assert "AUDIO_HEADERS=none.json: could not be read" in run.stderr
