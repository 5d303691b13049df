from datetime import UTC, datetime

from audiocrawler.discovery import Kind
from audiocrawler.model.statements import Statement
from tests.discovery.pages import in_html, the_one, urls


def in_block(text: str):
    return in_html(f'<script type="application/ld+json">{text}</script>')


def test_an_episode_describes_the_media_within_it():
    found = the_one(
        in_block(
            '{"@graph": [{"@type": "PodcastEpisode", "name": "Pilot", "datePublished": "2024-05-06T07:08:09+02:00",'
            '"author": {"@type": "Person", "name": "Ada"}, "inLanguage": "en", "duration": "PT1H2M3.5S",'
            '"license": "https://creativecommons.org/licenses/by/4.0/",'
            '"associatedMedia": {"@type": "AudioObject", "contentUrl": "https://cdn.example/media/1",'
            '"contentSize": "12.5 MB", "bitrate": "128"}}]}'
        )
    )
    assert found.url == "https://cdn.example/media/1"
    assert (found.title, found.artist, found.language) == ("Pilot", "Ada", "en")
    assert found.published_at == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)
    assert (found.duration_ms, found.size_bytes, found.bit_rate_bps) == (3_723_500, 12_500_000, 128_000)
    assert found.statements == (Statement(None, "https://creativecommons.org/licenses/by/4.0/", "json_ld"),)


def test_a_recording_may_name_its_audio_as_a_string():
    found = in_block('{"@type": ["MusicRecording"], "name": "Song", "audio": "https://cdn.example/song.flac"}')
    assert the_one(found).title == "Song"


def test_video_objects_and_pages_about_audio_are_not_audio():
    assert the_one(in_block('{"@type": "VideoObject", "contentUrl": "https://cdn.example/a.mp4"}'), Kind.VIDEO)
    found = in_block(
        '{"@type": "AudioObject", "url": "https://site.example/episode", "encodingFormat": "audio/mpeg",'
        '"contentUrl": "https://cdn.example/1"}'
    )
    assert urls(found) == ["https://cdn.example/1"]


def test_small_mistakes_in_the_json_are_forgiven():
    assert urls(in_block('<!-- {"audio": "https://cdn.example/a.mp3",\n"text": "two\nlines",} -->'))


def test_encodings_of_one_work_are_alternates_where_their_names_are_equal_and_its_parts_are_not():
    def groups(*places: str) -> list[str | None]:
        media = ",".join(f'{{"@type": "MediaObject", "contentUrl": "https://{place}"}}' for place in places)
        return [each.group for each in in_block(f'{{"@type": "AudioObject", "name": "x", "encoding": [{media}]}}')]

    mirrors = groups("a.example/1/x.mp3", "b.example/pub/1/x.mp3?m=2", "a.example/1/x.ogg")
    assert len(set(mirrors)) == 1
    assert mirrors[0] is not None
    assert groups("a.example/1/x.mp3", "a.example/2/x.mp3", "a.example/2/y.mp3") == [None] * 3
