"""What Lhotse and NeMo's readers make of the manifests, with the sound loaded."""

import importlib.util
import logging
import site
import sys
import types
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import soundfile
from lhotse import CutSet, RecordingSet, validate

SPLITS = ("train", "validation", "test")


@pytest.mark.parametrize("split", SPLITS)
def test_cuts_and_recordings_are_valid_and_load_as_they_say(sets, split):
    folder = sets.path("lhotse-16k")
    expected = {
        row["sha256"]: row for row in sets.expected() if sets.rows("lhotse-16k")[row["sha256"]]["split"] == split
    }
    recordings = RecordingSet.from_file(folder / f"recordings_{split}.jsonl.gz")
    assert {recording.id for recording in recordings} == set(expected)
    for cut in CutSet.from_file(folder / f"cuts_{split}.jsonl.gz"):
        validate(cut)
        known = expected.pop(cut.id)
        assert cut.load_audio().shape == (1, cut.num_samples)
        assert (cut.sampling_rate, cut.custom.get("license")) == (16000, known["license"])
        assert [each.text for each in cut.supervisions] == ([known["text"]] if known["text"] else [])
    assert expected == {}


def test_files_as_they_are_are_named_with_all_their_channels(sets):
    for cut in CutSet.from_file(sets.path("lhotse") / "cuts_train.jsonl.gz"):
        validate(cut)
        assert Path(cut.recording.sources[0].source).is_file()
        assert cut.num_channels == cut.custom["channels"]


@pytest.mark.parametrize("split", SPLITS)
def test_shar_has_every_cut_with_its_sound_wherever_the_set_lies(sets, split, tmp_path):
    folder = copytree(sets.path("lhotse-shar-16k"), tmp_path / "elsewhere")
    rows = {key for key, row in sets.rows("lhotse-shar-16k").items() if row["split"] == split}
    known = {row["sha256"]: row for row in sets.expected()}
    for cut in CutSet.from_shar(in_dir=folder / split):
        rows.remove(cut.id)
        validate(cut)
        assert cut.load_audio().shape == (1, cut.num_samples)
        assert cut.custom.get("license") == known[cut.id]["license"]
        assert [each.text for each in cut.supervisions] == [known[cut.id]["text"]] * bool(known[cut.id]["text"])
    assert rows == set()


def test_shar_has_every_byte_of_files_as_they_are(sets):
    number = 0
    for split in SPLITS:
        for cut in CutSet.from_shar(in_dir=sets.path("lhotse-shar") / split):
            assert sha256(cut.recording.sources[0].source).hexdigest() == cut.id
            assert cut.num_channels == cut.custom["channels"]
            number += 1
    assert number == len(sets.rows("lhotse-shar"))


@pytest.fixture(scope="module")
def nemo() -> Any:
    """Return NeMo's own two modules that read manifests; the package itself imports torch and much else."""
    _put("nemo")
    _put("nemo.utils", logging=logging.getLogger("nemo"))
    local = {"get_datastore_object": None, "is_datastore_path": lambda _: False}
    _put("nemo.utils.data_utils", DataStoreObject=lambda path: types.SimpleNamespace(get=lambda: path), **local)
    _put("nemo.utils.nemo_logging", LogMode=object)
    for name in (
        "asr",
        "asr.data",
        "common",
        "common.parts",
        "common.parts.preprocessing",
        "common.data",
        "common.data.lhotse",
    ):
        _put(f"nemo.collections.{name}")
    _put("nemo.collections.asr.data.audio_to_text", expand_sharded_filepaths=lambda paths, **_: [paths])
    manifest = _load("nemo.collections.common.parts.preprocessing.manifest")
    return types.SimpleNamespace(manifest=manifest, adapters=_load("nemo.collections.common.data.lhotse.nemo_adapters"))


def _put(name: str, **members: Any) -> None:
    module = types.ModuleType(name)
    module.__dict__.update(members, __path__=[])
    sys.modules[name] = module


def _load(name: str) -> Any:
    path = Path(site.getsitepackages()[0], *name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("split", SPLITS)
def test_nemo_reads_each_line_and_finds_each_file(sets, nemo, split):
    manifest = str(sets.path("nemo-16k") / f"{split}_manifest.json")
    rows = {key: row for key, row in sets.rows("nemo-16k").items() if row["split"] == split}
    items = list(nemo.manifest.item_iter(manifest))
    assert {Path(item["audio_file"]).stem for item in items} == set(rows)
    assert all(Path(item["audio_file"]).is_file() for item in items)
    texts = {row["sha256"]: row["text"] for row in sets.expected()}
    assert all(item["text"] == texts[Path(item["audio_file"]).stem] for item in items)


@pytest.mark.parametrize("split", SPLITS)
def test_nemo_reads_archives_in_order_with_the_sound(sets, nemo, split):
    folder = sets.path("nemo-tarred-16k") / split
    rows = {key for key, row in sets.rows("nemo-tarred-16k").items() if row["split"] == split}
    texts = {row["sha256"]: row["text"] for row in sets.expected()}
    manifest, archive = folder / "sharded_manifests/manifest_0.json", folder / "audio_0.tar"
    for cut in nemo.adapters.LazyNeMoTarredIterator(str(manifest), str(archive)):
        rows.remove(Path(cut.recording_id).stem)
        assert cut.load_audio().shape == (1, cut.num_samples)
        assert (cut.sampling_rate, cut.shard_id) == (16000, 0)
        assert cut.supervisions[0].text == texts[Path(cut.recording_id).stem]
        assert cut.custom["samples"] == cut.num_samples
    assert rows == set()


def test_converted_audio_for_nemo_is_mono_though_nobody_said_so(sets):
    assert sets.about("nemo-mono")["changes"] == "converted to mono FLAC (16 bit)"
    assert "mono" not in sets.about("nemo-mono")["command"]
    for path in sets.path("nemo-mono").rglob("*.flac"):
        assert soundfile.info(path).channels == 1


def test_nemo_loads_the_sound_through_lhotse(sets, nemo):
    number = 0
    for split in SPLITS:
        for cut in nemo.adapters.LazyNeMoIterator(str(sets.path("nemo-16k") / f"{split}_manifest.json")):
            assert cut.load_audio().shape == (1, cut.num_samples)
            assert cut.sampling_rate == 16000
            number += 1
    assert number == len(sets.rows("nemo-16k"))
