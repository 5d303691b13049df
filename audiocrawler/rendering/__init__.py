"""Render pages in Chromium: decide which, open them, and collect what they load.

``when`` decides which pages to render; ``chromium`` and ``proxy`` start and confine the browser; ``visit`` and ``js/``
scroll, play and watch a page. Nothing here imports Scrapy, or loads playwright by itself.
"""
