"""Weights on the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from mien.errors import InputError


def from_hub(repository: str, file: str) -> Path:
    """Return a file of a Hugging Face repository ("owner/name"), fetched if it is not here yet."""
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise InputError(
            f"{repository!r}: fetching weights needs the package huggingface-hub; pip install it"
        ) from error
    try:
        return Path(hf_hub_download(repository, file))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise InputError(f"{repository!r}: no such file here and not to be had from the hub ({error})") from error
