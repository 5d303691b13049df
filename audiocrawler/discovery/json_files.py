"""Which members of a JSON object name a file: by the member's name, a declared type, or a file name beside it."""

import re
from functools import lru_cache
from typing import Any

from audiocrawler.discovery.kinds import AUDIO_EXTENSIONS, extension_of

_AUDIO = """
audio audio_download audio_file audio_filepath audio_link audio_path audio_src audio_uri audio_url audiodownload
audiofile audiofilepath audiolink audiopath audiosrc audiouri audiourl sound_url soundurl wav_path
"""
AUDIO_KEYS = frozenset(_AUDIO.split())
"""Members that contain the URL of audio, whether it has an extension or not."""
AUDIO_HOLDERS = AUDIO_KEYS | {"enclosure", "sound"}
"""Members that may contain an object about audio."""
KEYS_IN_AUDIO = frozenset(("file", "href", "src", "uri", "url"))
"""Members of such an object that contain its file's URL."""
_FILE = """
body contenturl download download_link download_url downloadlink downloadurl enclosure enclosure_url enclosureurl file
file_path file_url filename filepath fileurl media_url medialink mediaurl play_url playurl readingorder resource
source_url sourceurl src stream stream_url streamurl
"""
FILE_NAME = "file_name"
"""In the metadata of data sets, the path of a file beside them (Hugging Face, AudioFolder)."""
FILE_KEYS = AUDIO_KEYS | frozenset(_FILE.split())
"""Members that always contain a file's URL, never its page's."""
PLACE_KEYS = frozenset(("@id", "content", "href", "id", "link", "location", "self", "source", "uri", "url"))
"""Members that contain a file's URL, or its page's if the file is in another member."""
URL_KEYS = FILE_KEYS | PLACE_KEYS | {FILE_NAME}
_TYPE_KEYS = (
    *("mime_type", "mimetype", "encodingformat", "contenttype", "content_type", "fileformat", "mime", "mediatype"),
    *("media_type", "format", "type"),
)
_NAME_KEYS = (
    *("file-name", "filename", "file_name", "original_filename", "originalfilename", "originalname", "key", "name"),
    *("path", "title", "label"),
)
_LINKS = frozenset(("links", "_links", "attributes", "file", "datafile"))

Members = dict[str, Any]


def type_in(members: Members) -> str | None:
    """Return the media type that an object declares."""
    values = (members.get(key) for key in _TYPE_KEYS)
    declared = next((each for each in values if isinstance(each, str) and "/" in each and each.isascii()), None)
    formats = (each for each in map(members.get, _FORMAT_KEYS) if isinstance(each, str))
    return declared or next((_FORMATS[each] for each in formats if each in _FORMATS), None)


_FORMAT_KEYS = ("filetype", "file_type", "format", "ext", "extension", "codec")
_FORMATS = {
    name: f"audio/{subtype}"
    for name, subtype in (
        *(("mp3", "mpeg"), ("wav", "wav"), ("flac", "flac"), ("ogg", "ogg"), ("opus", "ogg"), ("m4a", "mp4")),
        *(("MP3", "mpeg"), ("WAV", "wav"), ("FLAC", "flac"), ("OGG", "ogg"), ("OPUS", "ogg"), ("M4A", "mp4")),
        *(("aac", "aac"), ("AAC", "aac")),
    )
}
"""Names of formats that stand for a media type where an object declares none."""


def names_audio_file(members: Members, parent: Members | None) -> bool:
    """Return whether an object has the name of an audio file, or the one around its links has."""
    if _has_name(members):
        return True
    around = parent or {}
    if not any(around.get(each) for each in _LINKS):
        return False
    attributes = around.get("attributes")
    return _has_name(around) or (isinstance(attributes, dict) and _has_name(attributes))


def _has_name(members: Members) -> bool:
    names = (members.get(key) for key in _NAME_KEYS)
    return any(is_audio_name(each) for each in names if isinstance(each, str))


def is_audio_name(text: str) -> bool:
    """Return whether a text may be the name of an audio file."""
    name = text.rpartition("/")[2].replace("#", "%23").replace("?", "%3F")
    return "://" not in text and "\n" not in text and extension_of(f"/{name}") in AUDIO_EXTENSIONS


def is_place_of_file(members: Members, key: str) -> bool:
    """Return whether a member can be that of the file: a more explicit one may be there."""
    return key in FILE_KEYS or not any(isinstance(members.get(each), str) for each in FILE_KEYS if each != "filename")


_FORMAT_WORDS = frozenset(("aac", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav"))
_FORMAT_KEY = re.compile(r"(?:aac|flac|m4a|mp3|oga|ogg|opus|wav)\d*")
_FORMAT_BESIDE = re.compile(
    r"\d+\w*|v\d|audio|default|download|file|full|hd|hi|high|hq|link|lo|low|lq|media|medium|original|path|play|preview|sample"
    r"|sd|source|sound|src|stream|track|uri|url|version"
)
_KEY_WORDS = re.compile(
    r"[-_.\s]+|(?<=[a-z\d])(?=(?:download|file|hd|hi|high|hq|link|lo|low|lq|sd|src|uri|url|v\d)$)"
    r"|(?:(?<=^audio)|(?<=^file)|(?<=^preview)|(?<=^stream)|(?<=^url))(?=aac|flac|m4a|mp3|oga|ogg|opus|wav)"
)


@lru_cache(maxsize=4096)
def is_format_key(key: str) -> bool:
    """Return whether a member's lower-case name is a format, as in ``mp3``, ``oggUrl`` and ``preview-hq-mp3``."""
    if not any(each in key for each in _FORMAT_WORDS):
        return False
    words = [each for each in _KEY_WORDS.split(key) if each]
    others = [each for each in words if not _FORMAT_KEY.fullmatch(each)]
    return len(others) < len(words) and all(map(_FORMAT_BESIDE.fullmatch, others))
