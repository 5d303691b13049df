"""What all commands on a collection have in common: how they refuse and are stopped, and what they never print."""

import argparse
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from scrapy.settings import BaseSettings, Settings

from audiocrawler.commands.collection import CollectionCommand
from audiocrawler.model.errors import ConfigurationError, LockedError, StoreError
from tests.crawling import crawl

COMMANDS = (
    ("flush",),
    ("sync", "--to-store", "x"),
    ("takedown", "--host", "e.test"),
    ("verify",),
    ("retry",),
    ("report",),
)
COMMAND_NAMES = [command[0] for command in COMMANDS]


class Stopped(CollectionCommand):
    """A command that ends by an error, when it opens the collection or when it works on it."""

    def __init__(self, error: BaseException, *, opens: bool) -> None:
        self.settings, self.exitcode = Settings(), 0
        self.settings.setmodule("audiocrawler.settings")
        self._error, self._opens = error, opens

    def prepared(self, settings: BaseSettings, opts: argparse.Namespace, opened: ExitStack) -> Callable[[], int]:
        if not self._opens:
            raise self._error
        return self._work

    def _work(self) -> int:
        raise self._error


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (KeyboardInterrupt(), 130, "interrupted; run the same command to resume\n"),
        (StoreError("x://me:SeCrEt@h/\x1b[2J: away"), 4, "scrapy: error: x://~f81e3c83@h/\\x1b[2J: away\n"),
    ],
)
def test_an_error_is_one_line_without_secrets_and_the_same_exit_code(
    capfd: pytest.CaptureFixture[str], error: BaseException, code: int, printed: str, *, opens: bool
) -> None:
    command = Stopped(error, opens=opens)
    command.run([], argparse.Namespace())
    assert command.exitcode == code
    assert capfd.readouterr() == ("", printed)


@pytest.mark.parametrize(("error", "code"), [(ConfigurationError("no"), 2), (LockedError("no"), 5)])
def test_what_cannot_be_opened_is_told_from_what_is_in_use(error: BaseException, code: int) -> None:
    command = Stopped(error, opens=False)
    command.run([], argparse.Namespace())
    assert command.exitcode == code


@pytest.mark.parametrize("command", COMMANDS, ids=COMMAND_NAMES)
def test_a_wrong_setting_or_place_is_one_line_without_secrets(command: tuple[str, ...], tmp_path: Path) -> None:
    wrong = crawl(tmp_path, command=command, settings={"AUDIO_FLUSH_ROWS": "many"})
    assert (wrong.code, wrong.stdout) == (2, "")
    assert wrong.stderr.startswith("scrapy: error: AUDIO_FLUSH_ROWS=many: ")
    store, warehouse = "s4://me:SeCrEt@h.test/b", "postgres://me:SeCrEt@h.test/db"
    unknown = crawl(tmp_path, command=command, settings={"AUDIO_STORE": store, "AUDIO_WAREHOUSE": warehouse})
    assert (unknown.code, unknown.stdout) == (2, "")
    assert "unknown scheme" in unknown.stderr.splitlines()[-1]
    assert "SeCrEt" not in unknown.stderr
    assert list(tmp_path.glob("**/*.db")) == []
