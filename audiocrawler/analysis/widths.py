"""A codec and its announced sample format in, the sample format in which pydub would hold the audio out."""

import re

_EIGHT_BITS = {"pcm_alaw", "pcm_mulaw", "pcm_vidc", "pcm_sga"}
_FORMAT_OF_BITS = {8: "u8", 16: "s16"}


def pydub_format(codec: str, announced_format: str) -> str:
    """Return u8, s16 or s32 (FFmpeg's names), as chosen by ``pydub.AudioSegment.from_file``.

    pydub asks for the bits per sample of the codec, or of the announced format where the codec has none, but takes 16
    for MP3 and AAC that are announced as floats.
    """
    if codec in {"mp3", "aac"} and announced_format == "fltp":
        return "s16"
    return _FORMAT_OF_BITS.get(codec_bits(codec) or _format_bits(announced_format), "s32")


def codec_bits(codec: str) -> int | None:
    """Return the bits per sample that the codec's name fixes, as FFmpeg's ``av_get_bits_per_sample`` does."""
    if codec in _EIGHT_BITS or codec.startswith("dsd_"):
        return 8
    pcm = re.match(r"pcm_[fsu](\d+)", codec)
    return int(pcm[1]) if pcm else None


def _format_bits(announced_format: str) -> int:
    integer = re.match(r"[su](\d+)", announced_format)
    return int(integer[1]) if integer else 32
