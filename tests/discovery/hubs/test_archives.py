"""Research data and sound archives: Zenodo, Figshare, OSF, Dataverse, archive.org, Commons, Freesound and others."""

from typing import Any

from audiocrawler.discovery.candidate import Role
from audiocrawler.discovery.hubs.mediawiki import MAX_LEVELS
from tests.discovery.hubs.answers import asked_for, followed, in_json, in_page, licences, next_pages, taken

BY = "https://creativecommons.org/licenses/by/4.0/"
ZENODO = "https://zenodo.org/api/records"


def test_a_record_of_zenodo_gives_its_files() -> None:
    for page in ("https://zenodo.org/records/42", "https://zenodo.org/record/42", "https://doi.org/10.5281/zenodo.42"):
        assert asked_for(page) == f"{ZENODO}/42"
    assert asked_for("https://zenodo.org/records/42/files/a.wav") is None
    record = {
        "id": 42,
        "metadata": {
            "title": "Bells",
            "creators": [{"name": "Field, Ann"}, {"name": "Sea, Bo"}],
            "license": {"id": "cc-by-4.0"},
            "publication_date": "2024-02-03",
        },
        "files": [
            {"key": "a b.wav", "size": 9000, "links": {"self": f"{ZENODO}/42/files/a%20b.wav/content"}},
            {"key": "notes.pdf", "size": 1, "links": {"self": f"{ZENODO}/42/files/notes.pdf/content"}},
        ],
    }
    found = in_json(f"{ZENODO}/42", record)
    assert taken(found) == [f"{ZENODO}/42/files/a%20b.wav/content"]
    assert (found[0].artist, licences(found[0]), found[0].size_bytes) == ("Field, Ann; Sea, Bo", ["cc-by-4.0"], 9000)
    assert found[0].link_text == "a b.wav"
    assert str(found[0].published_at) == "2024-02-03 00:00:00+00:00"


def test_a_community_or_search_of_zenodo_gives_the_files_of_its_records_by_pages() -> None:
    assert asked_for("https://zenodo.org/communities/shore/records") == f"{ZENODO}?communities=shore&size=25"
    assert asked_for("https://zenodo.org/search?q=bell+ring") == f"{ZENODO}?q=bell+ring&size=25"
    record = {"id": 1, "metadata": {}, "files": [{"key": "a.wav", "links": {}}]}
    following = f"{ZENODO}?communities=shore&page=2&size=25"
    found = in_json(f"{ZENODO}?communities=shore", {"hits": {"hits": [record]}, "links": {"next": following}})
    assert (taken(found), next_pages(found)) == ([f"{ZENODO}/1/files/a.wav/content"], [following])


def test_other_repositories_on_inveniordm_answer_alike() -> None:
    place = "https://data.example.edu/api/records/x1-y2"
    metadata = {
        "creators": [{"person_or_org": {"name": "Ann"}}],
        "rights": [{"id": "cc-by-4.0", "props": {"url": BY}}],
    }
    (files,) = in_json(
        place, {"id": "x1-y2", "metadata": metadata, "files": {"enabled": True}, "links": {"files": f"{place}/files"}}
    )
    entry = {
        "key": "a.wav",
        "size": 9,
        "links": {"self": f"{place}/files/a.wav", "content": f"{place}/files/a.wav/content"},
    }
    found = in_json(files.url, {"enabled": True, "entries": [entry]}, collection=files.collection)
    assert (taken(found), found[0].artist, licences(found[0])) == ([f"{place}/files/a.wav/content"], "Ann", [BY])


FIGSHARE = "https://api.figshare.com/v2"


def test_an_article_of_figshare_gives_its_files_or_their_list() -> None:
    assert asked_for("https://figshare.com/articles/dataset/Bells/123456") == f"{FIGSHARE}/articles/123456"
    assert (
        asked_for("https://uni.figshare.com/articles/dataset/Bells/123456/2")
        == f"{FIGSHARE}/articles/123456/versions/2"
    )
    assert asked_for("https://figshare.com/browse") is None
    file = {
        "name": "a.wav",
        "size": 9000,
        "mimetype": "text/plain",
        "download_url": "https://ndownloader.figshare.com/files/7",
    }
    article: dict[str, Any] = {
        "figshare_url": "https://figshare.com/x",
        "authors": [{"full_name": "Ann Field"}],
        "license": {"name": "CC BY 4.0", "url": BY},
        "published_date": "2024-02-03T04:05:06Z",
        "files": [file],
    }
    found = in_json(f"{FIGSHARE}/articles/123456", article)
    assert taken(found) == ["https://ndownloader.figshare.com/files/7"]
    assert (found[0].artist, licences(found[0]), found[0].link_text) == ("Ann Field", [BY], "a.wav")
    many = in_json(f"{FIGSHARE}/articles/123456", {**article, "files": [file] * 10})
    assert followed(many) == [f"{FIGSHARE}/articles/123456/files?page=1&page_size=100"]
    rest = in_json(many[0].url, [file] * 100, collection=many[0].collection)
    assert (taken(rest), rest[0].artist) == (["https://ndownloader.figshare.com/files/7"], "Ann Field")
    assert next_pages(rest) == [f"{FIGSHARE}/articles/123456/files?page_size=100&page=2"]


def test_a_collection_of_figshare_leads_to_its_articles_by_pages() -> None:
    url = f"{FIGSHARE}/collections/123456/articles?page=1&page_size=100"
    assert asked_for("https://figshare.com/collections/Bells/123456") == url
    found = in_json(url, [{"id": 1, "url_public_api": f"{FIGSHARE}/articles/1"}])
    assert (followed(found), next_pages(found)) == ([f"{FIGSHARE}/articles/1"], [])


OSF = "https://api.osf.io/v2"


def test_a_project_of_osf_leads_to_its_storages_and_components() -> None:
    assert asked_for("https://osf.io/AB12c/") == f"{OSF}/guids/ab12c/"
    assert asked_for("https://osf.io/ab12c/download") is None
    assert asked_for("https://osf.io/preprints") is None
    node: dict[str, Any] = {
        "type": "nodes",
        "attributes": {"title": "Bells", "date_created": "2024-02-03T04:05:06"},
        "links": {"self": f"{OSF}/nodes/ab12c/"},
        "relationships": {
            "files": {"links": {"related": {"href": f"{OSF}/nodes/ab12c/files/"}}},
            "children": {"links": {"related": {"href": f"{OSF}/nodes/ab12c/children/"}}},
        },
    }
    bare = in_json(f"{OSF}/guids/ab12c/", {"data": node})
    assert followed(bare) == [f"{OSF}/nodes/ab12c/?embed=license&embed=contributors"]
    person = {"embeds": {"users": {"data": {"attributes": {"full_name": "Ann Field"}}}}}
    licence = {"data": {"attributes": {"name": "CC-By Attribution 4.0 International"}}}
    whole = in_json(bare[0].url, {"data": {**node, "embeds": {"contributors": {"data": [person]}, "license": licence}}})
    assert followed(whole) == [f"{OSF}/nodes/ab12c/files/", f"{OSF}/nodes/ab12c/children/"]
    file = {
        "type": "files",
        "attributes": {"kind": "file", "name": "a.wav", "size": 9000},
        "links": {"download": "https://osf.io/download/77/"},
    }
    folder = {
        "type": "files",
        "attributes": {"kind": "folder", "name": "eu"},
        "relationships": {"files": {"links": {"related": {"href": f"{OSF}/nodes/ab12c/files/osfstorage/1/"}}}},
    }
    following = f"{whole[0].url}?page=2"
    found = in_json(
        whole[0].url, {"data": [file, folder], "links": {"next": following}}, collection=whole[0].collection
    )
    assert taken(found) == ["https://osf.io/download/77/"]
    assert (found[0].artist, licences(found[0])) == ("Ann Field", ["CC-By Attribution 4.0 International"])
    assert (followed(found), next_pages(found)) == ([f"{OSF}/nodes/ab12c/files/osfstorage/1/"], [following])
    assert found[1].collection == found[2].collection == whole[0].collection


def test_a_dataset_of_dataverse_gives_its_files() -> None:
    place = "https://data.example.edu"
    url = f"{place}/api/datasets/:persistentId/?persistentId=doi%3A10.7%2FAB"
    assert asked_for(f"{place}/dataset.xhtml?persistentId=doi:10.7/AB&version=1.0") == url
    author = {"typeName": "author", "value": [{"authorName": {"value": "Field, Ann"}}]}
    version = {
        "releaseTime": "2024-02-03T04:05:06Z",
        "license": {"name": "CC BY 4.0", "uri": BY},
        "metadataBlocks": {"citation": {"fields": [{"typeName": "title", "value": "Bells"}, author]}},
        "files": [
            {
                "label": "a.wav",
                "restricted": True,
                "dataFile": {"id": 7, "contentType": "audio/x-wav", "filesize": 9000},
            },
            {"label": "b.tab", "dataFile": {"id": 8}},
        ],
    }
    found = in_json(url, {"status": "OK", "data": {"latestVersion": version}})
    assert taken(found) == [f"{place}/api/access/datafile/7"]
    assert (found[0].artist, licences(found[0]), found[0].mime_type) == ("Field, Ann", [BY], "audio/x-wav")


def test_a_collection_of_dataverse_leads_to_its_datasets_by_pages() -> None:
    search = asked_for("https://dataverse.example.edu/dataverse/shore")
    assert search == "https://dataverse.example.edu/api/search?q=%2A&type=dataset&subtree=shore&start=0&per_page=100"
    assert asked_for("https://example.edu/dataverse/shore") is None
    items = [{"type": "dataset", "global_id": "doi:10.7/AB"}]
    found = in_json(search, {"status": "OK", "data": {"total_count": 2, "start": 0, "items": items}})
    assert followed(found) == ["https://dataverse.example.edu/api/datasets/:persistentId/?persistentId=doi%3A10.7%2FAB"]
    assert next_pages(found) == [search.replace("start=0&per_page=100", "per_page=100&start=1")]


SCRAPE = "https://archive.org/services/search/v1/scrape"


def test_a_collection_of_the_internet_archive_leads_to_its_items_by_pages() -> None:
    assert asked_for("https://archive.org/details/shore-bells") == "https://archive.org/metadata/shore-bells"
    assert asked_for("https://archive.org/download/shore-bells/") == "https://archive.org/metadata/shore-bells"
    assert asked_for("https://archive.org/download/shore-bells/a.flac") is None
    about = {"identifier": "shore-bells", "mediatype": "collection"}
    (search,) = in_json("https://archive.org/metadata/shore-bells", {"metadata": about, "files": [{"name": "x.xml"}]})
    assert search.url.startswith(f"{SCRAPE}?q=collection%3A%28shore-bells%29+AND+mediatype")
    found = in_json(search.url, {"items": [{"identifier": "bell.1"}], "cursor": "W3s=", "total": 2})
    assert (followed(found), next_pages(found)) == (
        ["https://archive.org/metadata/bell.1"],
        [f"{search.url}&cursor=W3s%3D"],
    )
    assert next_pages(in_json(f"{search.url}&cursor=W3s%3D", {"items": []})) == []


def test_a_search_of_the_internet_archive_leads_to_its_items() -> None:
    url = asked_for("https://archive.org/search?query=creator%3Aann") or ""
    assert "q=%28creator%3Aann%29+AND+mediatype" in url
    assert "AND" not in (asked_for("https://archive.org/search?query=mediatype%3Atexts") or "AND")
    advanced = "https://archive.org/advancedsearch.php?q=x&fl%5B%5D=identifier&rows=1&output=json"
    found = in_json(advanced, {"response": {"numFound": 2, "start": 0, "docs": [{"identifier": "b"}]}})
    assert (followed(found), next_pages(found)) == (["https://archive.org/metadata/b"], [f"{advanced}&page=2"])


COMMONS = "https://commons.wikimedia.org/w/api.php"


def test_a_category_of_commons_gives_its_files_and_subcategories() -> None:
    url = asked_for("https://commons.wikimedia.org/wiki/Category:Bell_sounds") or ""
    assert url.startswith(f"{COMMONS}?action=query")
    assert "gcmtitle=Category%3ABell+sounds" in url
    assert "titles=File%3AA+b.ogg" in (asked_for("https://commons.wikimedia.org/wiki/File:A_b.ogg") or "")
    media = "https://upload.wikimedia.org/wikipedia/commons"
    said = {
        "Artist": {"value": '<a href="//x">Ann&nbsp;Field</a>'},
        "LicenseShortName": {"value": "CC BY 4.0"},
        "LicenseUrl": {"value": BY},
        "ObjectName": {"value": "A bell"},
    }
    info = {"url": f"{media}/a/ab/A_b.ogg", "mime": "application/ogg", "size": 9000, "extmetadata": said}
    pages = [
        {"ns": 6, "title": "File:A b.ogg", "imageinfo": [info]},
        {"ns": 6, "title": "File:A.jpg", "imageinfo": [{"url": f"{media}/a/A.jpg", "mime": "image/jpeg"}]},
        {"ns": 14, "title": "Category:Church bells"},
    ]
    found = in_json(
        url, {"query": {"pages": pages}, "continue": {"gcmcontinue": "file|41|7", "continue": "gcmcontinue||"}}
    )
    assert taken(found) == [f"{media}/a/ab/A_b.ogg"]
    assert (found[0].title, found[0].artist, licences(found[0])) == ("A bell", "Ann Field", [BY])
    assert ["gcmtitle=Category%3AChurch+bells" in each for each in followed(found)] == [True]
    assert ["gcmcontinue=file%7C41%7C7" in each for each in next_pages(found)] == [True]
    deepest = in_json(url, {"query": {"pages": pages}}, collection={"level": str(MAX_LEVELS)})
    assert followed(deepest) == []


def test_sounds_of_freesound_are_asked_for_with_a_token_only() -> None:
    place, key = "https://freesound.org", {"FREESOUND_TOKEN": "x"}
    for page, path in (
        ("people/ann/sounds/7/", "sounds/7"),
        ("people/ann/packs/8/", "packs/8/sounds"),
        ("people/ann/", "users/ann/sounds"),
        ("search/?q=bell", "search/text"),
    ):
        assert asked_for(f"{place}/{page}") is None
        assert (asked_for(f"{place}/{page}", **key) or "").startswith(f"{place}/apiv2/{path}/?")
    previews = {
        f"preview-{rate}-{kind}": f"https://cdn.freesound.org/7_1-{rate}.{kind}"
        for rate in ("lq", "hq")
        for kind in ("ogg", "mp3")
    }
    sound = {"id": 7, "name": "Bell", "username": "ann", "license": BY, "duration": 1.5, "previews": previews}
    following = f"{place}/apiv2/search/text/?page=2"
    found = in_json(
        f"{place}/apiv2/search/text/", {"results": [sound, {"id": 8, "name": "b", "username": "bo"}], "next": following}
    )
    assert taken(found) == ["https://cdn.freesound.org/7_1-hq.ogg"]
    assert (found[0].title, found[0].artist, found[0].role, licences(found[0])) == ("Bell", "ann", Role.PREVIEW, [BY])
    assert followed(found)[0].startswith(f"{place}/apiv2/sounds/8/?fields=")
    assert next_pages(found) == [following]


def test_recordings_of_xeno_canto_are_asked_for_with_a_key_only() -> None:
    page = "https://xeno-canto.org/species/Turdus-merula"
    assert asked_for(page) is None
    url = asked_for(page, XENO_CANTO_KEY="k") or ""
    assert url.startswith("https://xeno-canto.org/api/3/recordings?query=gen%3A%22Turdus%22+sp%3A%22merula%22")
    assert url.endswith("&key=k")
    assert "query=nr%3A42" in (asked_for("https://xeno-canto.org/42", XENO_CANTO_KEY="k") or "")
    recording = {
        "id": "42",
        "gen": "Turdus",
        "sp": "merula",
        "en": "Blackbird",
        "rec": "Ann Field",
        "type": "song",
        "file": "//xeno-canto.org/42/download",
        "file-name": "XC42.mp3",
        "lic": "//creativecommons.org/licenses/by-nc/4.0/",
        "length": "1:02",
        "date": "2022-01-05",
    }
    found = in_json(url, {"numPages": 2, "page": 1, "recordings": [recording, {"file": ""}]})
    assert taken(found) == ["https://xeno-canto.org/42/download"]
    one = found[0]
    assert (one.title, one.artist, one.duration_ms) == ("Blackbird - Turdus merula - song", "Ann Field", 62_000)
    assert licences(one) == ["https://creativecommons.org/licenses/by-nc/4.0/"]
    assert ["&page=2" in each for each in next_pages(found)] == [True]
    assert next_pages(in_json(url, {"numPages": 1, "page": 1, "recordings": [recording]})) == []


def test_books_of_librivox_give_their_sections_or_their_feed() -> None:
    url = "https://librivox.org/api/feed/audiobooks?format=json&extended=1&limit=1"
    section = {
        "title": "Chapter 1",
        "listen_url": "https://www.archive.org/download/book/book_01_64kb.mp3",
        "language": "English",
        "playtime": "1234",
        "readers": [{"display_name": "Ann Field"}],
    }
    book = {"id": "7", "title": "Book", "url_rss": "https://librivox.org/rss/7"}
    found = in_json(url, {"books": [{**book, "sections": [section]}]})
    assert taken(found) == [section["listen_url"]]
    assert (found[0].artist, found[0].duration_ms, found[0].language) == ("Ann Field", 1_234_000, "English")
    assert next_pages(found) == [f"{url}&offset=1"]
    brief = in_json("https://librivox.org/api/feed/audiobooks?format=json", {"books": [book]})
    assert [(each.url, each.kind) for each in brief] == [("https://librivox.org/rss/7", "feed")]


def test_a_licence_code_beside_a_sound_counts() -> None:
    sound = {
        "file_url": "https://static.example.org/sounds/5.wav",
        "license_code": "cc-by-nc",
        "attribution": "(c) Ann",
    }
    (found,) = in_json("https://api.example.org/v1/observations", {"results": [{"sounds": [sound]}]})
    assert (licences(found), found.credit) == (["cc-by-nc"], "(c) Ann")


def test_a_page_of_a_hub_leads_to_its_listing() -> None:
    assert followed(in_page("https://zenodo.org/records/42", "<p>x</p>")) == [f"{ZENODO}/42"]
