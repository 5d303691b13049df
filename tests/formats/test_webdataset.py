"""What ``webdataset`` reads back."""

import json
import tarfile
from hashlib import sha256

import webdataset


def test_every_sample_has_its_row_and_its_bytes(sets):
    expected = {row["sha256"]: row for row in sets.expected()}
    for path in sorted(sets.path("webdataset").glob("*.tar")):
        split = path.name.partition("-")[0]
        for sample in webdataset.WebDataset(str(path), shardshuffle=False):
            told = json.loads(sample.pop("json"))
            (extension,) = (name for name in sample if not name.startswith("__"))
            assert sha256(sample[extension]).hexdigest() == told["sha256"] == sample["__key__"]
            assert sets.rows("webdataset")[told["sha256"]]["split"] == split
            known = expected.pop(told["sha256"])
            assert all(
                told[name] == value for name, value in known.items() if value not in (None, {}) and name != "tags"
            )
    assert expected == {}


def test_every_sample_has_the_same_keys_with_values_of_the_same_types(sets):
    shapes = set()
    for path in sets.path("webdataset").glob("*.tar"):
        for sample in webdataset.WebDataset(str(path), shardshuffle=False):
            shapes.add(tuple((name, type(value)) for name, value in sorted(json.loads(sample["json"]).items())))
    assert len(shapes) == 1


def test_the_index_counts_the_samples_of_each_archive(sets):
    for split in ("train", "validation", "test"):
        sizes = json.loads((sets.path("webdataset") / f"{split}-sizes.json").read_text())
        for name, size in sizes.items():
            with tarfile.open(sets.path("webdataset") / name) as archive:
                assert len(archive.getnames()) == 2 * size
