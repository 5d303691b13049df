"""Hubs as a crawl meets them: their real hosts, answered on loopback through a proxy."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import Run, crawl
from tests.emulators.http_proxy import HttpProxy
from tests.site.tones import tone_wav
from tests.test_tls import issue

SECRET = "tSeCrEt"
TOKENS = {"HF_TOKEN": f"hf_{SECRET}", "GITHUB_TOKEN": f"gh_{SECRET}", "XENO_CANTO_KEY": f"xc_{SECRET}"}
BY = "https://creativecommons.org/licenses/by/4.0/"


@dataclass
class Web:
    """Servers of any name, by URL without query; ``asked`` has method, URL and Authorization of each request."""

    pages: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def urls(self, method: str = "GET") -> list[str]:
        return [url for how, url, _ in self.asked if how == method]


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers from the pages of its server's ``web``: JSON for lists and objects, WAV for bytes, else HTML or XML."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        web: Web = self.server.web  # type: ignore[attr-defined]
        url = f"https://{self.headers['Host']}{self.path}"
        web.asked.append((self.command, url, self.headers["Authorization"]))
        page = web.pages.get(url, web.pages.get(url.partition("?")[0]))
        if self.command == "PROPFIND":
            page = web.pages.get(f"PROPFIND {url}") if self.headers["Depth"] == "1" else None
        body, kind, following = content(page)
        self.send_response(404 if page is None else 207 if self.command == "PROPFIND" else 200)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **following}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_PROPFIND = do_GET  # noqa: N815 -- the name is that of the method

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def content(page: Any) -> tuple[bytes, str, dict[str, str]]:
    """Return body, type and further headers of a page; a pair is a page with the URL of the next one."""
    if isinstance(page, tuple):
        body, kind, _ = content(page[0])
        return body, kind, {"Link": f'<{page[1]}>; rel="next"'}
    if isinstance(page, bytes):
        return page, "audio/wav", {}
    if isinstance(page, dict | list):
        return json.dumps(page).encode(), "application/json", {}
    text = page or ""
    kind = (
        "text/plain"
        if text.startswith("User-agent")
        else "application/xml"
        if text.startswith("<?xml")
        else "text/html"
    )
    return text.encode(), kind, {}


@contextmanager
def proxied(web: Web, folder: Path) -> Iterator[HttpProxy]:
    """Answer all https URLs from ``web``, behind a proxy that leads every name there."""
    identity = issue("any", None)
    (folder / "any.pem").write_bytes(identity.key_pem + identity.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "any.pem")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.web = web  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    hosts = {url.removeprefix("PROPFIND ").split("/")[2] for url in web.pages}
    with HttpProxy(dict.fromkeys(hosts, "127.0.0.1"), ports={443: server.server_address[1]}) as proxy:
        yield proxy
    server.shutdown()
    server.server_close()


def dav(*members: str) -> str:
    """Return the members of a WebDAV folder; those that end with a slash are folders."""
    kinds = {True: "<resourcetype><collection/></resourcetype>", False: "<getcontentlength>9</getcontentlength>"}
    return f"""<?xml version="1.0"?><multistatus xmlns="DAV:">{
        "".join(
            f"<response><href>{each}</href><propstat><prop>{kinds[each.endswith('/')]}</prop></propstat></response>"
            for each in members
        )
    }</multistatus>"""


HF, GITHUB = "https://huggingface.co/api/datasets/shore/bells", "https://api.github.com/repos/shore/bells"
SHARE = "https://cloud.test/public.php/dav/files/Ab12Cd34/"
DRIVE = "https://drive.usercontent.google.com/download"
GCS = "https://storage.googleapis.com/storage/v1/b/corp/o"
FILES = {
    "hf 1": "https://huggingface.co/datasets/shore/bells/resolve/main/eu/one.wav",
    "hf 2": "https://huggingface.co/datasets/shore/bells/resolve/main/eu/two.wav",
    "github": "https://raw.githubusercontent.com/shore/bells/main/eu/de/three.wav",
    "share": f"{SHARE}eu/de/four.wav",
    "gcs": "https://storage.googleapis.com/corp/eu/five.wav",
    "gitlab": "https://gitlab.test/shore/bells/-/raw/main/six.wav",
    "xeno-canto": "https://xeno-canto.org/42/download",
    "drive": f"{DRIVE}?id=1AbCdEfGhIjKlMn&confirm=t&uuid=7",
}
SHARED = f"{DRIVE}?id=2AbCdEfGhIjKlMn&export=download&confirm=t"
STARTS = (
    "https://huggingface.co/datasets/shore/bells/tree/main/eu",
    "https://github.com/shore/bells/tree/main/eu",
    "https://cloud.test/s/Ab12Cd34",
    "gs://corp/eu/",
    "https://gitlab.test/shore/bells",
    "https://xeno-canto.org/42",
    "https://drive.google.com/file/d/1AbCdEfGhIjKlMn/view",
    "https://site.test/",
)


def unscanned(name: str) -> str:
    """Return the page that Drive shows for files that are too large for it to scan."""
    inputs = {"id": name, "confirm": "t", "uuid": "7"}
    hidden = "".join(f'<input type="hidden" name="{key}" value="{value}">' for key, value in inputs.items())
    return f'<html><p>Too large</p><form id="download-form" action="{DRIVE}" method="get">{hidden}</form></html>'


def pages() -> dict[str, Any]:
    tree = f"{HF}/tree/main/eu?recursive=true"
    repository = {"full_name": "shore/bells", "default_branch": "main", "license": {"spdx_id": "CC0-1.0"}}
    blobs = [{"type": "blob", "path": path, "size": 9000} for path in ("eu/de/three.wav", "other.wav")]
    recording = {"file": FILES["xeno-canto"], "file-name": "XC42.wav", "rec": "Ann", "lic": BY.removeprefix("https:")}
    return {
        **{url: tone_wav(number) for number, url in enumerate(FILES.values(), 1)},
        f"{HF}/revision/main": {"id": "shore/bells", "author": "shore", "cardData": {"license": "cc-by-4.0"}},
        tree: ([{"type": "file", "path": "eu/one.wav", "size": 9}], f"{tree}&cursor=2"),
        f"{tree}&cursor=2": [{"type": "file", "path": "eu/two.wav", "size": 9}],
        GITHUB: repository,
        f"{GITHUB}/git/trees/main": {"sha": "1", "tree": blobs, "truncated": False},
        "https://cloud.test/s/Ab12Cd34": "<html><head><title>Bells - Nextcloud</title></head></html>",
        f"PROPFIND {SHARE}": dav("/public.php/dav/files/Ab12Cd34/", "/public.php/dav/files/Ab12Cd34/eu/"),
        f"PROPFIND {SHARE}eu/": dav("/public.php/dav/files/Ab12Cd34/eu/", "/public.php/dav/files/Ab12Cd34/eu/de/"),
        f"PROPFIND {SHARE}eu/de/": dav("/public.php/dav/files/Ab12Cd34/eu/de/four.wav"),
        GCS: {"kind": "storage#objects", "nextPageToken": "2"},
        f"{GCS}?prefix=eu%2F&maxResults=1000&pageToken=2": {
            "kind": "storage#objects",
            "items": [{"bucket": "corp", "name": "eu/five.wav", "size": "9000"}],
        },
        "https://gitlab.test/robots.txt": "User-agent: *\nDisallow: /api/\n",
        "https://gitlab.test/shore/bells": '<html><a href="/shore/bells/-/raw/main/six.wav">six</a></html>',
        f"{DRIVE}?id=1AbCdEfGhIjKlMn&export=download&confirm=t": unscanned("1AbCdEfGhIjKlMn"),
        SHARED: unscanned("2AbCdEfGhIjKlMn"),
        f"{DRIVE}?id=2AbCdEfGhIjKlMn&confirm=t&uuid=7": tone_wav(99),
        "https://site.test/": '<html><a href="https://drive.google.com/open?id=2AbCdEfGhIjKlMn">nine.wav</a></html>',
        "https://xeno-canto.org/api/3/recordings": {"numPages": 1, "page": 1, "recordings": [recording]},
    }


@pytest.fixture(scope="module")
def run_and_web(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Web]:
    """Return a crawl of a start of each kind."""
    folder, web = tmp_path_factory.mktemp("hubs"), Web(pages())
    with proxied(web, folder) as proxy:
        settings = {"DOWNLOAD_VERIFY_CERTIFICATES": "False", "LOG_LEVEL": "DEBUG", "RETRY_TIMES": "0"}
        settings["AUDIO_ALLOW_ADDRESSES"] = "127.0.0.0/8"
        env = {**TOKENS, "https_proxy": proxy.url, "no_proxy": ""}
        return crawl(folder, f"url={' '.join(STARTS)}", settings=settings, env=env), web


def test_every_listing_is_followed_to_its_end_and_every_file_stored(run_and_web: tuple[Run, Web]) -> None:
    run, _ = run_and_web
    assert run.code == 0
    stored = {url for url, row in run.sources.items() if row["status"] in {"stored", "duplicate"}}
    assert stored == {*FILES.values(), SHARED}


def test_the_page_of_a_file_that_was_not_scanned_is_passed(run_and_web: tuple[Run, Web]) -> None:
    run, web = run_and_web
    assert run.sources[SHARED]["page_url"] == "https://site.test/"
    assert f"{DRIVE}?id=2AbCdEfGhIjKlMn&confirm=t&uuid=7" in web.urls()


def test_what_a_hub_states_reaches_the_rows(run_and_web: tuple[Run, Web]) -> None:
    run, _ = run_and_web
    licences = {name: run.sources[url]["license"] for name, url in FILES.items()}
    assert licences["hf 2"] == licences["xeno-canto"] == "CC-BY-4.0"
    assert licences["github"] == "CC0-1.0"
    assert run.sources[FILES["hf 1"]]["license_found_in"].startswith("hub")
    assert run.sources[FILES["xeno-canto"]]["attribution"] == "Ann"
    assert run.sources[FILES["gcs"]]["declared_size_bytes"] == 9000


def test_a_token_is_sent_to_its_own_service_and_kept_nowhere(run_and_web: tuple[Run, Web]) -> None:
    run, web = run_and_web
    with_token = {url.split("/")[2]: login for _, url, login in web.asked if login}
    assert with_token == {"huggingface.co": f"Bearer hf_{SECRET}", "api.github.com": f"Bearer gh_{SECRET}"}
    assert {url.split("/")[2] for _, url, _ in web.asked if f"xc_{SECRET}" in url} == {"xeno-canto.org"}
    kept = [path.name for path in run.folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert [name for name in kept if not name.startswith("frontier.db")] == []
    assert SECRET not in run.stdout + run.stderr + run.log


def test_a_listing_that_robots_txt_forbids_is_not_asked_for_and_its_page_is_searched(
    run_and_web: tuple[Run, Web],
) -> None:
    _, web = run_and_web
    asked = web.urls()
    assert not [url for url in asked if url.startswith("https://gitlab.test/api/")]
    assert "https://gitlab.test/shore/bells" in asked
    hosts = {url.split("/")[2] for url in asked}
    assert {f"https://{host}/robots.txt" for host in hosts} <= set(asked)
    assert "https://github.com/shore/bells/tree/main/eu" not in asked


def test_folders_are_asked_for_as_webdav_wants_it(run_and_web: tuple[Run, Web]) -> None:
    _, web = run_and_web
    assert web.urls("PROPFIND") == [SHARE, f"{SHARE}eu/", f"{SHARE}eu/de/"]
