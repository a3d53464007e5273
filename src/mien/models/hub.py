"""Models as the Hugging Face hub has them: a folder or a repository of model.safetensors and a card, README.md."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mien.about import VERSION
from mien.errors import InputError, missing
from mien.files import make_folder, write_whole
from mien.models.contract import Edits, Family, Generates, Loaded, Recognizes, Transfers
from mien.models.io import load, save_model
from mien.models.registry import name_of
from mien.reading import as_path
from mien.weights.resolve import PIN, SUFFIX, as_name

WEIGHTS, CARD = f"model{SUFFIX}", "README.md"


def from_pretrained(name: str, revision: str | None = None, device: str = "cpu") -> Loaded:
    """Return a model ready to use, as `mien.load` does; of a hub id at a branch, a tag or a commit.

    Raises InputError where there is none.
    """
    return load(f"{as_name(name)}{PIN}{revision}" if revision else name, device)


def save_pretrained(model: Family, folder: str | Path, license: str | None = None, card: str | None = None) -> None:
    """Write a model's weights and card into a folder, which `from_pretrained` reads.

    `license` is the licence of the weights by the hub's name of it, as "cc-by-4.0": that of the faces that they learnt
    from. `card` is the card's text, metadata and all, in place of one to be written on. Raises InputError for what
    cannot be written.
    """
    folder = as_path(folder, "my_model")
    make_folder(folder)
    save_model(model, folder / WEIGHTS)
    write_whole(folder / CARD, card if card is not None else card_of(model, license))


def push_to_hub(
    model: Family,
    repository: str,
    license: str | None = None,
    card: str | None = None,
    private: bool = False,
    token: str | None = None,
    message: str = "Upload a model of mien's",
) -> str:
    """Upload a model to "owner/name", which is made where it is not there; return the address of the commit.

    `license` and `card` are as in `save_pretrained`; without a `token` the hub's own login counts. Raises InputError
    for a name that is none, and where the hub refuses.
    """
    if not isinstance(repository, str) or repository.count("/") != 1 or not all(repository.split("/")):
        raise InputError(f"{repository!r}: expected the name of a repository on the hub, owner/name")
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError
    except ImportError as error:
        raise missing("the hub", error) from error
    with TemporaryDirectory() as place:
        save_pretrained(model, place, license, card)
        api = HfApi(token=token)
        try:
            api.create_repo(repository, private=private, exist_ok=True)
            return str(api.upload_folder(repo_id=repository, folder_path=place, commit_message=message))
        except (HfHubHTTPError, OSError, ValueError) as error:
            raise InputError(f"{repository!r}: the hub refuses ({' '.join(str(error).split())[:200]})") from error


def metadata_of(model: Family, license: str | None = None) -> dict[str, Any]:
    """Return what the hub is told of a model in the head of its card."""
    makes = isinstance(model, Transfers | Edits | Generates)
    found: dict[str, Any] = {"library_name": "mien"}
    found |= {"license": license} if license else {}
    found["pipeline_tag"] = "image-to-image" if makes else "image-classification"
    reads = ["facial-expression-recognition"] if isinstance(model, Recognizes) else []
    found["tags"] = [
        "facial-expressions",
        *(["face-editing"] if makes else []),
        *reads,
        name_of(model).replace("_", "-"),
    ]
    return found


def card_of(model: Family, license: str | None = None) -> str:
    """Return a card for a model, which says what is known of it and asks for what is not."""
    name, side = name_of(model), model.config.image_size
    lines = ["---"]
    for key, value in metadata_of(model, license).items():
        lines += [f"{key}:", *(f"- {one}" for one in value)] if isinstance(value, list) else [f"{key}: {value}"]
    size = sum(p.numel() for p in model.parameters()) / 1e6
    lines += [
        "---",
        "",
        f"# {name}",
        "",
        f"A model of the family `{name}` for faces at {side}×{side} pixels, {size:.1f} M parameters, trained with",
        f"mien {VERSION}.{' After: ' + type(model).paper if getattr(type(model), 'paper', '') else ''}",
        "",
        "```python",
        "import mien",
        "",
        'editor = mien.Editor("OWNER/NAME")  # this repository',
        "```",
        "",
        "## Data and attribution",
        "",
        "Say whose faces it learnt from, under which licence and with which consent.",
        "",
        "## How well it does, and what it cannot do",
        "",
        "Say on whom it was measured (`mien evaluate`), and where it fails.",
        "",
        "An edited face shows an expression its owner may never have made. Not for deceiving anybody, for",
        "identification or for inferring what somebody feels.",
    ]
    return "\n".join(lines) + "\n"
