import json
from base64 import b64encode
from typing import Any

import pytest

from audiocrawler.discovery import Kind, choose
from audiocrawler.discovery.candidate import Candidate
from tests.discovery.pages import in_html, in_text, the_one, urls

HOST = "https://h.example"


def in_json(value: Any, url: str = f"{HOST}/api/list.json") -> list[Candidate]:
    return in_text(json.dumps(value), "application/json", url)


def taken(candidates: list[Candidate]) -> list[str]:
    return [each.url.removeprefix(HOST) for each, is_taken in choose(candidates) if is_taken and each.kind == "audio"]


@pytest.mark.parametrize(
    "record",
    [
        {"file": "/1/get", "file-name": "bird.mp3"},
        {"filename": "x.WAV", "url": "/1/get", "page": "/1"},
        {"key": "x.flac", "links": {"self": "/1/get"}},
        {"attributes": {"name": "x.wav"}, "links": {"download": "/1/get", "self": "/api/1", "html": "/p/1"}},
        {"name": "x.wav", "mediaLink": "/1/get", "selfLink": "/api/1"},
        {"url": "/1/get", "mediaType": "audio/ogg"},
        {"id": 1, "link": "/1/get", "format": "audio/mpeg"},
        {"audio": "/1/get", "title": "x"},
        {"audio_url": "/1/get", "url": "/1"},
        {"audio-url": "/1/get", "url": "/1"},
        {"audio": {"url": "/1/get"}, "url": "/1"},
        {"audio": [{"src": "/1/get"}]},
        {"enclosure": {"url": "/1/get", "type": "audio/mpeg"}, "link": "/1"},
        {"download_url": "/1/get", "content_type": "audio/wav", "url": "/1"},
        {"resource": {"@id": "/1/get", "format": "audio/mpeg"}},
    ],
)
def test_an_address_without_extension_is_audio_if_a_member_a_type_or_a_name_beside_it_says_so(record):
    assert urls(in_json({"results": [record]})) == [f"{HOST}/1/get"]


@pytest.mark.parametrize(
    "record",
    [
        {"url": "/1/get", "name": "Rain"},
        {"url": "/1/get", "name": "cover.jpg"},
        {"file": "/1/get", "file-name": "notes.pdf"},
        {"link": "/1/get", "format": "text/html"},
        {"download": "/1/get", "title": "All.about.wav files"},
        {"body": "take one.mp3", "id": "take one.mp3"},
        {"path": "clips/x.wav", "type": "blob"},
        {"audio_filepath": "/home/ada/corpus/x.wav"},
        {"name": "x.wav", "type": "file"},
    ],
)
def test_an_address_or_a_name_alone_is_nothing(record):
    assert urls(in_json({"results": [record]})) == []


def test_what_is_offered_for_download_comes_before_what_is_played():
    track = {"name": "Tune", "audio": f"{HOST}/?id=1&format=mp31", "audiodownload": f"{HOST}/download/1/mp32/"}
    assert taken(in_json([track, track | {"audiodownload": f"{HOST}/download/2/", "audio": f"{HOST}/?id=2"}])) == [
        "/download/1/mp32/",
        "/download/2/",
    ]


def test_addresses_in_lists_of_lists_are_found():
    assert urls(in_json([["a.mp3", "200"], ["https://x.example/b.mp3", "200"]])) == [
        f"{HOST}/api/a.mp3",
        "https://x.example/b.mp3",
    ]


def test_names_in_a_document_are_of_files_beside_it_but_not_in_a_script():
    manifest = {"readingOrder": [{"url": "1.mp3", "duration": "PT1M", "name": "One"}, "two.mp3"], "name": "Book"}
    found = in_json(manifest)
    assert urls(found) == [f"{HOST}/api/two.mp3", f"{HOST}/api/1.mp3"]
    assert (found[1].title, found[1].duration_ms) == ("One", 60_000)
    assert in_html(f"<script>x = {json.dumps({'items': [{'url': '1.mp3'}]})}</script>") == []
    embedded = f'<script type="application/ld+json">{json.dumps(manifest)}</script>'
    assert len(urls(in_html(embedded))) == 2


def test_a_manifest_that_states_its_own_address_is_relative_to_that():
    own = {"rel": "self", "href": "https://books.example/b/manifest.json", "type": "application/audiobook+json"}
    order = [{"href": "audio/1.mp3", "type": "audio/mpeg", "title": "One", "duration": 61}]
    found = the_one(in_json({"metadata": {"title": "Book"}, "links": [own], "readingOrder": order}))
    assert (found.url, found.title, found.duration_ms) == ("https://books.example/b/audio/1.mp3", "One", 61_000)


def test_the_manifest_of_an_audiobook_is_followed():
    assert urls(in_html('<link rel="publication" href="/m.json">'), Kind.PLAYLIST) == ["https://site.example/m.json"]


def iiif(*items: dict[str, Any]) -> dict[str, Any]:
    page = [{"type": "Annotation", "body": each} for each in items]
    canvas = {"type": "Canvas", "duration": 9.5, "items": [{"type": "AnnotationPage", "items": page}]}
    return {
        "@context": ["http://www.w3.org/ns/anno.jsonld", "http://iiif.io/api/presentation/3/context.json"],
        "label": {"en": ["Tape"]},
        "rights": "http://creativecommons.org/licenses/by/4.0/",
        "rendering": [{"id": f"{HOST}/tape.pdf", "format": "application/pdf"}],
        "items": [canvas],
    }


def test_the_sounds_of_a_iiif_manifest_are_its_bodies():
    sound = {"type": "Sound", "format": "audio/mp4", "id": f"{HOST}/a.mp4"}
    film = {"type": "Video", "format": "video/mp4", "id": f"{HOST}/b.mp4"}
    plain = {"type": "Sound", "id": f"{HOST}/c"}
    found = in_json(iiif(sound, film, plain))
    assert urls(found) == [f"{HOST}/a.mp4", f"{HOST}/c"]
    assert (found[0].title, found[0].duration_ms, bool(found[0].statements)) == ("Tape", 9500, True)
    assert {each.group for each in found} == {None}


def test_the_choices_and_renderings_of_iiif_are_alternates():
    one, two = ({"type": "Sound", "format": form, "id": f"{HOST}/{form}"} for form in ("audio/mpeg", "audio/flac"))
    assert taken(in_json(iiif({"type": "Choice", "items": [one, two]}))) == ["/audio/flac"]
    old = {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "mediaSequences": [
            {
                "elements": [
                    {
                        "@id": f"{HOST}/1",
                        "@type": "dctypes:Sound",
                        "format": "audio/mpeg",
                        "rendering": [{"@id": f"{HOST}/1.wav", "format": "audio/wav"}],
                    }
                ]
            }
        ],
    }
    assert taken(in_json(old)) == ["/1.wav"]


def test_activitypub_says_its_types_in_links():
    link = {"type": "Link", "href": "/listen/7", "mediaType": "audio/ogg"}
    page = {"type": "Link", "href": "/track/7", "mediaType": "text/html"}
    assert urls(in_json({"type": "Audio", "name": "x", "url": [page, link]})) == [f"{HOST}/listen/7"]


def test_html_in_json_is_read_like_a_page():
    post = {"title": {"rendered": "x"}, "content": {"rendered": '<audio src="a.mp3"></audio><a href="/b.mp3">b</a>'}}
    assert urls(in_json([post])) == [f"{HOST}/api/a.mp3", f"{HOST}/b.mp3"]
    frame = '<iframe src="https://w.soundcloud.com/player/?url=x"></iframe>'
    assert len(urls(in_json({"items": [{"content_html": frame}]}), Kind.EMBED)) == 1


@pytest.mark.parametrize("mark", ["", "\x1e"])
def test_json_lines_are_objects_of_their_own(mark):
    lines = [{"audio_filepath": "c/a.wav", "duration": 1.5, "text": "hello"}, {"audio_filepath": "b.wav"}]
    text = "\n".join([f"{mark}{json.dumps(each)}" for each in lines] + ['{"cut": '])
    found = in_text(text, "application/x-ndjson", f"{HOST}/m.jsonl")
    assert urls(found) == [f"{HOST}/c/a.wav", f"{HOST}/b.wav"]
    assert found[0].duration_ms == 1500


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("id,audio_url,title\n1,https://x.example/1,One\n2,https://x.example/2,Two\n", ["/1", "/2"]),
        ("id\tlink\n1\thttps://x.example/1.mp3\n2\thttps://x.example/2.ogg\n", ["/1.mp3", "/2.ogg"]),
        ('"where the ""file"" is";n\n"https://x.example/a;b.mp3";1\n', ["/a;b.mp3"]),
        ("name,url\na.wav,https://x.example/1\n", ["/1"]),
        ("clip,text\nclips/a 1.wav,hello\nclips/b.wav,you\n", ["/clips/a%201.wav", "/clips/b.wav"]),
        ("file_name,transcription\na.wav,hello\n", ["/a.wav"]),
        ("path,sentence\na.mp3,hello\n", []),
        ("id,url\n1,https://x.example/1\n", []),
        ("name,text\nx,see talk.mp3 or other.mp3\n", []),
    ],
)
def test_tables_have_columns_of_addresses(table, expected):
    found = in_text(table, "text/csv", "https://x.example/t.csv")
    assert [each.replace(" ", "%20") for each in urls(found)] == [f"https://x.example{each}" for each in expected]


def test_the_other_columns_describe_the_file():
    found = the_one(in_text("audio_url\ttitle\tduration\nhttps://x.example/1\tOne\t61\n", "text/plain"))
    assert (found.title, found.duration_ms) == ("One", 61_000)


def test_a_plain_list_names_a_file_a_line():
    text = "# all takes\nhttps://x.example/1.mp3\ntakes/one two.wav\nthree.flac\n"
    assert [each.replace(" ", "%20") for each in urls(in_text(text, "text/plain", f"{HOST}/d/files.txt"))] == [
        "https://x.example/1.mp3",
        f"{HOST}/d/takes/one%20two.wav",
        f"{HOST}/d/three.flac",
    ]


@pytest.mark.parametrize(
    "text", ["We lost take.wav\nand other things\n", "use play('a.wav')\nx = a.wav\n", "a.wav, b.wav"]
)
def test_prose_and_code_are_no_lists(text):
    assert in_text(text, "text/plain") == []


def test_listings_for_programs_name_files_and_folders():
    nginx = [{"name": "a #1.mp3", "type": "file", "size": 9000}, {"name": "sub", "type": "directory"}]
    caddy = [{"name": "a.mp3", "url": "./a.mp3", "is_dir": False, "size": 9000}, {"name": "b.txt", "is_dir": False}]
    found = in_json(nginx, f"{HOST}/m/")
    assert (found[0].url, found[0].size_bytes) == (f"{HOST}/m/a%20%231.mp3", 9000)
    assert urls(found, Kind.PAGE) == [f"{HOST}/m/sub/"]
    assert urls(in_json(caddy, f"{HOST}/m/")) == [f"{HOST}/m/a.mp3"]


@pytest.mark.parametrize("form", ["json", "template", "script"])
def test_dufs_says_its_listing_as_json_or_in_its_page(form):
    paths = [{"path_type": "File", "name": "a.mp3", "size": 9}, {"path_type": "Dir", "name": "sub", "size": 0}]
    text = json.dumps({"href": "/data", "kind": "Index", "uri_prefix": "/", "paths": paths})
    if form == "json":
        found = in_text(text, "application/json", f"{HOST}/data?json")
    elif form == "template":
        found = in_html(f'<template id="index-data">{b64encode(text.encode()).decode()}</template>', f"{HOST}/data")
    else:
        found = in_html(f"<script>\n DATA = {text}\n</script>", f"{HOST}/data")
    assert (urls(found), urls(found, Kind.PAGE)) == ([f"{HOST}/data/a.mp3"], [f"{HOST}/data/sub/"])


@pytest.mark.parametrize(
    ("url", "name", "folder"),
    [
        ("https://tapes.s3.example/", "tapes", "https://tapes.s3.example/"),
        ("https://s3.example/tapes?list-type=2", "tapes", "https://s3.example/tapes/"),
        ("https://tapes.s3.example/?prefix=c/", "tapes", "https://tapes.s3.example/"),
    ],
)
def test_the_keys_of_a_bucket_are_relative_to_it(url, name, folder):
    text = (
        f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{name}</Name>'
        "<Contents><Key>c/a #1.wav</Key><Size>12345</Size><LastModified>2020-01-02T03:04:05.000Z</LastModified>"
        "</Contents>"
        "<Contents><Key>c/read.txt</Key></Contents></ListBucketResult>"
    )
    found = the_one(in_text(text, "application/xml", url))
    assert (found.url, found.size_bytes, str(found.published_at)[:10]) == (
        f"{folder}c/a%20%231.wav",
        12345,
        "2020-01-02",
    )


def test_the_blobs_of_an_azure_container_are_found():
    text = (
        '<?xml version="1.0"?><EnumerationResults ServiceEndpoint="https://x.blob.example/" ContainerName="c"><Blobs>'
        "<Blob><Name>d/a.mp3</Name><Properties><Content-Length>999</Content-Length></Properties></Blob></Blobs>"
        "</EnumerationResults>"
    )
    found = the_one(in_text(text, "application/xml", "https://x.blob.example/c?restype=container&comp=list"))
    assert (found.url, found.size_bytes) == ("https://x.blob.example/c/d/a.mp3", 999)


def test_the_xml_of_nginx_is_a_listing():
    text = (
        '<?xml version="1.0"?><list><directory mtime="2024-01-02T03:04:05Z">sub</directory>'
        '<file mtime="2024-01-02T03:04:05Z" size="9000">a b.mp3</file><file size="1">x.txt</file></list>'
    )
    found = in_text(text, "text/xml", f"{HOST}/m/")
    assert (the_one(found).url, the_one(found).size_bytes) == (f"{HOST}/m/a%20b.mp3", 9000)
    assert urls(found, Kind.PAGE) == [f"{HOST}/m/sub/"]


@pytest.mark.parametrize(
    "members",
    [
        {"url": f"{HOST}/1/", "filetype": "mp3"},
        {"href": f"{HOST}/1/", "type": "audio", "format": "wav"},
        {"_links": {"enclosure": {"href": f"{HOST}/1/"}, "self": {"href": f"{HOST}/2/"}}},
    ],
)
def test_a_format_or_an_enclosure_beside_an_address_makes_it_audio(members):
    assert taken(in_json({"results": [members]})) == ["/1/"]


def test_lists_of_players_name_files_beside_them():
    songs = '<songs><song path="b.mp3" title="B"/><song><location>https://x.example/a.mp3</location></song></songs>'
    assert urls(in_text(songs, "text/xml", f"{HOST}/p/list.xml")) == [f"{HOST}/p/b.mp3", "https://x.example/a.mp3"]


def test_an_enclosure_may_hold_its_address_as_text():
    feed = "<rss><channel><item><enclosure>/a.mp3</enclosure></item></channel></rss>"
    assert urls(in_text(feed, "text/xml", f"{HOST}/feed")) == [f"{HOST}/a.mp3"]


@pytest.mark.parametrize(
    "code", ['new Howl({src: ["a.webm", "a.mp3"]})', 'setup({"file": "a.mp3"})', "x = [{mp3:'a.mp3'}]"]
)
def test_names_that_code_gives_to_players_are_beside_the_page(code):
    assert [url.rpartition("/")[2] for url in urls(in_html(f"<script>{code}</script>"))] == ["a.mp3"]
