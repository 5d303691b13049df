"""A folder of data that was moved or renamed is the same collection: found by its hashes, nothing lost or doubled."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawling import REPOSITORY, Run, crawl
from tests.shelf import Answer, Shelf

AUDIO = sorted((REPOSITORY / "tests/site/audio").glob("*.mp3"))[:8]
TAGGED = AUDIO[:4]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    answers: dict[str, Answer] = {}
    for body in AUDIO:
        tag = {"ETag": f'"{body.name}"'} if body in TAGGED else {}
        answers[f"/{body.name}"] = (body.read_bytes(), {"Content-Type": "audio/mpeg", **tag})
    with Shelf(answers) as served:
        yield served


@pytest.fixture
def moved(shelf: Shelf, tmp_path: Path) -> Run:
    """Return a crawl whose folder has another name than when it ran."""
    (tmp_path / "old").mkdir()
    before = crawl(tmp_path / "old", f"url={shelf.url}/")
    assert len(before.objects) == len(AUDIO)
    (tmp_path / "old").rename(tmp_path / "a new place")
    shelf.forget()
    return Run(0, "", "", tmp_path / "a new place")


def places(folder: Path) -> dict[str, str]:
    return {"AUDIO_STORE": str(folder / "data/objects"), "AUDIO_WAREHOUSE": f"sqlite:{folder}/data/audio.db"}


def assert_whole(run: Run) -> None:
    """Every row names a file that is there, each content has one row, and each source names the same file."""
    urls = {row["gcp_url"] for row in run.audio}
    assert urls == {path.as_uri() for path in run.objects}
    assert len(run.audio) == len(run.objects) == len(AUDIO)
    assert {row["gcp_url"] for row in run.sources.values()} == urls


@pytest.mark.parametrize("refresh", ["changed", "all"])
def test_the_next_crawl_transfers_and_doubles_nothing(moved: Run, shelf: Shelf, refresh: str) -> None:
    run = crawl(
        moved.folder,
        f"url={shelf.url}/",
        f"refresh={refresh}",
        "fresh=yes",
        command=("crawl", "audio", "-O", "o.jsonl"),
    )
    assert (run.code, "unchanged   8 " in run.stdout) == (0, True), run.stdout + run.stderr
    if refresh == "changed":
        assert [path for path in shelf.sent_bytes if path in {f"/{body.name}" for body in TAGGED}] == []
    assert_whole(run)
    for line in (run.folder / "o.jsonl").read_text().splitlines():
        item = json.loads(line)
        (path,) = {item["files"][0]["path"], item["source"]["gcp_url"], item["audio"]["gcp_url"]}
        assert path in {each.as_uri() for each in run.objects}
    verified = crawl(run.folder, command=("verify", "--hash", "--offline"))
    assert (verified.code, "moved" in verified.stdout) == (0, False)


def test_verify_and_sync_find_it_from_any_folder(moved: Run, tmp_path: Path) -> None:
    settings = places(moved.folder)
    run = crawl(tmp_path, command=("verify", "--hash", "--offline"), settings=settings)
    assert run.code == 0, run.stdout
    note, summary = run.stdout.splitlines()
    assert note.startswith(f"the store has moved: {len(AUDIO)} files are here under their hash")
    assert f"such as file://{tmp_path}/old/data/objects/sha256/" in note
    assert summary.endswith("no problems")
    elsewhere = crawl(tmp_path, command=("sync", "--to-warehouse", f"sqlite:{tmp_path}/rows.db"), settings=settings)
    assert elsewhere.code == 0, elsewhere.stderr
    itself = crawl(tmp_path, command=("sync", "--to-warehouse", settings["AUDIO_WAREHOUSE"]), settings=settings)
    assert itself.code == 0, itself.stderr
    assert_whole(moved)
    there = crawl(tmp_path, command=("verify", "--warehouse", f"sqlite:{tmp_path}/rows.db"), settings=settings)
    assert (there.code, "moved" in there.stdout) == (0, False)


def test_a_takedown_removes_it_where_it_is(moved: Run, shelf: Shelf, tmp_path: Path) -> None:
    url = f"{shelf.url}/{AUDIO[0].name}"
    run = crawl(tmp_path, command=("takedown", "--source", url, "--yes"), settings=places(moved.folder))
    assert run.code == 0, run.stderr
    assert f"removed object {(moved.folder / 'data/objects').as_uri()}" in run.stdout
    assert len(moved.objects) == len(moved.audio) == len(AUDIO) - 1


def test_what_is_missing_after_a_move_is_still_a_problem(moved: Run) -> None:
    moved.objects[0].unlink()
    run = crawl(moved.folder, command=("verify",))
    assert (run.code, "object missing: 1" in run.stdout) == (4, True)
    assert f"{len(AUDIO) - 1} files are here" in run.stdout
