"""The transcripts and chapters of a file: what its document names, and the column ``texts`` that says what is stored.

An entry has ``kind`` (transcript or chapters) and ``url``, what the document says of it, and once it is stored
``object``, ``sha256`` and ``media_type``. ``error`` says why the last attempt failed, ``former`` marks older versions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from audiocrawler.model.rows import AudioSource
from audiocrawler.model.statuses import Status
from audiocrawler.model.text import mask_url

Text = dict[str, str]
TRANSCRIPT, CHAPTERS = "transcript", "chapters"
OBJECT, ERROR, FORMER = "object", "error", "former"
OF_VERSION = (OBJECT, "sha256", "media_type", "etag", "last_modified")
"""What an entry says of the stored bytes."""
_STATED = ("type", "language", "rel")
MAX_TEXTS = 50
"""Texts of one file that are fetched: more are no translations, but a mistake of the document."""
MAX_VERSIONS = 3
"""Versions of a text that are stored; one that still changes, such as a page with a token, is not fetched again."""


def texts_named(transcripts: Iterable[Text] | None, transcript_url: str | None, chapters_url: str | None) -> list[Text]:
    """Return an entry for each text that a document names for a file, each URL once."""
    named = [*(transcripts or ()), *([{"url": transcript_url}] if transcript_url else [])]
    found: dict[str, Text] = {}
    for each in named:
        stated = {name: each[name] for name in _STATED if each.get(name)}
        found.setdefault(each.get("url", ""), {"kind": TRANSCRIPT, "url": each.get("url", ""), **stated})
    if chapters_url:
        found.setdefault(chapters_url, {"kind": CHAPTERS, "url": chapters_url})
    return [text for url, text in found.items() if url][:MAX_TEXTS]


def texts_of_row(source: AudioSource) -> list[Text]:
    """Return an entry for each text that the row names; secrets in its URLs are masked."""
    return texts_named(source.transcripts, source.transcript_url, source.chapters_url)


def stored_texts(source: AudioSource) -> Iterator[Text]:
    """Yield the entries of the row that have an object, former versions included."""
    return (each for each in source.texts or () if each.get(OBJECT))


def placed_texts(texts: list[Text] | None, place: Callable[[str], str | None]) -> list[Text] | None:
    """Return the column with its objects at other places; an entry whose place is None has none any more."""
    return texts and [_placed(each, place) for each in texts]


def _placed(text: Text, place: Callable[[str], str | None]) -> Text:
    if OBJECT not in text:
        return text
    url = place(text[OBJECT])
    return without_object(text) if url is None else {**text, OBJECT: url}


def without_object(text: Text) -> Text:
    """Return the entry of a text that is not stored."""
    return {name: value for name, value in text.items() if name not in OF_VERSION}


def without_validators(source: AudioSource, damaged: Iterable[str]) -> AudioSource | None:
    """Return a row that lets the next crawl fetch texts with these hashes again; None if the source has none of them.

    Its status is pending, which leaves everything else in the table as it is.
    """
    hashes = frozenset(damaged)
    if not any(each.get("sha256") in hashes for each in stored_texts(source)):
        return None
    texts = [_unproved(each) if each.get("sha256") in hashes else each for each in source.texts or ()]
    return AudioSource(source_url=source.source_url, status=Status.PENDING, crawl_id=source.crawl_id, texts=texts)


def _unproved(text: Text) -> Text:
    return {name: value for name, value in text.items() if name not in {"etag", "last_modified"}}


def known_text(url: str, before: Iterable[Text]) -> Text | None:
    """Return the current entry of a text's URL, None if there is none."""
    return next((each for each in before if each.get("url") == mask_url(url) and FORMER not in each), None)


def changes_too_often(url: str, before: Iterable[Text]) -> bool:
    """Return whether the text of the URL has been stored in so many versions that no more are wanted."""
    return sum(each.get("url") == mask_url(url) and OBJECT in each for each in before) >= MAX_VERSIONS


def combined(done: Sequence[Text], waiting: Iterable[Text], before: Sequence[Text]) -> list[Text]:
    """Return the column: texts that are done, those that wait as they were, then what is stored and not current."""
    kept = [known for each in waiting if (known := known_text(each["url"], before))]
    current = [*done, *kept]
    objects = {(each["url"], each.get(OBJECT)) for each in current}
    former = [each for each in before if each.get(OBJECT) and (each["url"], each[OBJECT]) not in objects]
    return [*current, *({**each, FORMER: "yes"} for each in former)]
