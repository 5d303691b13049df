"""Run by `make test-formats` in a virtual environment of its own, which has the readers and not the crawler."""

import csv
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.formats.stand_ins import install

REPOSITORY = Path(__file__).parents[2]
_CACHE = TemporaryDirectory()
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": _CACHE.name}  # nothing here may ask a hub, or an earlier run
os.environ |= {"USE_TORCH": "0", "RANK": "0", "WORLD_SIZE": "1", "WORKER": "0", "NUM_WORKERS": "1"}
"""So that no reader asks torch, which is only a stand-in."""
install()


@dataclass(frozen=True, slots=True)
class Sets:
    """The sets that were made of the bundled site."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / "sets" / name

    def about(self, name: str) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.path(name) / "dataset.json").read_text("utf-8"))
        return told

    def rows(self, name: str) -> dict[str, dict[str, str]]:
        """Return the lines of the attribution by the hashes of the objects."""
        with (self.path(name) / "ATTRIBUTION.csv").open(encoding="utf-8", newline="") as file:
            return {line["sha256"]: line for line in csv.DictReader(file)}

    def expected(self) -> Iterator[dict[str, Any]]:
        """Yield all rows with all columns, as the JSON lines have them."""
        for path in sorted(self.path("jsonl").glob("files-*.jsonl")):
            for line in path.read_text("utf-8").splitlines():
                yield json.loads(line)


@pytest.fixture(scope="session")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Sets:
    folder = tmp_path_factory.mktemp("formats")
    python = REPOSITORY / ".venv/bin/python"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([python, "-m", "tests.formats.collection", folder], check=True, env=environment, cwd=folder)
    return Sets(folder)
