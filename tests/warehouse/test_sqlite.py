"""What only the SQLite warehouse does: files, folders, tables that were there before, kills."""

import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from audiocrawler.model.errors import ConfigurationError, SchemaError, WarehouseError
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata
from audiocrawler.warehouse import Warehouse, open_warehouse
from tests.warehouse.rows import SHA, a_source, an_audio

FIVE = "gcp_url {}, file_name {}, duration_ms {}, loudness {}, classification {}"


def run_sql(path: Path, *statements: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection, connection:
        return [row for statement in statements for row in connection.execute(statement).fetchall()]


def column_names(path: Path, table: str) -> list[Any]:
    return [name for _, name, *_ in run_sql(path, f"PRAGMA table_info({table})")]


def the_audio(warehouse: Warehouse) -> AudioMetadata:
    row = warehouse.find_audio(SHA)
    assert row is not None
    return row


@pytest.fixture
def path(tmp_path) -> Path:
    return Path(tmp_path, "audio.db")


@pytest.mark.parametrize(
    "uri", ["sqlite:data/audio.db", "sqlite://{}/data/audio.db", "data/audio.db", "{}/data/audio.db"]
)
def test_the_file_and_its_folder_are_created(tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    open_warehouse(uri.format(tmp_path)).close()
    assert (tmp_path / "data/audio.db").is_file()


def test_the_tables_have_the_declared_columns_in_order_and_their_indexes(path):
    open_warehouse(f"sqlite:{path}").close()
    for table in (AUDIO_METADATA, AUDIO_SOURCES):
        assert column_names(path, table.name) == [column.name for column in table.columns]
    plan = run_sql(path, f"EXPLAIN QUERY PLAN SELECT * FROM audio_metadata WHERE sha256 = '{SHA}'")
    assert "USING INDEX" in str(plan)


def test_values_read_well_in_plain_sql(path):
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([an_audio(is_silent=True, tags={"title": "é"}), a_source(first_seen_at=None)])
    rows = run_sql(path, "SELECT loudness, is_silent, tags ->> 'title', status FROM audio_metadata")
    assert rows == [(-20.5, 1, "é", None)]
    warehouse.close()


def test_a_reader_is_not_disturbed_by_a_writer_nor_the_other_way_round(path):
    warehouse = open_warehouse(f"sqlite:{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as notebook:
        notebook.execute("BEGIN")
        assert notebook.execute("SELECT count(*) FROM audio_metadata").fetchone() == (0,)
        warehouse.upsert([an_audio()])
        assert notebook.execute("SELECT count(*) FROM audio_metadata").fetchone() == (0,)
        notebook.execute("COMMIT")
        assert notebook.execute("SELECT count(*) FROM audio_metadata").fetchone() == (1,)
    warehouse.close()


def open_once(path: Path, start: Barrier) -> None:
    start.wait()
    open_warehouse(f"sqlite:{path}").close()


def test_processes_that_create_the_same_file_at_once_all_open_it(tmp_path):
    context = multiprocessing.get_context("fork")
    for round_ in range(4):
        start = context.Barrier(6)
        processes = [context.Process(target=open_once, args=(tmp_path / f"{round_}.db", start)) for _ in range(6)]
        for each in processes:
            each.start()
        for each in processes:
            each.join(60)
        assert [each.exitcode for each in processes] == [0] * 6


# --- Tables that were there before -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "types",
    [
        ("STRING", "STRING", "INTEGER", "FLOAT", "STRING"),
        ("TEXT", "TEXT", "INT64", "FLOAT64", "TEXT"),
        ("VARCHAR(255) NOT NULL", "varchar", "BIGINT", "DOUBLE PRECISION", "varchar(20)"),
        ("TEXT PRIMARY KEY", "TEXT NOT NULL", "INTEGER NOT NULL", "REAL NOT NULL", "TEXT NOT NULL"),
    ],
)
def test_a_table_with_only_the_users_columns_is_adopted_with_its_rows(path, types):
    run_sql(
        path,
        f"CREATE TABLE audio_metadata ({FIVE.format(*types)})",
        "INSERT INTO audio_metadata VALUES ('gs://old/1.mp3', '1.mp3', 10, -3.0, 'High Energy')",
        "INSERT INTO audio_metadata VALUES ('gs://old/2.mp3', '2.mp3', 20, -4.5, 'High Energy')",
    )
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([an_audio(gcp_url="gs://old/2.mp3", duration_ms=21, file_name="two.mp3"), a_source()])
    warehouse.upsert([an_audio("ef" * 32)])
    assert the_audio(warehouse).duration_ms == 21
    warehouse.close()
    assert run_sql(path, "SELECT gcp_url, file_name, duration_ms, loudness FROM audio_metadata ORDER BY 1")[:2] == [
        (f"gs://bucket/sha256/{'ef' * 32}.mp3", "a.mp3", 1500, -20.5),
        ("gs://old/1.mp3", "1.mp3", 10, -3.0),
    ]
    assert run_sql(path, "SELECT count(*) FROM audio_metadata") == [(3,)]
    assert set(column_names(path, "audio_metadata")) == {column.name for column in AUDIO_METADATA.columns}


def test_columns_that_are_not_ours_keep_their_values(path):
    run_sql(
        path,
        f"CREATE TABLE audio_metadata ({FIVE.format(*['TEXT'] * 2, 'INT', 'REAL', 'TEXT')}, note TEXT)",
        "INSERT INTO audio_metadata VALUES ('gs://old/1.mp3', '1.mp3', 10, -3.0, 'High Energy', 'mine')",
    )
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([an_audio(gcp_url="gs://old/1.mp3")])
    warehouse.upsert([an_audio(gcp_url="gs://moved/1.mp3")])
    warehouse.close()
    assert run_sql(path, "SELECT gcp_url, note FROM audio_metadata") == [("gs://moved/1.mp3", "mine")]


def test_a_row_without_hash_under_the_new_key_of_a_moved_file_is_merged(path):
    run_sql(
        path,
        f"CREATE TABLE audio_metadata ({FIVE.format(*['TEXT'] * 2, 'INT', 'REAL', 'TEXT')})",
        "INSERT INTO audio_metadata VALUES ('gs://new/1.mp3', '1.mp3', 10, -3.0, 'High Energy')",
    )
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([an_audio(gcp_url="gs://old/1.mp3", album="One")])
    warehouse.upsert([an_audio(gcp_url="gs://new/1.mp3")])
    assert the_audio(warehouse).album == "One"
    warehouse.close()
    assert run_sql(path, "SELECT gcp_url FROM audio_metadata") == [("gs://new/1.mp3",)]


def test_a_column_added_later_appears_and_the_rows_stay(path):
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([an_audio(album="One"), a_source(title="T")])
    warehouse.close()
    older = (
        "DROP VIEW files",
        "ALTER TABLE audio_metadata DROP COLUMN album",
        "ALTER TABLE audio_sources DROP COLUMN title",
    )
    run_sql(path, *older)
    warehouse = open_warehouse(f"sqlite:{path}")
    assert (the_audio(warehouse).album, the_audio(warehouse).duration_ms) == (None, 1500)
    warehouse.upsert([an_audio(album="Two")])
    assert the_audio(warehouse).album == "Two"
    warehouse.close()


@pytest.mark.parametrize(
    ("statements", "message"),
    [
        (
            [f"CREATE TABLE audio_metadata ({FIVE.format('TEXT', 'TEXT', 'TEXT', 'REAL', 'TEXT')})"],
            "column duration_ms of table audio_metadata is TEXT, not INTEGER",
        ),
        (["CREATE TABLE audio_metadata (file_name TEXT)"], "table audio_metadata has no column gcp_url"),
        (["CREATE TABLE audio_sources (url TEXT)"], "table audio_sources has no column source_url"),
        (
            ["CREATE TABLE audio_metadata (gcp_url TEXT, owner TEXT NOT NULL)"],
            "column owner of table audio_metadata is NOT NULL but unknown",
        ),
        (
            ["CREATE TABLE audio_metadata (gcp_url TEXT)", "INSERT INTO audio_metadata VALUES ('a'), ('a'), ('b')"],
            "table audio_metadata has several rows with the same gcp_url",
        ),
        (["CREATE VIEW audio_metadata AS SELECT 'a' AS gcp_url"], ""),
    ],
)
def test_a_table_that_contradicts_ours_is_refused_untouched(path, statements, message):
    run_sql(path, *statements)
    before = run_sql(path, "SELECT * FROM sqlite_schema")
    with pytest.raises(ConfigurationError) as caught:
        open_warehouse(f"sqlite:{path}")
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)
    assert run_sql(path, "SELECT * FROM sqlite_schema") == before


def test_a_file_that_is_no_database_is_refused_untouched(path):
    path.write_bytes(b"ID3\x04" + bytes(5000))
    with pytest.raises(SchemaError, match=rf"^{path}: file is not a database; .*AUDIO_WAREHOUSE to another file$"):
        open_warehouse(f"sqlite:{path}")
    assert path.read_bytes()[:4] == b"ID3\x04"


# --- Disks and kills -------------------------------------------------------------------------------------------------


def test_a_path_that_cannot_be_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match=r"AUDIO_WAREHOUSE to another file$"):
        open_warehouse(f"sqlite:{tmp_path}/file/audio.db")
    with pytest.raises(ConfigurationError, match=r"AUDIO_WAREHOUSE to another file$"):
        open_warehouse(f"sqlite:{tmp_path}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_database_is_refused(path):
    open_warehouse(f"sqlite:{path}").close()
    path.chmod(0o400)
    with pytest.raises(ConfigurationError, match=r"readonly database; make the file and its folder writable"):
        open_warehouse(f"sqlite:{path}")


def fill_the_disk(path: Path) -> None:
    """Run in a process of its own: its files cannot grow for a while, as on a full disk."""
    warehouse = open_warehouse(f"sqlite:{path}")
    warehouse.upsert([a_source("before")])
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    with pytest.raises(WarehouseError, match=rf"^{path}: .*space$"):
        warehouse.upsert([a_source(f"{number}", title="x" * 1000) for number in range(500)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert warehouse.find_source(a_source("0").source_url) is None
    warehouse.upsert([a_source("after")])
    warehouse.close()


def test_a_full_disk_is_an_error_of_one_line_and_the_next_batch_succeeds(path):
    process = multiprocessing.get_context("spawn").Process(target=fill_the_disk, args=(path,))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert run_sql(path, "SELECT count(*) FROM audio_sources") == [(2,)]


WRITER = """
import sys
from audiocrawler.warehouse import Warehouse, open_warehouse
from tests.warehouse.rows import a_source, an_audio
warehouse = open_warehouse(sys.argv[1])
for number in range(int(sys.argv[2]), 10**9):
    sha256 = f"{number:064x}"
    sources = [a_source(f"{number}-{part}", sha256=sha256) for part in "ab"]
    warehouse.upsert([*sources, an_audio(sha256)])
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_whole_batches_and_loses_none(path):
    done = -1
    for round_ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, f"sqlite:{path}", str(done + 1)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline()
            time.sleep(0.02 + 0.03 * round_)
            writer.send_signal(signal.SIGKILL)
            done = max([done + 1, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        counts = dict(run_sql(path, "SELECT sha256, count(*) FROM audio_sources GROUP BY 1"))
        files = {sha256 for (sha256,) in run_sql(path, "SELECT sha256 FROM audio_metadata")}
        assert set(counts.values()) == {2}
        assert set(counts) == files >= {f"{number:064x}" for number in range(done + 1)}
        assert run_sql(path, "PRAGMA integrity_check") == [("ok",)]
