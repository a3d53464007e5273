"""The manifest against pandas, and every kind of bad input against the line it must give."""

import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mien.data.checks.leaks import leaks
from mien.data.images import read_image
from mien.data.manifest import check_manifest, read_manifest
from mien.data.relatives import relatives_of
from mien.errors import InputError
from mien.labels import AUS, EXPRESSIONS


def au(number):
    return AUS.index(number)


def test_reads_what_the_file_says(faces_folder):
    m = read_manifest(faces_folder)
    assert (len(m), m.subjects) == (25, ["ann", "bob", "cid", "dee", "mix"])
    assert m.files[7] == "images/bob_2.png" and m.path(7).is_file()
    assert [m.subjects[i] for i in m.subject[::5]] == m.subjects
    assert [EXPRESSIONS[i] for i in m.expression[:5]] == ["neutral", "happiness", "happiness", "anger", "other"]
    np.testing.assert_array_equal(m.intensity[:5], [0, 0.5, 1, 1, np.nan])
    assert m.aus[3, au(4)] == 4 and m.aus[4, au(4)] == 2  # the larger side
    assert m.aus[1, au(12)] == 1.5 and np.isnan(m.aus[4, au(12)]) and np.isnan(m.aus[:, au(1)]).all()
    assert m.parents[24] == "ann+bob" and (m.fold == -1).all() and np.isnan(m.gaze_x).all() and not m.test.any()


def test_agrees_with_pandas_on_the_photographs(photofaces):
    m, table = read_manifest(photofaces), pd.read_csv(photofaces / "metadata.csv", na_values=["NA"])
    assert (len(m), len(m.subjects)) == (9656, 262)
    assert m.files == list(table.file_name) and [m.subjects[i] for i in m.subject] == list(table.subject)
    for name in ("intensity", "yaw", "pitch", "gaze_x", "gaze_y", "age"):
        np.testing.assert_array_equal(getattr(m, name), table[name].to_numpy(np.float32))
    for name in ("expr_id", "parents", "source", "kind", "gender", "ethnicity"):
        assert list(getattr(m, name)) == list(table[name].fillna(""))
    np.testing.assert_array_equal(m.aus, table[[f"AU{n:02d}" for n in AUS]].to_numpy(np.float32))
    np.testing.assert_array_equal(m.fold, table.fold)
    np.testing.assert_array_equal(m.test, table.test == 1)
    assert [EXPRESSIONS[i] for i in m.expression] == list(table.expression)
    assert leaks(m) == []


def test_one_known_side_is_enough(edit_rows):
    def change(rows):
        rows[0] |= {"AU04_L": "", "AU04_R": "3"}
        rows[1] |= {"AU04_L": "", "AU04_R": ""}

    m = read_manifest(edit_rows(change))
    assert m.aus[0, au(4)] == 3 and np.isnan(m.aus[1, au(4)])


def test_unknown_subjects_are_nobody(edit_rows):
    m = read_manifest(edit_rows(lambda rows: [r.update(subject="", parents="") for r in rows[5:10]]))
    assert m.subjects == ["ann", "cid", "dee", "mix"]
    np.testing.assert_array_equal(m.subject[[0, 5, 9, 10, 24]], [0, -1, -1, 1, 3])


def test_select_numbers_subjects_anew(faces_folder):
    m = read_manifest(faces_folder)
    mask = np.isin(m.subject, [1, 3]) & (m.expression > 0)
    part = m.select(mask)
    assert part.subjects == ["bob", "dee"] and part.subject.tolist() == [0] * 4 + [1] * 4
    assert part.files == [f for f, kept in zip(m.files, mask, strict=True) if kept]
    np.testing.assert_array_equal(part.aus, m.aus[mask])
    assert m.select(np.array([24, 0])).files == ["images/mix_4.png", "images/ann_0.png"]
    assert len(m.select(np.zeros(25, bool)).subjects) == 0
    with pytest.raises(ValueError, match="expected \\(25,\\)"):
        m.select(np.ones(24, bool))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_reads_what_spreadsheets_write(faces_folder, encoding, end):
    path = faces_folder / "metadata.csv"
    path.write_bytes(f"file_name,subject,age{end}images/ann_0.png,Zoë,NA{end}{end}".encode(encoding))
    m = read_manifest(faces_folder)
    assert m.subjects == ["Zoë"] and np.isnan(m.age).all()


BAD_CELLS = {
    "intensity too high": ({"intensity": "1.2"}, ["intensity is '1.2'", "number from 0 to 1, or an empty cell"]),
    "intensity nan": ({"intensity": "nan"}, ["intensity is 'nan'", "from 0 to 1"]),
    "intensity no number": ({"intensity": "high"}, ["intensity is 'high'", "expected a number"]),
    "AU out of range": ({"AU12": "5.5"}, ["AU12 is '5.5'", "from 0 to 5"]),
    "AU of one side": ({"AU04_R": "-1"}, ["AU04_R is '-1'", "from 0 to 5"]),
    "yaw": ({"yaw": "inf"}, ["yaw is 'inf'", "from -180 to 180"]),
    "test no flag": ({"test": "yes"}, ["test is 'yes'", "whole number from 0 to 1"]),
    "expression in another word": ({"expression": "happy"}, ["expression is 'happy'", "(did you mean happiness?)"]),
    "expression in capitals": ({"expression": "Neutral"}, ["expression is 'Neutral'", "(did you mean neutral?)"]),
    "expression unknown": ({"expression": "zzz"}, ["expression is 'zzz'", "expected one of neutral, happiness"]),
    "no file name": ({"file_name": ""}, ["file_name is empty", "images/a.jpg"]),
    "file missing": ({"file_name": "images/eve.png"}, ["there is no file 'images/eve.png'", "remove the line"]),
    "a folder": ({"file_name": "images"}, ["there is no file 'images'"]),
    "path up": ({"file_name": "../faces/images/ann_0.png"}, ["leaves the folder", "expected a path inside it"]),
    "path from root": ({"file_name": "/etc/passwd"}, ["'/etc/passwd' leaves the folder"]),
    "Windows path": ({"file_name": "C:\\a.png"}, ["leaves the folder"]),
    "file twice": ({"file_name": "images/./ann_0.png"}, ["stands on line 2 too", "keep one"]),
    "other parents": ({"parents": "cid"}, ["subject ann has parents 'cid', but '' on line 2", "one parents"]),
    "other test": ({"test": "1"}, ["subject ann has test", "on line 2"]),
}


@pytest.mark.parametrize(("cells", "told"), BAD_CELLS.values(), ids=BAD_CELLS.keys())
def test_bad_cell_gives_one_line(edit_rows, cells, told):
    folder = edit_rows(lambda rows: rows[2].update(cells))
    with pytest.raises(InputError) as caught:
        read_manifest(folder)
    head, *lines = str(caught.value).splitlines()
    assert str(folder) in head and "one problem" in head
    assert len(lines) == 1 and lines[0].strip().startswith("metadata.csv line 4: ")
    assert all(part in lines[0] for part in told), lines[0]
    assert check_manifest(folder) == [lines[0].strip()]


def test_whole_columns_refuse_fractions(edit_rows):
    with pytest.raises(InputError, match=r"fold is '1\.5'; expected a whole number from 0"):
        read_manifest(edit_rows(lambda rows: rows[2].update(fold="1.5")))


BAD_FILES = {
    "unknown column": ("file_name,subject,intensty\nimages/ann_0.png,a,1\n", ["'intensty'", "did you mean intensity?"]),
    "AU not ours": ("file_name,subject,AU99\nimages/ann_0.png,a,1\n", ["unknown column 'AU99'", "remove it"]),
    "no subject": ("file_name,expression\nimages/ann_0.png,\n", ["column subject is missing"]),
    "column twice": ("file_name,subject,yaw,yaw\nimages/ann_0.png,a,1,1\n", ["column yaw is there twice"]),
    "short row": ("file_name,subject,yaw\nimages/ann_0.png,a\n", ["line 2: has 2 cells; expected 3"]),
    "tabs": ("file_name\tsubject\nimages/ann_0.png\ta\n", ["no comma-separated header", "file_name,subject"]),
    "empty": ("", ["no comma-separated header"]),
    "no rows": ("file_name,subject\n", ["has no rows"]),
    "open quote": ('file_name,subject\n"images/ann_0.png,a\n', ["cannot be read as UTF-8 comma-separated text"]),
    "not UTF-8": ("file_name,subject\nimages/ann_0.png,Zo\xeb\n".encode("latin-1"), ["UTF-8", "save it as such"]),
    "UTF-16": ("file_name,subject\n".encode("utf-16"), ["UTF-8", "save it as such"]),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", ["UTF-8"]),
}


@pytest.mark.parametrize(("content", "told"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_bad_file_is_told(faces_folder, content, told):
    data = content if isinstance(content, bytes) else content.encode()
    (faces_folder / "metadata.csv").write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_manifest(faces_folder)
    assert all(part in str(caught.value) for part in [*told, "metadata.csv"]), str(caught.value)


def test_a_table_of_a_european_spreadsheet_is_read(faces_folder):
    text = "file_name;subject;intensity;AU12\r\nimages\\ann_0.png;ann;0,5;2,5\r\nimages\\bob_0.png;bob;;\r\n"
    (faces_folder / "metadata.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    m = read_manifest(faces_folder)
    assert m.files == ["images/ann_0.png", "images/bob_0.png"]
    np.testing.assert_array_equal(m.intensity, [0.5, np.nan])
    assert m.aus[0, au(12)] == 2.5 and not check_manifest(faces_folder)


@pytest.mark.skipif(os.sep == "\\", reason="no name has a backslash there")
def test_a_backslash_that_is_in_a_name_is_told(edit_rows):
    folder = edit_rows(lambda rows: rows[2].update(file_name="a\\b.png"))
    with pytest.raises(InputError, match=r"there is no file 'a/b\.png'"):
        read_manifest(folder)
    (folder / "a\\b.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"line 4: file_name 'a\\b\.png' has a backslash.*rename the file"):
        read_manifest(folder)


def test_no_folder_no_manifest_a_file(faces_folder):
    (faces_folder / "metadata.csv").unlink()
    for folder, told in [
        (faces_folder, "metadata.csv: there is no such file"),
        (faces_folder / "none", "there is no such folder"),
        (faces_folder / "images" / "ann_0.png", "is a file; expected a folder"),
    ]:
        with pytest.raises(InputError, match=told):
            read_manifest(folder)
        assert len(check_manifest(folder)) == 1


def test_all_problems_in_one_error(edit_rows):
    def change(rows):
        for row in rows:
            row["intensity"], row["AU12"], row["colour"] = "7", "x", "red"
        rows[0]["file_name"] = "gone.png"

    folder = edit_rows(change)
    with pytest.raises(InputError) as caught:
        read_manifest(folder)
    head, *lines = str(caught.value).splitlines()
    assert "52 problems" in head and len(lines) == 51 and lines[-1].strip() == "… and 2 more"
    assert len(check_manifest(folder)) == 52


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels: only a reader of headers can judge it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def jpeg(size: tuple[int, int]) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", noise)[1].tobytes()


BAD_IMAGES = {
    "cut off JPEG": (jpeg((64, 64))[:-900], ["damaged or cut short"]),
    "cut off PNG": (cv2.imencode(".png", np.eye(64) * 255)[1].tobytes()[:-40], ["damaged or cut short"]),
    "text": (b"hello, I am text", ["not an image", "expected an image"]),
    "0 bytes": (b"", ["empty (0 bytes)", "replace it"]),
    "bomb": (png_header(20_000, 20_000), ["too large", "make it smaller"]),
    "less of a bomb": (png_header(9_000, 9_000), ["too large, 9000×9000", "more than 64 megapixels"]),
    "not square": (jpeg((48, 64)), ["is 64×48", "expected a square aligned face"]),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ["not an image", "expected an image"]),
}


@pytest.mark.parametrize(("content", "told"), BAD_IMAGES.values(), ids=BAD_IMAGES.keys())
def test_bad_image_is_found_by_check(faces_folder, content, told):
    path = faces_folder / "images" / "cid_3.png"
    path.write_bytes(content)
    assert len(read_manifest(faces_folder)) == 25  # reading leaves images to the cache
    (line,) = check_manifest(faces_folder)
    assert str(path) in line and all(part in line for part in told), line
    with pytest.raises(InputError, match="cid_3"):
        read_image(path, 16)


def test_sound_data_has_no_problems(faces_folder):
    assert check_manifest(faces_folder) == []


def test_odd_but_sound_images(tmp_path: Path):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    Image.fromarray(np.dstack([ramp, ramp, ramp, 255 - ramp])).save(tmp_path / "alpha.png")
    Image.fromarray(ramp).convert("P").save(tmp_path / "palette.gif")
    for name in ("deep.png", "alpha.png", "palette.gif"):
        np.testing.assert_array_equal(read_image(tmp_path / name), np.dstack([ramp] * 3))
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was turned: shown 90° clockwise
    Image.fromarray(ramp).save(tmp_path / "turned.png", exif=turned)
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png")[..., 0], np.rot90(ramp, -1))


def test_relatives(edit_rows):
    def change(rows):
        for row in rows:
            row["parents"] = {"mix": "ann+bob", "dee": "mix + ghost", "cid": "ghost"}.get(row["subject"], "")

    kin = relatives_of(read_manifest(edit_rows(change)))
    ann, bob, cid, dee, mix = range(5)
    pairs = {(a, b) for a in range(5) for b in range(5) if kin.related(np.array(a), np.array(b))}
    near = {(ann, mix), (bob, mix), (dee, mix), (ann, dee), (bob, dee), (cid, dee)}
    assert pairs == near | {(b, a) for a, b in near} | {(i, i) for i in range(5)}
    assert kin.related(np.array([-1, ann]), np.array([ann, -1])).all()
    assert all(kin.most()[a] >= sum(p[0] == a for p in pairs) for a in range(5))


def test_relatives_ends_in_a_circle(edit_rows):
    folder = edit_rows(
        lambda rows: [r.update(parents={"ann": "bob", "bob": "ann"}.get(r["subject"], "")) for r in rows]
    )
    assert relatives_of(read_manifest(folder)).related(np.array([0, 0]), np.array([1, 2])).tolist() == [True, False]


def test_leaks_are_named(edit_rows):
    def change(rows):
        for i, row in enumerate(rows):
            row["split"] = "train" if i < 8 else "val"
            row["test"] = "1" if row["subject"] == "ann" else "0"

    assert leaks(read_manifest(edit_rows(change))) == [
        "split=train and split=val share 1 people: bob",
        "split=train has 1 people related to some in split=val: ann",
        "test=0 has 1 people related to some in test=1: mix",
    ]


def test_long_cells_are_told_in_short_and_never_make_every_row_as_long(faces_folder):
    lines = (faces_folder / "metadata.csv").read_text().splitlines()
    for length, told in ((300_000, "a cell is longer than 4096 characters"), (3000, "there is no file 'xxx")):
        long = [lines[0], "x" * length + lines[1][lines[1].index(",") :], *lines[2:]]
        (faces_folder / "metadata.csv").write_text("\n".join(long) + "\n")
        (problem,) = check_manifest(faces_folder)
        assert told in problem and len(problem) < 600
