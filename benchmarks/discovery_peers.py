"""Compare what finds audio in documents: a naive script, Scrapy's LinkExtractor, yt-dlp's generic extractor, this.

Each case is a folder as in discovery_corpus; its ``case.json`` also lists the URLs that are ``audio``, spellings of
them (``same_as``), and what is neither right nor wrong (``optional``, ``streams``, ``follow``). A file of JSON lines
holds such cases, too: each with ``document`` (``text`` or ``base64``), ``url``, ``content_type``, ``audio``, ``stream``
and ``follow``; lines that describe a whole crawl are left out. Figures are means over the cases with audio
(recall) and shares of all URLs found (precision). yt-dlp is left out where it is not installed.
"""

import argparse
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from lxml import html
from scrapy.http import Headers, HtmlResponse, Response, TextResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.responsetypes import responsetypes

from audiocrawler.discovery import Kind, find
from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of
from benchmarks.discovery_corpus import responses

_NAIVE_EXTENSIONS = (".mp3", ".wav", ".ogg", ".flac", ".aac")
_EVERY_LINK = LinkExtractor(tags="*", attrs="*", deny_extensions=[], strip=True)

Finder = Callable[[Response], list[str]]


def naive_script(response: Response) -> list[str]:
    """Return the links that end in an extension, as written: relative ones stay so."""
    return _ending_in_an_extension(response, "a")


def naive_script_with_players(response: Response) -> list[str]:
    """Return the links and players' sources that end in an extension, joined to the document's URL."""
    return [urljoin(response.url, url) for url in _ending_in_an_extension(response, "a", "audio", "source")]


def _ending_in_an_extension(response: Response, *tags: str) -> list[str]:
    if not response.body.strip():
        return []
    elements = html.fromstring(response.body).iter(*tags)
    urls = (str(element.get("href") or element.get("src") or "") for element in elements)
    return [url for url in urls if url.endswith(_NAIVE_EXTENSIONS)]


def link_extractor(response: Response) -> list[str]:
    """Return the URLs with an audio extension in any attribute of any element."""
    page = HtmlResponse(response.url, body=response.body, headers=response.headers)
    return [link.url for link in _EVERY_LINK.extract_links(page) if extension_of(link.url) in AUDIO_EXTENSIONS]


def this_project(response: Response) -> list[str]:
    """Return what discovery takes for audio files."""
    return [each.url for each in find(response) if each.kind is Kind.AUDIO]


def ytdlp_generic(response: Response) -> list[str]:
    """Return what yt-dlp's generic extractor finds in the stored document; every other request of it fails."""
    from benchmarks.discovery_ytdlp import extract

    return extract(response)


def attempted(finder: Finder, response: Response) -> list[str]:
    """Return what a finder gives; nothing where the peer cannot read the document."""
    try:
        return finder(response)
    except (ValueError, AttributeError, TypeError, html.etree.LxmlError):
        return []


@dataclass(slots=True)
class Figures:
    """What a finder came to over all cases."""

    recalls: list[float]
    hits: int = 0
    wrong: int = 0
    streams_as_audio: int = 0
    clean: int = 0
    silent_cases: int = 0

    def add(self, case: dict[str, Any], found: list[str]) -> None:
        """Count the URLs that were found in one case."""
        spellings = _spellings(case)
        neutral = {normal(url) for name in ("optional", "streams", "follow") for url in case.get(name, [])}
        urls = {normal(url) for url in found}
        hits = {spellings[url] for url in urls & spellings.keys()}
        wrong = urls - spellings.keys() - neutral
        self.hits += len(hits)
        self.wrong += len(wrong)
        self.streams_as_audio += len(urls & {normal(url) for url in case.get("streams", [])})
        if case["audio"]:
            self.recalls.append(len(hits) / len({normal(url) for url in case["audio"]}))
        else:
            self.silent_cases += 1
            self.clean += not wrong

    def row(self, name: str) -> str:
        """Return a line of the table."""
        recall = sum(self.recalls) / max(len(self.recalls), 1)
        precision = self.hits / max(self.hits + self.wrong, 1)
        full = sum(value == 1 for value in self.recalls)
        clean = self.clean / max(self.silent_cases, 1)
        cells = f"{recall:8.3f}{precision:11.3f}{full:6}/{len(self.recalls):<6}{clean:8.2f}{self.streams_as_audio:10}"
        return f"{name:34}{cells}{self.hits:7}{self.wrong:7}"


def normal(url: str) -> str:
    """Return the form in which spellings of one URL are equal: no scheme, fragment, default port or player's mark."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url
    host = parts.netloc.lower().removesuffix(":80").removesuffix(":443")
    query = "&".join(each for each in parts.query.split("&") if each and each != "_=1")
    path = quote(unquote(parts.path), safe="/") or "/"
    return f"//{host}{path}" + (f"?{quote(unquote(query), safe='/=&')}" if query else "")


def _spellings(case: dict[str, Any]) -> dict[str, str]:
    spellings = {normal(url): normal(url) for url in case["audio"]}
    for url, others in case.get("same_as", {}).items():
        spellings |= {normal(other): normal(url) for other in others}
    return spellings


Case = tuple[dict[str, Any], Response]


def in_folder(folder: Path) -> Iterator[Case]:
    """Yield the cases of a folder."""
    for name, response in responses(folder):
        yield json.loads((folder / name / "case.json").read_text()), response


def in_lines(path: Path) -> Iterator[Case]:
    """Yield the documents of a file of JSON lines."""
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if (document := case.get("document")) is None or "file" in document:
            continue
        body = base64.b64decode(document["base64"]) if "base64" in document else document["text"].encode()
        headers = {"Content-Type": case["content_type"]} if case["content_type"] else {}
        kind = responsetypes.from_args(headers=Headers(headers), url=case["url"], body=body)
        response = (kind if issubclass(kind, TextResponse) else TextResponse)(case["url"], headers=headers, body=body)
        yield {**case, "streams": case["stream"]}, response


def main() -> None:
    """Print one line per finder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path, nargs="+", help="folders of pages, or files of JSON lines")
    paths: list[Path] = parser.parse_args().cases
    finders: dict[str, Finder] = {
        "naive script: a[href], 5 endings": naive_script,
        "with audio, source, URLs joined": naive_script_with_players,
        "LinkExtractor, every attribute": link_extractor,
        "yt-dlp, generic extractor": ytdlp_generic,
        "this project": this_project,
    }
    if find_spec("yt_dlp") is None:
        print("yt-dlp is not installed: its line is left out (pip install yt-dlp)")
        del finders["yt-dlp, generic extractor"]
    for path in paths:
        cases = list(in_folder(path) if path.is_dir() else in_lines(path))
        print(f"\n{len(cases)} documents of {path.name}")
        print(
            f"{'':34}{'recall':>8}{'precision':>11}{'found all':>13}{'clean':>8}{'streams':>10}{'found':>7}{'wrong':>7}"
        )
        for name, finder in finders.items():
            figures = Figures([])
            for case, response in cases:
                figures.add(case, attempted(finder, response))
            print(figures.row(name))


if __name__ == "__main__":
    main()
