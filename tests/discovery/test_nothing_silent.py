"""What is left out of a document is said, and less is left out than there was."""

import gzip
import json

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from audiocrawler.discovery import Document, Kind, dash, find, find_in, hls, json_media, read
from audiocrawler.discovery.dash import audio_tracks
from audiocrawler.discovery.finders import structured
from audiocrawler.discovery.hls import audio_rendition
from tests.discovery.pages import urls

HOST = "https://cdn.example"
FILES = [f"{HOST}/{number}.mp3" for number in range(300)]


def searched(
    text: str, content_type: str = "application/json", url: str = f"{HOST}/list"
) -> tuple[Document, list[str]]:
    kind = HtmlResponse if content_type == "text/html" else TextResponse
    document = read(kind(url, body=text.encode(), headers={"Content-Type": content_type}))
    return document, urls(list(find_in(document)))


def test_all_the_data_in_a_script_is_read() -> None:
    calls = "\n".join(f'add({{"title": "T", "audio_url": "/{number}/get"}});' for number in range(300))
    document, found = searched(f"<html><script>{calls}</script>", "text/html")
    assert (len(found), document.left_out) == (300, None)


def test_a_script_of_beginnings_is_left_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_media, "_VAIN_CHARACTERS", 1000)
    document, _ = searched(f"<html><script>audio_url{':[[ 1,' * 500}</script>", "text/html")
    assert "the data in a script after its first" in (document.left_out or "")


def test_all_objects_of_json_are_read() -> None:
    value = [*({} for _ in range(210_000)), {"audio": FILES[0]}]
    assert searched(json.dumps(value))[1] == FILES[:1]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"audio": each} for each in FILES])[:-15],
        json.dumps({"data": {"items": [{"audio": each} for each in FILES]}})[:-20],
        json.dumps([{"audio": each} for each in FILES])[:-1],
        json.dumps([{"audio": each} for each in FILES])[:-1] + ", {unquoted: 1}]",
    ],
)
def test_json_with_a_mistake_is_read_up_to_it(text: str) -> None:
    document, found = searched(text)
    assert found[:299] == FILES[:299]
    assert "all after the mistake in the JSON" in (document.left_out or "")


@pytest.mark.parametrize("text", ["[Verse 1]\nLa la\n[Chorus]\nLa", "[2024] all notes of the year", "{{ page.title }}"])
def test_text_in_brackets_is_no_damaged_json(text: str) -> None:
    assert searched(text, "text/plain")[0].left_out is None


def test_broken_lines_among_json_lines_are_counted() -> None:
    lines = [json.dumps({"audio": each}) for each in FILES[:3]]
    document, found = searched("\n".join([lines[0], lines[1][:-3], lines[2]]), "application/x-ndjson")
    assert found == [FILES[0], FILES[2]]
    assert document.left_out == "1 of 3 lines that are not JSON"


def test_long_markup_in_json_is_read_in_part_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structured, "_MOST_MARKUP", 1000)
    links = "".join(f'<a href="{each}">x</a>' for each in FILES)
    document, found = searched(json.dumps({"html": links}))
    assert found[:5] == FILES[:5]
    assert document.left_out == "all after the first 1000 characters of HTML in JSON"


def test_frames_too_deep_are_said() -> None:
    page = '<iframe srcdoc="x"></iframe>'
    for _ in range(4):
        page = '<iframe srcdoc="' + page.replace("&", "&amp;").replace('"', "&quot;") + '"></iframe>'
    assert searched(f"<html>{page}", "text/html")[0].left_out == "the documents in frames more than 3 deep"


def test_all_rows_of_a_table_are_read() -> None:
    rows = "".join(f"/{number}.mp3,T{number}\n" for number in range(12_000))
    document, found = searched(f"file,title\n{rows}\n/x.mp3,a,b\nthe end\n", "text/csv", f"{HOST}/list.csv")
    assert (len(found), found[-1]) == (12_000, f"{HOST}/11999.mp3")
    assert document.left_out == "1 rows that have not as many columns as the header"


def test_all_lines_of_lists_are_read() -> None:
    lines = [f"{HOST}/{number}" for number in range(60_000)]
    response = TextResponse(f"{HOST}/sitemap.txt", body="\n".join(lines).encode())
    assert [each.url for each in find(response) if each.kind is Kind.PAGE] == lines


def test_every_video_and_archive_that_json_names_is_found() -> None:
    names = [{"file": f"{HOST}/{number}.{'mp4' if number % 2 else 'zip'}"} for number in range(20_400)]
    response = TextResponse(f"{HOST}/list", body=json.dumps(names).encode())
    kinds = [each.kind for each in find(response)]
    assert (kinds.count(Kind.VIDEO), kinds.count(Kind.ARCHIVE)) == (10_200, 10_200)


def test_a_gzip_file_of_several_members_is_read_whole() -> None:
    feed = "<rss><channel>" + "".join(f'<item><enclosure url="{each}"/></item>' for each in FILES) + "</channel></rss>"
    body = b"".join(gzip.compress(feed[start : start + 1000].encode()) for start in range(0, len(feed), 1000))
    assert urls(list(find(Response(f"{HOST}/feed", body=body + b"\0" * 100)))) == FILES
    cut = read(Response(f"{HOST}/feed", body=body[:-10]))
    assert len(urls(list(find_in(cut)))) > 250
    assert cut.left_out == "the end of the damaged gzip file"


def test_a_recording_of_more_parts_than_are_joined_is_not_stored_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hls, "_MAX_LINES", 20)
    monkeypatch.setattr(dash, "_MAX_PARTS", 10)
    parts = "".join(f"#EXTINF:6,\n{number}.aac\n" for number in range(20))
    playlist = f"#EXTM3U\n#EXT-X-PLAYLIST-TYPE:VOD\n{parts}#EXT-X-ENDLIST\n"
    headers = {"Content-Type": "application/vnd.apple.mpegurl"}
    rendition = audio_rendition(read(TextResponse(f"{HOST}/a.m3u8", body=playlist.encode(), headers=headers)))
    assert rendition
    assert rendition.is_cut
    template = '<SegmentTemplate media="$Number$.m4s" duration="2"/><Representation id="a"/>'
    manifest = (
        '<MPD mediaPresentationDuration="PT{}S"><Period>'
        f'<AdaptationSet mimeType="audio/mp4">{template}</AdaptationSet></Period></MPD>'
    )
    for seconds, is_cut in ((20, False), (22, True)):
        body = manifest.format(seconds).encode()
        (track,) = audio_tracks(read(TextResponse(f"{HOST}/m.mpd", body=body)))
        assert (track.rendition.is_cut, len(track.rendition.parts)) == (is_cut, 10)
