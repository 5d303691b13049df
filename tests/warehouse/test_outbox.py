"""Rows that wait on this disk: together, changed meanwhile, refused, after a kill."""

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata, AudioSource
from audiocrawler.warehouse.bigquery.schema import staging_line
from audiocrawler.warehouse.outbox import Outbox, PendingRow, outbox_path
from audiocrawler.warehouse.rows import from_json, objection
from tests.warehouse.rows import MINUTE, NOON, SHA, a_source, an_audio
from tests.warehouse.test_values import a_full_row

Opened = Callable[[], Outbox]


@pytest.fixture
def path(tmp_path) -> Path:
    return Path(tmp_path, "new", "outbox.db")


@pytest.fixture
def opened(path) -> Iterator[Opened]:
    boxes: list[Outbox] = []

    def opened() -> Outbox:
        boxes.append(Outbox(path))
        return boxes[-1]

    yield opened
    for box in boxes:
        box.close()


@pytest.fixture
def outbox(opened: Opened) -> Outbox:
    return opened()


def row_of(pending: PendingRow) -> Any:
    return from_json(pending.json, pending.table)


def settle_all(outbox: Outbox) -> None:
    outbox.mark_sent(outbox.take(1000))


@pytest.mark.parametrize("row_type", [AudioMetadata, AudioSource])
def test_every_column_comes_out_as_it_went_in(outbox, row_type):
    row = a_full_row(row_type)
    outbox.put([row])
    (waiting,) = outbox.take(10)
    assert row_of(waiting) == row


def test_rows_with_one_key_wait_as_one_merged_row(outbox):
    outbox.put([a_source(status="pending", title="T"), an_audio(album="One")])
    outbox.put([a_source(etag="e1"), an_audio(codec="flac", gcp_url="gs://moved/ab.mp3")])
    assert outbox.pending_rows() == 2
    source, audio = (row_of(row) for row in outbox.take(10))
    assert (source.title, source.etag, source.status) == ("T", "e1", "stored")
    assert (audio.album, audio.codec, audio.gcp_url) == ("One", "flac", "gs://moved/ab.mp3")


def test_the_longest_waiting_are_taken_first_and_stay_until_they_are_settled(outbox):
    outbox.put([a_source(name) for name in "abcd"])
    assert [row.key[-5:] for row in outbox.take(3)] == ["a.mp3", "b.mp3", "c.mp3"]
    outbox.mark_sent(outbox.take(3))
    assert [row.key[-5:] for row in outbox.take(3)] == ["d.mp3"]


def test_a_row_that_changed_while_it_was_sent_goes_on_waiting(outbox):
    outbox.put([a_source("a"), a_source("b")])
    batch = outbox.take(10)
    outbox.put([a_source("a", etag="newer")])
    outbox.mark_sent(batch)
    (left,) = outbox.take(10)
    assert row_of(left).etag == "newer"


def test_what_was_sent_is_remembered_and_what_waits_is_merged_with_it(outbox):
    outbox.put([a_source(etag="e1", first_seen_at=NOON), an_audio(album="One")])
    settle_all(outbox)
    assert outbox.find(AUDIO_METADATA, SHA).album == "One"
    outbox.put([a_source(status="failed", last_error="HTTP 503", first_seen_at=NOON + MINUTE)])
    source = outbox.find(AUDIO_SOURCES, a_source().source_url)
    assert (source.status, source.last_error, source.etag, source.first_seen_at) == ("stored", "HTTP 503", "e1", NOON)
    assert outbox.find(AUDIO_SOURCES, "https://example.org/other.mp3") is None


def test_a_later_batch_is_merged_into_what_is_remembered(outbox):
    outbox.put([a_source(etag="e1")])
    settle_all(outbox)
    outbox.put([a_source(status="failed", http_status=503)])
    settle_all(outbox)
    source = outbox.find(AUDIO_SOURCES, a_source().source_url)
    assert (source.status, source.etag, source.http_status) == ("stored", "e1", 503)


def test_a_refused_row_is_kept_with_its_reason_and_waits_no_longer(outbox):
    outbox.put([a_source("a"), a_source("b")])
    outbox.refuse(outbox.take(1)[0], "too long")
    assert [(row.key, row.error) for row in outbox.refused()] == [(a_source("a").source_url, "too long")]
    assert [row.key for row in outbox.take(10)] == [a_source("b").source_url]


def test_a_number_tells_up_to_where_everything_is_sent(outbox):
    assert outbox.sent_watermark() == 0
    first = outbox.put([a_source("a"), a_source("b")])
    assert outbox.sent_watermark() == 0
    batch = outbox.take(10)
    second = outbox.put([a_source("b", etag="e2")])
    outbox.mark_sent(batch)
    assert outbox.sent_watermark() == first
    settle_all(outbox)
    assert outbox.sent_watermark() == second


def test_a_row_that_keeps_changing_does_not_hide_that_its_first_change_waits(outbox):
    first = outbox.put([a_source("a")])
    outbox.put([a_source("a", etag="e2"), a_source("b")])
    outbox.mark_sent([row for row in outbox.take(10) if row.key.endswith("b.mp3")])
    assert outbox.sent_watermark() < first


def test_rows_and_numbers_survive_a_restart(opened):
    first = opened()
    number, identity = first.put([a_source("a")]), first.identity
    first.close()
    again = opened()
    assert (again.pending_rows(), again.identity) == (1, identity)
    assert again.put([a_source("b")]) > number


def test_one_flush_at_a_time_may_go_on(opened):
    first, second = opened(), opened()
    with first.flushing() as is_first, second.flushing(wait=False) as is_second:
        assert (is_first, is_second) == (True, False)
    with second.flushing(wait=False) as is_second:
        assert is_second


def test_a_flush_waits_for_the_one_before_it(opened):
    first, second, order = opened(), opened(), []

    def flush() -> None:
        with second.flushing():
            order.append("second")

    with first.flushing():
        thread = threading.Thread(target=flush)
        thread.start()
        time.sleep(0.1)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def put_many(path: Path, writer: int) -> None:
    outbox = Outbox(path)
    for number in range(100):
        outbox.put([a_source(f"{writer}-{number}"), a_source("shared", attempts=writer)])
    outbox.close()


def test_several_crawls_share_an_outbox_and_each_counts_all_rows(path, opened):
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=put_many, args=(path, writer)) for writer in range(3)]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0, 0, 0]
    outbox = opened()
    assert outbox.pending_rows() == 301
    assert len({row.sequence for row in outbox.take(1000)}) == 301


WRITER = """
import sys
from pathlib import Path
from audiocrawler.warehouse.outbox import Outbox
from tests.warehouse.rows import a_source
outbox = Outbox(Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 10**9):
    outbox.put([a_source(f"{number}-{part}") for part in "ab"])
    print(number, flush=True)
"""


def test_a_killed_crawl_leaves_whole_writes_and_loses_none(path, opened):
    done = -1
    for round_ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(done + 1)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline()
            time.sleep(0.02 + 0.03 * round_)
            writer.send_signal(signal.SIGKILL)
            done = max([done + 1, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    keys = {row.key for row in opened().take(10**6)}
    written = {f"https://example.org/{number}-{part}.mp3" for number in range(done + 1) for part in "ab"}
    assert keys >= written
    assert len(keys) % 2 == 0


WRITTEN_BY_0_1_0 = (
    '{"gcp_url": "gs://bucket/sha256/abab.mp3", "file_name": "Möwe.mp3", "duration_ms": 1500, "loudness": -20, '
    '"classification": "Medium Energy", "sha256": "abab", "is_silent": false, "waveform": "AP/+/w==", '
    '"tags": {"title": "Möwe"}, "updated_at": "2026-11-27T12:00:00.000000+00:00"}'
)


def test_a_row_that_an_older_version_has_left_is_still_sent(outbox, path):
    with closing(sqlite3.connect(path)) as database, database:
        values = ("audio_metadata", "abab", 7, 7, WRITTEN_BY_0_1_0)
        database.execute("INSERT INTO pending VALUES (?, ?, ?, ?, ?)", values)
    (waiting,) = outbox.take(10)
    assert objection(waiting.json, waiting.table) is None
    assert staging_line(waiting) == f'{WRITTEN_BY_0_1_0[:-1]}, "outbox_sequence": 7}}\n'.encode()
    row = row_of(waiting)
    assert (row.file_name, row.loudness, row.is_silent) == ("Möwe.mp3", -20.0, False)
    assert (row.waveform, row.tags) == (b"\0\xff\xfe\xff", {"title": "Möwe"})
    assert row.updated_at == datetime(2026, 11, 27, 12, tzinfo=UTC)
    outbox.mark_sent([waiting])
    assert (outbox.pending_rows(), outbox.find(AUDIO_METADATA, "abab")) == (0, row)


def test_each_warehouse_has_a_file_with_a_readable_name(tmp_path):
    one, other = (f"bigquery://my-project/{dataset}/audio_metadata" for dataset in ("a", "b"))
    assert outbox_path(tmp_path, one).name.startswith("my-project-a-audio_metadata-")
    assert outbox_path(tmp_path, one) != outbox_path(tmp_path, other)
    assert outbox_path(tmp_path, one) == outbox_path(tmp_path, one)


def test_a_file_that_is_no_outbox_is_refused(tmp_path):
    path = tmp_path / "outbox.db"
    path.write_bytes(b"ID3\x04" + bytes(5000))
    with pytest.raises(
        ConfigurationError, match=rf"^{path}: file is not a database; .*AUDIO_OUTBOX to another folder$"
    ):
        Outbox(path)
    with pytest.raises(ConfigurationError, match=r"AUDIO_OUTBOX to another folder$"):
        Outbox(path / "below-a-file.db")
