import pytest

from audiocrawler.discovery.urls import MAX_URL_LENGTH, absolute

BASE = "https://site.example/shows/page.html"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("a.mp3", "https://site.example/shows/a.mp3"),
        ("/a b.mp3", "https://site.example/a b.mp3"),
        ("//cdn.example/a.mp3", "https://cdn.example/a.mp3"),
        (" https://cdn.example/a.mp3\n", "https://cdn.example/a.mp3"),
        ("https://cdn.example/a\n.mp3#t=10", "https://cdn.example/a.mp3"),
        ("https://CDN.example/%7Ea/../b.mp3?sig=a%2Bb&sig=&x", "https://CDN.example/%7Ea/../b.mp3?sig=a%2Bb&sig=&x"),
        (r"\files\a.mp3", "https://site.example/files/a.mp3"),
        (r"sub\a.mp3?x=\y#z", r"https://site.example/shows/sub/a.mp3?x=\y"),
        (r"\\cdn.example\a.mp3", "https://cdn.example/a.mp3"),
        (r"/\cdn.example/a.mp3", "https://cdn.example/a.mp3"),
        (r"https:\\cdn.example\a.mp3", "https://cdn.example/a.mp3"),
        (r"https:/a.mp3", "https://site.example/a.mp3"),
        (r"http:/cdn.example/a.mp3", "http://cdn.example/a.mp3"),
        (r"\\user\..\a.mp3?q=C:\b", r"https://user/../a.mp3?q=C:\b"),
        (" \t/sub/\r\na.mp3 \n", "https://site.example/sub/a.mp3"),
        ("https://cdn.example/" + "a" * 65_515, "https://cdn.example/" + "a" * 65_515),
        ("[Test01] take (2).wav", "https://site.example/shows/[Test01] take (2).wav"),
    ],
)
def test_a_url_is_joined_to_its_base_and_else_left_as_written(written, url):
    assert absolute(BASE, written) == url


@pytest.mark.parametrize(
    "written",
    [
        "",
        "  ",
        "#top",
        "javascript:play('a.mp3')",
        r"C:\music\a.mp3",
        "data:audio/wav;base64,UklGRg==",
        "blob:https://site.example/1",
        "rtmp://cdn.example/a.mp3",
        "mp3:ondemand/a.mp3",
        "{{ track.url }}.mp3",
        "https://cdn.example/${id}.mp3",
        "/a/<%= name %>.mp3",
        "https://cdn.example/live?nocache=' + Math.random()",
        "http://[::1/a.mp3",
        "http://cdn.example:99999/a.mp3",
        "http:///a.mp3",
        "https://" + "a" * 5000,
    ],
)
def test_what_no_http_request_can_be_made_of_is_none(written):
    assert absolute(BASE, written) is None


def test_urls_that_are_too_long_stay_too_long_and_apart_and_keep_their_extension():
    long = "a" * 2_000_000
    one, other = (absolute(BASE, f"https://cdn.example/{letter}{long}.mp3") or "" for letter in "xy")
    assert one != other
    assert one.startswith("https://cdn.example/x")
    assert one.endswith("a.mp3")
    assert len(one) == len(other) == MAX_URL_LENGTH + 1
