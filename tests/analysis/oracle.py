"""Whole-file pydub, with the ffmpeg program of the imageio-ffmpeg wheel.

The wheel has no ffprobe; what pydub asks it for, the codec and sample format of the first audio stream, is read from
what ffmpeg prints about its input. pydub's own rules then choose the sample width.
"""

import re
import subprocess
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pydub.audio_segment
from pydub import AudioSegment
from pydub.utils import get_extra_info

_FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def whole_file(path: Path) -> AudioSegment:
    """Return what ``AudioSegment.from_file`` makes of a file."""
    return AudioSegment.from_file(str(path))


def _probed(path: str, read_ahead_limit: int = -1) -> dict[str, Any]:
    command = [_FFMPEG, "-hide_banner", "-i", path]
    printed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).stderr.decode()
    audio = re.search(r"Stream #0:(\d+).*?: Audio: (\w+)", printed)
    assert audio, printed
    tokens = get_extra_info(printed)[int(audio[1])]
    codec, sample_format = audio[2], next(t.split()[0] for t in tokens if re.match(r"([su]\d+|flt|dbl)p?\b", t))
    return {
        "streams": [
            {
                "codec_type": "audio",
                "codec_name": codec,
                "sample_fmt": sample_format,
                "bits_per_sample": _bits(codec, sample_format),
            }
        ]
    }


def _bits(codec: str, sample_format: str) -> int:
    if codec in {"pcm_mulaw", "pcm_alaw"}:
        return 8
    found = re.match(r"pcm_[a-z](\d+)", codec) or re.match(r"[su](\d+)", sample_format)
    return int(found[1]) if found else 32


AudioSegment.converter = _FFMPEG
pydub.audio_segment.mediainfo_json = _probed
