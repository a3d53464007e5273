"""Small files, tables and arrays from elsewhere: sound ones as they are, all others as one line."""

import io
import json
import os
import zipfile

import numpy as np
import pytest

from mien.arrays import Wanted, read_npy, read_npz
from mien.data.importers.support.corpus_folder import inside
from mien.errors import InputError
from mien.reading import csv_records, csv_rows, misfit, parse_json, read_bytes, read_json, read_text, sha256_of

EXPECTED = "expected what was asked for"


def line_of(read, *args):
    """Return the one line by which a reader refuses."""
    with pytest.raises(InputError) as caught:
        read(*args)
    text = str(caught.value)
    assert "\n" not in text and EXPECTED in text
    return text


@pytest.mark.parametrize("read", [read_bytes, read_text, read_json, sha256_of])
def test_what_is_no_regular_file_is_never_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for name in ("pipe", "circle", "endless", "missing", ".", "a\0b"):
        assert repr(name)[1:-1] in line_of(read, tmp_path / name, EXPECTED) or name == "."


def test_a_bound_is_looked_at_before_reading(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)  # a hole, of which nothing is on the disk
    assert "1,048,576 MiB, more than 64" in line_of(read_text, tmp_path / "large", EXPECTED)


def test_text_is_strict_where_it_is_asked_to_be(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfa\xff")
    assert read_text(tmp_path / "a", EXPECTED, strict=False) == "a\ufffd"
    assert "not UTF-8" in line_of(read_text, tmp_path / "a", EXPECTED)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("{", "cannot be read as JSON"),
        ("9" * 5000, "the whole is no object"),
        ('{"a": {"b": []}, "c": {"x": ' + "9" * 400 + "}}", "c.x is 'inf', no whole number"),
        ("[1]", "the whole is no object"),
        ('{"a": {}, "c": {}}', "a.b is missing"),
        ('{"a": {"b": ["x", 2]}, "c": {}}', r"a.b[1] is '2', no text"),
        ('{"a": {"b": []}, "c": {"x": true}}', "c.x is 'True', no whole number"),
    ],
)
def test_json_has_the_shape_that_is_expected(text, told):
    form = {"a": {"b": [str]}, "c": {"*": int}}
    assert told in line_of(lambda: parse_json(text, "a.json", EXPECTED, form))
    good = {"a": {"b": ["x"], "more": 1}, "c": {"x": 1}}
    assert parse_json(json.dumps(good), "a.json", EXPECTED, form) == good
    assert misfit(float("inf"), float, "") and not misfit(None, float, "")


def test_tables_are_read_as_python_reads_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b'\xef\xbb\xbfa, b\n1, "x, y"\n\n2\n' + "é,ü\n".encode())
    assert list(csv_rows(path, EXPECTED)) == [(1, ["a", "b"]), (2, ["1", "x, y"]), (3, []), (4, ["2"]), (5, ["é", "ü"])]
    assert list(csv_records(path, EXPECTED)) == [{"a": "1", "b": "x, y"}, {"a": "2", "b": ""}, {"a": "é", "b": "ü"}]
    assert next(iter(csv_records(path, EXPECTED, ("k",)))) == {"k": "a"}


def test_tables_without_bounds_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a\n" + "x" * 200_000 + "\n")
    assert len(list(csv_rows(path, EXPECTED))[1][1][0]) == 200_000  # more than Python's own bound
    path.write_text("a\n" + "x" * (1 << 21) + "\n")
    assert "field larger" in line_of(list, csv_rows(path, EXPECTED))
    path.write_bytes(b"x" * ((16 << 20) + 2))
    assert "line of more than 16 MiB" in line_of(list, csv_rows(path, EXPECTED))
    path.write_bytes(b"a\n\xff\n")
    assert "UTF-8" in line_of(list, csv_rows(path, EXPECTED, True))


# Arrays

FORM = {
    "name": Wanted("U", ("n",)), "flow": Wanted("i", ("n", 4), -3, 3), "point": Wanted("f", ("n", 2), 0, 9),
    "size": Wanted("iu", (), 1, 99, optional=True),
}  # fmt: skip
SOUND = {
    "name": np.array(["a", "bc", "d"]), "flow": np.arange(-3, 9).reshape(3, 4).clip(-3, 3).astype(np.int8),
    "point": np.asfortranarray(np.ones((3, 2), np.float16)), "size": np.array(5),
}  # fmt: skip


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_sound_arrays_are_what_numpy_reads(save, order, tmp_path):
    sound = {name: value.astype(value.dtype.newbyteorder(order)) for name, value in SOUND.items()}
    save(tmp_path / "a.npz", more=np.zeros(3), **sound)
    found = read_npz(tmp_path / "a.npz", FORM, EXPECTED)
    assert found.keys() == FORM.keys()
    with np.load(tmp_path / "a.npz") as file:
        for name, value in found.items():
            np.testing.assert_array_equal(value, file[name])
            assert value.dtype == file[name].dtype and value.flags.writeable
    np.save(tmp_path / "a.npy", SOUND["flow"])
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy", FORM["flow"], EXPECTED), SOUND["flow"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"flow": None}, "no array 'flow'"),
        ({"flow": SOUND["flow"][:2]}, "'flow' has the shape (2, 4), expected (3, 4)"),
        ({"flow": SOUND["flow"].astype(np.float32)}, "'flow' holds float32, not whole numbers"),
        ({"flow": SOUND["flow"] * 2}, "'flow' has values from -6 to 6, expected -3 to 3"),
        ({"point": np.full((3, 2), np.nan, np.float16)}, "'point' has values from nan"),
        ({"point": np.array([["a"] * 2] * 3, object)}, "'point' holds object"),
        ({"size": np.zeros(3, int)}, "'size' has the shape (3,)"),
        ({"name": np.frombuffer(b"\xff" * 12, "U1")}, "'name' holds what is no text"),
    ],
)
def test_other_arrays_are_named(change, told, tmp_path):
    arrays = {name: value for name, value in (SOUND | change).items() if value is not None}
    np.savez(tmp_path / "a.npz", **arrays)
    assert told in line_of(read_npz, tmp_path / "a.npz", FORM, EXPECTED)


def test_damage_is_one_line_and_never_ctrl_c(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **SOUND)
    whole = (tmp_path / "a.npz").read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"PK" + bytes(90), b"\x93NUMPY\x01\0", whole.replace(b"PK", b"KP")):
        (tmp_path / "a.npz").write_bytes(content)
        assert "damaged or cut short" in line_of(read_npz, tmp_path / "a.npz", FORM, EXPECTED)
        assert "damaged or cut short" in line_of(read_npy, tmp_path / "a.npz", FORM["flow"], EXPECTED)


@pytest.mark.parametrize("there", [0, 300 << 20], ids=["a promise", "zeros, packed"])
def test_no_more_is_unpacked_than_a_file_may_promise(there, tmp_path):
    head, shape = io.BytesIO(), (300 << 20, 4)
    np.lib.format.write_array_header_1_0(head, {"descr": "|i1", "fortran_order": False, "shape": shape})
    packed = zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with packed as file, file.open("flow.npy", "w", force_zip64=True) as part:
        part.write(head.getvalue())
        for _ in range(0, there, 1 << 24):
            part.write(bytes(1 << 24))
    assert "promises 1,200 MiB" in line_of(read_npz, tmp_path / "a.npz", {"flow": FORM["flow"]}, EXPECTED)


# The way from a table's words to a file


def test_a_table_names_nothing_outside_its_corpus(tmp_path, monkeypatch):
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for path in (root / "a.jpg", root / "sub" / "b.jpg", tmp_path / "secret.jpg"):
        path.touch()
    (root / "elsewhere").symlink_to(tmp_path)  # the user's own doing
    good = {"a.jpg": "a.jpg", "sub/../a.jpg": "a.jpg", "sub\\b.jpg": "sub/b.jpg", str(root / "a.jpg"): "a.jpg"}
    for words, name in {**good, "elsewhere/secret.jpg": "elsewhere/secret.jpg"}.items():
        assert inside(root, words) == root / name
    assert inside(root, "../a.jpg", root / "sub") == root / "a.jpg"
    for words in ("../secret.jpg", str(tmp_path / "secret.jpg"), "sub/../../secret.jpg", "", ".", "x" * 9000, "a\0b"):
        assert inside(root, words) is None, words
    monkeypatch.chdir(root)
    assert str(inside(root.relative_to(root), "sub/b.jpg")) == "sub/b.jpg"
