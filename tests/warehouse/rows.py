"""Rows to put into warehouses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from audiocrawler.model.rows import AudioCrawl, AudioMetadata, AudioSource

NOON = datetime(2026, 5, 1, 12, 0, 0, 250, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SHA = "ab" * 32
OTHER_SHA = "cd" * 32


def an_audio(sha256: str | None = SHA, **values: Any) -> AudioMetadata:
    defaults = {
        "gcp_url": f"gs://bucket/sha256/{sha256}.mp3",
        "file_name": "a.mp3",
        "duration_ms": 1500,
        "loudness": -20.5,
        "classification": "Medium Energy",
        "source_url": "https://example.org/a.mp3",
    }
    return AudioMetadata(**{"sha256": sha256, **defaults, **values})


def a_source(name: str = "a", status: str = "stored", **values: Any) -> AudioSource:
    sha256 = SHA if status in {"stored", "duplicate", "unchanged"} else None
    defaults = {"source_url": f"https://example.org/{name}.mp3", "status": status, "sha256": sha256}
    return AudioSource(**{**defaults, "last_status": status, **values})


def a_crawl(crawl_id: str = "c1", **values: Any) -> AudioCrawl:
    defaults = {"started_at": NOON, "finished_at": NOON + MINUTE, "exit_code": 0, "arguments": {"depth": "2"}}
    return AudioCrawl(**{"crawl_id": crawl_id, **defaults, **values})
