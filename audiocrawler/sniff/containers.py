"""Containers that name their content further in: RIFF, IFF, ISO media, Ogg, Matroska, ASF, transport streams."""

import re

from audiocrawler.sniff.kinds import (
    FORM,
    FTYP_BRANDS,
    M4A,
    MOV,
    MP4,
    OGG_CODECS,
    QUICKTIME_ATOMS,
    RIFF,
    Sniffed,
    audio,
    maybe,
)

_OGG = maybe("ogg", "application/ogg", "an Ogg file")
_MATROSKA_VIDEO = re.compile(rb"V_(?:VP8|VP9|AV1|MPEG|MS/|THEORA|REAL)")
_ASF = b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c"
_ASF_VIDEO_STREAM = b"\xc0\xef\x19\xbc\x4d\x5b\xcf\x11\xa8\xfd\x00\x80\x5f\x5c\x44\x2b"
_TS_PACKET_BYTES = 188


def look(head: bytes) -> Sniffed | None:
    """Return the kind of the container that starts with ``head``, or None."""
    looks = (_chunked, _iso_media, _ogg, _matroska, _asf, _transport_stream)
    return next((kind for look_for in looks if (kind := look_for(head))), None)


def _chunked(head: bytes) -> Sniffed | None:
    if head[:4] in {b"RIFF", b"RIFX", b"RF64", b"BW64"}:
        return RIFF.get(head[8:12])
    return FORM.get(head[8:12]) if head[:4] == b"FORM" else None


def _iso_media(head: bytes) -> Sniffed | None:
    """Tell ISO base media files by their major brand (ISO/IEC 14496-12) and QuickTime files by their first atom."""
    if head[4:8] in QUICKTIME_ATOMS:
        return MOV
    if head[4:8] != b"ftyp":
        return None
    brand = FTYP_BRANDS.get(head[8:12]) or FTYP_BRANDS.get(head[8:11])
    has_only_sound = b"soun" in head and b"vide" not in head  # the tracks' handlers, if they come first
    return brand or (M4A if has_only_sound else MP4)


def _ogg(head: bytes) -> Sniffed | None:
    """Tell Ogg files by the codecs whose first pages are in the head; a video codec decides (RFC 3533)."""
    if not head.startswith(b"OggS"):
        return None
    return next((kind for magic, kind in OGG_CODECS.items() if magic in head), _OGG)


def _matroska(head: bytes) -> Sniffed | None:
    """Tell Matroska and WebM by DocType, and video by its codec id if the tracks are in the head (RFC 9559)."""
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
    """Tell MPEG transport streams by the sync bytes of four packets (ISO/IEC 13818-1, 2.4.3.2)."""
    sync_bytes = head[: 4 * _TS_PACKET_BYTES : _TS_PACKET_BYTES]
    return maybe("ts", "video/mp2t", "an MPEG transport stream") if sync_bytes == b"GGGG" else None
