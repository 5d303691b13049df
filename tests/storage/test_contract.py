"""What holds for every store."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from audiocrawler.model.errors import StoreError
from tests.storage.putting import CONTENT, key_of, put


def test_the_object_has_the_bytes_and_its_name_is_the_key(any_store, place, source):
    url = put(any_store, source)
    assert url == any_store.url_of(key_of(CONTENT))
    assert place.contents() == {key_of(CONTENT): CONTENT}


@pytest.mark.parametrize("size_bytes", [0, 1, 1 << 19, (1 << 19) + 1, 1 << 20, 2 << 20, (5 << 20) + 7])
def test_files_of_all_sizes_are_stored_whole(any_store, place, source, size_bytes):
    content = (CONTENT * (1 + size_bytes // len(CONTENT)))[:size_bytes]
    source.write_bytes(content)
    url = put(any_store, source)
    assert place.contents() == {key_of(content): content}
    assert any_store.exists(url, size_bytes)


def test_the_source_file_stays_and_may_be_deleted(any_store, place, source):
    put(any_store, source)
    assert source.read_bytes() == CONTENT
    source.unlink()
    assert place.contents() == {key_of(CONTENT): CONTENT}


def test_putting_again_keeps_the_object_also_from_a_store_opened_anew(any_store, place, source):
    first = put(any_store, source)
    assert put(any_store, source) == first
    assert put(place.open(), source) == first
    assert place.contents() == {key_of(CONTENT): CONTENT}


def test_an_object_exists_only_with_its_size_and_in_this_store(any_store, place, source):
    url = put(any_store, source)
    assert any_store.exists(url, len(CONTENT))
    assert any_store.exists(url, None)
    assert not any_store.exists(url, len(CONTENT) - 1)
    assert not any_store.exists(url, 0)
    assert not any_store.exists(url.replace(".flac", ".mp3"), None)
    assert not any_store.exists(source.as_uri(), len(CONTENT))
    assert not any_store.exists("gs://another-bucket/" + key_of(CONTENT), None)
    assert not place.open("/moved").exists(url, len(CONTENT))


def test_two_writers_may_put_the_same_object_at_once(any_store, place, source):
    stores = [any_store, place.open()] * 10
    with ThreadPoolExecutor(8) as pool:
        urls = set(pool.map(lambda store: put(store, source), stores))
    assert urls == {any_store.url_of(key_of(CONTENT))}
    assert place.contents() == {key_of(CONTENT): CONTENT}


def test_eight_files_may_be_put_at_once(any_store, place, tmp_path):
    contents = [bytes([n]) * (n << 18) for n in range(1, 25)]
    paths = [tmp_path / str(n) for n in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda path: put(any_store, path), paths))
    assert place.contents() == {key_of(content): content for content in contents}


@pytest.mark.parametrize(
    "file_name", ["Sørens Lied.flac", "夜の歌 \U0001f3b5.flac", 'a"b\\c/d\r\ne.flac', "\udcff.flac", ""]
)
def test_any_name_and_address_may_come_along(any_store, place, source, file_name):
    put(any_store, source, file_name=file_name, source_url=f"https://example.org/{file_name}?{'long' * 5000}")
    assert place.contents() == {key_of(CONTENT): CONTENT}


def test_a_missing_source_is_an_error_that_names_it(any_store, place, tmp_path):
    with pytest.raises(StoreError, match=rf"No such file or directory.*{tmp_path}/gone|{tmp_path}/gone.*No such file"):
        any_store.put(tmp_path / "gone", "sha256/x", content_type="", file_name="", sha256="", source_url="")
    assert place.contents() == {}


def test_a_new_store_lists_nothing(any_store):
    assert list(any_store.objects()) == []


def test_every_object_is_listed_with_its_url_and_size(any_store, place, tmp_path):
    expected = set()
    for size_bytes in range(30):
        path = tmp_path / str(size_bytes)
        path.write_bytes(bytes(size_bytes))
        expected.add((put(any_store, path), size_bytes))
    put(place.open("/sub"), path)
    listed = list(any_store.objects())
    assert len(listed) == 30
    assert {(each.url, each.size_bytes) for each in listed} == expected
    assert all(each.sha256 in each.url for each in listed if each.sha256)


@pytest.mark.parametrize("size_bytes", [0, 1, 1 << 22, (9 << 20) + 7])
def test_the_hash_is_that_of_the_bytes(any_store, source, size_bytes):
    content = bytes(size_bytes)
    source.write_bytes(content)
    assert any_store.sha256_of(put(any_store, source)) == sha256(content).hexdigest()


def test_an_object_that_is_gone_has_no_hash(any_store, source):
    url = put(any_store, source).replace(".flac", ".mp3")
    with pytest.raises(StoreError, match="cannot be read"):
        any_store.sha256_of(url)


def test_a_removed_object_is_gone_and_may_be_removed_again(any_store, place, source):
    url = put(any_store, source)
    assert any_store.remove(url)
    assert not any_store.exists(url, None)
    assert not any_store.remove(url)
    assert place.contents() == {}


def test_an_object_is_opened_read_and_sought_in(any_store, place, source):
    content = CONTENT * (3 * (1 << 20) // len(CONTENT))
    source.write_bytes(content)
    with any_store.open_object(put(any_store, source)) as file:
        assert file.read(7) == content[:7]
        assert file.seek(len(content) - 5) == len(content) - 5
        assert file.read() == content[-5:]
        file.seek(0)
        assert file.read() == content


def test_opening_an_object_that_is_not_there_says_so(any_store, place):
    with pytest.raises(StoreError, match="cannot be read"):
        any_store.open_object(any_store.url_of(key_of(b"never stored")))
