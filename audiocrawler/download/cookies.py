"""Scrapy's cookies, which ask nobody which domains are public."""

from scrapy.downloadermiddlewares import cookies
from tldextract import TLDExtract

# Scrapy's own would fetch the newest list at the first cookie: past all our checks, and with everything waiting for it.
cookies._split_domain = TLDExtract(  # noqa: SLF001 - no setting for it
    include_psl_private_domains=True, suffix_list_urls=(), cache_dir=None
)


class LocalListCookiesMiddleware(cookies.CookiesMiddleware):
    """Scrapy's CookiesMiddleware with the list of public suffixes that comes with tldextract."""
