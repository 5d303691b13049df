"""Shared types: rows, errors, settings, text, URLs and URIs. Imports no other package of audiocrawler."""
