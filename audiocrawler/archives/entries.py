"""A member of an archive as its directory describes it. Names are only text: no path is ever made of one."""

from collections.abc import Iterable
from dataclasses import dataclass

from audiocrawler.model.errors import ArchiveError
from audiocrawler.sniff import Sniffed

_JUNK = ("__MACOSX/",)
_PACKED = ("zip", "tar", "tgz", "tbz", "tbz2", "txz", "tzst", "tar.gz", "tar.bz2", "tar.xz", "tar.zst")
_UNREAD = ("7z", "rar", "tar.lzma", "tar.z", "tar.lz")


@dataclass(frozen=True, slots=True)
class Entry:
    """A member; ``why_not`` is why its bytes cannot be read: it is encrypted, a link, a device."""

    name: str
    size_bytes: int
    is_folder: bool = False
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Decides by its name what a member is. The extensions are in lower case, without dots."""

    audio: frozenset[str]
    video: frozenset[str] = frozenset()

    def is_audio(self, entry: Entry) -> bool:
        """Return whether the name is that of audio."""
        return not entry.is_folder and not is_junk(entry.name) and extension_of(entry.name) in self.audio

    def is_taken(self, entry: Entry, sniffed: Sniffed) -> bool:
        """Return whether a member is taken as audio: by its name, or by its first bytes unless it is a video."""
        if self.is_audio(entry):
            return True
        return bool(sniffed.is_audio) and not is_junk(entry.name) and extension_of(entry.name) not in self.video


def extension_of(name: str) -> str:
    """Return the extension in lower case, without dot; empty if there is none."""
    stem, _, extension = base_name(name).rpartition(".")
    return extension.lower() if stem else ""


def base_name(name: str) -> str:
    """Return the last segment of a name."""
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2]


def plain_name(name: str) -> str:
    """Return a name without what does not tell members apart: a leading ``./`` and backslashes for slashes."""
    plain = name.replace("\\", "/")
    while plain.startswith("./"):
        plain = plain[2:].lstrip("/")
    return plain


def is_junk(name: str) -> bool:
    """Return whether a member is a Macintosh resource fork, which has the name of the file beside it."""
    return name.startswith(_JUNK) or "/__MACOSX/" in name or base_name(name).startswith("._")


def is_archive(name: str) -> bool:
    """Return whether the name is that of an archive that can be read."""
    return name.lower().endswith(tuple(f".{each}" for each in _PACKED))


def is_unread_archive(name: str) -> bool:
    """Return whether the name is that of an archive that cannot be read."""
    return name.lower().endswith(tuple(f".{each}" for each in _UNREAD))


def demand_read(kind: Sniffed) -> None:
    """Raise ArchiveError for an archive of a kind that is not read, by its first bytes."""
    if kind.extension in _UNREAD:
        raise ArchiveError(f"{kind.name}: zip and tar are read, this is not")


@dataclass(slots=True)
class Contents:
    """What an archive's directory lists."""

    files: int = 0
    audio: int = 0
    audio_bytes: int = 0
    archives: int = 0
    is_whole: bool = True
    """Whether all members were listed."""

    def add(self, entries: Iterable[Entry], names: Names) -> None:
        """Count the entries."""
        for entry in entries:
            self.files += not entry.is_folder
            self.archives += is_archive(entry.name) and not entry.is_folder
            if names.is_audio(entry):
                self.audio += 1
                self.audio_bytes += entry.size_bytes

    def __str__(self) -> str:
        """Describe it in a row."""
        files = f"{self.files} file{'' if self.files == 1 else 's'}"
        packed = f", {self.archives} archives" if self.archives else ""
        found = f"{files}{packed}, {self.audio} of them audio of {self.audio_bytes} bytes"
        return found if self.is_whole else f"its start lists {found}"
