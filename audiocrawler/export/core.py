"""What a set is to be in; which rows are in it, and why the others are not, out."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Literal

from audiocrawler.export.columns import Row
from audiocrawler.model.errors import ConfigurationError

SplitBy = Literal["page", "host", "artist", "none"]
SPLIT_COLUMNS = {"page": "page_url", "host": "host", "artist": "artist", "none": None}
OPEN = "open"
"""In place of licences: those that ask for no more than credit and the same terms."""
_OPEN_LICENSES = re.compile(r"CC0-1\.0|PDDL-1\.0|CC-BY(?:-SA)?(?:-\d\.\d(?:-[A-Z]+)?)?")
KEPT = {"opted-out": "opted out", "partial": "partial", "silent": "silent"}
"""What ``--with`` may name -> the reason for which such rows are left out otherwise."""
SAME_SAMPLES = "same samples"
NO_HASH = "no sha256"
OPUS_RATE_HZ = 48_000
"""Where no other is asked for."""
ONE_SPLIT, TWO_SPLITS, THREE_SPLITS = ("train",), ("train", "test"), ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Sound:
    """How the audio of a set is to be."""

    kind: Literal["original", "flac", "wav", "opus"] = "original"
    rate_hz: int | None = None
    """None keeps the rate of each file."""
    mono: bool = False

    @property
    def is_original(self) -> bool:
        """Whether the bytes stay as they are."""
        return self.kind == "original"

    @property
    def changes(self) -> str:
        """What was done to the audio, in the words that an attribution needs."""
        if self.is_original:
            return "none"
        parts = [f"{self.rate_hz / 1000:g} kHz" if self.rate_hz else "", "mono" if self.mono else ""]
        verb = "resampled" if self.rate_hz else "converted"
        depth = "" if self.kind == "opus" else " (16 bit)"
        return " ".join([verb, "to", *filter(None, parts), self.kind.upper().replace("OPUS", "Opus")]) + depth


@dataclass(frozen=True, slots=True)
class Spec:
    """What a set is to be: what the command was told, without where it is written."""

    format: str = "hf"
    where: str = ""
    licenses: frozenset[str] = frozenset()
    """SPDX identifiers and ``open``; none for all, stated or not."""
    kept: frozenset[str] = frozenset()
    shares: tuple[int, ...] = (100,)
    """Percent of each split."""
    split_by: SplitBy = "page"
    sound: Sound = field(default_factory=Sound)
    text: str = ""

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of the splits."""
        return {1: ONE_SPLIT, 2: TWO_SPLITS, 3: THREE_SPLITS}[len(self.shares)]

    def command(self) -> str:
        """Return the command line that makes the set, but for where."""
        given = {
            "--format": self.format,
            "--where": self.where,
            "--licenses": ",".join(sorted(self.licenses)),
            "--with": ",".join(sorted(self.kept)),
            "--split": "/".join(map(str, self.shares)) if len(self.shares) > 1 else "",
            "--split-by": self.split_by if len(self.shares) > 1 else "",
            "--audio": "" if self.sound.is_original else self.sound.kind,
            "--rate": str(self.sound.rate_hz or ""),
            "--text": self.text,
        }
        words = [word for name, value in given.items() if value for word in (name, value)]
        return shlex.join(["scrapy", "export", *words, *self._mono()])

    def _mono(self) -> list[str]:
        if self.sound.is_original or self.sound.mono == mono_unless_told(self.format, self.sound.kind):
            return []
        return ["--mono" if self.sound.mono else "--no-mono"]


def mono_unless_told(format_name: str, kind: str) -> bool:
    """Return whether converted audio of a set is mono where nobody says: NeMo reads one channel only."""
    return kind != "original" and format_name in {"nemo", "nemo-tarred"}


OPUS_RATES_HZ = (OPUS_RATE_HZ, 24_000, 16_000, 12_000, 8_000)
"""What an Opus encoder takes (RFC 6716, section 2)."""
RATES_HZ = range(1_000, 384_001)


def check_sound(sound: Sound) -> None:
    """Raise ConfigurationError where this sound cannot be made."""
    if sound.is_original and (sound.rate_hz or sound.mono):
        option = "--rate" if sound.rate_hz else "--mono"
        raise ConfigurationError(f"{option}: needs --audio flac, wav or opus; original bytes stay as they are")
    rates = OPUS_RATES_HZ if sound.kind == "opus" else RATES_HZ
    if sound.rate_hz and sound.rate_hz not in rates:
        known = ", ".join(map(str, OPUS_RATES_HZ)) if sound.kind == "opus" else "1000 to 384000"
        raise ConfigurationError(f"--rate {sound.rate_hz}: is not a rate of {sound.kind}; choose from {known}")


def shares_of(text: str) -> tuple[int, ...]:
    """Return the shares that ``90/5/5`` names; raises ConfigurationError."""
    parts = text.split("/")
    shares = tuple(int(part) for part in parts if re.fullmatch(r"\d{1,3}", part.strip()))
    if len(shares) != len(parts) or len(shares) > 3 or sum(shares) != 100 or 0 in shares:
        raise ConfigurationError(
            f"--split {text}: write two or three whole percentages that add up to 100, such as 90/10 or 90/5/5"
        )
    return shares


def reason_against(row: Row, spec: Spec) -> str | None:
    """Return why a row is not in the set by what it says itself; None if it is."""
    if not row.get("sha256"):
        return NO_HASH
    traits = {
        "opted-out": bool(row.get("opt_out")),
        "partial": row.get("status") == "partial",
        "silent": bool(row.get("is_silent")),
    }
    first = next((name for name, holds in traits.items() if holds and name not in spec.kept), None)
    return KEPT[first] if first else _licence_against(row.get("license"), spec.licenses)


def _licence_against(stated: str | None, wanted: frozenset[str]) -> str | None:
    if not wanted or stated in wanted or (OPEN in wanted and _OPEN_LICENSES.fullmatch(stated or "")):
        return None
    return "other licence" if stated else "no licence"


def split_of(group: str, spec: Spec) -> str:
    """Return the split of a group: by its hash alone, so that it stays when the collection grows."""
    point = int.from_bytes(blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8).digest()) / (1 << 64) * 100
    end = 0
    for name, share in zip(spec.splits, spec.shares, strict=True):
        end += share
        if point < end:
            return name
    return spec.splits[-1]


def keys_of(row: Row, spec: Spec) -> tuple[str, list[str]]:
    """Return the name of a row's group where no other row is in it, and all that ties rows together."""
    column = SPLIT_COLUMNS[spec.split_by]
    value: Any = row.get(column) if column else None
    own = f"{column} {value}" if value else f"sha256 {row['sha256']}"
    return own, [own, *([f"group_id {row['group_id']}"] if row.get("group_id") else [])]


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with the word for so many."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def listed(words: Iterable[str]) -> str:
    """Return words with commas between."""
    return ", ".join(words)
