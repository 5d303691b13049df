import json
from itertools import pairwise

import pytest

from tests.discovery.pages import in_html, in_text, the_one, urls


def pushes(payload: str, *cuts: int) -> str:
    places = [0, *cuts, len(payload)]
    pieces = (payload[start:end] for start, end in pairwise(places))
    return "".join(f"<script>self.__next_f.push({json.dumps([1, piece])})</script>" for piece in pieces)


def test_a_payload_in_pieces_is_joined_before_it_is_read():
    payload = (
        '5:["$","audio",null,{"src":"https://cdn.example/long-name.mp3?sig=abcdef","title":"Song","duration":61}]\n'
    )
    for cut in (10, payload.index("-name"), payload.index("mp3"), payload.index("bcdef")):
        found = the_one(in_html(f"<script>(self.__next_f=self.__next_f||[]).push([0])</script>{pushes(payload, cut)}"))
        assert found.url == "https://cdn.example/long-name.mp3?sig=abcdef"
        assert (found.title, found.duration_ms) == ("Song", 61_000)


def test_texts_with_rows_of_their_own_are_put_in_their_places():
    title = "Über die Küste, a long one"
    payload = f'1:T{len(title.encode()):x},{title}2:I["x",[],""]\n3:{{"track":{{"title":"$1","audio":"/a/1.mp3"}}}}\n'
    found = the_one(in_html(pushes(payload, 7, 40)))
    assert (found.url, found.title) == ("https://site.example/a/1.mp3", title)


NUXT = [
    ["ShallowReactive", 1],
    {"data": 2, "self": 1},
    ["Reactive", 3],
    {"title": 4, "audio": 5, "again": 6},
    "Show",
    {"url": 7, "seconds": -1, "duration": 8},
    [5, 9],
    "/media/1.mp3",
    61,
    {"url": 10, "title": 11},
    "/media/2.mp3",
    "Two",
]


@pytest.mark.parametrize("is_page", [True, False])
def test_references_of_nuxt_are_put_in_their_places(is_page):
    text = json.dumps(NUXT)
    if is_page:
        found = in_html(f'<script type="application/json" id="__NUXT_DATA__">{text}</script>')
    else:
        found = in_text(text, "application/json", "https://site.example/show/_payload.json")
    assert [(each.url, each.title, each.duration_ms) for each in found] == [
        ("https://site.example/media/1.mp3", "Show", 61_000),
        ("https://site.example/media/2.mp3", "Two", None),
    ]


def test_the_data_of_sveltekit_is_read_node_by_node():
    data = {"type": "data", "nodes": [None, {"type": "data", "data": [{"file": 1, "title": 2}, "/a.mp3", "One"]}]}
    found = the_one(in_text(json.dumps(data), "application/json"))
    assert (found.url, found.title) == ("https://site.example/a.mp3", "One")


def test_the_state_of_react_router_is_read():
    state = [{"_1": 2}, "episode", {"_3": 4, "_5": 6}, "audioUrl", "https://cdn.example/get/7", "title", "Seven"]
    late = [{"_3": 8, "_5": 9}, "https://cdn.example/get/8", "Eight"]
    parts = (json.dumps(state) + "\n", "P7:" + json.dumps(late) + "\n")
    markup = "".join(f"<script>window.ctx.streamController.enqueue({json.dumps(part)});</script>" for part in parts)
    assert [(each.url[-1], each.title) for each in in_html(markup)] == [("7", "Seven"), ("8", "Eight")]


def test_ordinary_lists_are_not_taken_for_references():
    value = [{"id": 1}, {"url": "/a.mp3"}, {"url": "/b.mp3"}]
    assert len(urls(in_text(json.dumps(value), "application/json"))) == 2
    assert len(urls(in_text('[[0, 1], "/a.mp3", "/b.mp3"]', "application/json"))) == 2


def test_the_properties_of_an_island_are_read_without_their_types():
    tracks = [1, [[0, {"src": [0, "/a/1.mp3"], "title": [0, "One"]}], [0, {"src": [0, "/a/2.mp3"]}]]]
    props = json.dumps({"tracks": tracks, "title": [0, "Album"]}).replace('"', "&quot;")
    found = in_html(f'<astro-island props="{props}"></astro-island>')
    assert [(each.url, each.title) for each in found] == [
        ("https://site.example/a/1.mp3", "One"),
        ("https://site.example/a/2.mp3", "Album"),
    ]
