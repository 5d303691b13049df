"""The whole way of the data, by the command that users run, over real HTTP."""

import base64
import hashlib
import json
import os
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit

from audiocrawler.model.rotation import row_key
from audiocrawler.model.rows import AUDIO_METADATA, AUDIO_SOURCES
from tests.crawling import Run, crawl, finish, start
from tests.site.answers import Options
from tests.site.labels import LABELS, Label, sha256_of
from tests.site.server import Site


def url_of(label: Label, site: Site) -> str:
    return row_key((site.second_url if label.second else site.url) + label.path)


def test_the_whole_site_becomes_the_labelled_rows(whole_crawl: Run, whole_site: Site) -> None:
    assert whole_crawl.code == 0, whole_crawl.stderr
    rows = {unquote(url): row["status"] for url, row in whole_crawl.sources.items()}
    wanted = {unquote(url_of(label, whole_site)): label.status for label in LABELS}
    assert rows == wanted


def test_rows_hold_the_hash_of_what_the_site_serves(whole_crawl: Run, whole_site: Site) -> None:
    rows = {unquote(url): row["sha256"] for url, row in whole_crawl.sources.items()}
    for label in LABELS:
        assert rows[unquote(url_of(label, whole_site))] == label.sha256, label.path


def test_there_is_one_object_and_one_row_per_content(whole_crawl: Run) -> None:
    objects = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in whole_crawl.objects}
    rows = {row["sha256"]: row for row in whole_crawl.audio}
    assert len(objects) == len(whole_crawl.objects)
    assert objects.keys() == rows.keys() == {label.sha256 for label in LABELS if label.sha256}
    for sha256, row in rows.items():
        path = objects[sha256]
        assert path.as_uri() == row["gcp_url"]
        assert path.parts[-4:-1] == ("sha256", sha256[:2], sha256[2:4])
        assert path.stem == sha256


def test_all_energy_classes_and_formats_occur(whole_crawl: Run) -> None:
    audio = whole_crawl.audio
    assert {row["classification"] for row in audio} == {"High Energy", "Medium Energy", "Low Energy"}
    codecs = {row["codec"] for row in audio}
    assert {"mp3", "aac", "flac", "vorbis", "opus"} <= codecs
    assert any(codec.startswith("pcm") for codec in codecs)
    assert {Path(row["gcp_url"]).suffix for row in audio} >= {".mp3", ".m4a", ".flac", ".wav", ".ogg", ".webm", ".aiff"}


def test_silence_has_the_floor_and_no_infinity(whole_crawl: Run) -> None:
    (row,) = [row for row in whole_crawl.audio if row["sha256"] == sha256_of("quiet-room.wav")]
    assert row["loudness"] == -120.0
    assert row["is_silent"] == 1
    assert row["rms_dbfs"] is None


def test_same_bytes_at_two_urls_are_one_row_and_two_sources(whole_crawl: Run) -> None:
    sources = whole_crawl.query("SELECT * FROM audio_sources WHERE sha256 = ?", sha256_of("rain.ogg"))
    assert sorted(row["status"] for row in sources) == ["duplicate", "stored"]
    assert len({row["gcp_url"] for row in sources}) == 1


def test_every_reason_is_one_line(whole_crawl: Run) -> None:
    for url, row in whole_crawl.sources.items():
        assert (row["reason"] is None) == (row["status"] == "stored"), url
        assert "\n" not in (row["reason"] or "")
        assert row["last_status"] == row["status"]


def test_redirects_are_followed_and_told(whole_crawl: Run, whole_site: Site) -> None:
    row = whole_crawl.sources[whole_site.url + "/moved/twice.mp3"]
    assert row["final_url"] == whole_site.url + "/audio/hop-two.mp3"
    assert row["sha256"] == sha256_of("hop-two.mp3")


def test_a_truncated_file_is_resumed_by_range(whole_crawl: Run, whole_site: Site) -> None:
    # A loaded machine can lose a connection once more; what is held to is that the file ends with a resumed transfer.
    first, *_, last = [r for r in whole_site.requests if r.path == "/trouble/cassette.mp3"]
    assert first.headers["Range"] is None
    assert last.headers["Range"].startswith("bytes=")
    assert last.headers["If-Range"].startswith('"')
    assert whole_crawl.sources[whole_site.url + "/trouble/cassette.mp3"]["sha256"] == sha256_of("cassette.mp3")


def test_a_file_that_never_completes_leaves_no_object(whole_crawl: Run, whole_site: Site) -> None:
    row = whole_crawl.sources[whole_site.url + "/trouble/wax-cylinder.mp3"]
    assert row["attempts"] == whole_site.count("/trouble/wax-cylinder.mp3") > 1
    assert row["reason"] == "transfer aborted before its end"


def test_retry_after_is_waited_for(whole_site: Site, whole_crawl: Run) -> None:
    first, second = [r for r in whole_site.requests if r.path == "/trouble/flaky.mp3"]
    assert second.at_s - first.at_s >= 1.0


def test_audio_is_asked_for_as_it_is_with_its_page_as_referrer(whole_crawl: Run, whole_site: Site) -> None:
    (request,) = [r for r in whole_site.requests if r.path == "/audio/surf.mp3"]
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["Referer"] == whole_site.url + "/shore.html"
    assert request.headers["User-Agent"].startswith("audiocrawler/")


def test_an_encoding_that_nobody_asked_for_is_undone(whole_crawl: Run, whole_site: Site) -> None:
    row = whole_crawl.sources[whole_site.url + "/downloads/packed.wav"]
    assert row["sha256"] == sha256_of("packed.wav")


def test_robots_txt_is_asked_first_and_obeyed(whole_crawl: Run, whole_site: Site) -> None:
    assert whole_site.requests[0].path == "/robots.txt"
    assert whole_site.count("/private/vault.mp3") == 0
    assert "disallows" in whole_crawl.sources[whole_site.url + "/private/vault.mp3"]["reason"]
    assert "robots.txt of" in whole_crawl.stdout


def test_streams_are_recorded_and_not_downloaded(whole_crawl: Run, whole_site: Site) -> None:
    row = whole_crawl.sources[whole_site.url + "/radio/live"]
    assert row["status"] == "stream"
    assert row["gcp_url"] is None


def test_secrets_are_nowhere(whole_crawl: Run, whole_site: Site) -> None:
    (signed,) = {r.path for r in whole_site.requests if r.path.startswith("/signed/session.mp3?Expires=41")}
    secret = signed.partition("Signature=")[2]
    assert len(secret) == 64
    for path in whole_crawl.folder.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert secret not in whole_crawl.stdout + whole_crawl.stderr


def test_names_are_readable(whole_crawl: Run) -> None:
    names = {row["file_name"] for row in whole_crawl.audio}
    assert {"Möwen am Kai.ogg", "café.mp3", "Nachtigall im März.mp3", "STATION-ID.MP3"} <= names


def test_what_documents_say_is_kept(whole_crawl: Run, whole_site: Site) -> None:
    row = whole_crawl.sources[whole_site.url + "/audio/episode-1.mp3"]
    assert row["page_url"] == whole_site.url + "/podcast/feed.rss"
    assert row["title"]
    assert row["declared_duration_ms"] > 0
    assert row["published_at"].endswith(("Z", "+00:00"))


def test_the_tables_have_the_declared_columns(whole_crawl: Run) -> None:
    for table in (AUDIO_METADATA, AUDIO_SOURCES):
        names = [row["name"] for row in whole_crawl.query(f"PRAGMA table_info({table.name})")]
        assert names == [column.name for column in table.columns]


def test_nothing_is_left_in_the_incoming_folder(whole_crawl: Run) -> None:
    assert [path for path in (whole_crawl.folder / "data/incoming").rglob("*") if path.suffix != ".lock"] == []


def test_the_closing_table_tells_the_counts_and_the_places(whole_crawl: Run) -> None:
    counts = Counter(row["status"] for row in whole_crawl.sources.values())
    assert f"found       {len(LABELS)} audio URLs" in whole_crawl.stdout
    assert f"stored      {counts['stored']} files" in whole_crawl.stdout
    assert "sqlite3 data/audio.db" in whole_crawl.stdout
    assert "data/logs/" in whole_crawl.stdout
    assert "Traceback" not in whole_crawl.log


def test_a_second_crawl_adds_nothing(site: Site, tmp_path: Path) -> None:
    first = crawl(tmp_path, f"url={site.url}/shore.html")
    audio, sources = first.audio, first.sources
    second = crawl(tmp_path, f"url={site.url}/shore.html")
    changing = {"updated_at", "crawl_id"}
    assert [{k: v for k, v in row.items() if k not in changing} for row in second.audio] == [
        {k: v for k, v in row.items() if k not in changing} for row in audio
    ]
    assert second.sources.keys() == sources.keys()
    assert {row["status"] for row in second.sources.values()} == {"unchanged", "alternate"}
    assert all(row["first_seen_at"] == sources[url]["first_seen_at"] for url, row in second.sources.items())


def test_a_file_that_goes_away_keeps_its_row(tmp_path: Path) -> None:
    with Site() as site:
        first = crawl(tmp_path, f"url={site.url}/shore.html")
        port = urlsplit(site.url).port
    with Site(Options(missing=("/audio/surf.mp3",)), port=port or 0) as site:
        second = crawl(tmp_path, f"url={site.url}/shore.html")
    row = second.sources[f"{site.url}/audio/surf.mp3"]
    assert row["status"] == row["last_status"] == "gone"
    assert row["sha256"] == sha256_of("surf.mp3")
    assert second.objects == first.objects


def test_a_feed_a_playlist_and_an_audio_url_work_as_starts(site: Site, tmp_path: Path) -> None:
    starts = ("/podcast/feed.rss", "/radio/tapes.pls", "/audio/creek.wav")
    run = crawl(tmp_path, "url=" + " ".join(site.url + path for path in starts))
    assert run.code == 0
    found = {urlsplit(url).path: row["found_by"] for url, row in run.sources.items()}
    assert {"/audio/episode-1.mp3", "/audio/playlist-3.ogg", "/audio/creek.wav"} <= found.keys()
    assert found["/audio/creek.wav"] == "direct"


def test_depth_zero_stays_on_the_page_and_follows_its_playlists(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/radio.html")
    pages = {r.path for r in site.requests if not r.path.startswith(("/audio/", "/robots", "/.well", "/radio/live"))}
    assert pages == {"/radio.html", "/radio/yesterday.m3u", "/radio/tapes.pls"}


def test_allow_and_deny_choose_pages(site: Site, tmp_path: Path) -> None:
    crawl(tmp_path, f"url={site.url}/recordings.html", "depth=1", "allow=(shore|city)", "deny=city")
    pages = {r.path for r in site.requests if r.path.endswith(".html")}
    assert pages == {"/recordings.html", "/shore.html"}


def test_the_limit_is_exact_and_the_rest_says_so(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/many/", "limit=7")
    assert run.code == 0
    assert len(run.objects) == len(run.audio) == 7
    assert Counter(row["status"] for row in run.sources.values()) == {"stored": 7, "limit": 73}
    assert sum("tone" in r.path for r in site.requests) == 7


def test_download_no_lists_without_fetching(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/podcast/feed.rss", "download=no")
    assert run.code == 0
    assert not [r for r in site.requests if r.path.startswith("/audio/")]
    assert {row["status"] for row in run.sources.values()} == {"pending"}
    assert run.sources[f"{site.url}/audio/episode-1.mp3"]["declared_size_bytes"] > 0


def test_items_can_be_exported(site: Site, tmp_path: Path) -> None:
    output = tmp_path / "items.jsonl"
    crawl(
        tmp_path, f"url={site.url}/shore.html", settings={"FEEDS": json.dumps({str(output): {"format": "jsonlines"}})}
    )
    items = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert {item["source"]["status"] for item in items} == {"stored"}
    for item in items:
        assert item["files"][0]["checksum"] == item["audio"]["sha256"]
        assert item["files"][0]["path"] == item["audio"]["gcp_url"]
        assert item["files"][0]["url"] in item["file_urls"]
        assert len(base64.b64decode(item["audio"]["waveform"])) == 200


def test_one_ctrl_c_ends_the_crawl_and_keeps_what_is_done(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.5)) as site:
        process = start(tmp_path, f"url={site.url}/many/")
        while sum("tone" in r.path for r in site.requests) < 12:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        seen = sum("tone" in r.path for r in site.requests)
        run = finish(process, tmp_path, 60)
        assert sum("tone" in r.path for r in site.requests) <= seen + 4  # what had started may not have arrived
    assert run.code == 130
    assert len(run.objects) == len(run.audio) >= 8
    assert set(Counter(row["status"] for row in run.sources.values())) == {"stored", "pending"}
    assert "pending, left to the next run" in run.stdout


def test_a_stop_gives_up_transfers_that_do_not_end(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=600)) as site:
        process = start(tmp_path, f"url={site.url}/many/", settings={"AUDIO_STOP_GRACE_S": "0.5"})
        while sum("tone" in r.path for r in site.requests) < 4:
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        run = finish(process, tmp_path, 60)
    assert run.code == 130
    assert {row["status"] for row in run.sources.values()} == {"pending"}


def test_pages_of_a_second_host_do_not_wait_for_many_slow_files(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.5)) as site:
        run = crawl(tmp_path, f"url={site.url}/many/ {site.second_url}/", "depth=1")
        requests = site.requests
    assert run.code == 0
    last_page = max(i for i, r in enumerate(requests) if r.url.startswith(site.second_url) and r.path.endswith(".html"))
    tones_after = sum("tone" in r.path for r in requests[last_page:])
    assert tones_after > 20


def test_no_more_than_four_transfers_a_host_run_at_a_time(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.3, many_files=20)) as site:
        crawl(tmp_path, f"url={site.url}/many/")
        at_s = [r.at_s for r in site.requests if "tone" in r.path]
    for first, fifth in zip(at_s, at_s[4:], strict=False):
        assert fifth - first >= 0.29


def test_two_crawls_at_once_share_the_database(site: Site, tmp_path: Path) -> None:
    processes = [start(tmp_path, f"url={site.url}{path}") for path in ("/many/", "/shore.html")]
    runs = [finish(process, tmp_path) for process in processes]
    assert [run.code for run in runs] == [0, 0]
    assert len(runs[0].objects) == len(runs[0].audio) == 82


def test_a_second_crawl_of_the_same_start_is_refused_while_one_runs(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=600)) as site:
        first = start(tmp_path, f"url={site.url}/many/", settings={"AUDIO_STOP_GRACE_S": "0.5"})
        while sum("tone" in r.path for r in site.requests) < 4:
            time.sleep(0.05)
        second = crawl(tmp_path, f"url={site.url}/many/")
        os.kill(first.pid, signal.SIGINT)
        finish(first, tmp_path)
    assert second.code == 5
    assert "another crawl of the same start" in second.stderr


def test_filters_leave_a_row_with_the_reason(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", env={"AUDIO_MIN_DURATION_MS": "3600000"})
    assert run.objects == []
    rows = [row for row in run.sources.values() if row["status"] != "alternate"]
    assert {row["status"] for row in rows} == {"filtered"}
    assert all("AUDIO_MIN_DURATION_MS is 3600000" in row["reason"] for row in rows)


def test_files_above_the_size_limit_are_refused(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings={"AUDIO_MAX_BYTES": "2000"})
    assert run.objects == []
    assert {row["status"] for row in run.sources.values()} == {"too_large"}


def test_the_bytes_of_a_whole_crawl_can_be_bounded(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/many/", settings={"AUDIO_MAX_TOTAL_BYTES": "50000"})
    assert run.code == 0
    assert 0 < sum(path.stat().st_size for path in run.objects) <= 50_000
    assert set(Counter(row["status"] for row in run.sources.values())) == {"stored", "limit"}


def test_a_body_that_is_not_audio_is_stopped_at_its_first_bytes(tmp_path: Path) -> None:
    with Site(Options(login_page_bytes=50_000_000)) as site:
        run = crawl(tmp_path, f"url={site.url}/impostors.html")
        sent = site.sent_bytes("/impostors/login.mp3")
    assert run.sources[f"{site.url}/impostors/login.mp3"]["status"] == "not_audio"
    assert sent < 20_000_000


def test_the_energy_limits_are_settings(site: Site, tmp_path: Path) -> None:
    run = crawl(tmp_path, f"url={site.url}/shore.html", settings={"AUDIO_ENERGY_LOUDNESS_DBFS": "-119"})
    assert {row["classification"] for row in run.audio} == {"High Energy"}


def test_user_and_password_stay_out_of_the_data(site: Site, tmp_path: Path) -> None:
    host = urlsplit(site.url).netloc
    run = crawl(tmp_path, f"url=http://anna:hush-hush@{host}/shore.html")
    assert run.code == 0
    assert {r.headers["Authorization"] for r in site.requests if r.path == "/shore.html"} == {
        "Basic YW5uYTpodXNoLWh1c2g="
    }
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"hush-hush" not in path.read_bytes(), path


def test_items_of_another_spider_are_downloaded_and_measured(site: Site, tmp_path: Path) -> None:
    urls = [f"{site.url}/audio/surf.mp3", f"{site.url}/trouble/lost.mp3"]
    (tmp_path / "mine.py").write_text(
        "import scrapy\n"
        "class Mine(scrapy.Spider):\n"
        "    name = 'mine'\n"
        f"    start_urls = ['{site.url}/about.html']\n"
        "    def parse(self, response):\n"
        f"        yield {{'name': 'surf', 'file_urls': {urls!r}}}\n",
        encoding="utf-8",
    )
    run = crawl(tmp_path, command=("runspider", "mine.py", "-O", "out.jsonl"))
    assert run.code == 0
    (item,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    (row,) = run.audio
    assert item["name"] == "surf"
    assert [file["path"] for file in item["files"]] == [row["gcp_url"]]
    assert row["sha256"] == sha256_of("surf.mp3")


def test_many_readers_can_look_while_a_crawl_writes(tmp_path: Path) -> None:
    with Site(Options(many_delay_s=0.05)) as site:
        process = start(tmp_path, f"url={site.url}/many/")
        counts = []
        while process.poll() is None:
            if (tmp_path / "data/audio.db").exists():
                with sqlite3.connect(tmp_path / "data/audio.db") as database:
                    tables = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'audio_metadata'")
                    if tables.fetchone()[0]:
                        counts.append(database.execute("SELECT count(*) FROM audio_metadata").fetchone()[0])
            time.sleep(0.05)
        run = finish(process, tmp_path)
    assert run.code == 0
    assert counts == sorted(counts)
    assert len(set(counts)) > 3
