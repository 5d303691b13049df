"""pydub, imported without its warning about a missing ffmpeg program, which nothing here needs."""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "Couldn't find ff", RuntimeWarning)
    from pydub import AudioSegment
    from pydub.utils import ratio_to_db

__all__ = ["AudioSegment", "ratio_to_db"]
