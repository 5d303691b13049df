"""All of a document is read: what follows its end, what surrounds it, in any encoding, at any size."""

import gzip
import json

import pytest
from scrapy.http import HtmlResponse, Response, TextResponse

from audiocrawler.discovery import decoding, find, find_in, pieces, read, reading
from audiocrawler.discovery.candidate import Kind, Relation
from tests.discovery.pages import in_html, in_text, the_one, urls

LINK = '<a href="https://cdn.example/a.mp3">x</a>'
FEED = (
    '<rss version="2.0"><channel><title>Show</title><item><title>One</title>'
    '<enclosure url="https://cdn.example/play/1" type="audio/mpeg"/></item></channel></rss>'
)
AUDIO = ["https://cdn.example/a.mp3"]
PLAYED = ["https://cdn.example/play/1"]


@pytest.mark.parametrize(
    "page",
    [
        f"<html><head><title>t</title></head><body>read me</body></html>\n<pre>{LINK}</pre>",
        f"<html><body>one</body></html><!DOCTYPE html><html><head></head><body>{LINK}</body></html>",
        f"<html/>\n<body>{LINK}</body>",
        f"<script>document.write('</html>')</script><p>{LINK}",
        f"<html><frameset><frame src='m.html'><noframes><body>{LINK}</body></noframes></frameset></html>",
        "<body><!--[if IE]><bgsound src='https://cdn.example/a.mp3'><![endif]--></body>",
        f"<!--[if !IE]><!--><p>{LINK}</p><!--<![endif]-->",
    ],
)
def test_a_page_is_read_to_its_end(page):
    assert urls(in_html(page)) == AUDIO


def test_a_comment_stays_one():
    assert in_html(f"<body>text<!-- {LINK} --></body></html><p>more") == []


@pytest.mark.parametrize("content_type", ["application/xml", "application/xhtml+xml", "text/xml; charset=utf-8"])
def test_elements_that_xml_closes_do_not_swallow_the_rest_of_a_page(content_type):
    head = '<html xmlns="http://www.w3.org/1999/xhtml"><head><script src="s.js"/><title/></head>'
    page = f"{head}<body>{LINK}</body></html>"
    assert urls(in_text(page, content_type)) == AUDIO


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("content_type", ["text/html", "text/html; charset=utf-8", "text/html; charset=utf-16", ""])
@pytest.mark.parametrize("response_type", [HtmlResponse, Response])
def test_wide_characters_are_read_declared_or_not(encoding, content_type, response_type):
    body = f"<html><title>日本語の題</title><body>日本語の文章{LINK}</body></html>".encode(encoding)
    response = response_type("https://site.example/", body=body, headers={"Content-Type": content_type})
    assert (urls(list(find(response))), read(response).title) == (AUDIO, "日本語の題")


@pytest.mark.parametrize(
    ("prolog", "content_type"),
    [('<?xml version="1.0" encoding="UTF-16"?>', "text/xml"), ("", "application/rss+xml; charset=utf-16")],
)
def test_a_declared_encoding_that_the_bytes_refute_is_ignored(prolog, content_type):
    assert urls(in_text(prolog + FEED, content_type)) == PLAYED


def test_binary_data_stays_unsearched():
    body = b"\x00\x01\x02\x80" * 2000 + LINK.encode()
    assert list(find(Response("https://site.example/x", body=body))) == []


@pytest.mark.parametrize(
    "before",
    [
        "<br />\n<b>Warning</b>:  non-numeric value in <b>/srv/rss.php</b> on line <b>136</b><br />\n",
        "Notice: Undefined index: cat in /srv/feed.php on line 3\n\n",
        "<div class='xdebug'><table><tr><td>Deprecated</td></tr></table></div>",
        "\n\n  \ufeff",
        "<!-- cached -->",
    ],
)
@pytest.mark.parametrize("prolog", ["", '<?xml version="1.0"?>\n<?xml-stylesheet href="a.xsl"?>'])
@pytest.mark.parametrize("content_type", ["application/rss+xml", "text/html"])
def test_what_precedes_a_feed_does_not_hide_it(before, prolog, content_type):
    assert the_one(in_text(before + prolog + FEED, content_type)).title == "One"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<b>Notice</b>: x in <b>/srv/api.php</b> on line <b>3</b><br />\n", ""),
        (")]}',\n", ""),
        ("for (;;);", ""),
        ("/**/ typeof show === 'function' && show(", ");"),
        ("jQuery19_42(", ")"),
        ("var playlist = ", ";"),
    ],
)
def test_what_surrounds_json_does_not_hide_it(before, after):
    value = json.dumps({"items": [{"title": "One", "file": "https://cdn.example/play/1", "mime_type": "audio/mpeg"}]})
    assert the_one(in_text(before + value + after, "application/json")).title == "One"


def test_a_script_that_is_not_json_is_still_searched():
    assert urls(in_text("play({file: 'https://cdn.example/a.mp3'});", "text/javascript")) == AUDIO


@pytest.mark.parametrize(
    "text",
    [
        FEED.replace("play/1", "play/0") + FEED,
        f"<html><body>An error page</body></html>\n{FEED.replace('1', '0')}\n{FEED}",
    ],
)
def test_documents_after_the_first_one_are_read(text):
    assert PLAYED[0] in urls(in_text(text, "application/rss+xml"))


def test_a_player_in_srcdoc_is_found_with_its_alternates():
    inner = "&lt;audio controls>&lt;source src=/a.ogg>&lt;source src=/a.mp3>&lt;/audio>"
    one, other = in_html(f"<iframe srcdoc='{inner}'></iframe>")
    assert one.url == "https://site.example/a.ogg"
    assert one.group == other.group is not None


def test_frames_of_the_same_host_are_named_to_follow():
    page = "<frameset><frame src=menu.html><frame src=http://ads.example/x></frameset>"
    framed = "<iframe src='/@show/embed/light'></iframe><iframe src='https://other.example/y'></iframe>"
    found = in_html(page) + in_html(framed) + in_html('<object type="text/html" data="/o.html"></object>')
    assert [(each.url, each.kind, each.relation) for each in found] == [
        (f"https://site.example/{path}", Kind.PAGE, Relation.FRAME)
        for path in ("shows/menu.html", "@show/embed/light", "o.html")
    ]


@pytest.fixture
def small_pieces(monkeypatch):
    """Make documents of a few kilobytes large."""
    monkeypatch.setattr(reading, "LARGE_BYTES", 2000)
    monkeypatch.setattr(reading, "MAX_CHARACTERS", 3000)
    monkeypatch.setattr(decoding, "_BLOCK", 500)
    monkeypatch.setattr(pieces, "PIECE_CHARACTERS", 1500)
    monkeypatch.setattr(pieces, "_WINDOWS", (100, 1500))
    monkeypatch.setattr(pieces, "MAX_ITEM_CHARACTERS", 6000)


def response_of(text: str, content_type: str = "") -> TextResponse:
    return TextResponse("https://site.example/d", body=text.encode(), headers={"Content-Type": content_type})


FILES = [f"https://cdn.example/play/{number}" for number in range(60)]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_large_feed_is_read_in_pieces_that_share_its_head(pack):
    items = "".join(
        f"<item><title>T{n}</title><description><![CDATA[</item>]]></description>"
        f'<enclosure url="{url}" type="audio/mpeg"/></item>\n'
        for n, url in enumerate(FILES)
    )
    head = "<language>de</language><copyright>CC BY 4.0</copyright>"
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel>{head}{items}</channel></rss>'
    found = list(find(Response("https://site.example/f", body=pack(feed.encode()))))
    assert [each.url for each in found] == FILES
    assert {(each.language, each.group, bool(each.statements)) for each in found} == {("de", None, True)}
    assert [each.title for each in found] == [f"T{n}" for n in range(60)]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        lambda items: {"author": "Ann", "data": {"count": 60, "items": items}, "next_url": "https://site.example/2"},
        lambda items: {"byid": {str(n): each for n, each in enumerate(items)}},
        lambda items: [{"kind": "listing", "children": items}],
    ],
)
def test_large_json_is_read_in_pieces_within_their_members(wrap):
    items = [{"title": f"T{n}", "file": url, "mime_type": "audio/mpeg"} for n, url in enumerate(FILES)]
    document = read(response_of(json.dumps(wrap(items))))
    found = list(find_in(document))
    assert [(each.url, each.title) for each in found if each.kind is Kind.AUDIO] == [
        (url, f"T{n}") for n, url in enumerate(FILES)
    ]
    assert document.left_out is None


@pytest.mark.usefixtures("small_pieces")
def test_what_is_left_out_of_a_large_document_is_said():
    page = read(response_of(f"<html><body>{'word ' * 700}{LINK}</body></html>", "text/html"))
    items = "".join(f'<item><enclosure url="{url}" type="audio/mpeg"/></item>' for url in FILES)
    feed = read(response_of(f"<rss><channel>{items}<item>{'x' * 9000}</item></channel></rss>"))
    broken = read(response_of(json.dumps([{"file": url, "mime_type": "audio/mpeg"} for url in FILES])[:-300] + "?"))
    found = [len(list(find_in(each))) for each in (page, feed, broken)]
    assert page.left_out == "all after the first 3000 of 3567 characters"
    assert "item is longer than 6000 characters" in (feed.left_out or "")
    assert "all after piece" in (broken.left_out or "")
    assert found[0] == 0
    assert all(0 < each <= 60 for each in found[1:])


@pytest.mark.usefixtures("small_pieces")
def test_long_lists_of_urls_are_not_cut():
    assert urls(in_text("\n".join(f"{url}.mp3" for url in FILES * 3), "text/plain")) == [f"{url}.mp3" for url in FILES]
