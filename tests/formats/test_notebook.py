"""Runs the notebook of examples/ as it stands, in a clone of its own, and looks at the batch that it ends with."""

import os
from ast import literal_eval
from shutil import copytree
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from tests.formats.conftest import REPOSITORY

NOTEBOOK = REPOSITORY / "examples/first_set.ipynb"
TOLD = "dict(batch, audio=batch['audio'].tolist(), lengths=batch['lengths'].tolist())"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the notebook with what its cells have shown, and in a last one the batch as a literal."""
    clone = tmp_path_factory.mktemp("clone")
    (clone / "examples").mkdir()
    copytree(REPOSITORY / "tests/site", clone / "tests/site")
    for name in ("audiocrawler", "scrapy.cfg", "tests/__init__.py"):
        (clone / name).symlink_to(REPOSITORY / name)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(f"print(repr({TOLD}))", id="told"))
    path = f"{REPOSITORY / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    client = NotebookClient(notebook, timeout=180, resources={"metadata": {"path": str(clone / "examples")}})
    client.execute(env={**os.environ, "PATH": path, "IPYTHONDIR": str(clone / "ipython")})
    return notebook


def shown(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def cell_with(notebook: Any, words: str) -> Any:
    return next(cell for cell in notebook.cells if cell.cell_type == "code" and words in cell.source)


def test_it_is_kept_without_what_its_cells_have_shown():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in cells if cell.outputs or cell.execution_count] == []


def test_it_ends_with_a_batch_of_audio(executed):
    batch = literal_eval(shown(executed.cells[-1]))
    audio, lengths = np.array(batch["audio"]), batch["lengths"]
    assert audio.shape == (8, max(lengths))
    assert min(lengths) >= 16000
    for sound, length in zip(audio, lengths, strict=True):
        assert np.abs(sound[:length]).max() > 0.001
        assert not sound[length:].any()
    assert len(set(map(tuple, batch["audio"]))) == 8
    assert all(isinstance(text, str) for text in batch["text"])
    assert sum(map(bool, batch["text"])) >= 4


def test_each_step_says_what_it_has_done(executed):
    assert "128 files" in shown(cell_with(executed, "scrapy crawl"))
    assert "data/report.html" in shown(cell_with(executed, "scrapy report"))
    assert "-> train" in shown(cell_with(executed, "--format hf"))
    assert "no finding" in shown(cell_with(executed, "--check"))
