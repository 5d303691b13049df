"""When a page goes to the browser, how it is opened there, and what is seen of it.

when -> whether a page is worth it; chromium, proxy -> the browser and its bounds; visit, js/ -> what is done and
watched in a page, and what came of it. Nothing here knows Scrapy, or loads playwright by itself.
"""
