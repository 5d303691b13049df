"""Transcripts and chapters are stored with their audio, and named in its row."""

import json
import signal
from collections import Counter
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import cast

import pytest

from audiocrawler.model.uris import local_path
from tests.crawling import REPOSITORY, Run, crawl, finish, start
from tests.forking import Forked
from tests.shelf import Answer, File, Shelf

CREEK = (REPOSITORY / "tests/site/audio/creek.wav").read_bytes()
SRT = b"1\n00:00:00,000 --> 00:00:02,000\nThe ferry leaves\n\n2\n00:00:02,000 --> 00:00:04,000\nat seven.\n"
VTT = b"WEBVTT\n\n00:00.000 --> 00:02.000\nDe pont vaart\n"
CHAPTERS = b'{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Quay"}]}'
LONGER_VTT = VTT + b"\n00:02.000 --> 00:04.000\nom zeven uur.\n"
ERROR_PAGE = b"<!doctype html><title>Sorry</title><p>There is no such transcript"


def page_of(*items: str) -> bytes:
    """Return a podcast's feed."""
    return (
        '<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel><title>Ferry</title>'
        f"{''.join(f'<item>{item}</item>' for item in items)}</channel></rss>"
    ).encode()


FEED = page_of(
    '<title>One</title><enclosure url="/a.wav" type="audio/wav"/>'
    '<podcast:transcript url="/one.srt?token=s3cret-s3cret" type="application/srt" language="en"/>'
    '<podcast:transcript url="/one.vtt" type="text/vtt" language="nl"/>'
    '<podcast:transcript url="/lost.vtt" type="text/vtt"/>'
    '<podcast:transcript url="/gone.json" type="application/json"/>'
    '<podcast:transcript url="/private/t.txt" type="text/plain"/>'
    '<podcast:transcript url="/shy.vtt" type="text/vtt"/>'
    '<podcast:chapters url="/one.json" type="application/json+chapters"/>',
    '<title>Two</title><enclosure url="/none.wav" type="audio/wav"/>'
    '<podcast:transcript url="/two.vtt" type="text/vtt"/>',
)


def tagged(body: bytes, content_type: str) -> File:
    return body, {"Content-Type": content_type, "ETag": f'"{sha256(body).hexdigest()[:8]}"'}


def answers() -> dict[str, Answer]:
    return {
        "/feed": (FEED, {"Content-Type": "text/xml"}),
        "/robots.txt": (b"User-agent: *\nDisallow: /private/\n", {"Content-Type": "text/plain"}),
        "/a.wav": tagged(CREEK, "audio/wav"),
        "/one.srt?token=s3cret-s3cret": tagged(SRT, "application/octet-stream"),
        "/one.vtt": tagged(VTT, "text/vtt"),
        "/lost.vtt": (ERROR_PAGE, {"Content-Type": "text/html"}),
        "/private/t.txt": (b"Not for robots", {"Content-Type": "text/plain"}),
        "/shy.vtt": (VTT, {"Content-Type": "text/vtt", "X-Robots-Tag": "noai"}),
        "/one.json": tagged(CHAPTERS, "application/json"),
        "/two.vtt": tagged(VTT, "text/vtt"),
    }


def texts_of(run: Run, path: str) -> list[dict[str, str]]:
    (row,) = (row for url, row in run.sources.items() if url.endswith(path))
    return json.loads(row["texts"] or "[]")  # type: ignore[no-any-return]


def stated(text: dict[str, str]) -> dict[str, str]:
    """Return an entry without what differs between two runs of this test."""
    return {name: value for name, value in text.items() if name not in {"url", "etag", "object"}}


@dataclass(frozen=True)
class Crawled:
    """A crawl of the feed, and one after a transcript has changed."""

    run: Run
    again: Run
    texts: list[dict[str, str]]
    texts_again: list[dict[str, str]]
    requests: Counter[str]
    sent_bytes: Counter[str]


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Crawled:
    folder = tmp_path_factory.mktemp("crawled")
    with Shelf(answers()) as shelf:
        run = crawl(folder, f"url={shelf.url}/feed", "transcripts=yes")
        texts, requests = texts_of(run, "/a.wav"), Counter(shelf.requests)
        shelf.forget()
        shelf.answers["/one.vtt"] = tagged(LONGER_VTT, "text/vtt")
        again = crawl(folder, f"url={shelf.url}/feed", "transcripts=yes")
        return Crawled(run, again, texts, texts_of(again, "/a.wav"), requests, Counter(shelf.sent_bytes))


def test_texts_are_stored_under_their_hash_and_named_in_the_row(crawled: Crawled) -> None:
    assert crawled.run.code == 0, crawled.run.stderr
    srt, vtt, *_, chapters = crawled.texts
    for text, body, ending in ((srt, SRT, "srt"), (vtt, VTT, "vtt"), (chapters, CHAPTERS, "json")):
        path = local_path(text["object"])
        assert (path.read_bytes(), path.name) == (body, f"{sha256(body).hexdigest()}.{ending}")
        assert text["sha256"] == path.stem
    assert [srt["kind"], srt["language"], vtt["media_type"]] == ["transcript", "en", "text/vtt"]
    assert chapters["kind"] == "chapters"
    assert "s3cret" not in json.dumps(crawled.texts)
    assert "chapters    1 (stored with their audio)" in crawled.run.stdout
    assert "transcripts 2 (stored with their audio)" in crawled.run.stdout


def test_what_is_no_transcript_has_its_reason_and_leaves_the_audio_alone(crawled: Crawled) -> None:
    _, _, lost, gone, private, shy, _ = crawled.texts
    assert lost["error"] == "got an HTML page instead of a transcript"
    assert gone["error"] == "HTTP 404"
    assert "robots.txt" in private["error"]
    assert not crawled.requests["/private/t.txt"]
    assert "noai" in shy["error"]
    assert "lost.vtt: transcript of " in crawled.run.log
    (stored,) = (row for url, row in crawled.run.sources.items() if url.endswith("/a.wav"))
    assert (stored["status"], stored["last_error"]) == ("unchanged", None)


def test_without_its_audio_no_text_is_requested(crawled: Crawled) -> None:
    assert not crawled.requests["/two.vtt"]
    assert texts_of(crawled.run, "/none.wav") == []


def test_a_second_crawl_fetches_what_has_changed_and_keeps_the_former_version(crawled: Crawled) -> None:
    srt, vtt, *_, former = crawled.texts_again
    assert stated(srt) == stated(crawled.texts[0])
    assert crawled.sent_bytes["/one.srt?token=s3cret-s3cret"] == 0
    assert (vtt["sha256"], former["sha256"]) == (sha256(LONGER_VTT).hexdigest(), sha256(VTT).hexdigest())
    assert (former["former"], "former" in vtt) == ("yes", False)
    assert len(crawled.again.objects) == 5


def test_without_the_argument_no_text_is_requested(tmp_path: Path) -> None:
    with Shelf(answers()) as shelf:
        run = crawl(tmp_path, f"url={shelf.url}/feed")
        assert not shelf.requests["/one.vtt"]
        assert texts_of(run, "/a.wav") == []
        crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes")  # the audio is known and unchanged
        assert shelf.requests["/a.wav"] == 2
    assert [text["kind"] for text in texts_of(run, "/a.wav") if "object" in text] == [*["transcript"] * 2, "chapters"]


def kill_first(running: list[Forked], body: File) -> File:
    running[0].kill()
    return body


def test_a_kill_at_any_text_loses_none_of_them(tmp_path: Path) -> None:
    with Shelf(answers()) as shelf:
        arguments = (f"url={shelf.url}/feed", "transcripts=yes")
        for path in ("/one.srt?token=s3cret-s3cret", "/one.vtt", "/one.json"):
            running: list[Forked] = []
            body = cast(File, shelf.answers[path])
            shelf.answers[path] = partial(kill_first, running, body)
            running.append(start(tmp_path, *arguments))
            assert finish(running[0], tmp_path).code == -signal.SIGKILL
            shelf.answers[path] = body
        run = crawl(tmp_path, *arguments)
        assert "resuming" in run.stderr
        assert shelf.requests["/a.wav"] == 1
    objects = [local_path(text["object"]).name for text in texts_of(run, "/a.wav") if "object" in text]
    assert objects == [
        f"{sha256(body).hexdigest()}.{end}" for body, end in ((SRT, "srt"), (VTT, "vtt"), (CHAPTERS, "json"))
    ]
    assert len(run.objects) == 4


def command(folder: Path, *words: str) -> Run:
    return crawl(folder, command=words)


def test_verify_knows_the_texts_and_has_damaged_ones_fetched_again(tmp_path: Path) -> None:
    with Shelf(answers()) as shelf:
        run = crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes")
        assert command(tmp_path, "verify").code == 0
        srt, vtt, *_ = texts_of(run, "/a.wav")
        local_path(srt["object"]).unlink()
        local_path(vtt["object"]).write_bytes(VTT.upper())
        verified = command(tmp_path, "verify", "--hash")
        assert verified.code == 4
        assert "transcript or chapters missing: 1" in verified.stdout
        assert "wrong hash: 1" in verified.stdout
        crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes")
    assert command(tmp_path, "verify", "--hash").code == 0


def test_sync_takes_the_texts_along(crawled: Crawled, tmp_path: Path) -> None:
    there = Run(0, "", "", tmp_path)
    places = ("--to-store", f"{tmp_path}/data/objects", "--to-warehouse", f"sqlite:{tmp_path}/data/audio.db")
    done = command(crawled.run.folder, "sync", *places)
    assert done.code == 0, done.stderr
    assert [path.name for path in there.objects] == [path.name for path in crawled.run.objects]
    objects = [text["object"] for text in texts_of(there, "/a.wav") if "object" in text]
    assert len(objects) == 4
    assert all(local_path(url).is_relative_to(tmp_path) for url in objects)


def test_a_takedown_removes_the_texts_with_their_audio(tmp_path: Path) -> None:
    with Shelf(answers()) as shelf:
        run = crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes")
        assert len(run.objects) == 4
        assert command(tmp_path, "takedown", "--source", f"{shelf.url}/one.vtt", "--yes").code == 0
        assert len(run.objects) == 3
        assert texts_of(run, "/a.wav")[1]["error"] == "taken down"
        shelf.forget()
        crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes")
        assert not shelf.requests["/one.vtt"]
        assert command(tmp_path, "takedown", "--source", f"{shelf.url}/a.wav", "--yes").code == 0
    assert run.objects == []
    assert command(tmp_path, "verify").code == 0


def test_an_export_has_the_words_of_the_stored_transcript(crawled: Crawled, tmp_path: Path) -> None:
    out = ("--format", "jsonl", "--out", str(tmp_path / "set"), "--text", "transcript")
    done = command(crawled.run.folder, "export", *out)
    assert done.code == 0, done.stderr
    (row,) = map(json.loads, (tmp_path / "set/files.jsonl").read_text(encoding="utf-8").splitlines())
    assert row["text"] == "De pont vaart\nom zeven uur."
    assert "transcript" not in row


def test_the_last_file_of_a_limit_has_its_texts(tmp_path: Path) -> None:
    with Shelf(answers()) as shelf:
        run = crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes", "limit=1")
    assert sum("object" in text for text in texts_of(run, "/a.wav")) == 3


def test_a_text_without_validators_that_always_changes_is_stored_three_times(tmp_path: Path) -> None:
    bodies = (f"Hello {number}".encode() for number in count())
    page = page_of(
        '<enclosure url="/a.wav" type="audio/wav"/><podcast:transcript url="/t.txt" type="text/plain" language="en"/>'
    )
    with Shelf({"/feed": (page, {"Content-Type": "text/xml"}), "/a.wav": tagged(CREEK, "audio/wav")}) as shelf:
        shelf.answers["/t.txt"] = lambda: (next(bodies), {"Content-Type": "text/plain"})
        for _ in range(4):
            run = crawl(tmp_path, f"url={shelf.url}/feed", "transcripts=yes")
        assert shelf.requests["/t.txt"] == 3
    assert [text.get("former") for text in texts_of(run, "/a.wav")] == [None, "yes", "yes"]


def test_listing_cannot_be_combined_with_transcripts(tmp_path: Path) -> None:
    run = crawl(tmp_path, "url=https://example.org/", "transcripts=yes", "download=no")
    assert (run.code, len(run.stderr.splitlines())) == (2, 1)
    assert "-a transcripts=yes" in run.stderr
