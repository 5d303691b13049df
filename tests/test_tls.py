"""What is wrong with a certificate is said, and nothing is asked of a server that shows one."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from audiocrawler.fetch.curl import MISSING_INTERMEDIATE
from tests.crawling import Run, crawl
from tests.emulators.http_proxy import HttpProxy
from tests.emulators.socks_proxy import SocksProxy
from tests.site.tones import tone_wav

NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Identity:
    """A certificate with its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def issue(
    name: str, issuer: Identity | None, *, is_authority: bool = False, address: str = "127.0.0.1", age_days: int = 1
) -> Identity:
    """Return an identity that lasts for two days; without an issuer it is its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by = issuer or Identity(key, None)  # type: ignore[arg-type]
    begins = NOW - timedelta(days=age_days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
    )
    return Identity(key, builder.sign(by.key, hashes.SHA256()))


class Tone(http.server.BaseHTTPRequestHandler):
    """Serves a page with an audio file."""

    def do_GET(self) -> None:
        kind, body = {"/": ("text/html", b'<a href="/a.wav">a</a>'), "/a.wav": ("audio/wav", tone_wav(1))}.get(
            self.path, ("text/plain", b"")
        )
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def served(folder: Path, shown: Identity, *chain: Identity) -> Iterator[str]:
    """Serve a page with these certificates, and return its URL."""
    path = folder / f"{shown.certificate.serial_number}.pem"
    path.write_bytes(shown.key_pem + shown.pem + b"".join(each.pem for each in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tone)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


REASONS = {
    "expired": "TLS: the certificate has expired",
    "self-signed": "TLS: the certificate is self-signed",
    "unknown issuer": "TLS: the certificate's issuer is not trusted",
    "unknown root": "TLS: the certificate's issuer is not trusted: its root is self-signed",
    "missing intermediate": f"TLS: {MISSING_INTERMEDIATE}",
    "another host": "TLS: the certificate is for another host name",
}


@pytest.fixture(scope="module")
def run_and_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, dict[str, str]]]:
    """Return a crawl of one server of each kind, which trusts one authority."""
    folder = tmp_path_factory.mktemp("tls")
    root = issue("a root", None, is_authority=True)
    middle = issue("an intermediate", root, is_authority=True)
    strangers_root = issue("a stranger's root", None, is_authority=True)
    strangers_middle = issue("a stranger's intermediate", strangers_root, is_authority=True)
    strangers = issue("127.0.0.1", strangers_middle)
    (folder / "trusted.pem").write_bytes(root.pem)
    kinds = {
        "expired": (issue("127.0.0.1", middle, age_days=9), middle),
        "self-signed": (issue("127.0.0.1", None),),
        "unknown issuer": (strangers, strangers_middle),
        "unknown root": (strangers, strangers_middle, strangers_root),
        "missing intermediate": (issue("127.0.0.1", middle),),
        "another host": (issue("127.0.0.9", middle, address="127.0.0.9"), middle),
        "good": (issue("127.0.0.1", middle), middle),
    }
    with ExitStack() as stack:
        urls = {kind: stack.enter_context(served(folder, *shown)) for kind, shown in kinds.items()}
        env = {"SSL_CERT_FILE": str(folder / "trusted.pem")}
        yield crawl(folder, "url=" + " ".join(urls.values()), env=env, settings={"RETRY_TIMES": "0"}), urls


@pytest.mark.parametrize("kind", REASONS)
def test_the_reason_names_what_is_wrong(kind: str, run_and_urls: tuple[Run, dict[str, str]]) -> None:
    run, urls = run_and_urls
    said = next(line for line in run.stdout.splitlines() if urls[kind] in line)
    assert f"({REASONS[kind]})" in said


def test_a_trusted_server_is_crawled(run_and_urls: tuple[Run, dict[str, str]]) -> None:
    run, urls = run_and_urls
    assert {url: row["status"] for url, row in run.sources.items()} == {f"{urls['good']}a.wav": "stored"}


@pytest.mark.parametrize("proxy", [HttpProxy(login=("me", "p w")), SocksProxy(login=("me", "p w"))])
def test_https_goes_through_a_proxy(proxy: HttpProxy | SocksProxy, tmp_path: Path) -> None:
    root = issue("a root", None, is_authority=True)
    (tmp_path / "trusted.pem").write_bytes(root.pem)
    address = proxy.url() if isinstance(proxy, SocksProxy) else proxy.url
    with served(tmp_path, issue("127.0.0.1", root)) as url, proxy:
        env = {"SSL_CERT_FILE": str(tmp_path / "trusted.pem"), "https_proxy": address, "no_proxy": ""}
        run = crawl(tmp_path, f"url={url}", env=env)
    assert [row["status"] for row in run.sources.values()] == ["stored"]
    assert proxy.asked
