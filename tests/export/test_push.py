"""``scrapy export --push``, by the Hub's own client, to a stand-in of the Hub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.collecting import Collection
from tests.crawling import Run
from tests.export.hub import Hub, a_hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    with a_hub() as hub:
        yield hub


@pytest.fixture
def push(collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def run(endpoint: str, token: str) -> Run:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        monkeypatch.setenv("HF_TOKEN", token)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        folder = str(tmp_path / "set")
        return collection.run("export", "--format", "webdataset", "--out", folder, "--push", "museum/birdsong")

    return run


def test_a_set_becomes_a_private_dataset_of_the_same_bytes(hub, push, tmp_path):
    hub.files = {"data/train-00007.tar": b"of an earlier upload", "NOTES.md": b"by hand"}
    done = push(hub.url, hub.token)
    assert done.code == 0, done.stderr
    assert f"uploaded to {hub.url}/datasets/museum/birdsong" in done.stdout
    assert [(each["name"], each["organization"], each["visibility"]) for each in hub.created] == [
        ("birdsong", "museum", "private")
    ]
    written = {
        str(path.relative_to(tmp_path / "set")): path.read_bytes()
        for path in (tmp_path / "set").rglob("*")
        if path.is_file() and ".export" not in path.parts
    }
    assert hub.files == {**written, "NOTES.md": b"by hand"}
    assert any(name.endswith(".tar") for name in written)


def test_a_push_that_is_refused_leaves_the_set_and_says_what_to_do(hub, push, tmp_path):
    done = push(hub.url, "hf_wrong")
    assert done.code == 4
    (line,) = [line for line in done.stderr.splitlines() if "error:" in line]
    assert "--push museum/birdsong: " in line
    assert "`hf auth login`" in line
    assert hub.files == {}
    assert (tmp_path / "set/dataset.json").is_file()


def test_a_hub_that_cannot_be_reached_is_one_line(push):
    done = push("http://127.0.0.1:9", "hf_right")
    assert done.code == 4
    assert "Traceback" not in done.stderr
    assert "--push museum/birdsong: " in done.stderr
