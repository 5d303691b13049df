import pytest
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from audiocrawler.discovery import Kind, find, read
from audiocrawler.discovery.document import DocumentType
from tests.discovery.pages import in_html, in_text, urls

LINK = '<a href="https://cdn.example/a.mp3">x</a>'
ITEM = '<item><enclosure url="https://cdn.example/a.mp3"/></item>'


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (f"<html>{LINK}</html>", "application/xml"),
        (f"<?xml version='1.0'?><!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'>{LINK}</html>", "text/xml"),
        (f"Some words, then {LINK}", ""),
        (f"<!-- rss --><rss>{ITEM}</rss>", "text/html"),
        (f'<?xml version="1.0"?><?pi x?><!DOCTYPE rss [<!ENTITY a "<b>">]>\n<rss>{ITEM}</rss>', "text/plain"),
        ("\ufeff#EXTM3U\nhttps://cdn.example/a.mp3", "text/html"),
        ('\n[{"url": "https://cdn.example/a.mp3"}]', "text/html"),
        ("https://cdn.example/a.mp3", "text/plain"),
    ],
)
def test_a_document_is_read_as_what_it_is_not_as_what_it_is_declared(text, content_type):
    assert urls(in_text(text, content_type)) == ["https://cdn.example/a.mp3"]


@pytest.mark.parametrize("response_type", [HtmlResponse, XmlResponse, TextResponse, Response])
def test_any_class_of_response_is_read(response_type):
    response = response_type("https://site.example/", body=LINK.encode(), headers={"Content-Type": "text/html"})
    assert [each.url for each in find(response)] == ["https://cdn.example/a.mp3"]


def test_the_title_of_a_page_is_on_one_line():
    response = HtmlResponse("https://site.example/", body=b"<title>\n A  page </title>", encoding="utf-8")
    assert (read(response).title, read(response).type) == ("A page", DocumentType.HTML)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"<",
        b"<!",
        b"<!--",
        b"<?xml",
        b"<!DOCTYPE x [",
        b"<rss",
        b"{",
        b"[" * 100_000,
        b"<div>" * 50_000,
        b"<rss><channel/>" + b"</a>" * 1000,
        b"[playlist]\nfile\xc2\xb2=a.mp3",
        b'<base href="http://["><audio src="a.mp3">',
        b'<rss xml:base="http://["><item><enclosure url="http://[" length="-1"/></item></rss>',
        b'<playlist xml:base="http://["><track><location>a.mp3</location><duration>\xc2\xb2</duration></track></playlist>',
        b"<rss><item><content><p>&#xD800;.mp3</p></content></item></rss>",
        b"<a href='http://h:x/a.mp3'>&#xDFFF;</a>",
        b'{"duration": 1e999, "uploadDate": "9999-12-31T23:59:59-23:59", "url": "https://h.example/a.mp3"}',
        b'<script type="application/ld+json">{"a": NaN, "contentUrl": ["//", 1, null], "@type": [1]}</script>.mp3',
    ],
)
@pytest.mark.parametrize(
    "content_type", ["text/html", "application/rss+xml", "application/json", "audio/x-mpegurl", "\xff"]
)
def test_broken_input_never_raises(body, content_type):
    headers = {"Content-Type": content_type.encode("latin-1")}
    for response_type in (HtmlResponse, TextResponse, Response):
        list(find(response_type("https://site.example/x", headers=headers, body=body)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_urls_survive_the_encoding_of_the_page(encoding):
    body = '<a href="https://cdn.example/töne.mp3">x</a>'.encode(encoding)
    response = HtmlResponse(
        "https://site.example/", body=body, headers={"Content-Type": f"text/html; charset={encoding}"}
    )
    assert [each.url for each in find(response)] == ["https://cdn.example/töne.mp3"]


def test_ill_formed_bytes_and_control_characters_do_not_end_a_feed():
    body = b"<rss><item><title>\x01 \xff\xfe &nbsp; & </title></item>" + ITEM.encode() + b"</rss>"
    response = TextResponse("https://site.example/f", body=body, headers={"Content-Type": "application/rss+xml"})
    assert [each.url for each in find(response)] == ["https://cdn.example/a.mp3"]


def test_half_a_character_in_json_is_left_out_of_titles_and_is_no_url():
    found = in_text(
        r'{"title": "a\ud800b", "url": "https://cdn.example/a.mp3", "src": "/\udfff.mp3"}', "application/json"
    )
    assert [(each.url, each.title) for each in found] == [("https://cdn.example/a.mp3", "ab")]
    files = r'[{"name": "\ud800.mp3", "source": "original"}]'
    found = in_text(rf'{{"files": {files}, "metadata": {{"identifier": "x"}}}}', "application/json")
    assert urls(found) == ["https://archive.org/download/x/%3F.mp3"]


def test_a_nul_does_not_end_a_page():
    body = b"<p>\0</p><!-- \0 --><a href='https://cdn.example/a.mp3'>\0</a>"
    response = HtmlResponse("https://site.example/", body=body, encoding="utf-8")
    assert [each.url for each in find(response)] == ["https://cdn.example/a.mp3"]


def test_an_entity_bomb_is_not_expanded():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 20))
    found = in_text(
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "boom">{entities}]><rss><item><title>x&e19;</title>'
        f'<enclosure url="https://cdn.example/a.mp3"/></item></rss>',
        "application/rss+xml",
    )
    assert urls(found) == ["https://cdn.example/a.mp3"]
    assert len(found[0].title or "") < 100


def test_external_entities_are_not_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    found = in_text(
        f'<!DOCTYPE rss [<!ENTITY e SYSTEM "file://{secret}">]><rss><item><title>&e;</title>'
        '<enclosure url="https://cdn.example/a.mp3"/></item></rss>',
        "application/rss+xml",
    )
    assert "secret" not in (found[0].title or "")


def test_a_page_of_tags_that_nobody_closed_is_read():
    for depth in (1000, 50_000):
        assert urls(in_html("<b>" * depth + LINK)) == ["https://cdn.example/a.mp3"]


def test_nothing_of_a_page_that_is_too_deep_is_lost():
    row = (
        '<div class=x data-audio="/{0}-a.mp3"><p>text <audio controls><source src="{0}-b.ogg"></audio>'
        '<a href="{0}-c.wav">c</a>'
    )
    found = in_html("<title>T</title>" + "".join(row.replace("{0}", str(number)) for number in range(3000)))
    assert len(urls(found)) == 9000
    assert found[-1].url.endswith("2999-a.mp3")


def test_a_wide_page_is_read_to_its_end():
    links = "".join(f'<a href="/{number}.mp3">{number}</a><a href="/{number}.html">x</a>' for number in range(10_000))
    found = in_html(f"<html>{links}</html>")
    assert len(urls(found)) == 10_000
    assert urls(found, Kind.PAGE) == []
