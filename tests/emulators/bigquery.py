"""Nothing in; a BigQuery server on loopback out, until the process ends: ``python -m tests.emulators.bigquery``.

bqemulator runs the jobs, in a process and a virtual environment of its own. The proxy before it refuses what BigQuery
refuses and the emulator takes: rows that do not fit their schema, required columns added later, missing permissions.
"""

import base64
import fcntl
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.emulators.ports import free_port
from tests.emulators.reverse_proxy import Answer, Request, ReverseProxy

_REPOSITORY = Path(__file__).parents[2]
_REQUIREMENTS = Path(__file__).with_name("bigquery-requirements.txt")
_VENV = _REPOSITORY / ".venv-bigquery-emulator"
_EXTENSIONS = ("avro", "spatial")
_INSTALL_EXTENSIONS = f"""
import duckdb, importlib, pathlib
for name in {_EXTENSIONS!r}:
    folder = pathlib.Path(importlib.import_module(f"duckdb_extension_{{name}}").__file__).parent
    duckdb.execute(f"INSTALL '{{next(folder.rglob('*.duckdb_extension'))}}'")
"""
_STARTER = Path(__file__).with_name("bqemulator_start.py")
_SQL_TYPES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_START_S = 60
_DESCRIBED_VIEW = re.compile(rb'CREATE OR REPLACE VIEW `([^`]+)` OPTIONS \(description = \\?["\']([^"\'\\]*)')


class BigQueryEmulator(ReverseProxy):
    """BigQuery's REST API at ``url``.

    A request whose "METHOD target" ``denied`` is found in is refused with 403, a load whose rows contain ``unwanted``
    with the error that BigQuery has for a bad row. The next ``conflicts`` jobs meet another one on the same table.
    All that are given the same folder have one emulator behind them, which ends with the process that started theirs.
    """

    def __init__(self, shared: Path | None = None) -> None:
        self.denied: str | None = None
        self.unwanted: str | None = None
        self.conflicts = 0
        self._shared = shared
        self._uploads: dict[str, dict[str, Any]] = {}
        self._descriptions: dict[bytes, bytes] = {}
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__("")

    def __enter__(self) -> Self:
        if self._shared:
            port = _shared_port(self._shared)
        else:
            self._process = _started(_installed(), port := free_port(), ends_with=os.getpid())
        self.upstream = f"http://127.0.0.1:{port}"
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        if self._process:
            self._process.kill()  # it keeps everything in memory
            self._process.wait()

    def answer(self, request: Request) -> Answer:
        """Return what BigQuery would."""
        if self.denied and re.search(self.denied, f"{request.method} {request.target}"):
            return _error(403, "accessDenied", "Access Denied: the user does not have the permission")
        if self.conflicts and request.method == "POST" and b"MERGE" in request.body:
            self.conflicts -= 1
            return _error(400, "invalidQuery", "Could not serialize access to table due to concurrent update")
        if request.method in {"PATCH", "PUT"} and "/tables/" in request.target:
            return self._change_table(request)
        if request.target.startswith("/upload/"):
            return self._upload(request)
        if request.method == "GET" and "/tables/" in request.target:
            return self._described(request)
        self._descriptions |= dict(_DESCRIBED_VIEW.findall(request.body))
        return self.forward(request)

    def _described(self, request: Request) -> Answer:
        """Return what the emulator says of a table, with the description of a view, which it forgets."""
        answer = self.forward(request)
        name = ".".join(urlsplit(request.target).path.split("/")[4::2])
        if answer.status != 200 or name.encode() not in self._descriptions:
            return answer
        table = json.loads(answer.body) | {"description": self._descriptions[name.encode()].decode()}
        return Answer(200, [("Content-Type", "application/json")], json.dumps(table).encode())

    def _change_table(self, request: Request) -> Answer:
        """Change what the emulator says of the table, and then the table itself, which it forgets."""
        table = json.loads(self.forward(Request("GET", request.target, request.headers, b"")).body)
        before = {field["name"] for field in table["schema"]["fields"]}
        fields = json.loads(request.body).get("schema", {}).get("fields", [])
        added = [field for field in fields if field["name"] not in before]
        for field in added:
            if field.get("mode") == "REQUIRED":
                return _error(400, "invalid", f"Cannot add required fields to an existing schema. ({field['name']})")
        answer = self.forward(request)
        name = ".".join(table["tableReference"][part] for part in ("projectId", "datasetId", "tableId"))
        for field in added:
            self._run(f"ALTER TABLE `{name}` ADD COLUMN {field['name']} {_SQL_TYPES.get(field['type'], field['type'])}")
        return answer

    def _run(self, statement: str) -> None:
        headers = Message()
        headers["Content-Type"] = "application/json"
        body = json.dumps({"query": statement, "useLegacySql": False}).encode()
        answer = self.forward(Request("POST", "/bigquery/v2/projects/project/queries", headers, body))
        assert answer.status == 200, answer.body

    def _upload(self, request: Request) -> Answer:
        load = self._uploads.get(request.target)
        if load is None:
            return self._begun_upload(request)
        schema = {field["name"]: _Field(**field) for field in load["schema"]["fields"]}
        for number, line in enumerate(request.body.splitlines(), 1):
            if reason := self._objection(line, schema):
                return _failed_load(
                    load, f"Error while reading data, error message: JSON parsing error in row {number}: {reason}"
                )
        return self.forward(request)

    def _begun_upload(self, request: Request) -> Answer:
        answer = self.forward(request)
        for name, value in answer.headers:
            if name.lower() == "location":
                parts = urlsplit(value)
                self._uploads[f"{parts.path}?{parts.query}"] = json.loads(request.body)["configuration"]["load"]
        return answer

    def _objection(self, line: bytes, schema: dict[str, "_Field"]) -> str | None:
        if self.unwanted and self.unwanted.encode() in line:
            return "unwanted"
        try:
            values = json.loads(line, parse_constant=lambda name: 1 / 0)
        except (ValueError, ZeroDivisionError):
            return "Parser terminated before end of string"
        unknown = values.keys() - schema.keys()
        if unknown:
            return f"No such field: {min(unknown)}."
        return next((reason for each in schema.values() if (reason := each.objection(values.get(each.name)))), None)


@dataclass(frozen=True, slots=True)
class _Field:
    """A column as a load job declares it."""

    name: str
    type: str
    mode: str = "NULLABLE"
    description: str | None = None

    def objection(self, value: Any) -> str | None:
        if value is None:
            return f"Missing required field: {self.name}." if self.mode == "REQUIRED" else None
        try:
            _READ[self.type](value)
        except (TypeError, ValueError, OverflowError):
            return f"Could not convert value to {self.type}. Field: {self.name}; Value: {value!r:.50}"
        return None


def _text(value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError
    value.encode()


def _integer(value: Any) -> None:
    int(value).to_bytes(8, signed=True)


def _json(value: Any) -> None:
    json.dumps(value, ensure_ascii=False).encode()


_READ: dict[str, Callable[[Any], Any]] = {
    "STRING": _text,
    "INTEGER": _integer,
    "FLOAT": float,
    "BOOLEAN": {True: True, False: False}.__getitem__,
    "TIMESTAMP": datetime.fromisoformat,
    "BYTES": lambda value: base64.b64decode(value, validate=True),
    "JSON": _json,
}


def _failed_load(load: dict[str, Any], message: str) -> Answer:
    reference = {"projectId": load["destinationTable"]["projectId"], "jobId": "refused", "location": "US"}
    summary = {
        "reason": "invalid",
        "message": "Error while reading data, error message: JSON table encountered errors.",
    }
    status = {"state": "DONE", "errorResult": summary, "errors": [summary, {"reason": "invalid", "message": message}]}
    job = {"kind": "bigquery#job", "jobReference": reference, "configuration": {"load": load}, "status": status}
    return Answer(200, [("Content-Type", "application/json")], json.dumps({**job, "statistics": {}}).encode())


def _error(status: int, reason: str, message: str) -> Answer:
    error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
    return Answer(status, [("Content-Type", "application/json")], json.dumps({"error": error}).encode())


def _installed() -> Path:
    """Return the emulator's virtual environment, which is made once, from PyPI, by whoever comes first."""
    done = _VENV / _REQUIREMENTS.name
    with _VENV.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != _REQUIREMENTS.read_bytes():
            subprocess.run([sys.executable, "-m", "venv", "--clear", _VENV], check=True)
            python = _VENV / "bin/python"
            pip: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--requirement", _REQUIREMENTS], check=True)
            subprocess.run([python, "-c", _INSTALL_EXTENSIONS], check=True, env=_environment(_VENV))
            done.write_bytes(_REQUIREMENTS.read_bytes())
    return _VENV


def _environment(venv: Path) -> dict[str, str]:
    """DuckDB keeps its extensions below HOME."""
    return {**os.environ, "HOME": str(venv)}


def _shared_port(folder: Path) -> int:
    """Return the port of the emulator of a folder, which whoever comes first starts."""
    known = folder / "bigquery-port"
    with (folder / "bigquery-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            port = free_port()
            _started(_installed(), port, ends_with=os.getppid())
            known.write_text(str(port), encoding="utf-8")
    return int(known.read_text(encoding="utf-8"))


def _started(venv: Path, port: int, ends_with: int) -> subprocess.Popen[bytes]:
    log = venv / f"emulator-{port}.log"
    command: list[str | Path] = [
        venv / "bin/python",
        _STARTER,
        "start",
        "--rest-port",
        str(port),
        "--grpc-port",
        "0",
        "--log-level",
        "error",
    ]
    with log.open("wb") as output:
        env = _environment(venv) | {"ENDS_WITH": str(ends_with)}
        process = subprocess.Popen(command, stdout=output, stderr=output, env=env)
    deadline = time.monotonic() + _START_S
    while not _answers(port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"the BigQuery emulator does not start: see {log}")
        time.sleep(0.1)
    log.unlink()
    return process


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/bigquery/v2/projects/p/datasets")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def main() -> None:
    """Serve until interrupted, and print the URL first."""
    with BigQueryEmulator() as emulator:
        print(emulator.url, flush=True)  # noqa: T201
        threading.Event().wait()


if __name__ == "__main__":
    main()
