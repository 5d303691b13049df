"""The parts that Scrapy is to use, and what differs from Scrapy's own defaults, with a line of why.

Own settings begin with AUDIO_ and are declared in ``audiocrawler.model.settings``; each can be set by an environment
variable of its name, and ``-s`` wins over that.
"""

import os

from audiocrawler.model.settings import defaults, user_agent

BOT_NAME = "audiocrawler"
SPIDER_MODULES = ["audiocrawler.spiders"]
COMMANDS_MODULE = "audiocrawler.commands"
ADDONS: dict[str, int] = {}
globals().update({name: os.environ.get(name, default) for name, default in defaults().items()})

# --- How much at a time ----------------------------------------------------------------------------------------------

URLLENGTH_LIMIT = 0  # it would drop requests without a word; what is too long gets a row that says so
CONCURRENT_REQUESTS = 32  # over all hosts
CONCURRENT_REQUESTS_PER_DOMAIN = 4
CONCURRENT_ITEMS = 32
DOWNLOAD_TIMEOUT = 60  # pages; audio has the stall timeout
DOWNLOAD_MAXSIZE = 64 * 1024**2  # pages and feeds; audio has AUDIO_MAX_BYTES
DOWNLOAD_WARNSIZE = 0  # large is normal here
RETRY_TIMES = 5  # with pauses of 1, 2, 4 ... s: what fails for half a minute is not lost
RETRY_HTTP_CODES = [408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]
RETRY_GIVE_UP_LOG_LEVEL = "INFO"  # the row in audio_sources and the closing table tell it
REQUEST_FINGERPRINTER_CLASS = "audiocrawler.scheduler.request_json.MediaFingerprinter"
SCHEDULER = "audiocrawler.scheduler.scheduler.FrontierScheduler"  # keeps requests where a crash loses none
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
REFERRER_POLICY = "strict-origin-when-cross-origin"  # as browsers do: hot-link protection wants it, secrets stay

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
    "audiocrawler.middlewares.credentials.CredentialsMiddleware": 1,  # before anything can tell of a URL's password
    "audiocrawler.middlewares.gates.UrlLengthMiddleware": 3,  # before any pattern is matched against it
    "audiocrawler.middlewares.gates.TakenDownMiddleware": 4,
    "audiocrawler.middlewares.gates.RedeliveryMiddleware": 5,
    "audiocrawler.middlewares.gates.LimitMiddleware": 10,  # before anything is asked of a server
    "audiocrawler.fetch.connect.ProxyMiddleware": 15,  # whether names are looked up here depends on the proxy
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "audiocrawler.fetch.connect.AddressMiddleware": 20,  # before robots.txt of a host that may not be asked
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "audiocrawler.fetch.robots.RobotsMiddleware": 100,
    "audiocrawler.middlewares.optouts.OptOutMiddleware": 110,  # what robots.txt forbids is not asked about
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "audiocrawler.fetch.back_off.BackOffMiddleware": 560,
    "audiocrawler.scheduler.shared.RateLimitMiddleware": 570,  # last before the download, so that the time is kept
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "audiocrawler.fetch.accounts.LocalListCookiesMiddleware": 700,
    "audiocrawler.middlewares.media.RevalidationMiddleware": 605,  # when robots.txt has let it pass
    "audiocrawler.fetch.robots.RobotsBodyMiddleware": 605,  # decodes it before HttpCompressionMiddleware does
    "audiocrawler.middlewares.gates.LocationMiddleware": 610,  # before RedirectMiddleware (600) follows it
    "audiocrawler.middlewares.media.MediaMiddleware": 610,  # sees it stopped before HttpCompressionMiddleware (590)
}
SPIDER_MIDDLEWARES = {"audiocrawler.middlewares.credentials.LoginMiddleware": 10}
EXTENSIONS = {
    "scrapy.extensions.remote_control.RemoteControl": None,  # to learn that it is off costs 0.1 s and an HTTP library
    "scrapy.extensions.feedexport.FeedExporter": None,
    "audiocrawler.exports.HeardFeedExporter": 0,
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
FILES_STORE = "data/incoming"  # FilesPipeline asks for one; AUDIO_STORE is where files go
LOG_FORMATTER = "audiocrawler.logs.OneLineLogFormatter"
LOG_LEVEL = "INFO"
FEED_EXPORT_ENCODING = "utf-8"
FEED_EXPORTERS = {
    "csv": "audiocrawler.exports.SpreadsheetSafeCsvExporter",
    "xml": "audiocrawler.exports.WellFormedXmlExporter",
}

USER_AGENT = user_agent(os.environ.get("AUDIO_CONTACT"))
