import pytest

from audiocrawler.discovery import Kind
from tests.discovery.pages import in_html, the_one, urls


def test_a_data_attribute_comes_with_its_siblings_description():
    found = the_one(in_html('<div data-audio="https://cdn.example/a.mp3" data-title="Song" data-duration="61"></div>'))
    assert (found.title, found.duration_ms, found.found_by) == ("Song", 61_000, "attribute")


def test_formats_in_attributes_of_one_element_are_alternates():
    mp3, ogg = in_html('<div data-mp3="/x/1-hq.mp3" data-ogg="/y/1-lq.ogg"></div>')
    assert mp3.group == ogg.group is not None


def test_other_attributes_of_one_element_are_not():
    found = in_html('<div data-intro="/x/1.mp3" data-outro="/y/2.mp3"></div>')
    assert [each.group for each in found] == [None, None]


def test_json_in_an_attribute_is_read_with_its_escapes():
    found = in_html(
        '<div data-track="{&quot;title&quot;:&quot;Song&quot;,'
        '&quot;src&quot;:&quot;https:\\/\\/cdn.example\\/a.mp3&quot;}">'
    )
    assert (the_one(found).url, the_one(found).title) == ("https://cdn.example/a.mp3", "Song")


def test_json_keys_that_name_a_format_need_no_extension():
    found = in_html(
        """<script data-album='{"tracks": [{"title": "Song", "file": {"mp3-128": "https://s.example/1"}}]}'>"""
    )
    assert (the_one(found).url, the_one(found).title) == ("https://s.example/1", "Song")


@pytest.mark.parametrize(
    "attribute",
    [
        'jsdata="Kw;https://cdn.example/a.mp3;$8"',
        """x-show="track === 'https://cdn.example/a.mp3'" """,
        """onclick="return play('1', 'https://cdn.example/a.mp3');" """,
        'data-list="https://cdn.example/a.mp3,https://cdn.example/b.jpg"',
        """data-x="{src: 'https://cdn.example/a.mp3'}" """,
    ],
)
def test_a_url_among_other_things_is_cut_out(attribute):
    assert urls(in_html(f"<div {attribute}></div>")) == ["https://cdn.example/a.mp3"]


def test_parameters_of_old_players_are_read():
    found = in_html(
        '<object><param name="FlashVars" value="auto=no&amp;soundFile=https%3A%2F%2Fcdn.example%2Fa.mp3&amp;x=1">'
        '<embed src="emff.swf?src=https://cdn.example/b.mp3&amp;x=1"></object><embed src="c.wav">'
    )
    assert urls(found) == ["https://cdn.example/a.mp3", "https://cdn.example/b.mp3", "https://site.example/shows/c.wav"]


def test_options_of_a_format_picker_are_found():
    assert urls(in_html('<select><option value="/a.opus">Audio</option></select>')) == ["https://site.example/a.opus"]


def test_live_attributes_name_streams():
    found = in_html('<div data-url-live-mp3="https://radio.example/station/main/hifi/x.mp3"></div>')
    assert urls(found, Kind.STREAM) == ["https://radio.example/station/main/hifi/x.mp3"]


@pytest.mark.parametrize(
    "attribute",
    [
        'title="mp3/x.mp3"',
        'data-mwtitle="x.wav"',
        'alt="https://cdn.example/a.mp3"',
        'data-sound-href="only-the-script-knows-where.mp3"',
        'data-src="{{ track.mp3 }}"',
    ],
)
def test_words_names_and_templates_are_no_urls(attribute):
    assert in_html(f"<div {attribute}></div>") == []


@pytest.mark.parametrize(
    "markup",
    [
        '<div data-src="one take.mp3"></div>',
        '<li data-mp3="one take.mp3">x</li>',
        '<li data-audio-src="one take.mp3">x</li>',
        '<select><option value="one take.mp3">x</option></select>',
        """<a href="#" onclick="playSound('one take.mp3')">x</a>""",
        """<a href="javascript:listen(this, 'one take.mp3')">x</a>""",
        """<button @click="new Audio('one take.mp3').play()">x</button>""",
        '<script>var a = document.getElementById("p"); a.src = "one take.mp3";</script>',
        '<script>const sound = new Howl({src: ["one take.mp3"]})</script>',
        '<script>so.addVariable("file", "one take.mp3")</script>',
        '<object data="player.swf?mp3=one%20take.mp3"></object>',
        '<embed src="player.swf" flashvars="autoplay=1&amp;file=one+take.mp3">',
    ],
)
def test_a_bare_name_where_a_source_is_meant_is_a_file_beside_the_page(markup):
    assert the_one(in_html(markup)).url == "https://site.example/shows/one take.mp3"


@pytest.mark.parametrize(
    "markup",
    [
        '<div data-name="one.mp3" data-file-name="one.mp3"></div>',
        """<a href="#" onclick="remove('one.mp3')">x</a>""",
        """<a href="#" onclick="play('one.mp3' + sid)">x</a>""",
        '<script>folder + "one.mp3"; names = ["one.mp3"]</script>',
        '<script>a.src = base + "one.mp3"</script>',
        '<embed src="player.swf" flashvars="title=one.mp3">',
        '<iframe src="https://other.example/player.html?file=one.mp3"></iframe>',
    ],
)
def test_a_bare_name_elsewhere_is_not(markup):
    assert urls(in_html(markup)) == []


def test_a_flash_player_may_have_several_files():
    found = in_html('<param name="FlashVars" value="mp3=music/1.mp3|music/2.mp3&amp;titles=One|Two">')
    assert urls(found) == ["https://site.example/shows/music/1.mp3", "https://site.example/shows/music/2.mp3"]


def test_a_handler_that_repeats_itself_costs_little():
    assert in_html(f"""<a onclick="{"play" * 20_000}(x.mp3">x</a>""") == []
