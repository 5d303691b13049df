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
        ({"loudness": float("nan")}, "loudness is no FLOAT: nan"),
        ({"lufs": float("-inf")}, "lufs is no FLOAT: -inf"),
        ({"lufs": True}, "lufs is no FLOAT: True"),
        ({"size_bytes": 2**63}, "size_bytes is no INTEGER: 9223372036854775808"),
        ({"channels": 2.5}, "channels is no INTEGER: 2.5"),
        ({"title": "\ud800"}, r"title is no STRING: '\ud800'"),
        ({"title": "a\x00b"}, r"title is no STRING: 'a\x00b'"),
        ({"is_silent": 1}, "is_silent is no BOOLEAN: 1"),
        ({"updated_at": "yesterday"}, "updated_at is no TIMESTAMP: 'yesterday'"),
        ({"updated_at": "2026-05-01T12:00:00"}, "updated_at is no TIMESTAMP: '2026-05-01T12:00:00'"),
        ({"waveform": "no base64"}, "waveform is no BYTES: 'no base64'"),
        ({"tags": {"title": 1}}, "tags is no JSON: {'title': 1}"),
        ({"colour": "blue"}, "has a column 'colour' that is not declared"),
    ],
)
def test_what_does_not_fit_is_named(values, reason):
    assert objection(json.dumps({**FITTING, **values}), AUDIO_METADATA) == reason


def test_what_is_too_long_or_no_json_is_named():
    too_long = json.dumps({**FITTING, "title": "é" * (MAX_ROW_BYTES // 2)}, ensure_ascii=False)
    assert "bytes long" in str(objection(too_long, AUDIO_METADATA))
    assert objection('{"gcp_url"', AUDIO_METADATA) == "is not JSON"
    assert objection('{"title": "\ud800"}', AUDIO_METADATA) == "holds a lone surrogate"
