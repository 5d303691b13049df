"""What opens closed sites: logins of URLs, and the headers of AUDIO_HEADERS, each put on requests for its own place."""

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.spidermiddlewares.base import BaseSpiderMiddleware

from audiocrawler.config.arguments import arguments_of
from audiocrawler.crawl.lifecycle import is_command_of_scrapy
from audiocrawler.fetch.accounts import read_host_headers
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.connect import policy_of
from audiocrawler.fetch.requests import SENT_BACK, is_host_file
from audiocrawler.model.settings import settings_of
from audiocrawler.model.urls import LOGIN, Credentials, Login, is_meant_for, login_meta, without_credentials

_ADDED = "added_headers"
"""In the meta of a request: the names of the headers that were put on it here, which end at a redirect elsewhere."""


class CredentialsMiddleware(Component):
    """Takes ``user:password@`` out of each request's URL before anything else sees it, and sends what it stands for.

    Hosts are asked for robots.txt without a login, as by any other crawler.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        arguments = arguments_of(crawler.spider)
        self._credentials = Credentials(arguments.start_urls() if arguments else ())
        self._host_headers = read_host_headers(settings_of(crawler).headers)

    def process_request(self, request: Request) -> Request | None:
        """Put the headers on, or return the request anew if its URL holds a login."""
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
        """Return what a request for ``url`` carries, whose document or own URL has given ``login``."""
        of_host = self._host_headers.headers_for(url)
        of_login = self._credentials.headers_for(url, login) if with_login else {}
        return of_login | of_host if login is None else of_host | of_login


class LoginMiddleware(BaseSpiderMiddleware):
    """Gives what a document leads to on its own origin the login that the document itself was fetched with."""

    def get_processed_request(self, request: Request, response: Response | None) -> Request | None:
        """Return the request, with the login if it is meant for its URL and there is no other.

        What a command of Scrapy's asks for may be anywhere, as start URLs may: it stands on the command line.
        """
        if response is None and is_command_of_scrapy(self.crawler.spider):
            policy_of(self.crawler).exempt(request.url)
        if response is not None and response.request is not None:
            inherit_login(request, response.request.meta)
        return request


def inherit_login(request: Request, meta: dict[str, Any]) -> Request:
    """Return the request with the login of what named it, whose ``meta`` that is, if it is meant for its URL."""
    login = meta.get(LOGIN)
    if login and LOGIN not in request.meta and "@" not in request.url and is_meant_for(login, request.url):
        request.meta[LOGIN] = login
    return request
