"""Which requests carry the token of Google's credentials, and when it is fetched anew."""

import asyncio
from typing import Any

import pytest
from google.auth.exceptions import RefreshError
from scrapy import Request
from scrapy.exceptions import NotConfigured
from scrapy.utils.test import get_crawler

from audiocrawler.fetch.requests import KIND, RequestKind
from audiocrawler.middlewares.buckets import BucketToken, BucketTokenMiddleware
from audiocrawler.spiders.audio import AudioSpider

API = "https://storage.googleapis.com/storage/v1/b"


def middleware(url: str, **settings: str) -> BucketTokenMiddleware:
    crawler = get_crawler(AudioSpider, {"AUDIO_STORE": "file:x", **settings})
    crawler.spider = AudioSpider(url=url)
    return BucketTokenMiddleware.from_crawler(crawler)


def sent(to: BucketTokenMiddleware, url: str, **meta: str) -> bytes | None:
    request = Request(url, meta=meta)
    asyncio.run(to.process_request(request))
    return request.headers.get("Authorization")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Return the environment, without credentials of Google's."""
    for name in ("GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("start", ["gs://corp/eu/", "https://storage.googleapis.com/corp/eu/"])
def test_only_the_buckets_of_the_starts_see_the_token(start: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "SeCrEt")
    to = middleware(start)
    assert sent(to, f"{API}/corp/o?prefix=eu") == b"Bearer SeCrEt"
    assert sent(to, "https://storage.googleapis.com/corp/eu/a.wav") == b"Bearer SeCrEt"
    assert sent(to, "https://storage.googleapis.com/other/a.wav") is None
    assert sent(to, f"{API}/other/o") is None
    assert sent(to, "https://corp.example/corp/a.wav") is None
    assert sent(to, "https://storage.googleapis.com/corp/x", **{KIND: RequestKind.HOST_FILE.value}) is None


def test_without_a_bucket_or_credentials_nothing_is_done(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotConfigured):
        middleware("gs://corp/")
    environment.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "SeCrEt")
    with pytest.raises(NotConfigured):
        middleware("https://example.org/")


class Credentials:
    """Stands in for Google's: each token is valid once, or never."""

    def __init__(self, *, is_refused: bool = False) -> None:
        self.token, self.valid, self.fetched, self.is_refused = "", False, 0, is_refused

    def refresh(self, _: object) -> None:
        self.fetched += 1
        if self.is_refused:
            raise RefreshError("invalid_grant")
        self.token, self.valid = f"t{self.fetched}", True


def test_a_token_is_fetched_anew_when_it_has_expired() -> None:
    credentials: Any = Credentials()
    token = BucketToken(lambda: credentials)
    assert [token(), token()] == ["t1", "t1"]
    credentials.valid = False
    assert token() == "t2"


def test_credentials_that_are_refused_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    credentials: Any = Credentials(is_refused=True)
    token = BucketToken(lambda: credentials)
    assert [token(), token()] == [None, None]
    assert credentials.fetched == 1
    assert [each.getMessage() for each in caplog.records] == ["buckets are read anonymously: invalid_grant"]
