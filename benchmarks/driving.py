"""Which blinks, winks and speech of a driving clip arrive in the portrait that it drives.

    python benchmarks/driving.py --data photofaces_extra [--model fields] [--pairs 20] [-o out]

A person marked test is shown in a clip of 30 frames a second, made of that person's own pictures: at rest, blinks (half
shut for a frame on either side of three that are shut), winks of both eyes, and five sounds, into which and out
of which the mouth moves for two frames, which are the two pictures' mean. It drives the portrait of the next test
person, as `mien transfer` does. An eye's aspect (height by width) and what is read of AU43 tell whether it shut: below
half of that eye's own at rest, and 2.5 or more. Of mouths, r over the frames between the clip's and the result's,
of how far the lips are apart, and how wide the mouth is. Writes a JSON, the clips, and a sheet of every shape.
"""  # fmt: skip

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from mien.controls import Controls
from mien.data.dataset import Data, open_data
from mien.editing.clip import change_clip
from mien.editing.editor import Editor
from mien.faces.landmarks import eye_aspects, eyes_of
from mien.media.sheet import save_sheet, sheet
from mien.media.video.reader import ClipReader
from mien.media.video.writer import Still, clip_writer

RATE = 30
REST = 8  # frames between two shapes
SHUTS = {"lids_shut": (0, 1), "wink_left": (0,), "wink_right": (1,)}  # which eyes shut: the person's left is 0
SOUNDS = ("say_a", "say_e", "say_o", "say_u", "say_m")
LIPS, CORNERS = (62, 66), (48, 54)


def script() -> list[tuple[str, str]]:
    """Return a frame after the other, each as the two pictures whose mean it is."""
    frames = [("neutral", "neutral")] * REST
    for shape in SHUTS:
        edge = ("lids_half", "lids_half") if shape == "lids_shut" else ("neutral", shape)
        frames += [edge, *[(shape, shape)] * 3, edge, *[("neutral", "neutral")] * REST]
    for sound in SOUNDS:
        edge = [("neutral", sound)] * 2
        frames += [*edge, *[(sound, sound)] * 5, *edge, *[("neutral", "neutral")] * 3]
    return frames


def pictures(data: Data, person: int) -> dict[str, np.ndarray]:
    """Return a person's pictures by name, straight on."""
    m = data.manifest
    mine = np.flatnonzero((m.subject == person) & (m.gaze_x == 0) & (m.yaw == 0) & (m.pitch == 0))
    return {str(m.expr_id[k]): data.images[int(k)] for k in mine}


def clip(path: Path, shown: dict[str, np.ndarray]) -> None:
    """Write the clip of a person."""
    frames = [((shown[a].astype(np.float32) + shown[b]) / 2).round().astype(np.uint8) for a, b in script()]
    still = Still(frames[0], Fraction(RATE))
    with clip_writer(path, still, None, {}, None, lossless=True) as writer:
        for number, rgb in enumerate(frames):
            writer.write(still.frame(number), rgb)


def seen(editor: Editor, path: Path) -> dict[str, np.ndarray]:
    """Return what a clip's frames show: aspects (N, 2) and AU43 (N, 2) of eyes, lips apart and width (N, 2)."""
    aspects, lids, mouths = [], [], []
    with ClipReader(path) as reader:
        for frame in reader.frames():
            cut = editor.crop(frame.rgb)
            points, read = cut.points, editor.engine.readings(cut.crop[None])
            span = np.linalg.norm(np.diff(eyes_of(points), axis=0))
            aspects.append(eye_aspects(points))
            lids.append((read.left[0, -1], read.right[0, -1]))
            mouths.append([np.linalg.norm(points[a] - points[b]) / span for a, b in (LIPS, CORNERS)])
    return {name: np.array(x) for name, x in (("aspect", aspects), ("AU43", lids), ("mouth", mouths))}


def arrived(told: dict[str, np.ndarray]) -> dict[str, list[bool]]:
    """Return of every blink and wink whether each eye that should shut did, and each other did not."""
    frames, found = script(), {"by aspect": [], "by AU43": [], "other eye still": []}
    rest = np.median([told["aspect"][k] for k, pair in enumerate(frames) if pair == ("neutral", "neutral")], 0)
    for shape, eyes in SHUTS.items():
        at = [k for k, pair in enumerate(frames) if pair == (shape, shape)]
        least, most = told["aspect"][at].min(0) / rest, told["AU43"][at].max(0)
        for eye in (0, 1):
            if eye in eyes:
                found["by aspect"].append(bool(least[eye] < 0.5))
                found["by AU43"].append(bool(most[eye] >= 2.5))
            else:
                found["other eye still"].append(bool(least[eye] > 0.8 and most[eye] < 1))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="fields")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("-o", "--output", type=Path, default=Path("driving"))
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    editor = Editor(args.model)
    data = open_data(args.data, 256)
    people = np.unique(data.manifest.subject[data.manifest.test])[: args.pairs]
    shown = {int(p): pictures(data, int(p)) for p in people}
    found: dict[str, list[float]] = {}
    rows = []
    middles = [script().index((name, name)) + 1 for name in (*SHUTS, *SOUNDS)]
    for k, person in enumerate(map(int, people)):
        other = int(people[(k + 1) % len(people)])
        face, drive, result = (args.output / f"{person}{end}" for end in (".png", "_drives.mkv", "_result.mkv"))
        clip(drive, shown[person])
        Image.fromarray(shown[other]["neutral"]).save(face)
        change_clip(
            editor, face, result, lambda like: Controls(like=like), "transfer", drive, transfers=True, lossless=True
        )
        given, made = seen(editor, drive), seen(editor, result)
        for name, told in (("the clip", given), ("the result", made)):
            for part, values in arrived(told).items():
                found.setdefault(f"{name}: {part}", []).extend(map(float, values))
        for part, axis in (("lips apart", 0), ("mouth's width", 1)):
            found.setdefault(f"r of {part}", []).append(
                float(np.corrcoef(given["mouth"][:, axis], made["mouth"][:, axis])[0, 1])
            )
        for path in (drive, result):
            with ClipReader(path) as reader:
                frames = [frame.rgb for frame in reader.frames()]
            rows.append([frames[i] for i in middles])
    told = {name: {"mean": round(float(np.mean(v)), 4), "n": len(v)} for name, v in found.items()}
    (args.output / "driving.json").write_text(json.dumps(told, indent=1) + "\n")
    save_sheet(sheet(rows, [*SHUTS, *SOUNDS], size=160), args.output / "driving.png")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
