"""The files of /many/: short tones, each of another pitch, so that each has other bytes."""

import io
import math
import struct
import wave

_RATE_HZ = 8_000
_SECONDS = 0.25


def tone_wav(number: int) -> bytes:
    """Return a mono 16-bit WAV file with a tone of 200 + 10 * ``number`` Hz."""
    step = 2 * math.pi * (200 + 10 * number) / _RATE_HZ
    samples = [round(6_000 * math.sin(step * n)) for n in range(int(_RATE_HZ * _SECONDS))]
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE_HZ)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return buffer.getvalue()


def tone_path(number: int) -> str:
    """Return the path of the tone on the site."""
    return f"/many/tone-{number:02}.wav"
