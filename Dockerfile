# docker build -t audiocrawler .
# mkdir -p data && docker run --rm --user "$(id -u)" -v "$PWD/data:/data" audiocrawler crawl audio -a url=https://example.org/
FROM python:3.13-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# Before the code, so that a change of the code does not install everything again.
COPY requirements.txt .
RUN pip install --requirement requirements.txt

# The default paths are relative and begin with data/: the link leads them to the volume.
RUN useradd --uid 10001 --create-home crawler \
    && install --directory --owner=crawler --group=crawler /data \
    && ln --symbolic /data data
COPY scrapy.cfg .
COPY audiocrawler audiocrawler

USER crawler
VOLUME /data

# Scrapy ends a crawl in good order at SIGINT, and the next one takes up the rest.
STOPSIGNAL SIGINT
ENTRYPOINT ["scrapy"]
CMD ["--help"]
