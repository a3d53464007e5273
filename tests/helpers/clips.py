"""Small clips made on the spot, shared by the tests."""

import functools
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.media.video.ffmpeg import EXACT

av = pytest.importorskip("av", reason="PyAV is missing: pip install 'mien[video]'")

RATE = 25


def sine(seconds: float) -> np.ndarray:
    """Return a tone, int16 (1, n) at 44.1 kHz."""
    return (np.sin(np.arange(int(44_100 * seconds)) * 0.05) * 8000).astype(np.int16)[None]


def write_clip(
    path: Path,
    frames: Iterable[np.ndarray],
    sound: str | None = "aac",
    codec: str = "libx264",
    pix: str = "yuv420p",
    times: list[int] | None = None,
    metadata: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write frames (H, W, 3) as a clip, with a tone; `times` are in thousandths of a second."""
    with av.open(str(path), "w", options=options or {}) as file:
        file.metadata.update(metadata or {})
        picture = tone = None
        for k, rgb in enumerate(frames):
            if picture is None:
                picture = file.add_stream(codec, rate=RATE, options={"crf": "10", "preset": "ultrafast"})
                picture.height, picture.width, picture.pix_fmt = *rgb.shape[:2], pix
                picture.codec_context.time_base = Fraction(1, 1000)
                tone = file.add_stream(sound, rate=44_100, layout="mono") if sound else None
            frame = av.VideoFrame.from_ndarray(rgb, "rgb24")
            frame.pts, frame.time_base = times[k] if times else k * 1000 // RATE, Fraction(1, 1000)
            file.mux(picture.encode(frame))
        file.mux(picture.encode(None))
        if tone:
            write_tone(file, tone, (k + 1) / RATE)
    return path


def write_tone(file, tone, seconds: float) -> None:
    """Add a tone to a file's stream."""
    whole = av.AudioFrame.from_ndarray(sine(seconds), "s16", "mono")
    whole.sample_rate = 44_100
    cut = av.AudioResampler(format=tone.format, layout=tone.layout, rate=44_100, frame_size=1024)
    for frame in [*cut.resample(whole), *cut.resample(None), None]:
        file.mux(tone.encode(frame))


def read_frames(path: Path) -> list[np.ndarray]:
    """Return a clip's frames as they are stored, RGB."""
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24", interpolation=EXACT) for frame in file.decode(video=0)]


def sound_of(path: Path) -> list[tuple[float, bytes]]:
    """Return time and bytes of every packet of sound."""
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        return [(float(p.pts * p.time_base), bytes(p)) for p in file.demux(stream) if p.size]


def texture(size: tuple[int, int] = (64, 64), seed: int = 0) -> np.ndarray:
    """Return a smooth picture (H, W, 3) with no two places alike."""
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 255, cv2.NORM_MINMAX)


@functools.cache
def studio_face(expression: str = "neutral", intensity: float = 0.0, person: int = 104) -> np.ndarray:
    """Return a rendered face, uint8 (128, 128, 3), of one of many people."""
    import dataclasses

    from mien.synth.expression import recipe
    from mien.synth.person import sample_person
    from mien.synth.studio import Studio

    one = dataclasses.replace(sample_person(person), glasses="none", hair="bun")
    return Studio(one, 128).render(recipe(expression, intensity)).image


def scene(face: np.ndarray | None, x: float = 96, y: float = 56) -> np.ndarray:
    """Return a frame (240, 320, 3), with a face whose corner is at x, y."""
    frame = texture((320, 240), 1) // 2 + 64
    if face is not None:
        move = np.array([[1, 0, x], [0, 1, y]], float)
        cv2.warpAffine(face, move, (320, 240), dst=frame, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_TRANSPARENT)
    return frame


def pair(left: np.ndarray | None, right: np.ndarray | None) -> np.ndarray:
    """Return a frame (144, 320, 3) with up to two faces side by side."""
    frame = texture((320, 144), 1) // 2 + 64
    for face, x in ((left, 16), (right, 176)):
        if face is not None:
            frame[8:136, x : x + 128] = face
    return frame
