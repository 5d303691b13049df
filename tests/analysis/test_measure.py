import math
import subprocess
import sys

import pytest
import soundfile

from audiocrawler.analysis import EnergyRule, analyse
from audiocrawler.analysis.rules import ANALYSER_VERSION
from audiocrawler.model.errors import AnalysisError
from audiocrawler.model.rows import AUDIO_METADATA
from tests.analysis.conftest import FORMATS
from tests.analysis.oracle import whole_file
from tests.analysis.sounds import silence, speech_like, tone, write_audio

# pydub fills the lowest byte of negative 24-bit samples with ones
TOLERANCE_DB = {"24bit.wav": 1e-4}


@pytest.mark.parametrize("name", FORMATS)
def test_loudness_and_duration_are_those_of_whole_file_pydub(formats, name):
    row, oracle = analyse(formats / name), whole_file(formats / name)
    assert row["loudness"] == pytest.approx(oracle.dBFS, abs=TOLERANCE_DB.get(name, 1e-6))
    assert row["duration_ms"] == len(oracle)
    assert (row["sample_rate_hz"], row["channels"]) == (oracle.frame_rate, oracle.channels)
    assert row["samples"] == oracle.frame_count()
    assert (row["status"], row["decode_errors"]) == ("ok", 0)


@pytest.mark.parametrize("name", [name for name in FORMATS if name.endswith((".flac", ".wav", ".aiff", ".mp3"))])
def test_samples_are_as_many_as_another_decoder_gives(formats, name):
    samples, _ = soundfile.read(formats / name, always_2d=True)
    assert analyse(formats / name)["samples"] == len(samples)


def test_samples_are_exact_where_the_duration_is_rounded(wav):
    row = analyse(wav(tone(440, 0.5, 2)[:44_117]))
    assert (row["samples"], row["duration_ms"]) == (44_117, 1000)


@pytest.mark.parametrize(
    ("name", "container", "codec", "bits"),
    [
        ("stereo.mp3", "mp3", "mp3", None),
        ("aac.m4a", "mov,mp4,m4a,3gp,3g2,mj2", "aac", None),
        ("alac.m4a", "mov,mp4,m4a,3gp,3g2,mj2", "alac", 16),
        ("stereo.flac", "flac", "flac", 16),
        ("24bit.wav", "wav", "pcm_s24le", 24),
        ("telephone.wav", "wav", "pcm_mulaw", 8),
        ("voice.opus", "ogg", "opus", None),
        ("stereo.webm", "matroska,webm", "opus", None),
    ],
)
def test_container_codec_and_bits_are_ffmpegs(formats, name, container, codec, bits):
    row = analyse(formats / name)
    assert (row["container"], row["codec"], row["bits_per_sample"]) == (container, codec, bits)


def test_bit_rate_is_the_streams_or_else_that_of_the_file(formats):
    assert analyse(formats / "stereo.mp3")["bit_rate_bps"] == 128_000
    flac = formats / "stereo.flac"
    row = analyse(flac)
    assert row["bit_rate_bps"] == pytest.approx(flac.stat().st_size * 8 / (row["duration_ms"] / 1000), rel=0.001)


def test_every_measured_column_is_declared(formats):
    assert set(analyse(formats / "stereo.mp3")) <= {column.name for column in AUDIO_METADATA.columns}


def test_rows_name_the_version_by_which_stale_ones_are_told(beep):
    assert analyse(beep)["analyser_version"] == ANALYSER_VERSION


def test_a_picture_beside_the_audio_is_ignored(tmp_path, formats):
    picture = b"\x00image/jpeg\x00\x03\x00" + b"\xff\xd8\xff\xe0" + bytes(2000)
    frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\x00\x00" + picture
    size = bytes((len(frame) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    tagged = tmp_path / "cover.mp3"
    tagged.write_bytes(b"ID3\x03\x00\x00" + size + frame + (formats / "stereo.mp3").read_bytes())
    assert analyse(tagged)["pcm_hash"] == analyse(formats / "stereo.mp3")["pcm_hash"]


def test_digital_silence_is_the_floor_and_has_no_levels(wav):
    row = analyse(wav(silence(2)))
    assert row["loudness"] == -120.0
    assert row["is_silent"] is True
    absent = ("rms_dbfs", "peak_dbfs", "lufs", "loudness_range_lu", "bandwidth_hz_est", "snr_db_est")
    assert [row[name] for name in absent] == [None] * len(absent)
    assert row["waveform"] == bytes(200)


def test_samples_that_are_not_numbers_do_not_reach_the_row(tmp_path):
    signal = tone(440, 0.5, 2)
    signal[1000:1010] = math.nan
    signal[2000] = math.inf
    row = analyse(write_audio(tmp_path / "odd.wav", signal, "pcm_f32le"))
    assert all(math.isfinite(value) for value in row.values() if isinstance(value, float))


def test_the_energy_rule_decides_the_classification(wav):
    loud = wav(tone(440, 0.9, 1))
    assert analyse(loud)["classification"] == "High Energy"
    assert analyse(loud, energy=EnergyRule(loudness_dbfs=0.0))["classification"] == "Medium Energy"
    assert analyse(loud, energy=EnergyRule(loudness_dbfs=0.0, duration_ms=500))["classification"] == "Low Energy"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file, not audio"),
        (b"\n<!DOCTYPE html><html><body>Not found</body></html>", "an HTML page, not audio"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(500), "a JPEG image, not audio"),
        (b'{"error": "expired"}', "a JSON document, not audio"),
        (bytes(5000), "unknown audio format, or a damaged header"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "unknown audio format, or a damaged header"),
    ],
)
def test_what_is_not_audio_is_refused_with_a_reason(tmp_path, content, reason):
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    with pytest.raises(AnalysisError) as refusal:
        analyse(path)
    assert str(refusal.value) == reason


def test_a_header_without_samples_is_refused(tmp_path, beep):
    path = tmp_path / "empty.wav"
    content = beep.read_bytes()
    path.write_bytes(content[: content.index(b"data") + 4] + bytes(4))
    with pytest.raises(AnalysisError, match=r"^no samples could be decoded$"):
        analyse(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(AnalysisError, match="could not read the file: No such file"):
        analyse(tmp_path / "gone.mp3")


def test_packets_that_cannot_be_decoded_are_counted(tmp_path, formats):
    content = (formats / "stereo.flac").read_bytes()
    path = tmp_path / "cut.flac"
    path.write_bytes(content[: len(content) // 2])
    row = analyse(path)
    assert (row["status"], row["decode_errors"]) == ("partial", 1)


def test_what_is_left_of_a_damaged_file_is_measured(tmp_path, formats):
    damaged = bytearray((formats / "stereo.flac").read_bytes())
    middle = len(damaged) // 2
    damaged[middle : middle + 3000] = bytes(3000)
    path = tmp_path / "damaged.flac"
    path.write_bytes(damaged)
    row = analyse(path)
    assert row["status"] == "partial"
    assert 1000 < row["duration_ms"] < analyse(formats / "stereo.flac")["duration_ms"]


def test_importing_the_package_does_not_load_the_decoder():
    code = "import sys, audiocrawler.analysis; sys.exit(any(name in sys.modules for name in ('av', 'numpy', 'pydub')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_analysis_prints_no_warning_about_a_missing_ffmpeg(beep):
    code = "import sys; from audiocrawler.analysis import analyse; analyse(sys.argv[1])"
    command = [sys.executable, "-W", "error::RuntimeWarning", "-c", code, beep]
    run = subprocess.run(command, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")


def test_mono_and_the_same_sound_on_two_channels_have_one_loudness(wav):
    mono = analyse(wav(speech_like(2, channels=1), name="mono.wav"))
    both = analyse(wav(speech_like(2, channels=1).repeat(2, axis=1), name="both.wav"))
    assert mono["loudness"] == pytest.approx(both["loudness"], abs=1e-9)
    assert both["lufs"] == pytest.approx(mono["lufs"] + 3.01, abs=0.02)
