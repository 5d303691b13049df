"""Crawls the bundled site into a folder and exports what it has in every format: what the readers are tried on.

``python -m tests.formats.collection FOLDER``, with the project's own virtual environment.
"""

import json
import sys
from pathlib import Path

from audiocrawler.export.formats import FORMATS
from tests.crawling import crawl
from tests.site.server import Site

SPLIT = ("--split", "60/20/20", "--split-by", "none", "--text", "link_text")
UNIFORM = ("--audio", "flac", "--rate", "16000", "--mono")


def main(folder: Path) -> None:
    """Make ``sets/FORMAT`` with the bytes as they are and ``sets/FORMAT-16k`` with all of one kind."""
    with Site() as site:
        _refuse(crawl(folder, f"url={site.url}/", "depth=2"), codes=(0,))
    for name in FORMATS:
        _export(folder, name, f"sets/{name}")
        _export(folder, name, f"sets/{name}-16k", *UNIFORM)
    _export(folder, "nemo", "sets/nemo-mono", "--audio", "flac")


def _export(folder: Path, name: str, out: str, *options: str) -> None:
    done = crawl(folder, command=("export", "--format", name, "--out", out, *SPLIT, *options))
    _refuse(done, codes=(0,))
    assert json.loads((folder / out / "dataset.json").read_text("utf-8"))["missing"] == {}


def _refuse(done: "object", codes: tuple[int, ...]) -> None:
    code = getattr(done, "code", None)
    if code not in codes:
        raise SystemExit(f"exit code {code}: {getattr(done, 'stderr', '')}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
