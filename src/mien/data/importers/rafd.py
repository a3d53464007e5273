"""RaFD, the Radboud Faces Database: 67 people, eight expressions, three gazes, five cameras (Langner et al. 2010).

    ROOT/Rafd090_01_Caucasian_female_angry_frontal.jpg    camera, person, ethnicity, gender, expression, gaze

Protocol of EET IV-A: the cameras at 45°, 90° (frontal) and 135°, all expressions and gazes (4,824 images); its 60 and
7 people are drawn at random and not named, so no split is written. `all_frames` takes the profiles at 0° and 180° too.
Yaw is the camera's angle less 90°, the 0° camera seeing the person turned to their own right. RaFD tells only the
direction of a gaze: ±30° stand for it, left being the image's left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mien.data.importers.support.corpus_folder import pictures, stem, wrong_layout
from mien.data.importers.support.sample import Importer, Options, Sample, Skip
from mien.labels import expression_word

EXPECTS = "the RaFD folder that holds Rafd090_01_Caucasian_female_angry_frontal.jpg and its like"
NAME = re.compile(r"Rafd(\d{3})_(\d+)_([A-Za-z]+)_([A-Za-z]+)_([A-Za-z]+)_(frontal|left|right)")
GAZES = {"frontal": 0.0, "left": -30.0, "right": 30.0}  # degrees, nominal
CAMERAS = (45, 90, 135)


def samples(root: Path, options: Options) -> Iterator[Sample | Skip]:
    """Yield the pictures of the chosen cameras."""
    found = [(path, m) for path in pictures(root, below=True) if (m := NAME.fullmatch(path.stem))]
    if not found:
        raise wrong_layout(root, "Rafd090_*.jpg", EXPECTS)
    for path, match in found:
        camera, person, ethnicity, gender, expression, gaze = match.groups()
        word = expression_word(expression)
        if word is None or (int(camera) not in CAMERAS and not options.all_frames):
            yield Skip(str(path), "camera in profile" if word else "file name with no known expression")
            continue
        labels: dict[str, str | float] = {"subject": person, "ethnicity": ethnicity, "gender": gender}
        labels |= {"expression": word, "yaw": int(camera) - 90.0, "gaze_x": GAZES[gaze]}
        yield Sample(stem(path, root), path, labels | ({"intensity": 0.0} if word == "neutral" else {}))


IMPORTER = Importer(
    "RaFD, Radboud Faces Database",
    samples,
    EXPECTS,
    "rafd.socsci.ru.nl (account, research only)",
    options=("all_frames",),
)
