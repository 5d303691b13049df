"""A set whose shards are there in; its attribution, and how it was made, out."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from audiocrawler import __version__
from audiocrawler.export.columns import Row, json_text
from audiocrawler.export.folder import Folder, Made
from audiocrawler.export.plan import Plan
from audiocrawler.export.shards import Record, left_out_of
from audiocrawler.export.tables import CsvTable

ATTRIBUTION, DATASET = "ATTRIBUTION.csv", "dataset.json"
ATTRIBUTION_COLUMNS = (
    *("sha256", "split", "title", "creator", "license", "license_url", "notice", "notice_found_in"),
    *("source_url", "page_url", "retrieved_at", "changes"),
)


def rows_in(plan: Plan, records: Iterable[Record]) -> Iterator[tuple[str, Row]]:
    """Yield the rows whose files are really in the set, each after its split."""
    missing = _missing(records)
    return ((split, row) for split, row in plan.all_rows() if row["sha256"] not in missing)


def _missing(records: Iterable[Record]) -> set[str]:
    return {sha256 for record in records for hashes in record.left_out.values() for sha256 in hashes}


def write_attribution(plan: Plan, records: Sequence[Record], folder: Folder) -> None:
    """Write what CC-BY asks for, a line for each file (https://creativecommons.org/licenses/by/4.0/, section 3.a)."""
    with folder.writing(ATTRIBUTION) as file:
        table = CsvTable(file, ATTRIBUTION_COLUMNS)
        for split, row in rows_in(plan, records):
            table.add(
                {
                    **{name: row.get(name) for name in ATTRIBUTION_COLUMNS},
                    "split": split,
                    "creator": row.get("attribution") or row.get("artist"),
                    "notice": row.get("license_raw"),
                    "notice_found_in": row.get("license_found_in"),
                    "retrieved_at": row.get("first_seen_at"),
                    "changes": plan.spec.sound.changes,
                }
            )


def counts(plan: Plan, records: Sequence[Record]) -> dict[str, Any]:
    """Return how many files are in the set and how many are not, by reason."""
    in_split: Counter[str] = Counter()
    ms: Counter[str] = Counter()
    missing = _missing(records)
    for split, sha256, length_ms in plan.lengths():
        if sha256 not in missing:
            in_split[split] += 1
            ms[split] += length_ms
    left_out = plan.left_out + left_out_of(records)
    return {
        "matched": plan.matched,
        "files": in_split.total(),
        "hours": round(ms.total() / 3_600_000, 3),
        "splits": {
            name: {"files": in_split[name], "hours": round(ms[name] / 3_600_000, 3)} for name in plan.spec.splits
        },
        "left_out": dict(sorted(left_out.items())),
    }


def write_dataset(plan: Plan, records: Sequence[Record], numbers: dict[str, Any], folder: Folder) -> None:
    """Write how the set was made, and the hash of each of its files, a line for each.

    It is written last, so that it says that the set is whole. Nothing in it tells when or where.
    """
    spec = plan.spec
    head = {
        "command": spec.command(),
        "format": spec.format,
        "where": spec.where,
        "licenses": sorted(spec.licenses),
        "with": sorted(spec.kept),
        "split": dict(zip(spec.splits, spec.shares, strict=True)),
        "split_by": spec.split_by,
        "changes": spec.sound.changes,
        "audiocrawler": __version__,
        "collection_as_of": plan.as_of,
        "crawl_ids": sorted(plan.crawl_ids),
        "columns": dict(plan.types),
        "counts": numbers,
        "leaks": plan.leaks(),
        "missing": {
            sha256: reason for record in records for reason, hashes in record.left_out.items() for sha256 in hashes
        },
    }
    made = sorted([*(made for record in records for made in record.files), *folder.made], key=lambda made: made.path)
    with folder.writing(DATASET) as file:
        file.write(json.dumps(head, ensure_ascii=False, indent=2)[:-2].encode("utf-8", "replace"))
        file.write(b',\n  "files": {\n')
        for number, each in enumerate(made):
            file.write((",\n" if number else "").encode())
            file.write(_line(each).encode("utf-8", "replace"))
        file.write(b"\n  }\n}\n")


def _line(made: Made) -> str:
    about = json_text({"sha256": made.sha256, "size_bytes": made.size_bytes})
    return f"    {json.dumps(made.path)}: {about}"
