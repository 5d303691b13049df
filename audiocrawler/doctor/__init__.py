"""Checks of what a crawl needs: packages, machine, store, warehouse and network."""
