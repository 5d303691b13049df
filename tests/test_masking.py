import random
import re
import time
from hashlib import sha256

import pytest

from audiocrawler.model.text import mask_text, mask_url

SECRET = "Zq9-hunter2_XYZ"
MASK = "~" + sha256(SECRET.encode()).hexdigest()[:8]

SECRET_URLS = [
    "https://cdn.example/a.mp3?Expires=1700000000&Signature={}&Key-Pair-Id=~00000000",
    "https://s3.example/a.mp3?X-Amz-Date=20260101T000000Z&X-Amz-Signature={}",
    "https://s3.example/a.mp3?x-amz-security-token={}&partNumber=2",
    "https://s3.example/a.mp3?X-Amz-Credential={}",
    "https://storage.example/b/a.wav?GoogleAccessId={}",
    "https://storage.example/b/a.wav?X-Goog-Signature={}&x=1",
    "https://x.blob.example/a.flac?sv=2022-11-02&sp=r&sig={}",
    "https://cdn.example/a.mp3?AWSAccessKeyId={}&Expires=1",
    "https://cdn.example/a.mp3?POLICY={}",
    "https://feeds.example/private.xml?auth={}",
    "https://feeds.example/private.xml?token={}#t=10",
    "https://feeds.example/private.xml?a=1;access_token={};b=2",
    "https://api.example/v1?user[api_key]={}",
    "https://api.example/v1?apiKey={}&format=mp3",
    "https://api.example/v1?X%2DApi%2DKey={}",
    "https://shop.example/a.mp3;jsessionid={}?x=1",
    "https://shop.example/a.mp3;jsessionid={}/b.mp3",
    "https://edge.example/token={}/a.mp3",
    "https://edge.example/a.mp3?hdnea={}",
    "https://edge.example/a.mp3?hdn=exp=1~hmac={}",
    "https://app.example/#access_token={}&state=1",
    "https://app.example/#/play?jwt={}",
    "https://cdn.example/a.mp3?md5={}&expires=1700000000",
    "https://play.example/?file=https%3A%2F%2Fcdn.example%2Fa.mp3%3Fx%3D1%26Signature%3D{}%26y%3D2&z=3",
    "https://play.example/?file=https%253A%252F%252Fcdn.example%252Fa.mp3%253Ftoken%253D{}",
    "https://play.example/?file=https://cdn.example/a.mp3?sig={}",
    "https://{}@feeds.example/a.mp3",
    "ftp://{}@feeds.example:21/a.mp3",
    "//{}@feeds.example/a.mp3",
    "redis://{}@127.0.0.1:6379/0",
    "https://play.example/?u=http://{}@cdn.example/a.mp3&v=1",
    "https://play.example/?u=http%3A%2F%2F{}%40cdn.example%2Fa.mp3",
    "/relative/a.mp3?token={}",
]

HARMLESS_URLS = [
    "",
    "https://example.org/a.mp3",
    "https://example.org/a.mp3?id=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://example.org/a%20b.mp3?q=%C3%A9&q=2&q=&b",
    "https://example.org/@user/a.mp3?email=me@example.org",
    "https://example.org/a.mp3?author=Bob&keyword=x&monkey=1&design=2&passage=3&signal=4",
    "https://example.org/a.mp3?hash=0123abcd",
    "https://example.org/a.mp3?v=md5&e=2",
    "https://example.org/a.mp3?sig=&token",
    "https://example.org/a.mp3?u=http://foo&email=a@b",
    "https://example.org/a;b=c/d.mp3;v=1?x;y#t=1,2",
    "mailto:someone@example.org",
]


@pytest.mark.parametrize("url", SECRET_URLS)
def test_a_secret_is_replaced_and_every_other_byte_kept(url):
    assert mask_url(url.format(SECRET)) == url.format(MASK)


@pytest.mark.parametrize("url", SECRET_URLS)
def test_masking_twice_changes_nothing(url):
    once = mask_url(url.format(SECRET))
    assert mask_url(once) == once
    assert mask_text(once) == once


@pytest.mark.parametrize("url", HARMLESS_URLS)
def test_a_url_without_secrets_stays_as_it_is(url):
    assert mask_url(url) == url
    assert mask_text(f"GET {url} took 3 s") == f"GET {url} took 3 s"


def test_user_and_password_are_masked_together():
    masked = mask_url("https://me:p%40ss&w@rd@example.org/a.mp3")
    assert re.fullmatch(r"https://~[0-9a-f]{8}@example\.org/a\.mp3", masked)


def test_a_json_web_token_is_masked_wherever_it_stands():
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.dBjftJeZ4CVP-mB92K27uhbU"
    mask = "~" + sha256(token.encode()).hexdigest()[:8]
    assert mask_url(f"https://example.org/{token}/a.mp3?x={token}") == f"https://example.org/{mask}/a.mp3?x={mask}"


def test_a_base64_value_is_masked_to_its_end():
    masked = mask_url("https://example.org/a.mp3?x=1&Signature=ab/cd+ef;gh==&Expires=2;sig=ab/cd")
    assert re.fullmatch(r"https://example\.org/a\.mp3\?x=1&Signature=~[0-9a-f]{8}&Expires=2;sig=~[0-9a-f]{8}", masked)


def test_different_secrets_get_different_masks():
    masks = {mask_url(f"https://example.org/a.mp3?sig={n}") for n in range(1000)}
    assert len(masks) == 1000


def test_a_lone_surrogate_does_not_stop_masking():
    assert mask_url("https://example.org/a?sig=\udcff").startswith("https://example.org/a?sig=~")


@pytest.mark.parametrize(
    "line",
    [
        "Crawled (200) <GET https://example.org/a.mp3?token={}> (referer: https://u.example/?x=1&sig={})",
        "cannot fetch 'https://example.org/it's.mp3?token={}': timed out",
        '{{"url": "https://example.org/a.mp3?token={}", "n": 2}}',
        "see https://example.org/a?sig={}, or (https://example.org/b?sig={}).",
        "redirected to /a.mp3?token={}\nthen to https://{}@example.org/",
    ],
)
def test_every_url_in_a_log_line_is_masked(line):
    text = line.format(SECRET, SECRET)
    assert mask_text(text) == line.format(MASK, MASK)


def test_words_that_only_look_like_parameters_stay():
    text = "started with token=abc, key: value, 3 files at 2 B/s, a=b"
    assert mask_text(text) == text


def test_random_urls_never_leak_and_masking_is_idempotent():
    rng = random.Random(7)
    pieces = ["?", "&", ";", "#", "/", "=", "~", "%3D", "%26", "%253F", "@", "://", ":", ".", "a", "b1", "token", "sig"]
    for _ in range(5000):
        url = "https://example.org/" + "".join(rng.choices(pieces, k=rng.randrange(12)))
        url += f"?token={SECRET}" if rng.random() < 0.5 else f"&X-Amz-Signature={SECRET}"
        masked = mask_url(url)
        assert SECRET not in masked
        assert mask_url(masked) == masked
        assert SECRET not in mask_text(f"error at {url}: refused")


@pytest.mark.parametrize(
    "text",
    [
        "robots.txt of me:SeCrEt@e.test:8080 could not be fetched",
        "no route to me:SeCrEt@[::1]:80",
        "http://me:Se/CrEt@e.test/",
        "see http://me:Se?Cr#Et@e.test/x and go",
        "at http://me:it'sSeCrEt@e.test/x",
        "{'MAIL_PASS': 'SeCrEt', 'HTTPAUTH_PASS': \"Se'CrEt\"}",
        "https://e.test/?next=http://me:Se/CrEt@x.test/",
        "http:\\\\me:SeCrEt@e.test\\a.mp3",
    ],
)
def test_logins_are_masked_also_where_they_make_no_url(text: str) -> None:
    masked = mask_text(text)
    assert "CrEt" not in masked
    assert mask_text(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "mailto:bob@example.org",
        "Live: bob@example.org",
        "at 20:15@Berlin",
        "http://e.test:8080/path@x.test",
        "https://medium.com/@user:x",
        "u='http://a.test:80',m='x@y.test'",
        "{'BOT_NAME': 'x', 'LOG_FILE': 'y'}",
    ],
)
def test_what_only_looks_like_a_login_stays(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize("text", ["http://a:b" + "/x" * 30_000, "://a:b" * 10_000, "://a:'" * 10_000, "a:b" * 20_000])
def test_long_texts_of_beginnings_of_logins_take_no_time(text: str) -> None:
    began_s = time.monotonic()
    mask_text(text + "=@")
    assert time.monotonic() - began_s < 5
