from audiocrawler.analysis import analyse
from audiocrawler.analysis.headers import tag_columns
from tests.analysis.sounds import speech_like, write_audio

TAGS = {"title": "Überfahrt", "artist": "Ådne", "album": "Nord", "comment": "no\x01te"}


def test_tags_of_the_file_become_columns(tmp_path):
    row = analyse(write_audio(tmp_path / "tagged.mp3", speech_like(1), "libmp3lame", tags=TAGS))
    assert (row["title"], row["artist"], row["album"], row["language"]) == ("Überfahrt", "Ådne", "Nord", None)
    assert row["tags"]["title"] == "Überfahrt"


def test_tags_that_the_container_keeps_with_the_stream_are_found(tmp_path):
    tags = TAGS | {"language": "deu"}
    row = analyse(write_audio(tmp_path / "tagged.opus", speech_like(1, rate_hz=48_000), "libopus", rate_hz=48_000))
    assert row["title"] is None
    row = analyse(write_audio(tmp_path / "tagged.flac", speech_like(1), "flac", sample_format="s16", tags=tags))
    assert (row["title"], row["language"]) == ("Überfahrt", "deu")


def test_retagged_copies_have_the_same_samples(tmp_path):
    signal = speech_like(1)
    plain = analyse(write_audio(tmp_path / "plain.mp3", signal, "libmp3lame"))
    tagged = analyse(write_audio(tmp_path / "tagged.mp3", signal, "libmp3lame", tags=TAGS))
    other = analyse(write_audio(tmp_path / "other.mp3", signal * 0.9, "libmp3lame"))
    assert plain["pcm_hash"] == tagged["pcm_hash"] != other["pcm_hash"]


def test_text_that_a_database_cannot_hold_is_cleaned():
    columns = tag_columns([{"Title": " a\0b \ud800 ", "artist": "\0", "Album\0": "x"}])
    assert (columns["title"], columns["artist"], columns["album"]) == ("ab ?", None, "x")


def test_tags_are_bounded_in_number_and_length():
    tags = tag_columns([{f"key{n}": "x" * 100_000 for n in range(10_000)}])["tags"]
    assert len(tags) == 100
    assert max(map(len, tags.values())) == 4000


def test_the_first_source_of_a_tag_counts_and_an_unknown_language_is_none():
    columns = tag_columns([{"title": "container"}, {"TITLE": "stream", "language": "und"}])
    assert (columns["title"], columns["language"]) == ("container", None)
    assert columns["tags"] == {"title": "container", "language": "und"}
