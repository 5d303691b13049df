"""Check name resolution, proxies and the clock."""

import socket
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from threading import Thread

import pycurl

from audiocrawler.doctor.check import Check, broken, missing, ok
from audiocrawler.model.proxies import Proxies, Proxy

HOST = "example.com"
"""Reserved by IANA for such uses (RFC 2606)."""
ANSWER_S = 10.0
MAX_SKEW_S = 60.0
"""Google refuses credentials from a clock that is five minutes off; HTTP freshness counts in seconds."""


def of_network(proxies: Proxies, user_agent: str) -> Iterator[Check]:
    """Check the proxies or, without any, name resolution; then the clock."""
    checks = [_of_proxy(proxy) for proxy in dict.fromkeys(proxies.all())] or [_of_names()]
    yield from checks
    if all(check.state == "ok" for check in checks):
        yield _of_clock(proxies.proxy_for(f"http://{HOST}/"), user_agent)


def _of_proxy(proxy: Proxy) -> Check:
    try:
        socket.create_connection((proxy.host, proxy.port), ANSWER_S).close()
    except OSError as error:
        why = error.strerror or "no answer"
        return broken("proxy", f"{proxy.shown}: {why}", "start it, or unset http_proxy, https_proxy and all_proxy")
    return ok("proxy", f"{proxy.shown} takes connections")


def _of_names() -> Check:
    answers: list[str | socket.gaierror] = []
    look_up = Thread(target=lambda: answers.append(_looked_up()), daemon=True)  # it cannot be cancelled
    look_up.start()
    look_up.join(ANSWER_S)
    answer = answers[0] if answers else socket.gaierror(socket.EAI_AGAIN, f"no answer within {ANSWER_S:g} s")
    if isinstance(answer, str):
        return ok("dns", f"{HOST} is {answer}")
    if answer.errno == socket.EAI_NONAME:  # a network of its own
        return missing("dns", f"{HOST} cannot be resolved here", "cat /etc/resolv.conf shows who is asked")
    return broken("dns", f"no name can be looked up ({answer.strerror})", "cat /etc/resolv.conf shows who is asked")


def _looked_up() -> str | socket.gaierror:
    try:
        return str(socket.getaddrinfo(HOST, 80, type=socket.SOCK_STREAM)[0][4][0])
    except socket.gaierror as error:
        return error


def _of_clock(proxy: Proxy | None, user_agent: str) -> Check:
    """Compare the clock with the Date header of a response."""
    dates: list[str] = []

    def take(line: bytes) -> None:
        name, _, value = line.decode("latin-1").partition(":")
        if name.lower() == "date":
            dates.append(value.strip())

    curl = pycurl.Curl()
    options = {pycurl.URL: f"http://{HOST}/", pycurl.NOBODY: 1, pycurl.TIMEOUT: int(ANSWER_S)}
    options |= {pycurl.HEADERFUNCTION: take, pycurl.USERAGENT: user_agent, pycurl.PROXY: proxy.url if proxy else ""}
    try:
        for option, value in options.items():
            curl.setopt(option, value)
        curl.perform()
        return of_skew(time.time() - parsedate_to_datetime(dates[-1]).timestamp(), HOST)
    except (pycurl.error, IndexError, ValueError):
        return missing("clock", f"{HOST} does not answer, so it is not compared")
    finally:
        curl.close()


def of_skew(skew_s: float, reference: str) -> Check:
    """Return whether a clock that is ``skew_s`` ahead of another is good enough."""
    if abs(skew_s) <= MAX_SKEW_S:
        return ok("clock", f"within {max(1, round(abs(skew_s)))} s of {reference}'s")
    how = f"{abs(skew_s):.0f} s {'fast' if skew_s > 0 else 'slow'} by that of {reference}"
    return broken("clock", how, "timedatectl set-ntp true")
