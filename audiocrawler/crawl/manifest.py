"""Record a crawl: its arguments, settings, versions, times and results.

The file is written when the crawl starts, so that a killed crawl has a record without ``finished_at``, and again with a
row of audio_crawls when it ends.
"""

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from scrapy import Spider
from scrapy import __version__ as scrapy_version
from scrapy.settings import SETTINGS_PRIORITIES, BaseSettings

from audiocrawler import __version__
from audiocrawler.analysis.rules import ANALYSER_VERSION
from audiocrawler.config.arguments import arguments_of
from audiocrawler.crawl.exit_codes import Rest, conclusion
from audiocrawler.model.rows import AudioCrawl
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.model.text import MASK, SECRET_NAME, mask_text

_PATHS = {"AUDIO_GCP_KEY_FILE", "AUDIO_COOKIES", "AUDIO_HEADERS"}
"""Settings that name a file with secrets, but are not secret themselves."""
_PLAIN_HEADERS = {"accept", "accept-encoding", "accept-language", "cache-control", "from", "referer", "user-agent"}
"""Headers without secrets; any other may contain one."""


class Manifest:
    """The record of one crawl, as ``<folder>/<crawl_id>.json`` and as a row."""

    def __init__(self, folder: Path, crawl_id: str, settings: BaseSettings, spider: Spider | None) -> None:
        self.path = folder / f"{file_stem(crawl_id)}.json"
        self._row = AudioCrawl(
            crawl_id=crawl_id,
            started_at=datetime.now(UTC),
            arguments=given_arguments(spider),
            settings=chosen_settings(settings),
            versions=versions(),
        )

    def begin(self) -> None:
        """Write the file of an unfinished crawl. Raises OSError."""
        self._write({})

    def end(self, stats: Mapping[str, Any], finish_reason: str, rest: Rest) -> AudioCrawl:
        """Write the file of a finished crawl, and return its row. Raises OSError."""
        row = self._row
        row.finished_at, row.finish_reason = datetime.now(UTC), finish_reason
        row.exit_code, row.error = conclusion(stats, finish_reason, rest)
        row.pages, row.found = stats.get("audio/pages", 0), stats.get("audio/found", 0)
        row.stored, row.stored_bytes = stats.get("audio/stored", 0), stats.get("audio/stored_bytes", 0)
        row.duplicate, row.unchanged = stats.get("audio/duplicate", 0), stats.get("audio/unchanged", 0)
        row.failed = sum(stats.get(f"audio/{status}", 0) for status in Status.having(Trait.FAILED))
        row.duration_ms = stats.get("audio/duration_ms", 0)
        self._write(stats)
        return row

    def _write(self, stats: Mapping[str, Any]) -> None:
        masked = {mask_text(name): _plain(value) for name, value in sorted(stats.items())}
        text = json.dumps(asdict(self._row) | {"stats": masked}, default=_text, ensure_ascii=False, indent=2)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=self.path.parent, suffix=".part", delete=False) as part:
            part.write(text + "\n")
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).replace(self.path)


def given_arguments(spider: Spider | None) -> dict[str, str]:
    """Return the ``-a`` arguments as text, secrets masked; empty for a spider that is not ours."""
    arguments = arguments_of(spider)
    given = arguments.model_dump(mode="json", exclude_unset=True) if arguments else {}
    return {
        name: mask_text(" ".join(value) if isinstance(value, list) else str(value)) for name, value in given.items()
    }


def chosen_settings(settings: BaseSettings) -> dict[str, str]:
    """Return all AUDIO_ settings and those that override the project's, secrets masked; None is left out."""
    given = {name: settings[name] for name in sorted(map(str, settings)) if settings[name] is not None}
    return {
        name: _shown(name, value)
        for name, value in given.items()
        if name.startswith("AUDIO_") or (settings.getpriority(name) or 0) > SETTINGS_PRIORITIES["project"]
    }


def versions() -> dict[str, str]:
    """Return the versions of what determines the results of a crawl."""
    return {
        "audiocrawler": __version__,
        "analysis": ANALYSER_VERSION,
        "scrapy": scrapy_version,
        "python": platform.python_version(),
    }


def _shown(name: str, value: Any) -> str:
    masked = mask_text(str(value)) if name in _PATHS else _masked(name, value)
    return masked if isinstance(masked, str) else json.dumps(masked, ensure_ascii=False)


def _masked(name: str, value: Any, inside: str = "") -> Any:
    """Return a setting, or what is under ``name`` inside of one, masked and as JSON values."""
    if isinstance(value, Mapping):
        given = dict(value.items())
        return {mask_text(str(key)): _masked(str(key), each, inside or name) for key, each in given.items()}
    is_header = inside.upper().endswith("HEADERS")
    if SECRET_NAME.search(name) or (is_header and name.lower() not in _PLAIN_HEADERS):
        return MASK
    if isinstance(value, list | tuple | set):
        return [_masked("", each, inside or name) for each in value]
    return mask_text(str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else mask_text(str(value))


def file_stem(crawl_id: str) -> str:
    """Return the id as a valid file name: Scrapyd takes any text as a job id."""
    return re.sub(r"[^\w.-]", "_", crawl_id).lstrip(".")[:200] or "_"
