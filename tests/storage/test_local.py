import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from audiocrawler.model.errors import ConfigurationError, StoreError
from audiocrawler.storage import Store, object_key, open_store
from tests.storage.putting import CONTENT, key_of, put


def path_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def elsewhere(tmp_path) -> Iterator[Path]:
    """Gives a file on another file system than the store's."""
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.NamedTemporaryFile(dir=shared_memory) as file:
        file.write(CONTENT)
        file.flush()
        yield Path(file.name)


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(tmp_path, "my objects", "é")


@pytest.fixture
def store(folder) -> Store:
    return open_store(f"file:{folder}")


@pytest.mark.parametrize("uri", ["file:data/objects", "data/objects", "file://{}/data/objects", "{}/data/objects"])
def test_the_uri_names_a_relative_or_an_absolute_folder(tmp_path, monkeypatch, source, uri):
    monkeypatch.chdir(tmp_path)
    url = put(open_store(uri.format(tmp_path)), source)
    assert url == f"file://{tmp_path}/data/objects/{key_of(CONTENT)}"


def test_a_folder_is_named_percent_encoded_in_a_file_uri(tmp_path, source):
    put(open_store(f"file://{tmp_path}/my%20objects"), source)
    assert (tmp_path / "my objects" / key_of(CONTENT)).is_file()


def test_the_object_has_the_bytes_and_the_url_leads_to_it(store, folder, source):
    url = put(store, source)
    assert url.startswith("file:///")
    assert url.isascii()
    assert " " not in url
    assert path_of(url).read_bytes() == CONTENT
    assert url == store.url_of(key_of(CONTENT))
    assert files_below(folder) == [folder / key_of(CONTENT)]


def test_on_one_file_system_no_byte_is_copied(store, source):
    assert path_of(put(store, source)).samefile(source)


def test_from_another_file_system_the_file_is_copied(store, folder, elsewhere):
    assert path_of(put(store, elsewhere)).read_bytes() == CONTENT
    assert files_below(folder) == [folder / key_of(CONTENT)]


def test_putting_twice_keeps_the_first_object(store, folder, source):
    first = path_of(put(store, source)).stat()
    copy = source.with_name("2.part")
    copy.write_bytes(CONTENT)
    second = path_of(put(store, copy)).stat()
    assert (first.st_ino, first.st_mtime_ns) == (second.st_ino, second.st_mtime_ns)
    assert len(files_below(folder)) == 1


@pytest.mark.parametrize("fixture", ["source", "elsewhere"])
def test_a_torn_object_is_replaced(store, folder, fixture, request):
    torn = folder / key_of(CONTENT)
    torn.parent.mkdir(parents=True)
    torn.write_bytes(CONTENT[:100])
    put(store, request.getfixturevalue(fixture))
    assert torn.read_bytes() == CONTENT
    assert files_below(folder) == [torn]


def test_a_copy_that_does_not_have_its_hash_is_not_stored(store, folder, elsewhere):
    wrong = "00" * 32
    with pytest.raises(StoreError, match=r"does not match its hash"):
        store.put(elsewhere, object_key(wrong, "flac"), content_type="", file_name="", sha256=wrong, source_url="")
    assert files_below(folder) == []


def test_threads_may_put_the_same_object_at_once(store, folder, source, elsewhere):
    with ThreadPoolExecutor(8) as pool:
        urls = set(pool.map(lambda path: put(store, path), [source, elsewhere] * 20))
    assert urls == {store.url_of(key_of(CONTENT))}
    assert files_below(folder) == [folder / key_of(CONTENT)]


def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=rf"^store folder {tmp_path}/file/objects: .*to another one$"):
        open_store(f"{tmp_path}/file/objects")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_at_once(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"Permission denied; make it writable"):
        open_store(str(tmp_path))


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("ftp://example.org/x", r"^AUDIO_STORE=ftp://example.org/x: unknown scheme ftp; use one of file:, gs:$"),
        ("file://data/objects", r"data is not a local folder; write file:data/objects$"),
        ("file:", "path is missing"),
    ],
)
def test_a_uri_that_cannot_work_is_refused(uri, message):
    with pytest.raises(ConfigurationError, match=message):
        open_store(uri)


def copy_to_a_full_disk(folder: Path, path: Path) -> None:
    """Run in a process of its own: its files cannot grow, as on a full disk."""
    store = open_store(str(folder))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    with pytest.raises(StoreError, match=rf"^store folder {folder}: File too large .*check its free space") as caught:
        put(store, path)
    assert isinstance(caught.value.__cause__, OSError)


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, elsewhere):
    arguments = (tmp_path / "objects", elsewhere)
    process = multiprocessing.get_context("spawn").Process(target=copy_to_a_full_disk, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert files_below(tmp_path / "objects") == []


WRITER = """
import sys
from pathlib import Path
from audiocrawler.storage import open_store
store = open_store(sys.argv[1])
print("open", flush=True)
store.put(Path(sys.argv[2]), sys.argv[3], content_type="", file_name="", sha256=sys.argv[4], source_url="")
"""


def test_a_kill_leaves_no_object_or_a_whole_one_and_the_next_put_clears_up(tmp_path, elsewhere):
    content = CONTENT * 2000
    elsewhere.write_bytes(content)
    folder, key, digest = tmp_path / "objects", key_of(content), sha256(content).hexdigest()
    for round_ in range(8):
        (folder / key).unlink(missing_ok=True)
        command = [sys.executable, "-c", WRITER, str(folder), str(elsewhere), key, digest]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"open\n"
            time.sleep(0.004 * round_)
            writer.send_signal(signal.SIGKILL)
        assert not (folder / key).exists() or (folder / key).read_bytes() == content
    (folder / key).unlink(missing_ok=True)
    put(open_store(str(folder)), elsewhere)
    assert files_below(folder) == [folder / key]
