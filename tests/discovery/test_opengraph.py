from audiocrawler.discovery import Kind, Role
from tests.discovery.pages import in_html, the_one, urls


def test_every_og_audio_is_found_with_its_own_type():
    first, second = in_html(
        '<meta content="https://cdn.example/1" property="og:audio"><meta property="og:audio:type" content="audio/mpeg">'
        '<meta property="og:audio" content="https://cdn.example/2.ogg"><meta property="og:title" content="The show">'
    )
    assert (first.url, first.mime_type, first.title) == ("https://cdn.example/1", "audio/mpeg", "The show")
    assert (second.url, second.mime_type) == ("https://cdn.example/2.ogg", None)


def test_a_twitter_stream_that_is_video_is_no_audio():
    stream = '<meta name="twitter:player:stream" content="https://cdn.example/{}">'
    declared = '<meta name="twitter:player:stream:content_type" content="{}">'
    assert the_one(in_html(stream.format("a.mp4") + declared.format("video/mp4")), Kind.VIDEO)
    assert urls(in_html(stream.format("a") + declared.format("audio/mpeg"))) == ["https://cdn.example/a"]


def test_a_twitter_player_is_followed_unless_it_is_known_for_video():
    player = '<meta name="twitter:player" content="{}">'
    assert the_one(in_html(player.format("https://pod.example/e/1")), Kind.EMBED).found_by == "twitter_player"
    assert in_html(player.format("https://www.youtube.com/embed/1")) == []


def test_a_music_preview_is_marked_as_one():
    found = the_one(in_html('<meta property="music:preview_url:url" content="https://cdn.example/clip/1">'))
    assert found.role is Role.PREVIEW
