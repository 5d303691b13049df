"""The outcomes of an audio URL, and what each implies for its recording and for later crawls."""

from enum import Flag, StrEnum, auto
from functools import cache
from typing import Self


class Trait(Flag):
    """What a status implies; each status has exactly one of the first four."""

    OPEN = auto()
    """Not decided yet."""
    STORED = auto()
    """The bytes of the URL are in the store."""
    FAILED = auto()
    """The URL yielded no file: counted by reason, and in the ``failed`` of its crawl."""
    LEFT_OUT = auto()
    """The URL was left out on purpose."""
    FINAL = auto()
    """A later failed attempt does not overwrite it."""
    FILE_KEPT = auto()
    """Its row may refer to a file in the store, which need not be fetched again."""
    RANKED = auto()
    """Which of these it is depends on the other URLs of the same bytes: the smallest one is stored."""
    REFUSED = auto()
    """The bytes were refused, and will be again while the analyser and the limits are unchanged."""
    ONE_FILE = auto()
    """Applies to one file: an alternate may be taken instead."""
    RECORDING = auto()
    """Applies to the recording, whichever of its files is requested."""


KINDS = Trait.OPEN | Trait.STORED | Trait.FAILED | Trait.LEFT_OUT


class Status(StrEnum):
    """The outcome of an audio URL, with traits and meaning, in the order of the summary table."""

    traits: Trait
    meaning: str

    def __new__(cls, value: str, traits: Trait = Trait.OPEN, meaning: str = "") -> Self:
        """Create a member with its traits and meaning."""
        status = str.__new__(cls, value)
        status._value_ = value
        status.traits, status.meaning = traits, meaning
        return status

    PENDING = "pending", Trait.OPEN, "found, not tried yet"
    STORED = (
        "stored",
        Trait.STORED | Trait.FINAL | Trait.FILE_KEPT | Trait.RANKED,
        "its bytes are stored and measured",
    )
    DUPLICATE = (
        "duplicate",
        Trait.STORED | Trait.FINAL | Trait.FILE_KEPT | Trait.RANKED,
        "its bytes are stored, and another URL has the row's title",
    )
    UNCHANGED = (
        "unchanged",
        Trait.STORED | Trait.FINAL | Trait.FILE_KEPT,
        "an earlier crawl has stored the same bytes from it",
    )
    FAILED = "failed", Trait.FAILED | Trait.ONE_FILE, "could not be fetched: an error of the server or the network"
    ROBOTS = "robots", Trait.FAILED | Trait.ONE_FILE, "robots.txt does not allow it"
    NOT_AUDIO = (
        "not_audio",
        Trait.FAILED | Trait.REFUSED | Trait.ONE_FILE,
        "got something else: a page, an image",
    )
    UNDECODABLE = (
        "undecodable",
        Trait.FAILED | Trait.REFUSED | Trait.ONE_FILE,
        "looks like audio, but no sample could be decoded; a damaged archive",
    )
    TOO_LARGE = "too_large", Trait.FAILED | Trait.ONE_FILE, "larger than `AUDIO_MAX_BYTES`"
    GONE = (
        "gone",
        Trait.FAILED | Trait.FINAL | Trait.FILE_KEPT | Trait.ONE_FILE,
        "existed before, or the server says that it is gone",
    )
    PROTECTED = "protected", Trait.FAILED | Trait.ONE_FILE, "encrypted; not downloaded"
    DENIED = "denied", Trait.FAILED | Trait.ONE_FILE, "it leads to an address that is not public, see Safety"
    OPTED_OUT = (
        "opted_out",
        Trait.FAILED | Trait.RECORDING,
        "opted out of AI training by its host, its page or itself; `opt_out` says where",
    )
    FILTERED = (
        "filtered",
        Trait.LEFT_OUT | Trait.REFUSED | Trait.ONE_FILE,
        (
            "outside the bounds of the settings, or of a kind that is not taken: an archive without "
            "`archives=expand`, a video without `video=yes`"
        ),
    )
    EXPANDED = (
        "expanded",
        Trait.LEFT_OUT | Trait.REFUSED | Trait.FINAL,
        "an archive: the audio in it has rows of its own",
    )
    LIMIT = "limit", Trait.LEFT_OUT, "left out because `limit` was reached"
    STREAM = "stream", Trait.LEFT_OUT | Trait.ONE_FILE, "a radio stream without end: noted, not downloaded"
    ALTERNATE = (
        "alternate",
        Trait.LEFT_OUT,
        (
            "another file of the same recording is taken, or opts it out; `-a alternates=all` takes each. If that one "
            "fails, is not audio, cannot be decoded or is too large or too short, the next is tried"
        ),
    )
    TAKEN_DOWN = (
        "taken_down",
        Trait.LEFT_OUT | Trait.FINAL | Trait.RECORDING,
        "`scrapy takedown` has removed it, or its bytes or its host; it is never fetched again",
    )

    @classmethod
    @cache
    def having(cls, trait: Trait) -> "tuple[Status, ...]":
        """Return the statuses with this trait, in order."""
        return tuple(status for status in cls if trait in status.traits)


def quoted(trait: Trait) -> str:
    """Return the statuses with this trait as an SQL list: 'stored', 'duplicate'."""
    return ", ".join(f"'{status}'" for status in Status.having(trait))
