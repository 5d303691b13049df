"""Decide what happens to a document's audio: skipped with a reason, listed, or downloaded."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from scrapy import Request
from scrapy.http import Response

from audiocrawler.config.arguments import Arguments
from audiocrawler.crawl.crawl import Crawl
from audiocrawler.discovery import Candidate, Document, Kind
from audiocrawler.discovery.candidate import FILES
from audiocrawler.discovery.choose import choose, rank
from audiocrawler.discovery.dash import audio_tracks
from audiocrawler.discovery.hls import Rendition, audio_rendition
from audiocrawler.fetch.requests import LANDING, TEXTS, Place, is_rendered
from audiocrawler.middlewares.gates import limit_reached
from audiocrawler.middlewares.optouts import OptOuts
from audiocrawler.model.marks import tombstone
from audiocrawler.model.rotation import is_rotating, row_key
from audiocrawler.model.rows import AudioItem, AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.model.texts import texts_named
from audiocrawler.records import Outcome, opted_out, rendition_candidate, source_of, stated_by, track_candidate
from audiocrawler.rights.licences import refusal_before
from audiocrawler.spiders.hls import HlsJoiner, tag_of
from audiocrawler.spiders.identifying import Found, identify
from audiocrawler.spiders.inline import Inline, inline_item, named, why_not
from audiocrawler.spiders.links import others_by_group
from audiocrawler.spiders.listing import Lister
from audiocrawler.spiders.media import Downloads
from audiocrawler.spiders.partly import leave_out
from audiocrawler.warehouse.rows import clean_url

LeftOut = dict[str, dict[str, tuple[str, AudioSource]]]
"""The files that are left out because another one is chosen: by group and row, best first."""
_OTHER_KINDS = frozenset((Kind.VIDEO, Kind.ARCHIVE))
MAX_REMEMBERED = 100_000
"""URLs found but not requested that are remembered as counted."""

_OTHER_CHOSEN = "another file of the same recording was chosen"


class Taker:
    """Turns candidates into rows, requests and items; ``is_wanted`` selects the files of a document."""

    def __init__(  # noqa: PLR0913 - the services that it works with
        self,
        crawl: Crawl,
        arguments: Arguments,
        downloads: Downloads,
        joiner: HlsJoiner,
        lister: Lister,
        *,
        opt_outs: OptOuts,
        is_wanted: Callable[[Response, AudioSource], bool],
    ) -> None:
        self._crawl, self._stats, self._arguments = crawl, crawl.stats, arguments
        self._downloads, self._joiner, self._is_wanted = downloads, joiner, is_wanted
        self._opt_outs, self._lister = opt_outs, lister
        self._not_requested: OrderedDict[int, None] = OrderedDict()

    async def take(
        self, page: Response, document: Document | None, candidates: list[Candidate]
    ) -> AsyncIterator[Request | AudioItem]:
        """Write the rows of a document's audio, and yield requests for files to download, or items if only listed."""
        title = document.title if document is not None else None
        await self._note_other_manifests(page, title, candidates)
        candidates, held = named(candidates)
        found = (candidate for candidate in candidates if candidate.kind in FILES)
        wanted = self._within_page_limit(
            [candidate for candidate in found if not await self._is_taken_down(candidate.url)], page
        )
        finds = [each for each in await self.found_in(page, title, wanted) if self._may_take(page, each)]
        media, sources = [each.candidate for each in finds], [each.source for each in finds]
        for source in sources:
            source.opt_out = Place.of(page.meta).opt_out
        await self._crawl.write(sources)
        left_out = self._alternates(media, sources)
        for candidate, source, find in zip(media, sources, finds, strict=True):
            self._stats.inc_value(f"audio/found/{source.found_by}")
            if (outcome := self._why_not(candidate, source, left_out)) is not None:
                await self._leave_out(source, outcome)
            elif candidate.kind is Kind.ARCHIVE and self._arguments.archives == "list":
                if self._is_new(source):
                    self._stats.inc_value("audio/other_kinds")
                    yield self._lister.request(candidate.url, source)
            elif self._arguments.download == "yes" and candidate.kind is Kind.DATA:
                if (item := await self._inline(held[candidate.url], source)) is not None:
                    yield item
            elif self._arguments.download == "yes":
                request = self._downloads.request(
                    candidate.url, source, list(left_out.get(candidate.group or "", {}).values())
                )
                request.meta.update(find.meta | self._found_on_meta(candidate, page) | self._texts_meta(candidate))
                yield request
            elif self._is_new(source):
                self._stats.inc_value("audio/listed")
                yield AudioItem(file_urls=[source.source_url], source=source)

    def _why_not(self, candidate: Candidate, source: AudioSource, left_out: LeftOut) -> Outcome | None:
        """Return why a file is not downloaded, None if it is."""
        if source.opt_out and self._opt_outs.are_honoured:
            return opted_out(source.opt_out)
        if (outcome := self._why_not_kind(candidate)) is not None:
            return outcome
        if source.source_url in left_out.get(candidate.group or "", {}):
            return Outcome(Status.ALTERNATE, _OTHER_CHOSEN)
        refusal = refusal_before(stated_by(source), self._crawl.licenses)
        return Outcome(Status.FILTERED, refusal) if refusal else None

    def _why_not_kind(self, candidate: Candidate) -> Outcome | None:
        if candidate.kind is Kind.VIDEO and self._arguments.video == "no":
            return Outcome(Status.FILTERED, "a video: -a video=yes takes its sound")
        if candidate.kind is Kind.ARCHIVE and self._arguments.archives == "list" and self._arguments.download == "no":
            return Outcome(Status.FILTERED, "an archive: what is in it is not listed with download=no")
        if candidate.kind is Kind.OTHER_SCHEME:
            scheme = candidate.url.partition(":")[0].lower()
            return Outcome(Status.FAILED, f"only http and https can be fetched, not {scheme}")
        return Outcome(Status.STREAM, "an endless stream") if candidate.kind is Kind.STREAM else None

    async def _inline(self, inline: Inline, source: AudioSource) -> AudioItem | None:
        """Return the item of a data: URL; None if it is known, too large, damaged, or the limit is reached."""
        if not self._is_new(source):
            return None
        known = await self._crawl.memory.recall(source.source_url)
        if known is not None and known.size_bytes is not None:
            await self._downloads.finalise_known(source, known)
        elif (why := limit_reached(self._stats, self._arguments.limit)) is not None:
            await self._downloads.finalise(source, Outcome(Status.LIMIT, why))
        elif (outcome := why_not(inline, self._crawl.settings.max_bytes)) is not None:
            await self._downloads.finalise(source, outcome)
        else:
            return await inline_item(self._crawl, inline, source)
        return None

    async def _note_other_manifests(self, page: Response, title: str | None, candidates: list[Candidate]) -> None:
        """Write the rows of manifests that are not followed because a better one of the recording is."""
        if self._arguments.alternates == "all":
            return
        for members in others_by_group(candidates).values():
            for each in members:
                source = source_of(each, page, title, Place.of(page.meta).site)
                if self._is_wanted(page, source):
                    await self._leave_out(source, Outcome(Status.ALTERNATE, _OTHER_CHOSEN))

    async def found_in(self, page: Response, title: str | None, candidates: Sequence[Candidate]) -> list[Found]:
        """Return the audio of a document with its rows: existing ones where only the URL has changed."""
        media = (each for each in candidates if each.kind in FILES)
        site = Place.of(page.meta).site
        finds = [Found(each, source_of(each, page, title, site)) for each in media]
        await identify(self._crawl, finds, may_doubt=self._arguments.download == "yes")
        return finds

    def _may_take(self, page: Response, find: Found) -> bool:
        """Return whether a file may be downloaded: it is wanted, and not taken down under another URL."""
        if not find.is_taken_down:
            return self._is_wanted(page, find.source)
        if self._is_new(find.source):
            self._crawl.outcomes.count_outcome(find.source.source_url, Status.TAKEN_DOWN, "was taken down")
        return False

    def _found_on_meta(self, candidate: Candidate, page: Response) -> dict[str, Any]:
        """Return the meta by which a document whose URLs may expire can be requested again."""
        own = {LANDING: True} if LANDING in page.meta else {}
        if candidate.url == page.url or not (candidate.guid or is_rotating(candidate.url)):
            return own
        first, *_ = page.meta.get("redirect_urls", [page.url])
        is_shown = page.request is not None and is_rendered(page.request)
        return own | {"found_on": {"url": first, "is_rendered": is_shown, "where": Place.of(page.meta).meta}}

    def _texts_meta(self, candidate: Candidate) -> dict[str, Any]:
        """Return the meta with the candidate's transcripts and chapters, if they are wanted."""
        named = texts_named(candidate.transcripts, candidate.transcript_url, candidate.chapters_url)
        return {TEXTS: named} if named and self._arguments.transcripts == "yes" else {}

    def _within_page_limit(self, media: list[Candidate], page: Response) -> list[Candidate]:
        """Return the candidates up to the limit per page, and note how many are left out."""
        most = self._crawl.settings.max_files_per_page
        if len(media) <= most:
            return media
        left_out = len(media) - most
        leave_out(page, f"the last {left_out} of {len(media)} audio URLs: raise AUDIO_MAX_FILES_PER_PAGE to take them")
        self._stats.inc_value("audio/beyond_page_limit", left_out)
        return media[:most]

    def _alternates(self, media: list[Candidate], sources: list[AudioSource]) -> LeftOut:
        """Return the files that are left out because another one is chosen: by group and masked URL, best first.

        A file whose licence is refused is neither chosen nor tried when the chosen one fails.
        """
        left_out: LeftOut = {}
        if self._arguments.alternates == "all":
            return left_out
        row_of = {candidate.url: source for candidate, source in zip(media, sources, strict=True)}
        open_to_choice = (candidate for candidate in media if self._is_choice(candidate, row_of[candidate.url]))
        for candidate, is_taken in sorted(choose(open_to_choice), key=lambda each: rank(each[0])):
            if not is_taken:
                source = row_of[candidate.url]
                left_out.setdefault(candidate.group or "", {})[source.source_url] = candidate.url, source
        return left_out

    def _is_choice(self, candidate: Candidate, source: AudioSource) -> bool:
        is_wanted = candidate.kind is Kind.AUDIO or (candidate.kind is Kind.VIDEO and self._arguments.video == "yes")
        return is_wanted and not refusal_before(stated_by(source), self._crawl.licenses)

    async def take_renditions(self, page: Response, document: Document) -> AsyncIterator[Request | AudioItem]:
        """Take the rendition of an HLS media playlist, or the audio of each language in a segmented DASH manifest."""
        is_certain = Place.of(page.meta).is_certain_audio or self._arguments.video == "yes"
        if rendition := audio_rendition(document):
            candidate = rendition_candidate(page, rendition)
            async for each in self._take_rendition(page, candidate, rendition, is_certain=is_certain):
                yield each
        tracks = audio_tracks(document)
        for track in tracks:
            candidate = track_candidate(page, track, is_only=len(tracks) == 1)
            async for each in self._take_rendition(page, candidate, track.rendition, is_certain=True):
                yield each

    async def _take_rendition(
        self, page: Response, candidate: Candidate, rendition: Rendition, *, is_certain: bool
    ) -> AsyncIterator[Request | AudioItem]:
        place = Place.of(page.meta)
        (found,) = await self.found_in(page, None, [candidate])
        source = found.source
        source.opt_out = place.opt_out
        await self._crawl.write([source])
        outcome = self._joiner.why_not(rendition, is_certain_audio=is_certain)
        if source.opt_out and self._opt_outs.are_honoured:
            outcome = opted_out(source.opt_out)
        if outcome is not None:
            await self._leave_out(source, outcome)
        elif self._arguments.download == "yes":
            known = await self._crawl.memory.recall(source.source_url)
            if known and known.etag == tag_of(rendition.parts):
                self._stats.inc_value("audio/found")
                await self._downloads.finalise_known(source, known)
            else:
                yield self._joiner.request(rendition.parts, 0, source)
        elif self._is_new(source):
            self._stats.inc_value("audio/listed")
            yield AudioItem(file_urls=[source.source_url], source=source)

    async def _leave_out(self, source: AudioSource, outcome: Outcome) -> None:
        if self._is_new(source):
            self._stats.inc_value("audio/other_kinds", int(source.kind in _OTHER_KINDS))
            await self._downloads.finalise(source, outcome)

    async def _is_taken_down(self, url: str) -> bool:
        """Return whether a URL was taken down; if by its host only, write a tombstone row for it."""
        why = self._crawl.tombstones.covers(url)
        if why is None:
            return False
        row = tombstone(clean_url(row_key(url)), why)
        if self._is_new(row):
            self._crawl.outcomes.count_outcome(row.source_url, row.status, why)
            if not self._crawl.tombstones.has_row(url):
                await self._crawl.write([row])
        return True

    def _is_new(self, source: AudioSource) -> bool:
        """Return whether a URL that is not requested is found for the first time, and count it then."""
        mark = hash(source.source_url)
        if mark in self._not_requested:
            return False
        self._not_requested[mark] = None
        if len(self._not_requested) > MAX_REMEMBERED:
            self._not_requested.popitem(last=False)  # counted again if it is found again
        self._stats.inc_value("audio/found")
        return True
