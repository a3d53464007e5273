"""Any photograph: its size, its kind and its other faces come back as they were."""

import functools

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageCms, ImageOps
from skimage.data import astronaut

from mien.editing.editor import Editor
from mien.errors import InputError
from mien.faces.detect import find_faces
from mien.media.photo import read_photo
from mien.media.sixteen_bit import encode_png, orient_pixels, to_eight_bits, with_changes
from mien.models.contract import Warps
from mien.models.registry import create
from mien.runtime.landmarker import find_landmarker
from mien.synth.expression import recipe
from mien.synth.person import sample_person
from mien.synth.studio import Studio
from tests.cli.test_cli import run
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def face():
    """A rendered face with room around it, uint8 (188, 248, 3)."""
    image = Studio(sample_person(1), 128).render(recipe("neutral", 1.0)).image
    return cv2.copyMakeBorder(image, 40, 20, 60, 60, cv2.BORDER_REPLICATE)


@pytest.fixture(scope="module", params=["ter_gan", "fields"])
def editor(request):
    """One that paints and one that moves, untrained."""
    torch.manual_seed(0)
    model = create(request.param, **TINY[request.param])
    if request.param == "ter_gan":
        model.class_codes.total.normal_(std=30)  # untrained, or it would hardly paint a difference
        model.class_codes.count.fill_(1)
    return Editor(model)


def scene(face, width, height):
    """Return a picture (height, width, 3), no two rows or columns alike, with the face somewhat left of its middle."""
    side = round(min(width, height) * (0.9 if width < 300 else 0.6))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    canvas = np.stack([90 + 40 * np.sin(7 * x / width), 110 + 30 * np.cos(5 * y / height), 100 + (x + y) % 9], -1)
    canvas = canvas.astype(np.uint8)
    top, left = (height - side) // 2, (width - side) // 3
    canvas[top : top + side, left : left + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_CUBIC)
    return canvas


def beyond(editor, seen, shape):
    """Return where a photo's pixels lie beyond the mask by more than a crop's pixel, (H, W) bool.

    The mask of a painted change is an oval, that of a moved face the whole crop.
    """
    size = editor.size
    a, b = np.float32(seen.matrix[:, :2]), np.float32(seen.matrix[:, 2])
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    moves = isinstance(editor.model, Warps)
    across = np.abs((a[0, 0] * x + a[0, 1] * y + b[0] + 0.5) / size - 0.50) - 1.5 / size
    down = np.abs((a[1, 0] * x + a[1, 1] * y + b[1] + 0.5) / size - (0.50 if moves else 0.52)) - 1.5 / size
    if moves:
        return np.maximum(across, down) > 0.5
    return (np.maximum(across, 0) / 0.49) ** 3 + (np.maximum(down, 0) / 0.47) ** 3 > 1


@pytest.mark.parametrize(
    ("width", "height"), [(200, 200), (641, 433), (433, 641), pytest.param(6000, 4000, marks=pytest.mark.slow)]
)
def test_outside_the_mask_a_png_is_the_photograph(editor, face, tmp_path, width, height):
    if width == 6000 and not isinstance(editor.model, Warps):
        width, height = 2400, 1600  # one of that size is enough, and takes half a minute
    photo = scene(face, width, height)
    Image.fromarray(photo).save(tmp_path / "in.png", compress_level=1)
    editor.save(editor.edit(tmp_path / "in.png", "surprise"), tmp_path / "out.png")
    made = np.asarray(Image.open(tmp_path / "out.png"))
    changed = (made != photo).any(-1)
    far = beyond(editor, editor.see(photo), photo.shape)
    assert 0.05 < far.mean() < 0.95 and changed.sum() > 500
    assert not changed[far].any()


@functools.cache
def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def turned_jpeg(picture, path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Copyright] = "Ann"
    # Shown after a quarter turn clockwise, so stored with one back.
    Image.fromarray(np.ascontiguousarray(np.rot90(picture))).save(path, exif=exif, quality=95, subsampling=0)


KINDS = {  # suffix, how it is written, the mode of the PNG that comes back
    "turned": (".jpg", turned_jpeg, "RGB"),
    "grey": (".jpg", lambda p, path: Image.fromarray(p).convert("L").save(path), "L"),
    "alpha": (".png", lambda p, path: Image.fromarray(np.dstack([p, p[..., 2]])).save(path), "RGBA"),
    "grey and alpha": (".png", lambda p, path: Image.fromarray(p[..., :2]).save(path), "LA"),
    "cmyk": (".tif", lambda p, path: Image.fromarray(p).convert("CMYK").save(path), "RGB"),
    "profile": (".jpg", lambda p, path: Image.fromarray(p).save(path, icc_profile=srgb(), quality=90), "RGB"),
    "palette": (".png", lambda p, path: Image.fromarray(p).quantize(256).save(path), "RGB"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_photograph_keeps_what_it_is(editor, face, tmp_path, kind):
    suffix, save, mode = KINDS[kind]
    path = tmp_path / f"in{suffix}"
    save(scene(face, 300, 360), path)
    with Image.open(path) as image:  # as any viewer would show it
        shown = ImageOps.exif_transpose(image)
        before = np.asarray(shown.convert(mode))
    editor.save(editor.edit(path, "surprise"), tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as image:
        after, info, exif = np.asarray(image), image.info, image.getexif()
        assert image.mode == mode and image.size == (300, 360)
    changed = (after != before).reshape(360, 300, -1).any(-1)
    far = beyond(editor, editor.see(path), before.shape)
    assert changed.sum() > 500 and not changed[far].any()
    if "A" in mode:
        assert np.array_equal(after[..., -1], before[..., -1])
    assert info.get("icc_profile") == (srgb() if kind == "profile" else None)
    assert exif.get(ExifTags.Base.Orientation, 1) == 1
    assert exif.get(ExifTags.Base.Copyright) == ("Ann" if kind == "turned" else None)


# Sixteen bits


def test_sixteen_bits_are_rounded_as_numpy_does():
    values = np.arange(65_536, dtype=np.uint16)
    assert np.array_equal(to_eight_bits(values), np.rint(values / 257))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bits_are_turned_as_pillow_turns_eight(orientation):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    image = Image.fromarray(pixels)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    assert np.array_equal(orient_pixels(pixels, orientation), np.asarray(ImageOps.exif_transpose(image)))


def test_only_what_changed_changes_in_sixteen_bits():
    sixteen = np.random.default_rng(0).integers(0, 65_536, (9, 11, 3)).astype(np.uint16)
    rgb = to_eight_bits(sixteen)
    assert np.array_equal(with_changes(sixteen, rgb), sixteen)
    rgb[4, 5] = (0, 128, 255)
    made = with_changes(sixteen, rgb)
    assert np.abs(made[4, 5] / 257 - (0, 128, 255)).max() <= 0.5
    made[4, 5] = sixteen[4, 5]
    assert np.array_equal(made, sixteen)


def fine(face):
    """Return the scene in sixteen bits, whose lower eight are noise."""
    noise = np.random.default_rng(1).integers(-128, 128, (360, 300, 3))
    return np.clip(scene(face, 300, 360).astype(int) * 257 + noise, 0, 65_535).astype(np.uint16)


@pytest.mark.parametrize("kind", ["png", "tif", "turned tif", "turned png", "png with alpha", "grey png"])
def test_sixteen_bits_come_back(editor, face, tmp_path, kind):
    sixteen = fine(face)
    alpha = sixteen[..., 1] if "alpha" in kind else None
    path = tmp_path / ("in.tif" if "tif" in kind else "in.png")
    if "tif" in kind:
        stored, tag = (np.rot90(sixteen), 6) if "turned" in kind else (sixteen, 1)
        tifffile.imwrite(path, np.ascontiguousarray(stored), photometric="rgb", extratags=[(274, "H", 1, tag, True)])
    elif kind == "turned png":
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = 6
        path.write_bytes(encode_png(np.rot90(sixteen), None, False, {"exif": exif}))
    elif kind == "grey png":
        sixteen = np.repeat(sixteen[..., :1], 3, axis=2)
        cv2.imwrite(str(path), sixteen[..., 0])
    else:
        cv2.imwrite(str(path), sixteen[..., ::-1] if alpha is None else np.dstack([sixteen[..., ::-1], alpha]))
    editor.save(editor.edit(path, "surprise"), tmp_path / "out.png", "edit: surprise", path.name)
    made = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert made.dtype == np.uint16
    assert made.ndim == (2 if kind == "grey png" else 3)
    colours = np.repeat(made[..., None], 3, axis=2) if made.ndim == 2 else made[..., 2::-1]
    changed = (colours != sixteen).any(-1)
    far = beyond(editor, editor.see(path), sixteen.shape)
    assert changed.sum() > 500 and not changed[far].any()
    assert alpha is None or np.array_equal(made[..., 3], alpha)
    eight_bits = Image.fromarray(editor.edit(path, "surprise").rgb).convert("L" if kind == "grey png" else "RGB")
    assert np.abs((made if made.ndim == 2 else colours) / 257 - np.asarray(eight_bits)).max() <= 1


def test_a_sixteen_bit_png_carries_its_metadata(face, tmp_path, capsys):
    lake = {"description": "lake", "metadata": None}  # else tifffile writes a second description of its own
    tifffile.imwrite(tmp_path / "in.tif", fine(face), photometric="rgb", iccprofile=srgb(), **lake)
    code, _, err = run(capsys, "edit", tmp_path / "in.tif", "--expression", "fear", "-o", tmp_path / "out.png")
    assert code == 0, err
    with Image.open(tmp_path / "out.png") as image:
        image.load()
        assert image.info["icc_profile"] == srgb()
        assert image.getexif()[ExifTags.Base.ImageDescription] == "lake"
        assert b"edit: fear" in image.info["xmp"]
    code, out, _ = run(capsys, "info", tmp_path / "out.png")
    assert code == 0 and "Photograph in.tif, changed by mien" in out
    code, _, err = run(capsys, "edit", tmp_path / "in.tif", "--expression", "fear", "-o", tmp_path / "out.jpg")
    assert code == 0 and read_photo(tmp_path / "out.jpg").rgb.shape == (360, 300, 3), err


def test_damage_to_sixteen_bits_never_escapes(tmp_path):
    sixteen = np.random.default_rng(0).integers(0, 65_536, (24, 40, 3)).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "whole.png"), sixteen)
    tifffile.imwrite(tmp_path / "whole.tif", sixteen, photometric="rgb")
    rng = np.random.default_rng(3)
    read = 0
    for path in (tmp_path / "whole.png", tmp_path / "whole.tif"):
        assert read_photo(path).sixteen is not None
        for _ in range(100):
            data = bytearray(path.read_bytes())
            for at in rng.integers(0, len(data), 3):
                data[at] = rng.integers(256)
            (tmp_path / "in").write_bytes(data)
            try:
                photo = read_photo(tmp_path / "in")
                assert photo.sixteen is None or np.array_equal(to_eight_bits(photo.sixteen[..., :3]), photo.rgb)
                read += 1
            except InputError as error:
                assert "\n" not in str(error)
    assert read > 20  # damaged pixels of a TIFF are pixels


# Several faces


HALF = 256


@pytest.fixture
def two(tmp_path):
    """A photograph of two faces, each in its half."""
    path, one = tmp_path / "two.png", astronaut()[:HALF, 96 : 96 + HALF]
    Image.fromarray(np.concatenate([one, one[:, ::-1]], 1)).save(path)
    return path


def test_all_faces_or_one(editor, two):
    photo = np.asarray(Image.open(two))
    first, second, both = (editor.edit(two, "fear", number=n).rgb for n in (1, 2, "all"))
    assert not np.array_equal(first[:, :HALF], photo[:, :HALF]) and np.array_equal(first[:, HALF:], photo[:, HALF:])
    assert np.array_equal(second[:, :HALF], photo[:, :HALF]) and not np.array_equal(second[:, HALF:], photo[:, HALF:])
    assert np.array_equal(both, np.concatenate([first[:, :HALF], second[:, HALF:]], 1))
    with pytest.raises(InputError, match="2 faces found; choose one with --face N"):
        editor.edit(two, "fear")


def test_faces_that_touch_are_changed_one_after_the_other(editor, face):
    photo = np.concatenate([face[:, 60:188], face[:, 60:188][:, ::-1]], 1)
    assert len(find_faces(photo)) == 2
    left = editor.edit(photo, "fear", number=1)
    second = editor.faces(photo)[1]
    both = editor.edit(photo, "fear", number="all").rgb
    changed = (both != left.rgb).any(-1)
    assert changed.any() and not changed[beyond(editor, second, photo.shape)].any()


def test_the_bare_crop_is_the_aligned_face_with_the_change_alone(face):
    torch.manual_seed(0)
    editor = Editor(create("ter_gan", **TINY["ter_gan"]), crop_only=True)
    editor.model.class_codes.total.normal_(std=30)
    editor.model.class_codes.count.fill_(1)
    photo = scene(face, 300, 360)
    same = editor.transfer(photo, photo).rgb  # its own expression, which this model answers with no change
    crop = editor.crop(photo).crop
    assert same.shape == (32, 32, 3) and np.array_equal(same, crop)
    assert (editor.edit(photo, "surprise").rgb != same).any(-1).mean() > 0.5  # no mask


def test_preview_numbers_the_faces_and_needs_no_output(two, capsys, tmp_path):
    code, out, err = run(capsys, "edit", two, "--expression", "fear", "--preview", tmp_path / "p.png")
    assert code == 0 and "faces 1 to 2" in out, err
    drawn, photo = np.asarray(Image.open(tmp_path / "p.png")), np.asarray(Image.open(two))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.png", "two.png"]
    assert drawn.shape == photo.shape
    for x, y, width, height in (f.box for f in find_faces(photo, find_landmarker("net"))):
        red = (drawn == (200, 30, 60)).all(-1)
        for at in ((x + width / 2, y), (x + width / 2, y + height), (x + width, y + height / 2)):
            assert red[round(at[1]) - 2 : round(at[1]) + 3, round(at[0]) - 2 : round(at[0]) + 3].any()
        assert not red[round(y + height * 0.3) : round(y + height * 0.9), round(x + width / 2)].any()
    # With several faces and none chosen, there is one clear line, and still a preview to choose by.
    code, _, err = run(
        capsys, "neutralize", two, "--preview", tmp_path / "q.png", "-o", tmp_path / "o.png", "--model", "jesrl"
    )
    assert code == 2 and "choose one with --face N" in err and err.count("\n") == 1
    assert (tmp_path / "q.png").exists() and not (tmp_path / "o.png").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--all", "--face", "1", "-o", "o.png"), "--all and --face: choose one"),
        (("--all", "--crop", "-o", "o.png"), "--all and --crop: a crop is of one face"),
        ((), "no -o: name the picture to write"),
        (("--preview", "two.png"), "--preview two.png: is FACE two.png itself"),
        (("--preview", "p.gif"), "unknown suffix '.gif'"),
        (("--min-identity", "7", "-o", "o.png"), "expected a similarity from -1 to 1"),
        (("--face", "3", "-o", "o.png"), "no face 3; --face takes 1 to 2"),
    ],
)
def test_options_that_do_not_fit_are_one_line(two, capsys, monkeypatch, words, says):
    monkeypatch.chdir(two.parent)
    code, _, err = run(capsys, "edit", "two.png", "--expression", "fear", *words)
    assert code == 2 and says in err and err.count("\n") == 1 and "Traceback" not in err
    assert [p.name for p in two.parent.iterdir()] == ["two.png"]


def test_the_shell_changes_all_faces(two, capsys, tmp_path):
    words = ("transfer", two, "--like", two, "--like-face", 1, "--all", "-o", tmp_path / "o.png", "--model", "jesrl")
    code, _, err = run(capsys, *words)
    assert code == 0, err
    changed = (np.asarray(Image.open(tmp_path / "o.png")) != np.asarray(Image.open(two))).any(-1)
    assert changed[:, HALF:].any()  # the second face took the first one's expression
    code, _, err = run(capsys, *words, "--swap", tmp_path / "s.png")
    assert code == 2 and "--swap" in err and not (tmp_path / "s.png").exists()
