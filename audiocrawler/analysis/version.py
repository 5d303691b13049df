"""What measured a file, to tell whether a row is out of date."""

from importlib.metadata import version

ANALYSER_VERSION = f"1 (PyAV {version('av')})"
"""Version of the columns' definitions, and of the decoder: PyAV's wheel carries its FFmpeg."""
