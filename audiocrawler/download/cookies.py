"""Scrapy's cookies, with those of AUDIO_COOKIES, which ask nobody which domains are public."""

import logging
from collections import defaultdict
from http.cookiejar import DefaultCookiePolicy

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares import cookies
from scrapy.http.cookies import CookieJar
from tldextract import TLDExtract

from audiocrawler.accounts import CookieFile, read_cookies

logger = logging.getLogger(__name__)

# Scrapy's own would fetch the newest list at the first cookie: past all our checks, and with everything waiting for it.
cookies._split_domain = TLDExtract(  # noqa: SLF001 - no setting for it
    include_psl_private_domains=True, suffix_list_urls=(), cache_dir=None
)


class LocalListCookiesMiddleware(cookies.CookiesMiddleware):
    """Scrapy's CookiesMiddleware with the list of public suffixes that comes with tldextract.

    Every jar begins with the cookies of AUDIO_COOKIES, and keeps cookies without a domain to their own host.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self.file = CookieFile()
        self.jars = defaultdict(self._filled_jar)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> "LocalListCookiesMiddleware":
        """Return the middleware, or NotConfigured; raises ConfigurationError for a wrong AUDIO_COOKIES."""
        middleware = super().from_crawler(crawler)
        middleware.file = read_cookies(crawler.settings["AUDIO_COOKIES"])
        if note := expired_note(middleware.file):
            logger.warning("%s", note)
        return middleware

    def _filled_jar(self) -> CookieJar:
        jar = CookieJar(DefaultCookiePolicy(strict_ns_domain=DefaultCookiePolicy.DomainStrictNonDomain))
        for cookie in self.file.cookies:
            jar.set_cookie(cookie)
        return jar


def expired_note(file: CookieFile) -> str | None:
    """Return what a user should know of cookies that are no longer sent."""
    if not file.expired:
        return None
    return f"AUDIO_COOKIES: {file.expired} of {file.expired + len(file.cookies)} cookies have expired and are not sent"
