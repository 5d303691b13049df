"""Which URLs are one source by themselves, which need a guid or the bytes to tell, and which never are."""

import pytest

from audiocrawler.model.rotation import is_key_of_rotating, is_rotating, pattern_of, row_key
from audiocrawler.model.text import mask_url

AMZ = "?X-Amz-Algorithm=AWS4&X-Amz-Credential=A%2F{0}&X-Amz-Date={0}T000000Z&X-Amz-Expires=9&X-Amz-Signature=a{0}"
SAME = {
    "cloudfront": "https://d1.cloudfront.net/a/1?Expires=17{0}000000&Signature=Ab~{0}_-&Key-Pair-Id=K{0}",
    "cloudfront policy": "https://d1.cloudfront.net/a/1.mp3?Policy=ey{0}&Signature=s{0}&Key-Pair-Id=K",
    "s3": "https://bucket.s3.amazonaws.com/a/1" + AMZ,
    "s3 v2": "https://s3.amazonaws.com/b/1.mp3?AWSAccessKeyId=A{0}&Expires=17{0}000000&Signature=s{0}%3D",
    "gcs": "https://storage.googleapis.com/b/1?X-Goog-Date=2{0}&X-Goog-Expires=9&X-Goog-Signature=a{0}",
    "azure": "https://x.blob.core.windows.net/c/1.mp3?sv=2024-05-04&se=2030-01-01T00%3A{0}%3A00Z&sr=b&sp=r&sig=a{0}%3D",
    "akamai": "https://a.akamaized.net/ep1.mp3?hdnts=exp=17{0}000000~acl=/*~hmac=a{0}b",
    "akamai in the path": "https://a.akamaized.net/hdnts=exp=17{0}000000~acl=*~hmac=a{0}b/ep1.mp3",
    "bunny in the path": "https://v.b-cdn.net/bcdn_token=a{0}&expires=17{0}000000/ep1.mp3",
    "nginx": "https://h.test/ep1.mp3?md5=a{0}&expires=17{0}000000",
    "patreon": "https://c10.patreonusercontent.com/p/post/1/1.mp3?token-time=17{0}000000&token-hash=a{0}",
    "megaphone": "https://traffic.megaphone.fm/ABC1.mp3?updated=17{0}000000",
    "jquery": "https://h.test/ep1.mp3?_=17{0}000000000",
    "random": "https://h.test/ep1.mp3?rnd=0.{0}123",
    "beside an id": "https://h.test/play.php?id=7&token=a{0}",
    "session": "https://h.test/play.php?id=7&PHPSESSID=a{0}",
    "jsessionid": "https://h.test/ep1.mp3;jsessionid=A{0}",
    "jwt": "https://h.test/eyJhbGciOiJIUzI1{0}.eyJzdWIiOiJTZUNy.SeCrEtSig{0}/ep1.mp3",
}
ASK = {
    "a token of a script": "https://h.test/play.php?token=aa{0}",
    "a key": "https://h.test/ep1.mp3?key=aa{0}",
    "a time": "https://h.test/ep1.mp3?t=17{0}000000",
    "a version": "https://h.test/ep1.mp3?v={0}",
    "a folder": "https://h.test/0123456789abcdef{0}/ep1.mp3",
    "a file of any name": "https://h.test/get.mp3?token=aa{0}",
    "a buster of a script": "https://h.test/play?cb={0}",
}
NEVER = {
    "id": "https://h.test/play.php?id={0}",
    "long id": "https://h.test/play.php?id=17{0}000000",
    "file": "https://h.test/play.php?file=a{0}.mp3",
    "version of a script": "https://h.test/play.php?v={0}",
    "word": "https://h.test/play.php?part={0}",
    "path": "https://h.test/{0}/ep1.mp3",
    "date": "https://h.test/2026/05/{0}/ep1.mp3",
    "name": "https://h.test/ep{0}.mp3?token=abc",
    "id beside a signature": "https://h.test/play.php?id={0}&Expires=1700000000&Signature=abc",
    "episode id": "https://h.test/ep.mp3?episode_id={0}&_=1700000000000",
    "uuid": "https://h.test/play?uuid=0000000{0}-1111-2222-3333-444444444444",
}


def two(form: str) -> tuple[str, str]:
    return form.format("12"), form.format("34")


@pytest.mark.parametrize("form", SAME.values(), ids=SAME)
def test_what_is_known_to_rotate_is_left_out(form: str) -> None:
    one, other = two(form)
    assert row_key(one) == row_key(other)
    assert is_key_of_rotating(row_key(one))


@pytest.mark.parametrize("form", ASK.values(), ids=ASK)
def test_what_may_rotate_is_a_question(form: str) -> None:
    one, other = two(form)
    assert row_key(one) != row_key(other)
    assert pattern_of(one) == pattern_of(other)


@pytest.mark.parametrize("form", NEVER.values(), ids=NEVER)
def test_what_names_a_file_is_kept(form: str) -> None:
    one, other = two(form)
    assert row_key(one) != row_key(other)
    assert pattern_of(one) != pattern_of(other)


@pytest.mark.parametrize("form", [*SAME.values(), *ASK.values(), *NEVER.values()])
def test_a_key_is_its_own_key_whether_it_was_masked_before_or_not(form: str) -> None:
    url, _ = two(form)
    key = row_key(url)
    assert row_key(key) == row_key(mask_url(url)) == mask_url(key) == key
    assert pattern_of(key) == pattern_of(url)


@pytest.mark.parametrize("url", ["https://h.test/~anna/ep1.mp3?x=1", "https://h.test/a~b.mp3", "https://h.test/"])
def test_a_plain_url_is_its_own_key(url: str) -> None:
    assert row_key(url) == url
    assert not is_rotating(url)
    assert not is_key_of_rotating(url)


def test_where_one_document_has_both_only_a_signature_makes_them_one() -> None:
    assert row_key("https://h.test/ep1.mp3?token=a", only_sure=True) != row_key(
        "https://h.test/ep1.mp3?token=b", only_sure=True
    )
    one, other = two(SAME["cloudfront"])
    assert row_key(one, only_sure=True) == row_key(other, only_sure=True)
