import json
import os
import stat
import traceback

import pytest
from google.oauth2.service_account import Credentials

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.gcp import BIGQUERY_EMULATOR, STORAGE_EMULATOR, GcpAccess, Login

SECRET = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n"
KEY = {
    "type": "service_account",
    "project_id": "key-project",
    "private_key_id": "1",
    "private_key": SECRET,
    "client_email": "crawler@key-project.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}


@pytest.fixture(autouse=True)
def no_google(monkeypatch, tmp_path):
    """Leaves no credentials of this machine to be found."""
    for name in (STORAGE_EMULATOR, BIGQUERY_EMULATOR, "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture(scope="session")
def private_key() -> str:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def key_file(tmp_path, private_key):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(KEY | {"private_key": private_key}))
    return str(path)


def account_of(login: Login) -> str:
    assert isinstance(login.credentials, Credentials)
    return str(login.credentials.service_account_email)


def test_a_service_account_key_gives_its_account_and_project(key_file):
    login = GcpAccess(key_file=key_file).login(STORAGE_EMULATOR)
    assert account_of(login) == KEY["client_email"]
    assert (login.project, login.emulator) == ("key-project", None)


def test_the_project_of_the_settings_wins(key_file):
    assert GcpAccess("mine", key_file).login(BIGQUERY_EMULATOR).project == "mine"


def test_without_a_key_application_default_credentials_are_used(key_file, monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", key_file)
    login = GcpAccess().login(STORAGE_EMULATOR)
    assert (account_of(login), login.project) == (KEY["client_email"], "key-project")


def test_an_emulator_needs_no_credentials_even_where_the_key_is_missing(monkeypatch):
    monkeypatch.setenv(BIGQUERY_EMULATOR, "http://127.0.0.1:9050")
    login = GcpAccess("p", "/no/such/key.json").login(BIGQUERY_EMULATOR)
    assert (login.project, login.emulator) == ("p", "http://127.0.0.1:9050")
    with pytest.raises(ConfigurationError):
        GcpAccess("p", "/no/such/key.json").login(STORAGE_EMULATOR)


def test_an_emulator_is_named_by_a_url(monkeypatch):
    monkeypatch.setenv(STORAGE_EMULATOR, "localhost:9023")
    with pytest.raises(ConfigurationError, match=r"^STORAGE_EMULATOR_HOST=localhost:9023: .* http://localhost:9023$"):
        GcpAccess().login(STORAGE_EMULATOR)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is not JSON"),
        (SECRET, "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (json.dumps([SECRET]), "is not a service-account key"),
        (json.dumps(KEY | {"type": "authorized_user"}), "is not a service-account key"),
        (json.dumps(KEY), "is an incomplete service-account key"),
        (json.dumps({"type": "service_account", "private_key": SECRET}), "is an incomplete service-account key"),
        (json.dumps(KEY | {"private_key": 7, "client_email": None}), "is an incomplete service-account key"),
    ],
)
def test_a_file_that_is_no_key_is_refused_in_one_line_that_shows_nothing_of_it(tmp_path, content, problem):
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        GcpAccess(key_file=str(path)).login(STORAGE_EMULATOR)
    message = str(caught.value)
    assert message.startswith(f"AUDIO_GCP_KEY_FILE={path}: {problem}")
    assert "\n" not in message
    assert "MIIEvQ" not in "".join(traceback.format_exception(caught.value))


def test_a_key_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=rf"^AUDIO_GCP_KEY_FILE={tmp_path}/gone: No such file or directory; "):
        GcpAccess(key_file=f"{tmp_path}/gone").login(STORAGE_EMULATOR)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_key_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "key.json"
    path.write_text("{}")
    path.chmod(stat.S_IWUSR)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        GcpAccess(key_file=str(path)).login(STORAGE_EMULATOR)


def test_a_machine_without_credentials_is_told_what_to_do():
    with pytest.raises(ConfigurationError, match=r"^no Google credentials: set AUDIO_GCP_KEY_FILE .* or run `gcloud"):
        GcpAccess().login(STORAGE_EMULATOR)


def test_broken_default_credentials_are_named(tmp_path, monkeypatch):
    path = tmp_path / "adc.json"
    path.write_text(SECRET)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(ConfigurationError, match=rf"^no Google credentials: .*{path}") as caught:
        GcpAccess().login(STORAGE_EMULATOR)
    assert "MIIEvQ" not in "".join(traceback.format_exception(caught.value))
