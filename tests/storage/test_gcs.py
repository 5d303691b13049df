import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Client

from audiocrawler.model.errors import ConfigurationError, StoreError
from audiocrawler.model.gcp import GcpAccess
from audiocrawler.storage import Options, Store, open_store
from tests.emulators.fault_proxy import Action, Fault, FaultProxy
from tests.emulators.gcs import ALL_PERMISSIONS, GcsEmulator
from tests.storage.putting import CONTENT, key_of, put

LONG = CONTENT * 250
"""Goes in three requests after the one that begins the upload."""


@pytest.fixture
def store(bucket) -> Store:
    return open_store(f"gs://{bucket}")


@pytest.fixture
def proxy(gcs, monkeypatch):
    """Gives a proxy before the emulator, through which the store goes that is opened next."""
    with FaultProxy(gcs.url) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        yield proxy


def resource(gcs: GcsEmulator, bucket: str) -> dict[str, Any]:
    [found] = gcs.objects(bucket).values()
    return found


@pytest.mark.parametrize(
    ("uri", "url"), [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b"), ("/my audio/é", "/my audio/é")]
)
def test_the_uri_names_a_bucket_and_a_prefix(bucket, source, uri, url):
    assert put(open_store(f"gs://{bucket}{uri}"), source) == f"gs://{bucket}{url}/{key_of(CONTENT)}"


@pytest.mark.parametrize("uri", ["gs:", "gs://", "gs://a", "gs:bucket/x", "gs://Bucket/x", "gs://bucket/a\nb"])
def test_a_uri_without_a_bucket_is_refused(uri):
    with pytest.raises(ConfigurationError, match=r"invalid bucket name; write gs://bucket or gs://bucket/prefix$"):
        open_store(uri)


def test_the_object_says_what_it_is_how_it_is_called_and_where_it_came_from(gcs, bucket, store, source):
    put(store, source, file_name='Sørens "Lied" 100%.flac', source_url="https://u:geheim@example.org/ø?token=geheim")
    about = resource(gcs, bucket)
    assert about["contentType"] == "audio/flac"
    assert about["contentDisposition"] == (
        "inline; filename=\"S_rens _Lied_ 100_.flac\"; filename*=UTF-8''S%C3%B8rens%20%22Lied%22%20100%25.flac"
    )
    assert about["metadata"]["sha256"] in about["name"]
    assert about["metadata"]["source_url"].endswith("@example.org/%C3%B8?token=~addb0f5e")
    assert "geheim" not in str(about)
    assert about["acl"] == []


def test_a_long_address_is_cut_off(gcs, bucket, store, source):
    put(store, source, source_url="https://example.org/" + "x" * 100_000)
    assert len(resource(gcs, bucket)["metadata"]["source_url"]) == 1024


def test_a_long_file_that_is_there_is_not_sent_again(proxy, bucket, source):
    source.write_bytes(LONG)
    store = open_store(f"gs://{bucket}")
    put(store, source)
    assert proxy.count("^PUT ") == 3
    put(store, source)
    assert proxy.count("^PUT ") == 3


@pytest.mark.parametrize("torn", [CONTENT[:-1], CONTENT[:-1] + b"?"])
def test_an_object_with_other_bytes_is_replaced(gcs, bucket, store, source, torn):
    Client(project=None).bucket(bucket).blob(key_of(CONTENT)).upload_from_string(torn)
    digest = sha256(CONTENT).hexdigest()
    assert not store.has_bytes_of(source, store.url_of(key_of(CONTENT)), digest)
    assert store.has_bytes_of(source, put(store, source), digest)
    assert gcs.content(bucket, key_of(CONTENT)) == CONTENT
    assert gcs.objects(bucket)[key_of(CONTENT)]["metadata"]["sha256"] == digest


@pytest.mark.parametrize("action", [Action.UNAVAILABLE, Action.RESET, Action.LOSE_ANSWER])
@pytest.mark.parametrize(
    ("content", "when"),
    [
        pytest.param(CONTENT, {"pattern": "^POST /upload"}, id="the only request"),
        pytest.param(LONG, {"pattern": "^POST /upload"}, id="the first of several requests"),
        pytest.param(LONG, {"pattern": "^PUT "}, id="the first part"),
        pytest.param(LONG, {"pattern": "^PUT ", "skip": 1}, id="a part between"),
        pytest.param(LONG, {"pattern": "^PUT ", "skip": 2}, id="the last part"),
    ],
)
def test_a_fault_on_the_way_leaves_one_whole_object(proxy, gcs, bucket, source, *, action, content, when):
    source.write_bytes(content)
    store = open_store(f"gs://{bucket}")
    proxy.faults.append(Fault(action, **when))
    put(store, source)
    assert [happened for happened, _ in proxy.happened] == [action]
    assert gcs.content(bucket, key_of(content)) == content
    assert resource(gcs, bucket)["contentType"] == "audio/flac"


def test_an_upload_whose_answer_was_lost_is_not_done_twice(proxy, gcs, bucket, source):
    store = open_store(f"gs://{bucket}")
    written: list[str] = []
    proxy.faults.append(Fault(Action.LOSE_ANSWER, "^POST /upload"))
    proxy.faults.append(Fault(Action.UNAVAILABLE, "^GET .*/o/"))
    put(store, source)
    written.append(resource(gcs, bucket)["generation"])
    put(store, source)
    written.append(resource(gcs, bucket)["generation"])
    assert written[0] == written[1]
    assert proxy.count("^POST /upload") == 3


def test_a_lookup_survives_a_fault(proxy, bucket, source):
    store = open_store(f"gs://{bucket}")
    url = put(store, source)
    proxy.faults += [Fault(Action.UNAVAILABLE), Fault(Action.RESET)]
    assert store.exists(url, len(CONTENT))
    assert len(proxy.happened) == 2


def test_a_bucket_that_is_not_there_is_refused_at_once(gcs):
    with pytest.raises(ConfigurationError, match=r"^gs://no-such-bucket: bucket not found; create it with"):
        open_store("gs://no-such-bucket/prefix")


@pytest.mark.parametrize("missing", ["storage.objects.create", "storage.objects.get", "storage.objects.list"])
def test_a_missing_permission_is_named_with_the_role_to_grant(gcs, bucket, missing):
    gcs.granted = ALL_PERMISSIONS - {missing}
    message = rf"^gs://{bucket}: missing permission {missing}; grant roles/storage.objectUser on it$"
    with pytest.raises(ConfigurationError, match=message):
        open_store(f"gs://{bucket}")


def test_a_permission_that_is_taken_away_is_a_store_error(gcs, bucket, store, source):
    gcs.granted = frozenset()
    with pytest.raises(
        StoreError, match=rf"^gs://{bucket}/sha256/.* could not be stored .*403 .*objects.create access; check"
    ):
        put(store, source)
    with pytest.raises(StoreError, match=r"lookup failed: 403 .* storage\.objects\.get"):
        store.exists(f"gs://{bucket}/x", None)


def test_a_bucket_that_was_deleted_is_a_store_error(gcs, bucket, store, source):
    gcs.storage.delete_bucket(bucket)
    with pytest.raises(StoreError, match=r"could not be stored from .*: 404 "):
        put(store, source)


def test_a_server_that_is_not_there_is_refused_within_seconds(monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        with pytest.raises(ConfigurationError, match=rf"^gs://some-bucket: .*Connection refused; check .*={address}$"):
            open_store("gs://some-bucket")


def test_a_key_that_is_none_is_refused_before_anything_is_sent(tmp_path, monkeypatch):
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    with pytest.raises(ConfigurationError, match=rf"^AUDIO_GCP_KEY_FILE={tmp_path}/key.json: No such file"):
        open_store("gs://some-bucket", Options(gcp=GcpAccess(key_file=f"{tmp_path}/key.json")))


def test_a_local_store_imports_nothing_of_google(tmp_path):
    code = (
        "import sys; from audiocrawler.storage import open_store; open_store(sys.argv[1]); "
        "sys.exit(any(name.startswith('google') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True, cwd=Path(__file__).parents[2])
