"""What becomes of the audio that a document names: left out with a reason, listed, or asked for."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Any

from scrapy import Request
from scrapy.http import Response

from audiocrawler.discovery import Candidate, Document, Kind
from audiocrawler.discovery.choose import choose, rank
from audiocrawler.discovery.hls import Rendition
from audiocrawler.model.marks import tombstone
from audiocrawler.model.rotation import is_rotating, row_key
from audiocrawler.model.rows import AudioItem, AudioSource, Status
from audiocrawler.model.settings import settings_of
from audiocrawler.records import Outcome, opted_out, source_of, stated_by
from audiocrawler.rights.licences import refusal_before
from audiocrawler.spiders.hls import tag_of
from audiocrawler.spiders.identifying import Found, identify
from audiocrawler.spiders.rendering import RenderingSpider
from audiocrawler.warehouse.rows import clean_url

MAX_REMEMBERED = 100_000
"""URLs that were found and not requested, of which it is known that they have been counted."""


class TakingSpider(RenderingSpider):
    """A spider that turns candidates into rows, requests and items."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._not_requested: OrderedDict[int, None] = OrderedDict()

    async def _take(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> AsyncIterator[Request | AudioItem]:
        title = document.title if document is not None else None
        found = (candidate for candidate in candidates if candidate.kind in {Kind.AUDIO, Kind.STREAM})
        wanted = self._at_most([candidate for candidate in found if not await self._is_taken_down(candidate.url)], page)
        finds = [each for each in await self.found_in(page, title, wanted) if self._may_take(page, each)]
        media, sources = [each.candidate for each in finds], [each.source for each in finds]
        for source in sources:
            source.opt_out = page.meta["page_opt_out"]
        await self.crawl.write(sources)
        left_out = self._alternates(media, sources)
        for candidate, source, find in zip(media, sources, finds, strict=True):
            self.crawler.stats.inc_value(f"audio/found/{source.found_by}")
            if source.opt_out and self.opt_outs.are_honoured:
                await self._leave_out(source, opted_out(source.opt_out))
            elif candidate.kind is Kind.STREAM:
                await self._leave_out(source, Outcome(Status.STREAM, "an endless stream"))
            elif source.source_url in left_out.get(candidate.group or "", {}):
                await self._leave_out(source, Outcome(Status.ALTERNATE, "another file of the same recording is taken"))
            elif refusal := refusal_before(stated_by(source), self.crawl.licenses):
                await self._leave_out(source, Outcome(Status.FILTERED, refusal))
            elif self.arguments.download == "yes":
                request = self.audio_request(
                    candidate.url, source, list(left_out.get(candidate.group or "", {}).values())
                )
                request.meta.update(find.meta | self._way_back(candidate, page))
                yield request
            elif self._is_new(source):
                self.crawler.stats.inc_value("audio/listed")
                yield AudioItem(file_urls=[source.source_url], source=source)

    async def found_in(self, page: Response, title: str | None, candidates: Sequence[Candidate]) -> list[Found]:
        """Return the audio of a document with its rows, which are those of earlier visits where only URLs changed."""
        media = (each for each in candidates if each.kind in {Kind.AUDIO, Kind.STREAM})
        finds = [Found(each, source_of(each, page, title, page.meta["site"])) for each in media]
        await identify(self.crawl, finds, may_doubt=self.arguments.download == "yes")
        return finds

    def _may_take(self, page: Response, find: Found) -> bool:
        """Tell whether a file is to be taken; of one that was taken down under another URL the row says so."""
        if not find.is_taken_down:
            return self.is_wanted(page, find.source)
        if self._is_new(find.source):
            self.crawl.tallies.count_outcome(find.source.source_url, Status.TAKEN_DOWN, "was taken down")
        return False

    def is_wanted(self, page: Response, source: AudioSource) -> bool:
        """Tell whether a file of a document is to be taken."""
        return True

    def _way_back(self, candidate: Candidate, page: Response) -> dict[str, Any]:
        """Return how to ask again for a document whose URLs may expire, for a request's meta."""
        if candidate.url == page.url or not (candidate.guid or is_rotating(candidate.url)):
            return {}
        first, *_ = page.meta.get("redirect_urls", [page.url])
        place = {name: page.meta[name] for name in ("site", "level", "nesting", "via") if name in page.meta}
        return {"found_on": {"url": first, "is_rendered": "render" in page.meta, "where": place}}

    def _at_most(self, media: list[Candidate], page: Response) -> list[Candidate]:
        """Return as many candidates as a page may have, and say how many are left out."""
        most = settings_of(self.crawler).max_files_per_page
        if len(media) <= most:
            return media
        left_out = len(media) - most
        self.logger.warning(
            "%s names %d audio URLs: the last %d are left out, raise AUDIO_MAX_FILES_PER_PAGE to take them",
            page.url,
            len(media),
            left_out,
        )
        self.crawler.stats.inc_value("audio/beyond_page_limit", left_out)
        return media[:most]

    def _alternates(
        self, media: list[Candidate], sources: list[AudioSource]
    ) -> dict[str, dict[str, tuple[str, AudioSource]]]:
        """Return, by group and masked URL, the best first, the files that are left out because another one is taken.

        A file whose licence is refused is not the one to take, nor one to try when that fails.
        """
        left_out: dict[str, dict[str, tuple[str, AudioSource]]] = {}
        if self.arguments.alternates == "all":
            return left_out
        row_of = {candidate.url: source for candidate, source in zip(media, sources, strict=True)}
        open_to_choice = (candidate for candidate in media if self._is_choice(candidate, row_of[candidate.url]))
        for candidate, is_taken in sorted(choose(open_to_choice), key=lambda each: rank(each[0])):
            if not is_taken:
                source = row_of[candidate.url]
                left_out.setdefault(candidate.group or "", {})[source.source_url] = candidate.url, source
        return left_out

    def _is_choice(self, candidate: Candidate, source: AudioSource) -> bool:
        return candidate.kind is Kind.AUDIO and not refusal_before(stated_by(source), self.crawl.licenses)

    async def _take_rendition(
        self, source: AudioSource, rendition: Rendition, via: str | None
    ) -> AsyncIterator[Request | AudioItem]:
        outcome = self.outcome_of_rendition(rendition, via)
        if source.opt_out and self.opt_outs.are_honoured:
            outcome = opted_out(source.opt_out)
        if outcome is not None:
            await self._leave_out(source, outcome)
        elif self.arguments.download == "yes":
            known = await self.crawl.memory.recall(source.source_url)
            if known and known.etag == tag_of(rendition.parts):
                self.crawler.stats.inc_value("audio/found")
                await self.settle_known(source, known)
            else:
                yield self.part_request(rendition.parts, 0, source)
        elif self._is_new(source):
            self.crawler.stats.inc_value("audio/listed")
            yield AudioItem(file_urls=[source.source_url], source=source)

    async def _leave_out(self, source: AudioSource, outcome: Outcome) -> None:
        if self._is_new(source):
            await self.settle(source, outcome)

    async def _is_taken_down(self, url: str) -> bool:
        """Tell whether a URL was taken down; of one that only its host covers, the row says so, and nothing else."""
        why = self.crawl.tombstones.covers(url)
        if why is None:
            return False
        row = tombstone(clean_url(row_key(url)), why)
        if self._is_new(row):
            self.crawl.tallies.count_outcome(row.source_url, row.status, why)
            if not self.crawl.tombstones.has_row(url):
                await self.crawl.write([row])
        return True

    def _is_new(self, source: AudioSource) -> bool:
        """Count a URL that is not requested, and so not known to the scheduler, the first time that it is found."""
        mark = hash(source.source_url)
        if mark in self._not_requested:
            return False
        self._not_requested[mark] = None
        if len(self._not_requested) > MAX_REMEMBERED:
            self._not_requested.popitem(last=False)  # settled and counted again if it is named again
        self.crawler.stats.inc_value("audio/found")
        return True
