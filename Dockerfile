# Two targets: slim crawls, full has a browser and Scrapyd, too.
#
#   docker build --target slim --tag audiocrawler .
#   docker run --rm --volume audio:/data audiocrawler crawl audio -a url=https://example.org/
#
#   docker build --target full --tag audiocrawler:full .
#   docker run --publish 127.0.0.1:6800:6800 --env SCRAPYD_USERNAME=me --env SCRAPYD_PASSWORD --volume audio:/data audiocrawler:full
#
# Both run with a read-only root: --read-only --tmpfs /tmp. No secret is in them: mount a key and name it in
# AUDIO_GCP_KEY_FILE, or use the identity of the machine.

FROM python:3.13.16-slim-trixie AS base
# Caches go to /tmp, the only other place that can be written to. Byte code is made when a package is installed.
ENV PATH=/opt/audiocrawler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    SCRAPY_SETTINGS_MODULE=audiocrawler.settings \
    XDG_CACHE_HOME=/tmp/cache
# The default paths are relative and begin with data/: the link leads them to the volume.
RUN useradd --uid 10001 --user-group --create-home crawler \
    && install --directory --owner=crawler --group=crawler /data \
    && install --directory /app \
    && ln --symbolic /data /app/data
WORKDIR /app
VOLUME /data

# --- Wheels: before the code, so that a change of the code installs none of them again -----------------------------
FROM base AS wheels
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
RUN python -m venv /opt/audiocrawler
COPY pyproject.toml requirements.txt ./
# An empty package has the dependencies of the real one; requirements.txt says at which versions.
RUN mkdir audiocrawler \
    && touch README.md audiocrawler/__init__.py \
    && pip install --constraint requirements.txt '.[gcp,redis]' \
    && pip uninstall --yes audiocrawler

FROM wheels AS wheels-full
RUN pip install --constraint requirements.txt '.[gcp,redis,browser,scrapyd]' \
    && pip uninstall --yes audiocrawler

# --- Code ----------------------------------------------------------------------------------------------------------
FROM wheels AS code
COPY audiocrawler audiocrawler
RUN pip install --no-deps .

FROM wheels-full AS code-full
COPY audiocrawler audiocrawler
RUN pip install --no-deps .

# --- full: Chromium, and Scrapyd on port 6800 ------------------------------------------------------------------------
FROM base AS full
# Debian keeps only the newest Chromium, so that no version can be named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium fonts-noto-core tini \
    && rm -rf /var/lib/apt/lists/*
COPY --from=code-full /opt/audiocrawler /opt/audiocrawler
COPY deploy/scrapyd/scrapyd.conf /etc/scrapyd/scrapyd.conf
COPY --chmod=755 deploy/scrapyd/start-scrapyd deploy/scrapyd/check-scrapyd /usr/local/bin/
USER 10001:10001
EXPOSE 6800
# Scrapyd passes it on to its crawls, and waits for them.
STOPSIGNAL SIGINT
HEALTHCHECK --interval=30s --timeout=10s --start-period=20s CMD ["check-scrapyd"]
ENTRYPOINT ["tini", "--"]
CMD ["start-scrapyd"]

# --- slim: the default -----------------------------------------------------------------------------------------------
FROM base AS slim
COPY --from=code /opt/audiocrawler /opt/audiocrawler
USER 10001:10001
# Scrapy ends a crawl in good order at SIGINT, and the next one takes up the rest.
STOPSIGNAL SIGINT
ENTRYPOINT ["scrapy"]
CMD ["--help"]
