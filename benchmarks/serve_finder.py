"""The process in which `finding.py` lets one version of the package find faces, so that it imports no more of it."""

from __future__ import annotations

import json
import sys
import time

import cv2
import numpy as np
import skimage.data

from mien.faces.detect import find_faces
from mien.runtime.landmarker import find_landmarker


def main() -> None:
    """Say "ready", then for every picture named print CPU milliseconds and eyes."""
    cv2.setNumThreads(1)
    tool = find_landmarker(sys.argv[1])
    find_faces(skimage.data.astronaut(), tool)  # opens all that is needed
    print("ready", flush=True)
    for line in sys.stdin:
        rgb = np.load(line.strip())
        begun = time.process_time()
        faces = find_faces(rgb, tool)
        ms = 1000 * (time.process_time() - begun)
        print(json.dumps([ms, [face.eyes.tolist() for face in faces]]), flush=True)


if __name__ == "__main__":
    main()
