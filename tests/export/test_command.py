"""What a user of ``scrapy export`` sees: the line at the end, the exit code, what is refused."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.export.formats import FORMATS
from tests.commands.collecting import Collection
from tests.crawling import Run
from tests.export.collecting import collect, files_in, ordinary, tone


def run(collection: Collection, tmp_path: Path, *options: str) -> Run:
    return collection.run("export", "--out", str(tmp_path / "set"), *options)


def about(folder: Path) -> Any:
    return json.loads((folder / "set/dataset.json").read_text())


def test_the_line_at_the_end_tells_what_is_in_and_what_is_not_by_reason(collection, tmp_path):
    done = run(collection, tmp_path, "--format", "jsonl", "--split", "50/50", "--split-by", "none")
    assert done.code == 0
    in_train, in_test = (about(tmp_path)["counts"]["splits"][name]["files"] for name in ("train", "test"))
    assert in_train + in_test == 36
    assert (
        f"36 files, 0.0 h -> train {in_train}, test {in_test}; left out: 1 opted out, 1 partial, 1 same samples, "
        in done.stdout
    )
    assert (
        "1 silent; 7 artists are on several sides (--split-by artist): artist 0, artist 1, artist 2, ..." in done.stdout
    )


def test_what_is_left_out_comes_along_when_asked_for(collection, tmp_path):
    assert run(collection, tmp_path, "--format", "jsonl", "--with", "opted-out,partial,silent").code == 0
    assert about(tmp_path)["counts"]["files"] == 39
    assert about(tmp_path)["counts"]["left_out"] == {"same samples": 1}


@pytest.mark.parametrize(
    ("licenses", "expected"),
    [
        ("open", {"CC0-1.0", "CC-BY-4.0"}),
        ("CC-BY-NC-4.0", {"CC-BY-NC-4.0"}),
        ("open,CC-BY-NC-4.0", {"CC0-1.0", "CC-BY-4.0", "CC-BY-NC-4.0"}),
    ],
)
def test_only_files_under_the_licences_that_are_named(collection, tmp_path, licenses, expected):
    assert run(collection, tmp_path, "--format", "jsonl", "--licenses", licenses).code == 0
    rows = [json.loads(line) for line in (tmp_path / "set/files.jsonl").read_text().splitlines()]
    assert {row["license"] for row in rows} == expected
    assert about(tmp_path)["counts"]["left_out"]["no licence"] == 10


def test_where_takes_any_expression_over_the_view_of_files(collection, tmp_path):
    where = "host = 'example.org' AND sample_rate_hz >= 8000 AND title LIKE '%, 1%'"
    assert run(collection, tmp_path, "--format", "csv", "--where", where).code == 0
    with (tmp_path / "set/files.csv").open(newline="") as file:
        titles = {row["title"] for row in csv.DictReader(file)}
    assert titles == {f"Möwe, {number}" for number in range(10, 20)}
    assert about(tmp_path)["where"] == where


def test_nothing_that_matches_is_exit_code_3_and_says_why(collection, tmp_path):
    done = run(collection, tmp_path, "--format", "jsonl", "--where", "duration_ms > 999999")
    assert (done.code, "no row matches" in done.stderr) == (3, True)
    done = run(collection, tmp_path, "--format", "jsonl", "--licenses", "CC-BY-SA-4.0")
    assert (done.code, "10 no licence, 1 opted out, 27 other licence" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--where", "nonsense = 1"), "--where 'nonsense = 1': no such column"),
        (("--where", "1); DROP TABLE audio_metadata; --"), "write one SQL expression"),
        (("--licenses", "CC-BY-5.0"), "--licenses CC-BY-5.0: unknown licence"),
        (("--with", "music"), "--with music: choose from opted-out, partial, silent"),
        (("--split", "90/5"), "--split 90/5: write two or three whole percentages"),
        (("--split", "100/0"), "--split 100/0: write two or three whole percentages"),
        (("--shard", "0/3"), "--shard 0/3: write which part of how many"),
        (("--shard", "4/3"), "--shard 4/3: write which part of how many"),
        (("--rate", "16000"), "--rate: needs --audio flac, wav or opus"),
        (("--mono",), "--mono: needs --audio flac, wav or opus"),
        (("--audio", "opus", "--rate", "44100"), "--rate 44100: is not a rate of opus; choose from 48000"),
        (("--push", "birdsong"), "--push birdsong: not the name of a dataset; write ORG/NAME"),
        (("--push", "a/b", "--shard", "1/2"), "--push: needs the whole set"),
        (("--push", "a/b"), "--push: needs huggingface_hub: pip install 'audiocrawler[hub]'"),
        (("--check", "nowhere"), "--check nowhere: no whole set is there"),
        (("--format", "zip"), "invalid choice: 'zip'"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_code_2(collection, tmp_path, options, message):
    done = run(collection, tmp_path, *options)
    assert done.code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "set").exists()


def test_a_folder_with_other_files_is_left_alone(collection, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/thesis.txt").write_text("mine")
    done = run(collection, tmp_path, "--format", "jsonl")
    assert (done.code, "has files that no export has written" in done.stderr) == (2, True)
    assert files_in(tmp_path / "set").keys() == {"thesis.txt"}


def test_a_set_in_another_format_is_left_alone(collection, tmp_path):
    assert run(collection, tmp_path, "--format", "jsonl").code == 0
    done = run(collection, tmp_path, "--format", "csv")
    assert (done.code, "has a set in the format jsonl" in done.stderr) == (2, True)


@pytest.mark.parametrize("name", FORMATS)
def test_two_runs_give_the_same_bytes(collection, tmp_path, name):
    """At the same place, which Lhotse's manifests name."""
    options = ("--format", name, "--split", "60/20/20", "--text", "title")
    assert run(collection, tmp_path, *options).code == 0
    (tmp_path / "set").rename(tmp_path / "first")
    assert run(collection, tmp_path, *options).code == 0
    assert files_in(tmp_path / "first") == files_in(tmp_path / "set")


def test_the_result_as_json(collection, tmp_path):
    told = json.loads(run(collection, tmp_path, "--format", "jsonl", "--json").stdout)
    assert (told["files"], told["left_out"]["silent"], told["is_whole"]) == (36, 1, True)


def test_the_text_column_is_what_was_asked_for(collection, tmp_path):
    assert run(collection, tmp_path, "--format", "jsonl", "--text", "title").code == 0
    rows = [json.loads(line) for line in (tmp_path / "set/files.jsonl").read_text().splitlines()]
    assert all(row["text"] == row["title"] for row in rows)


def test_no_place_on_this_machine_is_told_to_anybody(collection, tmp_path):
    for name in FORMATS:
        assert run(collection, tmp_path / name, "--format", name).code == 0
        for path in (tmp_path / name / "set").rglob("*"):
            if name != "lhotse" and path.is_file():
                assert str(collection.folder).encode() not in path.read_bytes()


def test_a_collection_that_was_moved_is_exported(tmp_path):
    collect(tmp_path / "before", ordinary(8))
    (tmp_path / "before").rename(tmp_path / "after")
    moved = type(collect(tmp_path / "other", []))(tmp_path / "after")
    assert run(moved, tmp_path, "--format", "webdataset").code == 0
    assert about(tmp_path)["counts"]["files"] == 4


def test_text_of_strangers_is_no_formula_and_no_markup(tmp_path):
    evil = {"title": "=HYPERLINK(1)", "attribution": "@SUM(1)", "host": "<script>x</script>|`"}
    collection = collect(tmp_path, [(tone(0), evil)])
    assert run(collection, tmp_path, "--format", "csv").code == 0
    with (tmp_path / "set/ATTRIBUTION.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["title"], row["creator"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
    assert "<script>" not in (tmp_path / "set/README.md").read_text()
