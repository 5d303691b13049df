"""Plays cases of strange servers to the real command and judges what came of each.

    python -m benchmarks.transport_cases CASES.jsonl [--only TEXT] [--kind KIND] [--jobs N] [--verbose]

CASES.jsonl has an object a line with ``case``, ``kind``, ``verdict`` and ``input``: the server's behaviour as python
source (see benchmarks/case_words.py). What is to hold of each case is in benchmarks/case_plans.py by its name; a case
that is not there is played and told, but not judged; prose that has no plan is not run. The sources are executed: give
only a file that you trust.
"""

import argparse
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.case_checks import Played, Seen, told
from benchmarks.case_plans import COMMANDS, FILES, Plan, Step
from benchmarks.case_server import Case, Playing, playing
from benchmarks.case_words import load_case
from benchmarks.measured import peak_mib
from tests.crawling import QUICK, REPOSITORY, Run

TIMEOUT_S = 240
FAILED, PASSED, UNJUDGED, NOT_RUN = "FAILED", "passed", "not judged", "not run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a case came to."""

    row: dict[str, str]
    outcome: str
    wrong: str
    told: str
    took_s: float


def main() -> None:
    """Play what is asked for and print."""
    options = _options()
    lines = options.cases.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if options.only in row["case"] and options.kind in row["kind"]]
    verdicts = []
    with ThreadPoolExecutor(options.jobs) as threads:
        for verdict in threads.map(judge, rows):
            _print(verdict, is_verbose=options.verbose)
            verdicts.append(verdict)
    _print_totals(verdicts)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transport_cases")
    parser.add_argument("cases", type=Path, help="the file of cases")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains this")
    parser.add_argument("--kind", default="", help="cases of a kind that contains this")
    parser.add_argument("--jobs", type=int, default=4, help="cases played at a time")
    parser.add_argument("--verbose", action="store_true", help="tell also what was seen of cases that passed")
    return parser.parse_args()


def _print(verdict: Verdict, *, is_verbose: bool) -> None:
    doubtful = " (doubtful)" if verdict.row["verdict"] == "doubtful" else ""
    wrong = f": {verdict.wrong}" if verdict.wrong else ""
    print(f"{verdict.outcome:10} {verdict.row['case']:32} {verdict.took_s:5.1f} s{doubtful}{wrong}", flush=True)
    if verdict.told and (is_verbose or verdict.outcome != PASSED):
        print(f"           {verdict.told}", flush=True)


def _print_totals(verdicts: list[Verdict]) -> None:
    outcomes = (PASSED, FAILED, UNJUDGED, NOT_RUN)
    by_kind: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        by_kind.setdefault(verdict.row["kind"] or "(none)", Counter())[verdict.outcome] += 1
    print(f"\n{'kind':42}" + "".join(f"{outcome:>12}" for outcome in outcomes))
    for kind, counts in [*sorted(by_kind.items()), ("all", sum(by_kind.values(), Counter()))]:
        print(f"{kind:42}" + "".join(f"{counts[outcome]:12}" for outcome in outcomes))


def judge(row: dict[str, str]) -> Verdict:
    """Play one case and all that belongs to it."""
    began = time.monotonic()
    parts = list(_parts(row))
    if not parts:
        return Verdict(row, NOT_RUN, "", "", 0)
    wrong, seen = [], []
    for case, plan in parts:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            said, was = _play(case, plan or Plan(()), Path(folder).resolve())
        wrong += said
        seen.append(was)
    outcome = FAILED if wrong else PASSED if all(plan for _, plan in parts) else UNJUDGED
    return Verdict(row, outcome, "; ".join(wrong), " | ".join(filter(None, seen)), time.monotonic() - began)


def _parts(row: dict[str, str]) -> Iterator[tuple[Case, Plan | None]]:
    plans = [plan for name, plan in COMMANDS.items() if name == row["case"] or name.startswith(f"{row['case']} ")]
    for plan in plans:
        assert plan.case is not None
        yield plan.case, plan
    if plans:
        return
    try:
        case = load_case(row["input"])
    except Exception:  # noqa: BLE001 - prose, or python of something else
        return
    yield case, FILES.get(row["case"])


def _play(case: Case, plan: Plan, folder: Path) -> tuple[list[str], str]:
    with tempfile.TemporaryDirectory() as keys, playing(case, _expired(Path(keys)) if plan.tls else None) as server:
        start = plan.start.replace("{base}", server.url("")).replace("{port}", str(server.port))
        fill = {"{url}": start.replace("{path}", case.start), "{port}": str(server.port), "{folder}": str(folder)}
        trust = {"SSL_CERT_FILE": f"{keys}/ca.pem", "CURL_CA_BUNDLE": f"{keys}/ca.pem"} if plan.tls else {}
        played = [_run(step, server, folder, fill, trust) for step in plan.steps]
        seen = Seen(played or [Played(Run(0, "", "", folder), 0, [], [])], server)
        wrong = [said for check in plan.checks if (said := check(seen))]
        return wrong, told(seen) if played else ""


def _run(step: Step, server: Playing, folder: Path, fill: dict[str, str], trust: dict[str, str]) -> Played:
    asked, sent = len(server.requests), len(server.sent)
    server.gate = step.gate
    if step.before:
        step.before(folder, fill["{url}"])
    process = subprocess.Popen(
        _argv(step, fill),
        cwd=folder,
        env={**_environment(), **trust, **step.env},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    peaks = [0.0]
    for watch in (_watch, *([_interrupt] if step.interrupt_s else [])):
        threading.Thread(target=watch, args=(process, peaks, server, step), daemon=True).start()
    try:
        stdout, stderr = process.communicate(_filled(step.stdin or "", fill), timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        stdout, stderr = process.communicate()
        stderr += f"\nkilled after {TIMEOUT_S} s"
    return Played(
        Run(process.returncode, stdout, stderr, folder), peaks[0], server.requests[asked:], server.sent[sent:]
    )


def _argv(step: Step, fill: dict[str, str]) -> list[str]:
    settings = [word for name, value in {**QUICK, **step.settings}.items() for word in ("-s", f"{name}={value}")]
    scrapy = [sys.executable, "-m", "scrapy"]
    first, *rest = [_filled(word, fill) for word in step.words]
    if first == "python":
        return [sys.executable, *rest]
    if first == "sh":
        # What follows the command's name comes before its options, whichever they are.
        whole = re.sub(r"\{scrapy\}(.*?)( -O| >>|$)", rf"{' '.join(scrapy)}\1 {' '.join(settings)}\2", rest[1])
        return ["sh", "-c", whole]
    return [*scrapy, first, *rest, *settings]


def _filled(text: str, fill: dict[str, str]) -> str:
    for name, value in fill.items():
        text = text.replace(name, value)
    return text


def _environment() -> dict[str, str]:
    hidden = re.compile(r"AUDIO_|.*_proxy$", re.IGNORECASE)
    kept = {name: value for name, value in os.environ.items() if not hidden.match(name)}
    return kept | {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings", "PYTHONPATH": str(REPOSITORY)}


def _watch(process: "subprocess.Popen[str]", peaks: list[float], _server: Playing, _step: Step) -> None:
    while process.poll() is None:
        peaks[0] = max(peaks[0], peak_mib(process.pid))
        time.sleep(0.1)


def _interrupt(process: "subprocess.Popen[str]", _peaks: list[float], server: Playing, step: Step) -> None:
    while not any(".mp3" in request.path for request in server.requests) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(step.interrupt_s or 0)
    process.send_signal(signal.SIGINT)


def _expired(folder: Path) -> ssl.SSLContext:
    """Return the context of a server whose certificate is trusted but for its dates; writes ca.pem."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    ca = _certificate("Test CA", keys[0], "Test CA", keys[0], days=400)
    leaf = _certificate("127.0.0.1", keys[1], "Test CA", keys[0], days=-1)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    private = keys[1].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + leaf.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


def _certificate(subject: str, key: Any, issuer: str, issuer_key: Any, days: int) -> x509.Certificate:
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    made = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
    now = datetime.now(UTC)
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=30))
    made = made.not_valid_after(now + timedelta(days=days))
    if subject == issuer:
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        at = x509.SubjectAlternativeName([x509.IPAddress(ip_address(subject))])
        made = made.add_extension(at, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


if __name__ == "__main__":
    main()
