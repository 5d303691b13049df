import pytest

from audiocrawler.discovery import Role
from tests.discovery.pages import in_html, the_one


def role(markup: str, **page) -> Role:
    return the_one(in_html(markup, **page)).role


@pytest.mark.parametrize("name", ["ding", "new-message", "alarm_sound2", "NotificationTone", "silence"])
def test_a_sound_that_only_a_script_knows_and_that_is_named_after_a_signal_belongs_to_the_interface(name):
    assert role(f"<script>new Audio('https://cdn.example/x/{name}.mp3')</script>") is Role.INTERFACE
    assert role(f'<audio src="/x/{name}.mp3" preload="auto"></audio>') is Role.INTERFACE


def test_the_parts_of_a_plugin_belong_to_the_interface_and_uploads_do_not():
    content = "https://site.example/wp-content"
    assert role(f"<script>x = '{content}/plugins/timer/assets/t1.mp3'</script>") is Role.INTERFACE
    assert role(f"<script>x = '{content}/uploads/2024/t1.mp3'</script>") is Role.MAIN


def test_a_placeholder_is_of_the_interface_wherever_it_stands():
    assert role('<audio controls src="/blank.mp3"></audio>') is Role.INTERFACE


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="/sfx/alarm.wav">An alarm clock, 96 kHz</a>',
        '<audio controls src="/sounds/bell.wav"></audio>',
        '<div data-mp3="/bell.mp3" data-title="The bell of Erfurt"></div>',
        """<script>play([{"title": "Alarm", "mp3": "/x/alarm.mp3"}])</script>""",
        "<script>x = 'https://cdn.example/silent-night.mp3'</script>",
        "<script>x = 'https://cdn.example/ringo.mp3'</script>",
    ],
)
def test_what_readers_are_offered_is_a_recording_whatever_its_name(markup):
    assert role(markup) is Role.MAIN


def test_a_link_shows_what_a_script_also_knows():
    script = "<script>x = 'https://site.example/alarm.mp3'</script>"
    assert role(script) is Role.INTERFACE
    assert role(script + '<a href="/alarm.mp3">Alarm</a>') is Role.MAIN


@pytest.mark.parametrize(
    "markup",
    [
        '<audio controls src="https://audio.beyondwords.io/a/1.mp3"></audio>',
        '<audio controls src="/text-to-speech/1.mp3"></audio>',
        '<audio controls src="/media/tts/articles/1.mp3"></audio>',
        '<audio controls src="/wp-content/uploads/amazon_polly_12.mp3"></audio>',
        '<div class="ttsPlayer tts-player"><p><audio controls src="/1.mp3"></audio></p></div>',
        '<audio controls aria-label="Listen to this article" src="/1.mp3"></audio>',
        '<button data-tts-url="https://cdn.example/1.mp3"></button>',
        '<script type="application/json">{"ttsUrl": "https://cdn.example/1.mp3"}</script>',
    ],
)
def test_text_that_a_machine_reads_aloud_is_marked(markup):
    assert role(markup) is Role.SPEECH_SYNTHESIS


def test_samples_on_a_page_about_speech_synthesis_are_its_recordings():
    assert role('<audio controls src="/papers/tts/ground-truth/1.wav"></audio>') is Role.MAIN
    markup = '<audio controls src="/text-to-speech/1.wav"></audio>'
    assert role(markup) is Role.SPEECH_SYNTHESIS
    assert role(markup, url="https://lab.example/papers/text-to-speech/") is Role.MAIN
    assert role(f"<title>Natural TTS synthesis</title>{markup}") is Role.MAIN


def test_words_that_only_look_like_it_tell_nothing():
    assert role('<audio controls src="/watts/polly-put-the-kettle-on.mp3"></audio>') is Role.MAIN


@pytest.mark.parametrize(
    "url",
    [
        "https://p.host.example/mp3-preview/0123abcd.mp3",
        "https://audio.host.example/itunes-assets/AudioPreview115/v4/a.m4a",
        "https://cdnt-preview.host.example/stream/a.mp3",
        "https://freesound.example/data/previews/1/2-lq.mp3",
    ],
)
def test_a_preview_is_known_by_its_host_or_folder(url):
    assert role(f'<meta property="og:audio" content="{url}">') is Role.PREVIEW


def test_a_site_under_trial_and_a_name_are_no_previews():
    url = "https://preview.host.example/previewed/preview-of-the-year.mp3"
    assert role(f'<meta property="og:audio" content="{url}">') is Role.MAIN
