"""Objects in a bucket of Google Cloud Storage: whole or not there at all, and replaced only if they are damaged."""

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar

from google.api_core.exceptions import GoogleAPIError, MethodNotImplemented, NotFound, PreconditionFailed
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Blob, Bucket, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from audiocrawler.model.errors import ConfigurationError, StoreError
from audiocrawler.model.gcp import STORAGE_EMULATOR, Login, failure_of
from audiocrawler.storage.store import ROOT, Options, StoredObject, content_disposition, digest, key_in, source_address

PERMISSIONS = ("storage.objects.create", "storage.objects.get", "storage.objects.list")
"""What a crawl uses; without the last one Google answers 403 for an object that is not there."""
ROLE = "roles/storage.objectUser"
_CHECK_RETRY = DEFAULT_RETRY.with_timeout(10)
_CHECK_TIMEOUT_S = 10


def check_bucket(bucket: Bucket, login: Login) -> None:
    """Ask Google whether the bucket exists and what is granted on it, in about ten seconds at most.

    Raises ConfigurationError.
    """
    place = f"gs://{bucket.name}"
    try:
        missing = _missing_permissions(bucket)
    except NotFound:
        raise ConfigurationError(
            f"{place}: there is no such bucket; create it with `gcloud storage buckets create {place} "
            "--uniform-bucket-level-access` or name another in AUDIO_STORE"
        ) from None
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        check = f"{STORAGE_EMULATOR}={login.emulator}" if login.emulator else "the network and AUDIO_GCP_KEY_FILE"
        raise ConfigurationError(f"{place}: {failure_of(error)}; check {check}") from error
    if missing:
        raise ConfigurationError(f"{place}: no permission {', '.join(missing)}; grant {ROLE} on it{_to_whom(login)}")


def _missing_permissions(bucket: Bucket) -> list[str]:
    try:
        granted = bucket.test_iam_permissions(PERMISSIONS, timeout=_CHECK_TIMEOUT_S, retry=_CHECK_RETRY)
    except (NotFound, MethodNotImplemented):
        bucket.reload(timeout=_CHECK_TIMEOUT_S, retry=_CHECK_RETRY)  # emulators may know buckets, but no permissions
        return []
    return [permission for permission in PERMISSIONS if permission not in granted]


def _to_whom(login: Login) -> str:
    account = getattr(login.credentials, "service_account_email", None)
    return f" to {account}" if account else ""


CHUNK_BYTES = 1 << 20
"""What one request of several carries. The client holds two of them per upload: eight uploads take about 20 MiB."""
ONE_REQUEST_BYTES = 1 << 19
"""Files up to this size travel in one request, which the client holds four times."""

_RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=8).with_timeout(60)
_TIMEOUT_S = (10, 60)  # to connect, and between two bytes of the answer
_FAILURES = (GoogleAPIError, GoogleAuthError, InvalidResponse, DataCorruption, OSError, ValueError)
_URI = re.compile(r"(?i:gs)://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/(?P<prefix>[^\x00-\x1f\x7f]{0,400}))?")


class GcsStore:
    """Objects below a prefix of one bucket.

    Raises ConfigurationError if the bucket is not there or may not be used. No call asks for an ACL, so that buckets
    with uniform access work.
    """

    is_local: ClassVar[bool] = False

    @staticmethod
    def path_of(uri: str) -> None:
        """Return None: objects are in no folder."""

    def __init__(self, uri: str, options: Options) -> None:
        parts = _URI.fullmatch(uri)
        if not parts:
            raise ConfigurationError(f"{uri}: names no valid bucket; write gs://bucket or gs://bucket/prefix")
        folder = (parts["prefix"] or "").strip("/")
        self._prefix = f"{folder}/" if folder else ""
        login = options.gcp.login(STORAGE_EMULATOR)
        self._client = Client(project=login.project, credentials=login.credentials)
        self._bucket = self._client.bucket(parts["bucket"])
        check_bucket(self._bucket, login)

    def put(  # noqa: PLR0913 - see Store
        self, path: Path, object_key: str, *, content_type: str, file_name: str, sha256: str, source_url: str
    ) -> str:
        """Upload the file unless the bucket has it, and verify size and CRC-32C; see Store.put."""
        blob = self._bucket.blob(self._prefix + object_key, chunk_size=CHUNK_BYTES)
        blob.content_disposition = content_disposition(file_name)
        blob.metadata = {"sha256": sha256, "source_url": source_address(source_url)}
        with _naming(f"{self.url_of(object_key)}: not stored from {path}"):
            self._upload(blob, path, content_type)
        return self.url_of(object_key)

    def _upload(self, blob: Blob, path: Path, content_type: str) -> None:
        try:
            self._send(blob, path, content_type, generation=0)
        except PreconditionFailed:  # by an earlier upload, or by this one, whose answer was lost
            stored = self._found(blob.name)
            if stored is None:
                raise StoreError(
                    f"{self._bucket.name}/{blob.name}: was deleted while it was stored; run again"
                ) from None
            if not _is_copy(stored, path):
                self._send(blob, path, content_type, generation=stored.generation)

    def _send(self, blob: Blob, path: Path, content_type: str, generation: int) -> None:
        """Upload the file in place of this generation of the object; 0 stands for none."""
        size_bytes = path.stat().st_size
        with path.open("rb") as file:
            blob.upload_from_file(
                file,
                size=size_bytes if size_bytes <= ONE_REQUEST_BYTES else None,  # up to 8 MiB would be one request
                content_type=content_type,
                if_generation_match=generation,
                checksum="crc32c",
                timeout=_TIMEOUT_S,
                retry=_RETRY,
            )

    def _found(self, name: str) -> Blob | None:
        return self._bucket.get_blob(name, timeout=_TIMEOUT_S, retry=_RETRY)

    def exists(self, url: str, size_bytes: int | None) -> bool:
        """Tell whether ``url`` names an object below the prefix, with this size if one is given."""
        if not url.startswith(self.url_of("")):
            return False
        with _naming(f"{url}: cannot be looked up"):
            stored = self._found(self._name_in(url))
        return stored is not None and size_bytes in {None, stored.size}

    def has_bytes_of(self, path: Path, url: str, sha256: str) -> bool:
        """Compare size and CRC-32C, which the bucket tells without a download; see Store.has_bytes_of."""
        with _naming(f"{url}: cannot be looked up"):
            stored = self._found(self._name_in(url))
        return stored is not None and _is_copy(stored, path)

    def objects(self) -> Iterator[StoredObject]:
        """Yield the objects below the prefix that stand under their hash; see Store.objects."""
        with _naming(f"{self.url_of('')}: cannot be listed"):
            for blob in self._bucket.list_blobs(prefix=self._prefix + ROOT, timeout=_TIMEOUT_S, retry=_RETRY):
                key = blob.name.removeprefix(self._prefix)
                if key_in(key) == key:
                    yield StoredObject(self.url_of(key), blob.size, (blob.metadata or {}).get("sha256"))

    def sha256_of(self, url: str) -> str:
        """Return the SHA-256 of an object, which is downloaded, but not kept; see Store.sha256_of."""
        return self.digest_of(url, "sha256").hex()

    def digest_of(self, url: str, algorithm: str) -> bytes:
        """Return a digest of an object, which is downloaded, but not kept; see Store.digest_of."""
        blob = self._bucket.blob(self._name_in(url))
        with (
            _naming(f"{url}: cannot be read"),
            blob.open("rb", chunk_size=CHUNK_BYTES, timeout=_TIMEOUT_S, retry=_RETRY) as file,
        ):
            return digest(file, algorithm)

    def open_object(self, url: str) -> IO[bytes]:
        """Open an object, of which a piece at a time is downloaded; see Store.open_object."""
        blob = self._bucket.blob(self._name_in(url))
        with _naming(f"{url}: cannot be read"):
            file = blob.open("rb", chunk_size=CHUNK_BYTES, timeout=_TIMEOUT_S, retry=_RETRY)
            file.seek(0, io.SEEK_END)  # asks whether it is there
            file.seek(0)
        return io.BufferedReader(_Object(file, url), CHUNK_BYTES)

    def remove(self, url: str) -> bool:
        """Delete an object; see Store.remove."""
        with _naming(f"{url}: cannot be removed"):
            try:
                self._bucket.blob(self._name_in(url)).delete(timeout=_TIMEOUT_S, retry=_RETRY)
            except NotFound:
                return False
        return True

    def _name_in(self, url: str) -> str:
        return url.removeprefix(f"gs://{self._bucket.name}/")

    def url_of(self, object_key: str) -> str:
        """Return the ``gs://`` URL of the object, in which nothing is encoded, as Google's own tools write it."""
        return f"gs://{self._bucket.name}/{self._prefix}{object_key}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class _Object(io.RawIOBase):
    """An object that is read, and what the client raises as a StoreError."""

    def __init__(self, file: IO[bytes], url: str) -> None:
        self._file, self._subject = file, f"{url}: cannot be read"

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with _naming(self._subject):
            piece = self._file.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        with _naming(self._subject):
            return self._file.seek(offset, whence)

    def close(self) -> None:
        self._file.close()
        super().close()


@contextmanager
def _naming(subject: str) -> Iterator[None]:
    """Turn what the client raises into a StoreError about ``subject``."""
    try:
        yield
    except _FAILURES as error:
        raise StoreError(f"{subject}: {failure_of(error)}; check the bucket and the network and run again") from error


def _is_copy(stored: Blob, path: Path) -> bool:
    return bool((stored.size, stored.crc32c) == (path.stat().st_size, _crc32c(path)))


def _crc32c(path: Path) -> str:
    """Return the CRC-32C of a file as Google writes it: big-endian, in Base64."""
    with path.open("rb") as file:
        return base64.b64encode(digest(file, "crc32c")).decode("ascii")
