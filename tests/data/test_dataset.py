"""The image cache: right pixels, made once, made anew when it must be, never half there."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from mien.data import dataset as cache_file
from mien.data.dataset import concat, open_data
from mien.data.images import read_image
from mien.data.manifest import read_manifest
from mien.data.sampling.collate import faces
from mien.errors import InputError
from mien.nn.images import to_tensor

ROOT = Path(__file__).parents[2]


def pixels(folder: Path, name: str) -> np.ndarray:
    return cv2.imread(str(folder / name))[..., ::-1]


def caches(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


@pytest.fixture
def no_decoding(monkeypatch):
    def refuse(path, size=None):
        raise AssertionError(f"{path} was decoded")

    return lambda: monkeypatch.setattr(cache_file, "read_image", refuse)


def test_holds_every_image_in_order(faces_folder):
    data = open_data(faces_folder, 32)
    assert data.images.shape == (25, 32, 32, 3) and data.images.dtype == np.uint8 and (len(data), data.size) == (25, 32)
    assert isinstance(data.images.blocks[0], np.memmap) and not data.images[0].flags.writeable
    for i, name in enumerate(data.manifest.files):
        np.testing.assert_array_equal(data.images[i], pixels(faces_folder, name))


def test_scales_by_area(faces_folder):
    data = open_data(faces_folder, 8)
    for i, name in enumerate(data.manifest.files):
        mean = pixels(faces_folder, name).reshape(8, 4, 8, 4, 3).mean((1, 3))
        assert np.abs(data.images[i] - mean).max() <= 0.51


def test_scaled_jpeg_is_near_a_full_decode(tmp_path):
    noise = np.random.default_rng(0).normal(0, 1, (32, 32, 3))
    smooth = cv2.resize(noise, (256, 256), interpolation=cv2.INTER_CUBIC) * 40 + 128
    Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).save(tmp_path / "a.jpg", quality=95)
    full = Image.open(tmp_path / "a.jpg").convert("RGB")
    for size in (64, 75, 96, 128):
        want = np.asarray(full.resize((size, size), Image.Resampling.BOX), float)
        assert np.abs(read_image(tmp_path / "a.jpg", size) - want).mean() < 2


def test_enlarges_smoothly(faces_folder):
    name = "images/ann_1.png"
    want = Image.open(faces_folder / name).resize((64, 64), Image.Resampling.BILINEAR)
    assert np.abs(read_image(faces_folder / name, 64).astype(int) - np.asarray(want)).max() <= 1


def test_opens_again_without_decoding(faces_folder, no_decoding):
    first = open_data(faces_folder, 16).images[:]
    no_decoding()
    np.testing.assert_array_equal(open_data(faces_folder, 16).images[:], first)
    with pytest.raises(AssertionError, match="was decoded"):
        open_data(faces_folder, 8)


def test_changed_labels_cost_no_decoding(edit_rows, no_decoding):
    folder = edit_rows(lambda rows: None)
    open_data(folder, 16)
    no_decoding()
    edit_rows(lambda rows: rows[0].update(intensity="0.25"))
    assert open_data(folder, 16).manifest.intensity[0] == 0.25


def test_changed_image_is_decoded_anew_and_the_old_cache_goes(faces_folder):
    open_data(faces_folder, 16)
    open_data(faces_folder, 8)
    before = caches(faces_folder / ".mien_cache")
    grey = np.full((32, 32, 3), 77, np.uint8)
    cv2.imwrite(str(faces_folder / "images" / "ann_0.png"), grey)
    assert (open_data(faces_folder, 16).images[0] == 77).all()
    after = caches(faces_folder / ".mien_cache")
    assert len(before) == len(after) == 2 and len(set(before) & set(after)) == 1  # 8 px is not asked for yet


def test_changed_image_of_the_same_length_is_noticed(tmp_path):
    (tmp_path / "metadata.csv").write_text("file_name,subject\na.bmp,ann\n")
    for grey in (10, 200):
        cv2.imwrite(str(tmp_path / "a.bmp"), np.full((8, 8, 3), grey, np.uint8))
        os.utime(tmp_path / "a.bmp", (1e9 + grey,) * 2)
        assert (open_data(tmp_path, 8).images[0] == grey).all()


def test_changed_order_of_lines_is_noticed(edit_rows):
    first = open_data(edit_rows(lambda rows: None), 8)
    second = open_data(edit_rows(lambda rows: rows.reverse()), 8)
    np.testing.assert_array_equal(second.images[:], first.images[::-1])


@pytest.mark.parametrize("keep", [0, 40, 1000])
def test_cut_off_cache_is_made_anew(faces_folder, keep):
    first = open_data(faces_folder, 16).images[:]
    (path,) = (faces_folder / ".mien_cache").iterdir()
    path.write_bytes(path.read_bytes()[:keep])
    np.testing.assert_array_equal(open_data(faces_folder, 16).images[:], first)


def test_named_folder_and_progress(faces_folder, tmp_path):
    seen = []
    open_data(faces_folder, 8, tmp_path / "else" / "where", tell=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (25, 25)
    assert not (faces_folder / ".mien_cache").exists() and len(caches(tmp_path / "else" / "where")) == 1


def test_read_only_folder_keeps_clean(faces_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    faces_folder.chmod(0o555)
    try:
        assert len(open_data(faces_folder, 8)) == 25
        assert not (faces_folder / ".mien_cache").exists()
    finally:
        faces_folder.chmod(0o755)
    (path,) = (tmp_path / "xdg" / "mien").iterdir()
    assert path.name.startswith("faces-") and len(caches(path)) == 1


def test_bad_images_are_all_told_and_nothing_is_left(faces_folder):
    for name in ("ann_1.png", "dee_4.png"):
        (faces_folder / "images" / name).write_bytes(b"no image")
    with pytest.raises(InputError) as caught:
        open_data(faces_folder, 8)
    text = str(caught.value)
    assert "2 problems" in text and "ann_1.png: not an image" in text and "dee_4.png: not an image" in text
    assert caches(faces_folder / ".mien_cache") == []


def test_killed_half_way_leaves_nothing_finished(faces_folder, tmp_path):
    code = """
        import sys, time
        from mien.data import dataset as cache, images
        cache.map_images = lambda work, paths: images.map_images(work, paths, chunk=2)
        def wait(done, total):
            if done > 6:
                print("half", flush=True)
                time.sleep(60)
        cache.open_data(sys.argv[1], 32, sys.argv[2], wait)
    """
    place = tmp_path / "cache"
    command = [sys.executable, "-c", textwrap.dedent(code), str(faces_folder), str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None and child.stdout.readline() == "half\n"
        child.send_signal(signal.SIGKILL)
    (left,) = caches(place)
    assert left.endswith(".part")
    data = open_data(faces_folder, 32, place)
    np.testing.assert_array_equal(data.images[24], pixels(faces_folder, "images/mix_4.png"))
    assert len(caches(place)) == 2  # a young part may be somebody's who is still at it
    part = next(place.rglob("*.part"))
    os.utime(part, (time.time() - 7200,) * 2)
    open_data(faces_folder, 16, place)
    assert not part.exists()


def test_no_room_is_told_before_decoding(faces_folder, monkeypatch, no_decoding):
    monkeypatch.setattr(cache_file.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    no_decoding()
    with pytest.raises(InputError, match=r"\(needs 1 MB, 0 MB are free\); make room or name another"):
        open_data(faces_folder, 112)
    assert caches(faces_folder / ".mien_cache") == []


def test_disk_filling_up_leaves_nothing(faces_folder, tmp_path):
    """A real refusal by the system: a limit on the size of files stands in for the full disk."""
    code = """
        import resource, sys
        from mien.data.dataset import open_data
        from mien.errors import InputError
        resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
        try:
            open_data(sys.argv[1], 32, sys.argv[2])
        except InputError as error:
            print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(faces_folder), str(tmp_path / "cache")]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert out.count("\n") == 1 and "cannot write the image cache" in out and os.strerror(errno.EFBIG) in out
    assert caches(tmp_path / "cache") == []


def test_cache_folder_that_is_a_file(faces_folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write the image cache"):
        open_data(faces_folder, 8, tmp_path / "file")


@pytest.mark.parametrize("size", [0, -4])
def test_size_must_be_positive(faces_folder, size):
    with pytest.raises(InputError, match="expected at least 1 pixel"):
        open_data(faces_folder, size)


def test_select_keeps_pixels_with_labels(faces_folder):
    data = open_data(faces_folder, 8)
    part = data.select(data.manifest.subject == 2).select(np.array([4, 0]))
    assert part.manifest.files == ["images/cid_4.png", "images/cid_0.png"] and part.manifest.subjects == ["cid"]
    np.testing.assert_array_equal(part.images[:], data.images[[14, 10]])
    np.testing.assert_array_equal(np.asarray(part.images), data.images[[14, 10]])
    np.testing.assert_array_equal(np.stack(list(part.images)), data.images[[14, 10]])
    assert part.images.blocks[0] is data.images.blocks[0]


def test_faces_are_tensors_of_pixels_and_labels(faces_folder):
    data = open_data(faces_folder, 16)
    got = faces(data, [3, 20])
    assert got.image.shape == (2, 3, 16, 16) and got.image.is_contiguous(memory_format=torch.channels_last)
    want = data.images[[3, 20]].transpose(0, 3, 1, 2) / 127.5 - 1
    np.testing.assert_allclose(got.image.numpy(), want, atol=1e-6)
    assert got.subject.tolist() == [0, 4] and got.expression.tolist() == [5, 0] and got.intensity.tolist() == [1, 0]
    np.testing.assert_array_equal(got.aus.numpy(), data.manifest.aus[[3, 20]])
    assert got.image.dtype == got.aus.dtype == got.intensity.dtype == torch.float32
    assert to_tensor(np.array([[[[0, 255, 51]]]], np.uint8)).flatten().tolist() == pytest.approx([-1, 1, -0.6])


def test_concat_of_strangers_keeps_them_apart(tmp_path, faces_folder):
    other = tmp_path / "others"
    other.mkdir()
    (other / "x.png").write_bytes((faces_folder / "images" / "dee_2.png").read_bytes())
    (other / "y.png").write_bytes((faces_folder / "images" / "ann_2.png").read_bytes())
    (other / "metadata.csv").write_text("file_name,subject,parents\nx.png,eve,ann+bob\ny.png,ann,\n")
    a, b = open_data(faces_folder, 8), open_data(other, 8)
    both = concat([a, b])
    m = both.manifest
    assert m.subjects == ["1:ann", "2:ann", "bob", "cid", "dee", "eve", "mix"]
    assert [m.subjects[i] for i in m.subject[[0, 24, 25, 26]]] == ["1:ann", "mix", "eve", "2:ann"]
    assert m.parents[24] == "1:ann+bob" and m.parents[25] == "2:ann+bob"
    assert all(m.path(i).is_file() for i in range(27))
    np.testing.assert_array_equal(both.images[[25, 0, 26, 14]], [b.images[0], a.images[0], b.images[1], a.images[14]])
    np.testing.assert_array_equal(both.images[25], b.images[0])
    part = both.select(np.arange(27) >= 24)
    np.testing.assert_array_equal(part.images[:], np.concatenate([a.images[24:], b.images[:]]))


def test_concat_of_one_folder_knows_its_people(faces_folder):
    data = open_data(faces_folder, 8)
    halves = [data.select(np.arange(25) % 2 == 0), data.select(np.arange(25) % 2 == 1)]
    both = concat(halves)
    assert both.manifest.subjects == read_manifest(faces_folder).subjects and len(both.images.blocks) == 1
    order = np.r_[0:25:2, 1:25:2]
    np.testing.assert_array_equal(both.images[:], data.images[order])
    np.testing.assert_array_equal(both.manifest.subject, data.manifest.subject[order])


def test_concat_refuses_what_does_not_fit(faces_folder):
    with pytest.raises(InputError, match=r"of \[8, 16\] pixels cannot be joined"):
        concat([open_data(faces_folder, 8), open_data(faces_folder, 16)])
    with pytest.raises(InputError, match="expected at least one"):
        concat([])


def test_photographs_are_where_the_manifest_says(photofaces, tmp_path):
    manifest = read_manifest(photofaces)
    some = manifest.select(np.arange(0, 9656, 1200))
    lines = ["file_name,subject"] + [f"{f},{some.subjects[s]}" for f, s in zip(some.files, some.subject, strict=True)]
    (tmp_path / "images").symlink_to(photofaces / "images")
    (tmp_path / "real").symlink_to(photofaces / "real")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    data = open_data(tmp_path, 64)
    for i, name in enumerate(some.files):
        want = np.asarray(Image.open(photofaces / name).resize((64, 64), Image.Resampling.BOX), float)
        assert np.abs(data.images[i] - want).mean() < 1.5
