from scrapy.http import HtmlResponse

from audiocrawler.discovery import DEFAULT_FINDERS, find
from tests.discovery.pages import in_html, the_one, urls

AUDIO = '<audio src="https://cdn.example/a.mp3"></audio>'
LINK = '<a href="https://cdn.example/a.mp3">Download it</a>'


def test_one_url_met_twice_is_one_candidate_with_the_surer_mechanism_and_all_descriptions():
    found = the_one(in_html(LINK + '<script>x = "https://cdn.example/a.mp3"</script>' + AUDIO))
    assert (found.found_by, found.link_text) == ("audio_src", "Download it")


def test_the_surer_mechanism_names_a_url_whatever_the_order_of_the_finders():
    response = HtmlResponse("https://site.example/", body=(LINK + AUDIO).encode(), encoding="utf-8")
    backwards = {path: -order for path, order in DEFAULT_FINDERS.items()}
    assert the_one(list(find(response, backwards))).found_by == "audio_src"


def test_spellings_of_one_host_are_one_url():
    assert len(in_html('<a href="https://CDN.example/a.mp3">x</a><a href="https://cdn.example:443/a.mp3">y</a>')) == 1


def test_the_order_of_the_document_does_not_change_the_outcome():
    assert in_html(LINK + AUDIO) == in_html(AUDIO + LINK)


def test_the_same_file_by_another_scheme_or_through_counters_is_an_alternate():
    found = in_html(
        '<a href="http://cdn.example/a.mp3">x</a><a href="https://cdn.example/a.mp3?_=1">x</a><a href="https://dts.podtrac.com'
        '/redirect.mp3/chtbl.com/track/8DB/cdn.example/a.mp3">x</a><a href="https://cdn.example/b.mp3">x</a>'
    )
    assert len(found) == 4
    assert len({each.group for each in found[:3]}) == 1
    assert found[0].group is not None
    assert found[3].group is None


def test_formats_and_bit_rates_in_links_of_their_own_are_not_alternates_on_a_guess():
    def groups(*urls: str) -> set[str | None]:
        return {each.group for each in in_html("".join(f'<a href="{url}">x</a>' for url in urls))}

    assert groups("/a.mp3", "/a.ogg", "/a_64kb.mp3", "/a_128kb.mp3", "/mp3/a.mp3", "/ogg/a.ogg") == {None}
    assert groups("/a_16kbps.wav", "/a_32kbps.wav") == groups("/a_16k.wav", "/a_48k.wav") == {None}


def test_the_rates_of_one_file_of_an_archive_org_item_are_alternates():
    item = "https://archive.org/download/book_1"
    found = in_html(
        f'<a href="{item}/b_01_64kb.mp3">x</a><a href="{item}/b_01_128kb.mp3">x</a><a href="{item}/c.mp3">c</a>'
    )
    assert found[0].group == found[1].group is not None
    assert found[2].group is None


def test_files_that_differ_in_their_query_are_not_alternates():
    found = in_html('<audio src="/get.php?src=a.mp3"></audio><audio src="/get.php?src=b.mp3"></audio>')
    assert len(found) == 2
    assert {each.group for each in found} == {None}


def test_groups_are_the_same_on_every_reading_and_differ_between_pages():
    markup = '<audio><source src="https://c.example/a.mp3"><source src="https://c.example/b.ogg"></audio>'
    assert in_html(markup)[0].group == in_html(markup)[0].group
    assert in_html(markup)[0].group != in_html(markup, "https://site.example/other.html")[0].group


def test_a_page_does_not_find_itself():
    assert urls(in_html('<a href="#x">x</a><a href="a.mp3#t=3">x</a>', "https://site.example/shows/a.mp3")) == []
