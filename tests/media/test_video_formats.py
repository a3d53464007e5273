"""Clips of every make: shown as their file says, kept where it can be, and what is not kept is said."""

import struct

import cv2
import numpy as np
import pytest

from mien.errors import InputError
from mien.media.video.ffmpeg import EXACT
from mien.media.video.pixel_format import samples
from mien.media.video.reader import ClipReader, is_moving
from mien.media.video.writer import clip_writer
from tests.helpers.clips import RATE, av, read_frames, texture, write_clip, write_tone

SIZE = (64, 48)


def write(path, codec, pix, sound=None, size=SIZE, count=5, rgb=None):
    """Write a clip of a picture that moves, with any codec; its sound is German."""
    with av.open(str(path), "w") as file:
        picture = file.add_stream(codec, rate=RATE)
        (picture.width, picture.height), picture.pix_fmt = size, pix
        picture.options = {"slices": "1"} if codec == "ffv1" else {}
        tone = file.add_stream(sound, rate=44_100, layout="mono") if sound else None
        if tone:
            tone.metadata["language"] = "deu"
        for k in range(count):
            image = np.roll(texture(size), 2 * k, 1) if rgb is None else rgb
            form = "rgba" if image.shape[2] == 4 else "rgb24"
            frame = av.VideoFrame.from_ndarray(image, form)
            file.mux(picture.encode(frame.reformat(format=pix, interpolation=EXACT) if pix == "gray" else frame))
        file.mux(picture.encode(None))
        if tone:
            write_tone(file, tone, count / RATE)
    return path


def copy(source, target, paint=None, **options):
    """Write a clip again; return what it does not keep, in words."""
    with ClipReader(source) as reader, clip_writer(target, reader, None, reader.metadata, **options) as writer:
        for frame in reader.frames(writer.sound):
            writer.write(frame, paint(frame.rgb.copy()) if paint else None)
        return "; ".join(writer.notes)


def picture_of(path):
    """Return codec, pixel format and size of a clip."""
    with av.open(str(path)) as file:
        codec = file.streams.video[0].codec_context
        return codec.name, codec.pix_fmt.replace("yuvj", "yuv"), (codec.width, codec.height)


def spotted(rgb):
    rgb[16:32, 16:32] = 255 - rgb[16:32, 16:32]
    return rgb


def nearness(before, after):
    """Return the mean difference of two clips' frames in grey levels, and by how much one is brighter."""
    error = np.array(read_frames(after), float) - np.array(read_frames(before), float)
    return np.abs(error).mean(), abs(error.mean())


MATRICES = {  # ISO 14496-12, 8.3.2: (1, 0) is shown at (a, b), (0, 1) at (c, d), y down
    "half a turn": ((-1, 0, 0, -1), lambda x: np.rot90(x, 2)),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "upside down": ((1, 0, 0, -1), np.flipud),
    "clockwise": ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
    "anticlockwise": ((0, -1, 1, 0), np.rot90),
    "transposed": ((0, 1, 1, 0), lambda x: np.swapaxes(x, 0, 1)),
    "transposed the other way": ((0, -1, -1, 0), lambda x: np.rot90(np.swapaxes(x, 0, 1), 2)),
}


@pytest.mark.parametrize("how", MATRICES)
def test_frames_are_shown_as_the_file_says(tmp_path, how):
    (a, b, c, d), shown = MATRICES[how]
    source = write_clip(tmp_path / "a.mp4", [texture(SIZE)], None)
    content = source.read_bytes()
    place = content.index(b"tkhd") + 4 + 40
    matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
    (tmp_path / "t.mp4").write_bytes(content[:place] + matrix + content[place + 36 :])
    with ClipReader(source) as plain, ClipReader(tmp_path / "t.mp4") as turned:
        before, after = next(plain.frames()).native, next(turned.frames()).native
    for x, y in zip(before.planes, after.planes, strict=True):
        np.testing.assert_array_equal(shown(samples(x)[:, : x.width]), samples(y)[:, : y.width])


@pytest.mark.parametrize("pix", ["gray", "gray10le"])
@pytest.mark.parametrize("keep", [False, True])
def test_grey_keeps_its_levels(tmp_path, pix, keep):
    source = write(tmp_path / "a.mkv", "ffv1", pix)
    copy(source, tmp_path / "b.mp4", keep=keep)
    error, brighter = nearness(source, tmp_path / "b.mp4")
    assert error < 2 and brighter < 0.5


@pytest.mark.parametrize(("name", "codec", "pix"), [("a.mkv", "ffv1", "bgr0"), ("a.mov", "qtrle", "rgb24")])
def test_rgb_becomes_yuv_that_says_which(tmp_path, name, codec, pix):
    source = write(tmp_path / name, codec, pix)
    assert "yuv420p instead of" in copy(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as file:
        codec = file.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_range, codec.pix_fmt) == (1, 1, "yuv420p")  # BT.709, 16 to 235
    assert nearness(source, tmp_path / "b.mp4")[1] < 0.5
    assert copy(source, tmp_path / "c.mkv", keep=True) == ""
    assert picture_of(tmp_path / "c.mkv")[1] == "gbrp" and nearness(source, tmp_path / "c.mkv")[0] < 3


def test_yuv_that_calls_itself_rgb_is_read_as_yuv(tmp_path):
    with av.open(str(tmp_path / "a.mkv"), "w") as file:
        picture = file.add_stream("ffv1", rate=RATE)
        (picture.width, picture.height), picture.pix_fmt = SIZE, "yuv420p"
        picture.codec_context.colorspace = 0
        file.mux(picture.encode(av.VideoFrame.from_ndarray(texture(SIZE), "rgb24")))
        file.mux(picture.encode(None))
    copy(tmp_path / "a.mkv", tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert file.streams.video[0].codec_context.colorspace != 0


def test_depth_is_kept_where_it_is_asked_for_and_ten_bits_are_everybodys(tmp_path):
    source = write(tmp_path / "a.mkv", "ffv1", "yuv444p12le")
    told = copy(source, tmp_path / "b.mp4", spotted)
    assert "H.265 as yuv420p10le instead of yuv444p12le; --keep-format" in told
    assert picture_of(tmp_path / "b.mp4")[:2] == ("hevc", "yuv420p10le")
    assert copy(source, tmp_path / "c.mp4", spotted, keep=True) == ""
    assert picture_of(tmp_path / "c.mp4")[:2] == ("hevc", "yuv444p12le")


@pytest.mark.parametrize(("name", "codec", "pix"), [("a.mov", "prores_ks", "yuva444p10le"), ("a.mov", "qtrle", "argb")])
def test_transparency_is_kept_in_matroska_and_else_is_said(tmp_path, name, codec, pix):
    veil = np.dstack([texture(SIZE), np.tile(np.arange(0, 256, 4, dtype=np.uint8), (48, 1))])
    source = write(tmp_path / name, codec, pix, rgb=veil)
    assert "transparency is lost" in copy(source, tmp_path / "b.mp4", spotted)
    assert "transparency" not in copy(source, tmp_path / "b.mkv", spotted, keep=True)
    with ClipReader(source) as one, ClipReader(tmp_path / "b.mkv") as other:
        before, after = next(one.frames()), next(other.frames())
    seen = [frame.native.reformat(format="rgba").to_ndarray()[..., 3] for frame in (before, after)]
    np.testing.assert_array_equal(*seen)
    assert seen[0].min() < 20 < 235 < seen[0].max()
    assert np.abs(after.rgb.astype(int) - spotted(before.rgb.copy())).max() <= 4
    opaque = write(tmp_path / "o.mov", codec, pix, rgb=np.dstack([texture(SIZE), np.full(SIZE[::-1], 255, np.uint8)]))
    assert "transparency" not in copy(opaque, tmp_path / "b.mp4")


@pytest.mark.parametrize("name", ["b.mp4", "b.mkv"])
def test_the_sounds_language_stays(tmp_path, name):
    source = write(tmp_path / "a.mkv", "libx264", "yuv420p", "aac")
    copy(source, tmp_path / name)
    with av.open(str(tmp_path / name)) as file:
        assert file.streams.audio[0].language == "deu"


def test_sound_that_players_do_not_expect_becomes_aac(tmp_path):
    source = write(tmp_path / "a.avi", "mpeg4", "yuv420p", "pcm_s16le", count=25)
    assert copy(source, tmp_path / "b.mp4") == "sound is AAC instead of pcm_s16le"
    with av.open(str(tmp_path / "b.mp4")) as file:
        sound = file.streams.audio[0]
        heard = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(sound)])
        assert sound.codec_context.name == "aac"
        assert float(sound.duration * sound.time_base) == pytest.approx(1, abs=0.05)
    assert heard.std() == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.1)  # of a sine
    assert copy(source, tmp_path / "c.mp4", keep=True) == ""
    with av.open(str(tmp_path / "c.mp4")) as file:
        assert file.streams.audio[0].codec_context.name == "pcm_s16le"


def test_what_players_do_not_play_is_written_as_what_they_do(tmp_path):
    source = write(tmp_path / "a.avi", "mjpeg", "yuvj422p", "pcm_s16le")
    copy(source, tmp_path / "b.mp4")
    assert picture_of(tmp_path / "b.mp4") == ("h264", "yuv420p", SIZE)
    error, brighter = nearness(source, tmp_path / "b.mp4")
    assert error < 6 and brighter < 0.5
    content = (tmp_path / "b.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # may be shown before it is loaded
    copy(source, tmp_path / "c.mp4", keep=True)
    assert picture_of(tmp_path / "c.mp4") == ("h264", "yuv422p", SIZE)


def test_odd_sides_lose_a_line_and_are_kept_where_that_is_asked_for(tmp_path):
    source = write(tmp_path / "a.mkv", "ffv1", "yuv420p", size=(63, 47))
    assert "62×46 instead of 63×47; --keep-format" in copy(source, tmp_path / "b.mp4", spotted)
    assert picture_of(tmp_path / "b.mp4") == ("h264", "yuv420p", (62, 46))
    for before, after in zip(read_frames(source), read_frames(tmp_path / "b.mp4"), strict=True):
        assert np.abs(spotted(before)[:46, :62].astype(int) - after).mean() < 5
    assert copy(source, tmp_path / "c.mp4", spotted, keep=True) == ""
    assert picture_of(tmp_path / "c.mp4")[2] == (63, 47)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (8, 8), (16, 15), (64, 2)])
@pytest.mark.parametrize("pix", ["bgr0", "yuv420p", "yuv420p10le", "yuva420p"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_tiny_pictures_are_written_by_an_encoder_that_takes_them(tmp_path, size, pix, suffix):
    source = write(tmp_path / "a.mkv", "ffv1", pix, size=size, count=2, rgb=np.full((*size[::-1], 3), 90, np.uint8))
    copy(source, tmp_path / f"b{suffix}")
    assert picture_of(tmp_path / f"b{suffix}")[:2] == ("h264", "yuv420p")
    copy(source, tmp_path / f"c{suffix}", keep=True)
    assert picture_of(tmp_path / f"c{suffix}")[2] == size


def test_frames_that_change_their_size_are_brought_to_the_firsts(tmp_path):
    """Two transport streams one after another, as broadcasts are put together; one frame gets lost in the seam."""
    parts = []
    for k, size in enumerate((SIZE, (96, 72))):
        with av.open(str(tmp_path / "a.ts"), "w") as file:
            picture = file.add_stream("mpeg2video", rate=RATE)
            (picture.width, picture.height), picture.pix_fmt = size, "yuv420p"
            for j in range(5):
                frame = av.VideoFrame.from_ndarray(cv2.resize(texture(SIZE), size), "rgb24")
                frame.pts = 5 * k + j
                file.mux(picture.encode(frame))
            file.mux(picture.encode(None))
        parts.append((tmp_path / "a.ts").read_bytes())
    (tmp_path / "a.ts").write_bytes(b"".join(parts))
    assert "5 frames of another size were brought to that of the first" in copy(tmp_path / "a.ts", tmp_path / "b.mp4")
    frames = read_frames(tmp_path / "b.mp4")
    assert {frame.shape for frame in frames} == {(48, 64, 3)}
    assert len(frames) >= 9 and np.abs(frames[0].astype(int) - frames[-1]).mean() < 12


FORMATS = [
    *[("a.ts", "mpeg2video", "mp2"), ("a.mts", "libx264", "ac3"), ("a.mpg", "mpeg2video", "mp2")],
    *[("a.flv", "flv", "mp3"), ("a.3gp", "mpeg4", "aac"), ("a.wmv", "wmv2", None), ("a.mov", "libx264", "aac")],
    *[("a.m4v", "mpeg4", None), ("a.webm", "libvpx-vp9", None), ("a.gif", "gif", None), ("a.apng", "apng", None)],
]


@pytest.mark.parametrize(("name", "codec", "sound"), FORMATS, ids=[name for name, _, _ in FORMATS])
def test_clips_of_every_format_are_read(tmp_path, name, codec, sound):
    pix = {"gif": "rgb8", "apng": "rgb24"}.get(codec, "yuv420p")
    source = write(tmp_path / name, codec, pix, sound)
    with ClipReader(source) as reader:
        frames = list(reader.frames())
        assert reader.count == len(frames) == 5 and is_moving(source)
        assert np.diff([frame.time for frame in frames]) == pytest.approx(1 / RATE, abs=0.002)
    copy(source, tmp_path / "b.mp4")
    assert picture_of(tmp_path / "b.mp4") == ("h264", "yuv420p", SIZE)
    with av.open(str(tmp_path / "b.mp4")) as file:
        assert len(file.streams.audio) == bool(sound)


def test_pictures_that_move_are_told_from_those_that_do_not(tmp_path):
    from PIL import Image

    pictures = [Image.fromarray(np.roll(texture(SIZE), k, 1)) for k in range(3)]
    for name in ("a.gif", "a.png", "a.webp"):
        pictures[0].save(tmp_path / name.replace("a", "still"))
        pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=[40, 80, 40])
        assert not is_moving(tmp_path / name.replace("a", "still"))
    with pytest.raises(InputError, match="moving pictures in WebP"):
        is_moving(tmp_path / "a.webp")
    for name in ("a.gif", "a.png"):
        with ClipReader(tmp_path / name) as reader:
            assert is_moving(tmp_path / name)
            assert [round(frame.time, 3) for frame in reader.frames()] == pytest.approx([0, 0.04, 0.12], abs=0.002)


def test_an_unknown_codec_is_one_line(tmp_path):
    source = write(tmp_path / "a.avi", "mjpeg", "yuvj420p")
    source.write_bytes(source.read_bytes().replace(b"MJPG", b"QQQQ"))
    with pytest.raises(InputError, match=r"a\.avi: its pictures are in a codec that is not known"):
        ClipReader(source)


def test_sound_in_an_unknown_codec_is_left_out(tmp_path):
    source = write(tmp_path / "a.avi", "mpeg4", "yuv420p", "pcm_s16le")
    content = source.read_bytes()
    place = content.index(b"strf", content.index(b"auds")) + 8
    source.write_bytes(content[:place] + b"\xee\xee" + content[place + 2 :])  # WAVEFORMATEX's tag
    assert "1 streams of sound in unknown codecs are left out" in copy(source, tmp_path / "b.mp4")
