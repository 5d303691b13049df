"""Leftovers of dead crawls go, those of living ones stay."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from audiocrawler.fetch.parts import Part, Version
from audiocrawler.fetch.staging import KEEP_PARTS_S, StagingFolder
from audiocrawler.model.errors import ConfigurationError
from tests.crawling import REPOSITORY

OWNER = """
import sys, time
from pathlib import Path
from audiocrawler.fetch.staging import StagingFolder
incoming = StagingFolder(Path(sys.argv[1]), max_parts_bytes=1000)
incoming.path_for("body.part").write_bytes(b"half a file")
print("ready", flush=True)
time.sleep(60)
"""


def opened(root: Path, max_parts_bytes: int = 1000) -> StagingFolder:
    return StagingFolder(root, max_parts_bytes=max_parts_bytes)


def bodies(root: Path) -> list[str]:
    return [path.name for path in root.rglob("*.part")]


def test_what_a_killed_crawl_left_is_wiped_by_the_next(tmp_path: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE, cwd=REPOSITORY)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"

    beside = opened(tmp_path)
    assert bodies(tmp_path) == ["body.part"]

    owner.kill()
    owner.communicate()
    opened(tmp_path).close()
    assert bodies(tmp_path) == []
    assert beside.folder.exists()
    beside.close()


def test_closing_leaves_nothing(tmp_path: Path) -> None:
    incoming = opened(tmp_path / "incoming")
    incoming.path_for("body").write_bytes(b"12345")
    assert incoming.path_for("body").read_bytes() == b"12345"
    incoming.close()
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"AUDIO_INCOMING=.*file/incoming: cannot be written"):
        opened(tmp_path / "file/incoming")


def left_part(incoming: StagingFolder, name: str, size_bytes: int) -> None:
    part = Part(incoming.path_for(name).with_suffix(".part"), Version(etag='"1"'))
    part.path.write_bytes(bytes(size_bytes))
    part.note_version()


def test_a_part_that_can_be_resumed_is_found_again_under_its_name(tmp_path: Path) -> None:
    first = opened(tmp_path)
    left_part(first, "body", 300)
    first.path_for("other").with_suffix(".part").write_bytes(b"nobody knows of what")
    first.close()

    second = opened(tmp_path)
    assert Part.at(second.path_for("body").with_suffix(".part")).size_bytes == 300
    assert Part.at(second.path_for("other").with_suffix(".part")).size_bytes == 0
    third = opened(tmp_path)
    assert Part.at(third.path_for("body").with_suffix(".part")).version is None  # the second has it
    second.close()
    third.close()


def test_old_parts_and_the_oldest_of_too_many_are_removed(tmp_path: Path) -> None:
    incoming = opened(tmp_path)
    for age_s, name in enumerate(("new", "older", "oldest")):
        left_part(incoming, name, 400)
        at_s = time.time() - 100 * age_s
        os.utime(incoming.folder / f"{name}.part", (at_s, at_s))
    incoming.close()
    opened(tmp_path, max_parts_bytes=800).close()
    assert sorted(bodies(tmp_path)) == ["new.part", "older.part"]

    long_ago_s = time.time() - KEEP_PARTS_S - 60
    os.utime(tmp_path / "parts/older.part", (long_ago_s, long_ago_s))
    opened(tmp_path).close()
    assert bodies(tmp_path) == ["new.part"]
