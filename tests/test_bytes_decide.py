"""What comes decides, not what was expected: audio where a page was asked for, a document where audio was."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import Run, crawl
from tests.site.tones import tone_wav
from tests.strange_server import Wire, strange

Answer = tuple[bytes, str | None, tuple[str, ...]]
_numbers = iter(range(1000))
MP3 = (Path(__file__).parent / "site/audio/surf.mp3").read_bytes()
PDF, GIF = b"%PDF-1.4\n" + bytes(5000), b"GIF89a" + bytes(5000)
OCTETS = "application/octet-stream"


def wav(kind: str | None = "audio/wav", *headers: str) -> Answer:
    return tone_wav(next(_numbers)), kind, headers


def page(*parts: str, kind: str | None = "text/html") -> Answer:
    return ("<!doctype html><title>t</title>" + "".join(parts)).encode(), kind, ()


def link(url: str) -> str:
    return f'<p><a href="{url}">{url}</a></p>'


STARTS: dict[str, Answer] = {
    "/octets": wav(OCTETS),
    "/binary/001": wav("binary/octet-stream"),
    "/untyped": wav(None),
    "/plain": wav("text/plain; charset=utf-8"),
    "/html": wav("text/html"),
    "/saved": wav("text/html", 'Content-Disposition: attachment; filename="a b.wav"'),
    "/named/by/its/header": (b"\x01\x9a" * 4000, OCTETS, ('Content-Disposition: attachment; filename="x.mp3"',)),
}
LINKED: dict[str, Answer] = {
    "/files/1": wav(OCTETS, 'Content-Disposition: attachment; filename="interview.wav"'),
    "/files/2/download": wav("text/plain"),
    "/files/3": wav(None),
    "/files/4": (MP3, "application/x-download", ()),
}
LANDINGS: dict[str, Answer] = {
    "/view/talk.wav": page('<audio controls src="/raw/talk.wav"></audio>'),
    "/view/large.mp3": page("<p>" + "words " * 20_000, link("/raw/large.wav")),
    "/list/all.mp3": (b"#EXTM3U\n/raw/listed.wav\n", "audio/mpeg", ()),
    "/api/4.mp3": (b'{"title": "Four", "audio": "/raw/four.wav"}', "application/json", ()),
    "/round/a.mp3": page(link("/round/b.mp3"), link("/round/a.mp3")),
    "/round/b.mp3": page(link("/round/a.mp3"), link("/round/c.mp3")),
}
RAW = {f"/raw/{name}.wav": wav() for name in ("talk", "large", "listed", "four")}
THROWN: dict[str, tuple[Answer, str]] = {
    "/report": ((PDF, "application/pdf", ()), "got a PDF document instead of a page"),
    "/picture": ((GIF, "image/gif", ()), "got a GIF image instead of a page"),
    "/unknown": ((b"\0\1\2\3" * 3000, OCTETS, ()), "got application/octet-stream instead of a page"),
}
HOME = page(*map(link, [*LINKED, *LANDINGS, *THROWN]))
SITE = {**STARTS, **LINKED, **LANDINGS, **RAW, **{path: answer for path, (answer, _) in THROWN.items()}, "/": HOME}


@dataclass
class Crawled:
    run: Run
    rows: dict[str, dict[str, Any]]
    asked: list[str]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crawled]:
    def answer(wire: Wire, path: str) -> None:
        if path not in SITE:
            wire.body("", status="404 Not Found")
            return
        body, kind, headers = SITE[path]
        head = [f"Content-Length: {len(body)}", *headers, *([f"Content-Type: {kind}"] if kind else [])]
        wire.send("\r\n".join(["HTTP/1.1 200 OK", *head, "Connection: close", "", ""]).encode() + body)

    folder = tmp_path_factory.mktemp("bytes")
    with strange(answer) as server:
        (folder / "starts").write_text("\n".join(server.url + path for path in ("/", *STARTS)), encoding="utf-8")
        run = crawl(folder, "urls=starts", "depth=1", "render=never")
        rows = {url.removeprefix(server.url): row for url, row in run.sources.items()}
        yield Crawled(run, rows, [path for _, path, _ in server.requests])


def test_audio_is_taken_whatever_type_its_start_or_link_has(crawled: Crawled) -> None:
    expected = dict.fromkeys((*STARTS, *LINKED), "stored") | {"/named/by/its/header": "undecodable"}
    assert {path: crawled.rows[path]["status"] for path in expected} == expected


def test_a_document_in_place_of_audio_is_searched_and_has_its_row(crawled: Crawled) -> None:
    assert {path: crawled.rows[path]["status"] for path in RAW} == dict.fromkeys(RAW, "stored")
    for path in LANDINGS:
        assert crawled.rows[path]["status"] == "not_audio"
        assert crawled.rows[path]["reason"].endswith("instead of audio")
    assert crawled.rows["/raw/talk.wav"]["page_url"].endswith("/view/talk.wav")


def test_documents_that_lead_to_each_other_end(crawled: Crawled) -> None:
    assert {path: crawled.asked.count(path) for path in ("/round/a.mp3", "/round/b.mp3", "/round/c.mp3")} == {
        "/round/a.mp3": 2,  # as a file, then as a document
        "/round/b.mp3": 2,
        "/round/c.mp3": 1,
    }


def test_what_is_neither_page_nor_audio_has_a_row(crawled: Crawled) -> None:
    for path, (_, reason) in THROWN.items():
        row = crawled.rows[path]
        assert (row["kind"], row["status"], row["reason"]) == ("page", "not_audio", reason)


def test_a_site_that_answers_with_pages_for_missing_files_is_not_asked_for_all_of_them_twice(tmp_path: Path) -> None:
    missing = [f"/gone/{number}.mp3" for number in range(60)]
    asked: list[str] = []

    def answer(wire: Wire, path: str) -> None:
        asked.append(path)
        wire.body("<!doctype html><title>Not found</title>" if path in missing else "".join(map(link, missing)))

    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", "render=never")
    assert {row["status"] for row in run.sources.values()} == {"not_audio"}
    assert len(missing) < len([path for path in asked if path in missing]) < 1.5 * len(missing)
