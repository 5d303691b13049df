"""Which statements of rights a document makes, and which file each is about."""

import json

import pytest

from audiocrawler.discovery import Candidate
from tests.discovery.pages import in_feed, in_html, in_text

BY = "https://creativecommons.org/licenses/by/4.0/"
SA = "https://creativecommons.org/licenses/by-sa/4.0/"
ONE = "<audio src='/1.mp3' controls></audio>"
TWO = "<audio src='/2.mp3' controls></audio>"


def stated(candidates: list[Candidate]) -> dict[str, list[tuple[str | None, str | None, str]]]:
    return {
        each.url.removeprefix("https://site.example/"): [(s.text, s.url, s.found_in) for s in each.statements or ()]
        for each in candidates
        if each.kind == "audio"
    }


def test_a_link_counts_for_the_player_in_its_box_only():
    found = stated(in_html(f"<ul><li>{ONE}<a href='{BY}'>CC BY</a></li><li>{TWO}</li></ul>"))
    assert found == {"1.mp3": [("CC BY", BY, "page_link")], "2.mp3": []}


def test_one_link_in_a_box_of_several_players_counts_for_all_of_them():
    found = stated(in_html(f"<main><div>{ONE}{TWO}<p>All: <a href='{BY}'>CC BY</a></p></div></main>"))
    assert found["1.mp3"] == found["2.mp3"] == [("CC BY", BY, "page_link")]


def test_several_links_in_a_box_count_for_the_player_before_each():
    found = stated(in_html(f"<div><a href='{SA}'>-</a>{ONE}<a href='{BY}'>a</a>{TWO}<a href='{SA}'>b</a></div>"))
    assert found == {"1.mp3": [("a", BY, "page_link")], "2.mp3": [("b", SA, "page_link")]}


@pytest.mark.parametrize(
    "beside",
    [
        "<footer><p>Texts of this site: {}</p></footer>",
        "<nav>{}</nav>",
        "<aside>{}</aside>",
        "<div id='site-footer'>{}</div>",
        "<div role='contentinfo'>{}</div>",
    ],
)
def test_links_beside_the_content_count_for_no_file(beside):
    link = f"<a rel='license' href='{BY}'>CC BY</a>"
    assert stated(in_html(f"<div>{ONE}{beside.format(link)}</div>")) == {"1.mp3": []}


def test_the_footer_of_an_article_belongs_to_it():
    found = stated(in_html(f"<article>{ONE}<footer><a href='{BY}'>CC BY</a></footer></article><p>{TWO}</p>"))
    assert found == {"1.mp3": [("CC BY", BY, "page_link")], "2.mp3": []}


def test_far_from_several_players_only_a_declared_licence_of_the_page_counts():
    page = f"<body><p>{ONE}</p><p>{TWO}</p><p><a %s href='{BY}'>CC BY</a></p></body>"
    assert stated(in_html(page % "")) == {"1.mp3": [], "2.mp3": []}
    assert stated(in_html(page % "rel='license'"))["2.mp3"] == [("CC BY", BY, "page_link")]


def test_sources_of_one_player_are_one_recording():
    player = "<audio><source src='/1.mp3'><source src='/1.ogg'></audio>"
    found = stated(in_html(f"<body>{player}<p><a href='{BY}'>CC BY</a></p></body>"))
    assert found["1.mp3"] == found["1.ogg"] == [("CC BY", BY, "page_link")]


def test_the_head_counts_for_the_only_recording_where_nothing_else_is_stated():
    head = f"<head><link rel='license' href='{BY}'></head>"
    assert stated(in_html(f"{head}<body><p>{ONE}</p></body>")) == {"1.mp3": [(None, BY, "page_head")]}
    assert stated(in_html(f"{head}<body><p>{ONE}</p><p>{TWO}</p></body>")) == {"1.mp3": [], "2.mp3": []}
    found = stated(in_html(f"{head}<body><p>{ONE}<a href='{SA}'>CC BY-SA</a></p></body>"))
    assert found == {"1.mp3": [("CC BY-SA", SA, "page_link")]}
    both = "<audio><source src='/1.mp3'><source src='/1.ogg'></audio>"
    assert stated(in_html(f"{head}<body>{both}</body>"))["1.ogg"] == [(None, BY, "page_head")]
    meta = "<meta name='DCTERMS.license' content='CC BY 4.0'><meta name='dc.rights' content='(c) Ada'>"
    assert stated(in_html(meta + ONE))["1.mp3"] == [
        ("CC BY 4.0", None, "page_meta"),
        ("(c) Ada", None, "page_meta_notice"),
    ]


def test_links_about_licences_state_none():
    assert stated(in_html(f"<p>{ONE}<a href='https://creativecommons.org/about/'>CC</a></p>")) == {"1.mp3": []}


def test_a_badge_is_read_by_its_text_and_names_whom_to_credit():
    (found,) = in_html(
        f"<div>{ONE}<p><a rel='license' href='{BY}'><img alt='Creative Commons License' src='/b.png'></a> by "
        "<a property='cc:attributionName' href='/ada'>Ada</a></p></div>"
    )
    assert [each.text for each in found.statements or ()] == ["Creative Commons License"]
    assert found.credit == "Ada"


def test_statements_of_a_link_and_of_linked_data_meet():
    data = {"@type": "AudioObject", "contentUrl": "/1.mp3", "license": SA}
    page = f"<script type='application/ld+json'>{json.dumps(data)}</script><p>{ONE}<a href='{BY}'>x</a></p>"
    assert stated(in_html(page)) == {"1.mp3": [(None, SA, "json_ld"), ("x", BY, "page_link")]}


def test_linked_data_states_names_urls_notices_and_whom_to_credit():
    data = {
        "@type": "AudioObject",
        "contentUrl": "/1.mp3",
        "license": {"@type": "CreativeWork", "name": "CC BY", "url": BY},
        "copyrightNotice": "(c) Ada",
        "acquireLicensePage": "https://site.example/buy",
        "creditText": "Ada and Bob",
        "author": "Ada",
    }
    page = f"<script type='application/ld+json'>{json.dumps([data, {'@type': 'WebPage', 'license': SA}])}</script>"
    (found,) = in_html(page)
    assert stated([found])["1.mp3"] == [
        ("CC BY", BY, "json_ld"),
        ("(c) Ada", None, "json_ld_notice"),
        (None, "https://site.example/buy", "json_ld_notice"),
    ]
    assert found.credit == "Ada and Bob"


def test_microdata_states_notices_too():
    (found,) = in_html(
        "<div itemscope itemtype='https://schema.org/AudioObject'><link itemprop='contentUrl' href='/1.mp3'>"
        f"<link itemprop='license' href='{BY}'><meta itemprop='copyrightNotice' content='(c) Ada'>"
        "<meta itemprop='creditText' content='Ada'></div>"
    )
    assert stated([found])["1.mp3"] == [(None, BY, "microdata"), ("(c) Ada", None, "microdata_notice")]
    assert found.credit == "Ada"


ITEM = "<item><enclosure url='/{}.mp3' type='audio/mpeg'/>{}</item>"


@pytest.mark.parametrize(
    ("element", "statement"),
    [
        (f"<podcast:license url='{BY}'>cc-by-4.0</podcast:license>", ("cc-by-4.0", BY, "feed_item")),
        ("<podcast:license>cc-by-4.0</podcast:license>", ("cc-by-4.0", None, "feed_item")),
        (f"<creativeCommons:license>{BY}</creativeCommons:license>", (None, BY, "feed_item")),
        (f"<media:license href='{BY}'>CC BY</media:license>", ("CC BY", BY, "feed_item")),
        (f"<media:group><media:license href='{BY}'>x</media:license></media:group>", ("x", BY, "feed_item")),
        (f"<media:copyright url='{BY}'>2024 Ada</media:copyright>", ("2024 Ada", BY, "feed_item_notice")),
        ("<dc:rights>(c) Ada</dc:rights>", ("(c) Ada", None, "feed_item_notice")),
        (f"<link rel='license' href='{BY}'/>", (None, BY, "feed_item")),
    ],
)
def test_a_feeds_item_states_its_own_licence_and_no_other_items(element, statement):
    found = stated(in_feed(ITEM.format(1, element) + ITEM.format(2, "")))
    assert found == {"1.mp3": [statement], "2.mp3": []}


def test_what_the_channel_states_holds_for_items_that_state_nothing():
    head = "<copyright>(c) Radio</copyright><podcast:license>cc-by-4.0</podcast:license>"
    found = stated(
        in_feed(ITEM.format(1, "<podcast:license>cc0-1.0</podcast:license>") + ITEM.format(2, ""), head=head)
    )
    assert found["1.mp3"] == [("cc0-1.0", None, "feed_item")]
    assert found["2.mp3"] == [("cc-by-4.0", None, "feed_channel"), ("(c) Radio", None, "feed_channel_notice")]


def test_tracks_of_playlists_state_theirs():
    xspf = (
        f"<playlist><trackList><track><location>/1.mp3</location><license>{BY}</license></track></trackList></playlist>"
    )
    assert stated(in_text(xspf, "application/xspf+xml"))["1.mp3"] == [(None, BY, "playlist")]
    jspf = {"playlist": {"track": [{"location": ["https://site.example/1.mp3"], "license": BY}]}}
    assert stated(in_text(json.dumps(jspf), "application/json"))["1.mp3"][-1][1] == BY
