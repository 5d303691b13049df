"""--json prints one object, and nothing else, on standard output."""

import json
from pathlib import Path
from typing import Any

from tests.commands.collecting import FILES, SOURCES, Collection
from tests.crawling import Run
from tests.export.collecting import collect, ordinary


def only_object(run: Run) -> dict[str, Any]:
    assert run.stdout.count("\n") == 1
    result: dict[str, Any] = json.loads(run.stdout)
    return result


def verified(collection: Collection, *words: str) -> tuple[int, dict[str, Any]]:
    run = collection.run("verify", "--json", *words)
    return run.code, only_object(run)


def test_verify_tells_programs_what_it_tells_people(collection: Collection) -> None:
    code, clean = verified(collection)
    assert (code, clean["problems"], clean["to_mend"], clean["mend_with"]) == (0, [], 0, None)
    assert (clean["audio_rows"], clean["source_rows"], clean["objects"]) == (FILES, SOURCES, FILES)
    assert (clean["moved"], clean["rows_waiting"], clean["servers"]) == (0, 0, None)
    lost, short, *_ = collection.audio()
    collection.path_of(lost).unlink()
    collection.path_of(short).write_bytes(b"short")
    code, broken = verified(collection, "--hash", "--offline")
    assert code == 4
    problems = {problem["name"]: problem for problem in broken["problems"]}
    assert problems["object missing"] == {"name": "object missing", "number": 1, "examples": [lost.gcp_url]}
    assert "wrong hash" in problems
    assert broken["mend_with"] == "scrapy retry --reason verify:"


def test_what_is_wrong_with_the_settings_is_still_a_line_on_standard_error(collection: Collection) -> None:
    run = collection.run("verify", "--json", "--store", "file:elsewhere")
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.startswith("scrapy: error: store file:elsewhere")


def test_report_tells_programs_what_it_has_written(tmp_path: Path) -> None:
    collection = collect(tmp_path, ordinary(8))
    done = collection.run("report", "--json", "--rows", "5", "--listen", "2", "--out", "seen.html")
    size_bytes = (tmp_path / "seen.html").stat().st_size
    assert (done.code, done.stderr) == (0, "")
    told = {"report": "seen.html", "files": 8, "urls": 8, "rows": 5, "previews": 2, "size_bytes": size_bytes}
    assert only_object(done) == told


def test_export_tells_programs_what_it_tells_people(tmp_path: Path) -> None:
    collection = collect(tmp_path, ordinary(8))
    options = ("export", "--format", "webdataset", "--json", "--split", "50/50")
    part = only_object(collection.run(*options, "--shard", "1/2"))
    assert (part["is_whole"], part["shards"], part["shards_done"]) == (False, 2, 1)
    done = collection.run(*options)
    told = only_object(done)
    assert (done.code, done.stderr) == (0, "")
    assert (told["out"], told["is_whole"], told["shards_done"]) == ("data/export/webdataset", True, 2)
    assert (told["matched"], told["files"], told["failed"]) == (8, 4, 0)
    assert told["left_out"] == {"opted out": 1, "partial": 1, "same samples": 1, "silent": 1}
    assert sum(split["files"] for split in told["splits"].values()) == 4
    assert (told["leaks"], told["pushed_to"]) == ([], None)


def test_export_says_in_the_object_what_it_warns_of_and_what_is_missing(tmp_path: Path) -> None:
    collection = collect(tmp_path, ordinary(8))
    collection.path_of(collection.audio()[0]).unlink()
    done = collection.run("export", "--format", "nemo", "--json", "--with", "opted-out,partial,silent")
    told = only_object(done)
    assert (done.code, told["failed"], told["files"]) == (4, 1, 6)
    assert "several channels" in told["warnings"][0]
    assert done.stderr.splitlines() == [
        "scrapy: error: 1 files had to be in the set and are not; see `scrapy verify --hash`"
    ]


def test_check_tells_programs_what_it_has_found(tmp_path: Path) -> None:
    collection = collect(tmp_path, ordinary(8))
    assert collection.run("export", "--format", "jsonl").code == 0
    clean = collection.run("export", "--check", "data/export/jsonl", "--json")
    assert (clean.code, only_object(clean)) == (0, {"set": "data/export/jsonl", "files": 4, "findings": []})
    (tmp_path / "data/export/jsonl/files.jsonl").write_text("", encoding="utf-8")
    broken = collection.run("export", "--check", "data/export/jsonl", "--json")
    finding = {"subject": "files.jsonl", "problem": "has changed", "detail": ""}
    assert (broken.code, only_object(broken)["findings"]) == (4, [finding])
