"""Shards are whole or not there: parts make the whole, a killed export resumes, and what was missing comes later."""

import json
import signal
import time
from itertools import count
from pathlib import Path

import pytest

from benchmarks.measured import run_measured
from tests.commands.collecting import Collection
from tests.crawling import Run, environment, words_of
from tests.export.collecting import collect, collect_many, files_in, ordinary, tone

UNIFORM = ("--audio", "flac", "--rate", "16000", "--mono")


def run(collection: Collection, out: Path, *options: str) -> Run:
    return collection.run("export", "--out", str(out), *options)


@pytest.mark.parametrize("name", ["hf", "webdataset", "audiofolder", "nemo", "lhotse-shar", "nemo-tarred"])
def test_parts_in_any_order_give_the_bytes_of_the_whole(collection, tmp_path, name):
    options = ("--format", name, "--split", "50/30/20")
    assert run(collection, tmp_path / "whole", *options).code == 0
    for part in ("3/3", "1/3"):
        done = run(collection, tmp_path / "parts", *options, "--shard", part)
        assert (done.code, "the part that writes the last one" in done.stdout) == (0, True)
        assert not (tmp_path / "parts/dataset.json").exists()
    assert run(collection, tmp_path / "parts", *options, "--shard", "2/3").code == 0
    assert files_in(tmp_path / "parts") == files_in(tmp_path / "whole")


def test_a_second_run_writes_no_shard_again(collection, tmp_path):
    options = ("--format", "webdataset", "--split", "50/30/20")
    run(collection, tmp_path / "set", *options)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").glob("*.tar")}
    run(collection, tmp_path / "set", *options)
    assert before == {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").glob("*.tar")}


def test_other_rows_replace_the_shards_and_leave_nothing_behind(collection, tmp_path):
    run(collection, tmp_path / "set", "--format", "nemo", "--split", "50/50")
    assert run(collection, tmp_path / "set", "--format", "nemo", "--licenses", "open").code == 0
    assert run(collection, tmp_path / "other", "--format", "nemo", "--licenses", "open").code == 0
    assert files_in(tmp_path / "set") == files_in(tmp_path / "other")


@pytest.mark.parametrize("name", ["hf", "audiofolder"])
def test_killed_at_any_moment_and_run_again_it_is_the_same_set(tmp_path, name):
    collection = collect(tmp_path / "c", [(tone(each, samples=16000), {}) for each in range(60)])
    options = ("--format", name, "--split", "50/30/20", *UNIFORM)
    assert run(collection, tmp_path / "whole", *options).code == 0
    kills = 0
    for attempt in count():
        process = collection.start("export", "--out", str(tmp_path / "killed"), *options)
        written = len(list((tmp_path / "killed").rglob("*")))
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if len(list((tmp_path / "killed").rglob("*"))) > written + attempt:
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.002)
        if process.wait() == 0 or attempt == 6:
            break
    assert kills > 2
    assert run(collection, tmp_path / "killed", *options).code == 0
    assert files_in(tmp_path / "killed") == files_in(tmp_path / "whole")


def test_ctrl_c_is_one_line_and_the_same_command_resumes(tmp_path):
    collection = collect_many(tmp_path / "c", 400, samples=16000)  # many, so that it is met at work
    options = ("--format", "hf", "--split", "50/30/20", *UNIFORM)
    process = collection.start("export", "--out", str(tmp_path / "set"), *options)
    deadline = time.monotonic() + 60
    while process.poll() is None and not list(tmp_path.glob("set/data/.*.part")) and time.monotonic() < deadline:
        time.sleep(0.002)
    presses = 0
    while process.poll() is None and presses < 20:  # again if one was lost in the middle of a library's clean-up
        process.send_signal(signal.SIGINT)
        presses += 1
        time.sleep(1)
    _, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr.splitlines()[-1]) == (130, "interrupted; run the same command to resume")
    assert run(collection, tmp_path / "set", *options).code == 0
    assert run(collection, tmp_path / "whole", *options).code == 0
    assert files_in(tmp_path / "set") == files_in(tmp_path / "whole")


def test_what_is_missing_or_damaged_is_named_and_comes_when_it_is_there_again(tmp_path):
    collection = collect(tmp_path / "c", ordinary(20))
    rows = [row for row in collection.audio() if int(row.file_name.removesuffix(".wav")) > 5]
    missing, damaged = (collection.path_of(row) for row in rows[-2:])
    kept, whole = tmp_path / "kept", damaged.read_bytes()
    missing.rename(kept)
    damaged.write_bytes(bytes(len(whole)))
    done = run(collection, tmp_path / "set", "--format", "hf")
    assert done.code == 4
    assert "1 object damaged, 1 object missing" in done.stdout
    assert "2 files had to be in the set and are not" in done.stderr
    told = json.loads((tmp_path / "set/dataset.json").read_text())
    assert told["missing"] == {rows[-2].sha256: "object missing", rows[-1].sha256: "object damaged"}
    assert str(rows[-1].sha256) not in (tmp_path / "set/ATTRIBUTION.csv").read_text()
    kept.rename(missing)
    damaged.write_bytes(whole)
    assert run(collection, tmp_path / "set", "--format", "hf").code == 0
    assert run(collection, tmp_path / "other", "--format", "hf").code == 0
    assert files_in(tmp_path / "set") == files_in(tmp_path / "other")


def test_a_file_that_cannot_be_decoded_is_left_out_and_told(tmp_path):
    collection = collect(tmp_path / "c", [(tone(3), {}), (b"RIFF, but not really", {})])
    done = run(collection, tmp_path / "set", "--format", "webdataset", *UNIFORM)
    assert (done.code, "1 not decodable" in done.stdout) == (4, True)


def test_the_same_export_twice_at_a_time_is_refused(tmp_path):
    import fcntl

    collection = collect(tmp_path / "c", ordinary(8))
    assert run(collection, tmp_path / "set", "--format", "jsonl").code == 0
    with (tmp_path / "set/.export/lock-1-of-1").open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run(collection, tmp_path / "set", "--format", "jsonl")
    assert (done.code, "another export writes into it" in done.stderr) == (5, True)


def test_a_full_disk_is_one_line_and_exit_code_4(tmp_path, small_disk):
    collection = collect(tmp_path / "c", [(tone(each, samples=40000), {}) for each in range(20)])
    done = run(collection, small_disk / "set", "--format", "webdataset")
    assert done.code == 4
    assert "No space left on device; mend that and run the same command again" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["hf", "webdataset", "jsonl"])
def test_ten_thousand_files_need_less_than_150_mb(ten_thousand, tmp_path, name):
    """All that is resident is counted, as whoever runs it on a small machine counts: libraries and start-up, too."""
    words = [*words_of(("export", "--format", name, "--split", "90/5/5")), "--out", str(tmp_path)]
    taken = run_measured(words, ten_thousand, environment())
    assert (taken.code, taken.own_peak_mib * (1 << 20) < 150_000_000) == (0, True), taken
    assert json.loads((tmp_path / "dataset.json").read_text())["counts"]["files"] == 10_000


@pytest.fixture(scope="module")
def ten_thousand(tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    collect_many(folder, 10_000)
    return folder
