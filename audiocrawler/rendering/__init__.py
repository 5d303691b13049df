"""When a page goes to the browser, how it is opened there, and what is seen of it.

signals, learning -> when; chromium, proxy, contexts -> the browser and its bounds; scripts, visit, watch -> what is
done and watched in a page; seen -> what came of it. Nothing here knows Scrapy, or loads playwright by itself.
"""
