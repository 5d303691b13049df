"""Every default, with a line of why.

Own settings begin with AUDIO_; each can be set by an environment variable of its name, and ``-s`` wins over that.
"""

import os

from audiocrawler import __version__

BOT_NAME = "audiocrawler"
SPIDER_MODULES = ["audiocrawler.spiders"]
COMMANDS_MODULE = "audiocrawler.commands"
ADDONS: dict[str, int] = {}

# --- Where the data goes -------------------------------------------------------------------------------------------

AUDIO_STORE = "file:data/objects"  # folder of the audio objects, or gs://bucket/prefix
AUDIO_WAREHOUSE = "sqlite:data/audio.db"  # database of the tables, or bigquery://project/dataset/audio_metadata
AUDIO_STORES: dict[str, str] = {}  # more kinds: scheme -> dotted path of a class; see audiocrawler.storage.store
AUDIO_WAREHOUSES: dict[str, str] = {}  # the same of warehouses; see audiocrawler.warehouse.warehouse
AUDIO_FRONTIER = "sqlite:data/frontier.db"  # requests to come; memory, or redis://host:6379/0 for many workers
AUDIO_LEASE_S = 60  # with redis: a worker that says nothing for so long has lost its requests to the others
AUDIO_INCOMING = "data/incoming"  # bodies under way; on the store's file system a finished one is linked, not copied
AUDIO_LOG_DIR = "data/logs"  # one log file per crawl, where LOG_FILE names no other
AUDIO_LOG_FORMAT = "text"  # json: an object a line, for the tools that collect logs
AUDIO_MANIFEST_DIR = "data/crawls"  # a record per crawl, written at its start and its end

# --- Google Cloud ----------------------------------------------------------------------------------------------------

AUDIO_GCP_PROJECT = None  # None: the project of the credentials, or the one that the warehouse names
AUDIO_GCP_KEY_FILE = None  # a service account's JSON key; None: Application Default Credentials
AUDIO_BIGQUERY_CREATE = False  # whether a dataset and tables that are not there are created
AUDIO_BIGQUERY_LOCATION = None  # of a new dataset, such as EU; None leaves it to BigQuery
AUDIO_OUTBOX = "data/outbox"  # rows that wait for BigQuery, one file per warehouse; must outlast the process
AUDIO_FLUSH_ROWS = 5000  # a MERGE is billed for the whole table, so batches are large ...
AUDIO_FLUSH_SECONDS = 300  # ... or rare; and all rows are sent at the end
AUDIO_MAX_OUTBOX_ROWS = 1_000_000  # then requests wait: about 1 GB of rows

# --- What is taken ---------------------------------------------------------------------------------------------------

AUDIO_MAX_BYTES = 4 * 1024**3  # per file: longer ones are refused at their headers, or cut off on the way
AUDIO_MAX_TOTAL_BYTES = None  # of the whole crawl: what would pass it is left for another one
AUDIO_MAX_FILES_PER_PAGE = 10_000  # more on one page are named in the log and left out: waiting requests take memory
AUDIO_MAX_DURATION_S = 24 * 3600  # per file: decoding stops there, so that a small bomb does not run for days
AUDIO_MIN_DURATION_MS = None  # filters: what they refuse keeps a source row with the reason
AUDIO_MIN_SAMPLE_RATE_HZ = None
AUDIO_LICENSES = None  # such as CC0-1.0,CC-BY-4.0: what is not stated to be under one of them is left out
AUDIO_ENERGY_LOUDNESS_DBFS = -20.0  # High Energy is above it, Low Energy is not
AUDIO_ENERGY_DURATION_MS = 60_000  # High Energy is shorter, Low Energy is not
AUDIO_OPT_OUT = "honour"  # what opts out of AI training is not downloaded; record: noted only; ignore: not even read
AUDIO_FINDERS: dict[str, int | None] = {}  # added to, or with None taken from, the finders of audiocrawler.discovery

# --- Sites that want an account ---------------------------------------------------------------------------------------

AUDIO_COOKIES = None  # path of a Netscape cookies.txt; each cookie goes only where its domain, path and secure say
AUDIO_HEADERS = None  # path of a JSON file such as {"media.example.org": {"Authorization": "Bearer ..."}}

# --- How much at a time ----------------------------------------------------------------------------------------------

AUDIO_WORKERS = None  # analysing processes; None: the usable cores, at most 4
AUDIO_STALL_TIMEOUT_S = 60  # a transfer that brings no byte for so long is given up, however large the file
AUDIO_MIN_BYTES_PER_S = 100  # over each stall timeout: a transfer that drips is given up like one that stalls
AUDIO_MAX_UNSIZED_S = 3600  # a body whose length nobody tells and that has not ended by then is a radio stream
AUDIO_MEDIA_PER_HOST = 4  # transfers at a time; they have no delay of their own unless robots.txt asks for one
AUDIO_MAX_FILES_IN_FLIGHT = 32  # files under way from request to row
AUDIO_MAX_INCOMING_BYTES = 16 * 1024**3  # on disk between download and store; then downloads wait
AUDIO_MIN_FREE_BYTES = 256 * 1024**2  # stay free on disk, for the database and the log; then the crawl stops
AUDIO_STOP_GRACE_S = 4  # after a stop, what is under way may end; then it is given up and taken again next time

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

# --- Pages that need a browser ---------------------------------------------------------------------------------------

AUDIO_CHROMIUM = None  # program to start; None: Playwright's own Chromium, else one on the PATH
AUDIO_BROWSER_PAGES = 4  # open at a time: each takes up to a core while it loads
AUDIO_BROWSER_CONTEXTS = 4  # sites open at a time, each with cookies and a cache of its own; idle ones are closed
AUDIO_BROWSER_PAGE_S = 45  # a page that has not come to rest by then is given up

# --- Manners ---------------------------------------------------------------------------------------------------------

AUDIO_CONTACT = None  # URL or address shown in the user agent, so that a site can reach you
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

AUDIO_ALLOW_ADDRESSES = None  # networks, addresses, hosts, host:port that pages may lead to though not public
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
    "audiocrawler.middlewares.gates.TakenAgainMiddleware": 5,
    "audiocrawler.middlewares.gates.LimitMiddleware": 10,  # before anything is asked of a server
    "audiocrawler.fetch.connect.ProxyMiddleware": 15,  # whether names are looked up here depends on the proxy
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "audiocrawler.fetch.connect.AddressMiddleware": 20,  # before robots.txt of a host that may not be asked
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "audiocrawler.fetch.robots.RobotsMiddleware": 100,
    "audiocrawler.middlewares.optouts.OptOutMiddleware": 110,  # what robots.txt forbids is not asked about
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "audiocrawler.fetch.back_off.BackOffMiddleware": 560,
    "audiocrawler.scheduler.shared.TurnMiddleware": 570,  # last before the download, so that the time is kept
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
    "audiocrawler.extensions.Progress": 30,
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

globals().update(
    {name: os.environ[name] for name in list(globals()) if name.startswith("AUDIO_") and name in os.environ}
)

USER_AGENT = f"audiocrawler/{__version__}" + (f" (+{AUDIO_CONTACT})" if AUDIO_CONTACT else "")
