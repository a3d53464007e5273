"""What is taken from the page: the whole photograph, stamped and perhaps signed; a look as a file; facts of a file."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from mien.errors import InputError
from mien.expressions import as_json
from mien.media.credentials import WORDS, Signer, read_credentials
from mien.media.credentials_box import holds_credentials
from mien.media.provenance import stamp_in
from mien.web.door.store import Store
from mien.web.making import LONGEST_NAME, new_thing, write
from mien.web.studio import Studio, Work
from mien.web.upload import Upload


def save(studio: Studio, store: Store, owner: str, work: Work, form: str, signer: Signer | None) -> str:
    """Write the whole photograph with all its faces as asked; return its name in the store. Raises as `write` does."""
    with new_thing(store, owner, work.upload.path) as thing:
        return store.add(thing, write(studio, thing.folder, work, form, signer))


def expression_file(studio: Studio, work: Work, face: int, name: str) -> str:
    """Return a face's look as the text of a file of `mien.expressions`. Raises InputError where it holds no units."""
    look = work.looks.get(face)
    if look is None or look.empty:
        raise InputError("there is no expression to save yet; change the face first")
    shown = studio.shown(work.model, work.upload, face) if look.calm else None
    example = work.example(look)
    name = name.strip()[:LONGEST_NAME] or "my expression"
    taken = studio.expression(work.model, example) if example else None
    return json.dumps(as_json(look.expression(name, f"made on the page by {work.model}", shown, taken)), indent=1)


def provenance(upload: Upload) -> dict[str, Any]:
    """Return what a photograph says of itself: mien's stamp, and content credentials, where there are any."""
    stamp = stamp_in(upload.photo.xmp)
    told: dict[str, Any] = {"stamp": stamp.description if stamp else None, "signed": holds_credentials(upload.path)}
    if told["signed"]:
        try:
            found = read_credentials(upload.path)
        except (ModuleNotFoundError, InputError):
            found = None
        told["credentials"] = asdict(found) | {"said": WORDS.get(found.state, "")} if found else None
    return told
