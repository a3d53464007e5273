"""Photographs in, photographs out: every kind of file, every kind of mistake."""

import dataclasses
import io
import os
import resource
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from mien.errors import InputError
from mien.media.photo import PIXEL_LIMIT, Photo, check_target, read_photo, suffix_back, write_photo
from mien.media.provenance import Stamp, read_stamp

STAMP = Stamp("mien 0.1.0", "fields", "edit: happiness 0.70", "in.jpg")
# What a viewer does to show the stored pixels upright, by the EXIF standard's table: how to store them, the inverse.
STORE = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),  # shown after a quarter turn clockwise, so stored with one back
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


@pytest.fixture
def scene() -> np.ndarray:
    """Smooth RGB, (24, 40, 3), no two corners alike."""
    y, x = np.mgrid[0:24, 0:40]
    return np.stack([x * 6, y * 10, 255 - x * 3 - y * 4], axis=-1).astype(np.uint8)


def photo_of(rgb: np.ndarray, alpha: np.ndarray | None = None, grey: bool = False) -> Photo:
    return Photo(rgb, alpha, grey, None, None)


# Reading


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_upright(tmp_path, scene, orientation, suffix):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Make] = "Camera"
    path = tmp_path / f"in{suffix}"
    stored = np.ascontiguousarray(STORE[orientation](scene))
    options = {".jpg": {"quality": 100, "subsampling": 0}, ".webp": {"lossless": True}}.get(suffix, {})
    Image.fromarray(stored).save(path, exif=exif, **options)
    photo = read_photo(path)
    assert photo.rgb.shape == scene.shape
    assert np.abs(photo.rgb.astype(int) - scene).max() <= (3 if suffix == ".jpg" else 0)
    # Written back it has no orientation left to be applied twice, and the rest of its EXIF.
    write_photo(photo, tmp_path / "out.png", None)
    with Image.open(tmp_path / "out.png") as image:
        assert image.size == (40, 24)
        assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert image.getexif()[ExifTags.Base.Make] == "Camera"


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_the_orientation_in_xmp_goes_too(tmp_path, scene, suffix):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" '
        b'tiff:Model="Lens 7"/></rdf:RDF></x:xmpmeta>'
    )
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    options = {"pnginfo": info} if suffix == ".png" else {"xmp": packet, "quality": 100}
    stored = np.ascontiguousarray(STORE[6](scene))
    photo = read_photo(save(tmp_path / f"in{suffix}", Image.fromarray(stored), exif=exif, **options))
    assert np.abs(photo.rgb.astype(int) - scene).max() <= (0 if suffix == ".png" else 9)
    assert b"Lens 7" in photo.xmp and b"Orientation" not in photo.xmp


def test_alpha_is_turned_too(tmp_path, scene):
    alpha = (np.arange(24 * 40).reshape(24, 40) % 251).astype(np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stored = STORE[6](np.dstack([scene, alpha]))
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "in.png", exif=exif)
    photo = read_photo(tmp_path / "in.png")
    assert np.array_equal(photo.alpha, alpha) and np.array_equal(photo.rgb, scene)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def png16(path: Path, values: np.ndarray, colour: int) -> Path:
    """A 16-bit PNG, which Pillow cannot write: `colour` 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height, width = values.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return path


def test_a_photograph_is_shown_by_what_it_is(tmp_path):
    assert repr(Photo.of(np.zeros((20, 30, 3), np.uint8))) == "<Photo 30×20>"
    grey = read_photo(png16(tmp_path / "in.png", np.zeros((20, 30)), 0))
    assert repr(grey) == "<Photo in.png, 30×20, grey, 16 bits>"


def test_sixteen_bit_grey(tmp_path):
    ramp = np.linspace(0, 65_535, 600).reshape(20, 30).round()
    expected = np.rint(ramp / 257)
    photo = read_photo(png16(tmp_path / "in.png", ramp, 0))
    assert photo.grey and photo.alpha is None
    assert all(np.array_equal(photo.rgb[..., c], expected) for c in range(3))
    Image.fromarray(ramp.astype(np.uint16)).save(tmp_path / "in.tif")
    assert np.array_equal(read_photo(tmp_path / "in.tif").rgb, photo.rgb)


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_colour_and_alpha(tmp_path, colour, channels):
    values = np.random.default_rng(0).integers(0, 65_536, (20, 30, channels))
    photo = read_photo(png16(tmp_path / "in.png", values, colour))
    near = lambda mine, theirs: np.abs(mine - theirs / 257).max() <= 1  # noqa: E731
    assert near(photo.rgb, values[..., :3] if channels > 2 else values[..., :1])
    assert (photo.alpha is None) == (colour == 2)
    assert photo.alpha is None or near(photo.alpha, values[..., -1])
    assert photo.grey == (colour == 4)


def test_grey_and_its_alpha(tmp_path, scene):
    level, alpha = scene[..., 0], scene[..., 1]
    photo = read_photo(save(tmp_path / "l.png", Image.fromarray(level)))
    assert photo.grey and photo.alpha is None and np.array_equal(photo.rgb, np.dstack([level] * 3))
    photo = read_photo(save(tmp_path / "la.png", Image.fromarray(np.dstack([level, alpha]))))
    assert photo.grey and np.array_equal(photo.alpha, alpha) and np.array_equal(photo.rgb, np.dstack([level] * 3))
    photo = read_photo(save(tmp_path / "1.png", Image.fromarray(level > 100)))
    assert photo.grey and np.array_equal(photo.rgb[..., 0], np.where(level > 100, 255, 0))


def test_palette_with_and_without_transparency(tmp_path):
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    index = np.arange(12, dtype=np.uint8).reshape(3, 4) % 3
    image = Image.fromarray(index, "L").convert("L")
    image.putpalette(colours.tobytes())
    photo = read_photo(save(tmp_path / "p.png", image))
    assert np.array_equal(photo.rgb, colours[index]) and photo.alpha is None and not photo.grey
    photo = read_photo(save(tmp_path / "t.png", image, transparency=1))
    assert np.array_equal(photo.rgb, colours[index])
    assert np.array_equal(photo.alpha, np.where(index == 1, 0, 255))


def test_cmyk_by_the_plain_formula(tmp_path, scene):
    cmyk = np.dstack([255 - scene, np.full(scene.shape[:2], 40)]).astype(np.uint8)
    photo = read_photo(save(tmp_path / "in.tif", Image.fromarray(cmyk, "CMYK")))
    expected = (255 - cmyk[..., :3].astype(float)) * (255 - 40) / 255
    assert np.abs(photo.rgb - expected).max() <= 1 and photo.icc is None
    photo = read_photo(save(tmp_path / "in.jpg", Image.fromarray(cmyk, "CMYK"), quality=100))
    assert np.abs(photo.rgb - expected).mean() < 4


def test_a_cmyk_profile_that_lies_is_passed_over_and_not_kept(tmp_path, scene):
    cmyk = Image.fromarray(np.dstack([scene, scene[..., 0]]), "CMYK")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    with_profile = read_photo(save(tmp_path / "a.tif", cmyk, icc_profile=srgb))
    without = read_photo(save(tmp_path / "b.tif", cmyk))
    assert np.array_equal(with_profile.rgb, without.rgb) and with_profile.icc is None


def test_the_first_frame_counts(tmp_path, scene):
    frames = [Image.fromarray(scene), Image.fromarray(255 - scene)]
    frames[0].save(tmp_path / "in.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert np.array_equal(read_photo(tmp_path / "in.webp").rgb, scene)


# Bad input


def truncated(path: Path, form: str, share: float) -> Path:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, form)
    data = buffer.getvalue()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def make_bad(kind: str, folder: Path) -> Path:
    path = folder / f"{kind}.png"
    if kind == "text":
        path.write_text("not a picture at all\n" * 9)
    elif kind == "empty":
        path.touch()
    elif kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "float":
        path = path.with_suffix(".tif")
        Image.fromarray(np.ones((4, 4), np.float32)).save(path)
    elif kind == "deep":
        path = path.with_suffix(".tif")
        Image.fromarray(np.full((4, 4), 70_000, np.int32)).save(path)
    elif kind == "postscript":
        path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    elif kind != "missing":
        name, share = kind.split("_")
        path = truncated(path, name, float(share))
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "not an image that mien can read; expected a photograph"),
        ("empty", r"empty \(0 bytes\)"),
        ("folder", "a folder; expected a photograph"),
        ("missing", "no such file"),
        ("fifo", "not a regular file"),
        ("float", "floating-point pixels; save it with 8 or 16 bits"),
        ("deep", "more than 16 bits a channel"),
        ("postscript", "not an image that mien can read"),
        ("JPEG_0.6", "damaged or cut short .*copy it again"),
        ("JPEG_0.99", "damaged or cut short"),
        ("PNG_0.6", "damaged or cut short"),
        ("WEBP_0.6", "damaged or cut short|not an image"),
        ("TIFF_0.6", "damaged or cut short|not an image"),
        ("BMP_0.6", "damaged or cut short"),
        ("GIF_0.6", "damaged or cut short"),
        ("PNG_0.001", "not an image"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, kind, message):
    path = make_bad(kind, tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        read_photo(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and text.isprintable()


@pytest.mark.parametrize("side", [10_001, 20_000, 60_000])
def test_too_large_is_told_before_decoding(tmp_path, side):
    # Only a header: decoding it would fail otherwise than with the limit.
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    idat = struct.pack(">I", 1) + b"IDAT" + b"x" + struct.pack(">I", zlib.crc32(b"IDATx"))
    (tmp_path / "in.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body + idat)
    with pytest.raises(InputError, match="more than 100 megapixels; make it smaller"):
        read_photo(tmp_path / "in.png")
    assert PIXEL_LIMIT == 100_000_000


def test_unreadable_file(tmp_path, scene, monkeypatch):
    path = save(tmp_path / "in.png", Image.fromarray(scene))

    def refuse(*args: object) -> None:  # for root, who may read everything, a mode of 000 would not do
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)"):
        read_photo(path)


def test_random_damage_never_escapes(tmp_path, scene):
    rng = np.random.default_rng(3)
    for form in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"):
        buffer = io.BytesIO()
        exif = Image.Exif()
        exif[ExifTags.Base.Make] = "Camera"
        Image.fromarray(scene).save(buffer, form, **({"exif": exif} if form in ("PNG", "JPEG", "WEBP") else {}))
        for _ in range(60):
            data = bytearray(buffer.getvalue())
            for at in rng.integers(0, min(len(data), 200), 3):
                data[at] = rng.integers(256)
            path = tmp_path / "in"
            path.write_bytes(bytes(data))
            try:
                photo = read_photo(path)
                assert photo.rgb.dtype == np.uint8 and photo.rgb.ndim == 3
            except InputError as error:
                assert "\n" not in str(error)


# Writing


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".jpeg", ".webp"])
def test_round_trip(tmp_path, scene, suffix):
    path = tmp_path / f"out{suffix}"
    write_photo(photo_of(scene), path, STAMP)
    again = read_photo(path)
    exact = suffix.lower() == ".png"
    difference = np.abs(again.rgb.astype(int) - scene)
    assert (difference.max() == 0 if exact else difference.mean() < 3) and not again.grey
    assert read_stamp(path) == STAMP
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_alpha_is_kept(tmp_path, scene, suffix):
    alpha = scene[..., 0]
    write_photo(photo_of(scene, alpha), tmp_path / f"out{suffix}", STAMP)
    again = read_photo(tmp_path / f"out{suffix}")
    assert np.array_equal(again.alpha, alpha)
    assert np.abs(again.rgb.astype(int) - scene).mean() < 3  # under the transparent parts too


def test_jpeg_refuses_transparency_but_not_an_opaque_alpha(tmp_path, scene):
    with pytest.raises(InputError, match=r"transparent parts, which JPEG cannot keep; write a \.png or \.webp"):
        write_photo(photo_of(scene, scene[..., 0]), tmp_path / "out.jpg", None)
    assert not list(tmp_path.iterdir())
    write_photo(photo_of(scene, np.full(scene.shape[:2], 255, np.uint8)), tmp_path / "out.jpg", None)
    assert read_photo(tmp_path / "out.jpg").alpha is None


@pytest.mark.parametrize(("suffix", "mode"), [(".png", "L"), (".jpg", "L"), (".webp", "RGB")])
def test_grey_stays_grey(tmp_path, suffix, mode):
    level = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_photo(photo_of(np.dstack([level] * 3), grey=True), tmp_path / f"out{suffix}", STAMP)
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.mode == mode
    again = read_photo(tmp_path / f"out{suffix}").rgb.astype(int)
    assert np.ptp(again, axis=-1).max() <= 1
    assert np.abs(again[..., 0] - level).max() <= (0 if suffix == ".png" else 6)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_profile_exif_and_xmp_are_kept(tmp_path, scene, suffix):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[ExifTags.Base.Copyright] = "Ann"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = 2.8
    Image.fromarray(scene).save(tmp_path / "in.jpg", icc_profile=srgb, exif=exif)
    write_photo(read_photo(tmp_path / "in.jpg"), tmp_path / f"out{suffix}", STAMP)
    again = read_photo(tmp_path / f"out{suffix}")
    assert again.icc == srgb
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.getexif()[ExifTags.Base.Copyright] == "Ann"
        assert float(image.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber]) == pytest.approx(2.8)
    assert read_stamp(tmp_path / f"out{suffix}") == STAMP


def test_the_old_thumbnail_does_not_survive(tmp_path, scene):
    # Raw EXIF with a second directory, whose thumbnail would go on showing the unedited face.
    thumbnail = b"\xff\xd8THUMBNAIL\xff\xd9"
    first = struct.pack("<HHHII", 1, 0x0112, 3, 1, 1) + struct.pack("<I", 8 + 18)
    place = struct.pack("<HHIIHHII", 0x0201, 4, 1, 8 + 18 + 30, 0x0202, 4, 1, len(thumbnail))
    second = struct.pack("<H", 2) + place + struct.pack("<I", 0)
    raw = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + thumbnail
    Image.fromarray(scene).save(tmp_path / "in.jpg", exif=raw)
    assert b"THUMBNAIL" in (tmp_path / "in.jpg").read_bytes()
    write_photo(read_photo(tmp_path / "in.jpg"), tmp_path / "out.jpg", STAMP)
    assert b"THUMBNAIL" not in (tmp_path / "out.jpg").read_bytes()


def test_a_tiffs_layout_does_not_leak_into_exif(tmp_path, scene):
    Image.fromarray(scene).save(tmp_path / "in.tif", description="lake", compression="tiff_lzw")
    write_photo(read_photo(tmp_path / "in.tif"), tmp_path / "out.jpg", None)
    with Image.open(tmp_path / "out.jpg") as image:
        assert dict(image.getexif()) == {ExifTags.Base.ImageDescription: "lake"}


@pytest.mark.parametrize("suffix", [".gif", ".tiff", "", ".txt"])
def test_unknown_suffix(tmp_path, scene, suffix):
    with pytest.raises(InputError, match=rf"unknown suffix '{suffix}'; name the output \.png, \.jpg, \.jpeg, \.webp"):
        write_photo(photo_of(scene), tmp_path / f"out{suffix}", None)


def test_targets_that_cannot_be(tmp_path):
    (tmp_path / "out.png").mkdir()
    with pytest.raises(InputError, match="a folder stands in the place"):
        check_target(tmp_path / "out.png")
    with pytest.raises(InputError, match=r"there is no folder .*gone; make it first"):
        check_target(tmp_path / "gone" / "out.png")
    assert check_target(tmp_path / "new.jpeg") == "JPEG"


def test_too_wide_for_webp(tmp_path):
    wide = photo_of(np.zeros((2, 16_384, 3), np.uint8))
    with pytest.raises(InputError, match=r"16384×2 is more than WEBP can hold; write a \.png"):
        write_photo(wide, tmp_path / "out.webp", None)
    write_photo(wide, tmp_path / "out.jpg", None)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    path = tmp_path / "out.png"
    path.write_bytes(b"the old file")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))  # the kernel refuses the rest, as a full disk does
    try:
        with pytest.raises(InputError, match=r"out\.png: cannot be written \(.*left as it was"):
            write_photo(photo_of(noise), path, STAMP)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"the old file" and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path, scene):
    (tmp_path / "real.png").write_bytes(b"old")
    (tmp_path / "link.png").symlink_to("real.png")
    write_photo(photo_of(scene), tmp_path / "link.png", None)
    assert (tmp_path / "link.png").is_symlink()
    assert np.array_equal(read_photo(tmp_path / "real.png").rgb, scene)


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.JPEG", ".jpeg"), ("a.png", ".png"), ("a.HEIC", ".jpg"), ("a.tif", ".png"), ("a", ".png")]
)
def test_a_photograph_goes_back_in_its_own_form_or_the_nearest(name, suffix):
    assert suffix_back(Path(name)) == suffix


def test_what_was_made_of_a_photograph_does_not_take_its_place(tmp_path, monkeypatch):
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(tmp_path / "me.png")
    before = (tmp_path / "me.png").read_bytes()
    stamp = Stamp("mien 0", "fields", "edit: happiness 1.00", "me.png")
    made = dataclasses.replace(read_photo(tmp_path / "me.png"), stamp=stamp)
    (tmp_path / "link.png").symlink_to(tmp_path / "me.png")
    monkeypatch.chdir(tmp_path)
    for name in ("me.png", tmp_path / "me.png", "link.png"):
        with pytest.raises(InputError, match=r"is the photograph that this was made of.*force=True"):
            made.save(name)
    assert (tmp_path / "me.png").read_bytes() == before
    made.save("other.png")
    made.save("me.png", force=True)
    assert read_stamp(tmp_path / "me.png").operation == "edit: happiness 1.00"
