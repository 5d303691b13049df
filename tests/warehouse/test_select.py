"""Questions about the views, in any warehouse, and the expressions that are refused."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audiocrawler.model.errors import ConfigurationError
from audiocrawler.warehouse import Query, Warehouse, open_warehouse, sqlite_select
from audiocrawler.warehouse.views import VIEWS
from tests.warehouse.conftest import KINDS, warehouse_of
from tests.warehouse.rows import NOON, OTHER_SHA, SHA, a_source, an_audio

HOUR_MS = 3_600_000
OTHER_URL = "https://example.org/other.mp3"


@pytest.fixture(scope="module", params=KINDS)
def filled(request, tmp_path_factory):
    with warehouse_of(request.param, request, tmp_path_factory.mktemp("select")) as warehouse:
        warehouse.upsert([
            a_source("a", page_title="The page", host="example.org", published_at=NOON, license="CC0-1.0"),
            a_source("b", status="duplicate", opt_out="tdm", license="CC0-1.0"),
            a_source("other", sha256=OTHER_SHA, attribution="Ann"),
            a_source("c", status="failed", reason="HTTP 404", host="example.org"),
            a_source("d", status="failed", reason="HTTP 404", host="example.org"),
            a_source("e", status="robots", reason="robots.txt", host="example.net"),
            a_source("f", status="filtered", reason="too short", host="example.org"),
            an_audio(
                duration_ms=2 * HOUR_MS, language="en", tags={"title": "T"}, waveform=b"\0\xff",
                is_silent=False, first_seen_at=NOON, page_url="https://example.org/",
            ),
            an_audio(
                OTHER_SHA, duration_ms=HOUR_MS // 2, is_silent=True, source_url=OTHER_URL,
                page_url="https://example.org/",
            ),
        ])  # fmt: skip
        yield warehouse


def only(warehouse: Warehouse, query: Query) -> dict[str, object]:
    (row,) = warehouse.select(query)
    return row


def test_files_are_those_of_audio_metadata_with_what_their_source_says(filled: Warehouse) -> None:
    row = only(filled, Query("files", f"sha256 = '{SHA}'"))
    assert list(row) == list(VIEWS["files"].types)
    assert (row["gcp_url"], row["page_title"], row["host"]) == (an_audio().gcp_url, "The page", "example.org")
    assert (row["published_at"], row["first_seen_at"]) == (NOON, NOON)
    assert (row["tags"], row["waveform"], row["is_silent"]) == ({"title": "T"}, b"\0\xff", False)
    assert (row["license"], row["attribution"]) == ("CC0-1.0", None)


def test_an_opt_out_of_any_url_is_one_of_the_file(filled: Warehouse) -> None:
    assert {row["sha256"]: row["opt_out"] for row in filled.select(Query("files"))} == {SHA: "tdm", OTHER_SHA: None}


def test_failures_are_counted_by_reason_and_host(filled: Warehouse) -> None:
    robots, failed = (a_source(name).source_url for name in "ec")
    assert list(filled.select(Query("failures", order_by="n"))) == [
        {"status": "robots", "reason": "robots.txt", "host": "example.net", "n": 1, "example": robots},
        {"status": "failed", "reason": "HTTP 404", "host": "example.org", "n": 2, "example": failed},
    ]


def test_hours_are_summed_by_licence_and_language_and_by_page(filled: Warehouse) -> None:
    assert list(filled.select(Query("hours", order_by="hours"))) == [
        {"license": None, "language": None, "files": 1, "hours": 0.5},
        {"license": "CC0-1.0", "language": "en", "files": 1, "hours": 2.0},
    ]
    assert list(filled.select(Query("pages"))) == [{"page_url": "https://example.org/", "files": 2, "hours": 2.5}]


def test_columns_order_and_limit_are_those_of_the_query(filled: Warehouse) -> None:
    query = Query("files", columns=("sha256", "duration_ms"), order_by="duration_ms", limit=1)
    assert list(filled.select(query)) == [{"sha256": OTHER_SHA, "duration_ms": HOUR_MS // 2}]


@pytest.mark.parametrize(
    "where",
    [
        "license = 'CC0-1.0' AND duration_ms > 1000 -- open",
        "NOT is_silent",
        "published_at >= '2026-05-01'",
        "sha256 IN (SELECT sha256 FROM files WHERE opt_out IS NOT NULL)",
        "page_url IN (SELECT page_url FROM pages WHERE hours > 1) AND LOWER(language) LIKE 'e%'",
    ],
)
def test_an_expression_chooses_rows(filled: Warehouse, where: str) -> None:
    assert [row["sha256"] for row in filled.select(Query("files", where))] == [SHA]


NO_EXPRESSIONS = {
    "1 = 1) OR (1 = 1": "",
    "1 = 1); DROP TABLE audio_metadata; --": "",
    "1 = 1; DROP TABLE audio_metadata": "",
    "1 = 1 THEN 1 END FROM files; DROP TABLE audio_metadata; --": "",
    "1 = 1\n) LIMIT 0 --": "",
    "1 = 1 LIMIT 0": "",
    "SELECT 1": "",
    "DELETE FROM audio_metadata": "",
    "1 = 1 /*": "",
    "lisense = 'CC0-1.0'": "lisense",
    "no_such_function(1) = 1": "no_such_function",
    "\ud800": "",
}


@pytest.mark.parametrize("where", NO_EXPRESSIONS)
def test_what_is_no_expression_is_refused_in_one_line_and_changes_nothing(filled: Warehouse, where: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        list(filled.select(Query("files", where)))
    message = str(refused.value)
    assert message.startswith("--where ")
    assert NO_EXPRESSIONS[where] in message
    assert "\n" not in message
    assert len(list(filled.select(Query("files")))) == 2


@pytest.mark.parametrize("query", [Query("files", columns=("sha",)), Query("files", order_by="sha")])
def test_columns_that_are_not_there_are_named(filled: Warehouse, query: Query) -> None:
    with pytest.raises(ConfigurationError, match=r"sha: no such column in files; choose from gcp_url, "):
        list(filled.select(query))


@pytest.fixture
def sqlite(tmp_path: Path):
    warehouse = open_warehouse(f"sqlite:{tmp_path}/a folder?#/audio.db")
    warehouse.upsert([an_audio(f"{number:064x}") for number in range(2500)])
    yield warehouse
    warehouse.close()


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("load_extension('x')", "not authorized to use function: load_extension"),
        ("randomblob(9)", "not authorized to use function: randomblob"),
        ("(SELECT sql FROM sqlite_master)", "access to sqlite_master.sql is prohibited"),
        ("EXISTS (SELECT 1 FROM pragma_table_info('audio_metadata'))", "not authorized"),
        ("EXISTS (WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)", "not authorized"),
        ("json_extract(source_url, '$.a') = 1", "malformed JSON"),
        ("replace(printf('%9000d', 1), ' ', printf('%9000d', 1)) = ''", "string or blob too big"),
        ("?", "binding"),
    ],
)
def test_sqlite_does_nothing_but_read_our_tables(sqlite: Warehouse, where: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match="--where ") as refused:
        sqlite.select(Query("files", where))
    assert words in str(refused.value)


def test_an_expression_without_end_is_ended(sqlite: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_select, "TIMEOUT_S", 0.2)
    endless = "(SELECT COUNT(*) FROM audio_metadata a, audio_metadata b, audio_metadata c) > 0"
    with pytest.raises(ConfigurationError, match=r"took longer than 0.2 s"):
        sqlite.select(Query("files", endless))


def test_rows_are_those_of_the_start_while_others_are_written(sqlite: Warehouse) -> None:
    rows = sqlite.select(Query("files", columns=("sha256",), order_by="sha256"))
    first = next(rows)
    sqlite.upsert([an_audio("f" * 64)])
    assert [first, *rows] == [{"sha256": f"{number:064x}"} for number in range(2500)]


def test_a_slow_reader_keeps_no_time_limit(sqlite: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_select, "TIMEOUT_S", 5.0)
    rows = sqlite.select(Query("files", columns=("sha256",)))
    next(rows)
    later = time.monotonic() + 60
    monkeypatch.setattr(sqlite_select, "monotonic", lambda: later)
    assert len(list(rows)) == 2499


def test_threads_select_at_once(sqlite: Warehouse) -> None:
    with ThreadPoolExecutor(4) as pool:
        counts = pool.map(lambda _: sum(1 for _ in sqlite.select(Query("files", columns=("sha256",)))), range(8))
    assert set(counts) == {2500}
