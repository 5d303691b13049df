"""Run discovery over a folder of documents and tell how long it takes; write what it finds for a scorer.

Each case is a folder with the document and a ``case.json`` that names its ``file``, ``base_url`` and ``content_type``.
"""

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from audiocrawler.discovery import Candidate, Kind, find

FOLLOWED = frozenset((Kind.PLAYLIST, Kind.MANIFEST, Kind.FEED, Kind.EMBED))


def responses(folder: Path) -> Iterator[tuple[str, Response]]:
    """Yield the name of each case and its document, as Scrapy would have received it."""
    for path in sorted(folder.glob("*/case.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        body = (path.parent / case["file"]).read_bytes()
        headers = {"Content-Type": case["content_type"]}
        kind = responsetypes.from_args(headers={b"Content-Type": case["content_type"].encode()}, body=body)
        yield path.parent.name, kind(case["base_url"], headers=headers, body=body)


def urls(candidates: list[Candidate]) -> dict[str, list[str]]:
    """Return the URLs to download and those to follow."""
    return {
        "audio": [each.url for each in candidates if each.kind is Kind.AUDIO],
        "follow": [each.url for each in candidates if each.kind in FOLLOWED],
    }


def main() -> None:
    """Measure every case of the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages_dir", type=Path)
    parser.add_argument("--out", type=Path, help="write the URLs found per case here, as JSON")
    arguments = parser.parse_args()
    found: dict[str, dict[str, list[str]]] = {}
    milliseconds: dict[str, float] = {}
    for name, response in responses(arguments.pages_dir):
        start = time.perf_counter()
        candidates = list(find(response))
        milliseconds[name] = (time.perf_counter() - start) * 1000
        found[name] = urls(candidates)
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    slowest = max(milliseconds, key=lambda name: milliseconds[name])
    print(f"documents       {len(milliseconds)}")
    print(f"audio           {sum(len(each['audio']) for each in found.values())}")
    print(f"to follow       {sum(len(each['follow']) for each in found.values())}")
    print(f"median ms       {statistics.median(milliseconds.values()):.1f}")
    print(f"maximum ms      {milliseconds[slowest]:.1f} ({slowest})")


if __name__ == "__main__":
    main()
