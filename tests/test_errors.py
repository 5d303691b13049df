"""The error tree is whole, and what a URL comes to follows from the error alone."""

import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from scrapy.exceptions import DownloadTimeoutError, ResponseDataLossError
from twisted.python.failure import Failure

import audiocrawler
from audiocrawler.fetch.receivers import DigestError
from audiocrawler.fetch.staging import TooLargeError
from audiocrawler.middlewares.gates import StoredAlreadyError
from audiocrawler.model import errors
from audiocrawler.model.errors import AudioCrawlerError, FileRejectedError, OutcomeError, status_of
from audiocrawler.model.statuses import Status, Trait
from audiocrawler.records import outcome_of_failure
from tests.warehouse.rows import a_source

WITHOUT_ERROR = {
    *(Status.PENDING, Status.STORED, Status.DUPLICATE, Status.UNCHANGED),
    *(Status.ALTERNATE, Status.PROTECTED, Status.EXPANDED),
    Status.GONE,
}
"""Statuses that no error of ours has: no failure; told by a document or a playlist; told by the server's answer."""


def loaded() -> set[type[BaseException]]:
    """Return every exception class that the package defines."""
    for module in pkgutil.walk_packages(audiocrawler.__path__, "audiocrawler."):
        import_module(module.name)
    return {each for each in below(Exception) if each.__module__.startswith("audiocrawler")}


def below(parent: type[BaseException]) -> Iterator[type[BaseException]]:
    for child in parent.__subclasses__():
        yield child
        yield from below(child)


CLASSES = sorted(loaded(), key=lambda each: (each.__module__, each.__name__))
OUTCOMES = [each for each in CLASSES if issubclass(each, OutcomeError)]


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"^([│ ├└─]*)(\w+)( \*)?(?: |$)", (errors.__doc__ or "").split("\n\n")[1], re.MULTILINE)
    parents, found = [AudioCrawlerError.__name__], {}
    for indent, name, star in drawn[1:]:
        parents[len(indent) // 4 :] = [name]
        found[name] = parents[len(indent) // 4 - 1], bool(star)
    tree = [each for each in CLASSES if issubclass(each, AudioCrawlerError) and each is not AudioCrawlerError]
    assert found == {each.__name__: (each.__bases__[0].__name__, each.__module__ != errors.__name__) for each in tree}


@pytest.mark.parametrize("error", CLASSES, ids=lambda each: each.__name__)
def test_what_scrapy_gets_to_see_is_in_the_tree(error: type[Exception]) -> None:
    is_of_scrapy = any(base.__module__.startswith(("scrapy", "twisted")) for base in error.__mro__)
    assert issubclass(error, AudioCrawlerError) or not is_of_scrapy


@pytest.mark.parametrize("error", OUTCOMES, ids=lambda each: each.__name__)
def test_every_error_that_ends_as_a_row_has_a_status(error: type[OutcomeError]) -> None:
    assert isinstance(error.status, Status)
    assert Trait.OPEN not in error.status.traits
    assert Trait.STORED not in error.status.traits


def test_every_failure_has_an_error() -> None:
    assert {error.status for error in OUTCOMES} == set(Status) - WITHOUT_ERROR


def test_the_row_says_what_the_error_says() -> None:
    for error, status, reason in (
        (TooLargeError("larger than 9 bytes"), Status.TOO_LARGE, "larger than 9 bytes"),
        (DigestError("not those of the digest"), Status.FAILED, "not those of the digest"),
        (ResponseDataLossError("whatever"), Status.FAILED, "transfer aborted before its end"),
        (DownloadTimeoutError("timed out"), Status.FAILED, "timed out"),
        (OSError("no such thing"), Status.FAILED, "no such thing"),
    ):
        outcome = outcome_of_failure(Failure(error))  # type: ignore[no-untyped-call]
        assert (outcome.status, outcome.reason) == (status, reason)


def test_an_error_about_a_row_has_its_status() -> None:
    assert StoredAlreadyError(a_source("a", "duplicate")).status is Status.DUPLICATE
    assert status_of(FileRejectedError("not measured")) is Status.FAILED
