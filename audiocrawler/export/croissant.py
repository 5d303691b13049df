"""A set in Parquet with its papers in; croissant.json, the same for machines, out."""

import json
from typing import Any

from audiocrawler.export.core import counted
from audiocrawler.export.folder import Folder
from audiocrawler.export.parquet import one_rate
from audiocrawler.export.plan import Plan

CROISSANT = "croissant.json"
_PARQUET = "application/x-parquet"
"""With the registered name, application/vnd.apache.parquet, mlcroissant validates the file and reads nothing."""
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


def write_croissant(plan: Plan, numbers: dict[str, Any], folder: Folder) -> None:
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
        "distribution": [_file_set(split) for split in splits],
        "recordSet": [_record_set(split, plan) for split in splits],
    }
    folder.write(CROISSANT, json.dumps(described, ensure_ascii=False, indent=1) + "\n")


def _responsible(plan: Plan) -> dict[str, Any]:
    return {
        "rai:dataCollection": f"Crawled by audiocrawler. {plan.spec.command()}",
        "rai:dataCollectionType": "Web Scraping",
        "rai:dataCollectionTimeframe": [time for time in (plan.since, plan.as_of) if time],
        "rai:personalSensitiveInformation": "Recorded voices are personal data in many countries.",
    }


def _file_set(split: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{split}-files",
        "name": f"{split}-files",
        "encodingFormat": _PARQUET,
        "includes": f"data/{split}-*.parquet",
    }


def _record_set(split: str, plan: Plan) -> dict[str, Any]:
    how = {"extract": {"column": "audio"}, "transform": {"jsonPath": "bytes"}}
    audio = _field(split, "audio", "sc:AudioObject", how)
    if rate_hz := one_rate(plan):
        audio["source"]["samplingRate"] = rate_hz
    fields = [_field(split, name, _TYPES[kind], {"extract": {"column": name}}) for name, kind in plan.types.items()]
    key = {"@id": f"{split}/sha256"}
    return {"@type": "cr:RecordSet", "@id": split, "name": split, "key": key, "field": [audio, *fields]}


def _field(split: str, name: str, data_type: str, how: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{split}/{name}",
        "name": f"{split}/{name}",
        "dataType": data_type,
        "source": {"fileSet": {"@id": f"{split}-files"}, **how},
    }
