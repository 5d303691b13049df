"""yt-dlp's generic extractor on a stored document: its network is replaced by that one document."""

import io
from typing import Any

import yt_dlp  # type: ignore[import-untyped]
from scrapy.http import Response
from yt_dlp.networking import Response as Answer  # type: ignore[import-untyped]
from yt_dlp.networking.exceptions import HTTPError  # type: ignore[import-untyped]

from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of, kind_of_type


def extract(response: Response) -> list[str]:
    """Return the URLs of the formats that hold audio only, by their codecs, extension or type."""
    with yt_dlp.YoutubeDL({"quiet": True, "no_warnings": True, "logger": _Silent(), "noplaylist": False}) as client:
        client.urlopen = lambda request: _answer(request, response)
        try:
            found = client.extract_info(response.url, download=False, process=False, ie_key="Generic")
        except yt_dlp.utils.YoutubeDLError:
            return []
    return list(dict.fromkeys(url for url in _urls(found or {}) if url.startswith("http")))


class _Silent:
    def debug(self, message: str) -> None: ...

    warning = error = debug


def _answer(request: Any, response: Response) -> Answer:
    url = request if isinstance(request, str) else request.url
    headers = {"Content-Type": (response.headers.get("Content-Type") or b"text/html").decode("latin-1")}
    if url != response.url:
        raise HTTPError(Answer(io.BytesIO(), url, {}, status=404))
    return Answer(io.BytesIO(response.body), url, headers)


def _urls(found: dict[str, Any]) -> list[str]:
    entries = [each for each in found.get("entries") or () if each]
    formats = [*(found.get("formats") or ()), *([found] if found.get("url") else [])]
    urls = [each["url"] for each in formats if each.get("url") and _is_audio(each)]
    return [*urls, *(url for entry in entries for url in _urls(entry))]


def _is_audio(each: dict[str, Any]) -> bool:
    if each.get("vcodec") == "none" or extension_of(each["url"]) in AUDIO_EXTENSIONS:
        return True
    return kind_of_type(each.get("mime_type")) == "audio"
