"""A job that may succeed if it is started again is started again, and no other."""

from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, GoogleAPICallError, NotFound

from audiocrawler.warehouse.bigquery.jobs import RowsRefusedError, persistently

CONFLICT = BadRequest("Could not serialize access to table due to concurrent update")
WRONG = BadRequest("Syntax error")


@pytest.fixture
def delays_s(monkeypatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("google.api_core.retry.retry_unary.time.sleep", slept.append)
    return slept


def failing(*errors: Exception):
    left: Iterator[Exception] = iter(errors)

    def work() -> str:
        if error := next(left, None):
            raise error
        return "done"

    return work


def test_errors_that_pass_are_waited_for(delays_s):
    assert persistently(failing(*[CONFLICT] * 5)) == "done"
    assert len(delays_s) == 5
    assert all(delay_s <= 1.5 * 2**number for number, delay_s in enumerate(delays_s))


def test_the_sixth_error_is_told_as_it_came(delays_s):
    with pytest.raises(BadRequest) as told:
        persistently(failing(*[CONFLICT] * 6))
    assert told.value is CONFLICT
    assert len(delays_s) == 5


@pytest.mark.parametrize("error", [WRONG, NotFound("no such upload"), RowsRefusedError("row 3"), OSError("no route")])
def test_other_errors_are_told_at_once(error, delays_s):
    with pytest.raises(type(error)):
        persistently(failing(error))
    assert delays_s == []


def test_an_upload_that_has_vanished_is_done_anew(delays_s):
    gone: GoogleAPICallError = NotFound("no such upload")
    assert persistently(failing(gone, CONFLICT), may_vanish=True) == "done"
    assert len(delays_s) == 2
