"""Starts bqemulator, in a virtual environment of its own, changed in four ways.

Load jobs read BYTES columns from Base64, as BigQuery does. A MERGE that differs from an earlier one only in its table
names is not translated again: the emulator would spend half a second on it, fifty times what the database needs. Nor
is it optimized, or run in several threads, which takes DuckDB three times as long as the few rows of a test do. All
requests are answered in one thread: some read in another one, over the same connection to the database, and then got
the rows of what was asked for at the same moment.
It ends with the process whose id is in ENDS_WITH, however that ends.
"""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from bqemulator.api.routes import jobs  # type: ignore[import-not-found]  # installed elsewhere
from bqemulator.cli import main  # type: ignore[import-not-found]
from bqemulator.jobs import executor  # type: ignore[import-not-found]
from fastapi import routing  # type: ignore[import-not-found]

_FORMAT = "NEWLINE_DELIMITED_JSON"
_load_json = executor._LOAD_FORMAT_HANDLERS[_FORMAT]
_qualified = executor.rewrite_table_refs
_execute = executor.execute_query_job
_translated: ContextVar[str] = ContextVar("_translated", default="")
_known: dict[str, tuple[Any, str]] = {}
"""A MERGE without its table names -> its finished job, and what DuckDB was given, with places for the names."""


def _load(path: str, target: str, context: Any) -> None:
    _load_json(path, target, context)
    columns = context.engine.execute(f"DESCRIBE {target}").fetchall()
    for name in [name for name, type_name, *_ in columns if type_name == "BLOB"]:
        context.engine.execute(f"UPDATE {target} SET {name} = from_base64(decode({name})) WHERE {name} IS NOT NULL")


def _noting_qualified(sql: str, project: str) -> str:
    _translated.set(_qualified(sql, project))
    return _translated.get()


async def _execute_once(project: str, job_id: str, sql: str, parameters: Any, context: Any, **rest: Any) -> Any:
    if not sql.lstrip().startswith("MERGE"):
        return await _execute(project, job_id, sql, parameters, context, **rest)
    names = list(dict.fromkeys(re.findall(r"`([^`]+)`", sql)))
    template = _with_places(sql, [f"`{name}`" for name in names])
    if template not in _known:
        job = await _execute(project, job_id, sql, parameters, context, **rest)
        _known[template] = (job, _with_places(_translated.get(), [_in_duckdb(name) for name in names]))
        return job
    job, statement = _known[template]
    with _unoptimized(context.engine):
        context.engine.fetch_arrow(re.sub(r"<(\d+)>", lambda place: _in_duckdb(names[int(place[1])]), statement), None)
    executor.JOB_RESULTS[job_id], executor.JOB_SCHEMAS[job_id] = (
        table[job.job_id] for table in (executor.JOB_RESULTS, executor.JOB_SCHEMAS)
    )
    return job.model_copy(update={"job_id": job_id})


@contextmanager
def _unoptimized(engine: Any) -> Iterator[None]:
    engine.execute("PRAGMA disable_optimizer")
    engine.execute("SET threads = 1")
    try:
        yield
    finally:
        engine.execute("RESET threads")
        engine.execute("PRAGMA enable_optimizer")


def _with_places(sql: str, names: list[str]) -> str:
    for number, name in enumerate(names):
        sql = sql.replace(name, f"<{number}>")
    return sql


def _in_duckdb(name: str) -> str:
    project, dataset, table = name.split(".")
    return f'"{project}__{dataset}"."{table}"'


async def _in_this_thread(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    return function(*arguments, **named)


def _end_with(pid: int) -> None:
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            time.sleep(0.5)
    os._exit(0)


threading.Thread(target=_end_with, args=(int(os.environ["ENDS_WITH"]),), daemon=True).start()
routing.run_in_threadpool = _in_this_thread
executor._LOAD_FORMAT_HANDLERS[_FORMAT] = _load
executor.rewrite_table_refs = _noting_qualified
executor.execute_query_job = jobs.execute_query_job = _execute_once
main()
