"""A set whose shards are there in; README.md, the card that hubs show of it, out."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from json import dumps
from typing import Any

from audiocrawler.export.columns import Row
from audiocrawler.export.core import counted
from audiocrawler.export.folder import Folder
from audiocrawler.export.histogram import Histogram
from audiocrawler.export.papers import rows_in
from audiocrawler.export.plan import Plan
from audiocrawler.export.shards import Record

CARD = "README.md"
SHOWN = 30
"""Lines of a table."""
_CC = (
    "by-2.0",
    "by-2.5",
    "by-3.0",
    "by-4.0",
    "by-sa-3.0",
    "by-sa-4.0",
    "by-nc-2.0",
    "by-nc-3.0",
    "by-nc-4.0",
    "by-nd-4.0",
)
_CC_MORE = ("by-nc-nd-3.0", "by-nc-nd-4.0", "by-nc-sa-2.0", "by-nc-sa-3.0", "by-nc-sa-4.0")
_HUB_LICENSES = frozenset({"cc0-1.0", "pddl-1.0", *(f"cc-{kind}" for kind in (*_CC, *_CC_MORE))})
"""What the Hub knows: https://huggingface.co/docs/hub/repositories-licenses."""
_SIZES = (("n<1K", 10**3), ("1K<n<10K", 10**4), ("10K<n<100K", 10**5), ("100K<n<1M", 10**6), ("1M<n<10M", 10**7))
_SECONDS = (1, 2, 5, 10, 30, 60, 300, 1800, 3600)
_LUFS = (-50, -40, -35, -30, -25, -20, -15, -10)


@dataclass(slots=True)
class _Told:
    """What the rows of a set tell of it."""

    licenses: Counter[str] = field(default_factory=Counter)
    ms: Counter[str] = field(default_factory=Counter)
    hosts: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    seconds: Histogram = field(default_factory=lambda: Histogram("Duration", _SECONDS, "s"))
    lufs: Histogram = field(default_factory=lambda: Histogram("Loudness", _LUFS, "LUFS"))

    def add(self, row: Row) -> None:
        licence = row.get("license") or "not stated"
        self.licenses[licence] += 1
        self.ms[licence] += row.get("duration_ms") or 0
        self.hosts[row.get("host") or "unknown"] += 1
        if found := re.match(r"[A-Za-z]{2,3}(?![A-Za-z])", row.get("language") or ""):
            self.languages[found[0].lower()] += 1
        self.seconds.add((row.get("duration_ms") or 0) / 1000)
        if (lufs := row.get("lufs")) is not None:
            self.lufs.add(lufs)


def write_card(
    plan: Plan, records: Sequence[Record], numbers: dict[str, Any], about: dict[str, str], folder: Folder
) -> None:
    """Write README.md; of ``about``, ``contact`` is whom to ask for a removal.

    See https://huggingface.co/docs/hub/datasets-cards.
    """
    told = _Told()
    for _, row in rows_in(plan, records):
        told.add(row)
    lines = [
        "---",
        *_metadata(plan, told, numbers),
        "---",
        "",
        "# Audio collected by audiocrawler",
        "",
        *_introduction(plan, numbers),
        *_section("Splits", _splits(numbers)),
        *_section("Licences", _licences(told)),
        *_section("Hosts", _table(("host", "files"), _top(told.hosts))),
        *_section("Duration", _picture("duration.svg", told.seconds, folder)),
        *_section("Loudness", _picture("loudness.svg", told.lufs, folder)),
        *_section("How it was made", _making(plan, numbers)),
        *_section("How to load it", _loading(plan)),
        *_section("Rights, voices, removal", _rights(about)),
    ]
    folder.write(CARD, "\n".join(lines).rstrip() + "\n")


def _metadata(plan: Plan, told: _Told, numbers: dict[str, Any]) -> list[str]:
    stated = list(told.licenses)
    is_one = len(stated) == 1 and stated[0].lower() in _HUB_LICENSES
    per_row = ["license: other", "license_name: per-row", "license_link: ATTRIBUTION.csv"]
    size = next((name for name, end in _SIZES if numbers["files"] < end), "n>10M")
    languages = [f"- {dumps(code)}" for code, _ in told.languages.most_common()]
    return [
        *([f"license: {stated[0].lower()}"] if is_one else per_row),
        *(["language:", *languages] if languages else []),
        *("tags:", "- audio", "source_datasets:", "- original", "size_categories:", f"- {size}"),
        *_configs(plan),
    ]


_PATTERNS = {
    "hf": "data/{split}-*.parquet",
    "webdataset": "{split}-*.tar",
    "audiofolder": "data/{split}/**",
    "jsonl": "files{part}.jsonl",
    "csv": "files{part}.csv",
    "parquet": "files{part}.parquet",
}


def _configs(plan: Plan) -> list[str]:
    pattern = _PATTERNS.get(plan.spec.format)
    if not pattern:
        return []
    files = []
    for split in dict.fromkeys(shard.split for shard in plan.shards):
        part = f"-{split}" if len(plan.spec.splits) > 1 else ""
        files += [f"  - split: {split}", f"    path: {dumps(pattern.format(split=split, part=part))}"]
    return ["configs:", "- config_name: default", "  data_files:", *files]


_INTRODUCTION = """\
{files}, {hours:,} hours. Each row has the page and the words of its licence, whom to credit, and what was measured.
`sha256` is the hash of the file as it was found, and names the file here; {sound}.
"""


def _introduction(plan: Plan, numbers: dict[str, Any]) -> list[str]:
    is_original, changes = plan.spec.sound.is_original, plan.spec.sound.changes
    sound = "the bytes are those that were found" if is_original else f"the audio was {changes}"
    files = counted(numbers["files"], "file")
    return [*_INTRODUCTION.format(files=files, hours=numbers["hours"], sound=sound).splitlines(), ""]


def _section(title: str, lines: Iterable[str]) -> list[str]:
    body = list(lines)
    return [f"## {title}", "", *body, ""] if body else []


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    body = [f"| {' | '.join(_inert(each) for each in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body] if body else []


def _inert(value: Any) -> str:
    """Return a text in which nothing is Markdown or HTML."""
    text = f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())
    return re.sub(r"([\\`*_\[\]<>|&#])", r"\\\1", text)


def _top(counter: Counter[str]) -> list[tuple[str, int]]:
    ordered = sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(number for _, number in ordered[SHOWN:])
    return ordered[:SHOWN] + ([(f"{len(ordered) - SHOWN} more", rest)] if rest else [])


def _splits(numbers: dict[str, Any]) -> list[str]:
    rows = ((name, each["files"], f"{each['hours']:,}") for name, each in numbers["splits"].items())
    return _table(("split", "files", "hours"), rows)


def _licences(told: _Told) -> list[str]:
    rows = ((name, number, f"{told.ms[name] / 3_600_000:,.3f}") for name, number in _top(told.licenses))
    return _table(("licence", "files", "hours"), rows)


def _picture(name: str, histogram: Histogram, folder: Folder) -> list[str]:
    """Write the picture beside the card, since hubs show none that stands in it as markup."""
    if not histogram.found:
        return []
    folder.write(name, histogram.svg())
    return [f"![{histogram.words()}]({name})"]


_MAKING = """\
```sh
{command}
```

{matched} of the collection matched. `dataset.json` lists each file here with its hash. Crawls: {crawls}.
"""


def _making(plan: Plan, numbers: dict[str, Any]) -> list[str]:
    crawls = ", ".join(f"`{each}`" for each in sorted(plan.crawl_ids)[:SHOWN]) or "unknown"
    text = _MAKING.format(command=plan.spec.command(), matched=counted(numbers["matched"], "file"), crawls=crawls)
    left_out = _table(("left out", "files"), sorted(numbers["left_out"].items()))
    leaks = [f"- {_inert(note)}" for note in plan.leaks()]
    return [*text.splitlines(), *(["", *left_out] if left_out else []), *(["", *leaks] if leaks else [])]


_LOADING = {
    "hf": 'from datasets import load_dataset\n\nrows = load_dataset("DIR", split="train")',
    "webdataset": 'import webdataset\n\nrows = webdataset.WebDataset("train-000000.tar", shardshuffle=False)',
    "audiofolder": 'from datasets import load_dataset\n\nrows = load_dataset("audiofolder", data_dir="data")',
    "lhotse-shar": 'from lhotse import CutSet\n\ncuts = CutSet.from_shar(in_dir="train")',
    "lhotse": 'from lhotse import CutSet\n\ncuts = CutSet.from_file("cuts_train.jsonl.gz")',
}


def _loading(plan: Plan) -> list[str]:
    code = _LOADING.get(plan.spec.format)
    if code is None:
        return []
    is_mixed = len(plan.rates_hz) > 1 and plan.spec.format in {"hf", "audiofolder"}
    return ["```python", code, "```", *(["", _MIXED_RATES] if is_mixed else [])]


_MIXED_RATES = (
    "The files have several sample rates: "
    '`rows.cast_column("audio", Audio(sampling_rate=16000))` converts them as they are read.'
)
_RIGHTS = """\
The licence of each file is in its row, and as it was worded, with the place where it was found, in `ATTRIBUTION.csv`:
give credit as it says. Files whose host, page or server opts out of AI training were left out unless the command above
says otherwise.

A recorded voice is personal data in many countries, whatever its licence.

Ask {contact} for the removal of a file. `scrapy export --check DIR`, run beside the collection, lists the files that
were taken down, opted out or relicensed since.
"""


def _rights(about: dict[str, str]) -> list[str]:
    return _RIGHTS.format(contact=_inert(about.get("contact") or "whoever publishes this set")).splitlines()
