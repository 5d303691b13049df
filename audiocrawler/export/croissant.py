"""A set whose shards are there in; croissant.json, the same for machines, out."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audiocrawler.export.core import counted
from audiocrawler.export.folder import Folder
from audiocrawler.export.plan import Plan
from audiocrawler.export.shards import Record

CROISSANT = "croissant.json"
_PARQUET = "application/x-parquet"
"""With the registered name, application/vnd.apache.parquet, mlcroissant validates the file and reads nothing."""
_LINES, _CSV = "application/jsonlines", "text/csv"
_TAR = "application/x-tar"


@dataclass(frozen=True, slots=True)
class _Table:
    """The files that have a row for each file of a split, and which columns they have."""

    includes: str
    encoding: str
    has_nulls: bool = True
    """Whether a column is there that has no value in any row."""
    inside: str = ""
    """The column whose members the columns are."""
    own: tuple[str, ...] = ()
    """Columns of text that the format adds, or names differently."""


_TABLES = {
    "hf": _Table("data/{split}-*.parquet", _PARQUET),
    "audiofolder": _Table("data/{split}/*/metadata.parquet", _PARQUET, own=("file_name", "original_name")),
    "lhotse": _Table("cuts_{split}.jsonl.gz", _LINES, inside="custom", own=("id",)),
    "lhotse-shar": _Table("{split}/cuts.*.jsonl.gz", _LINES, inside="custom", own=("id",)),
    "nemo": _Table("{split}_manifest.json", _LINES, has_nulls=False, own=("audio_filepath",)),
    "nemo-tarred": _Table(
        "{split}/sharded_manifests/manifest_*.json", _LINES, has_nulls=False, own=("audio_filepath",)
    ),
    "jsonl": _Table("files{part}.jsonl", _LINES),
    "csv": _Table("files{part}.csv", _CSV),
    "parquet": _Table("files{part}.parquet", _PARQUET),
}
_UNTOLD: dict[str, frozenset[str]] = {
    _PARQUET: frozenset(),
    _CSV: frozenset({"BYTES"}),
    _LINES: frozenset({"BYTES", "JSON"}),
}
"""Types of columns that are not there, or not as text, which is all that mlcroissant makes of them."""
_LOOSE = {"audiofolder": "data/{split}/*", "lhotse": "audio/*", "nemo": "audio/*"}
"""Where audio stands in folders: mlcroissant reads none of it, but a row tells the path."""
_TYPES = {
    "STRING": "sc:Text",
    "INTEGER": "sc:Integer",
    "FLOAT": "sc:Float",
    "BOOLEAN": "sc:Boolean",
    "TIMESTAMP": "sc:DateTime",
    "BYTES": "sc:Text",
    "JSON": "sc:Text",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""As the specification gives it: https://docs.mlcommons.org/croissant/docs/croissant-spec.html."""


def write_croissant(plan: Plan, records: Sequence[Record], numbers: dict[str, Any], folder: Folder) -> None:
    """Write the description; see also https://docs.mlcommons.org/croissant/docs/croissant-rai-spec.html."""
    splits = list(dict.fromkeys(shard.split for shard in plan.shards))
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "audio-collected-by-audiocrawler",
        "description": f"{counted(numbers['files'], 'recording')} found on the web, each with its source and licence.",
        "license": "ATTRIBUTION.csv",
        "version": "1.0.0",
        "datePublished": plan.as_of[:10] or "1970-01-01",
        "citeAs": "See ATTRIBUTION.csv",
        **_responsible(plan),
        "distribution": [each for split in splits for each in _distribution(split, plan, records)],
        "recordSet": [each for split in splits for each in _record_sets(split, plan)],
    }
    folder.write(CROISSANT, json.dumps(described, ensure_ascii=False, indent=1) + "\n")


def _responsible(plan: Plan) -> dict[str, Any]:
    return {
        "rai:dataCollection": f"Crawled by audiocrawler. {plan.spec.command()}",
        "rai:dataCollectionType": "Web Scraping",
        "rai:dataCollectionTimeframe": [time for time in (plan.since, plan.as_of) if time],
        "rai:personalSensitiveInformation": "Recorded voices are personal data in many countries.",
    }


def _distribution(split: str, plan: Plan, records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    if table := _TABLES.get(plan.spec.format):
        yield _file_set(f"{split}-files", table.encoding, _pattern(table.includes, split, plan))
    if loose := _LOOSE.get(plan.spec.format):
        for extension in sorted(plan.extensions):
            pattern = f"{_pattern(loose, split, plan)}/*.{extension}"
            yield _file_set(f"{split}-{extension}", f"audio/{extension}", pattern)
    if archives := list(_archives(split, plan, records)):
        yield from archives
        inside = {"containedIn": [{"@id": archive["@id"]} for archive in archives]}
        patterns = [f"*.{extension}" for extension in sorted(plan.extensions)]
        yield {**_file_set(f"{split}-audio-files", "audio/*", patterns), **inside}


def _pattern(pattern: str, split: str, plan: Plan) -> str:
    return pattern.format(split=split, part=f"-{split}" if len(plan.spec.splits) > 1 else "")


def _file_set(name: str, encoding: str, includes: str | list[str]) -> dict[str, Any]:
    return {"@type": "cr:FileSet", "@id": name, "name": name, "encodingFormat": encoding, "includes": includes}


def _archives(split: str, plan: Plan, records: Sequence[Record]) -> Iterator[dict[str, Any]]:
    for shard, record in zip(plan.shards, records, strict=True):
        for made in record.files:
            if shard.split == split and made.path.endswith(".tar"):
                name = made.path.replace("/", "-")
                about = {"encodingFormat": _TAR, "sha256": made.sha256, "contentSize": f"{made.size_bytes} B"}
                yield {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": made.path, **about}


def _record_sets(split: str, plan: Plan) -> Iterator[dict[str, Any]]:
    if table := _TABLES.get(plan.spec.format):
        audio = [_audio(split, plan)] if plan.spec.format == "hf" else []
        yield _record_set(split, [*audio, *_columns(split, plan, table)])
    if plan.spec.format in {"webdataset", "lhotse-shar", "nemo-tarred"}:
        yield _record_set(f"{split}-audio", _members(split))


def _record_set(name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": {"@id": f"{name}/sha256"}, "field": fields}


def _audio(split: str, plan: Plan) -> dict[str, Any]:
    how = {"extract": {"column": "audio"}, "transform": {"jsonPath": "bytes"}}
    audio = _field(f"{split}/audio", "sc:AudioObject", f"{split}-files", how)
    if rate_hz := plan.one_rate_hz:
        audio["source"]["samplingRate"] = rate_hz
    return audio


def _columns(split: str, plan: Plan, table: _Table) -> Iterator[dict[str, Any]]:
    untold = _UNTOLD[table.encoding]
    names = dict.fromkeys(table.own, "STRING") | {
        name: kind
        for name, kind in plan.types.items()
        if kind not in untold and (table.has_nulls or name not in plan.has_nulls)
    }
    for name, kind in names.items():
        is_inside = bool(table.inside) and name not in table.own
        how: dict[str, Any] = {"extract": {"column": table.inside if is_inside else name}}
        if is_inside:
            how["transform"] = {"jsonPath": name}
        yield _field(f"{split}/{name}", _TYPES[kind], f"{split}-files", how)


def _members(split: str) -> list[dict[str, Any]]:
    """Return what there is to tell of the audio in archives: its hash, which is its name, and the bytes."""
    files = f"{split}-audio-files"
    name = {"extract": {"fileProperty": "filename"}, "transform": {"regex": "^([0-9a-f]{64})"}}
    return [
        _field(f"{split}-audio/sha256", "sc:Text", files, name),
        _field(f"{split}-audio/audio", "sc:AudioObject", files, {"extract": {"fileProperty": "content"}}),
    ]


def _field(name: str, data_type: str, files: str, how: dict[str, Any]) -> dict[str, Any]:
    source = {"fileSet": {"@id": files}, **how}
    return {"@type": "cr:Field", "@id": name, "name": name, "dataType": data_type, "source": source}
