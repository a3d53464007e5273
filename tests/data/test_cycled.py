"""Pairs for one class at a time, and batches with a fixed share from each of several sets."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from mien.data.dataset import open_data
from mien.data.relatives import relatives_of
from mien.data.sampling.cycled import CycledSampler
from mien.data.sampling.mixed import MixedSampler
from mien.data.sampling.sampler import NoPairs, PairSampler
from mien.labels import CLASSES


@pytest.fixture
def data(faces_folder):
    return open_data(faces_folder, 32)


def test_a_step_is_of_one_class_and_no_target_shows_it(data):
    m = data.manifest
    sampler, seen = CycledSampler(data, 5, 0), []
    related = relatives_of(m).related
    for step in range(24):
        rows = sampler.rows(step)
        (shown,) = set(m.expression[rows.source].tolist())
        others = m.expression[rows.target]
        assert (others != shown).all() and (others >= 0).all() and (others < len(CLASSES)).all()
        assert not related(m.subject[rows.source], m.subject[rows.target]).any()
        assert (rows.truth == -1).all() and not rows.alike.any()
        seen.append(shown)
    there = sorted({k for k in m.expression.tolist() if 0 <= k < len(CLASSES)})
    cycle = seen[: seen.index(seen[0], 1)]
    assert sorted(cycle) == there and seen[: 2 * len(cycle)] == cycle * 2  # one after the other, again and again


def test_a_cycled_batch_depends_on_seed_and_step_alone(data):
    a, b, c = CycledSampler(data, 4, 1), CycledSampler(data, 4, 1), CycledSampler(data, 4, 2)
    later = [b.batch(step) for step in (3, 1)]
    assert torch.equal(a.batch(1).target.image, later[1].target.image)
    assert any(a.rows(k).target.tolist() != c.rows(k).target.tolist() for k in range(4))


def test_weak_faces_take_no_part(data):
    m = data.manifest
    weak = CycledSampler(data, 6, 0, least=0.6)
    for step in range(12):
        for rows in (weak.rows(step).source, weak.rows(step).target):
            assert not (m.intensity[rows][m.expression[rows] > 0] < 0.6).any()


def test_one_class_alone_gives_no_pairs(data):
    m = data.manifest
    happy = data.select(m.expression == CLASSES.index("happiness"))
    with pytest.raises(NoPairs, match="another"):
        CycledSampler(happy, 2, 0)
    one = data.select(m.subject == m.subject[0])
    with pytest.raises(NoPairs):
        CycledSampler(one, 2, 0)


def test_a_mixed_batch_has_its_share_of_each(data):
    parts = [PairSampler(data, 3, 0), PairSampler(replace(data), 5, 1)]
    mixed = MixedSampler(parts).batch(7)
    first, second = (part.batch(7) for part in parts)
    assert len(mixed) == 8
    assert torch.equal(mixed.source.image, torch.cat([first.source.image, second.source.image]))
    assert (
        mixed.target.expression.tolist() == np.concatenate([first.target.expression, second.target.expression]).tolist()
    )
    assert mixed.truth.shape == (8, 3, 32, 32)
