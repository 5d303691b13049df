"""A set that is whole in; the same as a private dataset on the Hugging Face Hub out."""

import re
from pathlib import Path

from audiocrawler.export.folder import OWN
from audiocrawler.export.formats import require
from audiocrawler.export.shards import Part
from audiocrawler.model.errors import ConfigurationError, ExportError
from audiocrawler.model.text import one_line

_REPOSITORY = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)
_AUDIO = ["data/*", "audio/*", "*.tar"]
"""What of an earlier upload goes where the set has it no longer: above all what was taken down."""
_SHOWN = 300


def check_repository(name: str, part: Part) -> None:
    """Raise ConfigurationError where this process cannot publish anything under the name."""
    if not _REPOSITORY.fullmatch(name):
        raise ConfigurationError(f"--push {name}: not the name of a dataset; write ORG/NAME, such as museum/birdsong")
    if part.of > 1:
        raise ConfigurationError(
            "--push: needs the whole set; run it once more without --shard when all parts are there"
        )
    require("huggingface_hub", "hub", "--push")


def push(path: Path, name: str) -> str:
    """Upload the set, and return where it is; an upload that was interrupted resumes. Raises ExportError.

    A dataset that is not there yet is created as a private one: whether all may have it is for people to decide.
    """
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
    except (OSError, HFValidationError) as error:  # its errors of HTTP, of logging in and of being offline are OSErrors
        reason = one_line(str(error), _SHOWN)
        raise ExportError(f"--push {name}: {reason}; see `hf auth login`, and run the same command again") from error
    return str(place)
