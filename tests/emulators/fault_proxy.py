"""A list of faults in; a proxy before an emulator out that has them happen to the requests they name, and counts."""

import random
import re
import threading
import time
from dataclasses import dataclass
from enum import StrEnum, auto

from tests.emulators.reverse_proxy import Answer, Request, ReverseProxy


class Action(StrEnum):
    """What happens to a request."""

    UNAVAILABLE = auto()
    """503; nothing is done."""
    FORBIDDEN = auto()
    """403, which no client tries again; nothing is done."""
    RESET = auto()
    """The connection is reset; nothing is done."""
    LOSE_ANSWER = auto()
    """The work is done and the connection reset."""
    DELAY = auto()
    """The work is done after ``Fault.seconds``."""


@dataclass(slots=True)
class Fault:
    """An action for the next ``times`` requests whose "METHOD target" the pattern is found in; None: for all.

    ``skip`` of them pass before; ``chance`` is the share of the rest that it happens to.
    """

    action: Action
    pattern: str = ""
    times: int | None = 1
    skip: int = 0
    chance: float = 1.0
    seconds: float = 0.0

    def claims(self, line: str, chance: float) -> bool:
        """Tell whether the fault happens to this request, and count it down."""
        if self.times == 0 or not re.search(self.pattern, line):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if chance >= self.chance:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class FaultProxy(ReverseProxy):
    """Passes requests on, with the faults in ``faults``; that list may be changed at any time.

    ``requests`` has each request as "METHOD target", ``happened`` each fault's action with its request.
    """

    def __init__(self, upstream: str, *faults: Fault, seed: int = 0) -> None:
        super().__init__(upstream)
        self.faults = list(faults)
        self.requests: list[str] = []
        self.happened: list[tuple[Action, str]] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def count(self, pattern: str) -> int:
        """Return how many requests came whose "METHOD target" the pattern is found in."""
        return sum(bool(re.search(pattern, line)) for line in list(self.requests))

    def answer(self, request: Request) -> Answer | None:
        """Return the upstream's answer, unless a fault happens."""
        fault = self._next_fault(f"{request.method} {request.target}")
        match fault and fault.action:
            case Action.UNAVAILABLE:
                return Answer(503)
            case Action.FORBIDDEN:
                return Answer(403)
            case Action.RESET:
                return None
            case Action.LOSE_ANSWER:
                self.forward(request)
                return None
            case Action.DELAY if fault:
                time.sleep(fault.seconds)
        return self.forward(request)

    def _next_fault(self, line: str) -> Fault | None:
        with self._lock:
            self.requests.append(line)
            for fault in self.faults:
                if fault.claims(line, self._random.random()):
                    self.happened.append((fault.action, line))
                    return fault
        return None
