"""Signals between the download and the crawl around it."""

transfers_given_up = object()
"""Sent when what is still under way shall end now; takes no arguments."""
host_paused = object()
"""Sent when a host has asked for a pause; takes ``host`` and ``pause_s``, the seconds from now."""
