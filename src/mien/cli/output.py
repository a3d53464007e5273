"""What verbs that change faces have in common: which faces, where the result goes, and what is written beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli.early import check_files
from mien.cli.terminal import errors, out
from mien.errors import InputError
from mien.expressions import check_expression
from mien.files import check_json, identity, place_of, remove_parts

if TYPE_CHECKING:
    from mien.controls import Controls
    from mien.editing.editor import Editor
    from mien.expressions import Expression
    from mien.faces.crop import FaceCrop, Which
    from mien.media.credentials import Signer
    from mien.media.photo import Photo

EVALUATOR = "evaluator"  # the zoo's, that no model is trained with
GIVEN = ("FACE", "--like", "the clip")
"""The pictures and clips whose place a result may take by --force, as they are called to the user."""
RESULTS = ("-o", "--swap", "--to")


@dataclass(frozen=True)
class Delivery:
    """What the options of a verb that changes FACE say about its result."""

    face: Path
    output: Path | None
    number: int | None = None
    every: bool = False
    preview: Path | None = None
    crop: bool = False
    report: bool = False
    min_identity: float | None = None
    sign: tuple[Path, Path] | None = None
    landmarker: str = "net"
    model: str = ""
    like: Path | None = None
    swap: Path | None = None
    saved: Path | None = None  # where the expression goes
    expressions: tuple[str, ...] = ()  # words, and files of expressions
    force: bool = False  # the output may take the place of what is read
    several: bool = False  # it is one of several: the report's name has the picture's whole name before .json

    @property
    def which(self) -> Which:
        """Which faces to change."""
        return "all" if self.every else self.number

    def begin(self) -> bool:
        """Write the preview, if one is wanted, and return whether an edit is wanted too.

        Raises InputError, before long work, for what does not fit together or cannot be written.
        """
        from mien.media.photo import check_target

        self.check()
        for path in (self.output, self.preview):
            if path:
                check_target(path)
        self.signer()
        if self.preview:
            self.draw(self.preview)
        return self.output is not None

    def check(self) -> None:
        """Raise InputError for options that do not fit together, and for files that cannot be written."""
        self.check_options()
        self.check_places()

    def check_options(self) -> None:
        """Raise InputError for options that do not fit together."""
        if self.every and self.crop:
            raise InputError("--all and --crop: a crop is of one face; choose it with --face N")
        if self.min_identity is not None and not -1 <= self.min_identity <= 1:
            raise InputError(f"--min-identity {self.min_identity:g}: expected a similarity from -1 to 1")
        if self.output is None and self.preview is None:
            raise InputError("no -o: name the picture to write; or --preview FILE, to see the faces' numbers first")
        given = {"--save-expression": self.saved, "--swap": self.swap, "--report": self.report, "--sign": self.sign}
        given |= {"--crop": self.crop, "--min-identity": self.min_identity is not None, "--force": self.force}
        for name, wanted in given.items():
            if wanted and self.output is None:
                raise InputError(f"{name}: is about the picture that is written; name that too, by -o")

    def check_places(self) -> None:
        """Raise InputError where a file to be written would take the place of one that matters."""
        written = {"-o": self.output, "--swap": self.swap, "--preview": self.preview}
        written["--save-expression"] = self.saved
        if self.report:
            pictures = {"-o": self.output, "--swap": self.swap}
            written |= {f"the report of {name}": self.beside(path) for name, path in pictures.items() if path}
        read = {"--like": self.like, **self.read(), "FACE": self.face}
        check_outputs(read, written, GIVEN if self.force else ())
        for path in (self.output, self.swap):
            if path and self.report:
                self.check_report(path)
        if self.saved:
            check_expression(self.saved)
        check_files(self.face, self.like)

    def read(self) -> dict[str, Path | None]:
        """Return the files that are read beside FACE, by what they are to the user."""
        read: dict[str, Path | None] = {"--like": self.like, "--model": Path(self.model)}
        read |= {"--landmarker": Path(self.landmarker.partition(":")[2])}
        read |= {f"--expression {text}": Path(text) for text in self.expressions if text.endswith(".json")}
        return read | dict(zip(("--sign", "--sign's key"), self.sign or (), strict=False))

    def beside(self, output: Path) -> Path:
        """Return the file for a picture's report."""
        return output.with_name(f"{output.name}.json") if self.several else output.with_suffix(".json")

    def check_report(self, output: Path) -> None:
        """Raise InputError where a picture's report would take the place of what is none."""
        check_json(self.beside(output), "schema", "operation")

    def clip(self) -> Path:
        """Return the clip to write. Raises InputError for what there is for photographs alone."""
        given = {
            "--all": self.every,
            "--preview": self.preview,
            "--crop": self.crop,
            "--report": self.report,
            "--min-identity": self.min_identity is not None,
            "--sign": self.sign,
        }
        for name, wanted in given.items():
            if wanted:
                raise InputError(f"{name}: there is none for clips; leave it out, or give photographs")
        if self.output is None:
            raise InputError("no -o: name the clip to write, .mp4 or .mkv")
        self.check_places()
        return self.output

    def draw(self, path: Path) -> None:
        """Write the photograph with its faces numbered, and print how many there are."""
        from mien.faces.detect import choose_face, find_faces
        from mien.media.annotate import number_faces
        from mien.media.photo import read_photo, write_photo
        from mien.runtime.landmarker import find_landmarker

        photo = read_photo(self.face)
        faces = find_faces(photo.rgb, find_landmarker(self.landmarker))
        choose_face(faces, self.face, 1)  # says what to do where there is none
        write_photo(number_faces(photo, [face.box for face in faces]), path, None)
        out.print(f"{path}: faces 1 to {len(faces)}, numbered from the left", markup=False, soft_wrap=True)

    def faces(self, tool: Editor) -> list[FaceCrop]:
        """Return the faces to change, and say which were left out where none was chosen."""
        cuts = tool.crops(self.face, self.which)
        say_left_out(self.face, cuts[0].number, cuts[0].left_out)
        return cuts

    def signer(self) -> Signer | None:
        """Return who signs. Raises InputError for certificates that cannot be used."""
        if self.sign is None:
            return None
        import c2pa  # noqa: F401 - where it is missing, say so before the work

        from mien.media.credentials import read_signer

        return read_signer(*self.sign)

    def accept(self, tool: Editor, faces: list[FaceCrop], photo: Photo, asked: Controls) -> dict[str, Any]:
        """Return the report's figures of what became of `faces` that were asked for this; none if none are wanted.

        Raises InputError, before anything is written, where the person is less alike than wanted.
        """
        if not self.report and self.min_identity is None:
            return {}
        from mien.editing.report import edit_report
        from mien.runtime.open import open_engine

        figures = edit_report(tool, open_engine(EVALUATOR), faces, photo, controls=asked)
        if self.min_identity is not None and figures["identity"] < self.min_identity:
            raise InputError(
                f"{self.face}: the result is {figures['identity']:.3f} alike, below --min-identity "
                f"{self.min_identity:g}; nothing was written, ask for less or take another model"
            )
        return figures

    def write(
        self, tool: Editor, photo: Photo, figures: Mapping[str, Any], asked: Controls, transfers: bool = False
    ) -> None:
        """Write the result; and if wanted its report, with `accept`'s figures and what was `asked`, by transfer or not.

        An example's name is that of `like`.
        """
        from mien.editing.report import file_facts
        from mien.files import write_json

        output, source = Path(self.output or ""), file_facts(self.face)
        operation = asked.operation(self.like.name if self.like else "", transfers)
        stamp, signer = tool.stamp(operation, self.face.name), self.signer()
        seal = (lambda data, form: signer.sign(data, form, stamp, self.face)) if signer else None
        tool.save(photo, output, operation, self.face.name, seal=seal)
        if self.report:
            note = {"schema": 2, "picture": file_facts(output), "source": source, "operation": operation}
            write_json(self.beside(output), {**note, "controls": self.asked_in_json(asked), **figures})
            if not self.several:
                errors.print(f"{self.beside(output)}: identity {figures['identity']:.3f}", markup=False)

    def change(
        self, tool: Editor, faces: list[FaceCrop], asked: Controls, like: Any = None, transfers: bool = False
    ) -> Photo:
        """Change `faces` as asked, by an example that was cut out; write what is wanted, and return what was made."""
        full = asked if like is None else replace(asked, like=like)
        photo = tool.ask(faces, full, transfers=transfers)
        self.write(tool, photo, self.accept(tool, faces, photo, asked), asked, transfers)
        return photo

    def asked_in_json(self, asked: Controls) -> dict[str, Any]:
        """Return what was asked, as the report has it."""
        found = {
            "expression": "+".join(map(str, asked.expressions)) or None,
            "intensity": asked.intensity,
            "aus": asked.aus,
            "gaze": asked.eyes,
            "turn": asked.turned,
            "roll": asked.tilted,
            "only": list(asked.only) or None,
            "like": self.like.name if self.like else None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def expression(self, tool: Editor, asked: Controls, like_number: int | None = None) -> Expression | None:
        """Return the expression to be saved, if one is; an example's is read. Raises InputError where that cannot be.

        Worth asking before anything is written.
        """
        if self.saved is None:
            return None
        shown = tool.expression(asked.like, like_number) if asked.like is not None else None
        about = asked.operation(self.like.name if self.like else "")
        return asked.as_expression(self.saved.stem, about, shown)

    def save(self, expression: Expression | None) -> None:
        """Write the expression that `expression` gave, if it is to be saved."""
        from mien.expressions import write_expression

        if self.saved and expression:
            write_expression(self.saved, expression)
            out.print(f"{self.saved}: {expression.origin}", markup=False, soft_wrap=True)


def say_left_out(path: Path | str, number: int, others: Sequence[str], how: str = "--face N or --all") -> None:
    """Print, if faces were left out, that the largest was taken, where the others are, and how one is chosen."""
    if others:
        from mien.faces.detect import words_of_choice

        errors.print(f"{path}: {words_of_choice(number, others, how)}", markup=False, soft_wrap=True)


def example_of(tool: Editor, like: Path, number: int | None) -> FaceCrop:
    """Return the face of --like, and say which were left out where none was chosen."""
    cut = tool.crop(like, number)
    say_left_out(like, cut.number, cut.left_out, "--like-face N")
    return cut


def check_outputs(
    read: Mapping[str, Path | None], written: Mapping[str, Path | None], replaceable: Collection[str] = ()
) -> None:  # fmt: skip
    """Raise InputError where a file to be written is one that is read, or two to be written are one, however named.

    Both name files by what they are to the user, as "--preview"; those of `replaceable` are given up, by --force. What
    killed processes left of the written ones is removed.
    """
    known = {identity(path): (name, path) for name, path in read.items() if path and path.name}
    for name, path in written.items():
        if path is None:
            continue
        place_of(path)
        other, place = known.get(identity(path), ("", path))
        if other and not (other in replaceable and name in RESULTS):
            force = ", or --force" if other in GIVEN and name in RESULTS else ""
            told = f"is {other} {place} itself, which would be lost; choose another name{force}"
            raise InputError(f"{name} {path}: {told}")
        known[identity(path)] = name, path
        remove_parts(path)
