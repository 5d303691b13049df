"""Jobs, time and billed bytes of rows on their way to BigQuery, against a script that writes row by row.

python -m benchmarks.bigquery_flush

Jobs and time are measured with the official client against the emulator of the tests, on this machine: the ratio says
something, the seconds nothing about BigQuery. The bytes are computed from BigQuery's documented sizes of values.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client, QueryJobConfig, ScalarQueryParameter

from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES, AudioMetadata, AudioSource, Row, TableSpec
from audiocrawler.model.statuses import Status
from audiocrawler.warehouse import Options
from audiocrawler.warehouse.bigquery.warehouse import BigQueryWarehouse
from tests.emulators.bigquery import BigQueryEmulator
from tests.emulators.fault_proxy import FaultProxy

FILES = 10_000
BATCH_ROWS = 5_000
NAIVE_FILES = 100
"""Files that the naive script writes; its time for more is extrapolated."""
USD_PER_TIB = 6.25  # https://cloud.google.com/bigquery/pricing, on demand, US
LEAST_BILLED_BYTES = 10 * 10**6  # per table and query
DERIVED_FROM = {"source_url", "sha256", "title", "artist", "license", "license_url"}
"""Columns of audio_sources that the MERGE of audio_metadata reads."""
NOW = datetime.now(UTC)


def audio(number: int) -> AudioMetadata:
    """Return a row as a crawl of podcasts writes it."""
    sha256 = f"{number:064x}"
    return AudioMetadata(
        gcp_url=f"gs://my-bucket/audio/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}.mp3",
        file_name=f"episode-{number}.mp3",
        duration_ms=1_800_000,
        loudness=-18.25,
        classification="Low Energy",
        sha256=sha256,
        size_bytes=28_800_000,
        content_type="audio/mpeg",
        container="mp3",
        codec="mp3",
        sample_rate_hz=44_100,
        channels=2,
        bit_rate_bps=128_000,
        rms_dbfs=-18.25,
        peak_dbfs=-0.1,
        lufs=-16.5,
        loudness_range_lu=6.0,
        is_silent=False,
        silence_ratio=0.02,
        leading_silence_ms=120,
        trailing_silence_ms=400,
        clipping_ratio=0.0,
        dc_offset=0.0,
        bandwidth_hz_est=16_000.0,
        snr_db_est=40.0,
        pcm_hash=sha256[:32],
        waveform=bytes(200),
        tags={"title": f"Episode {number}", "artist": "A Host", "album": "A Show"},
        source_url=source(number).source_url,
        page_url=f"https://podcasts.example.org/shows/a-show/{number}",
        found_by="feed",
        decode_errors=0,
        status="ok",
        analyser_version="1 av-18.1.0",
        crawl_id="20261122T120000-abcdef",
        first_seen_at=NOW,
        updated_at=NOW,
    )


def source(number: int) -> AudioSource:
    """Return the row of the URL that the file came from."""
    sha256 = f"{number:064x}"
    return AudioSource(
        source_url=f"https://media.example.org/shows/a-show/episode-{number}.mp3",
        site="podcasts.example.org",
        host="media.example.org",
        gcp_url=f"gs://my-bucket/audio/sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}.mp3",
        page_url=f"https://podcasts.example.org/shows/a-show/{number}",
        page_title=f"A Show, episode {number}",
        found_by="feed",
        confidence=1.0,
        kind="audio",
        title=f"Episode {number}",
        status=Status.STORED,
        last_status=Status.STORED,
        last_attempt_at=NOW,
        attempts=1,
        http_status=200,
        etag=f'"{number}"',
        content_type="audio/mpeg",
        size_bytes=28_800_000,
        sha256=sha256,
        license="CC-BY-4.0",
        crawl_id="20261122T120000-abcdef",
        first_seen_at=NOW,
        last_seen_at=NOW,
    )


def rows(files: range) -> Iterator[Row]:
    """Yield both rows of each file."""
    for number in files:
        yield from (source(number), audio(number))


def flush_all(warehouse: BigQueryWarehouse) -> list[float]:
    """Return the seconds of each flush until nothing waits."""
    seconds = []
    while warehouse.pending_rows():
        began = time.perf_counter()
        result = warehouse.flush()
        assert result.error is None, result.error
        seconds.append(time.perf_counter() - began)
    return seconds


def naive(client: Client, files: range) -> float:
    """Return the seconds of a script that looks a file up and inserts its two rows, three queries a file."""
    began = time.perf_counter()
    for number in files:
        file, url = audio(number), source(number)
        run(client, "SELECT gcp_url FROM `project.naive.audio_metadata` WHERE gcp_url = @gcp_url", file, "gcp_url")
        insert(client, file, AUDIO_METADATA, ["gcp_url", "file_name", "duration_ms", "loudness", "classification"])
        insert(client, url, AUDIO_SOURCES, ["source_url", "status", "gcp_url", "page_url", "title"])
    return time.perf_counter() - began


def insert(client: Client, row: Row, table: TableSpec, names: list[str]) -> None:
    """Insert the named columns of a row."""
    places = ", ".join(f"@{name}" for name in names)
    run(client, f"INSERT INTO `project.naive.{table.name}` ({', '.join(names)}) VALUES ({places})", row, *names)


def run(client: Client, statement: str, row: Row, *names: str) -> None:
    """Run a statement with columns of a row as its parameters."""
    types = {int: "INT64", float: "FLOAT64"}
    values = [(name, getattr(row, name)) for name in names]
    parameters = [ScalarQueryParameter(name, types.get(type(value), "STRING"), value) for name, value in values]
    client.query(statement, QueryJobConfig(query_parameters=parameters)).result()


def measure(folder: Path) -> None:
    """Print jobs and times of both ways."""
    with BigQueryEmulator() as emulator, FaultProxy(emulator.url) as proxy:
        os.environ["BIGQUERY_EMULATOR_HOST"] = proxy.url
        options = Options(outbox=folder, batch_rows=BATCH_ROWS, create=True)
        BigQueryWarehouse("bigquery://project/naive/audio_metadata", options).close()
        warehouse = BigQueryWarehouse("bigquery://project/batches/audio_metadata", options)
        began = time.perf_counter()
        for first in range(0, FILES, 100):
            warehouse.upsert(list(rows(range(first, first + 100))))
        into_outbox_s = time.perf_counter() - began
        before = len(proxy.requests)
        flushes_s = flush_all(warehouse)
        jobs = count_jobs(proxy.requests[before:])
        before = len(proxy.requests)
        naive_s = naive(Client(project="project", credentials=AnonymousCredentials()), range(NAIVE_FILES))
        naive_jobs = count_jobs(proxy.requests[before:])
        warehouse.close()
    print(f"{FILES} files, {2 * FILES} rows, batches of {BATCH_ROWS} rows")
    print(f"  into the outbox, 200 rows at a time: {into_outbox_s:.2f} s")
    print(f"  flushes: {', '.join(f'{each:.2f}' for each in flushes_s)} s; jobs: {jobs}")
    print(f"row by row, {NAIVE_FILES} files: {naive_s:.2f} s; jobs: {naive_jobs}")
    # The first flush, as there the emulator translates both statements, which it does for each of the script's.
    scaled_s, batch_s = naive_s / NAIVE_FILES * BATCH_ROWS / 2, flushes_s[0]
    print(
        f"  extrapolated to the {BATCH_ROWS} rows of one batch: {scaled_s:.0f} s, {scaled_s / batch_s:.0f} times that"
    )
    print(f"  extrapolated to {FILES} files: {naive_jobs * FILES // NAIVE_FILES} jobs")


def count_jobs(requests: list[str]) -> int:
    """Return how many jobs the requests have started: queries, and load jobs by the request that begins an upload."""
    return sum(line.startswith("POST ") and "/jobs" in line for line in requests)


def size_of(row: Row, table: TableSpec, names: set[str] | None = None) -> int:
    """Return the logical bytes of a row; see https://cloud.google.com/bigquery/pricing#data."""
    chosen = [column for column in table.columns if names is None or column.name in names]
    return sum(_size(getattr(row, column.name), column.type) for column in chosen)


def _size(value: Any, type_name: str) -> int:
    if value is None:
        return 0
    if type_name in {"STRING", "BYTES"}:
        return 2 + len(value if isinstance(value, bytes) else str(value).encode())
    return len(str(value)) if type_name == "JSON" else 1 if type_name == "BOOLEAN" else 8


def compute() -> None:
    """Print what one flush bills, by the size of the tables."""
    audio_bytes, source_bytes = size_of(audio(10**6), AUDIO_METADATA), size_of(source(10**6), AUDIO_SOURCES)
    derived_bytes = size_of(source(10**6), AUDIO_SOURCES, DERIVED_FROM)
    print(f"a row of audio_metadata has {audio_bytes} bytes, one of audio_sources {source_bytes}; load jobs are free")
    print("files in the tables   billed per flush   USD per flush   USD to get there from nothing")
    total_usd, done = 0.0, 0
    for files in (10_000, 100_000, 1_000_000, 10_000_000):
        flushes = ceil((files - done) * 2 / BATCH_ROWS)
        middle = usd(billed((files + done) // 2, audio_bytes, source_bytes, derived_bytes))
        total_usd, done = total_usd + flushes * middle, files
        now = billed(files, audio_bytes, source_bytes, derived_bytes)
        print(f"{files:19,} {now / 1e6:15,.0f} MB {usd(now):15.5f} {total_usd:15,.2f}")


def billed(files: int, audio_bytes: int, source_bytes: int, derived_bytes: int) -> int:
    """Return the bytes that both MERGEs of a batch bill: the tables that they read, in whole, and the staged rows."""
    staged = [BATCH_ROWS // 2 * audio_bytes, BATCH_ROWS // 2 * source_bytes]
    read = [files * source_bytes, *staged, files * audio_bytes, files * derived_bytes, staged[0]]
    return sum(max(each, LEAST_BILLED_BYTES) for each in read)


def usd(billed_bytes: int) -> float:
    """Return the price on demand."""
    return billed_bytes / 2**40 * USD_PER_TIB


def main() -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder))
    compute()


if __name__ == "__main__":
    main()
