"""Whether a URL is radio is known when its server answers: names, ports and paths alone leave no file out."""

from pathlib import Path

from tests.crawling import REPOSITORY, crawl
from tests.strange_server import Wire, strange

TONE = (REPOSITORY / "tests/site/audio/creek.wav").read_bytes()
PAGE = "".join(f'<audio src="{path}"></audio>' for path in ("/stream.php?id=4", "/track/7/stream", "/live", "/listen"))


def answer(wire: Wire, path: str) -> None:
    if path == "/":
        wire.body(PAGE)
    elif path == "/live":
        wire.send(b"HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-name: Harbour FM\r\n\r\n")
        wire.drip(b"\xff\xfb" * 9999, 0.01)
    elif path == "/listen":  # a script that neither knows its length nor is endless
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nConnection: close\r\n\r\n" + TONE + bytes(2))
    elif "robots" in path:
        wire.body("", status="404 Not Found")
    else:
        wire.body(TONE + path.encode(), kind="audio/wav")


def test_files_under_names_of_radio_are_stored_and_a_station_is_a_stream(tmp_path: Path) -> None:
    with strange(answer) as server:
        run = crawl(tmp_path, f"url={server.url}/", "render=never")
        status = {url.removeprefix(server.url): row["status"] for url, row in run.sources.items()}
    assert status == {
        "/stream.php?id=4": "stored",
        "/track/7/stream": "stored",
        "/listen": "stored",
        "/live": "stream",
    }
