"""Scrapy's settings: our components, and values that differ from Scrapy's defaults, with the reason.

Our own settings begin with AUDIO_ and are declared in ``audiocrawler.model.settings``; each can be set by an
environment variable of the same name, which ``-s`` overrides.
"""

import os

from audiocrawler.model.settings import defaults, user_agent

BOT_NAME = "audiocrawler"
SPIDER_MODULES = ["audiocrawler.spiders"]
COMMANDS_MODULE = "audiocrawler.commands"
ADDONS: dict[str, int] = {}
globals().update({name: os.environ.get(name, default) for name, default in defaults().items()})

# --- How much at a time ----------------------------------------------------------------------------------------------

URLLENGTH_LIMIT = 0  # it would drop requests silently; a URL that is too long gets a row that says so
CONCURRENT_REQUESTS = 32  # over all hosts
CONCURRENT_REQUESTS_PER_DOMAIN = 4
CONCURRENT_ITEMS = 32
DOWNLOAD_TIMEOUT = 60  # pages; audio has the stall timeout
DOWNLOAD_MAXSIZE = 64 * 1024**2  # pages and feeds; audio has AUDIO_MAX_BYTES
DOWNLOAD_WARNSIZE = 0  # large is normal here
RETRY_TIMES = 5  # with pauses of 1, 2, 4 ... s: a failure of half a minute loses nothing
RETRY_HTTP_CODES = [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # it is in the row in audio_sources and the summary
REQUEST_FINGERPRINTER_CLASS = "audiocrawler.scheduler.request_json.MediaFingerprinter"
SCHEDULER = "audiocrawler.scheduler.scheduler.FrontierScheduler"  # no request is lost in a crash
DOWNLOADER = "audiocrawler.fetch.slots.PoliteDownloader"  # one clock per host
DOWNLOAD_HANDLERS = {
    "http": "audiocrawler.browser.handler.RenderingDownloadHandler",
    "https": "audiocrawler.browser.handler.RenderingDownloadHandler",
    "ftp": None,
    "file": None,
    "data": None,
    "s3": None,
}

# --- Manners ---------------------------------------------------------------------------------------------------------

ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "audiocrawler"
DOWNLOAD_DELAY = 0.5  # between pages of a host; robots.txt can ask for more
DOWNLOAD_DELAY_JITTER = 0
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 0.5  # Scrapy's 5 s would make every short crawl slow
AUTOTHROTTLE_TARGET_CONCURRENCY = 2.0
COOKIES_ENABLED = True  # players behind a consent cookie need it
REFERRER_POLICY = "strict-origin-when-cross-origin"  # as browsers do: hot-link protection needs it, secrets stay here

# --- Safety ----------------------------------------------------------------------------------------------------------

DOWNLOAD_VERIFY_CERTIFICATES = True  # Scrapy's default accepts any certificate
REMOTE_CONTROL_ENABLED = False  # it executes Python on request
TELNETCONSOLE_ENABLED = False
MEDIA_ALLOW_REDIRECTS = True  # items with file_urls of their own: podcast enclosures nearly always redirect

# --- Components ------------------------------------------------------------------------------------------------------

ITEM_PIPELINES = {
    "audiocrawler.pipelines.AudioFilesPipeline": 100,
    "audiocrawler.pipelines.AnalysisPipeline": 200,
    "audiocrawler.pipelines.FilterPipeline": 300,
    "audiocrawler.pipelines.StorePipeline": 400,
    "audiocrawler.pipelines.WarehousePipeline": 500,
}
DOWNLOADER_MIDDLEWARES = {
    "audiocrawler.middlewares.credentials.CredentialsMiddleware": 1,  # before anything can reveal a URL's password
    "audiocrawler.middlewares.buckets.BucketTokenMiddleware": 2,
    "audiocrawler.middlewares.gates.UrlLengthMiddleware": 3,  # before any pattern is matched against it
    "audiocrawler.middlewares.gates.TakenDownMiddleware": 4,
    "audiocrawler.middlewares.gates.RedeliveryMiddleware": 5,
    "audiocrawler.middlewares.gates.LimitMiddleware": 10,  # before any request to a server
    "audiocrawler.fetch.connect.ProxyMiddleware": 15,  # whether names are resolved here depends on the proxy
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "audiocrawler.fetch.connect.AddressMiddleware": 20,  # before robots.txt of a blocked host is requested
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "audiocrawler.fetch.robots.RobotsMiddleware": 100,
    "audiocrawler.middlewares.optouts.OptOutMiddleware": 110,  # disallowed URLs need no check
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "audiocrawler.fetch.back_off.BackOffMiddleware": 560,
    "audiocrawler.scheduler.shared.RateLimitMiddleware": 570,  # last before the download, to meet the reserved time
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "audiocrawler.fetch.accounts.LocalListCookiesMiddleware": 700,
    "audiocrawler.middlewares.media.RevalidationMiddleware": 605,  # only if robots.txt allows it
    "audiocrawler.fetch.robots.RobotsBodyMiddleware": 605,  # decodes it before HttpCompressionMiddleware does
    "audiocrawler.middlewares.gates.LocationMiddleware": 610,  # before RedirectMiddleware (600) follows it
    "audiocrawler.middlewares.media.MediaMiddleware": 610,  # sees it stopped before HttpCompressionMiddleware (590)
}
SPIDER_MIDDLEWARES = {"audiocrawler.middlewares.credentials.LoginMiddleware": 10}
EXTENSIONS = {
    "scrapy.extensions.remote_control.RemoteControl": None,  # even disabled it costs 0.1 s and imports an HTTP library
    "scrapy.extensions.feedexport.FeedExporter": None,
    "audiocrawler.exports.ReportingFeedExporter": 0,
    "audiocrawler.logs.MaskSecrets": 0,
    "audiocrawler.crawl.lifecycle.CrawlLifecycle": 10,
    "audiocrawler.logs.JsonLog": 15,  # needs the crawl's id
    "audiocrawler.browser.handler.Browser": 15,
    "audiocrawler.extensions.StopEarly": 20,
    "audiocrawler.extensions.CountFound": 20,
    "audiocrawler.terminal.Progress": 30,
    "scrapy.extensions.logstats.LogStats": None,
    "audiocrawler.terminal.CrawlLog": 30,
    "scrapy.extensions.throttle.AutoThrottle": None,
    "audiocrawler.fetch.slots.FlooredAutoThrottle": 40,
}
FILES_STORE = "data/incoming"  # required by FilesPipeline; files are stored in AUDIO_STORE
LOG_FORMATTER = "audiocrawler.logs.OneLineLogFormatter"
LOG_LEVEL = "INFO"
FEED_EXPORT_ENCODING = "utf-8"
FEED_EXPORTERS = {
    "csv": "audiocrawler.exports.SpreadsheetSafeCsvExporter",
    "parquet": "audiocrawler.exports.ParquetItemExporter",
    "xml": "audiocrawler.exports.WellFormedXmlExporter",
}

USER_AGENT = user_agent(os.environ.get("AUDIO_CONTACT"))
