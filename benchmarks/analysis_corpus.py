"""Analyse every file of a folder and write one JSON object: file name -> measured columns, or the reason of a refusal.

python benchmarks/analysis_corpus.py FOLDER PRED.json
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from audiocrawler.analysis import analyse
from audiocrawler.model.errors import AnalysisError


def _row(path: Path) -> dict[str, Any]:
    try:
        columns = analyse(path)
    except AnalysisError as error:
        return {"error": str(error)}
    return columns | {"waveform": columns["waveform"].hex()}


def main() -> None:
    """Analyse the folder and print how many files were measured, partly measured and refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    started_s = time.process_time()
    files = sorted(path for path in arguments.folder.iterdir() if path.is_file() and path.name != "index.json")
    rows = {path.name: _row(path) for path in files}
    arguments.output.write_text(json.dumps(rows, indent=1))
    outcomes = [row.get("status", "refused") for row in rows.values()]
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in ("ok", "partial", "refused"))
    print(f"{len(files)} files: {counts}; {time.process_time() - started_s:.1f} s of CPU")


if __name__ == "__main__":
    main()
