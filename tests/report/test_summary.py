"""The closing table says what became of every URL, and where everything is."""

import io

from audiocrawler.commands.closing import outlook_of
from audiocrawler.crawl.exit_codes import Rest
from audiocrawler.report.figures import WAITING, Throughput, figures
from audiocrawler.report.outlook import Outlook, marked
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


def test_the_figures_say_the_most_telling_first() -> None:
    shown = figures({**STATS, WAITING: 79, "audio/bytes": 3_000_000}, 62, 1_500_000)
    assert shown == [
        *("1 min 2 s", "3 pages", "12 found", "5 stored", "2 failed", "79 waiting"),
        *("3.0 MB (1.5 MB/s)", "2 h 0 min of audio", "3 known"),
    ]
    assert figures({}, 3, 0)[:2] == ["3 s", "0 pages"]


def test_the_throughput_is_that_of_the_last_seconds() -> None:
    throughput = Throughput()
    assert throughput.of(0, 100.0) == 0
    assert [throughput.of(total, now) for total, now in ((1000, 101.0), (5000, 105.0))] == [1000, 1000]
    assert throughput.of(5000, 110.0) == 0


def test_quantities_read_well() -> None:
    assert [bytes_text(n) for n in (0, 999, 1500, 2.5e9)] == ["0 bytes", "999 bytes", "1.5 kB", "2.5 GB"]
    assert [duration_text(s) for s in (4.25, 200, 7500)] == ["4.2 s", "3 min 20 s", "2 h 5 min"]


def test_the_table_says_what_waits_and_what_to_do_next() -> None:
    table = format_summary(summarise(STATS), PLACES, Outlook(79, commands=("scrapy report", "scrapy export")))
    assert "\n  waiting     79 requests; the same command goes on with them\n" in table
    assert "\n  next        scrapy report\n              scrapy export\n" in table
    assert "\n  waiting     1 request; none is kept" in format_summary(
        summarise(STATS), PLACES, Outlook(1, is_kept=False)
    )
    assert "waiting" not in format_summary(summarise(STATS), PLACES)


def test_only_what_needs_a_deed_is_red(monkeypatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    table = format_summary(summarise(STATS), PLACES)
    red = [line for line in marked(table, terminal).split("\n") if "\x1b" in line]
    assert [line.removeprefix("\x1b[31m").split()[0] for line in red] == ["turned", "turned", "start"]
    assert marked(table, io.StringIO()) == table


def test_only_commands_that_exist_are_suggested(monkeypatch) -> None:
    monkeypatch.setattr("audiocrawler.commands.closing.SUGGESTED", {"verify": "--hash", "no_such_command": ""})
    assert outlook_of(Rest(), has_files=True).commands == ("scrapy verify --hash",)
    assert outlook_of(Rest(3), has_files=False) == Outlook(3)
