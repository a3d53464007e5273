"""What the page is told before anything is done: models, words, units, limits."""

from __future__ import annotations

from typing import Any

from mien.about import VERSION
from mien.labels import AU_NAMES, AUS, CLASSES, PARTS, PRESETS, units_by_side
from mien.web.desk import HOUR
from mien.web.door.store import KEPT, MADE, MANY, SENT, Store
from mien.web.making import CLIPS, LONGEST
from mien.web.studio import FORMS, PREVIEW, VIEW, Studio
from mien.web.upload import MEGABYTES, MEGAPIXELS

CLIP_MEGABYTES = 200


def about(studio: Studio, store: Store, model: str, signs: bool) -> dict[str, Any]:
    """Return it for JSON."""
    models = {name: vars(abilities) for name, abilities in studio.abilities.items()}
    words = {word: {f"{au}{s}": v for (au, s), v in units_by_side(word).items() if v} for word in (*CLASSES, *PRESETS)}
    units = {str(au): {"name": AU_NAMES[au], "part": next(p for p in PARTS if au in PARTS[p])} for au in AUS}
    return {
        "version": VERSION, "model": model, "models": models, "classes": CLASSES, "words": words, "signs": signs,
        "units": units,
        "forms": list(FORMS), "clips": CLIPS, "longest": LONGEST, "view": VIEW, "preview": PREVIEW,
        "limits": {"megabytes": MEGABYTES, "megapixels": MEGAPIXELS, "clip_megabytes": CLIP_MEGABYTES,
                   "many": KEPT[MANY]},
        "kept": {"folder": str(store.folder), "seconds": HOUR, "sent": KEPT[SENT], "made": KEPT[MADE]},
    }  # fmt: skip
