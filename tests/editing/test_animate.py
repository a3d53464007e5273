"""A photograph whose face moves: its timeline, its frames beside single edits, its files."""

import json
import weakref
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.animate import Animation, animate, animate_photo, even, resized
from mien.editing.editor import Editor
from mien.editing.keys import parse_gaze, parse_key, read_keys
from mien.editing.timeline import BLINK, CLOSING, OPENING, Key, Timeline, blink_times, eased, lids
from mien.errors import InputError
from mien.media.animation import Palette, write_animation
from mien.media.photo import Photo, write_photo
from mien.media.provenance import read_stamp, stamp_in
from mien.media.video.writer import Still, clip_writer
from mien.media.video.xmp_box import read_packet
from mien.models.io import save_model
from mien.models.registry import create
from tests.cli.test_cli import run
from tests.helpers.tiny import TINY

HAPPY, NEUTRAL = Controls("happiness", 0.8), Controls("neutral")


def spread(name, **changes):
    """Return an untrained model whose changes are seen."""
    torch.manual_seed(0)
    model = create(name, **(changes or TINY[name]))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 0, 0.2 if name == "fields" else 0.6)
    if name != "fields":
        model.class_codes.total.normal_()
        model.class_codes.count.fill_(1)
    return model


@pytest.fixture(scope="module")
def editor():
    return Editor(spread("fields"))


@pytest.fixture(scope="module")
def cut(editor):
    return editor.crop(astronaut())


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "fields.safetensors"
    save_model(spread("fields"), path)
    return path


def times(*keys, fps=10, **more):
    return Timeline(tuple(Key(time, asked) for time, asked in keys), Fraction(fps), **more)


# The timeline


def test_ways_begin_and_end_at_rest_and_never_go_beyond():
    share = np.array([eased(x) for x in np.linspace(-0.2, 1.2, 1401)])
    assert share.min() == 0 and share.max() == 1 and (np.diff(share) >= 0).all()
    speed, push = np.gradient(share, 0.001), np.gradient(np.gradient(share, 0.001), 0.001)
    assert speed.max() == pytest.approx(1.875, abs=1e-3)  # of least jerk: 15/8 of the mean speed
    assert np.abs(push).max() == pytest.approx(10 / np.sqrt(3), abs=0.02)  # and 10/√3 of it, squared


def test_a_loop_goes_back_to_where_it_began():
    forth = times((0, NEUTRAL), (2, HAPPY))
    assert (forth.count, forth.end, list(forth.times)[-1]) == (21, 2.0, 2.0)
    loop = times((0, NEUTRAL), (2, HAPPY), loop=True)
    assert (loop.count, loop.end) == (40, 4.0) and loop.path[-1].asked is NEUTRAL
    closed = times((0, NEUTRAL), (1, HAPPY), (2, NEUTRAL), loop=True)
    assert (closed.count, closed.end) == (20, 2.0)
    resting = times((0, NEUTRAL), (1, HAPPY), loop=True, seconds=3.0)
    assert resting.end == 4.0 and [key.time for key in resting.path] == [0, 1, 3, 4]


def test_eyes_go_their_own_way():
    line = Timeline((Key(0),), Fraction(10), gaze=(parse_gaze("0:0,0"), parse_gaze("1:10,-5")))
    assert line.gaze_at(0) == (0, 0) and line.gaze_at(0.5) == (5, -2.5) and line.gaze_at(1) == (10, -5)
    assert times((0, None), (1, HAPPY)).gaze_at(0.5) is None


def test_blinks_come_as_people_blink():
    found = np.array(blink_times(6000.0, Fraction(100), seed=1))
    between = np.diff(found)
    assert 15 < 60 * len(found) / 6000 < 20 and between.min() >= CLOSING + OPENING - 0.01
    assert np.median(between) < between.mean()  # most are short, some long
    assert blink_times(9.0, Fraction(25), 3) == blink_times(9.0, Fraction(25), 3) != blink_times(9.0, Fraction(25), 4)
    for seed in range(50):  # whole, on frames, one at least
        for blink in (short := blink_times(1.0, Fraction(25), seed)):
            assert CLOSING - 0.021 <= blink <= 1 - OPENING + 0.021 and blink * 25 == pytest.approx(round(blink * 25))
        assert short
    assert blink_times(0.2, Fraction(25)) == ()
    assert lids(0) == 1 and lids(-CLOSING) == lids(OPENING) == 0 and lids(0.05) > lids(-0.05) > 0


@pytest.mark.parametrize(
    ("keys", "more", "says"),
    [
        ((), {}, "give one at least"),
        (((1, None), (1, HAPPY)), {}, "times that grow"),
        (((-1, None), (1, HAPPY)), {}, "from 0 on"),
        (((float("nan"), None),), {}, "from 0 on"),
        (((0, None),), {}, "longer than a frame"),
    ],
)
def test_what_is_no_timeline_is_told(keys, more, says):
    with pytest.raises(InputError, match=says):
        times(*keys, **more)


# Key frames in words and files


def test_key_frames_in_words():
    assert parse_key("1.2:happiness@0.8") == Key(1.2, HAPPY)
    assert parse_key("0:photo") == Key(0.0)
    assert parse_key("2:12L=3,25=2@0.5") == Key(2.0, Controls(intensity=0.5, aus={"12L": 3.0, "25": 2.0}))
    assert parse_gaze("1:10,-5") == Key(1.0, Controls(gaze=(10.0, -5.0)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("happiness", "expected seconds:expression"),
        ("x:happiness", "'x' is no number"),
        ("1:glee", "'glee' is not known"),
        ("1:", "expected an expression"),
        ("1:happiness@2", "out of range"),
        ("1:12=x", "'x' is no number"),
        ("1:99=1", "AU 99"),
    ],
)
def test_odd_key_frames_are_told(text, says):
    with pytest.raises(InputError, match=f"--key {text}: .*{says}"):
        parse_key(text)


def test_key_frames_in_files(tmp_path):
    rows = [
        {"time": 0},
        {"time": 1.2, "expression": "happiness", "intensity": 0.8},
        {"time": 2, "aus": {"12L": 3, "25": 2}, "gaze": [10, 0]},
    ]
    (tmp_path / "keys.json").write_text(json.dumps(rows))
    (tmp_path / "keys.csv").write_text(
        "time,expression,intensity,AU12_L,AU25,gaze_right\n0,photo,,,,\n1.2,happiness,0.8,,,\n2,,,3,2,10\n"
    )
    found = read_keys(tmp_path / "keys.json")
    assert found == [Key(0), Key(1.2, HAPPY), Key(2, Controls(aus={"12L": 3, "25": 2}, gaze=(10, 0)))]
    assert read_keys(tmp_path / "keys.csv") == found


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.json", '[{"time": 0, "smile": 1}]', "key frame 1: 'smile' is not known"),
        ("a.json", '[{"expression": "fear"}]', "time is missing"),
        ("a.json", '[{"time": 0, "gaze": [1]}]', "expected two"),
        ("a.json", '[{"time": null}]', "null where a number should be"),
        ("a.json", '[{"time": 0, "aus": {"12": null}}]', "null where a number should be"),
        ("a.json", '[{"time": 0, "aus": {"12": "x"}}]', "is 'x'"),
        ("a.json", "{", "cannot be read as JSON"),
        ("a.csv", "time,smile\n0,1\n", "row 1: 'smile' is not known"),
        ("a.csv", "time,AU12\nx,1\n", "'x' is no number"),
        ("a.csv", "time,AU12\n0,9\n", "from 0 to 5"),
        ("a.txt", "", "expected key frames as .csv or .json"),
    ],
)
def test_odd_files_of_key_frames_are_told(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=f"{name}: .*{says}"):
        read_keys(tmp_path / name)


# Frames


def test_a_frame_on_a_key_is_what_an_edit_makes(editor, cut):
    odd = Controls(aus={"12L": 3.0, "25": 2.0}, gaze=(5.0, 0.0))
    frames = list(animate(editor, cut, times((0, NEUTRAL), (0.5, HAPPY), (1.0, odd))))
    assert np.array_equal(frames[0], editor.edit(cut, "neutral").rgb)
    assert np.array_equal(frames[5], editor.edit(cut, "happiness", 0.8).rgb)
    assert np.array_equal(frames[10], editor.edit(cut, aus=odd.aus, gaze=odd.gaze).rgb)
    assert len(frames) == 11 and not np.array_equal(frames[0], frames[5])


def test_a_photograph_begins_as_it_is(editor, cut):
    first, *_, last = animate(editor, cut, times((0, None), (0.5, HAPPY)))
    assert np.array_equal(first, astronaut()) and not np.array_equal(last, astronaut())


def test_a_blink_comes_on_top(editor, cut):
    line = times((0, HAPPY), (0.3, HAPPY), (0.5, NEUTRAL), blinks=(0.3,))
    shut = editor.edit(cut, aus={au: 5 * v for au, _, v in HAPPY.units()} | BLINK.aus).rgb
    assert np.abs(Animation(editor, cut, line).at(0.3).astype(int) - shut).max() <= 1


def test_around_the_face_nothing_moves(editor, cut):
    frames = np.stack(list(animate(editor, cut, times((0, NEUTRAL), (0.5, HAPPY), blinks=(0.2,), fps=25))))
    changed = np.argwhere((frames != frames[0]).any((0, 3)))
    top, left = changed.min(0)
    bottom, right = changed.max(0)
    assert 20 < top < bottom < 230 and 150 < left < right < 310
    moved = (frames != astronaut()).any((0, 3))
    assert not moved[:, 320:].any() and not moved[240:].any()


def test_a_face_is_read_once(editor, cut, monkeypatch):
    seen = []
    see = editor.model.see
    monkeypatch.setattr(editor.model, "see", lambda face: seen.append(1) or see(face))
    list(animate(editor, cut, times((0, NEUTRAL), (0.5, HAPPY))))
    assert len(seen) == 1


def test_a_model_that_edits_by_class_goes_from_change_to_change(tmp_path):
    editor = Editor(spread("ter_gan", image_size=32, width=2, subjects=2))
    cut = editor.crop(astronaut())
    fear = Controls("fear")
    frames = list(animate(editor, cut, times((0, None), (0.4, HAPPY), (0.8, fear))))
    assert np.array_equal(frames[0], astronaut())
    assert np.array_equal(frames[4], editor.edit(cut, "happiness", 0.8).rgb)
    assert np.array_equal(frames[8], editor.edit(cut, "fear").rgb)
    one, half, other = (frames[k].astype(float) for k in (4, 6, 8))
    assert np.abs(half - (one + other) / 2).mean() < 0.1 * np.abs(one - other).mean()  # but where it would ring
    for line in (times((0, None), (1, HAPPY), blinks=(0.5,)), times((0, None), (1, Controls(aus={12: 3})))):
        with pytest.raises(InputError, match="ter_gan cannot edit by action unit"):
            animate(editor, cut, line)


def test_smaller_pictures_show_the_same(editor, cut):
    small = resized(cut, 256)
    assert small.photo.rgb.shape == (256, 256, 3) and resized(cut, 512) is cut
    large, made = editor.edit(cut, "happiness").rgb, editor.edit(small, "happiness").rgb
    expected = large.reshape(256, 2, 256, 2, 3).mean((1, 3))
    change = np.abs(expected - small.photo.rgb).mean()
    assert np.abs(made - expected).mean() < 0.25 * change
    wide = Editor(editor.engine, aligned=True).crop(np.zeros((33, 65, 3), np.uint8))
    assert even(wide).photo.rgb.shape == (32, 64, 3)


# Files


def moving(path):
    """Return a picture's frames by their times, in hundredths of a second, as Pillow reads them."""
    found, frames = 0, {}
    with Image.open(path) as image:
        for k in range(image.n_frames):
            image.seek(k)
            frames[round(found / 10)] = np.asarray(image.convert("RGB")).astype(int)
            found += image.info["duration"]
        return frames, round(found / 10), image.info.get("loop")


@pytest.mark.parametrize("end", ["gif", "webp", "png", "apng"])
def test_pictures_that_move(editor, cut, tmp_path, end):
    path, line = tmp_path / f"me.{end}", times((0, NEUTRAL), (0.4, HAPPY), loop=True, fps=30)
    told = []
    report = animate_photo(
        editor, resized(cut, 192), path, line, "me.jpg", tell=lambda done, total: told.append((done, total))
    )
    assert told == [(k, 24) for k in range(1, 25)] and str(report) == "24 frames, 0.80 s, 192×192"
    expected = list(animate(editor, resized(cut, 192), line))
    frames, hundredths, loop = moving(path)
    assert hundredths == 80 and loop == 0
    for at, frame in frames.items():
        error = np.abs(frame - expected[round(at * 30 / 100)])
        assert error.mean() < (0.01 if "png" in end else 4)
    stamp = read_stamp(path)
    assert (stamp.operation, stamp.source) == ("animate: neutral → happiness 0.80", "me.jpg")
    still = (np.stack(expected) == expected[0]).all((0, 3))
    if end != "webp":  # whose codec has blocks
        assert all((frame == frames[0])[still].all() for frame in frames.values())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_moving_png_is_exact_and_held_a_frame_at_a_time(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 256, (40, 50, 3), np.uint8)] * 2 + [rng.integers(0, 256, (40, 50, 3), np.uint8)] * 18
    frames[1] = np.pad(frames[0][2:-9, 3:-1], ((2, 9), (3, 1), (0, 0)))  # then equal ones
    alpha = rng.integers(0, 256, (40, 50), np.uint8)
    drawn, most = [], 0

    def one_by_one():
        nonlocal most
        for frame in frames:
            given = frame.copy()
            drawn.append(weakref.ref(given))
            most = max(most, sum(old() is not None for old in drawn))
            yield given

    write_animation(
        Photo(frames[0], alpha, False, None, None), tmp_path / "me.png", one_by_one(), 20, Fraction(30), None
    )
    with Image.open(tmp_path / "me.png") as image:  # as Pillow reads it
        assert image.n_frames == 20 and image.info["loop"] == 0
        for k, frame in enumerate(frames):
            image.seek(k)
            assert np.array_equal(np.asarray(image), np.dstack([frame, alpha]))
            assert image.info["duration"] == (34 if k % 3 == 1 else 33)
    assert most <= 3
    av = pytest.importorskip("av", reason="av is not installed: pip install 'mien[video]'")
    with av.open(tmp_path / "me.png") as film:  # and FFmpeg
        read = [frame.to_ndarray(format="rgba") for frame in film.decode(video=0)]
    assert np.array_equal(read, [np.dstack([frame, alpha]) for frame in frames])


def test_equal_pixels_stay_equal_in_few_colours():
    noise = np.random.default_rng(0).integers(0, 256, (2, 40, 56, 3), np.uint8)
    noise[1, :, :28] = noise[0, :, :28]
    palette = Palette(noise)
    one, other = (np.asarray(palette.picture(frame)) for frame in noise)
    assert np.array_equal(one[:, :28], other[:, :28]) and (one[:, 28:] != other[:, 28:]).mean() > 0.9
    flat = np.full((32, 32, 3), 100, np.uint8)  # between two colours a pattern has the mean of both
    two = Palette([np.concatenate([flat - 30, flat + 30])])
    assert np.asarray(two.picture(flat).convert("RGB")).mean() == pytest.approx(100, abs=3)


def test_a_gif_is_brought_to_a_size_that_is_said(editor, cut, tmp_path):
    line = times((0, None), (0.2, HAPPY))
    report = animate_photo(editor, cut, tmp_path / "me.gif", line, "me.jpg")
    assert report.size == (480, 480) and "--size N" in str(report)
    assert animate_photo(editor, cut, tmp_path / "me.gif", line, "me.jpg", size=100).notes == ()
    with Image.open(tmp_path / "me.gif") as image:
        assert image.size == (100, 100) and b"Photograph me.jpg, changed by mien" in image.info["comment"]


def test_clips(editor, tmp_path):
    clips = pytest.importorskip("tests.helpers.clips")
    photo = astronaut()[:401, 100:401]
    cut, line = editor.crop(photo), times((0, NEUTRAL), (0.4, HAPPY), fps=25)
    animate_photo(editor, cut, tmp_path / "me.mp4", line, "me.jpg")
    frames, expected = clips.read_frames(tmp_path / "me.mp4"), list(animate(editor, even(cut), line))
    assert len(frames) == 11 and frames[0].shape == (400, 300, 3)
    for frame, wanted in zip(frames, expected, strict=True):
        assert np.abs(frame.astype(int) - wanted).mean() < 3
    stamp = stamp_in(read_packet(tmp_path / "me.mp4"))
    assert stamp.operation == "animate: neutral → happiness 0.80" and stamp.medium == "Photograph"


def test_what_a_photograph_has_is_kept(editor, tmp_path):
    alpha = np.tile(np.arange(512) // 2, (512, 1)).astype(np.uint8)
    write_photo(Photo(astronaut(), alpha, False, None, None), tmp_path / "a.png", None)
    line = times((0, NEUTRAL), (0.1, HAPPY))
    cut = editor.crop(tmp_path / "a.png")
    animate_photo(editor, cut, tmp_path / "a.webp", line, "a.png")
    with Image.open(tmp_path / "a.webp") as image:
        assert np.abs(np.asarray(image)[..., 3].astype(int) - alpha).max() <= 2
    assert "white" in str(animate_photo(editor, cut, tmp_path / "a.gif", line, "a.png"))
    Image.fromarray(astronaut()).convert("L").save(tmp_path / "grey.jpg")
    for frame in animate(editor, tmp_path / "grey.jpg", line):
        assert (frame == frame[..., :1]).all()


@pytest.mark.parametrize("end", ["gif", "webp", "png", "mp4"])
def test_a_stopped_run_leaves_nothing(editor, cut, tmp_path, end):
    if end == "mp4":
        pytest.importorskip("av")
    (tmp_path / f"me.{end}").write_text("before")

    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate_photo(editor, cut, tmp_path / f"me.{end}", times((0, None), (1, HAPPY)), "me.jpg", tell=stop)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [(f"me.{end}", "before")]


def test_what_a_format_cannot_hold_is_told(tmp_path):
    wide = Photo.of(np.zeros((1, 17_000, 3), np.uint8))
    with pytest.raises(InputError, match="17000×1 is more than WEBP can hold"):
        write_animation(wide, tmp_path / "a.webp", [], 0, Fraction(25), None)
    with pytest.raises(InputError, match="60 frames a second; GIF shows at most 50"):
        write_animation(wide, tmp_path / "a.gif", [], 0, Fraction(60), None)


def test_what_a_codec_does_not_take_is_told(editor, cut, tmp_path):
    pytest.importorskip("av", reason="clips need PyAV")
    wide = np.zeros((64, 17_000, 3), np.uint8)
    with pytest.raises(InputError, match=r"a\.mp4: 17000×64 is more than H\.264 takes, 16,384 .* as --size 4096"):
        animate_photo(
            editor,
            replace(cut, photo=Photo.of(wide)),
            tmp_path / "a.mp4",
            Timeline((Key(0, HAPPY), Key(1, NEUTRAL))),
            "me.jpg",
        )
    still = Still(wide, Fraction(25))
    with (
        pytest.raises(InputError, match=r"more than H\.264 takes.*--keep-format"),
        clip_writer(tmp_path / "b.mp4", still, None) as writer,
    ):
        writer.write(still.frame(0), wide)
    with clip_writer(tmp_path / "c.mkv", still, None, keep=True) as writer:
        writer.write(still.frame(0), wide)
    assert [path.name for path in tmp_path.iterdir()] == ["c.mkv"]


# The verb


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "me.jpg"
    Image.fromarray(astronaut()[:256, 96:352]).save(path)
    return path


def test_the_verb(weights, photo, tmp_path, capsys):
    (tmp_path / "keys.json").write_text('[{"time": 0}, {"time": 0.2, "expression": "fear"}]')
    for words in (
        ("--from", "neutral", "--to", "happiness@0.5", "--seconds", "0.2", "--loop"),
        ("--to", "12=3,25=2", "--seconds", "0.4", "--blinks", "--seed", "3"),
        ("--key", "0.2:fear", "--key", "0:photo", "--gaze", "0.1:10,0"),
        ("--keys", tmp_path / "keys.json", "--fps", "29.97"),
    ):
        options = "--size", "64", "--model", weights, "-o", tmp_path / "me.gif"
        code, out, err = run(capsys, "animate", photo, *words, *options)
        assert code == 0 and "frames" in out, err
    code, out, _ = run(capsys, "info", tmp_path / "me.gif")
    assert code == 0 and "animate: as it is → fear 1.00" in out and "me.jpg" in out


def test_bad_requests_are_one_line(weights, photo, tmp_path, capsys):
    (tmp_path / "clip.mp4").write_text("not looked at")
    Image.fromarray(astronaut()).save(tmp_path / "m.gif", save_all=True, append_images=[Image.new("RGB", (512, 512))])
    made, to = tmp_path / "made.gif", ("--to", "fear")
    for told, words in {
        "moves already": (tmp_path / "clip.mp4", *to, "-o", made),
        "m.gif: moves already": (tmp_path / "m.gif", *to, "-o", made),
        "no -o": (photo, *to),
        "a clip is written as .mp4": (photo, *to, "-o", tmp_path / "made.jpg"),
        "a clip is asked for by": (photo, "-o", made),
        "--from and --key: choose one": (photo, "--from", "fear", "--key", "0:fear", "-o", made),
        "--to: expression 'glee' is not known": (photo, "--to", "glee", "-o", made),
        "is FACE": (photo, *to, "-o", photo),
        "is --keys": (photo, "--keys", tmp_path / "k.json", "-o", tmp_path / "k.json"),
        "no such file": (tmp_path / "no.jpg", *to, "-o", made),
        "at most 50": (photo, *to, "--fps", "60", "-o", made),
        "at most 3600": (photo, "--key", "0:fear", "--key", "9999:neutral", "-o", made),
        "longer than a frame": (photo, "--key", "0:fear", "-o", made),
    }.items():
        code, _, err = run(capsys, "animate", *words, "--model", weights)
        assert code == 2 and told in " ".join(err.split()), (told, err)
        assert err.count("mien:") == 1 and "Traceback" not in err
    assert not made.exists()
