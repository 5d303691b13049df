"""The README's lines for schedulers work as they stand there, on the first night in a fresh folder."""

import re
import subprocess
from pathlib import Path

from tests.crawling import QUICK, REPOSITORY, Run
from tests.site.server import Site

CRON = {"HOME": "/nonexistent", "LOGNAME": "audio", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
"""All that cron gives to a job (crontab(5)), and no more."""


def fresh_checkout(folder: Path) -> None:
    """Make the folder what a clone and the README's first lines leave: no data, no log."""
    for name in (".venv", "scrapy.cfg", "audiocrawler"):
        (folder / name).symlink_to(REPOSITORY / name)


def cron_line() -> str:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^(?:\S+ ){5} *(cd .*scrapy crawl .*)$", readme, re.MULTILINE)
    return str(line).replace("\\%", "%")


def test_the_line_for_cron_runs_two_nights_from_an_empty_folder(site: Site, tmp_path: Path) -> None:
    fresh_checkout(tmp_path)
    line = cron_line().replace("/srv/audio", str(tmp_path)).replace("https://example.org/", f"{site.url}/shore.html")
    line = line.replace("depth=2", "depth=0")  # some pages of the site are slow on purpose
    assert str(tmp_path) in line
    assert site.url in line
    env = CRON | {f"AUDIO_{name}": value for name, value in (("ALLOW_ADDRESSES", QUICK["AUDIO_ALLOW_ADDRESSES"]),)}
    for _ in range(2):
        night = subprocess.run(
            ["/bin/sh", "-c", line], env=env, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        logs = "\n".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("cron.log"))
        assert (night.returncode, night.stdout, night.stderr) == (0, b"", b""), logs
    run = Run(0, logs, "", tmp_path)
    assert logs.count("  stored ") == 2
    assert len(run.objects) == len(run.audio) > 0
    assert len(run.query("SELECT * FROM audio_crawls")) == 2
