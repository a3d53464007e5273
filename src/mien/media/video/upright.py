"""Frames as their file says that they are to be shown: turned by quarters, mirrored, or both."""

from __future__ import annotations

from typing import Any

import numpy as np

from mien.media.video.ffmpeg import ffmpeg

# ISO 14496-12, 8.3.2: a point (x, y), y down, is shown at (ax + cy, bx + dy). By the signs of a, b, c, d.
_FILTERS: dict[tuple[int, ...], tuple[tuple[str, str | None], ...]] = {
    (0, 1, -1, 0): (("transpose", "clock"),),
    (0, -1, 1, 0): (("transpose", "cclock"),),
    (-1, 0, 0, -1): (("hflip", None), ("vflip", None)),
    (-1, 0, 0, 1): (("hflip", None),),
    (1, 0, 0, -1): (("vflip", None), ("copy", None)),  # a flip alone leaves rows that are stored backwards
    (0, 1, 1, 0): (("transpose", "cclock_flip"),),
    (0, -1, -1, 0): (("transpose", "clock_flip"),),
}


def display_matrix(frame: Any) -> tuple[int, ...]:
    """Return a, b, c, d of how an av.VideoFrame is to be shown, each -1, 0 or 1; () where it is as it shall be."""
    side = next((side for side in frame.side_data if side.type.name == "DISPLAYMATRIX"), None)
    if side is None:
        return ()
    a, b, _, c, d = np.frombuffer(bytes(side), np.int32)[:5].tolist()
    # of an angle between two quarters the nearer
    signs = (np.sign(a), 0, 0, np.sign(d)) if abs(a) + abs(d) >= abs(b) + abs(c) else (0, np.sign(b), np.sign(c), 0)
    known = tuple(int(sign) for sign in signs)
    return known if known in _FILTERS else ()


class Upright:
    """Shows frames of one kind upright, in their own pixel format and so without loss."""

    def __init__(self, frame: Any, matrix: tuple[int, ...]):
        self._kind = self._kind_of(frame, matrix)
        self.graph = ffmpeg().filter.Graph()
        source = self.graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
        filters = [self.graph.add(kind, how) for kind, how in _FILTERS[matrix]]
        self.graph.link_nodes(source, *filters, self.graph.add("buffersink")).configure()

    def fits(self, frame: Any, matrix: tuple[int, ...]) -> bool:
        """Return whether a frame is of the kind that this was made for."""
        return self._kind == self._kind_of(frame, matrix)

    def __call__(self, frame: Any) -> Any:
        """Return the frame upright."""
        self.graph.vpush(frame)
        return self.graph.vpull()

    @staticmethod
    def _kind_of(frame: Any, matrix: tuple[int, ...]) -> tuple[Any, ...]:
        return frame.width, frame.height, frame.format.name, matrix
