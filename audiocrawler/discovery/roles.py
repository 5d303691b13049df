"""Distinguish previews, interface sounds and synthetic speech from recordings, by unambiguous names."""

import re
from urllib.parse import unquote, urlsplit

from audiocrawler.discovery.candidate import Role

_SPEECH_HOST = re.compile(
    r"(?:^|\.)(?:ad-auris\.com|beyondwords\.io|naturalreaders\.com|play\.ht|readspeaker\.com|remixd\.com|speechify\.com"
    r"|speechkit\.io|trinityaudio\.ai|trinitymedia\.ai|voicerss\.org|webreader\.io)$"
)
_SPEECH = re.compile(
    r"(?<![a-z])(?:text-?to-?speech|read-?(?:aloud|speaker)|speech-?synthesis|(?:amazon|aws)-?polly|beyond-?words"
    r"|speechify|speechkit|trinity-?(?:audio|player)|listen-?to-?(?:the-?|this-?)?(?:article|page|post|story))(?![a-z])",
    re.IGNORECASE,
)
_TTS = re.compile(r"(?<![a-z])tts(?![a-z])", re.IGNORECASE)
_TTS_FOLDER = re.compile(
    r"(?:article|audio|news|post|stor(?:y|ie))s?[/-]tts/|/tts[/-](?:article|audio|news|post|stor)", re.IGNORECASE
)
_SPEECH_HINT = re.compile(r"speech|tts|read|polly|words|trinity|listen", re.IGNORECASE)  # the first, cheap check
_PLACEHOLDER = re.compile(r"blank|dummy|no-?sound|placeholder")
_SIGNAL = re.compile(
    r"(?:(?:alarm|button|call|chat|error|incoming|menu|message|mouse|new|notification|phone|sound|success|timer|ui)-)*"
    r"(?:alarm|alert|beep|bell|blip|buzz|buzzer|chime|click|ding|empty|error|hover|message|mute|notification|notify|ping"
    r"|pop|ring|ringing|ringtone|shutter|silence|silent|success|swoosh|tick|timer|typing|warning|whoosh)"
    r"(?:-(?:end|in|long|loud|off|on|out|short|sound|start|tone))*-?\d*"
)
_INTERFACE_FOLDER = re.compile(
    r"/(?:themes?|plugins?|skins?|ui|sfx|ui-?sounds?|sound-?(?:effects?|fx)|notifications?|ringtones?)/", re.IGNORECASE
)
_PREVIEW = re.compile(r"(?<![a-z])(?:audio|mp3)?-?(?:preview|snippet)s?(?![a-z])", re.IGNORECASE)
_PREVIEW_HOST = re.compile(r"[a-z\d-]+-previews?\b|previews?-")  # the word alone is a staging site
_SEPARATORS = re.compile(r"[\s_.+]+|(?<=[a-z])(?=[A-Z])")


def role_of(url: str, *, hidden: bool, about_speech: bool = False) -> Role:
    """Return the role implied by the name of an audio URL.

    ``hidden``: readers see neither a player nor a link for it; only then is a sound that is named after a signal, or
    in a program's folder, one of the interface. ``about_speech``: the page is about synthetic speech, so that such
    words in a path are meaningless.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if _SPEECH_HOST.search(parts.hostname or "") or (not about_speech and _is_read_aloud(path)):
        return Role.SPEECH_SYNTHESIS
    folder, _, name = path.rpartition("/")
    if _PREVIEW.search(f"{folder}/") or _PREVIEW_HOST.match(parts.hostname or ""):
        return Role.PREVIEW
    stem = _SEPARATORS.sub("-", name.rpartition(".")[0]).lower()
    if _PLACEHOLDER.fullmatch(stem):
        return Role.INTERFACE
    if hidden and (_SIGNAL.fullmatch(stem) or _INTERFACE_FOLDER.search(f"{folder}/")):
        return Role.INTERFACE
    return Role.MAIN


def names_read_aloud(words: str | None) -> bool:
    """Return whether a class, label or member's name suggests synthetic speech."""
    if not words or not _SPEECH_HINT.search(words):
        return False
    separated = _SEPARATORS.sub("-", words)
    return bool(_SPEECH.search(separated) or _TTS.search(separated))


def _is_read_aloud(path: str) -> bool:
    """Return whether a path suggests synthetic speech; TTS alone does not: it may be a demo of a laboratory."""
    if not _SPEECH_HINT.search(path):
        return False
    return bool(_SPEECH.search(_SEPARATORS.sub("-", path)) or _TTS_FOLDER.search(path))
