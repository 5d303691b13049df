"""Exports: a column a value, no formulas, and all files of a crawl, those that have not changed included."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from audiocrawler.exports import ParquetItemExporter, SpreadsheetSafeCsvExporter
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioItem
from audiocrawler.model.spreadsheets import is_formula
from tests.cloud import Cloud
from tests.crawling import Run, crawl
from tests.shelf import Shelf
from tests.site.behaviours import AUDIO
from tests.warehouse.rows import NOON, a_source, an_audio

SURF = (AUDIO / "surf.mp3").read_bytes()
PAGE = {
    "/one.mp3": (SURF, {"Content-Type": "audio/mpeg", "ETag": '"one"'}),
    "/two.mp3": (SURF + b"2", {"Content-Type": "audio/mpeg", "ETag": '"two"'}),
}


@pytest.mark.parametrize(
    "text", ["=1+1", "=CMD('x')", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "-rf.mp3", "- a dash", "-1 "]
)
def test_formulas(text: str) -> None:
    assert is_formula(text)


@pytest.mark.parametrize("text", ["-23.2", "+5", "-1e-3", "", "a=b", "1-2", "'=1", "Möwen"])
def test_numbers_and_plain_text(text: str) -> None:
    assert not is_formula(text)


def an_item(**audio: Any) -> AudioItem:
    source = a_source(license="CC0-1.0", title="=1+1", published_at=NOON)
    return AudioItem(file_urls=[source.source_url], file_name="a.mp3", source=source, audio=an_audio(**audio))


def in_csv(*items: Any, **options: Any) -> list[dict[str, str]]:
    file = io.BytesIO()
    exporter = SpreadsheetSafeCsvExporter(file, **options)
    exporter.start_exporting()
    for item in items:
        exporter.export_item(item)
    exporter.finish_exporting()
    return list(csv.DictReader(io.StringIO(file.getvalue().decode())))


def in_parquet(path: Path, items: Sequence[Any], **options: Any) -> Any:
    with path.open("wb") as file:
        exporter = ParquetItemExporter(file, **options)
        exporter.start_exporting()
        for item in items:
            exporter.export_item(item)
        exporter.finish_exporting()
    return parquet.read_table(path)


def test_a_spreadsheet_has_a_column_for_each_column_of_both_rows() -> None:
    listed = an_item()
    listed.audio = None
    stored, unmeasured = in_csv(an_item(tags={"title": "T", "album": "A"}, waveform=b"1", lufs=-23.5), listed)
    assert stored.keys() == {
        *("file_urls", "file_name"),
        *(f"source_{column.name}" for column in AUDIO_SOURCES.columns),
        *(f"audio_{column.name}" for column in AUDIO_METADATA.columns if column.name != "waveform"),
    }
    assert (stored["audio_duration_ms"], stored["audio_lufs"]) == ("1500", "-23.5")
    assert (stored["source_license"], stored["source_title"]) == ("CC0-1.0", "'=1+1")
    assert (stored["source_published_at"], stored["audio_tags"]) == ("2026-05-01T12:00:00.000250Z", "album=A; title=T")
    assert (unmeasured["source_license"], unmeasured["audio_duration_ms"]) == ("CC0-1.0", "")


def test_fields_of_a_feed_choose_columns() -> None:
    (row,) = in_csv(an_item(waveform=b"123"), fields_to_export=["audio_waveform", "source"])
    assert list(row) == ["audio_waveform", *(f"source_{column.name}" for column in AUDIO_SOURCES.columns)]
    assert row["audio_waveform"] == "MTIz"
    assert in_csv(an_item(), fields_to_export={"audio_sha256": "hash"}) == [{"hash": an_audio().sha256}]


def test_items_of_other_spiders_stay_as_they_are() -> None:
    assert in_csv({"name": "+1+1", "n": 1}) == [{"name": "'+1+1", "n": "1"}]


def test_parquet_has_the_same_columns_with_their_types(tmp_path: Path) -> None:
    listed = an_item()
    listed.audio = None
    items = [an_item(tags={"title": "T"}, waveform=b"\0\xff", is_silent=False), listed] * 700
    table = in_parquet(tmp_path / "out.parquet", items)
    assert table.num_rows == 1400
    assert len(table.column_names) == 2 + len(AUDIO_SOURCES.columns) + len(AUDIO_METADATA.columns)
    stored, unmeasured = table.slice(698, 2).to_pylist()
    assert (stored["audio_waveform"], json.loads(stored["audio_tags"])) == (b"\0\xff", {"title": "T"})
    assert (stored["audio_is_silent"], stored["source_published_at"]) == (False, NOON)
    assert (unmeasured["source_license"], unmeasured["audio_duration_ms"]) == ("CC0-1.0", None)


def test_parquet_without_a_file_is_a_table_without_rows(tmp_path: Path) -> None:
    table = in_parquet(tmp_path / "out.parquet", [], fields_to_export={"audio_sha256": "hash", "other": "x"})
    assert (table.num_rows, table.column_names) == (0, ["hash"])


def test_parquet_cannot_be_appended_to(tmp_path: Path) -> None:
    (tmp_path / "out.parquet").write_bytes(b"PAR1")
    with (tmp_path / "out.parquet").open("ab") as file, pytest.raises(ValueError, match="write -O instead of -o"):
        ParquetItemExporter(file)


FORMATS = ("csv", "jsonlines", "parquet")


def feeds(folder: Path) -> dict[str, str]:
    return {
        "FEEDS": json.dumps({str(folder / f"out.{form}"): {"format": form, "overwrite": True} for form in FORMATS}),
    }


@dataclass(frozen=True, slots=True)
class Exported:
    """What a crawl has exported, by URL."""

    code: int
    csv: dict[str, dict[str, str]]
    lines: dict[str, dict[str, Any]]
    parquet: dict[str, dict[str, Any]]


def exported(run: Run) -> Exported:
    with (run.folder / "out.csv").open(encoding="utf-8", newline="") as file:
        cells = {row["file_urls"]: row for row in csv.DictReader(file)}
    lines = map(json.loads, (run.folder / "out.jsonlines").read_text(encoding="utf-8").splitlines())
    table = parquet.read_table(run.folder / "out.parquet").to_pylist()
    by_url = {line["file_urls"][0]: line for line in lines}
    return Exported(run.code, cells, by_url, {row["file_urls"]: row for row in table})


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Exported]]:
    """The exports of three nights: new files, nothing new, one file new."""
    folder = tmp_path_factory.mktemp("nights")
    with Shelf(dict(PAGE)) as shelf:
        found = [exported(crawl(folder, f"url={shelf.url}/", settings=feeds(folder))) for _ in range(2)]
        shelf.answers["/three.mp3"] = (SURF + b"3", {"Content-Type": "audio/mpeg"})
        yield [*found, exported(crawl(folder, f"url={shelf.url}/", settings=feeds(folder)))]


def test_a_crawl_in_which_nothing_has_changed_exports_the_same_files(nights: list[Exported]) -> None:
    first, second, third = nights
    assert [night.code for night in nights] == [0, 0, 0]
    assert len(first.csv) == len(first.lines) == len(first.parquet) == 2
    for name in ("csv", "lines", "parquet"):
        assert getattr(second, name).keys() == getattr(first, name).keys()
        assert len(getattr(third, name)) == 3


def test_an_unchanged_file_has_its_measures_and_says_that_it_is_unchanged(nights: list[Exported]) -> None:
    first, second, _ = nights
    for url, row in second.csv.items():
        assert row["source_status"] == "unchanged"
        kept = {name for name in row if name.startswith("audio_")} | {"source_sha256", "source_page_url", "file_name"}
        kept.remove("audio_license_conflict")  # which is worked out as the row is written
        assert {name: row[name] for name in kept} == {name: first.csv[url][name] for name in kept}
        assert second.parquet[url]["audio_samples"] == first.parquet[url]["audio_samples"] > 0
        assert second.lines[url]["files"][0]["path"] == first.lines[url]["files"][0]["path"]
        assert second.lines[url]["audio"]["waveform"] == first.lines[url]["audio"]["waveform"]


def test_another_machine_exports_unchanged_files_from_bigquery(cloud: Cloud, tmp_path: Path) -> None:
    with Shelf(dict(PAGE)) as shelf:
        for machine in ("one", "two"):
            folder = tmp_path / machine
            folder.mkdir()
            run = crawl(folder, f"url={shelf.url}/", settings=feeds(folder), env=cloud.env)
            assert run.code == 0
        rows = exported(run).parquet.values()
    assert {row["source_status"] for row in rows} == {"unchanged"}
    assert {row["audio_sha256"] for row in rows} == {row.sha256 for row in cloud.audio}
    assert all(row["audio_samples"] > 0 for row in rows)


def test_a_crawl_that_fails_with_nothing_to_export_leaves_the_files_of_the_one_before(tmp_path: Path) -> None:
    with Shelf(dict(PAGE)) as shelf:
        url = shelf.url
        crawl(tmp_path, f"url={url}/", settings=feeds(tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("out.*")}
    failed = crawl(tmp_path, f"url={url}/", settings=feeds(tmp_path) | {"RETRY_TIMES": "0"})
    assert failed.code == 3
    assert {path.name: path.read_bytes() for path in tmp_path.glob("out.*")} == before
    assert len(before) == 3
    assert failed.log.count("nothing to export; the file stays as it was") == 3


def test_a_crawl_that_ends_well_with_nothing_to_export_says_so_by_an_empty_file(tmp_path: Path) -> None:
    with Shelf(dict(PAGE)) as shelf:
        crawl(tmp_path, f"url={shelf.url}/", settings=feeds(tmp_path))
        changed = {"AUDIO_MIN_DURATION_MS": "3600000", "AUDIO_WAREHOUSE": "sqlite:data/other.db"}
        run = crawl(tmp_path, f"url={shelf.url}/", settings=feeds(tmp_path) | changed)
    assert (run.code, (tmp_path / "out.csv").read_bytes()) == (0, b"")
