"""Send logins of URLs, tokens of hubs and the headers of AUDIO_HEADERS, each only to its own host."""

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.spidermiddlewares.base import BaseSpiderMiddleware

from audiocrawler.config.arguments import arguments_of
from audiocrawler.crawl.lifecycle import is_command_of_scrapy
from audiocrawler.discovery.hubs import token_headers
from audiocrawler.fetch.accounts import read_host_headers
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.connect import policy_of
from audiocrawler.fetch.requests import SENT_BACK, is_host_file
from audiocrawler.model.settings import settings_of
from audiocrawler.model.urls import LOGIN, Credentials, Login, is_meant_for, login_meta, without_credentials

_ADDED = "added_headers"
"""Meta key: the names of the headers added here, which are removed on a redirect."""


class CredentialsMiddleware(Component):
    """Move ``user:password@`` from each request's URL into a header, before anything else sees the URL.

    robots.txt is requested without a login, as by any other crawler.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        arguments = arguments_of(crawler.spider)
        self._credentials = Credentials(arguments.start_urls() if arguments else ())
        self._host_headers = read_host_headers(settings_of(crawler).headers)

    def process_request(self, request: Request) -> Request | None:
        """Add the headers, or return a new request if the URL contains a login."""
        plain_url = without_credentials(request.url)
        if plain_url != request.url:
            meta = {**request.meta, SENT_BACK: True, **login_meta(request.url)}
            return request.replace(url=plain_url, meta=meta, dont_filter=True)
        for name in request.meta.pop(_ADDED, ()):
            request.headers.pop(name, None)
        wanted = self.headers_for(request.url, request.meta.get(LOGIN), with_login=not is_host_file(request))
        added = {name: value for name, value in wanted.items() if name not in request.headers}
        request.headers.update(added)
        if added:
            request.meta[_ADDED] = list(added)
        return None

    def headers_for(self, url: str, login: Login | None, *, with_login: bool = True) -> dict[str, str]:
        """Return the headers to add for ``url``; ``login`` is that of the document or of the URL itself."""
        of_host = (token_headers(url) if with_login else {}) | self._host_headers.headers_for(url)
        of_login = self._credentials.headers_for(url, login) if with_login else {}
        return of_login | of_host if login is None else of_host | of_login


class LoginMiddleware(BaseSpiderMiddleware):
    """Pass a document's login on to the requests it leads to on the same origin."""

    def get_processed_request(self, request: Request, response: Response | None) -> Request | None:
        """Return the request, with the login if it is valid for its URL and there is no other.

        URLs of Scrapy's own commands are exempt from the address policy, like start URLs.
        """
        if response is None and is_command_of_scrapy(self.crawler.spider):
            policy_of(self.crawler).exempt(request.url)
        if response is not None and response.request is not None:
            inherit_login(request, response.request.meta)
        return request


def inherit_login(request: Request, meta: dict[str, Any]) -> Request:
    """Return the request with the login in ``meta``, the meta of its document, if it is valid for its URL."""
    login = meta.get(LOGIN)
    if login and LOGIN not in request.meta and "@" not in request.url and is_meant_for(login, request.url):
        request.meta[LOGIN] = login
    return request
