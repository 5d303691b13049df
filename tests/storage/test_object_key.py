import pytest

from audiocrawler.storage import object_key


def test_the_key_is_made_of_the_hash_and_the_extension():
    sha256 = "0123456789abcdef" * 4
    assert object_key(sha256, "mp3") == f"sha256/01/23/{sha256}.mp3"


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "AB" * 32, "ab" * 31])
def test_what_is_no_hash_is_refused(sha256):
    with pytest.raises(ValueError, match="not a SHA-256"):
        object_key(sha256, "mp3")
