"""--json prints one object, and nothing else, on standard output."""

import json
from typing import Any

from tests.commands.collecting import FILES, SOURCES, Collection


def verified(collection: Collection, *words: str) -> tuple[int, dict[str, Any]]:
    run = collection.run("verify", "--json", *words)
    result: dict[str, Any] = json.loads(run.stdout)
    assert run.stdout.count("\n") == 1
    return run.code, result


def test_verify_tells_programs_what_it_tells_people(collection: Collection) -> None:
    code, clean = verified(collection)
    assert (code, clean["problems"], clean["to_mend"], clean["mend_with"]) == (0, [], 0, None)
    assert (clean["audio_rows"], clean["source_rows"], clean["objects"]) == (FILES, SOURCES, FILES)
    assert (clean["moved"], clean["rows_waiting"], clean["servers"]) == (0, 0, None)
    lost, short, *_ = collection.audio()
    collection.path_of(lost).unlink()
    collection.path_of(short).write_bytes(b"short")
    code, broken = verified(collection, "--hash", "--offline")
    assert code == 4
    problems = {problem["name"]: problem for problem in broken["problems"]}
    assert problems["object missing"] == {"name": "object missing", "number": 1, "examples": [lost.gcp_url]}
    assert "wrong hash" in problems
    assert broken["mend_with"] == "scrapy retry --reason verify:"


def test_what_is_wrong_with_the_settings_is_still_a_line_on_standard_error(collection: Collection) -> None:
    run = collection.run("verify", "--json", "--store", "file:elsewhere")
    assert (run.code, run.stdout) == (2, "")
    assert run.stderr.startswith("scrapy: error: store file:elsewhere")
