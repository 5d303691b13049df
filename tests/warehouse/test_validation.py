"""What would not fit into BigQuery is told before it is sent."""

import json

import pytest

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES
from audiocrawler.warehouse.rows import MAX_ROW_BYTES, objection, to_json
from tests.warehouse.rows import NOON, a_source, an_audio

FITTING = json.loads(to_json(an_audio(waveform=b"\x00\xff", tags={"title": "é"}, updated_at=NOON, is_silent=False)))


def test_a_row_that_fits_meets_no_objection():
    assert objection(json.dumps(FITTING), AUDIO_METADATA) is None
    assert objection(to_json(a_source(title="Ünï 音 😀\n")), AUDIO_SOURCES) is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"file_name": None}, "file_name is required"),
        ({"loudness": float("nan")}, "loudness is not of type FLOAT: nan"),
        ({"lufs": float("-inf")}, "lufs is not of type FLOAT: -inf"),
        ({"lufs": True}, "lufs is not of type FLOAT: True"),
        ({"size_bytes": 2**63}, "size_bytes is not of type INTEGER: 9223372036854775808"),
        ({"channels": 2.5}, "channels is not of type INTEGER: 2.5"),
        ({"title": "\ud800"}, r"title is not of type STRING: '\ud800'"),
        ({"title": "a\x00b"}, r"title is not of type STRING: 'a\x00b'"),
        ({"is_silent": 1}, "is_silent is not of type BOOLEAN: 1"),
        ({"updated_at": "yesterday"}, "updated_at is not of type TIMESTAMP: 'yesterday'"),
        ({"updated_at": "2026-05-01T12:00:00"}, "updated_at is not of type TIMESTAMP: '2026-05-01T12:00:00'"),
        ({"waveform": "no base64"}, "waveform is not of type BYTES: 'no base64'"),
        ({"tags": {"title": 1}}, "tags is not of type JSON: {'title': 1}"),
        ({"colour": "blue"}, "unknown column 'colour'"),
    ],
)
def test_what_does_not_fit_is_named(values, reason):
    assert objection(json.dumps({**FITTING, **values}), AUDIO_METADATA) == reason


def test_what_is_too_long_or_no_json_is_named():
    too_long = json.dumps({**FITTING, "title": "é" * (MAX_ROW_BYTES // 2)}, ensure_ascii=False)
    assert "row of 10000448 bytes" in str(objection(too_long, AUDIO_METADATA))
    assert objection('{"gcp_url"', AUDIO_METADATA) == "is not JSON"
    assert objection('{"title": "\ud800"}', AUDIO_METADATA) == "contains a lone surrogate"
