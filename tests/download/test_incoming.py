"""Leftovers of dead crawls go, those of living ones stay."""

import subprocess
import sys
from pathlib import Path

import pytest

from audiocrawler.download.incoming import Incoming
from audiocrawler.errors import ConfigurationError
from tests.crawling import REPOSITORY

OWNER = """
import sys, time
from pathlib import Path
from audiocrawler.download.incoming import Incoming
incoming = Incoming(Path(sys.argv[1]))
incoming.path_for("body.part").write_bytes(b"half a file")
print("ready", flush=True)
time.sleep(60)
"""


def bodies(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*.part")]


def test_what_a_killed_crawl_left_is_wiped_by_the_next(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"

    beside = Incoming(tmp_path)
    assert bodies(tmp_path) == ["body.part"]

    owner.kill()
    owner.communicate()
    Incoming(tmp_path).close()
    assert bodies(tmp_path) == []
    assert beside.folder.exists()
    beside.close()


def test_closing_leaves_nothing(tmp_path: Path) -> None:
    incoming = Incoming(tmp_path / "incoming")
    incoming.path_for("body").write_bytes(b"12345")
    assert incoming.path_for("body").read_bytes() == b"12345"
    incoming.close()
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"AUDIO_INCOMING=.*file/incoming: cannot be written"):
        Incoming(tmp_path / "file/incoming")
