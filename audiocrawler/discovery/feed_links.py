"""Telling a feed by its URL."""

import re
from base64 import urlsafe_b64decode
from urllib.parse import urlsplit

_FEED_HOST = re.compile(r"https?://(?:feeds?|rss)\d*\.[^/]+/[^/?#]", re.IGNORECASE)
_FEED_PATH = re.compile(
    r"(?:\.rss|\.atom|/podcast\.xml|/feed\.xml|/rss\.xml|/atom\.xml|/podcast/rss|/feed/podcast/?|/podcasts?/.*\.xml)$",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"comment|kommentar|comentario|commentaire|replies|/comments/", re.IGNORECASE)
_POST_FEED = re.compile(r"/\d{4}/\d{2}/.+/feed/?$")
_GOOGLE_PODCASTS = re.compile(r"https?://(?:www|podcasts)\.google\.com/(?:.*[?&]feed=|feed/)([\w%=-]{16,})")


def is_feed_url(url: str) -> bool:
    """Return whether the name of the URL alone tells that a feed is there."""
    if _FEED_HOST.match(url):
        return True
    try:
        return bool(_FEED_PATH.search(urlsplit(url).path))
    except ValueError:
        return False


def is_comment_feed(url: str, title: str) -> bool:
    """Return whether a feed holds the comments of a page or site, by its title or the habits of WordPress."""
    return bool(_COMMENTS.search(title) or _COMMENTS.search(url) or _POST_FEED.search(url))


def wrapped_feed(url: str) -> str | None:
    """Return the feed that a link to Google Podcasts carries in base64, None for any other link."""
    match = _GOOGLE_PODCASTS.match(url)
    if not match:
        return None
    encoded = match[1].replace("%3D", "").rstrip("=")
    try:
        feed = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except ValueError:
        return None
    return feed if feed.startswith(("http://", "https://")) else None
