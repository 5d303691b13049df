"""Detect a file's type from its first bytes: extension, media type, name, and whether it can be audio."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A file type. ``is_audio`` is None where the bytes leave it open: video containers and unknown bytes."""

    extension: str
    content_type: str
    is_audio: bool | None
    name: str


def audio(extension: str, content_type: str, name: str) -> Sniffed:
    """Return a type that contains only audio."""
    return Sniffed(extension, content_type, is_audio=True, name=name)


def maybe(extension: str, content_type: str, name: str) -> Sniffed:
    """Return a type that may contain audio."""
    return Sniffed(extension, content_type, is_audio=None, name=name)


def other(extension: str, content_type: str, name: str) -> Sniffed:
    """Return a type that cannot be measured as audio."""
    return Sniffed(extension, content_type, is_audio=False, name=name)


UNKNOWN = maybe("bin", "application/octet-stream", "an unknown file type")
EMPTY = other("bin", "application/octet-stream", "an empty file")

MP3 = audio("mp3", "audio/mpeg", "an MP3 file")
MP2 = audio("mp2", "audio/mpeg", "an MPEG Layer II file")
MP1 = audio("mp1", "audio/mpeg", "an MPEG Layer I file")
AAC = audio("aac", "audio/aac", "an AAC file")
AC3 = audio("ac3", "audio/ac3", "an AC-3 file")
EAC3 = audio("eac3", "audio/eac3", "an E-AC-3 file")
MIDI = other("mid", "audio/midi", "a MIDI file, which contains notes rather than sound")
HTML = other("html", "text/html", "an HTML page")
XML = other("xml", "application/xml", "an XML document")
JSON = other("json", "application/json", "a JSON document")
M3U = other("m3u", "audio/mpegurl", "an M3U playlist")
PLS = other("pls", "audio/x-scpls", "a PLS playlist")
VTT = other("vtt", "text/vtt", "WebVTT subtitles")
TEXT = other("txt", "text/plain", "plain text")

MAGIC: dict[bytes, Sniffed] = {
    b"fLaC": audio("flac", "audio/flac", "a FLAC file"),
    b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00": audio("w64", "audio/x-w64", "a Wave64 file"),
    b"#!AMR-WB": audio("awb", "audio/amr-wb", "an AMR-WB file"),
    b"#!AMR": audio("amr", "audio/amr", "an AMR file"),
    b"MAC ": audio("ape", "audio/x-ape", "a Monkey's Audio file"),
    b"wvpk": audio("wv", "audio/x-wavpack", "a WavPack file"),
    b"TTA1": audio("tta", "audio/x-tta", "a True Audio file"),
    b"TTA2": audio("tta", "audio/x-tta", "a True Audio file"),
    b"caff": audio("caf", "audio/x-caf", "a Core Audio file"),
    b".snd": audio("au", "audio/basic", "an AU file"),
    b"MPCK": audio("mpc", "audio/x-musepack", "a Musepack file"),
    b"MP+": audio("mpc", "audio/x-musepack", "a Musepack file"),
    b"DSD ": audio("dsf", "audio/x-dsf", "a DSF file"),
    b"FRM8": audio("dff", "audio/x-dff", "a DSDIFF file"),
    b"OFR ": audio("ofr", "audio/x-optimfrog", "an OptimFROG file"),
    b"tBaK": audio("tak", "audio/x-tak", "a TAK file"),
    b"ADIF": AAC,
    b"NIST_1A\n": audio("sph", "audio/x-nist", "a NIST SPHERE file"),
    b"Creative Voice File\x1a": audio("voc", "audio/x-voc", "a Creative Voice file"),
    b".ra\xfd": audio("ra", "audio/vnd.rn-realaudio", "a RealAudio file"),
    b"\x7f\xfe\x80\x01": audio("dts", "audio/vnd.dts", "a DTS file"),
    b".RMF": maybe("rm", "application/vnd.rn-realmedia", "a RealMedia file"),
    b"FLV\x01": maybe("flv", "video/x-flv", "a Flash video"),
    b"\x00\x00\x01\xba": maybe("mpg", "video/mpeg", "an MPEG video"),
    b"MThd": MIDI,
    b"\xff\xd8\xff": other("jpg", "image/jpeg", "a JPEG image"),
    b"\x89PNG\r\n\x1a\n": other("png", "image/png", "a PNG image"),
    b"GIF8": other("gif", "image/gif", "a GIF image"),
    b"%PDF-": other("pdf", "application/pdf", "a PDF document"),
    b"PK\x03\x04": other("zip", "application/zip", "a ZIP archive"),
    b"\x1f\x8b\x08": other("gz", "application/gzip", "a gzip archive"),
    b"Rar!\x1a\x07": other("rar", "application/vnd.rar", "a RAR archive"),
    b"7z\xbc\xaf\x27\x1c": other("7z", "application/x-7z-compressed", "a 7z archive"),
    b"\xfd7zXZ\x00": other("xz", "application/x-xz", "an xz archive"),
    b"\x28\xb5\x2f\xfd": other("zst", "application/zstd", "a Zstandard archive"),
    b"\xff\xfe<\x00": HTML,
    b"\xfe\xff\x00<": HTML,
}

RIFF = {
    b"WAVE": audio("wav", "audio/wav", "a WAV file"),
    b"AVI ": maybe("avi", "video/x-msvideo", "an AVI video"),
    b"WEBP": other("webp", "image/webp", "a WebP image"),
    b"RMID": MIDI,
}

FORM = {
    b"AIFF": audio("aiff", "audio/aiff", "an AIFF file"),
    b"AIFC": audio("aifc", "audio/aiff", "an AIFF-C file"),
    b"8SVX": audio("8svx", "audio/8svx", "an 8SVX file"),
}

MP4 = maybe("mp4", "video/mp4", "an MP4 file")
MOV = maybe("mov", "video/quicktime", "a QuickTime file")
M4A = audio("m4a", "audio/mp4", "an M4A file")
FTYP_BRANDS = {
    b"M4A ": M4A,
    b"M4B ": audio("m4b", "audio/mp4", "an M4B file"),
    b"M4P ": M4A,
    b"F4A ": M4A,
    b"qt  ": MOV,
    b"3gp": maybe("3gp", "video/3gpp", "a 3GP file"),
    b"3g2": maybe("3g2", "video/3gpp2", "a 3G2 file"),
    b"avif": other("avif", "image/avif", "an AVIF image"),
    b"heic": other("heic", "image/heic", "a HEIC image"),
    b"mif1": other("heic", "image/heif", "a HEIF image"),
}
QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")

OGG_CODECS = {
    b"\x80theora": maybe("ogv", "video/ogg", "an Ogg video"),
    b"OpusHead": audio("opus", "audio/ogg", "an Ogg Opus file"),
    b"\x01vorbis": audio("ogg", "audio/ogg", "an Ogg Vorbis file"),
    b"\x7fFLAC": audio("oga", "audio/ogg", "an Ogg FLAC file"),
    b"Speex   ": audio("spx", "audio/ogg", "an Ogg Speex file"),
}


_HTML_TAGS = (
    "!doctype html|html|head|body|title|script|meta|link|style|noscript|div|p|a|b|br|h[1-6]|center|font|span|img|iframe"
)
_HTML_START = re.compile(rf"<(?:{_HTML_TAGS})\b".encode())
_XML_START = re.compile(rb"<(?:\?xml|!--|[a-z_][\w:.-]*[\s/>])")
_JSON_START = re.compile(rb'\{\s*["}]|\[\s*[\[\]{"\d-]')
_STARTS = {b"#extm3u": M3U, b"[playlist]": PLS, b"webvtt": VTT}
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def look_for_text(head: bytes) -> Sniffed | None:
    """Return the type of text or markup that starts with ``head``; None if it is neither ASCII nor UTF-8."""
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:1024].lower()
    if _HTML_START.match(start):
        return HTML
    if _XML_START.match(start):
        return HTML if re.search(rb"<html\b", start) else XML
    named = next((kind for begin, kind in _STARTS.items() if start.startswith(begin)), None)
    if named or not _is_readable(head):
        return named
    return JSON if _JSON_START.match(start) else TEXT


def _is_readable(head: bytes) -> bool:
    try:
        # An incremental decoder accepts a character that is cut off at the end.
        decoded = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return bool(decoded.strip()) and not _CONTROLS.search(decoded)


_LAYERS = {3: MP1, 2: MP2, 1: MP3}
_SYNC_MASK = 0xE0
_MPEG_1 = 3
_RESERVED_VERSION = 1
_RESERVED_RATE = 3
_BITRATES_KBPS = {
    (True, 3): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 3): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_FRAMES_AFTER_JUNK = 3
_LAST_AC3_BSID = 10


def look_for_frames(head: bytes) -> Sniffed | None:
    """Return the type of the raw stream that starts with ``head``, or None."""
    return _ac3(head) or _adts(head) or _mpeg(head)


def _ac3(head: bytes) -> Sniffed | None:
    """Detect (E-)AC-3 by its sync word and bit stream identification (ETSI TS 102 366, 4.4.2.1 and E.1.3.1.6)."""
    if head[:2] != b"\x0b\x77" or not head[5:6]:
        return None
    return AC3 if head[5] >> 3 <= _LAST_AC3_BSID else EAC3


def _adts(head: bytes) -> Sniffed | None:
    """Detect AAC by two ADTS headers, the second one where the first frame ends (ISO/IEC 13818-7, 6.2)."""
    length = _adts_frame_bytes(head, 0)
    is_alone = length >= len(head)
    return AAC if length and (is_alone or _adts_frame_bytes(head, length)) else None


def _adts_frame_bytes(head: bytes, at: int) -> int:
    header = head[at : at + 6]
    if header[:1] != b"\xff" or not header[5:6] or header[1] & 0xF6 != 0xF0:
        return 0
    return (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5


def _mpeg(head: bytes) -> Sniffed | None:
    """Detect MPEG audio by two frames in a row at the start, or three after something else (ISO/IEC 11172-3, 2.4)."""
    first = _mpeg_frame_bytes(head, 0)
    if first and (first >= len(head) - 4 or _mpeg_frame_bytes(head, first)):
        return _layer(head, 0)
    at = head.find(b"\xff", 1)
    while at >= 0:
        if _frames_in_a_row(head, at) >= _FRAMES_AFTER_JUNK:
            return _layer(head, at)
        at = head.find(b"\xff", at + 1)
    return None


def _layer(head: bytes, at: int) -> Sniffed:
    return _LAYERS[head[at + 1] >> 1 & 3]


def _frames_in_a_row(head: bytes, at: int) -> int:
    count = 0
    while count < _FRAMES_AFTER_JUNK and (length := _mpeg_frame_bytes(head, at)):
        at += length
        count += 1
    return count


def _mpeg_frame_bytes(head: bytes, at: int) -> int:
    """Return the length of the frame whose header is at ``at``; 0 if there is none or its format is free."""
    header = head[at : at + 4]
    if header[:1] != b"\xff" or not header[3:4] or header[1] & _SYNC_MASK != _SYNC_MASK:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate_index, rate_index = header[2] >> 4, header[2] >> 2 & 3
    if version == _RESERVED_VERSION or not layer or bitrate_index in {0, 15} or rate_index == _RESERVED_RATE:
        return 0
    bitrate_bps = 1000 * _BITRATES_KBPS[version == _MPEG_1, layer][bitrate_index - 1]
    rate_hz = _RATES_HZ[version][rate_index]
    padding = header[2] >> 1 & 1
    if _LAYERS[layer] is MP1:
        return (12 * bitrate_bps // rate_hz + padding) * 4
    slots = 72 if _LAYERS[layer] is MP3 and version != _MPEG_1 else 144
    return slots * bitrate_bps // rate_hz + padding


_OGG = maybe("ogg", "application/ogg", "an Ogg file")
_MATROSKA_VIDEO = re.compile(rb"V_(?:VP8|VP9|AV1|MPEG|MS/|THEORA|REAL)")
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
_ASF_VIDEO_STREAM = b"\xc0\xef\x19\xbc\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b"
_TS_PACKET_BYTES = 188


def look_in_container(head: bytes) -> Sniffed | None:
    """Return the type of the container that starts with ``head``, or None."""
    looks = (_chunked, _iso_media, _ogg, _matroska, _asf, _transport_stream, _packed)
    return next((kind for look_for in looks if (kind := look_for(head))), None)


def _chunked(head: bytes) -> Sniffed | None:
    if head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"}:
        return RIFF.get(head[8:12])
    return FORM.get(head[8:12]) if head[:4] == b"FORM" else None


def _iso_media(head: bytes) -> Sniffed | None:
    """Detect ISO base media files by their major brand (ISO/IEC 14496-12) and QuickTime files by their first atom."""
    if head[4:8] in QUICKTIME_ATOMS:
        return MOV
    if head[4:8] != b"ftyp":
        return None
    brand = FTYP_BRANDS.get(head[8:12]) or FTYP_BRANDS.get(head[8:11])
    has_only_sound = b"soun" in head and b"vide" not in head  # the tracks' handlers, if they come first
    return brand or (M4A if has_only_sound else MP4)


def _ogg(head: bytes) -> Sniffed | None:
    """Detect Ogg files by the codecs whose first pages are in the head; video takes precedence (RFC 3533)."""
    if not head.startswith(b"OggS"):
        return None
    return next((kind for magic, kind in OGG_CODECS.items() if magic in head), _OGG)


def _matroska(head: bytes) -> Sniffed | None:
    """Detect Matroska and WebM by DocType, and video by its codec id if the tracks are in the head (RFC 9559)."""
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    has_video = _MATROSKA_VIDEO.search(head)
    if b"webm" in head[:64]:
        if has_video:
            return maybe("webm", "video/webm", "a WebM video")
        return audio("webm", "audio/webm", "a WebM file")
    if has_video:
        return maybe("mkv", "video/x-matroska", "a Matroska video")
    return audio("mka", "audio/x-matroska", "a Matroska file")


def _asf(head: bytes) -> Sniffed | None:
    if not head.startswith(_ASF):
        return None
    if _ASF_VIDEO_STREAM in head:
        return maybe("asf", "video/x-ms-asf", "an ASF video")
    return audio("wma", "audio/x-ms-wma", "a Windows Media file")


def _transport_stream(head: bytes) -> Sniffed | None:
    """Detect MPEG transport streams by the sync bytes of four packets (ISO/IEC 13818-1, 2.4.3.2)."""
    sync_bytes = head[: 4 * _TS_PACKET_BYTES : _TS_PACKET_BYTES]
    return maybe("ts", "video/mp2t", "an MPEG transport stream") if sync_bytes == b"GGGG" else None


_TAR = other("tar", "application/x-tar", "a tar archive")
_BZIP2 = other("bz2", "application/x-bzip2", "a bzip2 archive")


def _packed(head: bytes) -> Sniffed | None:
    """Detect tar archives by the magic of their first header (POSIX ustar), and bzip2 by that of its first block."""
    if head[257:262] == b"ustar":
        return _TAR
    return _BZIP2 if head[:3] == b"BZh" and head[4:10] == b"1AY&SY" else None


__all__ = ["HEAD_BYTES", "Sniffed", "sniff", "sniff_file"]

HEAD_BYTES = 4096
_ID3_HEADER_BYTES = 10


def sniff_file(path: Path) -> Sniffed:
    """Return the type of the file at ``path``, skipping an ID3 tag of any length. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        tag_bytes = _id3_bytes(head)
        if not tag_bytes:
            return sniff(head)
        file.seek(tag_bytes)
        return _tagged(file.read(HEAD_BYTES))


def sniff(head: bytes) -> Sniffed:
    """Return the type of the file that starts with ``head``: its first HEAD_BYTES, or all of a shorter file."""
    if not head:
        return EMPTY
    tag_bytes = _id3_bytes(head)
    return _tagged(head[tag_bytes:]) if tag_bytes else _untagged(head)


def _untagged(head: bytes) -> Sniffed:
    looks = (_magic, look_in_container, look_for_frames, look_for_text)
    return next((kind for look in looks if (kind := look(head))), UNKNOWN)


def _magic(head: bytes) -> Sniffed | None:
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), None)


def _id3_bytes(head: bytes) -> int:
    """Return the length of the ID3v2 tag at the start, or 0 (ID3v2.4.0 structure, sections 3.1 and 3.4)."""
    if not head.startswith(b"ID3") or len(head) < _ID3_HEADER_BYTES:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    footer_bytes = _ID3_HEADER_BYTES if head[5] & 0x10 else 0
    return _ID3_HEADER_BYTES + size + footer_bytes


def _tagged(rest: bytes) -> Sniffed:
    """Return the type of what follows an ID3 tag: MP3 unless it is clearly another audio format."""
    while tag_bytes := _id3_bytes(rest := rest.lstrip(b"\x00")):  # a tag may follow a tag
        rest = rest[tag_bytes:]
    kind = _untagged(rest)
    return kind if kind.is_audio else MP3
