"""Look up what earlier crawls know of an audio URL, to avoid downloading an unchanged file again."""

from collections.abc import Awaitable, Callable

from scrapy.settings import BaseSettings

from audiocrawler.analysis.rules import ANALYSER_VERSION
from audiocrawler.fetch.headers import KnownFile
from audiocrawler.model.rows import AudioMetadata, AudioSource
from audiocrawler.model.statuses import Status, Trait

VARIES_AFTER = 3
"""Changes in a row after which a file is taken to differ on every fetch, such as one with inserted advertisements."""
_JUDGING = ("AUDIO_MIN_DURATION_MS", "AUDIO_MIN_SAMPLE_RATE_HZ", "AUDIO_MAX_DURATION_S", "AUDIO_LICENSES")


class RevisitPolicy:
    """Looks URLs up in the warehouse; with ``is_ignored`` nothing is known."""

    def __init__(
        self,
        find_source: Callable[[str], Awaitable[AudioSource | None]],
        is_stored: Callable[[AudioSource], Awaitable[bool]],
        ruleset: str,
        *,
        is_ignored: bool,
    ) -> None:
        self._find_source, self._is_stored = find_source, is_stored
        self._judge = ruleset
        self._is_ignored = is_ignored

    async def recall(self, source_url: str) -> KnownFile | None:
        """Return the known file of a masked URL: stored, or refused by rules that still apply. None if not known."""
        before = None if self._is_ignored else await self._find_source(source_url)
        if before is None or not await self._holds(before):
            return None
        return KnownFile(
            status=before.status,
            reason=before.reason,
            etag=before.etag,
            last_modified=before.last_modified,
            size_bytes=before.size_bytes,
            varies=(before.variants or 0) >= VARIES_AFTER,
        )

    async def _holds(self, before: AudioSource) -> bool:
        if before.status in Status.having(Trait.REFUSED):
            return before.judged_by == self._judge
        may_be_stored = before.status in Status.having(Trait.FILE_KEPT) and before.sha256 is not None
        return may_be_stored and await self._is_stored(before)


def variants_of(audio: AudioMetadata, before: AudioSource | None) -> int | None:
    """Return how many times in a row the content of the URL has changed; None the first time."""
    if before is None or before.sha256 is None:
        return None
    return 0 if before.sha256 == audio.sha256 else (before.variants or 0) + 1


def ruleset_of(settings: BaseSettings) -> str:
    """Return the rules that decide whether a file is refused: analyser version and limits in the settings."""
    bounds = ", ".join(f"{name}={settings[name]}" for name in _JUDGING if settings[name] is not None)
    return f"{ANALYSER_VERSION}, {bounds}"
