"""The signal by which a stopping crawl ends its transfers."""

transfers_given_up = object()
"""Sent when what is still under way shall end now; takes no arguments."""
