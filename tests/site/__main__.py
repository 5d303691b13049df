"""Serves the site: `python -m tests.site [--port N] [-- COMMAND ...]`.

With a command, runs it with ``{url}`` replaced by the site's URL, stops the site and exits with the command's code.
"""

import argparse
import signal
import subprocess
import sys
import threading

from tests.site.server import Site


def main() -> int:
    """Serve until Ctrl-C, or until the command has ended; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.site", description="Serve the test site on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one (default)")
    parser.add_argument("command", nargs="*", help="command to run, after --; {url} in it becomes the site's URL")
    arguments = parser.parse_args()
    with Site(port=arguments.port) as site:
        if arguments.command:
            return _run([word.replace("{url}", site.url) for word in arguments.command])
        return _wait(site)


def _run(command: list[str]) -> int:
    # Ctrl-C reaches the command too: it ends in its own time, and the site serves it until then.
    signal.signal(signal.SIGINT, lambda *_: None)
    code = subprocess.run(command, check=False).returncode
    return code if code >= 0 else 128 - code  # as a shell tells of a signal


def _wait(site: Site) -> int:
    sys.stdout.write(f"{site.url}/\n{site.second_url}/ (second host)\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
