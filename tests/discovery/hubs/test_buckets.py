"""Buckets and folders: S3, Google Cloud Storage, Azure, WebDAV and Nextcloud."""

import pytest

from audiocrawler.discovery.candidate import Relation
from tests.discovery.hubs.answers import asked_for, followed, in_json, in_page, in_xml, next_pages, taken

S3 = "https://corp.s3.amazonaws.com"
OBJECT = "<Contents><Key>{}</Key><LastModified>2020-01-02T03:04:05.000Z</LastModified><Size>9000</Size></Contents>"


def listing(inner: str, *, name: str = "corp") -> str:
    return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{name}</Name>{inner}</ListBucketResult>'


@pytest.mark.parametrize(
    ("start", "url"),
    [
        ("s3://corp", f"{S3}/?list-type=2"),
        ("s3://corp/eu/de", f"{S3}/?list-type=2&prefix=eu%2Fde"),
        ("s3://corp/eu/", f"{S3}/?list-type=2&prefix=eu%2F"),
        ("s3://my.corp/eu", "https://s3.amazonaws.com/my.corp/?list-type=2&prefix=eu"),
        (f"{S3}/eu/", f"{S3}/?list-type=2&prefix=eu%2F"),
        ("https://corp.s3.eu-west-1.amazonaws.com/", "https://corp.s3.eu-west-1.amazonaws.com/?list-type=2"),
        (
            "https://s3.eu-west-1.amazonaws.com/corp/eu/",
            "https://s3.eu-west-1.amazonaws.com/corp/?list-type=2&prefix=eu%2F",
        ),
        ("https://s3.console.aws.amazon.com/s3/buckets/corp?prefix=eu/", f"{S3}/?list-type=2&prefix=eu%2F"),
        (f"{S3}/eu/a.wav", None),
        (f"{S3}/?prefix=eu/", None),
        ("https://example.org/corp/", None),
    ],
)
def test_a_bucket_of_s3_is_listed_from_its_prefix(start: str, url: str | None) -> None:
    assert asked_for(start) == url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"{S3}/?list-type=2", S3),
        ("https://s3.example.org:9000/corp?list-type=2", "https://s3.example.org:9000/corp"),
        ("https://storage.googleapis.com/corp/", "https://storage.googleapis.com/corp"),
        ("https://files.example.org/", "https://files.example.org"),
    ],
)
def test_keys_are_relative_to_the_bucket_wherever_it_stands(url: str, place: str) -> None:
    keys = ("eu/2024/a one.wav", "eu/2024/100% + ü#1.mp3", "eu/", "notes.txt")
    found = in_xml(url, listing("".join(map(OBJECT.format, keys))))
    assert taken(found) == [f"{place}/eu/2024/a%20one.wav", f"{place}/eu/2024/100%25%20%2B%20%C3%BC%231.mp3"]
    assert (found[0].size_bytes, str(found[0].published_at)) == (9000, "2020-01-02 03:04:05+00:00")


def test_encoded_keys_are_decoded_once() -> None:
    encoded = OBJECT.format("a+b%2Bc%2520.wav") + "<EncodingType>url</EncodingType>"
    assert taken(in_xml(f"{S3}/?encoding-type=url", listing(encoded))) == [f"{S3}/a%20b%2Bc%2520.wav"]


def test_a_listing_that_is_cut_goes_on_where_it_was_cut() -> None:
    cut = OBJECT.format("b.wav") + "<IsTruncated>true</IsTruncated>"
    token = "<NextContinuationToken>1+/=</NextContinuationToken>"
    assert next_pages(in_xml(f"{S3}/?list-type=2&prefix=b", listing(cut + token))) == [
        f"{S3}/?prefix=b&list-type=2&continuation-token=1%2B%2F%3D"
    ]
    assert next_pages(in_xml(f"{S3}/", listing(f"{cut}<NextMarker>c d</NextMarker>"))) == [f"{S3}/?marker=c+d"]
    assert next_pages(in_xml(f"{S3}/", listing(cut))) == [f"{S3}/?marker=b.wav"]
    assert next_pages(in_xml(f"{S3}/", listing(OBJECT.format("b.wav") + "<IsTruncated>false</IsTruncated>"))) == []


def test_a_listing_that_stops_at_folders_is_followed_into_them() -> None:
    folders = "<CommonPrefixes><Prefix>eu/</Prefix></CommonPrefixes>"
    found = in_xml(f"{S3}/?list-type=2&delimiter=%2F&continuation-token=x", listing(folders))
    assert followed(found) == [f"{S3}/?list-type=2&delimiter=%2F&prefix=eu%2F"]


GCS = "https://storage.googleapis.com/storage/v1/b/corp/o"


@pytest.mark.parametrize(
    ("start", "url"),
    [
        ("gs://corp", f"{GCS}?maxResults=1000"),
        ("gs://corp/eu/de", f"{GCS}?prefix=eu%2Fde&maxResults=1000"),
        ("gs://corp/eu/", f"{GCS}?prefix=eu%2F&maxResults=1000"),
        ("https://storage.googleapis.com/corp/eu/", f"{GCS}?prefix=eu%2F&maxResults=1000"),
        ("https://storage.googleapis.com/corp", f"{GCS}?maxResults=1000"),
        (
            "https://console.cloud.google.com/storage/browser/corp/eu;tab=objects?x=1",
            f"{GCS}?prefix=eu%2F&maxResults=1000",
        ),
        ("https://storage.googleapis.com/corp/a.wav", None),
        (f"{GCS}?prefix=eu", None),
    ],
)
def test_a_bucket_of_google_is_listed_from_its_prefix(start: str, url: str | None) -> None:
    assert asked_for(start) == url


def test_the_objects_of_a_bucket_of_google_come_by_pages() -> None:
    items = [
        {"bucket": "corp", "name": "eu/a b.wav", "size": "9000", "contentType": "application/octet-stream"},
        {"bucket": "corp", "name": "eu/raw", "contentType": "audio/flac", "timeCreated": "2024-02-03T04:05:06Z"},
        {"bucket": "corp", "name": "eu/"},
    ]
    value = {"kind": "storage#objects", "items": items, "nextPageToken": "t/1", "prefixes": ["de/"]}
    found = in_json(f"{GCS}?maxResults=1000&pageToken=0", value)
    assert taken(found) == [f"https://storage.googleapis.com/corp/eu/{name}" for name in ("a%20b.wav", "raw")]
    assert (found[0].size_bytes, found[1].mime_type) == (9000, "audio/flac")
    assert next_pages(found) == [f"{GCS}?maxResults=1000&pageToken=t%2F1"]
    assert followed(found) == [f"{GCS}?maxResults=1000&prefix=de%2F"]


AZURE = "https://acc.blob.core.windows.net/corp"


def test_a_container_of_azure_is_listed_with_its_signature() -> None:
    assert asked_for(AZURE) == f"{AZURE}?restype=container&comp=list"
    assert asked_for(f"{AZURE}/eu/?sig=abc") == f"{AZURE}?sig=abc&restype=container&comp=list&prefix=eu%2F"
    assert asked_for(f"{AZURE}/eu/a.wav") is None
    date = "<Last-Modified>Sat, 03 Feb 2024 04:05:06 GMT</Last-Modified>"
    properties = f"<Properties>{date}<Content-Length>9000</Content-Length></Properties>"
    blobs = f"<Blob><Name>eu/a b.wav</Name>{properties}</Blob><BlobPrefix><Name>eu/</Name></BlobPrefix>"
    text = f"<EnumerationResults><Blobs>{blobs}</Blobs><NextMarker>m1</NextMarker></EnumerationResults>"
    url = f"{AZURE}?sig=abc&restype=container&comp=list"
    found = in_xml(url, text)
    assert taken(found) == [f"{AZURE}/eu/a%20b.wav?sig=abc"]
    assert (found[0].size_bytes, str(found[0].published_at)) == (9000, "2024-02-03 04:05:06+00:00")
    assert (next_pages(found), followed(found)) == ([f"{url}&marker=m1"], [f"{url}&prefix=eu%2F"])


def member(href: str, inner: str = "") -> str:
    return f"<d:response><d:href>{href}</d:href><d:propstat><d:prop>{inner}</d:prop></d:propstat></d:response>"


FOLDER = "<d:resourcetype><d:collection/></d:resourcetype>"


def test_a_folder_of_webdav_gives_its_members() -> None:
    assert asked_for("davs://files.example.org/eu/") == "https://files.example.org/eu/"
    assert asked_for("dav://me:pw@files.example.org:81/eu/") == "http://me:pw@files.example.org:81/eu/"
    members = [
        member("/eu/", FOLDER),
        member("/eu/de", FOLDER),
        member("/eu/a%20b.wav", "<d:getcontentlength>9000</d:getcontentlength><d:resourcetype/>"),
        member("/eu/notes.txt"),
    ]
    found = in_xml("https://files.example.org/eu/", f'<d:multistatus xmlns:d="DAV:">{"".join(members)}</d:multistatus>')
    assert taken(found) == ["https://files.example.org/eu/a%20b.wav"]
    assert followed(found) == ["https://files.example.org/eu/de/"]
    assert {each.relation for each in found} == {None, Relation.COLLECTION}
    assert [each.size_bytes for each in found if each.kind == "audio"] == [9000]


@pytest.mark.parametrize(
    ("page", "maker", "folder"),
    [
        (
            "https://cloud.example.org/s/Ab12Cd34",
            "Nextcloud",
            "https://cloud.example.org/public.php/dav/files/Ab12Cd34/",
        ),
        (
            "https://example.org/nc/index.php/s/Ab12Cd34?x=1",
            "Nextcloud",
            "https://example.org/nc/public.php/dav/files/Ab12Cd34/",
        ),
        (
            "https://cloud.example.org/s/Ab12Cd34",
            "ownCloud",
            "https://cloud.example.org/remote.php/dav/public-files/Ab12Cd34/",
        ),
    ],
)
def test_the_page_of_a_public_share_leads_to_its_folder(page: str, maker: str, folder: str) -> None:
    text = f"<html><head><title>Bells - {maker}</title></head><body><audio src=/s/a.wav></audio></body></html>"
    found, shown = in_page(page, text)
    assert shown.kind == "audio"
    assert (found.url, found.relation) == (folder, Relation.COLLECTION)


def test_other_pages_whose_path_is_like_that_of_a_share_are_searched_as_ever() -> None:
    assert taken(in_page("https://example.org/s/Ab12Cd34", '<a href="/a.wav">a</a>')) == ["https://example.org/a.wav"]


def test_a_share_of_a_single_file_is_known_by_its_shown_name() -> None:
    inner = "<d:displayname>talk.wav</d:displayname><d:resourcetype/>"
    url = "https://cloud.example.org/public.php/dav/files/Ab12Cd34/"
    found = in_xml(
        url, f'<d:multistatus xmlns:d="DAV:">{member("/public.php/dav/files/Ab12Cd34/", inner)}</d:multistatus>'
    )
    assert [(each.url, each.kind, each.link_text) for each in found] == [(url[:-1], "audio", "talk.wav")]


def test_the_bucket_that_a_page_shows_by_script_is_listed() -> None:
    script = "<script>var S3BL_IGNORE_PATH = true; var BUCKET_URL = 'https://corp.s3.example.org';</script>"
    found = in_page("https://files.example.org/", f"<p>x</p>{script}<a href=/a.wav>a</a>")
    assert followed(found) == ["https://corp.s3.example.org/?list-type=2"]
    assert taken(found) == ["https://files.example.org/a.wav"]
