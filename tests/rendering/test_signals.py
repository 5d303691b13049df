"""Which plain documents send their page to the browser, and which do not."""

import pytest
from scrapy.http import HtmlResponse

from audiocrawler.discovery import Kind, find_in, read
from audiocrawler.rendering.when import RenderHint, render_hints

URL = "https://example.org/page"
PROSE = "<p>" + "Words that readers see, and enough of them. " * 20 + "</p>"
SCRIPT = "<script>start();</script>"


def signals(body: str) -> list[RenderHint]:
    page = f"<!doctype html><html><head><title>t</title></head><body>{body}</body></html>"
    document = read(HtmlResponse(URL, body=page.encode()))
    assert document.root is not None
    told = [each for each in find_in(document) if each.kind is Kind.AUDIO]
    is_in_script = any(each.is_in_script for each in told)
    return render_hints(document.root, URL, has_audio=bool(told), is_in_script=is_in_script)


@pytest.mark.parametrize(
    ("body", "signal"),
    [
        (f"{PROSE}{SCRIPT}<audio id=p></audio>", RenderHint.EMPTY_PLAYER),
        (f'{PROSE}{SCRIPT}<div class="audio-player"></div>', RenderHint.EMPTY_PLAYER),
        (f'{PROSE}{SCRIPT}<div id="waveform"></div>', RenderHint.EMPTY_PLAYER),
        (f"{PROSE}{SCRIPT}<podcast-episode number=7></podcast-episode>", RenderHint.EMPTY_PLAYER),
        (f"{PROSE}<script>new Audio(base + name).play()</script>", RenderHint.SCRIPTED_PLAYER),
        (f"{PROSE}<script>fetch('/api/episodes/7').then(show)</script>", RenderHint.SCRIPTED_PLAYER),
        (f'{PROSE}<script src="/js/howler.min.js"></script>', RenderHint.SCRIPTED_PLAYER),
        (f'{PROSE}{SCRIPT}<button aria-label="Play episode">x</button>', RenderHint.SCRIPTED_PLAYER),
        ('<div id="root"></div><script src="/app.js"></script>', RenderHint.SHELL),
        (f'<div id="__next"></div><footer>{PROSE}</footer><script src="/app.js"></script>', RenderHint.SHELL),
        (f"<p>Loading</p>{SCRIPT}", RenderHint.SHELL),
        (f"{PROSE[:400]}<noscript>Please enable JavaScript.</noscript>{SCRIPT}", RenderHint.SHELL),
        (f'{PROSE}<iframe src="/widget/7"></iframe>', RenderHint.FRAME),
    ],
)
def test_players_and_shells_are_seen(body: str, signal: RenderHint) -> None:
    assert signal in signals(body)


@pytest.mark.parametrize(
    "body",
    [
        PROSE,
        PROSE + SCRIPT,
        f'{PROSE}{SCRIPT}<audio src="/a.mp3"></audio>',
        f'{PROSE}{SCRIPT}<audio><source src="/a.mp3"></audio>',
        f'{PROSE}{SCRIPT}<div class="player"><audio src="/a.mp3"></audio></div>',
        f'{PROSE}{SCRIPT}<div class="player" data-src="/a.mp3">Loading</div>',
        f'{PROSE}{SCRIPT}<div class="video-player"></div>',
        f'{PROSE}<script>new Audio("/a.mp3")</script>',
        f"{PROSE}{SCRIPT}<button>Display the playlist</button>",
        f'{PROSE}<iframe src="https://videos.example.com/7"></iframe>',
        '<div class="audio-player"></div>' + PROSE,
        '<div id="root"><h1>Server-rendered</h1></div>' + PROSE + SCRIPT,
        f'{PROSE}<script type="application/ld+json">{{"a": "new Audio("}}</script>',
    ],
)
def test_pages_that_say_it_all_are_left_alone(body: str) -> None:
    assert signals(body) == []


def test_a_mere_link_does_not_settle_a_scripted_player() -> None:
    assert signals(f"{PROSE}<a href=/a.mp3>x</a><script>new Howl(options)</script>") == [RenderHint.SCRIPTED_PLAYER]
