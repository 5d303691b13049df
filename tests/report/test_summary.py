"""The closing table says what became of every URL, and where everything is."""

from audiocrawler.report.progress import progress_line
from audiocrawler.report.summary import Places, bytes_text, duration_text, format_summary, summarise

STATS = {
    "audio/pages": 3,
    "audio/found": 12,
    "audio/stored": 5,
    "audio/duplicate": 1,
    "audio/unchanged": 2,
    "audio/failed": 1,
    "audio/robots": 1,
    "audio/duration_ms": 7_200_000,
    "audio/stored_bytes": 1_234_567,
    "audio/robots/robots.txt of example.org disallows it": 1,
    "audio/failed/HTTP 404": 1,
    "audio/failed_start/https://gone.example/: unknown host": 1,
    "audio/turned_away/media:a.example gave up on a.example: HTTP 429, 7 times in a row": 9,
    "audio/turned_away/a.example gave up on a.example: Retry-After 3600 s is above the limit of 300 s": 4,
    "elapsed_time_seconds": 200.0,
}
PLACES = Places("file:data/objects", "sqlite:data/audio.db", "data/logs/1.log", "sqlite3 data/audio.db")


def test_what_was_found_and_not_settled_is_left_for_the_next_crawl() -> None:
    assert summarise(STATS).pending == 2


def test_the_table_names_counts_reasons_and_places() -> None:
    table = format_summary(summarise(STATS), PLACES)
    for words in (
        "5 files, 1.2 MB, 2.00 hours of audio",
        "1 (the same bytes at another URL)",
        "2 (stored by an earlier crawl)",
        "2 (pending, left to the next run)",
        "3 min 20 s",
        "data/logs/1.log",
        "robots      1\n              1 x robots.txt of example.org disallows it",
        "failed      1\n              1 x HTTP 404",
        "https://gone.example/: unknown host",
        "turned away 9 requests for files: gave up on a.example: HTTP 429, 7 times in a row",
        "turned away 4 requests for pages: gave up on a.example: Retry-After 3600 s",
        'sqlite3 data/audio.db "SELECT file_name',
    ):
        assert words in table


def test_the_progress_line_fits_one_line() -> None:
    line = progress_line(STATS, 62)
    assert "1 min 2 s" in line
    assert "2 failed" in line
    assert "\n" not in line


def test_quantities_read_well() -> None:
    assert [bytes_text(n) for n in (0, 999, 1500, 2.5e9)] == ["0 bytes", "999 bytes", "1.5 kB", "2.5 GB"]
    assert [duration_text(s) for s in (4.25, 200, 7500)] == ["4.2 s", "3 min 20 s", "2 h 5 min"]
