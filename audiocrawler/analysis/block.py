"""One stretch of decoded audio, as pydub holds it and as the decoder gave it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from audiocrawler.analysis.carrier import AudioSegment

FRAME_S = 0.02
_LARGEST = 1e6
_WIDTHS = {"u8": 1, "s16": 2, "s32": 4}

Samples = NDArray[np.float64]


def frame_length(sample_rate_hz: int) -> int:
    """Return the length of a 20 ms frame in samples of one channel."""
    return max(1, round(sample_rate_hz * FRAME_S))


@dataclass(frozen=True, slots=True)
class Block:
    """Some seconds of audio, a whole number of 20 ms frames unless it is the last one."""

    segment: AudioSegment
    """The samples as whole-file pydub would hold them."""
    samples: Samples
    """The decoder's own samples, shape (samples, channels), full scale is 1."""
    powers: Samples
    """Mean square of each 20 ms frame over all channels."""


def block_of(pydub_frame: AudioFrame, own_frame: AudioFrame) -> Block:
    """Make a block of the same audio in pydub's format and in the decoder's (both packed)."""
    samples = _full_scale_one(own_frame.to_ndarray().reshape(own_frame.samples, -1))
    length = frame_length(own_frame.sample_rate)
    powers = _powers(samples, length)
    if not np.isfinite(powers).all():  # files of floats may hold anything
        samples = np.nan_to_num(samples).clip(-_LARGEST, _LARGEST)
        powers = _powers(samples, length)
    return Block(_segment(pydub_frame), samples, powers)


def _segment(frame: AudioFrame) -> AudioSegment:
    values: NDArray[Any] = frame.to_ndarray()
    if values.dtype == np.uint8:
        values = values.view(np.int8) ^ -128  # pydub's 8-bit samples are signed
    return AudioSegment(
        data=values.tobytes(),
        sample_width=_WIDTHS[frame.format.name],
        frame_rate=frame.sample_rate,
        channels=frame.layout.nb_channels,
    )


def _full_scale_one(values: NDArray[Any]) -> Samples:
    with np.errstate(invalid="ignore"):  # files of floats may hold signalling NaNs
        samples = values.astype(np.float64)
    if values.dtype == np.uint8:
        samples -= 128
    if values.dtype.kind in "iu":
        samples /= 1 << (8 * values.itemsize - 1)
    return samples


def _powers(samples: Samples, length: int) -> Samples:
    whole = len(samples) // length * length
    # einsum, because dot would start the threads of a BLAS for each block
    frames = samples[:whole].reshape(whole // length, length * samples.shape[1])
    powers = np.einsum("ij,ij->i", frames, frames) / (length * samples.shape[1])
    rest = samples[whole:].ravel()
    return np.append(powers, np.einsum("i,i->", rest, rest) / rest.size) if rest.size else powers
