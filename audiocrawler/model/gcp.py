"""Credentials and project for the Google clients.

google.auth is imported only when credentials are needed.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiocrawler.model.errors import ConfigurationError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

STORAGE_EMULATOR = "STORAGE_EMULATOR_HOST"
BIGQUERY_EMULATOR = "BIGQUERY_EMULATOR_HOST"
"""Environment variables that both clients honour; the value is an http:// URL."""

MAX_FAILURE = 300
"""Longest error text that is shown, in characters."""


@dataclass(frozen=True, slots=True)
class Login:
    """Constructor arguments of a Google client.

    ``project`` is None where neither settings nor credentials name one; ``emulator`` is the URL of a local emulator.
    """

    credentials: "Credentials"
    project: str | None
    emulator: str | None


@dataclass(frozen=True, slots=True)
class GcpAccess:
    """The settings AUDIO_GCP_PROJECT and AUDIO_GCP_KEY_FILE; without a file, Application Default Credentials."""

    project: str | None = None
    key_file: str | None = None

    def login(self, emulator_variable: str) -> Login:
        """Return credentials without validating them at Google; an emulator needs none.

        ``emulator_variable`` is STORAGE_EMULATOR or BIGQUERY_EMULATOR. Raises ConfigurationError, which never shows
        the contents of a key file.
        """
        emulator = emulator_url(emulator_variable)
        if emulator:
            return self._anonymous(emulator)
        return self._from_key(Path(self.key_file)) if self.key_file else self._default()

    def _anonymous(self, emulator: str) -> Login:
        from google.auth.credentials import AnonymousCredentials

        return Login(AnonymousCredentials(), self.project, emulator)

    def _from_key(self, path: Path) -> Login:
        from google.oauth2.service_account import Credentials

        key = _read_key(path)
        try:
            credentials = Credentials.from_service_account_info(key)
        except (ValueError, TypeError, AttributeError):
            raise _bad_key(path, "is an incomplete service-account key") from None
        return Login(credentials, self.project or credentials.project_id, None)

    def _default(self) -> Login:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError

        try:
            credentials, project = google.auth.default()
        except DefaultCredentialsError as error:
            raise ConfigurationError(
                "no Google credentials: set AUDIO_GCP_KEY_FILE to a service-account key, or run "
                f"`gcloud auth application-default login` ({failure_of(error)})"
            ) from None
        return Login(credentials, self.project or project, None)


def emulator_url(variable: str) -> str | None:
    """Return the URL in the environment variable, None if unset; raises ConfigurationError without http://."""
    url = os.environ.get(variable)
    if url and not url.startswith(("http://", "https://")):
        raise ConfigurationError(f"{variable}={url}: not a URL; write http://{url}")
    return url or None


def _read_key(path: Path) -> dict[str, Any]:
    try:
        key = json.loads(path.expanduser().read_bytes())
    except OSError as error:
        raise _bad_key(path, error.strerror or "cannot be read") from None
    except (ValueError, RecursionError):
        raise _bad_key(path, "is not JSON") from None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        raise _bad_key(path, 'is not a service-account key ("type": "service_account")')
    return key


def _bad_key(path: Path, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"AUDIO_GCP_KEY_FILE={path}: {problem}; give a service-account key in JSON, or unset it to use "
        "Application Default Credentials"
    )


def failure_of(error: BaseException) -> str:
    """Return why a call to Google failed, in one line without URL queries, which may grant access to an upload."""
    text = _server_message(getattr(error, "cause", None) or error)
    return re.sub(r"\?[^\s'\")]+=[^\s'\")]+", "", " ".join(text.split()))[:MAX_FAILURE]


def _server_message(error: BaseException) -> str:
    """Return the code and message of the response, or the text of the root cause."""
    if status := getattr(error, "code", None):
        return f"{int(status)} {_message_in(getattr(error, 'response', None)) or getattr(error, 'message', error)}"
    lowest: BaseException | None = error
    while lowest := lowest and (lowest.__cause__ or lowest.__context__):
        error = lowest if isinstance(lowest, OSError) else error
    first = error.args[0] if error.args else type(error).__name__
    return first if isinstance(first, str) else str(error)


def _message_in(response: Any) -> str | None:
    try:
        return str(response.json()["error"]["message"])
    except (AttributeError, ValueError, LookupError, TypeError):
        return None
