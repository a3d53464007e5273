"""Weights that somebody changed: refused in a line, and no memory is taken that the file does not hold."""

import json
import struct

import numpy as np
import pytest
import torch

from mien.errors import InputError
from mien.models.build import outline
from mien.models.io import describe, load, save_model
from mien.models.registry import FAMILIES, create
from tests.helpers.tiny import TINY


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Weights of a tiny model."""
    path = tmp_path_factory.mktemp("weights") / "own.safetensors"
    save_model(create("rel_gan", **TINY["rel_gan"]), path)
    return path


def tamper(file, path, note=None, text=None, change=None):
    """Write the weights with another note, or with other values of one tensor."""
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    if note or text:
        header["__metadata__"]["mien"] = text or json.dumps(note(json.loads(header["__metadata__"]["mien"])))
    if change is not None:
        name = next(n for n, about in header.items() if about.get("dtype") == "F32" and n.endswith("weight"))
        begin, _ = header[name]["data_offsets"]
        body[begin : begin + 4] = np.float32(change).tobytes()
    line = json.dumps(header).encode()
    line += b" " * (-len(line) % 8)
    path.write_bytes(struct.pack("<Q", len(line)) + line + body)
    return path


def config(**changes):
    return lambda note: note | {"config": note["config"] | changes}


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (config(width=10**9), "width is 1000000000; expected"),
        (config(width=5), "its settings say"),
        (config(subjects=10**9), "subjects is"),
        (config(image_size=10**6), "image_size is 1000000; expected"),
        (config(width="4"), "width is '4'; expected a whole number"),
        (config(width=None), "width is 'None'; expected a whole number"),
        (config(width=True), "width is 'True'; expected a whole number"),
        (config(width=-3), "width is -3; expected"),
        (config(depth_of_field=3), "unexpected keyword"),
        (lambda note: {"family": "rel_gan"}, "config is missing"),
        (lambda note: note | {"family": ["rel_gan"]}, "family is .* no text"),
        (lambda note: {"family": "fields", "config": {}}, "reader is missing"),
        (lambda note: note | {"family": "x"}, "is a 'x'; this version knows"),
        (lambda note: [note], "the whole is no object"),
    ],
)
def test_a_changed_note_is_one_line(note, told, file, tmp_path):
    path = tamper(file, tmp_path / "w.safetensors", note)
    with pytest.raises(InputError, match=told) as caught:
        load(str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "null"])
def test_a_note_that_is_none_is_one_line(text, file, tmp_path):
    with pytest.raises(InputError, match=r"w\.safetensors: its note"):
        load(str(tamper(file, tmp_path / "w.safetensors", text=text)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(value, file, tmp_path):
    with pytest.raises(InputError, match=r"weight holds values that are no numbers"):
        load(str(tamper(file, tmp_path / "w.safetensors", change=value)))


def test_a_note_cannot_ask_for_blocks_without_end(tmp_path):
    """Every setting of every model as a milliard: an outline, or a line, at once."""
    for name in FAMILIES:
        header = describe(create(name, **TINY[name]))
        for field, value in header["config"].items():
            if type(value) is int:
                given = json.loads(json.dumps(header)) | {"config": header["config"] | {field: 10**9}}
                try:
                    outline(given, tmp_path)
                except InputError as error:
                    assert str(tmp_path) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("name", FAMILIES)
def test_an_outline_takes_no_memory_and_filled_is_the_model(name, file, tmp_path):
    model = create(name, **TINY[name])
    sketch = outline(describe(model), tmp_path)
    assert all(p.is_meta for p in sketch.parameters())
    assert {n: t.shape for n, t in sketch.state_dict().items()} == {n: t.shape for n, t in model.state_dict().items()}
    save_model(model, tmp_path / "m.safetensors")
    again = load(str(tmp_path / "m.safetensors"))
    assert not any(t.is_meta for t in [*again.parameters(), *again.buffers()])
    whole = model.state_dict()
    assert all(torch.equal(t, whole[n]) for n, t in again.state_dict().items())
