"""Select rows of a view from BigQuery."""

import json
from collections.abc import Iterator
from typing import Any

from google.api_core.exceptions import BadRequest, NotFound

from audiocrawler.model.errors import ConfigurationError, WarehouseError
from audiocrawler.model.gcp import failure_of
from audiocrawler.warehouse.bigquery.jobs import FAILURES, Jobs
from audiocrawler.warehouse.bigquery.tables import TableRef
from audiocrawler.warehouse.query import Query, Statements, refusal, statements_of
from audiocrawler.warehouse.views import SELECTABLE, with_views

PAGE_ROWS = 1000


def select(jobs: Jobs, place: TableRef, query: Query) -> Iterator[dict[str, Any]]:
    """Yield the rows of a query; see Warehouse.select.

    BigQuery checks the expression in a dry run first; only the named columns are billed.
    """
    statements = statements_of(query, with_views(lambda table: f"`{place.name_of(table)}`"))
    try:
        for probe in statements.probes:
            jobs.check(probe)
    except FAILURES as error:
        raise _explained(error, place, query) from error
    return _rows(jobs, place, query, statements)


def _rows(jobs: Jobs, place: TableRef, query: Query, statements: Statements) -> Iterator[dict[str, Any]]:
    types = SELECTABLE[query.view].types
    try:
        for record in jobs.read(statements.select, (), PAGE_ROWS):
            yield {name: _value(value, types.get(name, "")) for name, value in record.items()}
    except FAILURES as error:
        raise _explained(error, place, query) from error


def _value(value: Any, type_name: str) -> Any:
    return json.loads(value) if type_name == "JSON" and isinstance(value, str) else value


def _explained(error: Exception, place: TableRef, query: Query) -> ConfigurationError | WarehouseError:
    if query.where and isinstance(error, BadRequest | NotFound):
        return refusal(query, _words(error))
    if isinstance(error, UnicodeEncodeError):
        return refusal(query, error)
    return WarehouseError(f"{place.dataset}: cannot be read: {failure_of(error)}; check the network and run again")


def _words(error: BadRequest | NotFound) -> str:
    """Return what BigQuery says of the expression, without the request and the job that the client puts around it."""
    return str(error.errors[0].get("message") or error.message) if error.errors else error.message
