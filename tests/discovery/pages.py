"""Responses made of snippets, and what discovery says of them."""

from scrapy.http import HtmlResponse, TextResponse

from audiocrawler.discovery import Candidate, Kind, find

PAGE_URL = "https://site.example/shows/page.html"


def in_html(markup: str, url: str = PAGE_URL) -> list[Candidate]:
    response = HtmlResponse(url, body=markup.encode(), headers={"Content-Type": "text/html; charset=utf-8"})
    return list(find(response))


def in_text(text: str, content_type: str, url: str = "https://site.example/shows/document") -> list[Candidate]:
    return list(find(TextResponse(url, body=text.encode(), headers={"Content-Type": content_type})))


def in_feed(items: str, *, head: str = "") -> list[Candidate]:
    namespaces = (
        'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:podcast="https://podcastindex.org/namespace/1.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:cc="http://web.resource.org/cc/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    feed = f'<?xml version="1.0"?><rss version="2.0" {namespaces}><channel>{head}{items}</channel></rss>'
    return in_text(feed, "application/rss+xml", "https://site.example/feed.xml")


def urls(candidates: list[Candidate], kind: Kind = Kind.AUDIO) -> list[str]:
    return [each.url for each in candidates if each.kind is kind]


def the_one(candidates: list[Candidate], kind: Kind = Kind.AUDIO) -> Candidate:
    (only,) = [each for each in candidates if each.kind is kind]
    return only
