"""Each common layout of a corpus names the transcripts of its audio."""

from pathlib import Path

import pytest

from audiocrawler.archives.layouts import beside, common_voice, folder, is_about, librispeech, ljspeech, vctk
from tests.archives.packing import packed
from tests.archives.test_unpacking import opened
from tests.site.tones import tone_wav


def test_librispeech_names_utterances_beside_the_table() -> None:
    lines = ["61-70968-0000 HE BEGAN A CONFUSED COMPLAINT\n", "61-70968-0001 GIVE NOT SO\r\n", "\n", "61-70968-0002\n"]
    assert dict(librispeech("LibriSpeech/dev/61/70968/61-70968.trans.txt", lines)) == {
        "LibriSpeech/dev/61/70968/61-70968-0000": "HE BEGAN A CONFUSED COMPLAINT",
        "LibriSpeech/dev/61/70968/61-70968-0001": "GIVE NOT SO",
    }


def test_ljspeech_prefers_the_normalised_text() -> None:
    lines = ["LJ1|In 1455|In fourteen fifty-five\n", "LJ2|only one\n", 'LJ3|a "quote"|\n']
    found = dict(ljspeech("LJSpeech-1.1/metadata.csv", lines))
    assert found["LJSpeech-1.1/wavs/LJ1"] == "In fourteen fifty-five"
    assert found["LJSpeech-1.1/wavs/LJ2"] == "only one"
    assert found["LJSpeech-1.1/wavs/LJ3"] == 'a "quote"'


def test_common_voice_reads_the_columns_that_its_header_names() -> None:
    lines = ["client_id\tpath\tsentence\tup_votes\n", 'a\tcommon_voice_1.mp3\tEr sagte "ja.\t2\n', "b\tx.mp3\n"]
    found = dict(common_voice("cv/de/validated.tsv", lines))
    assert found["cv/de/clips/common_voice_1"] == 'Er sagte "ja.'
    assert not any("x" in name.rpartition("/")[2] for name in found)


def test_a_folder_with_metadata_csv_names_files_by_their_column() -> None:
    lines = ["file_name,speaker,transcription\n", 'train/a.wav,s1,"well, yes"\n']
    assert dict(folder("data/metadata.csv", lines)) == {"data/train/a": "well, yes"}


def test_vctk_has_one_text_for_the_audio_of_each_microphone() -> None:
    found = dict(vctk("VCTK/txt/p225/p225_001.txt", ["Please call Stella.\n"]))
    assert found["VCTK/wav48/p225/p225_001"] == "Please call Stella."
    assert found["VCTK/wav48_silence_trimmed/p225/p225_001_mic2"] == "Please call Stella."


def test_a_file_beside_the_audio_is_its_text_unless_it_has_times() -> None:
    assert dict(beside("a/one.normalized.txt", ["Two\n", "lines.\n"])) == {"a/one": "Two lines."}
    assert dict(beside("a/one.lab", ["Hello.\n"])) == {"a/one": "Hello."}
    assert dict(beside("a/one.lab", ["0 2500000 sil\n", "2500000 3000000 h\n"])) == {}


@pytest.mark.parametrize("name", ["LICENSE", "x/LICENSE.txt", "COPYING", "README.md", "a/licence-4.0.html", "ReadMe"])
def test_what_tells_of_the_archive_is_no_transcript(name: str) -> None:
    assert is_about(name)


CORPORA = {
    "librispeech": ({"L/s/1/2/1-2-0.flac": 0, "L/s/1/2/1-2.trans.txt": b"1-2-0 SAID\n"}, "SAID"),
    "ljspeech": ({"LJ/metadata.csv": b"LJ1|Said.|Said.\n", "LJ/wavs/LJ1.wav": 0}, "Said."),
    "common voice": ({"c/de/test.tsv": b"path\tsentence\nx.mp3\tGesagt.\n", "c/de/clips/x.mp3": 0}, "Gesagt."),
    "vctk": ({"V/wav48/p1/p1_1.wav": 0, "V/txt/p1/p1_1.txt": b"Said.\n"}, "Said."),
    "labels": ({"a/b.wav": 0, "a/b.lab": b"said\n"}, "said"),
    "audiofolder": ({"metadata.csv": b"\xef\xbb\xbffile_name,text\nb.wav,said\n", "b.wav": 0}, "said"),
    "none": ({"a/b.wav": 0, "a/c.txt": b"said\n", "README.txt": b"b.wav said"}, None),
}


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_member_has_the_text_of_its_corpus_wherever_the_table_is(corpus: str, kind: str, tmp_path: Path) -> None:
    members, text = CORPORA[corpus]
    data = {name: data if isinstance(data, bytes) else tone_wav(1) for name, data in members.items()}
    archive = opened(tmp_path, packed(data, kind))
    archive.look_through()
    assert [offer.text for offer in archive.offers()] == [text]
    archive.close()
