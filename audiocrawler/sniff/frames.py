"""Raw streams without a file header, told by the headers of their frames: MPEG audio, ADTS, AC-3."""

from audiocrawler.sniff.kinds import AAC, AC3, EAC3, MP1, MP2, MP3, Sniffed

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


def look(head: bytes) -> Sniffed | None:
    """Return the kind of the raw stream that starts with ``head``, or None."""
    return _ac3(head) or _adts(head) or _mpeg(head)


def _ac3(head: bytes) -> Sniffed | None:
    """Tell (E-)AC-3 by its sync word and bit stream identification (ETSI TS 102 366, 4.4.2.1 and E.1.3.1.6)."""
    if head[:2] != b"\x0b\x77" or not head[5:6]:
        return None
    return AC3 if head[5] >> 3 <= _LAST_AC3_BSID else EAC3


def _adts(head: bytes) -> Sniffed | None:
    """Tell AAC by two ADTS headers, the second where the first says (ISO/IEC 13818-7, 6.2)."""
    length = _adts_frame_bytes(head, 0)
    is_alone = length >= len(head)
    return AAC if length and (is_alone or _adts_frame_bytes(head, length)) else None


def _adts_frame_bytes(head: bytes, at: int) -> int:
    header = head[at : at + 6]
    if header[:1] != b"\xff" or not header[5:6] or header[1] & 0xF6 != 0xF0:
        return 0
    return (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5


def _mpeg(head: bytes) -> Sniffed | None:
    """Tell MPEG audio by two frames in a row at the start, or by three after something else (ISO/IEC 11172-3, 2.4)."""
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
    """Return the length of the frame whose header is at ``at``; 0 where there is none, or of free format."""
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
