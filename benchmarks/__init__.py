"""Reruns every figure that README.md quotes: ``python -m benchmarks.NAME``."""
