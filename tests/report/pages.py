"""A collection with all that a report has to show, and pages opened in a real Chromium as a reader has them."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from audiocrawler.model.rows import AudioMetadata, AudioSource, Row
from audiocrawler.warehouse import open_warehouse
from tests.warehouse.rows import NOON, a_crawl

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
LONGEST_MS = 90_000_000
PAGE = "https://p.example/"
SCRIPT_URL = "javascript:document.title='owned'"
ODD_LICENSES = ('it\'s $(touch owned) `touch owned` "quoted"', "back\\slash!", "CC-BY-4.0", None)


def rows(number: int, seed: int = 1) -> Iterator[Row]:
    """Yield files with their sources; values are spread, and missing for some."""
    chance = random.Random(seed)
    for each in range(number):
        digest = sha256(f"{seed} {each}".encode()).hexdigest()
        url = f"https://h{each % 3}.example/{each:05}.mp3"
        stored: dict[str, Any] = {
            "gcp_url": f"gs://bucket/sha256/{digest[:2]}/{digest[2:4]}/{digest}.mp3",
            "sha256": digest,
            "size_bytes": chance.randrange(1000, 1_000_000),
        }
        rights: dict[str, Any] = {"license": ODD_LICENSES[each % 4]}
        yield AudioSource(
            source_url=url,
            page_url="https://p.example/",
            host=f"h{each % 3}.example",
            status="stored",
            **rights,
            **stored,
        )
        yield AudioMetadata(
            **stored,
            **rights,
            source_url=url,
            page_url="https://p.example/",
            file_name=f"{each:05}.mp3",
            title=f"Take {each} {chance.choice(['Bell', 'bell', 'ÉTUDE', '100%_sure', 'river'])}",
            duration_ms=int(chance.lognormvariate(10, 2)),
            loudness=-20,
            classification="Low Energy",
            lufs=chance.choice([None, chance.uniform(-70, 0), -24.0, -23.04]),
            bandwidth_hz_est=chance.uniform(0, 24_000),
            snr_db_est=chance.uniform(0, 100),
            silence_ratio=chance.choice([0.0, 0.05, 0.15, 0.3, 1.0]),
            codec=chance.choice(["mp3", "aac"]),
            sample_rate_hz=chance.choice([8000, 44100]),
            language=chance.choice([None, "en", "it's"]),
            found_by="a_href",
            first_seen_at=NOON,
            waveform=bytes(chance.randrange(256) for _ in range(200)),
        )


def hostile_rows() -> list[Row]:
    """Return a file and a failure whose every text is an attack."""
    digest = "ef" * 32
    texts: dict[str, Any] = {"title": HOSTILE, "artist": HOSTILE, "license": HOSTILE, "found_by": HOSTILE}
    where: dict[str, Any] = {"source_url": SCRIPT_URL, "page_url": SCRIPT_URL}
    stored: dict[str, Any] = {"gcp_url": f"gs://b/sha256/ef/ef/{digest}.mp3", "sha256": digest}
    return [
        AudioSource(**where, **texts, **stored, status="stored", host=HOSTILE, license_url=SCRIPT_URL),
        AudioMetadata(
            **where,
            **texts,
            **stored,
            file_name=HOSTILE,
            duration_ms=90_000_000,
            loudness=-20,
            classification="High Energy",
        ),
        AudioSource(source_url=f"{SCRIPT_URL}//2", page_url=SCRIPT_URL, status="failed", reason=HOSTILE),
        a_crawl("hostile", arguments={"url": f"https://h.example/{HOSTILE}"}, started_at=NOON - timedelta(days=9)),
    ]


def add(folder: Path, more: Iterator[Row] | list[Row]) -> None:
    """Add rows to the database of a folder."""
    warehouse = open_warehouse(f"sqlite:{folder}/data/audio.db")
    warehouse.upsert(list(more))
    warehouse.close()


@contextmanager
def opened(browser: Browser, path: Path, **how: Any) -> Iterator[Page]:
    """Open a page from the disk; whatever it logs, and whatever it asks for beside sound, is wrong."""
    wrong: list[str] = []
    context = browser.new_context(**how)
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.append(request.url) if request.resource_type != "media" else None)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")  # its CSP lets no test wait by a function
    yield page
    context.close()
    assert wrong == [path.as_uri()]


def files_shown(page: Page) -> int:
    """Return how many files the table has."""
    return int(page.get_by_role("grid").get_attribute("aria-rowcount") or 0) - 1


def titles(page: Page) -> list[str]:
    """Return the titles that can be seen, from above."""
    seen = page.locator(".row").evaluate_all(
        "rows => rows.map(row => [+row.getAttribute('aria-rowindex'), row.querySelector('.name').textContent])"
    )
    return [title for _, title in sorted(seen)]
