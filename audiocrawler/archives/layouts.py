"""Find transcripts in the tables that corpora have beside their audio.

Each layout gets the name of a table and its lines, and yields the names of audio members without their extensions, with
the text. Names are those in the archive; a table may name members that are not there.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator

from audiocrawler.archives.entries import base_name, extension_of

Transcripts = Iterator[tuple[str, str]]
Layout = Callable[[str, Iterable[str]], Transcripts]

MAX_TEXT_LENGTH = 4000
_MAX_LINE_LENGTH = 1 << 16
_FILE_COLUMNS = ("file_name", "filename", "file", "path", "audio", "audio_file", "wav_filename")
_TEXT_COLUMNS = ("sentence", "transcription", "transcript", "normalized_text", "raw_transcription", "text")
_ALIGNMENT = re.compile(r"\d+(?:\.\d+)?\s+\d+(?:\.\d+)?(?:\s|$)")
"""A line of a label file with times, whose labels are phones."""
_AUDIO_FOLDERS = ("wav48_silence_trimmed", "wav48", "wav16", "wav")
_MICROPHONES = ("", "_mic1", "_mic2")


def librispeech(name: str, lines: Iterable[str]) -> Transcripts:
    """Read ``84-121123.trans.txt``: an utterance and its text a line; also ``text`` and ``*.trans`` of Kaldi."""
    for line in lines:
        utterance, _, text = line.strip().partition(" ")
        if utterance and text.strip():
            yield _beside(name, utterance), text.strip()


def ljspeech(name: str, lines: Iterable[str]) -> Transcripts:
    """Read ``metadata.csv`` of LJSpeech: id, text and normalised text, separated by bars."""
    for line in lines:
        identifier, _, texts = line.rstrip("\r\n").partition("|")
        first, _, normalised = texts.partition("|")
        if identifier and (text := normalised.strip() or first.strip()):
            yield _beside(name, f"wavs/{_stem(identifier)}"), text
            yield _beside(name, _stem(identifier)), text


def common_voice(name: str, lines: Iterable[str]) -> Transcripts:
    """Read ``validated.tsv`` and the like: a header that names the columns, tabs between them, quotes as they are."""
    rows = csv.reader(_bounded(lines), delimiter="\t", quoting=csv.QUOTE_NONE)
    yield from _by_columns(name, rows, "clips/")


def folder(name: str, lines: Iterable[str]) -> Transcripts:
    """Read ``metadata.csv`` with a header that names a column of files and one of texts."""
    yield from _by_columns(name, csv.reader(_bounded(lines)), "")


def vctk(name: str, lines: Iterable[str]) -> Transcripts:
    """Read ``txt/p225/p225_001.txt``: one text for the files of the same name in the folders of audio."""
    text, stem = _whole(lines), _without_extension(name)
    root, found, rest = f"/{stem}".rpartition("/txt/")
    if text and found:
        for each in _AUDIO_FOLDERS:
            yield from ((f"{root}/{each}/{rest}{microphone}".lstrip("/"), text) for microphone in _MICROPHONES)


def beside(name: str, lines: Iterable[str]) -> Transcripts:
    """Read ``a.lab``, ``a.txt`` or ``a.normalized.txt`` (LibriTTS): the text of the audio of the same name."""
    text = _whole(lines)
    if text and not _ALIGNMENT.match(text):
        yield _without_extension(_without_extension(name, ".normalized.txt", ".original.txt")), text


def layout_of(name: str, first_line: str) -> Layout | None:
    """Return the layout of a member by its name and its first line; None if it is no table."""
    base, extension = base_name(name).lower(), extension_of(name)
    if base.endswith((".trans.txt", ".trans")) or base in {"text", "transcript.txt", "transcripts.txt"}:
        return librispeech
    if extension == "tsv":
        return common_voice
    if extension == "csv":
        is_barred = first_line.count("|") > first_line.count(",")
        return ljspeech if is_barred else folder
    if extension == "txt" and "/txt/" in f"/{name}":
        return vctk
    return beside if extension in {"lab", "txt"} and not is_about(name) else None


def is_about(name: str) -> bool:
    """Return whether a member says something of the archive: a licence or a readme."""
    return _kind_of_about(name) is not None


def is_licence(name: str) -> bool:
    """Return whether a member is the licence itself."""
    return _kind_of_about(name) == "licence"


_ABOUT = re.compile(
    r"(?:(licen[sc]es?|copying|copyright)|(readme|about))[^/]*?(?:\.(?:txt|md|rst|html?))?", re.IGNORECASE
)


def _kind_of_about(name: str) -> str | None:
    match = _ABOUT.fullmatch(base_name(name))
    if match is None:
        return None
    return "licence" if match[1] else "readme"


def _by_columns(name: str, rows: Iterator[list[str]], clips: str) -> Transcripts:
    header = [column.strip().lower() for column in next(rows, [])]
    file_at = next((header.index(each) for each in _FILE_COLUMNS if each in header), None)
    text_at = next((header.index(each) for each in _TEXT_COLUMNS if each in header), None)
    if file_at is None or text_at is None:
        return
    for row in rows:
        if len(row) > max(file_at, text_at) and (text := row[text_at].strip()) and row[file_at].strip():
            stem = _without_extension(row[file_at].strip())
            yield _beside(name, f"{clips}{stem}"), text
            if clips:
                yield _beside(name, stem), text


def _bounded(lines: Iterable[str]) -> Iterator[str]:
    return (line[:_MAX_LINE_LENGTH].replace("\0", "") for line in lines)


def _whole(lines: Iterable[str]) -> str:
    text: list[str] = []
    length = 0
    for line in lines:
        text.append(line.strip())
        length += len(line)
        if length > MAX_TEXT_LENGTH:
            break
    return " ".join(filter(None, text))


def _beside(name: str, other: str) -> str:
    place, slash, _ = name.rpartition("/")
    return f"{place}{slash}{other}"


def _stem(name: str) -> str:
    return (
        _without_extension(name.strip())
        if extension_of(name) in {"wav", "flac", "mp3", "ogg", "opus"}
        else name.strip()
    )


def _without_extension(name: str, *known: str) -> str:
    for each in known:
        if name.lower().endswith(each):
            return name[: -len(each)] + ".txt"
    extension = extension_of(name)
    return name[: -len(extension) - 1] if extension else name


def stem_of(name: str) -> str:
    """Return the name under which a layout yields the text of an audio member."""
    return _without_extension(name)
