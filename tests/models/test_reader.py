import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mien.data.words import named, shares
from mien.labels import AUS, CLASSES
from mien.models.reader.code import mirrored
from mien.models.reader.equations import code_loss, words_loss
from mien.models.reader.nets import Reader, seen
from mien.models.registry import create
from mien.nn.randomise import grown, placed, randomised
from mien.training.settings import Settings
from mien.training.trainer import Trainer
from tests.helpers.tiny import TINY
from tests.models.test_contract import Random

CPU = Settings(precision="32-true", accelerator="cpu")


def trained():
    torch.manual_seed(0)
    trainer = Trainer(create("reader", **TINY["reader"]), CPU)
    while trainer.advance(Random().batch):
        pass
    return trainer.model.eval()


def test_the_reader_is_the_learners_average():
    torch.manual_seed(0)
    model = create("reader", **TINY["reader"])
    followed = {k: v.clone() for k, v in model.learner.state_dict().items()}
    trainer = Trainer(model, CPU)
    for step in range(3):
        share = 1 - min(model.config.memory, (step + 1) / (step + 10))
        for name, value in model.learner.state_dict().items():
            if value.is_floating_point():
                followed[name] = followed[name] + share * (value - followed[name])
        trainer.advance(Random().batch)
    for name, value in model.reader.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, followed[name])


def test_a_mirrored_face_reads_mirrored():
    model, face = trained(), torch.rand(3, 3, 40, 40) * 2 - 1
    code, words = model.look(face)
    other, same = model.look(face.flip(3))
    torch.testing.assert_close(other, mirrored(code))
    torch.testing.assert_close(same, words)
    assert mirrored(torch.arange(46.0)[None])[0, [0, 21, 42, 43, 44, 45]].tolist() == [21, 0, -42, 43, -44, 45]


def test_losses_are_numpys():
    rng = np.random.default_rng(0)
    code, true = rng.normal(size=(2, 4, 46)).astype(np.float32)
    true[0, :30] = np.nan
    np.testing.assert_allclose(
        code_loss(torch.tensor(code), torch.tensor(true)), np.nanmean((code - true) ** 2), rtol=1e-5
    )
    faces = Random().batch(3).both()
    left, right = faces.left.numpy(), faces.right.numpy()
    share = shares(named(faces.expression.numpy(), left, right), left, right)
    logits = rng.normal(size=(len(faces), 8)).astype(np.float32)
    each = -(share * np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))).sum(1)
    np.testing.assert_allclose(words_loss(torch.tensor(logits), faces), np.nanmean(each), rtol=1e-5)


def test_any_frame_is_seen_at_the_readers_size():
    for size in (32, 48, 64, 100, 256):
        assert seen(torch.zeros(1, 3, size, size), 48).shape[-1] == 48
    face = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(seen(face, 32), F.avg_pool2d(face, 2))
    assert [x.shape for x in Reader(48, 4)(torch.zeros(2, 3, 64, 64))] == [(2, 46), (2, 8)]


def test_randomisation_grows_in_over_the_first_steps():
    assert [grown(step, 1000) for step in (0, 100, 280, 999)] == pytest.approx([0.3, 0.55, 1.0, 1.0])


def test_randomised_faces_vary_and_without_strength_stay():
    torch.manual_seed(0)
    faces = torch.rand(6, 3, 64, 64) * 2 - 1
    made = randomised(faces, 48)
    assert made.shape == (6, 3, 48, 48) and made.min() >= -1 and made.max() <= 1
    assert not torch.allclose(made, randomised(faces, 48))
    still = F.interpolate(faces, size=48, mode="bilinear", align_corners=False)
    torch.testing.assert_close(randomised(faces, 48, 0.0), still, atol=1e-5, rtol=1e-5)


def test_faces_are_placed_within_what_is_said():
    torch.manual_seed(0)
    spot = torch.full((400, 3, 64, 64), -1.0)
    spot[:, :, 31:33, 31:33] = 1
    places = placed(spot, 64, 1.0)[:, 0].flatten(1)
    bright = places[places.max(1).values > 0].argmax(1)
    row, column = bright // 64, bright % 64
    assert len(bright) > 300
    for x in (row, column):  # ±5 % of 64 pixels, magnified by up to exp(.15), and a pixel
        assert (x - 31.5).abs().max() <= 64 * 0.05 * 1.17 + 1.5 and (x.float() - 31.5).std() > 1


def test_a_word_that_people_gave_counts_whole_where_not_all_units_are_known():
    faint = np.zeros((1, len(AUS)), np.float32)
    faint[0, AUS.index(12)] = 1.5  # half of what a word needs to count whole
    smile = np.array([CLASSES.index("happiness")])
    assert shares(smile, faint, faint)[0, smile[0]] == pytest.approx(0.5)
    faint[0, AUS.index(6)] = np.nan  # as of a photograph, whose units were fitted to what can be seen
    assert shares(smile, faint, faint)[0, smile[0]] == 1
