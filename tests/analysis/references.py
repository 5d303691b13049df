"""Files that name other files and addresses, in every way that a demuxer has followed or might follow."""

import struct
from pathlib import Path

from tests.analysis.boxes import atom, element, full_atom, id3, id3_frame, matroska, movie, ogg_page, pcm_track, picture

_ASF_SCRIPT = bytes.fromhex("301afb1e620bd011a39b00a0c90348f6")
_TONE = struct.pack("<2h", 9000, -9000) * 400


def texts(url: str, neighbour: Path) -> dict[str, str]:
    """Return playlists and scripts that name a URL or a file beside them, by a name for each."""
    hls = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:20\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
    return {
        "hls-url": hls.format(f"{url}/hls.mp3"),
        "hls-file": hls.format(neighbour),
        "hls-file-url": hls.format(neighbour.as_uri()),
        "hls-neighbour": hls.format(neighbour.name),
        "hls-key": hls.format("a.ts").replace("#EXTINF", f'#EXT-X-KEY:METHOD=AES-128,URI="{url}/key"\n#EXTINF'),
        "hls-concat": hls.format(f"concat:{neighbour}|{url}/concat"),
        "m3u": f"#EXTM3U\n#EXTINF:11,\n{url}/m3u.mp3\n",
        "m3u-bare": f"{url}/bare.mp3\n",
        "pls": f"[playlist]\nFile1={url}/pls.mp3\nNumberOfEntries=1\n",
        "ffconcat-neighbour": f"ffconcat version 1.0\nfile {neighbour.name}\n",
        "ffconcat-file": f"ffconcat version 1.0\nfile {neighbour}\n",
        "ffconcat-url": f"ffconcat version 1.0\nfile '{url}/ffconcat.mp3'\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 45454 RTP/AVP 0\n",
        "dash": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
            'profiles="urn:mpeg:dash:profile:isoff-main:2011" mediaPresentationDuration="PT10S" minBufferTime="PT2S">'
            '<Period><AdaptationSet mimeType="audio/mpeg"><Representation id="1" bandwidth="64000">'
            f"<BaseURL>{url}/dash.mp3</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ),
        "imf": (
            f'<AssetMap xmlns="http://www.smpte-ra.org/schemas/429-9/2007/AM"><Path>{url}/imf.mxf</Path></AssetMap>'
        ),
        "smil": f'<smil><body><audio src="{url}/smil.mp3"/></body></smil>',
        "asx": f'<asx version="3.0"><entry><ref href="{url}/asx.mp3"/></entry></asx>',
        "ram": f"{url}/real.ra\n",
        "concat-protocol": f"concat:{neighbour}|{neighbour}",
        "subfile-protocol": f"subfile,,start,0,end,9999,,:{neighbour}",
        "reference-list": f"[Reference]\nRef1={url}/reference.asf\n",
        "avisynth": f'DirectShowSource("{url}/avisynth.mp3")',
        "webm-dash": f"webm_dash_manifest {url}",
    }


def movies(url: str, neighbour: Path) -> dict[str, bytes]:
    """Return QuickTime movies whose samples or whose alternates are elsewhere."""
    alternate = full_atom(b"rdrf", b"url ", struct.pack(">I", len(url) + 1), url.encode(), b"\0")
    head = atom(b"ftyp", b"qt  \0\0\0\0qt  ")
    return {
        "reference-movie": head + atom(b"moov", atom(b"rmra", atom(b"rmda", alternate))),
        "dref-url": movie(samples=b"", samples_stated=800, dref=full_atom(b"url ", url.encode(), b"/dref\0")),
        "dref-file": movie(samples=b"", samples_stated=800, dref=full_atom(b"url ", neighbour.as_uri().encode())),
        "dref-alias": movie(samples=b"", samples_stated=800, dref=full_atom(b"alis", _alias(neighbour))),
    }


def audio_with_links(url: str, neighbour: Path, mp3: bytes, wma: bytes, vorbis: bytes) -> dict[str, bytes]:
    """Return files that have sound of their own, and links beside it; ``mp3``, ``wma``, ``vorbis`` are whole files."""
    address = url.encode()
    uid = element("3eb923", b"n" * 16)  # NextUID: the segment of another file that is to follow
    names = element("3e83bb", neighbour.name.encode()) + element("3c83ab", neighbour.name.encode())
    chapter = element("b6", element("73c4", b"\1"), element("91", b"\0"), element("6e67", b"n" * 16))
    cluster = element("1f43b675", element("e7", b"\0"), element("a3", b"\x81\0\0\x80" + _TONE))
    return {
        "matroska-linked": matroska(
            element("1549a966", element("2ad7b1", b"\x0f\x42\x40"), uid, names),
            element("1043a770", element("45b9", element("45dd", b"\1"), chapter)),
            element("1654ae6b", pcm_track(1)),
            cluster,
        ),
        "id3-links": id3(
            id3_frame(b"LINK", b"TIT2" + address + b"/link\0"),
            id3_frame(b"WOAF", address + b"/woaf"),
            picture(b"-->", address + b"/cover.jpg"),
        )
        + mp3,
        "asf-script": _with_script(wma, url),
        "ogg-skeleton": _with_skeleton(vorbis, address),
    }


def _alias(path: Path) -> bytes:
    """Return an alias record (Inside Macintosh: Files, "Alias records") with an absolute path, as FFmpeg reads it."""
    name, absolute = path.name.encode(), b"disk" + str(path).replace("/", ":").encode()
    absolute += b"\0" * (len(absolute) & 1)
    head = struct.pack(">10xB27s12xB63s16xHH16x", 4, b"disk", len(name), name, 1, 1)
    return head + struct.pack(">HH", 2, len(absolute)) + absolute + struct.pack(">HH", 0xFFFF, 0)


def _with_script(wma: bytes, url: str) -> bytes:
    """Return the ASF file with a Script Command Object (ASF specification, 3.6) that sends players to a URL."""
    name, value = "URL".encode("utf-16-le"), f"{url}/asf".encode("utf-16-le")
    commands = struct.pack("<HHH", 1, 1, len(name) // 2) + name + struct.pack("<IHH", 0, 0, len(value) // 2) + value
    script = _ASF_SCRIPT + struct.pack("<Q", 24 + 16 + len(commands)) + bytes(16) + commands
    size, objects = struct.unpack_from("<QI", wma, 16)
    head = wma[:16] + struct.pack("<QI", size + len(script), objects + 1) + wma[28:30]
    return head + script + wma[30:]


def _with_skeleton(vorbis: bytes, address: bytes) -> bytes:
    """Return the Ogg file with a Skeleton track (Ogg Skeleton 4.0) whose header fields hold a URL."""
    second = vorbis.index(b"OggS", 4)
    head = ogg_page(b"fishead\0\4\0\0\0" + bytes(68), serial=7, flags=2)
    fields = b"fisbone\0" + struct.pack("<I", 44) + bytes(40) + b"Location: " + address + b"/ogg\r\n"
    return head + vorbis[:second] + ogg_page(fields, serial=7, number=1) + vorbis[second:]
