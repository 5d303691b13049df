"""Which plain documents send their page to the browser, and which do not."""

import pytest

from audiocrawler.discovery.document import parse_html
from audiocrawler.rendering.when import Signal, signals_of

URL = "https://example.org/page"
PROSE = "<p>" + "Words that readers see, and enough of them. " * 20 + "</p>"
SCRIPT = "<script>start();</script>"


def signals(body: str, *found_by: str) -> list[Signal]:
    root = parse_html(f"<!doctype html><html><head><title>t</title></head><body>{body}</body></html>")
    assert root is not None
    return signals_of(root, URL, found_by)


@pytest.mark.parametrize(
    ("body", "signal"),
    [
        (f"{PROSE}{SCRIPT}<audio id=p></audio>", Signal.EMPTY_PLAYER),
        (f'{PROSE}{SCRIPT}<div class="audio-player"></div>', Signal.EMPTY_PLAYER),
        (f'{PROSE}{SCRIPT}<div id="waveform"></div>', Signal.EMPTY_PLAYER),
        (f"{PROSE}{SCRIPT}<podcast-episode number=7></podcast-episode>", Signal.EMPTY_PLAYER),
        (f"{PROSE}<script>new Audio(base + name).play()</script>", Signal.SCRIPTED_PLAYER),
        (f"{PROSE}<script>fetch('/api/episodes/7').then(show)</script>", Signal.SCRIPTED_PLAYER),
        (f'{PROSE}<script src="/js/howler.min.js"></script>', Signal.SCRIPTED_PLAYER),
        (f'{PROSE}{SCRIPT}<button aria-label="Play episode">x</button>', Signal.SCRIPTED_PLAYER),
        ('<div id="root"></div><script src="/app.js"></script>', Signal.SHELL),
        (f'<div id="__next"></div><footer>{PROSE}</footer><script src="/app.js"></script>', Signal.SHELL),
        (f"<p>Loading</p>{SCRIPT}", Signal.SHELL),
        (f"{PROSE[:400]}<noscript>Please enable JavaScript.</noscript>{SCRIPT}", Signal.SHELL),
        (f'{PROSE}<iframe src="/widget/7"></iframe>', Signal.FRAME),
    ],
)
def test_players_and_shells_are_seen(body: str, signal: Signal) -> None:
    assert signal in signals(body)


@pytest.mark.parametrize(
    ("body", "found_by"),
    [
        (PROSE, ()),
        (PROSE + SCRIPT, ()),
        (f'{PROSE}{SCRIPT}<audio src="/a.mp3"></audio>', ("audio_src",)),
        (f'{PROSE}{SCRIPT}<audio><source src="/a.mp3"></audio>', ("audio_source",)),
        (f'{PROSE}{SCRIPT}<div class="player"><audio src="/a.mp3"></audio></div>', ("audio_src",)),
        (f'{PROSE}{SCRIPT}<div class="player" data-src="/a.mp3">Loading</div>', ("attribute",)),
        (f'{PROSE}{SCRIPT}<div class="video-player"></div>', ()),
        (f'{PROSE}<script>new Audio("/a.mp3")</script>', ("script_string",)),
        (f"{PROSE}{SCRIPT}<button>Display the playlist</button>", ()),
        (f'{PROSE}<iframe src="https://videos.example.com/7"></iframe>', ()),
        ('<div class="audio-player"></div>' + PROSE, ()),
        ('<div id="root"><h1>Server-rendered</h1></div>' + PROSE + SCRIPT, ()),
        (f'{PROSE}<script type="application/ld+json">{{"a": "new Audio("}}</script>', ()),
    ],
)
def test_pages_that_say_it_all_are_left_alone(body: str, found_by: tuple[str, ...]) -> None:
    assert signals(body, *found_by) == []


def test_a_mere_link_does_not_settle_a_scripted_player() -> None:
    assert signals(f"{PROSE}<a href=/a.mp3>x</a><script>new Howl(options)</script>", "a_href") == [
        Signal.SCRIPTED_PLAYER
    ]
