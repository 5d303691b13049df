from audiocrawler.discovery import Kind
from tests.discovery.pages import in_html, the_one, urls


def test_an_audio_element_gives_its_own_file_and_its_sources_as_alternates():
    found = in_html(
        '<audio src="a.mp3"><SOURCE src="a.ogg" type="audio/ogg; codecs=opus"><source src="/x/other.wav"></audio>'
    )
    assert urls(found) == [
        "https://site.example/shows/a.mp3",
        "https://site.example/shows/a.ogg",
        "https://site.example/x/other.wav",
    ]
    assert len({each.group for each in found}) == 1
    assert found[0].group is not None
    assert [each.found_by for each in found] == ["audio_src", "audio_source", "audio_source"]
    assert found[1].mime_type == "audio/ogg; codecs=opus"


def test_two_players_are_two_recordings():
    first, second = in_html('<audio src="a.mp3"></audio><audio src="b.mp3"></audio>')
    assert first.group is None
    assert second.group is None


def test_an_audio_element_needs_no_extension():
    assert urls(in_html('<audio src="/play?id=4"></audio>')) == ["https://site.example/play?id=4"]


def test_lazy_and_amp_players_are_found():
    found = in_html('<audio data-src="a.mp3"></audio><amp-audio src="https://cdn.example/b.mp3"></amp-audio>')
    assert urls(found) == ["https://site.example/shows/a.mp3", "https://cdn.example/b.mp3"]


def test_an_empty_source_is_not_the_page_itself():
    assert in_html('<audio src=""></audio><audio src="page.html"></audio><audio><source></audio>') == []


def test_the_title_is_the_label_or_the_nearest_heading():
    labelled, headed, captioned = in_html(
        '<audio aria-label="Label" src="a.mp3"></audio><div><h3>Head <b>line</b></h3><p><audio src="b.mp3"></audio></p>'
        '</div><figure><audio src="c.mp3"></audio><figcaption>Caption</figcaption></figure>'
    )
    assert (labelled.title, headed.title, captioned.title) == ("Label", "Head line", "Caption")


def test_a_track_is_the_transcript():
    found = in_html('<audio src="a.mp3" data-durationhint="107"><track kind="captions" src="a.vtt"></audio>')
    assert the_one(found).transcript_url == "https://site.example/shows/a.vtt"
    assert the_one(found).duration_ms == 107_000


def test_a_video_gives_only_what_is_audio():
    found = in_html('<video src="a.mp4"><source src="b.mp3"><source src="c" type="audio/mp4"><source src="d"></video>')
    assert urls(found) == ["https://site.example/shows/b.mp3", "https://site.example/shows/c"]


def test_sources_of_pictures_are_no_audio():
    assert in_html('<picture><source srcset="a.webp" src="a.webp" type="image/webp"></picture>') == []


def test_base_href_decides_where_a_relative_url_leads():
    found = in_html('<base href="/root/"><audio src="a.mp3"></audio>')
    assert urls(found) == ["https://site.example/root/a.mp3"]


def test_an_expected_stream_in_an_audio_element_is_a_stream():
    found = in_html('<audio src="http://srv.radio.example:8000/stream"></audio>')
    assert urls(found, Kind.STREAM) == ["http://srv.radio.example:8000/stream"]


def test_a_player_of_the_own_host_plays_files_whatever_the_port_and_the_name():
    markup = (
        '<audio src="/stream"></audio><audio src="/live.mp3"></audio><a href="radio.mp3">x</a>'
        '<audio src="http://stream.other.example/live.mp3"></audio>'
    )
    found = in_html(markup, "http://radio.lab.example:8000/show/")
    assert urls(found) == [
        "http://radio.lab.example:8000/stream",
        "http://radio.lab.example:8000/live.mp3",
        "http://radio.lab.example:8000/show/radio.mp3",
    ]
    assert urls(found, Kind.STREAM) == ["http://stream.other.example/live.mp3"]


def test_a_row_that_states_a_size_or_duration_lists_a_file():
    listed = (
        '<table><tr><td><a href="http://stream.other.example/live.mp3">Concert</a></td><td>1:02:03</td></tr>'
        '<tr><td><a href="http://stream.other.example:8000/radio.mp3">Play</a></td><td>12 MB</td></tr></table>'
    )
    assert len(urls(in_html(listed))) == 2
