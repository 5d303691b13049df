import pytest

from audiocrawler.storage import key_in, object_key


def test_the_key_is_made_of_the_hash_and_the_extension():
    sha256 = "0123456789abcdef" * 4
    assert object_key(sha256, "mp3") == f"sha256/01/23/{sha256}.mp3"


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "AB" * 32, "ab" * 31])
def test_what_is_no_hash_is_refused(sha256):
    with pytest.raises(ValueError, match="not a SHA-256"):
        object_key(sha256, "mp3")


@pytest.mark.parametrize("folder", ["gs://bucket/", "gs://bucket/sha256/x/", "file:///my%20objects/", ""])
def test_the_key_is_found_again_in_a_url(folder):
    key = object_key("ab" * 32, "flac")
    assert key_in(folder + key) == key


@pytest.mark.parametrize(
    "url",
    [
        "gs://bucket/song.mp3",
        f"gs://bucket/sha256/ab/ab/{'cd' * 32}.mp3",
        f"gs://bucket/sha256/ab/ab/{'ab' * 32}",
        f"gs://bucket/sha256/ab/ab/{'ab' * 32}.mp3/x",
        f"gs://bucket/sha256/ab/ab/.{'ab' * 32}.mp3.1234.part",
    ],
)
def test_other_names_are_no_keys(url):
    assert key_in(url) is None
