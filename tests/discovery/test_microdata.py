from audiocrawler.discovery import Kind
from audiocrawler.model.statements import Statement
from tests.discovery.pages import in_html, the_one, urls

AUDIO_OBJECT = "itemscope itemtype='https://schema.org/AudioObject'"


def test_an_audio_object_comes_with_its_properties():
    found = the_one(
        in_html(
            f"<div {AUDIO_OBJECT}><span itemprop='author' itemscope><b itemprop='name'>Ada</b></span>"
            "<h2 itemprop='name'> The  talk </h2><meta itemprop='duration' content='PT1M1S'>"
            "<meta itemprop='contentSize' content='1.5 MB'><meta itemprop='encodingFormat' content='audio/mpeg'>"
            "<time itemprop='uploadDate' datetime='2024-05-06'></time><link itemprop='license' href='https://cc.example/by'>"
            "<a itemprop='contentUrl' href='/media/7'>x</a></div>"
        )
    )
    assert (found.url, found.found_by) == ("https://site.example/media/7", "microdata")
    assert (found.title, found.artist, found.duration_ms, found.size_bytes) == ("The talk", "Ada", 61_000, 1_500_000)
    assert found.statements == (Statement(None, "https://cc.example/by", "microdata"),)
    assert found.published_at is not None


def test_the_files_of_one_recording_are_alternates():
    found = in_html(
        "<div itemscope itemtype='http://schema.org/MusicRecording'><meta itemprop='name' content='Song'>"
        "<link itemprop='associatedMedia' href='/x/1.mp3'><link itemprop='associatedMedia' href='/y/2.ogg'></div>"
    )
    assert urls(found) == ["https://site.example/x/1.mp3", "https://site.example/y/2.ogg"]
    assert found[0].group == found[1].group is not None
    assert {each.title for each in found} == {"Song"}


def test_the_properties_of_an_inner_item_are_its_own():
    found = the_one(
        in_html(
            "<article itemscope itemtype='https://schema.org/Article'><h1 itemprop='name'>News</h1>"
            f"<div itemprop='audio' {AUDIO_OBJECT}><meta itemprop='contentUrl' content='https://cdn.example/1'></div>"
            "</article>"
        )
    )
    assert (found.url, found.title) == ("https://cdn.example/1", None)


def test_the_media_of_videos_and_images_are_not_audio():
    for kind in ("VideoObject", "ImageObject"):
        markup = f"<div itemscope itemtype='https://schema.org/{kind}'><link itemprop='contentUrl' href='/7'></div>"
        assert urls(in_html(markup), Kind.AUDIO) == []
