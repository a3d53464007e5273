"""What tests of importers share: the studio's faces, and reading what an import wrote."""

import functools
from pathlib import Path

import cv2
import numpy as np

from mien.data.importers.support.sample import Options
from mien.data.importing import gather
from mien.data.manifest import check_manifest, read_manifest
from mien.labels import EXPRESSIONS
from mien.synth.expression import recipe
from mien.synth.person import sample_person
from mien.synth.studio import Studio

SIDE = 128
TOP, LEFT = 40, 60  # how far the studio's aligned frame lies inside the pictures given to importers
NOFACE = np.full((60, 80, 3), 128, np.uint8)


@functools.cache
def studio_faces():
    """Return pictures uint8 RGB and their 68 landmarks by (person, expression), each face with room around it."""
    made = {}
    for seed in (1, 4):
        booth = Studio(sample_person(seed), SIDE)
        for word in ("neutral", "happiness", "surprise"):
            shot = booth.render(recipe(word, 1.0))
            wide = cv2.copyMakeBorder(shot.image, TOP, 20, LEFT, LEFT, cv2.BORDER_REPLICATE)
            made[seed, word] = wide, shot.landmarks + np.array([LEFT, TOP])
    return made


class Corpus:
    """A corpus in the making, under `root`, and what is imported from it, beside."""

    def __init__(self, folder: Path):
        self.folder, self.root = folder, folder / "corpus"

    def _path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def put(self, name, word="happiness", person=1, image=None, turn=0):
        """Write a picture: somebody's face, or any RGB array, turned by quarters."""
        path = self._path(name)
        image = studio_faces()[person, word][0] if image is None else image
        assert cv2.imwrite(str(path), np.rot90(image, turn)[..., ::-1])
        return path

    def note(self, name, text):
        """Write a text file."""
        self._path(name).write_text(text)

    def film(self, name, shots):
        """Write a video of (person, expression) shots."""
        video = cv2.VideoWriter(str(self._path(name)), cv2.VideoWriter_fourcc(*"MJPG"), 25, (248, 188))
        for shot in shots:
            video.write(np.ascontiguousarray(studio_faces()[shot][0][..., ::-1]))
        video.release()

    def take_in(self, name, size=64, align="auto", out="out", **options):
        """Import it and read the result as `mien data check` does."""
        summary = gather(name, self.root, self.folder / out, size, align, Options(**options))
        assert check_manifest(self.folder / out) == []  # every image decodes and is square
        m = read_manifest(self.folder / out)
        assert cv2.imread(str(m.path(0))).shape == (size, size, 3) and summary.images == len(m)
        assert set(m.source) == {name} or name == "csv"
        return m, summary


def rows(m, *columns):
    """Return the named columns as tuples, words for numbers of expressions and people."""
    words = [EXPRESSIONS[e] if e >= 0 else "" for e in m.expression]
    people = [m.subjects[s] if s >= 0 else "" for s in m.subject]
    known = {"expression": words, "subject": people, "file": [f.removeprefix("images/") for f in m.files]}
    return list(zip(*(known.get(c, getattr(m, c, None)) for c in columns), strict=True))
