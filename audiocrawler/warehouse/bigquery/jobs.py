"""Run BigQuery jobs with deadlines and retries."""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import TimeoutError as JobTimeoutError
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from google.api_core.exceptions import BadRequest, GoogleAPICallError, GoogleAPIError, NotFound
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError
from google.cloud.bigquery import ArrayQueryParameter, Client, LoadJob, LoadJobConfig, QueryJobConfig, Row, Table
from google.cloud.bigquery.retry import DEFAULT_RETRY

from audiocrawler.model.errors import WarehouseError
from audiocrawler.model.rows import TableSpec
from audiocrawler.warehouse.bigquery.schema import staging_line, staging_schema
from audiocrawler.warehouse.outbox import PendingRow

T = TypeVar("T")

RETRY = DEFAULT_RETRY.with_delay(initial=0.5, maximum=4).with_timeout(10)
"""The client's own deadline is ten minutes, which a wrong endpoint would take to fail."""
TIMEOUT_S = 20
"""Timeout of one request; the client has a single one for connecting and reading."""
JOB_TIMEOUT_S = 600
FAILURES = (GoogleAPIError, GoogleAuthError, JobTimeoutError, OSError, ValueError)
"""All exceptions that the client raises."""

STAGING_LIFETIME = timedelta(hours=24)
_ATTEMPTS = 6
_FIRST_DELAY_S = 1.5
_LONGEST_DELAY_S = 24.0
"""Exponential back-off with jitter: six attempts take about half a minute."""
_UPLOAD_RETRIES = 2
_PASSING_MESSAGES = ("could not serialize access", "concurrent update")
_PASSING_REASONS = {"jobInternalError", "jobBackendError", "jobRateLimitExceeded", "backendError", "internalError"}


class RowsRefusedError(Exception):
    """Raised when a load job refuses at least one of its rows."""


class Jobs:
    """Runs the jobs of one dataset. Each job has a random id, so all of them can be repeated."""

    def __init__(self, client: Client, dataset: str, location: str | None) -> None:
        self._client = client
        self._dataset = dataset
        self._location = location

    def create_staging(self, table: TableSpec, name: str) -> str:
        """Create an empty staging table, which expires, and return its full name."""
        staging = Table(f"{self._dataset}.{name}", schema=staging_schema(table))
        staging.expires = datetime.now(UTC) + STAGING_LIFETIME
        # The response to a first attempt may have been lost, and the name is unique.
        self._client.create_table(staging, exists_ok=True, retry=RETRY, timeout=TIMEOUT_S)
        return f"{self._dataset}.{name}"

    def load(self, staging: str, table: TableSpec, rows: Sequence[PendingRow]) -> None:
        """Replace the content of the staging table by a load job, free of charge. Raises RowsRefusedError, FAILURES."""
        content = b"".join(staging_line(row) for row in rows)
        loaded = persistently(lambda: self._load(staging, table, content), may_vanish=True)
        if loaded.output_rows not in {None, len(rows)}:
            raise WarehouseError(f"{staging}: BigQuery loaded only {loaded.output_rows} of {len(rows)} rows; run again")

    def run(self, statement: str) -> list[Row]:
        """Run a statement, retrying transient errors, and return its rows. Raises FAILURES."""
        return persistently(lambda: self._run(statement))

    def read(self, statement: str, parameters: Sequence[ArrayQueryParameter], page_rows: int) -> Iterator[Row]:
        """Yield the rows of a query, page by page. Raises FAILURES."""
        config = QueryJobConfig(query_parameters=parameters)
        job = self._client.query(statement, config, location=self._location, retry=RETRY, timeout=TIMEOUT_S)
        yield from job.result(page_size=page_rows, retry=RETRY, timeout=JOB_TIMEOUT_S)

    def check(self, statement: str) -> None:
        """Dry-run a statement, which checks syntax and permissions. Raises FAILURES."""
        config = QueryJobConfig(dry_run=True, use_query_cache=False)
        self._client.query(statement, config, location=self._location, retry=RETRY, timeout=TIMEOUT_S, job_retry=None)

    def drop(self, name: str) -> None:
        """Delete a table if it exists. Raises FAILURES."""
        self._client.delete_table(name, retry=RETRY, timeout=TIMEOUT_S, not_found_ok=True)

    def tables(self, prefix: str) -> list[str]:
        """Return the full names of the tables with this prefix. Raises FAILURES."""
        found = self._client.list_tables(self._dataset, retry=RETRY, timeout=TIMEOUT_S)
        return [f"{self._dataset}.{each.table_id}" for each in found if each.table_id.startswith(prefix)]

    def _load(self, staging: str, table: TableSpec, content: bytes) -> LoadJob:
        config = LoadJobConfig(
            schema=staging_schema(table), source_format="NEWLINE_DELIMITED_JSON", write_disposition="WRITE_TRUNCATE"
        )
        job = self._client.load_table_from_file(
            io.BytesIO(content),
            staging,
            num_retries=_UPLOAD_RETRIES,
            job_id_prefix="audiocrawler_",
            location=self._location,
            job_config=config,
            timeout=TIMEOUT_S,
        )
        try:
            job.result(retry=RETRY, timeout=JOB_TIMEOUT_S)
        except BadRequest as error:
            if _reason(error) == "invalid":
                raise RowsRefusedError(_detail(job, error)) from error
            raise
        return job

    def _run(self, statement: str) -> list[Row]:
        job = self._client.query(
            statement,
            job_id_prefix="audiocrawler_",
            location=self._location,
            retry=RETRY,
            timeout=TIMEOUT_S,
            job_retry=None,
        )
        return list(job.result(retry=RETRY, timeout=JOB_TIMEOUT_S, job_retry=None))


def persistently(work: Callable[[], T], *, may_vanish: bool = False) -> T:
    """Return what ``work`` returns, retrying transient errors with random exponential back-off.

    ``may_vanish``: also retry an upload that is not found because its last response was lost.
    """
    retries = iter(range(_ATTEMPTS - 1))  # Retry counts seconds only, and a job may take minutes

    def passes(error: Exception) -> bool:
        is_short = isinstance(error, GoogleAPICallError) and is_passing(error)
        return (is_short or (may_vanish and isinstance(error, NotFound))) and next(retries, None) is not None

    return Retry(passes, initial=_FIRST_DELAY_S, maximum=_LONGEST_DELAY_S, timeout=None)(work)()


def is_passing(error: GoogleAPICallError) -> bool:
    """Return whether a failed job may succeed on retry, which the client does not do by itself.

    The two errors with status 400, "could not serialize access" and jobInternalError, are those that Kafka Connect's
    BigQuery sink retries around its MERGE.
    """
    text = str(error).lower()
    return _reason(error) in _PASSING_REASONS or any(each in text for each in (*_PASSING_MESSAGES, "jobinternalerror"))


def _reason(error: GoogleAPICallError) -> str:
    return str(error.errors[0].get("reason", "")) if error.errors else ""


def _detail(job: LoadJob, error: BadRequest) -> str:
    """Return the error about a row; the first one is only a summary."""
    messages = [str(each.get("message", "")) for each in job.errors or [] if each.get("reason") == "invalid"]
    return " ".join((messages[-1] if messages else error.message).split())
