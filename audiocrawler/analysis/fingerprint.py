"""Blocks in, a hash of the decoded samples out."""

from hashlib import blake2b
from typing import Any

from audiocrawler.analysis.block import Block

_DIGEST_BYTES = 16


class PcmHash:
    """BLAKE2b-128 of the samples in pydub's format: equal for files that differ in their tags only."""

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=_DIGEST_BYTES)

    def add(self, block: Block) -> None:
        """Add the samples of a block."""
        self._hash.update(block.segment.raw_data)

    def columns(self) -> dict[str, Any]:
        """Return the hash in hex."""
        return {"pcm_hash": self._hash.hexdigest()}
