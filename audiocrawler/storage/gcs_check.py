"""A bucket in; nothing out if objects can be put into it and read from it, else what to grant."""

from google.api_core.exceptions import GoogleAPIError, MethodNotImplemented, NotFound
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage import Bucket
from google.cloud.storage.retry import DEFAULT_RETRY

from audiocrawler.errors import ConfigurationError
from audiocrawler.gcp import STORAGE_EMULATOR, Login, failure_of

PERMISSIONS = ("storage.objects.create", "storage.objects.get", "storage.objects.list")
"""What a crawl uses; without the last one Google answers 403 for an object that is not there."""
ROLE = "roles/storage.objectUser"
_RETRY = DEFAULT_RETRY.with_timeout(10)
_TIMEOUT_S = 10


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
        granted = bucket.test_iam_permissions(PERMISSIONS, timeout=_TIMEOUT_S, retry=_RETRY)
    except (NotFound, MethodNotImplemented):
        bucket.reload(timeout=_TIMEOUT_S, retry=_RETRY)  # emulators may know buckets, but no permissions
        return []
    return [permission for permission in PERMISSIONS if permission not in granted]


def _to_whom(login: Login) -> str:
    account = getattr(login.credentials, "service_account_email", None)
    return f" to {account}" if account else ""
