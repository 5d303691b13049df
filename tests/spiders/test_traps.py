"""Endless sites are left after a while, generous ones are not."""

import pytest

from audiocrawler.spiders.links import MAX_BARREN_PAGES, Traps


def after(urls: list[str], *, audio_every: int = 0) -> Traps:
    traps = Traps()
    for number, url in enumerate(urls):
        traps.note_page(url, has_audio=bool(audio_every) and number % audio_every == 0)
    return traps


def test_a_calendar_without_audio_ends() -> None:
    traps = after([f"https://a.example/calendar/{n // 12}/{n % 12}" for n in range(MAX_BARREN_PAGES)])
    assert traps.why_not("https://a.example/calendar/2090/1")
    assert not traps.why_not("https://a.example/about")
    assert not traps.why_not("https://b.example/calendar/2090/1")


def test_combinations_of_parameters_end() -> None:
    traps = after([f"https://a.example/list?sort={n}&page={n * 7}" for n in range(MAX_BARREN_PAGES)])
    assert traps.why_not("https://a.example/list?page=1&sort=name")
    assert not traps.why_not("https://a.example/list?tag=bells")


def test_numbered_articles_without_audio_are_followed_for_long() -> None:
    traps = after([f"https://a.example/article/{n}" for n in range(10 * MAX_BARREN_PAGES)])
    assert not traps.why_not("https://a.example/article/99999")


def test_numbered_pages_with_audio_do_not_end() -> None:
    traps = after([f"https://a.example/episode/{n}" for n in range(20 * MAX_BARREN_PAGES)], audio_every=100)
    assert not traps.why_not("https://a.example/episode/99999")


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/" + "x" * 2000,
        "https://a.example" + "/deep" * 4,
        "https://a.example/" + "/".join(map(str, range(21))),
    ],
)
def test_urls_that_grow_are_not_followed(url: str) -> None:
    assert Traps().why_not(url)
