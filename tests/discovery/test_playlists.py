from audiocrawler.discovery import Kind
from tests.discovery.pages import in_text, the_one, urls


def test_m3u_entries_come_with_title_and_duration():
    found = in_text("#EXTM3U\n\t#EXTINF:123,Ada - Song, part 1\n../song.mp3\n\n", "audio/x-mpegurl")
    assert the_one(found).url == "https://site.example/song.mp3"
    assert (the_one(found).title, the_one(found).duration_ms) == ("Ada - Song, part 1", 123_000)


def test_a_plain_list_of_urls_is_a_playlist_if_it_is_declared_so():
    assert urls(in_text("https://cdn.example/1.ogg\r\nhttps://cdn.example/2.ogg", "audio/mpegurl")) == [
        "https://cdn.example/1.ogg",
        "https://cdn.example/2.ogg",
    ]


def test_entries_of_unknown_length_without_extension_are_radio():
    found = in_text("#EXTM3U\n#EXTINF:-1,Radio\nhttp://radio.example/main\n#EXTINF:-1,x\nhttp://h.example/a.mp3", "")
    assert urls(found, Kind.STREAM) == ["http://radio.example/main"]
    assert urls(found) == ["http://h.example/a.mp3"]


def test_a_length_of_minus_one_confirms_a_mount_but_does_not_make_a_file_one():
    found = in_text(
        "#EXTM3U\n#EXTINF:-1,a\nhttp://ice.example:8000/jazz.mp3\n#EXTINF:-1,b\nhttp://h.example/talk.mp3\n", ""
    )
    assert urls(found, Kind.STREAM) == ["http://ice.example:8000/jazz.mp3"]
    assert urls(found) == ["http://h.example/talk.mp3"]


def test_a_server_that_lists_its_own_tracks_by_number_lists_files():
    found = in_text("/rest/track?id=1\n/tracks/2/raw\n/main\n", "audio/x-mpegurl", "https://music.example/l.m3u")
    assert urls(found) == ["https://music.example/rest/track?id=1", "https://music.example/tracks/2/raw"]
    assert urls(found, Kind.STREAM) == ["https://music.example/main"]


def test_entries_of_asx_and_wpl_without_extension_are_taken_as_those_of_other_playlists():
    asx = (
        '<asx version="3.0"><entry><ref href="http://radio.example/Main"/></entry><entry><ref href="/get.php?id=3"/>'
        '</entry><entry><duration value="00:01:00"/><ref href="http://radio.example/clip.wmv"/></entry></asx>'
    )
    found = in_text(asx, "video/x-ms-asf", "https://site.example/l.wax")
    assert urls(found, Kind.STREAM) == ["http://radio.example/Main"]
    assert urls(found) == ["https://site.example/get.php?id=3"]
    wpl = '<?wpl version="1.0"?><smil><body><seq><media src="http://radio.example/Main"/></seq></body></smil>'
    assert urls(in_text(wpl, "application/vnd.ms-wpl"), Kind.STREAM) == ["http://radio.example/Main"]


def test_pls_entries_may_be_numbered_with_gaps():
    found = in_text("[playlist]\nFile3=c.mp3\nTitle3=Third\nLength3=9\nfile1=next.pls\n", "audio/x-scpls")
    assert urls(found, Kind.PLAYLIST) == ["https://site.example/shows/next.pls"]
    assert (the_one(found).title, the_one(found).duration_ms) == ("Third", 9000)


def test_segments_of_an_hls_media_playlist_are_no_candidates():
    assert in_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nseg1.aac\n", "application/vnd.apple.mpegurl") == []


def test_an_hls_master_playlist_gives_its_audio_renditions_and_audio_only_variants():
    found = in_text(
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"\n'
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",URI="s.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,AUDIO="a"\nvideo.m3u8\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"\naudio.m3u8\n',
        "application/vnd.apple.mpegurl",
    )
    assert urls(found, Kind.MANIFEST) == ["https://site.example/shows/de.m3u8", "https://site.example/shows/audio.m3u8"]
    assert (found[0].language, found[1].bit_rate_bps) == ("de", 64000)
    assert urls(found) == []


def test_xspf_tracks_come_with_their_locations_as_alternates():
    found = in_text(
        '<?xml version="1.0"?><playlist version="1" xml:base="https://cdn.example/x/"><trackList><track>'
        "<location>a.mp3</location><location>https://other.example/b.ogg</location><title>Song</title>"
        "<creator>Ada</creator><duration>209000</duration></track></trackList></playlist>",
        "application/xspf+xml",
    )
    assert urls(found) == ["https://cdn.example/x/a.mp3", "https://other.example/b.ogg"]
    assert (found[0].title, found[0].artist, found[0].duration_ms) == ("Song", "Ada", 209_000)
    assert found[0].group == found[1].group is not None


def test_asx_is_read_whatever_its_case_and_however_it_escapes():
    found = in_text(
        '<ASX Version="3"><Entry><Title>A & B</Title><REF HREF="http://h.example/a.wma?x=1&y=2"/></Entry></ASX>',
        "video/x-ms-asf",
    )
    assert urls(found) == ["http://h.example/a.wma?x=1&y=2"]


def test_dash_audio_in_one_file_is_found_and_segmented_or_video_is_not():
    adaptation = (
        '<AdaptationSet lang="en">{}<Representation mimeType="{}"><BaseURL>{}</BaseURL></Representation>'
        "</AdaptationSet>"
    )
    found = in_text(
        '<MPD mediaPresentationDuration="PT5S" xmlns="urn:mpeg:dash:schema:mpd:2011">'
        "<BaseURL>https://cdn.example/v/</BaseURL>"
        + adaptation.format("", "audio/mp4", "audio")
        + adaptation.format("", "video/mp4", "video")
        + adaptation.format('<SegmentTemplate media="$Number$.m4s"/>', "audio/mp4", "cut")
        + "</MPD>",
        "application/dash+xml",
    )
    assert urls(found) == ["https://cdn.example/v/audio"]
    assert (the_one(found).duration_ms, the_one(found).language) == (5000, "en")


def test_paths_of_the_authors_own_disk_are_left_out():
    assert (
        in_text("#EXTM3U\nC:\\Music\\a.mp3\n/home/ada/b.mp3\n\\\\nas\\c.mp3\nfile:///d.mp3\n", "audio/x-mpegurl") == []
    )
    assert in_text("[playlist]\nFile1=D:/a.mp3\nFile2=/Users/ada/b.mp3\n", "audio/x-scpls") == []


def test_sitemaps_and_lists_of_feeds_are_read():
    sitemap = in_text(
        "<urlset><url><loc>https://cdn.example/a.mp3</loc></url><url><loc>/b</loc></url></urlset>", "text/xml"
    )
    assert urls(sitemap) == ["https://cdn.example/a.mp3"]
    opml = in_text('<opml><body><outline text="x" xmlUrl="https://show.example/rss"/></body></opml>', "text/x-opml")
    assert urls(opml, Kind.FEED) == ["https://show.example/rss"]


def test_metalink_gives_the_mirrors_of_each_file_by_priority():
    four = (
        '<?xml version="1.0"?><metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="x.mp3"><size>77</size>'
        '<url priority="2">https://a.example/get/1</url><url priority="1">https://b.example/x.mp3</url>'
        '<metaurl mediatype="torrent">https://a.example/x.torrent</metaurl></file>'
        '<file name="y.zip"><url>https://a.example/y.zip</url></file></metalink>'
    )
    three = (
        '<metalink version="3.0"><files><file name="x.mp3"><resources><url type="http" preference="10">'
        'https://a.example/get/1</url><url preference="90">https://b.example/x.mp3</url></resources></file></files></metalink>'
    )
    for text in (four, three):
        found = in_text(text, "application/metalink4+xml")
        assert urls(found) == ["https://b.example/x.mp3", "https://a.example/get/1"]
        assert found[0].group == found[1].group is not None
    assert in_text(four, "")[0].size_bytes == 77


def test_asx_as_it_was_before_xml_is_read_whatever_it_is_sent_as():
    found = in_text("[Reference]\r\nRef1=http://h.example/a.wma?MSWMExt=.asf\r\nRef2=/b.mp3\r\n", "text/plain")
    assert urls(found) == ["http://h.example/a.wma?MSWMExt=.asf", "https://site.example/b.mp3"]
    assert {each.group for each in found} == {None}
