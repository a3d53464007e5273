"""The one door for pictures: what is too dear is refused from its header, whatever is wrong is one line."""

import io
import logging
import struct
import threading
import time
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, features

from mien.data.images import read_image
from mien.errors import InputError
from mien.media import picture
from mien.media.photo import read_photo, write_photo
from mien.media.picture import BUDGET, Memory, cost_at, open_picture
from mien.media.provenance import Stamp, read_stamp, stamp_in, xmp_packet

READERS = [read_photo, read_image]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, colour=2, *more):
    """Return a PNG that promises a size and holds next to nothing."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def webp(width, height):
    """Return a WebP of one colour in 28 bytes, however large."""
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes.fromhex("888808")
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def many_scans(count):
    """Return a progressive JPEG whose last scan comes `count` times more."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 128).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + data[-2:]


def encoded(form, size=(64, 64)):
    file = io.BytesIO()
    Image.new("L", size, 128).save(file, form)
    return file.getvalue()


def with_parts(form, part, count):
    """Return a sound picture with a part so many times before its pixels."""
    data = encoded(form)
    at = {"JPEG": 2, "PNG": 33, "GIF": 13 + 3 * (2 << (data[10] & 7))}[form]
    return data[:at] + part * count + data[at:]


PARTS = {  # form, part, how often decoders take long, how often programs may well write it, what is told
    "segments": ("JPEG", b"\xff\xe5\0\2", 500_000, 500, "more than 20,000 segments"),
    "filling": ("JPEG", b"\xff", 5_000_000, 1000, "a long part of it holds nothing"),
    "chunks": ("PNG", chunk(b"tEXt", b"k\0v"), 250_000, 500, "more than 200,000 chunks"),
    "comments": ("GIF", b"\x21\xfe\xff" + b"x" * 255 + b"\0", 5_000, 500, "more than 1 MiB of comments"),
    "blocks": ("GIF", b"\x21\xf9\4\0\0\0\0\0", 500_000, 500, "more than 20,000 blocks"),
}


@pytest.mark.parametrize("kind", PARTS)
def test_parts_without_end_are_refused_before_a_decoder_looks_at_each(kind, tmp_path):
    form, part, too_many, many, told = PARTS[kind]
    (tmp_path / "in").write_bytes(with_parts(form, part, too_many))
    with pytest.raises(InputError, match=told):
        read_photo(tmp_path / "in")
    (tmp_path / "in").write_bytes(with_parts(form, part, many))
    assert read_photo(tmp_path / "in").rgb.shape == (64, 64, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_large_profile_comes_back_from_what_is_written(tmp_path, suffix):
    profile = bytes(16) + b"RGB " + np.random.default_rng(0).bytes(3_000_000)
    Image.new("RGB", (64, 64)).save(tmp_path / "in.webp", icc_profile=profile)
    write_photo(read_photo(tmp_path / "in.webp"), tmp_path / f"out{suffix}", None)
    assert read_photo(tmp_path / f"out{suffix}").icc == profile


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NAMED = b"sRGB\0\0"  # how the chunk of a profile begins
DESCRIPTIONS = {
    "check sum": chunk(b"iCCP", NAMED + zlib.compress(PROFILE))[:-1] + b"?",
    "method": chunk(b"iCCP", b"sRGB\0\5" + zlib.compress(PROFILE)),
    "no name": chunk(b"iCCP", b"?"),
    "nothing": chunk(b"iCCP", b""),
    "no profile": chunk(b"iCCP", NAMED + b"?"),
    "cut short": chunk(b"iCCP", NAMED + zlib.compress(PROFILE[:200])),
    "far too much": chunk(b"iCCP", NAMED + zlib.compress(bytes(70 << 20))),
    "text": chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(70 << 20))),
    "dots": chunk(b"pHYs", b"?"),
    "colours": chunk(b"cHRM", bytes(32))[:-1] + b"?",
    "animation": chunk(b"acTL", b"?"),
    "EXIF": chunk(b"eXIf", b"II*\0")[:-1] + b"?",
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("kind", DESCRIPTIONS)
def test_a_png_whose_descriptions_are_damaged_is_read_without_them(kind, read, tmp_path, caplog):
    rgb = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", dpi=(300, 300))
    head, rest = file.getvalue()[:33], file.getvalue()[33:]
    (tmp_path / "in.png").write_bytes(head + DESCRIPTIONS[kind] + rest)
    found = read(tmp_path / "in.png")
    if read is read_image:
        assert np.array_equal(found, rgb)
        return
    assert np.array_equal(found.rgb, rgb) and found.icc is None
    told = [record.getMessage() for record in caplog.records]
    assert all(
        line == f"{tmp_path / 'in.png'}: its colour profile or other metadata is damaged; read without" for line in told
    )
    assert len(told) == (kind not in ("no profile", "cut short"))  # these Pillow passes over, or reads
    if kind in ("check sum", "colours", "EXIF"):
        assert found.dpi == pytest.approx((300, 300), abs=0.1)  # what is sound stays


@pytest.mark.parametrize("name", [b"IHDR", b"PLTE", b"tRNS"])
def test_a_png_whose_pixels_are_damaged_is_refused(name, tmp_path):
    file = io.BytesIO()
    Image.new("P", (64, 64), 1).save(file, "PNG", transparency=0)
    data = bytearray(file.getvalue())
    at = data.index(name)
    data[at + 4 + int.from_bytes(data[at - 4 : at], "big")] ^= 1  # its check sum
    (tmp_path / "in.png").write_bytes(data)
    with pytest.raises(InputError, match="not an image"):
        read_photo(tmp_path / "in.png")


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (webp(16_000, 16_000), "16000×16000, more than"),
        (png(10_000, 9_000, 16, 6), "more than 6. megapixels"),
        (many_scans(2000), "more than 100 scans"),
        (png(64, 64, 8, 3, chunk(b"PLTE", bytes(12)), chunk(b"tRNS", bytes(300))), "damaged or cut short"),
    ],
    ids=["webp", "sixteen bits", "scans", "palette"],
)
def test_small_files_of_great_cost_are_refused(read, content, told, tmp_path):
    (tmp_path / "in").write_bytes(content)
    begun = time.process_time()
    with pytest.raises(InputError, match=told) as caught:
        read(tmp_path / "in")
    assert str(caught.value).startswith(f"{tmp_path / 'in'}: ") and "\n" not in str(caught.value)
    assert time.process_time() - begun < 30  # decoding two thousand scans would take minutes


def test_ordinary_pictures_are_none_of_these(tmp_path):
    (tmp_path / "in.jpg").write_bytes(many_scans(60))
    assert read_photo(tmp_path / "in.jpg").rgb.shape == (64, 64, 3)
    for form in ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"):
        header = SimpleNamespace(width=10_000, height=10_000, mode="RGB", format=form)
        assert picture.cost_of(header) <= BUDGET  # a hundred megapixels of eight bits
    deep = SimpleNamespace(width=9_504, height=6_336, mode="I;16", format="TIFF")
    assert picture.cost_of(deep) <= BUDGET  # what a camera of sixty megapixels gives with sixteen


def test_scans_are_counted_and_thumbnails_and_markers_in_data_are_not(tmp_path):
    thumbnail = many_scans(300)
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(file, "JPEG", quality=100, exif=b"Exif\0\0" + thumbnail[:60_000])
    (tmp_path / "in.jpg").write_bytes(file.getvalue() + thumbnail)  # and what stands after the end
    assert np.array_equal(read_photo(tmp_path / "in.jpg").rgb, np.asarray(Image.open(tmp_path / "in.jpg")))


def test_threads_share_what_decoding_may_take():
    memory, held, most = Memory(10), [0], [0]
    lock = threading.Lock()

    def take(size):
        with memory.taken(size):
            with lock:
                held[0] += min(size, 10)
                most[0] = max(most[0], held[0])
            time.sleep(0.002)
            with lock:
                held[0] -= min(size, 10)

    threads = [threading.Thread(target=take, args=(size,)) for size in (3, 4, 5, 99, 6, 2, 1) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert held == [0] and 0 < most[0] <= 10


def test_whatever_is_done_with_a_picture_ends_in_one_line(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "in.png")
    for error in (ValueError("a\nb"), MemoryError(), RecursionError(), KeyError(3)):
        told = pytest.raises(InputError, match=r"in\.png: damaged or cut short .*; do so$")
        with told, open_picture(tmp_path / "in.png", "expected", "do so"):
            raise error
    assert cost_at(tmp_path / "in.png") > 0


# What telephones, painters and scanners make


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif_is_read(tmp_path):
    ramp = np.dstack([np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))] * 3)
    Image.fromarray(ramp).save(tmp_path / "in.avif", quality=95)
    for read in (lambda path: read_photo(path).rgb, read_image):
        assert np.abs(read(tmp_path / "in.avif").astype(int) - ramp).mean() < 3


HEIC = struct.pack(">I4s4sI", 24, b"ftyp", b"heic", 0) + b"mif1heic" + bytes(40)


def test_heic_without_its_reader_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "in.heic").write_bytes(HEIC)
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(InputError, match=r"in\.heic: HEIC.*pip install 'mien\[heic\]', or save it as JPEG"):
        read_photo(tmp_path / "in.heic")


def test_heic_is_read_with_it(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    ramp = np.dstack([np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))] * 3)
    heif.from_pillow(Image.fromarray(ramp)).save(tmp_path / "in.heic", quality=95)
    assert np.abs(read_photo(tmp_path / "in.heic").rgb.astype(int) - ramp).mean() < 3
    (tmp_path / "cut.heic").write_bytes(HEIC)
    with pytest.raises(InputError, match="not an image"):
        read_photo(tmp_path / "cut.heic")


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_of_several_frames_the_first_is_taken_and_it_is_said(suffix, tmp_path, caplog):
    first, second = Image.new("RGB", (16, 16), (200, 40, 40)), Image.new("RGB", (16, 16), (0, 0, 250))
    options = {"lossless": True} if suffix == "webp" else {}
    first.save(tmp_path / f"a.{suffix}", save_all=True, append_images=[second], **options)
    with caplog.at_level(logging.WARNING, "mien"):
        photo = read_photo(tmp_path / f"a.{suffix}")
    assert np.abs(photo.rgb.astype(int) - (200, 40, 40)).max() <= 8 and photo.several
    assert f"a.{suffix}: holds several frames or pages; its first is taken" in caplog.text
    caplog.clear()
    first.save(tmp_path / f"b.{suffix}", **options)
    assert read_photo(tmp_path / f"b.{suffix}").rgb.shape == (16, 16, 3) and not caplog.text


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_dots_an_inch_are_kept(suffix, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turned: across becomes down
    options = {"exif": exif} if suffix == "png" else {}
    Image.new("RGB", (30, 20)).save(tmp_path / f"in.{suffix}", dpi=(300, 150), **options)
    photo = read_photo(tmp_path / f"in.{suffix}")
    asked = (150, 300) if suffix == "png" else (300, 150)
    for out in ("out.jpg", "out.png"):
        write_photo(photo, tmp_path / out, Stamp("mien 0", "m", "o"))
        with Image.open(tmp_path / out) as image:
            assert image.info["dpi"] == pytest.approx(asked, abs=0.02), out


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 1), (1e9, 1e9), "no"])
def test_dots_that_are_none_are_left_out(dpi, tmp_path, monkeypatch):
    Image.new("RGB", (8, 8)).save(tmp_path / "in.png")
    monkeypatch.setattr(picture, "is_deep", lambda image: image.info.update(dpi=dpi))  # as a damaged header would
    photo = read_photo(tmp_path / "in.png")
    assert photo.dpi is None
    write_photo(photo, tmp_path / "out.jpg", None)


# Packets


@pytest.mark.parametrize(
    "packet",
    [
        b"<b>" * 3000 + b"</b>" * 3000,
        b"<?xml version='1.0' encoding='klingon'?><a/>",
        b"<?xml version='1.0' encoding='euc-jp'?><a/>",
        b"<?xml version='1.0' encoding='hex'?><a/>",
        b"\xff\xfe<\0a\0>\0",
        b"<a" + b" b='c'" * 2 + b"/>",
    ],
)
def test_a_packet_that_cannot_be_read_is_as_good_as_none(packet, tmp_path):
    stamp = Stamp("mien 0", "m", "o", "a.jpg")
    assert stamp_in(packet) is None
    for content in (packet, packet.replace(b"<a/>", b"")):
        assert stamp_in(xmp_packet(stamp, content)) == stamp
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode("latin-1"))
    Image.new("L", (8, 8)).save(tmp_path / "in.png", pnginfo=info)
    assert read_stamp(tmp_path / "in.png") is None
    write_photo(read_photo(tmp_path / "in.png"), tmp_path / "out.png", stamp)
    assert read_stamp(tmp_path / "out.png") == stamp


def test_what_a_packet_calls_its_encoding_is_passed_over():
    stamp = Stamp("mien 0", "m", "o", "ä.jpg")
    text = xmp_packet(stamp).split(b"\n", 1)[1]
    assert stamp_in(b"<?xml version='1.0' encoding='klingon'?>" + text) == stamp
