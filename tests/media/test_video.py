"""Clips from and to their files: nothing lost on the way, and one line for what is no clip."""

import struct

import numpy as np
import pytest

from mien.errors import InputError
from mien.media.provenance import EDITED, Stamp, stamp_in
from mien.media.video.ffmpeg import EXACT
from mien.media.video.pixel_format import box_of, change_frame, frame_of_picture, samples
from mien.media.video.reader import ClipReader, VideoFrame
from mien.media.video.target import target_of
from mien.media.video.writer import clip_writer
from mien.media.video.xmp_box import append_packet, read_packet
from tests.helpers.clips import RATE, av, read_frames, sound_of, texture, write_clip

STAMP = Stamp("mien 0.1", "eet", "edit: fear 1.00", "me.mp4", medium="Clip")
SPOT = (slice(20, 30), slice(24, 40))


def rolled(count, size=(64, 48)):
    return [np.roll(texture(size), 2 * k, 1) for k in range(count)]


def copy(source, target, paint=None, **options):
    """Write a clip again; `paint` changes the pixels of every frame."""
    with ClipReader(source) as reader, clip_writer(target, reader, STAMP, reader.metadata, **options) as writer:
        for frame in reader.frames(writer.sound):
            writer.write(frame, paint(frame.rgb.copy()) if paint else None)
        copy.notes = writer.notes
    return target


def spotted(rgb):
    rgb[SPOT] = 255 - rgb[SPOT]
    return rgb


def planes(path):
    with ClipReader(path) as reader:
        for frame in reader.frames():
            form = frame.native.format.name.replace("nv12", "yuv420p")  # the same samples
            yield [samples(plane)[:, : plane.width] for plane in frame.native.reformat(format=form).planes]


def test_frames_times_size_sound_and_words_survive(tmp_path):
    source = write_clip(tmp_path / "a.mp4", rolled(12), metadata={"title": "Holiday", "comment": "at the sea"})
    made = copy(source, tmp_path / "b.mp4")
    with av.open(str(source)) as a, av.open(str(made)) as b:
        before, after = ([(f.time, f.width, f.height) for f in x.decode(video=0)] for x in (a, b))
        assert len(after) == 12 and after == before
        assert a.streams.video[0].average_rate == b.streams.video[0].average_rate == RATE
        assert b.metadata["title"] == "Holiday"
        assert b.metadata["comment"] == f"at the sea\n{STAMP.description}"
    assert sound_of(made) == sound_of(source)
    assert len(sound_of(made)) > 15
    worst = [np.abs(x.astype(int) - y).mean() for x, y in zip(read_frames(source), read_frames(made), strict=True)]
    assert max(worst) < 3  # grey levels, of a codec that does its best


@pytest.mark.parametrize(
    ("name", "codec", "pix"),
    [
        *[("a.mp4", "libx264", "yuv420p"), ("a.mp4", "libx264", "yuv444p"), ("a.mkv", "ffv1", "yuv422p")],
        *[("a.mkv", "rawvideo", "nv12"), ("a.avi", "mpeg4", "yuv420p"), ("a.mov", "libx264", "yuv420p")],
    ],
)
def test_outside_the_box_of_changes_samples_stay_bit_for_bit(tmp_path, name, codec, pix):
    source = write_clip(tmp_path / name, rolled(4), codec=codec, pix=pix)
    made = copy(source, tmp_path / "b.mkv", spotted, lossless=True)
    for before, after in zip(planes(source), planes(made), strict=True):
        for k, (x, y) in enumerate(zip(before, after, strict=True)):
            down, across = round(48 / x.shape[0]), 64 / x.shape[1]
            inside = (slice(16 // down, 32 // down), slice(int(24 / across), int(40 / across)))
            changed = x != y
            assert changed[inside].mean() > 0.3
            changed[inside] = False
            assert not changed.any(), k


def test_what_was_painted_is_shown(tmp_path):
    source = write_clip(tmp_path / "a.mp4", rolled(3), pix="yuv444p")
    made = copy(source, tmp_path / "b.mp4", spotted, lossless=True)
    for before, after in zip(read_frames(source), read_frames(made), strict=True):
        assert np.abs(after.astype(int) - spotted(before)).max() <= 3  # the way to YUV and back


@pytest.mark.parametrize("space", [1, 5, 6])  # BT.709, BT.601 twice, by ITU-T H.273
def test_colours_keep_their_space(tmp_path, space):
    picture = texture((64, 48))
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=RATE, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.codec_context.colorspace, stream.codec_context.color_range = space, 1
        frame = av.VideoFrame.from_ndarray(picture, "rgb24")
        frame = frame.reformat(format="yuv444p", dst_colorspace={1: 1, 5: 5, 6: 5}[space], dst_color_range=1)
        file.mux([*stream.encode(frame), *stream.encode(None)])
    made = copy(tmp_path / "a.mp4", tmp_path / "b.mp4", spotted, lossless=True)
    with av.open(str(made)) as file:
        assert file.streams.video[0].codec_context.colorspace == space
    assert np.abs(read_frames(made)[0].astype(int) - spotted(picture)).max() <= 3


def test_ten_bits_stay_ten(tmp_path):
    source = write_clip(tmp_path / "a.mkv", rolled(3), codec="ffv1", pix="yuv420p10le")
    made = copy(source, tmp_path / "b.mp4", spotted)
    with av.open(str(made)) as file:
        assert file.streams.video[0].codec_context.pix_fmt == "yuv420p10le"
    assert np.abs(read_frames(made)[1].astype(int) - spotted(read_frames(source)[1])).mean() < 8


def test_frames_are_turned_as_the_file_says(tmp_path):
    """The track header's matrix, ISO 14496-12, 8.3.2: a point (1, 0) goes to (a, b), (0, 1) to (c, d)."""
    source = write_clip(tmp_path / "a.mp4", rolled(3))
    content = source.read_bytes()
    place = content.index(b"tkhd") + 4 + 40
    for (a, b, c, d), turns in (((0, 1, -1, 0), -1), ((0, -1, 1, 0), 1), ((-1, 0, 0, -1), 2)):
        matrix = struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        turned = tmp_path / "turned.mp4"
        turned.write_bytes(content[:place] + matrix + content[place + 36 :])
        made = copy(turned, tmp_path / "b.mp4", lossless=True)
        for before, after in zip(planes(source), planes(made), strict=True):
            for x, y in zip(before, after, strict=True):
                np.testing.assert_array_equal(np.rot90(x, turns), y)
        with av.open(str(made)) as file:
            assert next(file.decode(video=0)).rotation == 0


def test_uneven_times_and_odd_sizes_stay(tmp_path):
    times = [0, 40, 47, 130, 400]
    source = write_clip(tmp_path / "a.mkv", rolled(5, (63, 47)), None, "ffv1", "yuv444p", times)
    made = copy(source, tmp_path / "b.mp4", keep=True)
    with av.open(str(made)) as file:
        frames = list(file.decode(video=0))
        assert [round(1000 * f.time) for f in frames] == times
        assert {(f.width, f.height) for f in frames} == {(63, 47)}


def test_the_stamp_is_xmp_that_ffmpeg_finds_and_what_was_there_stays(tmp_path):
    source = write_clip(tmp_path / "a.mp4", rolled(3))
    first = copy(source, tmp_path / "b.mp4")
    assert stamp_in(read_packet(first)) == STAMP
    with av.open(str(first), options={"export_xmp": "1"}) as file:
        assert EDITED in file.metadata["xmp"] and STAMP.description in file.metadata["xmp"]
    own = tmp_path / "own.mp4"
    own.write_bytes(source.read_bytes())
    rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' "
    append_packet(own, f"{rdf}xmlns:x='u:v' x:mine='kept'/></rdf:RDF>".encode())
    with ClipReader(own) as reader, clip_writer(tmp_path / "c.mp4", reader, STAMP, packet=read_packet(own)) as writer:
        for frame in reader.frames():
            writer.write(frame)
    packet = read_packet(tmp_path / "c.mp4")
    assert b'mine="kept"' in packet and stamp_in(packet)
    assert read_packet(source) is None and read_packet(write_clip(tmp_path / "a.mkv", rolled(2))) is None


def test_to_rgb_and_back_is_nearly_exact_and_luma_is_the_standards():
    """Luma by ITU-R BT.709, 3.2, 3.4: 16 + 219 times the weighted sum."""
    picture = texture((64, 48)) // 2 + 64
    frame = frame_of_picture(picture)
    luma = samples(frame.planes[0])[:, :64]
    assert np.abs(luma - (16 + 219 / 255 * (picture @ np.array([0.2126, 0.7152, 0.0722])))).max() < 0.6
    rgb = frame.to_ndarray(format="rgb24", interpolation=EXACT)
    frame_of_it = VideoFrame(picture, 0.0, 0, frame)
    target = target_of(frame, "mp4", keep=False)
    back = change_frame(frame_of_it, rgb, target)  # no pixel is the picture's, so all is converted
    for x, y in zip(frame.planes, back.planes, strict=True):
        assert np.abs(samples(x)[:, : x.width].astype(int) - samples(y)[:, : y.width]).max() <= 1


def test_box_lies_on_the_grid():
    before = np.zeros((40, 40, 3), np.uint8)
    after = before.copy()
    after[9, 17, 1] = after[23, 24, 2] = 1
    assert box_of(after, before).tolist() == [[8, 16], [24, 32]]
    assert box_of(before, before).tolist() == [[0, 0], [0, 0]]


def test_a_stopped_run_leaves_what_was_there(tmp_path):
    source = write_clip(tmp_path / "a.mp4", rolled(6))
    target = tmp_path / "b.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(KeyboardInterrupt), ClipReader(source) as reader, clip_writer(target, reader, STAMP) as writer:
        for k, frame in enumerate(reader.frames(writer.sound)):
            writer.write(frame)
            if k == 3:
                raise KeyboardInterrupt
    assert target.read_bytes() == b"precious" and {p.name for p in tmp_path.iterdir()} == {"a.mp4", "b.mp4"}


def write_sound(path):
    with av.open(str(path), "w", format="mp4") as file:
        from tests.helpers.clips import write_tone

        write_tone(file, file.add_stream("aac", rate=44_100, layout="mono"), 0.5)


def cut(path, share, **options):
    whole = write_clip(path, [texture((160, 120), k) for k in range(12)], **options).read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])


BAD = {
    "sound alone": write_sound,
    "not a clip": lambda path: path.write_text("hello " * 1000),
    "not a clip ": lambda path: cut(path, 0.7),  # its table of contents stood at the end
    "cut short": lambda path: cut(path, 0.7, options={"movflags": "faststart"}),
    "not a clip  ": lambda path: path.write_text("#EXTM3U\n#EXTINF:1,\n/etc/hostname\n#EXT-X-ENDLIST\n"),
    "empty": lambda path: path.write_bytes(b""),
    "not a regular file": lambda path: path.mkdir(),
    "no such file": lambda path: None,
}


@pytest.mark.parametrize("told", BAD)
def test_what_is_no_clip_is_one_line(tmp_path, told):
    path = tmp_path / "bad.mp4"
    BAD[told](path)
    with pytest.raises(InputError, match=told.strip()) as error:
        ClipReader(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["file:a.mp4", "a:b.mp4", "http:a.mp4", "pipe:0.mp4", "concat:a|b.mp4", "50%d.mp4"])
def test_a_name_is_no_address(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", rolled(9))
    write_clip(tmp_path / "b.mp4", rolled(3)).rename(name)
    with ClipReader(name) as reader:
        assert reader.count == len(list(reader.frames())) == 3  # not those of a.mp4
    assert len(read_frames(f"file:{copy(name, f'to {name}')}")) == 3


def test_a_cut_matroska_is_told(tmp_path):
    cut(tmp_path / "a.mkv", 0.5)
    with pytest.raises(InputError, match="cut short"):
        ClipReader(tmp_path / "a.mkv")


@pytest.mark.parametrize("name", ["b.png", "b.avi", "no/b.mp4", "folder.mp4"])
def test_targets_that_cannot_be_written(tmp_path, name):
    (tmp_path / "folder.mp4").mkdir()
    source = write_clip(tmp_path / "a.mp4", rolled(2))
    with pytest.raises(InputError, match=r"b\.|folder"), ClipReader(source) as reader:
        clip_writer(tmp_path / name, reader, STAMP).__enter__()


def test_sound_that_mp4_cannot_hold_says_where_it_can(tmp_path):
    source = write_clip(tmp_path / "a.mkv", rolled(3), sound="tta")
    with pytest.raises(InputError, match=r"tta.*\.mkv"):
        copy(source, tmp_path / "b.mp4", keep=True)
    assert sound_of(copy(source, tmp_path / "b.mkv")) == sound_of(source)
