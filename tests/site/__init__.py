"""A small website with real audio, served on loopback: what the tests crawl, and `make crawl` without a url."""
