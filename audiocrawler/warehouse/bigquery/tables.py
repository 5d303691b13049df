"""Create or check the dataset and its tables."""

import re
from dataclasses import dataclass
from typing import cast

from google.api_core.exceptions import Forbidden, NotFound, PreconditionFailed
from google.cloud.bigquery import Client, Dataset, Table

from audiocrawler.model.errors import ConfigurationError, SchemaError
from audiocrawler.model.rows import AUDIO_METADATA, TABLES, TableSpec
from audiocrawler.warehouse.bigquery.jobs import RETRY, TIMEOUT_S, Jobs
from audiocrawler.warehouse.bigquery.schema import CLUSTERING, declared_type, field_of, schema_of

ROLES = "roles/bigquery.dataEditor on the dataset and roles/bigquery.jobUser on the project"

_URI = re.compile(r"(?i:bigquery)://(?P<project>[A-Za-z0-9.:_-]+)/(?P<dataset>\w{1,1024})/(?P<table>[\w-]{1,1024})")
_OPTION = "AUDIO_BIGQUERY_CREATE=True"
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class TableRef:
    """Project, dataset and table name from a URI."""

    project: str
    dataset_id: str
    table_id: str

    @property
    def dataset(self) -> str:
        """Return the dataset with its project."""
        return f"{self.project}.{self.dataset_id}"

    def name_of(self, table: TableSpec) -> str:
        """Return the full name of a table; only audio_metadata may have another name."""
        return f"{self.dataset}.{self.table_id if table is AUDIO_METADATA else table.name}"


def place_of(uri: str) -> TableRef:
    """Parse ``bigquery://project/dataset/audio_metadata``; raises ConfigurationError."""
    parts = _URI.fullmatch(uri)
    if not parts or parts["table"] in {table.name for table in TABLES[1:]}:
        raise ConfigurationError(f"{uri}: not a table; write bigquery://project/dataset/audio_metadata")
    return TableRef(parts["project"], parts["dataset"], parts["table"])


def prepared_location(client: Client, place: TableRef, *, create: bool, location: str | None) -> str | None:
    """Return the dataset's location, creating it if ``create`` is set."""
    try:
        found = client.get_dataset(place.dataset, retry=RETRY, timeout=TIMEOUT_S)
    except NotFound:
        if not create:
            raise ConfigurationError(
                f"{place.dataset}: dataset not found; create it, or set {_OPTION} (needs roles/bigquery.user)"
            ) from None
        wanted = Dataset(place.dataset)
        if location:
            wanted.location = location
        client.create_dataset(wanted, exists_ok=True, retry=RETRY, timeout=TIMEOUT_S)
        found = client.get_dataset(place.dataset, retry=RETRY, timeout=TIMEOUT_S)
    return cast(str | None, found.location)


def prepare_table(client: Client, jobs: Jobs, place: TableRef, table: TableSpec) -> None:
    """Create the table or add missing columns; existing rows are kept.

    Raises SchemaError if the table is incompatible, ConfigurationError if others keep changing it.
    """
    name = place.name_of(table)
    for _ in range(_ATTEMPTS):
        found = _found_or_created(client, name, table)
        _refuse_contradictions(found, name, table)
        have = {field.name.lower() for field in found.schema}
        missing = [column for column in table.columns if column.name not in have]
        if not missing:
            return
        _refuse_equal_keys(jobs, name, table)
        found.schema = [*found.schema, *(field_of(column, "NULLABLE") for column in missing)]
        try:
            client.update_table(found, ["schema"], retry=RETRY, timeout=TIMEOUT_S)
        except PreconditionFailed:  # changed by another crawl, or by our first attempt if its response was lost
            continue
        return
    raise ConfigurationError(f"{name}: table is being changed by others; run again")


def _found_or_created(client: Client, name: str, table: TableSpec) -> Table:
    try:
        return client.get_table(name, retry=RETRY, timeout=TIMEOUT_S)
    except NotFound:
        pass
    wanted = Table(name, schema=schema_of(table))
    wanted.clustering_fields = CLUSTERING[table.name]
    client.create_table(wanted, exists_ok=True, retry=RETRY, timeout=TIMEOUT_S)
    return client.get_table(name, retry=RETRY, timeout=TIMEOUT_S)


def _refuse_contradictions(found: Table, name: str, table: TableSpec) -> None:
    remedy = "set AUDIO_WAREHOUSE to another dataset or table, or rename that one"
    if found.table_type not in {None, "TABLE"}:
        raise SchemaError(f"{name}: is a {found.table_type}, not a table; {remedy}")
    fields = {field.name.lower(): field for field in found.schema}
    if table.key not in fields:
        raise SchemaError(f"{name}: has no column {table.key}; {remedy}")
    for column in table.columns:
        field = fields.pop(column.name, None)
        if field is None:
            continue
        type_name = "ARRAY" if field.mode == "REPEATED" else declared_type(field.field_type)
        if type_name != column.type:
            raise SchemaError(f"{name}: column {column.name} is {type_name}, not {column.type}; {remedy}")
        if field.mode == "REQUIRED" and column.mode != "REQUIRED":
            raise SchemaError(f"{name}: column {column.name} is REQUIRED; make it NULLABLE")
    for field in fields.values():
        if field.mode == "REQUIRED":
            raise SchemaError(f"{name}: column {field.name} is REQUIRED and unknown to audiocrawler; make it NULLABLE")


def _refuse_equal_keys(jobs: Jobs, name: str, table: TableSpec) -> None:
    """Raise SchemaError for duplicate keys, with which MERGE would fail later."""
    key = table.key
    query = f"SELECT {key} FROM `{name}` GROUP BY {key} HAVING COUNT(*) > 1 LIMIT 1"  # noqa: S608 - no values in it
    if jobs.run(query):
        raise SchemaError(f"{name}: has several rows with the same {key}; remove all but one of each and run again")


def explained(error: Exception, place: TableRef, failure: str) -> ConfigurationError:
    """Return an error of the preparation with what to do about it."""
    if isinstance(error, Forbidden):
        return ConfigurationError(f"{place.dataset}: permission denied; grant {ROLES} ({failure})")
    if isinstance(error, NotFound):
        return ConfigurationError(
            f"{place.dataset}: not found; check project and dataset, and grant {ROLES} ({failure})"
        )
    return ConfigurationError(f"{place.dataset}: BigQuery cannot be used: {failure}; check AUDIO_WAREHOUSE")
