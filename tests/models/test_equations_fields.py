"""Every equation of docs/fields.md, in float64 NumPy written from it.

Long, as the model has many numbered equations, and they are read in its order.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates

from mien.controls import Controls
from mien.data.batch import Faces, Motion
from mien.errors import InputError
from mien.labels import AUS, PROTOTYPES, prototype, units_of
from mien.models.fields import (
    CODE,
    DOUBT,
    STILL,
    UNITS,
    Pair,
    asked_code,
    code_loss,
    code_of,
    corrected,
    critic_loss,
    detail,
    flow_loss,
    fool_loss,
    gate,
    look_losses,
    near_loss,
    noisy_codes,
    opening_loss,
    paint_loss,
    reached_loss,
    shade_loss,
    shrunk,
    stilled,
    true_shade,
    watched,
)
from mien.models.fields.nets import ramp
from mien.models.registry import create
from mien.nn.tint import Tint
from mien.nn.warp import Fields, Patch, composed, warp
from mien.nn.windows import EYES, MOUTH, WHOLE, WINDOWS, cut, resized
from tests.helpers.tiny import TINY
from tests.models.test_contract import Random

RNG = np.random.default_rng(0)


def tensor(x):
    return torch.from_numpy(np.asarray(x, np.float64))


def rand(*shape, low=-1.0, high=1.0):
    return RNG.uniform(low, high, shape)


def faces(n=3):
    return Faces(
        torch.zeros(n, 3, 32, 32),
        torch.zeros(n).long(),
        torch.zeros(n).long(),
        torch.zeros(n),
        *(tensor(rand(n, 21, low=0, high=5)) for _ in range(3)),
        *(tensor(rand(n, low=-20, high=20)) for _ in range(4)),
        torch.zeros(n, 68, 2),
    )


def motion(n=2, g=8):
    return Motion(
        tensor(rand(n, 2, g, g) * 0.05), tensor(rand(n, 1, g, g, low=0)), tensor(RNG.random((n, 1, g, g)) < 0.8)
    )


def bilinear(image, y, x):
    """Values of (C, H, W) at pixel places (centres are whole numbers), as at the border beyond it."""
    h, w = image.shape[1:]
    y, x = np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)
    y0, x0 = np.minimum(np.floor(y).astype(int), h - 2), np.minimum(np.floor(x).astype(int), w - 2)
    dy, dx = y - y0, x - x0
    rows = [image[:, y0 + a, x0 + b] * (dy if a else 1 - dy) * (dx if b else 1 - dx) for a in (0, 1) for b in (0, 1)]
    return sum(rows)


def at_size(image, size):
    """Bring (C, h, h) to size × size, pixel areas keeping their places."""
    places = (np.arange(size) + 0.5) * image.shape[-1] / size - 0.5
    return bilinear(image, *np.meshgrid(places, places, indexing="ij"))


def test_eq_1_code():
    f = faces()
    f.left[0, 2] = torch.nan
    angles = np.stack([x.numpy() for x in (f.yaw, f.pitch, f.gaze_x, f.gaze_y)], 1) / 30
    expected = np.concatenate([f.left.numpy() / 5, f.right.numpy() / 5, angles], 1)
    np.testing.assert_allclose(code_of(f).numpy(), expected)
    assert expected.shape[1] == CODE and np.isnan(expected).sum() == 1


def test_eq_2_reading_counts_what_is_known():
    guess, code = rand(4, CODE), rand(4, CODE)
    code[1, 5:9] = code[3] = np.nan
    np.testing.assert_allclose(code_loss(tensor(guess), tensor(code)), np.nanmean((guess - code) ** 2))
    weighted = np.nanmean(np.where(np.arange(CODE) < 42, 1, 3) * (guess - code) ** 2)
    np.testing.assert_allclose(code_loss(tensor(guess), tensor(code), angles=3), weighted)
    assert code_loss(tensor(guess), tensor(np.full((4, CODE), np.nan))) == 0


def test_eq_3_small_readings_are_rest():
    code = rand(4, CODE, low=-0.2)
    units = code[:, : 2 * UNITS]
    expected = code.copy()
    expected[:, : 2 * UNITS] = np.where(units > 0.1, units - 0.01 / units, 0)
    np.testing.assert_allclose(shrunk(tensor(code)), expected)


def test_eq_4_gate():
    change = rand(5, CODE) * 0.02
    change[0] = 0
    expected = 1 - np.exp(-(change**2).sum(1) / 0.05**2)
    np.testing.assert_allclose(gate(tensor(change)), expected)
    assert gate(tensor(change))[0] == 0


def field_maps(n=2, g=8, v=16, s=32):
    def maps(channels, side, reach, low=-1.0):
        return tensor(rand(n, channels, side, side, low=low) * reach).float()

    def patch(window):
        side = round((window[2] - window[0]) * s)
        tint = Tint(maps(3, 1, 0.2), maps(1, 1, 1, low=0))
        bright, red = maps(1, side, 1, low=0), maps(1, side, 2, low=0)
        return Patch(window, maps(2, side, 0.03), maps(1, side, 1, low=0), bright, red, tint)

    return Fields(maps(2, g, 0.1), maps(1, v, 0.4), tuple(patch(window) for window in WINDOWS))


def pixels_of(window, size):
    left, top, right, bottom = (round(edge * size) for edge in window)
    return ..., slice(top, bottom), slice(left, right)


def whole(maps, k, name, size):
    """A face's map at size × size: what the patches have in their windows, 0 elsewhere."""
    parts = [
        (p.window, (p.paint(p.side(size)) if name == "paint" else getattr(p, name))[k].numpy()) for p in maps.patches
    ]
    frame = np.zeros((len(parts[0][1]), size, size))
    for window, part in parts:
        frame[pixels_of(window, size)] = part
    return frame


def test_eq_5_composition():
    size, image, f = 32, rand(2, 3, 32, 32), field_maps()
    made = composed(tensor(image), f).numpy()
    y, x = np.meshgrid(np.arange(size), np.arange(size), indexing="ij")
    for k in range(2):
        flow = (at_size(f.flow[k].numpy(), size) + whole(f, k, "flow", size)) * size
        moved = np.stack([map_coordinates(c, (y + flow[1], x + flow[0]), order=1, mode="reflect") for c in image[k]])
        alpha, paint = whole(f, k, "alpha", size), whole(f, k, "paint", size)
        shaded = (moved + 1) * np.exp(at_size(f.shade[k].numpy(), size)) - 1
        expected = np.clip((1 - alpha) * shaded + alpha * paint, -1, 1)
        np.testing.assert_allclose(made[k], expected, atol=2e-5)  # warp computes in float32
        for window in WINDOWS:
            part = composed(tensor(image), f, window)[k].numpy()
            np.testing.assert_allclose(part, expected[pixels_of(window, size)], atol=2e-5)


def test_windows_are_apart_and_patches_fade_in_them():
    frame = torch.zeros(1, 1, 64, 64)
    for window in WINDOWS:
        cut(frame, window).add_(1)
    assert frame.max() == 1
    fade = ramp(32, EYES[0])[0, 0].numpy()
    assert (fade[8:24, 8:24] == 1).all() and max(fade[[0, -1]].max(), fade[:, [0, -1]].max()) <= 0.125
    assert (ramp(32, MOUTH)[0, 0, -1, 8:24] == 1).all()  # the frame's own edge


@pytest.mark.parametrize("window", (*WINDOWS, WHOLE))
@pytest.mark.parametrize("side", (8, 16, 24, 64))
def test_a_window_is_resized_as_the_whole_is(window, side):
    x = rand(2, side, side)
    expected = at_size(x, 64)[pixels_of(window, 64)]
    np.testing.assert_allclose(resized(tensor(x)[None], 64, window)[0], expected)


def test_no_fields_change_nothing():
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    none = field_maps(1, s=64)
    patches = tuple(replace(p, flow=0 * p.flow, alpha=0 * p.alpha) for p in none.patches)
    torch.testing.assert_close(composed(image, Fields(0 * none.flow, 0 * none.shade, patches)), image)


def test_eq_6_flow():
    m, flow, side = motion(), rand(2, 2, 8, 8) * 0.05, 128
    m.flow[0, :, 7, 7] = 0.5 / side  # moves by less than what counts five times, whatever was drawn
    off = np.sqrt((((flow - m.flow.numpy()) * side) ** 2).sum(1) + 0.01) - 0.1
    true = np.sqrt(((m.flow.numpy() * side) ** 2).sum(1))
    moved = np.minimum(true / 1.5, 1)
    for window in EYES:
        moved[pixels_of(window, 8)] = 1
    assert 0 < moved.min() < 1
    weight = (1 + 4 * moved) * (1 - 0.9 * m.mouth.numpy()[:, 0])
    expected = (m.known.numpy()[:, 0] * weight * off).mean()
    np.testing.assert_allclose(flow_loss(tensor(flow), m, side), expected)


def test_eq_7_true_shade_of_a_brightened_and_moved_face():
    face = torch.rand(1, 3, 64, 64, dtype=torch.float64) * 0.2 - 0.4  # no fine detail to be blurred differently
    face = resized(resized(face, 4), 64)
    still = Motion(
        torch.full((1, 2, 16, 16), 0.0).double(), torch.zeros(1, 1, 16, 16).double(), torch.ones(1, 1, 16, 16).double()
    )
    moved = Motion(torch.full((1, 2, 16, 16), 4 / 64).double(), still.mouth, still.known)
    for m in (still, moved):
        truth = (warp(face, m.flow).double() + 1 + 0.06) * 1.2 - 1 - 0.06  # ε = .03 of brightness is .06 of the range
        shade, counts = true_shade(face, truth, m)
        np.testing.assert_allclose(shade[..., 8:-8, 8:-8], np.log(1.2), atol=1e-4)
        assert (counts == 1).all()
    shade, _ = true_shade(face, (face + 1) * 3 - 1, still)
    assert shade.max() == 0.4
    still.mouth[0, 0, 8, 8] = 1
    assert (true_shade(face, face, still)[1] == 0).any()


def test_eq_8_shade():
    shade, true, counts = rand(2, 1, 8, 8), rand(2, 1, 8, 8) * 0.2, rand(2, 1, 8, 8, low=0)
    off = np.abs(shade - true)
    huber = np.where(off < 0.1, off**2 / 2, 0.1 * (off - 0.05)) / 0.1
    assert 0 < (off < 0.1).mean() < 1
    expected = (counts * (1 + 4 * np.minimum(np.abs(true) / 0.1, 1)) * huber).mean()
    np.testing.assert_allclose(shade_loss(tensor(shade), tensor(true), tensor(counts)), expected)


def test_eq_9_opening():
    alpha, m = rand(1, 1, 16, 16, low=0), motion(1)
    share = alpha.reshape(1, 1, 8, 2, 8, 2).mean((3, 5))[0, 0]
    here, true = share[4:, 2:6], m.mouth.numpy()[0, 0, 4:, 2:6]
    near = np.array(
        [[true[max(0, i - 2) : i + 3, max(0, j - 2) : j + 3].max() > 0.05 for j in range(4)] for i in range(4)]
    )
    entropy = -(true * np.log(here) + (1 - true) * np.log(1 - here))
    elsewhere = share.sum() - here.sum()
    for shut in (0.0, 0.4, 1.0):
        expected = ((1 + 4 * near) * entropy).mean() + 10 * (1 - shut) * elsewhere / share.size
        np.testing.assert_allclose(opening_loss(tensor(alpha), m, tensor([shut])), expected, rtol=1e-6)


def test_eq_10_paint():
    paint, truth, mouth = rand(2, 3, 16, 16), rand(2, 3, 32, 32), rand(2, 1, 8, 8, low=0)
    total = 0.0
    for k in range(2):
        m = at_size(mouth[k], 32)[0, 16:, 8:24]
        off = paint[k] - truth[k, :, 16:, 8:24]
        s = (m * np.abs(off)).sum()
        s += (m[:, 1:] * np.abs(np.diff(off, axis=2))).sum() + (m[1:] * np.abs(np.diff(off, axis=1))).sum()
        total += s / (3 * m.sum() + 100)
    np.testing.assert_allclose(paint_loss(tensor(paint), tensor(truth), tensor(mouth)), total / 2, rtol=1e-6)


def test_eq_11_look_weighs_what_changes():
    made, truth = rand(1, 3, 32, 32), rand(1, 3, 32, 32)
    losses = look_losses(tensor(made), tensor(truth), tensor(truth))  # nothing changes: the weight is 1
    off = made - truth
    np.testing.assert_allclose(losses["pixels"], np.abs(off).mean())
    gradients = np.abs(np.diff(off, axis=3)).mean() + np.abs(np.diff(off, axis=2)).mean()
    np.testing.assert_allclose(losses["edges"], gradients)
    x, y = (z.reshape(3, 4, 8, 4, 8).transpose(0, 1, 3, 2, 4).reshape(3, 4, 4, 64) for z in (made[0], truth[0]))
    mx, my, vx, vy = x.mean(-1), y.mean(-1), x.var(-1), y.var(-1)
    together = (x * y).mean(-1) - mx * my
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    ssim = (2 * mx * my + c1) * (2 * together + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    np.testing.assert_allclose(losses["structure"], 1 - ssim.mean(), atol=1e-4)  # float32
    face = truth + rand(1, 3, 32, 32) * 0.5
    cells = np.abs(truth - face).mean(1).reshape(8, 4, 8, 4).mean((1, 3))
    weight = at_size(1 + 5 * np.minimum(3 * cells, 1)[None], 32)
    far = look_losses(tensor(made), tensor(truth), tensor(face))
    np.testing.assert_allclose(far["pixels"], (weight * np.abs(off)[0]).mean())


def test_eq_12_near():
    truth, face = rand(2, 3, 32, 32), rand(2, 3, 32, 32)
    made, expected = [], 0.0
    for window in WINDOWS:
        here = pixels_of(window, 32)
        part = rand(*truth[here].shape)
        off, side = part - truth[here], part.shape[-1]
        cells = np.abs(truth[here] - face[here]).mean(1).reshape(2, side // 4, 4, side // 4, 4).mean((2, 4))
        weight = np.stack([at_size(1 + 5 * np.minimum(3 * c, 1)[None], side) for c in cells])
        expected += (np.abs(off) * weight).mean() + (np.abs(np.diff(off, axis=3)) * weight[..., 1:]).mean()
        expected += (np.abs(np.diff(off, axis=2)) * weight[..., 1:, :]).mean()
        made.append(tensor(part))
    np.testing.assert_allclose(near_loss(made, tensor(truth), tensor(face)), expected)


def test_eq_13_and_14_fool_and_critic():
    real, fake, n = ([rand(2, 1, 4, 4) * 3, rand(4, 1, 2, 2) * 3] for _ in range(3))
    n = [np.abs(x) for x in n]
    fooled = -sum((d * w).sum() / w.sum() for d, w in zip(fake, n, strict=True))
    np.testing.assert_allclose(fool_loss([*map(tensor, fake)], [*map(tensor, n)]), fooled)
    hinges = [np.maximum(0, 1 - d) + np.maximum(0, 1 + e) for d, e in zip(real, fake, strict=True)]
    expected = sum((h * w).sum() / w.sum() for h, w in zip(hinges, n, strict=True))
    np.testing.assert_allclose(critic_loss(*([*map(tensor, x)] for x in (real, fake, n))), expected)


def test_the_critic_sees_detail_alone():
    image = rand(2, 3, 32, 32)
    cells = image.reshape(2, 3, 4, 8, 4, 8).mean((3, 5))
    expected = image - np.stack([at_size(x, 32) for x in cells])
    np.testing.assert_allclose(detail(tensor(image)), expected)
    np.testing.assert_allclose(detail(tensor(image) + 0.3), expected)


def test_the_critic_watches_mouths_and_eyes_that_change():
    face, m = rand(2, 3, 128, 128) * 0.1, motion(2, 16)
    truth = face.copy()
    eye = pixels_of(EYES[1], 128)
    truth[1][eye] += 0.1
    mouths, eyes = watched(tensor(truth), tensor(face), m)
    np.testing.assert_allclose(mouths, m.mouth[..., 8:, 4:12])
    assert eyes.shape == (4, 1, 4, 4)  # both faces' left eyes, then both's right ones
    np.testing.assert_allclose(eyes[:3], 0, atol=1e-7)
    np.testing.assert_allclose(eyes[3], 0.3, atol=1e-6)  # 3 |y - x|


def test_eq_15_results_read_as_truths():
    made, true = rand(3, CODE), rand(3, CODE)
    expected = ((made - true)[:, : 2 * UNITS] ** 2).mean()
    np.testing.assert_allclose(reached_loss(tensor(made), tensor(true)), expected)


def test_eq_16_correction():
    asked, wanted, reached = rand(3, CODE, low=0), rand(3, CODE, low=0), rand(3, CODE, low=0)
    expected = asked.copy()  # the angles stay
    off = (wanted - reached)[:, : 2 * UNITS]
    off = np.where(np.abs(off) > 0.3, off - 0.09 / off, 0)
    off[:, [AUS.index(43), UNITS + AUS.index(43)]] = 0  # lids come down as far as they are asked to
    expected[:, : 2 * UNITS] = np.clip(asked[:, : 2 * UNITS] + off, 0, 1.2)
    np.testing.assert_allclose(corrected(tensor(asked), tensor(wanted), tensor(reached)), expected)


def test_controls_become_codes():
    torch.manual_seed(0)
    model = create("fields", **TINY["fields"]).eval()
    face, like = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    known, shown = model.read(face), model.read(like)
    at = AUS.index

    happy = asked_code(known, Controls("happiness", 0.5))
    assert happy[0, at(12)] == happy[0, UNITS + at(12)] == 0.5 * PROTOTYPES["happiness"][12] / 5
    assert happy[0, at(1)] == 0 and torch.equal(happy[:, -4:], known[:, -4:])  # pose and gaze stay
    scorn = asked_code(known, Controls("contempt"))
    assert scorn[0, at(14)] == 1 and scorn[0, UNITS + at(14)] == 0  # one side
    left = asked_code(known, Controls(aus={"12L": 4.0, 4: 1.0}))
    assert left[0, at(12)] == 0.8 and left[0, UNITS + at(12)] == known[0, UNITS + at(12)]  # the rest as it is
    assert left[0, at(4)] == left[0, UNITS + at(4)] == 0.2 and left[0, at(1)] == known[0, at(1)]
    look = asked_code(known, Controls(aus={}, gaze=(15.0, -6.0)))
    torch.testing.assert_close(look[:, -2:], known[:, -2:] + torch.tensor([[0.5, -0.2]]))
    torch.testing.assert_close(look[:, :-2], known[:, :-2])
    half = asked_code(known, Controls(like=like, intensity=0.5), shown)
    torch.testing.assert_close(half[:, : 2 * UNITS], 0.5 * shown[:, : 2 * UNITS])
    assert torch.equal(half[:, -4:], known[:, -4:])  # pose and gaze stay


def test_plain_controls_are_what_codes_are_made_of():
    assert Controls(aus={"12L": 4.0, 4: 1.0}, intensity=0.5).units() == [(12, "L", 0.4), (4, "L", 0.1), (4, "R", 0.1)]
    assert Controls(gaze=(1.0, 2.0)).units() == Controls(like=torch.zeros(1)).units() == []
    for word in PROTOTYPES:
        for intensity in np.linspace(0, 1, 23):
            units = Controls(word, float(intensity)).units()
            assert [unit[:2] for unit in units] == [(au, side) for side in "LR" for au in AUS]
            full = float(intensity) * torch.tensor(prototype(word))  # the same to the bit, in float32
            assert torch.equal(torch.tensor([value for *_, value in units]), full)


def test_what_the_mover_is_told():
    torch.manual_seed(0)
    shown, wanted = torch.rand(2, 4000, CODE)
    wanted[:, :10] = shown[:, :10]
    wanted[0, 20] = torch.nan
    known, asked = noisy_codes(shown, wanted)
    assert torch.equal(known[:, 2 * UNITS :], shown[:, 2 * UNITS :])  # head and gaze as they are
    off = (known - shrunk(shown))[:, : 2 * UNITS].numpy()
    off = np.where(shown[:, : 2 * UNITS].numpy() > 0.6, off, np.nan)  # where shrinking hardly counts
    deviation = np.nanstd(off, axis=1)
    assert deviation.max() < 1.6 * DOUBT and np.isclose(deviation.mean(), DOUBT / 2, rtol=0.1)
    alone = (asked == known).numpy()
    assert np.isclose(alone[:, :10].mean(), 0.5, atol=0.02)  # of what stays, half is not asked for
    assert alone[0, 20] and not alone[1:, 10 : 2 * UNITS].any()  # unknown is not asked for, changes are
    torch.testing.assert_close(asked[~(asked == known)], wanted[~(asked == known)])
    read = torch.rand(4000, CODE)
    as_read = noisy_codes(shown, wanted, read)[0]
    assert torch.equal(as_read[:, 2 * UNITS :], shown[:, 2 * UNITS :])
    strong = read[:, : 2 * UNITS] > 0.6
    assert (as_read - shrunk(read))[:, : 2 * UNITS][strong].std() < DOUBT


def test_some_pairs_are_made_still():
    torch.manual_seed(0)
    n = 4000
    face, truth, wanted = torch.rand(n, 3, 2, 2), torch.rand(n, 3, 2, 2), torch.rand(n, CODE)
    m = Motion(torch.rand(n, 2, 1, 1), torch.rand(n, 1, 1, 1), torch.zeros(n, 1, 1, 1))
    pair = stilled(Pair(face, truth, wanted, wanted, m))
    made, asked, moved = pair.truth, pair.wanted, pair.motion
    assert torch.equal(pair.face, face) and torch.equal(pair.shown, wanted)
    still = asked.isnan().all(1)
    assert np.isclose(still.float().mean(), STILL, atol=0.02)
    assert torch.equal(made[still], face[still]) and torch.equal(made[~still], truth[~still])
    assert torch.equal(asked[~still], wanted[~still])
    for now, before, at_rest in ((moved.flow, m.flow, 0), (moved.mouth, m.mouth, 0), (moved.known, m.known, 1)):
        assert (now[still] == at_rest).all() and torch.equal(now[~still], before[~still])


def test_asking_for_what_is_there_changes_nothing():
    model = create("fields", **TINY["fields"], rounds=0).eval()
    face = torch.rand(1, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        for layer in (*model.mover.flow, model.mover.shade, model.mover.mouth.last, model.mover.eyes.last):
            layer.weight.normal_()
        torch.testing.assert_close(model.edit(face, Controls(aus={})), face)
        assert not torch.allclose(model.edit(face, Controls("surprise")), face, atol=0.01)


def test_blendshapes_become_units():
    assert units_of({"mouthSmileLeft": 0.6, "browInnerUp": 1.0}) == {"12L": 3.0, "1": 5.0}
    assert units_of({"jawOpen": 0.5}) == {"26": 2.5, "25": 2.5}
    for wrong, says in (({"smile": 1.0}, "no action unit is like it"), ({"jawOpen": 2.0}, "expected 0 to 1")):
        with pytest.raises(InputError, match=says):
            units_of(wrong)


def test_prototypes_are_codes():
    for word, units in PROTOTYPES.items():
        assert set(units) <= set(AUS) and all(0 <= v <= 5 for v in units.values())
        assert len(prototype(word)) == 2 * UNITS


def test_the_plain_cnn_learns_from_classes_alone():
    model = create("fields", **TINY["fields"], supervised=True)
    (stage,) = model.stages()
    (turn,) = stage.turns
    assert turn.nets == ("reader",) and stage.steps == model.config.read_steps
    batch = Random().batch(0)
    model(batch, turn.name)["expression"].backward()
    learning = {name.split(".")[1] for name, p in model.named_parameters() if p.grad is not None}
    assert learning == {"trunk", "features", "words"}  # not the code
    model.eval()
    face = batch.source.image
    assert torch.equal(model.baseline(face).probabilities, model.recognize(face).probabilities)
