"""What mlcroissant reads by croissant.json: all records, for it validates without looking at any."""

from hashlib import sha256

import mlcroissant
import pytest


@pytest.mark.parametrize("name", ["hf", "hf-16k"])
def test_every_record_is_read_and_nothing_is_complained_of(sets, name):
    described = mlcroissant.Dataset(str(sets.path(name) / "croissant.json"))
    assert described.metadata.issues.report() == ""
    expected = {row["sha256"]: row for row in sets.expected()}
    for split in ("train", "validation", "test"):
        for record in described.records(split):
            known = expected.pop(record[f"{split}/sha256"].decode())
            assert record[f"{split}/duration_ms"] == known["duration_ms"] or name == "hf-16k"
            digest = sha256(record[f"{split}/audio"]).hexdigest()
            assert digest == known["sha256"] or name == "hf-16k"
    assert expected == {}
