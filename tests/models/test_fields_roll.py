"""A head tilted in the picture's plane, and turned as the code says."""

import math

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.faces.detect import find_faces
from mien.faces.landmarks import eyes_of
from mien.models.fields.code import asked_code
from mien.models.fields.roll import JAW, roll_motion, rolled
from mien.models.reader.code import ANGLE, CODE
from mien.models.registry import create
from mien.nn.warp import composed, fetched
from mien.runtime.landmarker import find_landmarker
from tests.helpers.tiny import TINY


@pytest.mark.parametrize("degrees", [-10.0, 4.0, 10.0])
def test_the_face_turns_as_one_and_the_rim_rests(degrees):
    size = 128
    motion = roll_motion(torch.tensor([degrees]), size)[0].double().numpy()
    assert np.abs(motion[:, [0, -1]]).max() < 1e-3 and np.abs(motion[:, :, [0, -1]]).max() < 1e-3
    places = (np.arange(size) + 0.5) / size
    x, y = np.meshgrid(places, places)
    inner = (abs(x - 0.5) < 0.19) & (y > 0.31) & (y < 0.87)  # from brows to chin
    turn = math.radians(-degrees)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    offset = np.stack([x, y], -1) - JAW
    expected = offset @ matrix.T - offset  # clockwise where y goes down
    np.testing.assert_allclose(motion.transpose(1, 2, 0)[inner], expected[inner], atol=1e-6)
    (xx, xy), (yx, yy) = (np.gradient(part, 1 / size)[::-1] for part in motion)
    assert ((1 + xx) * (1 + yy) - xy * yx).min() > 0.3  # nowhere folded


def test_a_tilt_comes_after_what_the_model_makes_in_one_fetch():
    torch.manual_seed(0)
    model = create("fields", **TINY["fields"], rounds=0).eval()
    rows = torch.linspace(-1, 1, 32)
    face = torch.stack([rows[None].expand(32, 32), rows[:, None].expand(32, 32), rows[None] * rows[:, None]])[None]
    with torch.no_grad():
        for layer in (*model.mover.flow, model.mover.shade, model.mover.mouth.last, model.mover.eyes.last):
            layer.weight.normal_(std=0.03)
        fields = model.fields(face, Controls("surprise"))
        both = model.edit(face, Controls("surprise", roll=8.0))
        torch.testing.assert_close(both, composed(face, rolled(fields, torch.tensor([8.0]), 32)))
        twice = fetched(composed(face, fields), roll_motion(torch.tensor([8.0]), 32))
        inner = (..., slice(3, -3), slice(3, -3))
        assert (both - twice)[inner].abs().mean() < 0.02 < (composed(face, fields) - twice)[inner].abs().mean()
        torch.testing.assert_close(model.edit(face, Controls(aus={}, roll=0.0)), face)


def test_a_turn_is_a_change_of_the_code():
    known = torch.rand(2, CODE)
    turned = asked_code(known, Controls("fear", turn=(12.0, -6.0), gaze=(9.0, 0.0)))
    torch.testing.assert_close(
        turned[:, -4:] - known[:, -4:], torch.tensor([[12.0, -6.0, 9.0, 0.0]]) / ANGLE + 0 * known[:, -4:]
    )
    torch.testing.assert_close(turned[:, :-4], asked_code(known, Controls("fear"))[:, :-4])
    example = torch.rand(1, CODE)
    mouth = asked_code(known, Controls(like=1, intensity=0.5, only=("mouth",)), example)
    changed = (mouth != known).all(0).nonzero().flatten().tolist()
    places = [k for k in range(CODE) if k < 42 and k % 21 in (6, *range(7, 20))]
    assert changed == places
    torch.testing.assert_close(mouth[:, places], 0.5 * example[:, places].expand(2, -1))


@pytest.mark.parametrize("degrees", [-8.0, 8.0])
def test_a_real_head_is_tilted_as_asked(degrees):
    editor, who = Editor(), find_landmarker("net")
    photo = astronaut()
    made = editor.edit(photo, "happiness", roll=degrees).rgb
    (left, right), (a, b) = (eyes_of(find_faces(rgb, who)[0].points) for rgb in (photo, made))
    before, after = (math.degrees(math.atan2(*(q - p)[::-1])) for p, q in ((left, right), (a, b)))
    assert after - before == pytest.approx(degrees, abs=1.5)
    assert np.array_equal(made[300:], photo[300:])  # far below
