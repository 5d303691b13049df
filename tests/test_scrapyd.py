"""The project in a real Scrapyd: as an egg that is deployed to it, and installed beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.crawling import Run, processes_in, run_apart
from tests.scrapyd_server import LOGIN, ScrapydServer, copy_of_the_project, wait_until
from tests.site.answers import Options
from tests.site.server import Site

GRACEFUL = "launcher = audiocrawler.scrapyd_launcher.GracefulLauncher\n"
NO_EGG = f"{GRACEFUL}[settings]\naudiocrawler = audiocrawler.settings\n"
SETTINGS = {"SCRAPY_SETTINGS_MODULE": "audiocrawler.settings"}


@pytest.fixture
def slow_site() -> Iterator[Site]:
    """Return a site with files that come one by one."""
    with Site(Options(many_files=40, many_delay_s=0.5)) as site:
        yield site


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder into which ``pip install .`` has put the project, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(folder / "site")]
    project = copy_of_the_project(folder / "project")
    subprocess.run([sys.executable, "-m", "pip", "install", *options, project], check=True)
    return folder / "site"


def results(server: ScrapydServer) -> Run:
    return Run(0, "", "", server.folder)


def test_an_egg_is_deployed_and_two_crawls_run_one_of_which_is_cancelled(site: Site, slow_site: Site, tmp_path: Path):
    project = copy_of_the_project(tmp_path / "project")
    with ScrapydServer(tmp_path / "node") as server:
        (project / "scrapy.cfg").write_text(
            "[settings]\ndefault = audiocrawler.settings\n"
            f"[deploy]\nurl = {server.url}\nproject = audiocrawler\nusername = {LOGIN[0]}\npassword = {LOGIN[1]}\n"
        )
        environment = {**os.environ, "PYTHONPATH": ""}
        deploy = [sys.executable, "-m", "scrapyd_client.deploy", "--version", "1"]
        subprocess.run(deploy, cwd=project, env=environment, check=True, capture_output=True)
        assert server.ask("listspiders", project="audiocrawler")["spiders"] == ["audio", "retry", "verify"]
        assert requests.get(f"{server.url}daemonstatus.json", timeout=60).status_code == 401

        server.schedule(f"{site.url}/", "whole", "AUDIO_WORKERS=1", depth="1")
        server.schedule(f"{slow_site.url}/many/", "cancelled", "AUDIO_MEDIA_PER_HOST=1")
        wait_until(lambda: server.has_finished("whole"))
        run = results(server)
        stored = "SELECT source_url FROM audio_sources WHERE status = 'stored' AND crawl_id = ?"
        wait_until(lambda: len(run.query(stored, "cancelled")) > 2)
        assert server.tell("cancel", project="audiocrawler", job="cancelled")["prevstate"] == "running"
        wait_until(lambda: server.has_finished("cancelled"))

        exit_codes = run.query("SELECT crawl_id, exit_code, finish_reason, stored FROM audio_crawls ORDER BY crawl_id")
        assert [tuple(row.values())[:3] for row in exit_codes] == [
            ("cancelled", 130, "shutdown"),
            ("whole", 0, "finished"),
        ]
        for jobid, row in zip(("cancelled", "whole"), exit_codes, strict=True):
            rows = {each["source_url"] for each in run.query(stored, jobid)}
            items = [item["source"] for item in server.items(jobid)]
            assert {item["source_url"] for item in items if item["status"] == "stored"} == rows
            assert len(rows) == row["stored"] > 2
            assert "Spider closed" in server.job_log(jobid)
        assert len(run.query(stored, "cancelled")) < 40
        assert len(run.objects) == len(run.audio)


def test_an_installed_project_needs_no_egg_and_a_second_run_of_a_start_ends_with_code_5_and_a_stop_is_graceful(
    slow_site: Site, installed: Path, tmp_path: Path
):
    with ScrapydServer(tmp_path / "node", NO_EGG, env={"PYTHONPATH": str(installed), **SETTINGS}) as server:
        assert server.ask("listspiders", project="audiocrawler")["spiders"] == ["audio", "retry", "verify"]
        server.schedule(f"{slow_site.url}/many/", "first", "AUDIO_MEDIA_PER_HOST=1")
        wait_until(lambda: any("tone" in request.path for request in slow_site.requests))
        server.schedule(f"{slow_site.url}/many/", "second")
        wait_until(lambda: server.has_finished("second"))
        assert not server.has_finished("first")
        (died,) = [line for line in server.log.splitlines() if "Process died" in line]
        assert "exitstatus=5" in died
        assert "job='second'" in died
        assert "another crawl of the same start is running" in server.job_log("second")
        wait_until(lambda: results(server).query("SELECT 1 FROM audio_sources WHERE status = 'stored'"))
    ended = results(server).query("SELECT crawl_id, exit_code, finish_reason FROM audio_crawls")
    assert [tuple(row.values()) for row in ended] == [("first", 130, "shutdown")]
    assert processes_in(server.folder) == []


def test_an_installed_project_has_a_program_that_runs_in_any_folder(site: Site, installed: Path, tmp_path: Path):
    (tmp_path / "scrapy.cfg").write_text("[settings]\ndefault = of.another.project\n", encoding="utf-8")
    command = installed / "bin/audiocrawler", "crawl", f"{site.url}/", "-s", "DOWNLOAD_DELAY=0"
    run = run_apart(tmp_path, *command, PYTHONPATH=str(installed))
    assert run.code == 0, run.stderr
    assert run.audio
