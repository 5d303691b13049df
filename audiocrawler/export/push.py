"""Upload a finished set to the Hugging Face Hub as a private dataset."""

import re
from pathlib import Path

from audiocrawler.export.folder import OWN
from audiocrawler.export.formats import require
from audiocrawler.export.shards import Part
from audiocrawler.model.errors import ConfigurationError, ExportError
from audiocrawler.model.text import one_line

_REPOSITORY = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)
_AUDIO = ["data/*", "audio/*", "*.tar", "*/cuts.*", "*/sharded_manifests/*"]
"""Files of an earlier upload that are deleted if the set no longer has them: above all what was taken down."""
_SHOWN = 300


def check_repository(name: str, part: Part) -> None:
    """Raise ConfigurationError if nothing can be uploaded under the name."""
    if not _REPOSITORY.fullmatch(name):
        raise ConfigurationError(f"--push {name}: not the name of a dataset; write ORG/NAME, such as museum/birdsong")
    if part.of > 1:
        raise ConfigurationError(
            "--push: needs the whole set; run it once more without --shard when all parts are there"
        )
    require("huggingface_hub", "hub", "--push")


def push(path: Path, name: str) -> str:
    """Upload the set, and return its URL; an interrupted upload is resumed. Raises ExportError.

    A new dataset is private: whether to publish it is for people to decide.
    """
    from httpx2 import HTTPError  # the client of huggingface_hub, which passes its errors on
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HFValidationError

    api = HfApi()
    try:
        place = api.create_repo(name, repo_type="dataset", private=True, exist_ok=True)
        api.upload_folder(
            repo_id=name,
            repo_type="dataset",
            folder_path=path,
            commit_message="Upload a set that audiocrawler has made",
            ignore_patterns=[f"{OWN}/*"],
            delete_patterns=_AUDIO,
        )
    except (OSError, HTTPError, HFValidationError) as error:  # a missing login is an OSError
        reason = one_line(str(error), _SHOWN)
        raise ExportError(f"--push {name}: {reason}; see `hf auth login`, and run the same command again") from error
    return str(place)
