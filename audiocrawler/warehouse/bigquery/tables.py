"""The names of a dataset and its tables in; both tables as they are declared, or ConfigurationError, out."""

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
    """Where the tables are."""

    project: str
    dataset_id: str
    table_id: str

    @property
    def dataset(self) -> str:
        """Return the dataset with its project."""
        return f"{self.project}.{self.dataset_id}"

    def name_of(self, table: TableSpec) -> str:
        """Return the full name of a table; the others are beside audio_metadata, whatever that is called."""
        return f"{self.dataset}.{self.table_id if table is AUDIO_METADATA else table.name}"


def place_of(uri: str) -> TableRef:
    """Return what ``bigquery://project/dataset/audio_metadata`` names; raises ConfigurationError."""
    parts = _URI.fullmatch(uri)
    if not parts or parts["table"] in {table.name for table in TABLES[1:]}:
        raise ConfigurationError(f"{uri}: names no table; write bigquery://project/dataset/audio_metadata")
    return TableRef(parts["project"], parts["dataset"], parts["table"])


def prepared_location(client: Client, place: TableRef, *, create: bool, location: str | None) -> str | None:
    """Return where the dataset is kept, creating it if that is asked for."""
    try:
        found = client.get_dataset(place.dataset, retry=RETRY, timeout=TIMEOUT_S)
    except NotFound:
        if not create:
            raise ConfigurationError(
                f"{place.dataset}: no such dataset; create it, or set {_OPTION} (needs roles/bigquery.user)"
            ) from None
        wanted = Dataset(place.dataset)
        if location:
            wanted.location = location
        client.create_dataset(wanted, exists_ok=True, retry=RETRY, timeout=TIMEOUT_S)
        found = client.get_dataset(place.dataset, retry=RETRY, timeout=TIMEOUT_S)
    return cast(str | None, found.location)


def prepare_table(client: Client, jobs: Jobs, place: TableRef, table: TableSpec) -> None:
    """Create the table or add the columns that it lacks; rows that are there are kept.

    Raises SchemaError where the table contradicts ours, ConfigurationError where others change it all the time.
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
        except PreconditionFailed:  # another crawl was faster, or our own first attempt, whose answer was lost
            continue
        return
    raise ConfigurationError(f"{name}: others change this table all the time; run again")


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
    remedy = "name another dataset or table in AUDIO_WAREHOUSE, or rename that one"
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
            raise SchemaError(f"{name}: column {field.name} is REQUIRED and not known here; make it NULLABLE")


def _refuse_equal_keys(jobs: Jobs, name: str, table: TableSpec) -> None:
    """MERGE refuses every batch that has to do with such rows, so they are found before the first one."""
    key = table.key
    query = f"SELECT {key} FROM `{name}` GROUP BY {key} HAVING COUNT(*) > 1 LIMIT 1"  # noqa: S608 - no values in it
    if jobs.run(query):
        raise SchemaError(f"{name}: has several rows with the same {key}; remove all but one of each and run again")


def explained(error: Exception, place: TableRef, failure: str) -> ConfigurationError:
    """Return what went wrong while the tables were prepared, with what to do about it."""
    if isinstance(error, Forbidden):
        return ConfigurationError(f"{place.dataset}: not allowed; grant {ROLES} ({failure})")
    if isinstance(error, NotFound):
        return ConfigurationError(
            f"{place.dataset}: not found; check project and dataset, and grant {ROLES} ({failure})"
        )
    return ConfigurationError(f"{place.dataset}: BigQuery cannot be used: {failure}; check AUDIO_WAREHOUSE")
