"""Values go into any warehouse and come back."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata, AudioSource
from tests.warehouse.rows import NOON, SHA, a_source, an_audio

VALUES = {
    "INTEGER": 7,
    "FLOAT": -0.5,
    "BOOLEAN": False,
    "TIMESTAMP": NOON,
    "BYTES": b"\x00\xff",
    "JSON": {"title": "é"},
}


def a_full_row(row_type: type[Any]) -> Any:
    table = AUDIO_METADATA if row_type is AudioMetadata else AUDIO_SOURCES
    return row_type(**{column.name: VALUES.get(column.type, f"{column.name} ☃") for column in table.columns})


def test_every_column_of_a_source_comes_back_as_it_was(warehouse):
    row = a_full_row(AudioSource)
    warehouse.upsert([row])
    assert warehouse.find_source(row.source_url) == row


def test_every_column_of_a_file_comes_back_as_it_was(warehouse):
    row = a_full_row(AudioMetadata)
    warehouse.upsert([row])
    assert warehouse.find_audio(row.sha256) == row


def test_what_is_not_there_is_none(warehouse):
    assert warehouse.find_audio(SHA) is None
    assert warehouse.find_source("https://example.org/a.mp3") is None


def test_silence_and_zero_are_values(warehouse):
    warehouse.upsert([an_audio(loudness=-120.0, decode_errors=0, rms_dbfs=None, is_silent=True, tags={})])
    row = warehouse.find_audio(SHA)
    assert (row.loudness, row.decode_errors, row.rms_dbfs, row.is_silent, row.tags) == (-120.0, 0, None, True, {})


def test_times_come_back_in_utc(warehouse):
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    warehouse.upsert([a_source(published_at=tokyo, first_seen_at=NOON.replace(tzinfo=None))])
    row = warehouse.find_source(a_source().source_url)
    assert row.published_at.isoformat() == row.first_seen_at.isoformat() == "2026-05-01T12:00:00.000250+00:00"


def test_text_is_kept_in_any_language_and_cleaned_of_what_is_no_text(warehouse):
    url = "https://example.org/\udc80.mp3"
    warehouse.upsert(
        [a_source(source_url=url, title="Ünï 音 😀\n\tx\x00\x1b\x85", link_text="\ud83d", last_error="a\r\nb")]
    )
    row = warehouse.find_source(url)
    assert (row.title, row.link_text, row.last_error) == ("Ünï 音 😀\n\tx", "\ufffd", "a\nb")
    assert row.source_url == "https://example.org/\ufffd.mp3"


def test_numbers_that_no_table_holds_become_null(warehouse):
    warehouse.upsert([an_audio(lufs=float("nan"), peak_dbfs=float("-inf"), size_bytes=2**63)])
    row = warehouse.find_audio(SHA)
    assert (row.lufs, row.peak_dbfs, row.size_bytes) == (None, None, None)


@pytest.mark.parametrize("values", [{"loudness": float("nan")}, {"file_name": None}, {"channels": "two"}, {"title": 3}])
def test_a_row_with_a_wrong_value_is_refused_and_nothing_of_its_batch_written(warehouse, values):
    with pytest.raises(WarehouseError, match=rf"^audio_metadata\.{next(iter(values))} of 'gs://bucket.*'.*$"):
        warehouse.upsert([a_source(), an_audio(**values)])
    assert warehouse.find_source(a_source().source_url) is None


def test_an_empty_batch_changes_nothing(warehouse):
    warehouse.upsert([])
