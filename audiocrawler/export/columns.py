"""A row as the warehouse gives it in; the plain values that sets keep of it out."""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Row = dict[str, Any]
Types = Mapping[str, str]
"""Column -> its type in the terms of model.rows: STRING, INTEGER, FLOAT, BOOLEAN, TIMESTAMP, BYTES or JSON."""

PRIVATE = "gcp_url"
"""Where the object is: of no use elsewhere, and different on each machine."""
TEXT = "text"
TRANSCRIPT = "transcript"
"""In place of a column: the words of the best transcript that is stored."""


def public_types(types: Types, text: str = "") -> Types:
    """Return the columns of a set: what the view has but where objects are, and ``text`` where one is asked for."""
    own = {name: kind for name, kind in types.items() if name != PRIVATE}
    return own | ({TEXT: "STRING"} if text else {})


def json_text(value: Any) -> str:
    """Return JSON whose members are in order, so that the same value is always the same text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


TYPED: dict[str, Callable[[Any], Any]] = {
    "TIMESTAMP": datetime.fromisoformat,
    "BYTES": b64decode,
    "JSON": json_text,
    "FLOAT": float,
}
"""Type -> what makes a plain value one of that type, where it is not one already."""


def cell(value: Any, kind: str) -> Any:
    """Return a plain value for a table that knows only text and numbers."""
    return json_text(value) if value is not None and kind == "JSON" else value
