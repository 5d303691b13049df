"""Read buckets of Google Cloud Storage with the environment's credentials, if a crawl starts at them."""

import asyncio
import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import NotConfigured

from audiocrawler.config.arguments import arguments_of
from audiocrawler.discovery.hubs.gcs import VARIABLE, bucket_of
from audiocrawler.fetch.component import Component
from audiocrawler.fetch.requests import is_host_file
from audiocrawler.model.errors import ConfigurationError
from audiocrawler.model.gcp import GcpAccess, failure_of
from audiocrawler.model.settings import settings_of

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_only",)

logger = logging.getLogger(__name__)


class BucketTokenMiddleware(Component):
    """Send a token with requests for the buckets of the start URLs, and for no others.

    Their owners can see whose token it is, which is nobody's business where a page only links to a bucket. It is the
    one in the environment, or one of the service account or Application Default Credentials that are named there.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        arguments = arguments_of(crawler.spider)
        self._buckets = {bucket for url in (arguments.start_urls() if arguments else ()) if (bucket := bucket_of(url))}
        ours = settings_of(crawler)
        access = GcpAccess(ours.gcp_project, ours.gcp_key_file)
        is_named = access.key_file or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
        given = os.environ.get(VARIABLE, "").strip()
        if not self._buckets or not (given or is_named):
            raise NotConfigured
        self._token = (lambda: given) if given else BucketToken(lambda: access.login("").credentials)

    async def process_request(self, request: Request) -> None:
        """Add the header."""
        if bucket_of(request.url) not in self._buckets or is_host_file(request) or "Authorization" in request.headers:
            return
        if token := await asyncio.to_thread(self._token):
            request.headers["Authorization"] = f"Bearer {token}"


class BucketToken:
    """Returns a token of credentials, refreshed when it has expired; None, with one warning, if there is none."""

    def __init__(self, login: Callable[[], "Credentials"]) -> None:
        self._login = login
        self._credentials: Credentials | None = None
        self._is_refused = False

    def __call__(self) -> str | None:
        """Return the token. Blocks while it is fetched."""
        if self._is_refused:
            return None
        try:
            from google.auth.exceptions import GoogleAuthError
        except ImportError:
            self._refuse("pip install 'audiocrawler[gcp]' to use Google's credentials")
            return None
        try:
            return self._valid()
        except (GoogleAuthError, ConfigurationError) as error:
            self._refuse(failure_of(error))
            return None

    def _refuse(self, why: str) -> None:
        self._is_refused = True
        logger.warning("buckets are read anonymously: %s", why)

    def _valid(self) -> str | None:
        from google.auth.credentials import with_scopes_if_required
        from google.auth.transport.requests import Request as Transport

        if self._credentials is None:
            self._credentials = with_scopes_if_required(self._login(), _SCOPES)
        if not self._credentials.valid:
            self._credentials.refresh(Transport())
        token: str | None = self._credentials.token
        return token
