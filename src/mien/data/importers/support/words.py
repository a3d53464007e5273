"""The many names that corpora and people give to an expression, and the word of `mien.labels` for each."""

from __future__ import annotations

from mien.labels import EXPRESSIONS

SYNONYMS = {
    "neutral": "calm ne neu neutrality",
    "happiness": "happy joy joyful ha hap happiness smile smiling",
    "sadness": "sad sa sorrow sorrowful",
    "surprise": "surprised su sur astonished astonishment",
    "fear": "fearful afraid fe fea scared",
    "anger": "angry an ang",
    "disgust": "disgusted di dis",
    "contempt": "contemptuous co con",
}
_WORDS = {word: word for word in EXPRESSIONS} | {s: word for word, text in SYNONYMS.items() for s in text.split()}

SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "dev"), "test": ("test", "testing")}
"""A split's word, and the folder names that mean it."""


def expression_word(text: str) -> str | None:
    """Return the expression that a name means, as happiness for "Happy"; None where it means none."""
    return _WORDS.get(text.strip().lower().replace(" ", "_").replace("-", "_"))


def split_word(text: str) -> str | None:
    """Return train, val or test for a folder's name; None where it means none."""
    return next((word for word, names in SPLITS.items() if text.strip().lower() in names), None)
