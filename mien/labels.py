"""The words and numbers by which faces are labelled: expressions and FACS action units."""

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "anger", "disgust", "contempt", "other")
"""Expression words; a label is an index into this tuple, -1 when unknown. `other` is any free AU combination."""

CLASSES = EXPRESSIONS[:-1]
"""The expressions a recogniser can name."""

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 43)
"""FACS action units, in the order of every AU vector; intensities 0-5, NaN when unknown."""


def au_columns(side: str = "") -> tuple[str, ...]:
    """Return manifest column names, as AU01; `side` "L" or "R" (the person's own left and right) gives AU01_L."""
    return tuple(f"AU{au:02d}" + (f"_{side}" if side else "") for au in AUS)
