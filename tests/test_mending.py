"""An object that is damaged is whole again after a crawl that has the bytes anew."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.crawling import REPOSITORY, Run, crawl
from tests.shelf import Answer, Shelf

AUDIO = sorted((REPOSITORY / "tests/site/audio").glob("*.mp3"))[:6]


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    answers: dict[str, Answer] = {
        f"/{body.name}": (body.read_bytes(), {"Content-Type": "audio/mpeg", "ETag": f'"{body.name}"'}) for body in AUDIO
    }
    with Shelf(answers) as served:
        yield served


def damage(run: Run) -> None:
    """Change a byte of one object, cut another one off, and lose a third."""
    changed, cut, lost, *_ = run.objects
    content = changed.read_bytes()
    changed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    cut.write_bytes(cut.read_bytes()[:-1])
    lost.unlink()


def damaged(run: Run) -> int:
    names = {sha256(path.read_bytes()).hexdigest() == path.stem for path in run.objects}
    return len(AUDIO) - len(run.objects) + (False in names)


def test_refresh_all_mends_what_is_damaged(shelf: Shelf, tmp_path: Path) -> None:
    before = crawl(tmp_path, f"url={shelf.url}/")
    measured = before.query("SELECT gcp_url, duration_ms, loudness, pcm_hash FROM audio_metadata ORDER BY 1")
    damage(before)
    run = crawl(tmp_path, f"url={shelf.url}/", "refresh=all")
    assert (run.code, damaged(run)) == (0, 0)
    assert "  mended      3 (of these: their objects were missing or damaged, and are repaired)" in run.stdout
    assert "  unchanged   3 " in run.stdout
    assert run.query("SELECT gcp_url, duration_ms, loudness, pcm_hash FROM audio_metadata ORDER BY 1") == measured
    assert crawl(tmp_path, command=("verify", "--hash", "--offline")).code == 0


def test_any_crawl_that_gets_the_bytes_anew_mends_them(shelf: Shelf, tmp_path: Path) -> None:
    before = crawl(tmp_path, f"url={shelf.url}/")
    for path, answer in shelf.answers.items():
        assert isinstance(answer, tuple)
        shelf.answers[path] = (answer[0], {"Content-Type": "audio/mpeg"})
    damage(before)
    run = crawl(tmp_path, f"url={shelf.url}/")
    assert (run.code, damaged(run), "  mended      3 (" in run.stdout) == (0, 0, True)


def test_verify_names_the_command_that_mends(shelf: Shelf, tmp_path: Path) -> None:
    before = crawl(tmp_path, f"url={shelf.url}/")
    damage(before)
    unchanged = crawl(tmp_path, f"url={shelf.url}/")
    assert damaged(unchanged) == 1  # what was cut off or lost is missed at once, what was changed is not
    told = crawl(tmp_path, command=("verify", "--hash", "--offline"))
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("to repair: ")]
    assert (told.code, line.partition(";")[0]) == (4, "to repair: `scrapy retry --reason verify:`")
    shelf.forget()
    retried = crawl(tmp_path, command=("retry", "--reason", "verify:"))
    assert (retried.code, damaged(retried)) == (0, 0)
    assert sum(path != "/robots.txt" and ".well-known" not in path for path in shelf.requests) == 1
    whole = crawl(tmp_path, command=("verify", "--hash"))
    assert (whole.code, "to repair" in whole.stdout) == (0, False)
