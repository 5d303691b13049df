"""A crawl of pages that are full of secrets, at the most talkative log level: none of them is kept or passed on."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiocrawler.crawl.rows import mask_row
from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import mask_text
from tests.crawling import crawl
from tests.origins import TONE, Origin

USER, PASSWORD = "annaSeCrEt", "hushSeCrEt"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@pytest.fixture
def origins() -> Iterator[tuple[Origin, Origin]]:
    home, other = Origin("127.0.0.1"), Origin("127.0.0.2")
    yield home, other
    home.close()
    other.close()


def fill(home: Origin, other: Origin) -> None:
    there = f"http://{other.netloc}"
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTZUNyRXQifQ.SeCrEtSignature12"
    linked = f"{there}/files/2024/linked.mp3?sig=SeCrEt01"
    metadata = {"@type": "AudioObject", "contentUrl": f"{there}/files/2024/meta.mp3?X-Amz-Signature=SeCrEt02"}
    metadata |= {"name": "see https://u.test/?token=SeCrEt03", "license": "https://l.test/by?api_key=SeCrEt04"}
    home.html(
        "/",
        f"""<!doctype html><title>Mine: https://me:SeCrEt05@h.test/</title>
        <script type="application/ld+json">{json.dumps(metadata)}</script>
        <a href="{linked}">{linked}</a>
        <audio src="/moved.mp3?token=SeCrEt06"></audio>
        <audio src="{there}/files/2024/lost.mp3?token=SeCrEt07"></audio>
        <audio src="{there}/files/2024/broken.mp3?token=SeCrEt08"></audio>
        <audio src="http://127.0.0.1:9/files/2024/closed.mp3?token=SeCrEt09"></audio>
        <audio src="{there}/files/2024/{jwt}/odd.mp3"></audio>
        <audio src="http://10.0.0.1/files/2024/inside.mp3?token=SeCrEt10"></audio>
        <a href="/page-moved?session=SeCrEt11">next</a>
        <a href="/private?password=SeCrEt12">next</a>""",
        **{"Set-Cookie": "sid=SeCrEt13; Path=/"},
    )
    home.redirect("/moved.mp3", f"{there}/files/2024/moved.mp3?Expires=9&Signature=SeCrEt14")
    home.redirect("/page-moved", f"{there}/page?token=SeCrEt15")
    home.html("/private", '<audio src="/own.mp3?token=SeCrEt16"></audio>')
    home.audio("/own.mp3", TONE[:-700], **{"Content-Disposition": 'attachment; filename="x?token=SeCrEt17"'})
    other.html("/page", "<p>nothing</p>", **{"Set-Cookie": "other=SeCrEt18"})
    for name in ("linked", "meta", "moved"):
        other.audio(f"/files/2024/{name}.mp3", ETag='"1"')
    other.pages["/files/2024/broken.mp3"] = (500, {}, b"")


def test_no_secret_is_kept_shown_or_passed_on(origins: tuple[Origin, Origin], tmp_path: Path) -> None:
    home, other = origins
    fill(home, other)
    settings = {
        "LOG_LEVEL": "DEBUG",
        "COOKIES_DEBUG": "True",
        "RETRY_TIMES": "1",
        "MAIL_FROM": "https://me:SeCrEt20@mail.test/",
        "FEEDS": json.dumps({str(tmp_path / "items.jsonl"): {"format": "jsonlines"}}),
    }
    start = f"http://{USER}:{PASSWORD}@{home.netloc}/?feed_token=SeCrEt19"
    run = crawl(tmp_path, f"url={start}", "depth=2", settings=settings)
    assert run.code == 0
    assert {row["status"] for row in run.sources.values()} == {"stored", "duplicate", "failed", "denied", "robots"}
    assert len(run.sources) == 9
    assert any("Cookie" in line for line in run.log.splitlines())
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or leaks(path.read_bytes()) == [], path
    assert leaks((run.stdout + run.stderr).encode()) == []
    assert_passed_on_to_nobody(home, other)


def leaks(data: bytes) -> list[bytes]:
    """Return the lines with a secret."""
    secrets = (b"SeCrEt", AUTHORIZATION.partition(" ")[2].encode())
    return [line[:300] for line in data.splitlines() if any(secret in line for secret in secrets)]


def assert_passed_on_to_nobody(home: Origin, other: Origin) -> None:
    pages = [headers for path, headers in home.asked if not path.startswith(("/robots.txt", "/.well-known/"))]
    assert {headers.get("Authorization") for headers in pages} == {AUTHORIZATION}
    assert any("SeCrEt13" in headers.get("Cookie", "") for headers in pages)
    assert len(other.asked) > 6
    for path, headers in other.asked:
        assert (
            leaks("\n".join(f"{name}: {value}" for name, value in headers.items() if name != "Cookie").encode()) == []
        )
        assert "SeCrEt13" not in headers.get("Cookie", ""), path
        assert "Authorization" not in headers


@pytest.mark.parametrize(
    "line",
    [
        "Sending cookies to: <GET https://e.test/>\nCookie: a=SeCrEt; b=2\n",
        "Received cookies from: <200 https://e.test/>\nSet-Cookie: a=SeCrEt; Path=/\nSet-Cookie: b=SeCrEt\n",
        "Authorization: Bearer SeCrEt",
        "proxy-authorization: Basic SeCrEt",
    ],
)
def test_headers_that_open_something_are_masked(line: str) -> None:
    assert "SeCrEt" not in mask_text(line)
    assert mask_text(line).count("\n") == line.count("\n")
    assert "https://e.test/>" in mask_text(line) or "https" not in line


def test_what_a_document_writes_into_a_row_is_masked_and_what_we_write_is_not() -> None:
    row = AudioSource(source_url="https://e.test/a", status=Status.STORED, gcp_url="file:///home/me/?token=mine/x.mp3")
    row.title = "at https://e.test/?token=SeCrEt"
    mask_row(row)
    assert row.title.startswith("at https://e.test/?token=~")
    assert row.gcp_url == "file:///home/me/?token=mine/x.mp3"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://me:SeCrEt@e.test/",
        "me:SeCrEt@e.test/a",
        "http://me:SeCrEt@e.test:x/",
        "http://me:SeCrEt@/",
        "http://me:SeCr/Et@e.test/",
    ],
)
def test_a_wrong_start_is_named_without_its_password(url: str, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={url}")
    assert run.code == 2
    assert "SeCr" not in run.stderr
    (tmp_path / "urls.txt").write_text(url + "\n", encoding="utf-8")
    assert "SeCr" not in crawl(tmp_path, "urls=urls.txt").stderr
