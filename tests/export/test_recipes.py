"""The recipes that divide an export between machines, run as they stand: all parts at once make the set of one run."""

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from audiocrawler.export.making import opened_folder
from audiocrawler.export.shards import Part
from tests.crawling import REPOSITORY, environment
from tests.export.collecting import files_in

PARTS = 3
SBATCH = REPOSITORY / "deploy/slurm/export.sbatch"
MANIFEST = REPOSITORY / "deploy/kubernetes/export-job.yaml"
OPTIONS = ("--format", "audiofolder", "--split", "50/30/20")


def run_at_once(commands: Sequence[tuple[Sequence[str], dict[str, str]]], folder: Path) -> None:
    """Run each command with its variables in the folder, as a scheduler does that has room for all."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started = [
        subprocess.Popen(words, cwd=folder, env=environment({"PATH": path, **env}), stderr=subprocess.PIPE, text=True)
        for words, env in commands
    ]
    ended = [(process.communicate(timeout=120)[1], process.returncode) for process in started]
    assert [code for _, code in ended] == [0] * len(commands), ended


def container() -> tuple[str, dict[str, Any]]:
    """Return the command line of the pods, and the specification of their job."""
    job = next(each for each in yaml.safe_load_all(MANIFEST.read_text("utf-8")) if each["kind"] == "Job")["spec"]
    (found,) = job["template"]["spec"]["containers"]
    assert found["command"] == ["sh", "-c"]
    (line,) = found["args"]
    return line, job


def test_the_tasks_of_a_slurm_array_make_the_set_of_one_run(collection, tmp_path):
    def tasks(out: str, *ids: int) -> list[tuple[Sequence[str], dict[str, str]]]:
        words = ["bash", str(SBATCH), *OPTIONS, "--out", str(tmp_path / out)]
        return [(words, {"PARTS": str(PARTS), "SLURM_ARRAY_TASK_ID": str(each)}) for each in ids]

    sound = ("--audio", "flac", "--rate", "16000", "--mono")
    assert collection.run("export", *sound, *OPTIONS, "--out", str(tmp_path / "whole")).code == 0
    run_at_once(tasks("set", *range(1, PARTS + 1)), collection.folder)
    assert files_in(tmp_path / "set") == files_in(tmp_path / "whole")


def test_the_array_has_as_many_tasks_as_parts():
    text = SBATCH.read_text("utf-8")
    assert "#SBATCH --array=1-100\n" in text
    assert '"$SLURM_ARRAY_TASK_ID/${PARTS:-100}"' in text


def test_the_pods_of_an_indexed_job_make_the_set_of_one_run(collection, tmp_path):
    line, job = container()
    assert (job["completionMode"], line.endswith(f'/{job["completions"]}"')) == ("Indexed", True)
    line = line.replace(f'/{job["completions"]}"', f'/{PARTS}"')
    places = {
        "AUDIO_STORE": f"file:{collection.folder}/data/objects",
        "AUDIO_WAREHOUSE": f"sqlite:{collection.folder}/data/audio.db",
    }
    run_at_once(
        [(["sh", "-c", line], {"JOB_COMPLETION_INDEX": str(index), **places}) for index in range(PARTS)], tmp_path
    )
    options = shlex.split(line.removeprefix("exec scrapy export").partition("--shard")[0])
    options[options.index("--out") + 1] = str(tmp_path / "whole")
    assert collection.run("export", *options).code == 0
    assert files_in(tmp_path / "data/export/set") == files_in(tmp_path / "whole")


def test_a_part_may_begin_while_another_makes_the_folder(tmp_path):
    (tmp_path / "set/.export").mkdir(parents=True)
    for number in (1, 2):
        _, locked = opened_folder(tmp_path / "set", "hf", Part(number, 2))
        locked.close()
