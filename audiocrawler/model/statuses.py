"""What became of an audio URL, and what each status says of the URL, of its recording and of later crawls."""

from enum import Flag, StrEnum, auto
from functools import cache
from typing import Self


class Trait(Flag):
    """What a status says; of the first four each status has exactly one, its kind."""

    OPEN = auto()
    """Nothing is decided yet."""
    STORED = auto()
    """The bytes of the URL are in the store."""
    FAILED = auto()
    """The URL has brought no file: counted by reason, and in the ``failed`` of its crawl."""
    LEFT_OUT = auto()
    """The URL was left out on purpose."""
    FINAL = auto()
    """A later failed attempt does not overwrite it."""
    FILE_KEPT = auto()
    """Its row may have a file in the store, which need not be fetched again."""
    RANKED = auto()
    """Which of these it is depends on the other URLs of the same bytes: the smallest is stored."""
    REFUSED = auto()
    """The bytes were refused: the same bytes will be, as long as the analyser and the bounds are the same."""
    ONE_FILE = auto()
    """It tells of one file: another one of the recording may be taken in its place."""
    RECORDING = auto()
    """It tells of the recording, whichever of its files is asked for."""


KINDS = Trait.OPEN | Trait.STORED | Trait.FAILED | Trait.LEFT_OUT


class Status(StrEnum):
    """What became of an audio URL, with its traits and its meaning, in the order of the table at a crawl's end."""

    traits: Trait
    meaning: str

    def __new__(cls, value: str, traits: Trait = Trait.OPEN, meaning: str = "") -> Self:
        """Return the member of this value."""
        status = str.__new__(cls, value)
        status._value_ = value
        status.traits, status.meaning = traits, meaning
        return status

    PENDING = "pending", Trait.OPEN, "found, and not yet tried"
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
    FAILED = "failed", Trait.FAILED | Trait.ONE_FILE, "the server or the network did not give it"
    ROBOTS = "robots", Trait.FAILED | Trait.ONE_FILE, "robots.txt does not allow it"
    NOT_AUDIO = (
        "not_audio",
        Trait.FAILED | Trait.REFUSED | Trait.ONE_FILE,
        "something else came: a page, an image",
    )
    UNDECODABLE = (
        "undecodable",
        Trait.FAILED | Trait.REFUSED | Trait.ONE_FILE,
        "audio by its looks, but no sample could be decoded",
    )
    TOO_LARGE = "too_large", Trait.FAILED | Trait.ONE_FILE, "larger than `AUDIO_MAX_BYTES`"
    GONE = (
        "gone",
        Trait.FAILED | Trait.FINAL | Trait.FILE_KEPT | Trait.ONE_FILE,
        "it was there once, or the server says that it is gone",
    )
    PROTECTED = "protected", Trait.FAILED | Trait.ONE_FILE, "encrypted; it is not touched"
    DENIED = "denied", Trait.FAILED | Trait.ONE_FILE, "it leads to an address that is not public, see Safety"
    OPTED_OUT = (
        "opted_out",
        Trait.FAILED | Trait.RECORDING,
        "its host, its page or itself asks that AI is not trained with it; `opt_out` says where",
    )
    FILTERED = "filtered", Trait.LEFT_OUT | Trait.REFUSED | Trait.ONE_FILE, "outside the bounds of the settings"
    LIMIT = "limit", Trait.LEFT_OUT, "left out because `limit` was reached"
    STREAM = "stream", Trait.LEFT_OUT | Trait.ONE_FILE, "a radio stream without end: noted, not downloaded"
    ALTERNATE = (
        "alternate",
        Trait.LEFT_OUT,
        (
            "another file of the same recording is taken, or opts it out; `-a alternates=all` takes each. If that one "
            "fails, is no audio, cannot be decoded or is too large or too short, the next is tried"
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
    """Return the statuses with this trait as an SQL statement lists them: 'stored', 'duplicate'."""
    return ", ".join(f"'{status}'" for status in Status.having(trait))
