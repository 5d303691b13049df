"""Create BigQuery's views, and replace those of an older version."""

import hashlib
import json
import logging

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud.bigquery import Client, Table

from audiocrawler.model.gcp import failure_of
from audiocrawler.warehouse.bigquery.jobs import RETRY, TIMEOUT_S, Jobs
from audiocrawler.warehouse.bigquery.tables import TableRef
from audiocrawler.warehouse.views import VIEWS, View, view_select

_MARK = "made by audiocrawler, which replaces it"
"""Marks our views, of any version."""

logger = logging.getLogger(__name__)


def prepare_views(client: Client, jobs: Jobs, place: TableRef) -> None:
    """Create or replace the views. Raises FAILURES.

    What the user has given such a name stays. Without the permission no view is created: no query of ours
    needs them.
    """
    for view in VIEWS.values():
        try:
            _prepare_view(client, jobs, place, view)
        except Forbidden as error:
            logger.warning("%s.%s: the view could not be created: %s", place.dataset, view.name, failure_of(error))
            return


def _prepare_view(client: Client, jobs: Jobs, place: TableRef, view: View) -> None:
    name = f"{place.dataset}.{view.name}"
    select = view_select(view, lambda table: f"`{place.name_of(table)}`")
    description = _description(view, select)
    found = _found(client, name)
    if found is not None and _MARK not in (found.description or ""):
        logger.info("%s: was not created by audiocrawler and stays, so the view of that name is missing", name)
    elif found is None or found.description != description:
        jobs.run(f"CREATE OR REPLACE VIEW `{name}` OPTIONS (description = {json.dumps(description)}) AS\n{select}")


def _description(view: View, select: str) -> str:
    """Return a description that identifies the view's SELECT by its hash."""
    return f"{view.meaning}; {_MARK} ({hashlib.sha256(select.encode()).hexdigest()[:12]})"


def _found(client: Client, name: str) -> Table | None:
    try:
        return client.get_table(name, retry=RETRY, timeout=TIMEOUT_S)
    except NotFound:
        return None
