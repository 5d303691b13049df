"""Shares of Google Drive, Dropbox and OneDrive, as starts and on somebody's page."""

from base64 import urlsafe_b64decode

import pytest

from audiocrawler.discovery.document import DocumentType, parse
from audiocrawler.discovery.hubs.google_drive import form_url
from tests.discovery.hubs.answers import asked_for, followed, in_json, in_page, in_xml, next_pages, taken

ID = "1AbCdEfGhIjKlMnOpQrStUv"
DOWNLOAD = "https://drive.usercontent.google.com/download"
DRIVE = f"{DOWNLOAD}?id={ID}&export=download&confirm=t"


@pytest.mark.parametrize(
    "share",
    [
        f"https://drive.google.com/file/d/{ID}/view?usp=sharing",
        f"https://drive.google.com/file/u/0/d/{ID}/edit",
        f"https://drive.google.com/a/example.org/file/d/{ID}/preview",
        f"https://drive.google.com/open?id={ID}",
        f"https://drive.google.com/uc?export=download&id={ID}",
        f"https://docs.google.com/uc?id={ID}",
    ],
)
def test_a_file_of_drive_is_downloaded(share: str) -> None:
    if "example.org" in share:
        share = share.replace("a/example.org/", "")
    assert asked_for(share) == DRIVE
    (found,) = [
        each for each in in_page("https://site.example/", f'<a href="{share}">talk.MP3</a>') if each.kind == "audio"
    ]
    assert (found.url, found.link_text) == (DRIVE, "talk.MP3")


def test_what_a_share_on_a_page_does_not_call_audio_is_left() -> None:
    assert taken(in_page("https://site.example/", f'<a href="https://drive.google.com/open?id={ID}">Report</a>')) == []
    assert asked_for("https://docs.google.com/document/d/1AbCdEfGhIjKlMnOpQrStUv/edit") is None


def test_a_folder_of_drive_gives_its_files_and_folders() -> None:
    listed = f"https://drive.google.com/embeddedfolderview?id={ID}"
    assert asked_for(f"https://drive.google.com/drive/folders/{ID}?usp=sharing") == listed
    assert asked_for(f"https://drive.google.com/drive/u/0/folders/{ID}") == listed
    other = "2" + ID[1:]
    entry = (
        '<div class="flip-entry"><a href="https://drive.google.com/{}"><div class="flip-entry-title">{}</div></a></div>'
    )
    entries = entry.format(f"file/d/{ID}/view?usp=drive_web", "a b.wav") + entry.format(f"drive/folders/{other}", "eu")
    found = in_page(listed, f"<html><body>{entries}{entry.format(f'file/d/{other}/view', 'notes.pdf')}</body></html>")
    assert taken(found) == [DRIVE]
    assert found[0].title == "a b.wav"
    assert followed(found) == [f"https://drive.google.com/embeddedfolderview?id={other}"]


def test_the_page_that_could_not_scan_a_file_is_followed() -> None:
    form = (
        f'<span class="uc-name-size"><a href="/open?id={ID}">long.wav</a> (2.1G)</span><form id="download-form" action='
        f'"{DOWNLOAD}" method="get"><input type="hidden" name="id" value="{ID}"><input type="submit" value="Download">'
        '<input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="u-1"></form>'
    )
    sent = f"{DOWNLOAD}?id={ID}&confirm=t&uuid=u-1"
    (found,) = in_page(f"{DOWNLOAD}?id={ID}", f"<html><body>{form}</body></html>")
    assert (found.url, found.kind, found.title) == (sent, "audio", "long.wav")
    assert form_url(parse(form, f"{DOWNLOAD}?id={ID}", DocumentType.HTML)) == sent
    assert form_url(parse(form, "https://site.example/", DocumentType.HTML)) is None


@pytest.mark.parametrize(
    ("share", "url"),
    [
        ("https://www.dropbox.com/s/abc/talk.mp3?dl=0", "https://www.dropbox.com/s/abc/talk.mp3?dl=1"),
        ("https://www.dropbox.com/s/abc/talk.mp3", "https://www.dropbox.com/s/abc/talk.mp3?dl=1"),
        (
            "https://www.dropbox.com/scl/fi/abc/talk.mp3?rlkey=k&dl=0",
            "https://www.dropbox.com/scl/fi/abc/talk.mp3?rlkey=k&dl=1",
        ),
        ("https://www.dropbox.com/s/abc/talk.mp3?dl=1", None),
        ("https://www.dropbox.com/pricing", None),
    ],
)
def test_a_share_of_dropbox_is_downloaded(share: str, url: str | None) -> None:
    assert asked_for(share) == url
    assert taken(in_page("https://site.example/", f'<a href="{share}">x</a>')) == (
        [url or share] if "talk" in share else []
    )


API = "https://api.onedrive.com/v1.0/shares/"


def test_a_share_of_onedrive_is_a_file_or_a_folder() -> None:
    share = "https://1drv.ms/u/s!AbCdEf"
    url = asked_for(share) or ""
    assert url.startswith(f"{API}u!")
    token = url.removeprefix(f"{API}u!").removesuffix("/root?expand=children")
    assert urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode() == share
    content = f"{API}u!{token}/root/content"
    assert taken(in_page("https://site.example/", f'<a href="{share}">a.mp3</a>')) == [content]
    file = {
        "name": "a.wav",
        "size": 9000,
        "file": {"mimeType": "audio/wav"},
        "@content.downloadUrl": "https://dl.example/1",
    }
    assert taken(in_json(url, file)) == ["https://dl.example/1"]
    following = f"{API}u!x/items/9/children?$skiptoken=2"
    folder = {"name": "eu", "folder": {"childCount": 2}, "children": [file, {"id": "F!1", "name": "de", "folder": {}}]}
    found = in_json(url, {**folder, "children@odata.nextLink": following})
    assert (taken(found), next_pages(found)) == (["https://dl.example/1"], [following])
    assert followed(found) == [f"{API}u!{token}/items/F!1/children"]


def test_a_file_of_sharepoint_is_downloaded() -> None:
    share = "https://corp.sharepoint.com/:u:/s/site/EaBc?e=1"
    assert asked_for(share) == f"{share}&download=1"
    assert asked_for("https://corp.sharepoint.com/:f:/s/site/EaBc") is None


def test_a_share_of_nextcloud_called_audio_is_downloaded() -> None:
    share = "https://cloud.example.org/s/Ab12Cd34Ef56Gh7"
    assert taken(in_page("https://site.example/", f'<a href="{share}">a.mp3</a><a href="{share}/x">b.mp3</a>')) == [
        f"{share}/download"
    ]


@pytest.mark.parametrize(
    ("share", "url"),
    [
        ("https://www.dropbox.com/s/abc/talk.mp3?dl=0", "https://www.dropbox.com/s/abc/talk.mp3?dl=1"),
        ("https://www.dropbox.com/s/abc/talk.mp3?raw=1", "https://www.dropbox.com/s/abc/talk.mp3?raw=1"),
        ("https://www.dropbox.com/scl/fi/abc/talk?rlkey=k", "https://www.dropbox.com/scl/fi/abc/talk?rlkey=k&dl=1"),
        (f"https://drive.google.com/file/d/{ID}/view", DRIVE),
        (
            f"https://drive.google.com/uc?export=download&id={ID}",
            f"https://drive.google.com/uc?export=download&id={ID}",
        ),
    ],
)
def test_a_share_that_a_player_or_feed_names_is_downloaded(share: str, url: str) -> None:
    assert taken(in_page("https://site.example/", f'<audio src="{share}"></audio>')) == [url]
    enclosure = f'<enclosure url="{share.replace("&", "&amp;")}" type="audio/mpeg" length="9000"/>'
    feed = f'<rss version="2.0"><channel><item><title>x</title>{enclosure}</item></channel></rss>'
    assert taken(in_xml("https://site.example/feed.xml", feed)) == [url]
