"""Weights on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from mien.errors import InputError, missing


def from_hub(repository: str, file: str, revision: str | None = None) -> Path:
    """Return a file of a Hugging Face repository ("owner/name"), fetched if it is not here yet.

    `revision` is a branch, a tag or a commit; None is the newest. What was fetched lies in the hub's own cache.
    """
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise missing(f"{repository!r}: fetching weights", error) from error
    try:
        return Path(hf_hub_download(repository, file, revision=revision))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise InputError(f"{repository!r}: no such file here and not to be had from the hub ({error})") from error
