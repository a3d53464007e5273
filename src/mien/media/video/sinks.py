"""Where live frames go: a window, a virtual camera that other programs see, or a clip."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mien.errors import InputError, missing
from mien.media.provenance import Stamp
from mien.media.video.camera import clock
from mien.media.video.writer import Still, clip_writer

ELSEWHERE = "--to camera or --to FILE.mp4 need none"


class Window:
    """A window by Tk, which comes with most Pythons; OpenCV's headless package has none."""

    def __init__(self, title: str = "mien live"):
        try:
            import tkinter

            from PIL import ImageTk
        except ImportError as error:
            raise InputError(f"a window needs Tk, as in the package python3-tk; {ELSEWHERE}") from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise InputError(f"a window needs a screen ({error}); {ELSEWHERE}") from error
        self._picture_of: Any = ImageTk.PhotoImage
        self._root.title(title)
        self._label: Any = tkinter.Label(self._root)
        self._label.pack()
        self._keys = ""
        self._root.bind("<Key>", self._pressed)
        self._root.protocol("WM_DELETE_WINDOW", lambda: self._pressed(None))

    def _pressed(self, event: Any) -> None:
        self._keys += event.char if event else "q"

    def show(self, rgb: np.ndarray) -> str:
        """Show a frame; return what was typed."""
        picture = self._picture_of(Image.fromarray(rgb))
        self._label.configure(image=picture)
        self._label.image = picture  # Tk keeps none itself
        self._root.update()
        keys, self._keys = self._keys, ""
        return keys

    def close(self) -> None:
        """Close the window."""
        self._root.destroy()


class VirtualCamera:
    """A camera that other programs see, by pyvirtualcam."""

    def __init__(self, rate: float = 25.0):
        try:
            import pyvirtualcam
        except ImportError as error:
            raise missing("--to camera", error) from error
        self._module, self._rate = pyvirtualcam, rate
        self._camera: Any = None

    def show(self, rgb: np.ndarray) -> str:
        """Send a frame, all of one size; there are no keys."""
        if self._camera is None:
            try:
                self._camera = self._module.Camera(rgb.shape[1], rgb.shape[0], self._rate)
            except RuntimeError as error:
                raise InputError(
                    f"--to camera: this system has no virtual camera ({error}); see docs/video.md"
                ) from error
        self._camera.send(rgb)
        return ""

    def close(self) -> None:
        """Let go of the camera."""
        if self._camera is not None:
            self._camera.close()


class Recording:
    """A clip, whose frames have the times at which they were shown; it is there, whole, once it is closed."""

    def __init__(self, path: Path, stamp: Stamp | None = None, rate: int = 30):
        self._path, self._stamp, self._rate = path, stamp, Fraction(rate)
        self._held, self._begin, self._last = ExitStack(), 0.0, -1
        self._still: Still | None = None
        self._writer: Any = None

    def show(self, rgb: np.ndarray) -> str:
        """Write a frame; there are no keys."""
        rgb = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
        if self._still is None:
            self._still, self._begin = Still(rgb, self._rate), clock()
            self._writer = self._held.enter_context(clip_writer(self._path, self._still, self._stamp))
        self._last = max(self._last + 1, round((clock() - self._begin) * float(self._rate)))
        self._writer.write(self._still.frame(self._last), rgb)
        return ""

    def close(self) -> None:
        """Finish the clip."""
        self._held.close()
