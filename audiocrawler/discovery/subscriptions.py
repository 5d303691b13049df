"""Turn the links by which podcast apps subscribe into the URL of the feed: ``itpc://host/feed`` and the like."""

import re
from urllib.parse import parse_qsl, unquote, urlsplit

_SCHEMES = (
    "antennapod-subscribe|atom|castros?|downcast|feeds?|gpodder|icatcher|itms-(?:pcast|podcasts?)|itpcs?|overcast|pcast"
    "|pktc|podcasts?|podkicker|rss|rssradio|zune"
)
_LINK = re.compile(rf"(?P<scheme>{_SCHEMES}):(?!/[^/])(?P<rest>.+)", re.IGNORECASE | re.DOTALL)
_ACTION = re.compile(r"(?:x-callback-url/)?(?:add|subscribe)(?:/|(?=\?))", re.IGNORECASE)
_WHOLE = re.compile(r"https?:/{1,2}(?=[^/])", re.IGNORECASE)
_HOST = re.compile(
    r"(?:[\w-]+\.)+[a-z][a-z\d-]+(?::\d+)?(?:[/?]|$)|(?:[\w-]+\.)*[\w-]+:\d+[/?]|\d+(?:\.\d+){3}[:/]|\[[\da-f:.]+\]",
    re.IGNORECASE,
)
_APP_PAGE = re.compile(
    r"https?://(?:www\.)?(?:antennapod\.org/deeplink/subscribe|gpodder\.net/subscribe|podcastaddict\.com/feed/"
    r"|subscribeonandroid\.com/)(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)


def subscribed_feed(url: str, *, scheme: str = "http") -> str | None:
    """Return the feed to which a link subscribes, None for any other link.

    ``scheme`` is that of a feed whose link names none.
    """
    url = url.strip()
    if match := _LINK.match(url):
        secure = match["scheme"].lower() in ("itpcs", "feeds")
        return _feed_in(match["rest"].lstrip("/"), "https" if secure else scheme)
    match = _APP_PAGE.match(url)
    return _feed_in(match["rest"].lstrip("/"), "https") if match else None


def _feed_in(rest: str, scheme: str) -> str | None:
    """Return the feed that follows the scheme: a whole URL, one in the query, or one without its scheme."""
    action = _ACTION.match(rest)
    rest = rest[action.end() :] if action else rest
    if rest[:12].lower().startswith(("http%3a", "https%3a")):
        rest = unquote(rest)
    if _WHOLE.match(rest):
        return _WHOLE.sub(lambda start: start[0].partition(":")[0].lower() + "://", rest, count=1)
    query = urlsplit(f"//{rest}").query if action or rest.startswith(("?", "subscribe?")) else ""
    named = (value for _, value in parse_qsl(query) if _WHOLE.match(value))
    if feed := next(named, None):
        return feed
    return f"{scheme}://{rest}" if _HOST.match(rest) else None
