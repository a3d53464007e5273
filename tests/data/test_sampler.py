"""Pairs: the right people, expressions and truths, and a batch that depends on nothing but seed and step."""

import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.data.dataset import Data, Images, open_data
from mien.data.manifest import read_manifest
from mien.data.matches import matches_of
from mien.data.relatives import relatives_of
from mien.data.sampling.augment import Augmentation, apply
from mien.data.sampling.collate import faces
from mien.data.sampling.groups import TRIES, group, pick
from mien.data.sampling.sampler import PairSampler, prefetch
from mien.errors import InputError
from mien.labels import EXPRESSIONS
from mien.nn.images import to_tensor

ANN, BOB, CID, DEE, MIX = range(5)


@pytest.fixture
def data(faces_folder) -> Data:
    return open_data(faces_folder, 32)


def same_bits(a, b) -> bool:
    def tensors(batch):
        return [batch.truth, *(getattr(f, n) for f in (batch.source, batch.target) for n in f.__dataclass_fields__)]

    return all(torch.equal(x.nan_to_num(9), y.nan_to_num(9)) for x, y in zip(tensors(a), tensors(b), strict=True))


def related(manifest, a, b) -> np.ndarray:
    """Written out anew: the morph with its parents, and everybody with themself."""
    family = {(ANN, MIX), (BOB, MIX)}
    pairs = zip(manifest.subject[a].tolist(), manifest.subject[b].tolist(), strict=True)
    return np.array([x == y or (x, y) in family or (y, x) in family for x, y in pairs])


def shows_the_same(manifest, a, b) -> np.ndarray:
    return (manifest.expr_id[a] == manifest.expr_id[b]) & (
        np.nan_to_num(manifest.intensity[a], nan=-1) == np.nan_to_num(manifest.intensity[b], nan=-1)
    )


def test_a_batch_depends_on_seed_and_step_alone(data):
    make = lambda seed: PairSampler(data, 6, seed, augmentation=Augmentation(colour=0.1))  # noqa: E731
    a, b = make(1), make(1)
    forward = [a.batch(step) for step in range(8)]
    backward = [b.batch(step) for step in reversed(range(8))][::-1]
    assert all(same_bits(x, y) for x, y in zip(forward, backward, strict=True))
    assert not same_bits(forward[0], forward[1]) and not same_bits(forward[0], make(2).batch(0))


@pytest.mark.parametrize("batch_size", [1, 7, 25, 60])
def test_every_image_is_a_source_once_an_epoch(data, batch_size):
    sampler = PairSampler(data, batch_size, seed=0)
    used = len(data)
    sources = np.concatenate([sampler.rows(step).source for step in range(-(-3 * used // batch_size))])
    epochs = [tuple(sources[i * used : (i + 1) * used]) for i in range(3)]
    assert all(sorted(e) == list(range(used)) for e in epochs) and len(set(epochs)) == 3


@pytest.mark.parametrize("need_truth", [False, True])
def test_pairs_are_what_they_say(data, need_truth):
    m = data.manifest
    sampler = PairSampler(data, 50, seed=3, need_truth=need_truth)
    rows = [sampler.rows(step) for step in range(40)]
    source, target, truth = (np.concatenate([getattr(r, n) for r in rows]) for n in ("source", "target", "truth"))
    same = m.subject[source] == m.subject[target]
    assert abs(same.mean() - 0.5) < 0.05
    assert not shows_the_same(m, source[same], target[same]).any() and (truth == source)[same].all()
    source, target, truth = source[~same], target[~same], truth[~same]
    assert not related(m, source, target).any()
    has = truth >= 0
    assert (m.subject[truth] == m.subject[target])[has].all() and shows_the_same(m, source, truth)[has].all()
    assert has.all()  # in this data set everybody shows everything
    assert need_truth == (not shows_the_same(m, source, target).any())
    # every unrelated person is met, about equally often
    met = np.bincount(m.subject[target][m.subject[source] == CID], minlength=5)
    assert met[CID] == 0 and met[[ANN, BOB, DEE, MIX]].min() > 0.6 * met.max()


def test_no_truth_where_nobody_shows_it(edit_rows):
    """`other` looks differ between people; a turned head or another gaze is no truth either."""

    def change(rows):
        for row in rows:
            if row["expression"] == "other":
                row["expr_id"] = f"au_{row['subject']}"
            if row["expression"] == "anger":
                row["yaw"] = str("abcdm".index(row["subject"][0]) * 10)
            row["gaze_x"] = "5" if row["file_name"].endswith("_1.png") and row["subject"] == "ann" else "0"

    data = open_data(edit_rows(change), 8)
    m = data.manifest
    sampler = PairSampler(data, 25, seed=0, same=0.0)
    rows = sampler.rows(0)
    batch = sampler.batch(0)
    assert not batch.same.any()
    words = np.array([EXPRESSIONS[i] for i in m.expression[rows.source]])
    ann = m.expr_id[rows.source] == "happiness_v1"
    ann &= (m.intensity[rows.source] == 0.5) & (m.subject[rows.source] == ANN)
    lone = np.isin(words, ["other", "anger"]) | ann
    assert (rows.truth[lone] == -1).all() and lone.sum() == 11
    assert (rows.truth[words == "neutral"] >= 0).all()
    empty = batch.truth.isnan().flatten(1)
    assert torch.equal(empty.all(1), torch.from_numpy(rows.truth < 0)) and torch.equal(empty.any(1), empty.all(1))
    needing = PairSampler(data, 25, seed=0, same=0.0, need_truth=True)
    assert needing.describe()["images used as source"] == 14 and not needing.batch(0).truth.isnan().any()


@pytest.mark.parametrize(("own", "without"), [(5, 1), (4, 0)])
def test_people_who_can_give_no_triple_are_counted(edit_rows, own, without):
    """Cid shows five things, of which the first `own` are shown by nobody else."""

    def change(rows):
        for row in [row for row in rows if row["subject"] == "cid"][:own]:
            row["expr_id"] += "_of_cid"

    told = PairSampler(open_data(edit_rows(change), 8), 4, 0).describe()
    assert told["subjects"] == 5 and told["subjects giving no triple"] == without
    assert told["subjects giving triples with another person"] == 5 - without


def test_words_serve_where_there_is_no_expr_id(edit_rows):
    data = open_data(edit_rows(lambda rows: [row.update(expr_id="") for row in rows]), 8)
    m = data.manifest
    shown = matches_of(m)
    for i in range(25):
        for j in range(25):
            told = m.expression[i] != EXPRESSIONS.index("other")
            alike = m.expression[i] == m.expression[j] and m.intensity[i] == m.intensity[j]
            assert (shown.look[i] == shown.look[j]) == (i == j or (told and alike))
            assert (shown.key[i] == shown.key[j] >= 0) == (told and alike)
    assert PairSampler(data, 4, 0).describe()["images giving triples with another person"] == 20


def test_unlabelled_images_differ_from_all_others(edit_rows):
    data = open_data(edit_rows(lambda rows: [row.update(expr_id="", expression="", intensity="") for row in rows]), 8)
    sampler = PairSampler(data, 25, seed=0)
    told = sampler.describe()
    assert told["images giving same-person pairs"] == 25 and told["images giving triples with another person"] == 0
    rows = sampler.rows(0)
    assert (rows.source != rows.target).all()
    same = data.manifest.subject[rows.source] == data.manifest.subject[rows.target]
    assert (rows.truth[same] == rows.source[same]).all() and (rows.truth[~same] == -1).all()


def test_truth_goes_with_its_target(data):
    """The truth is warped as the target is; the source is warped by itself but mirrored with them."""
    augmentation = Augmentation(margin=0.125)
    sampler = PairSampler(data, 25, seed=5, augmentation=augmentation)
    rows, batch = sampler.rows(0), sampler.batch(0)
    variants = augmentation.variants()

    def which(row: int, shown: torch.Tensor) -> set[int]:
        warped = to_tensor(np.stack([apply(data.images[row], v, 32) for v in variants]))
        return {i for i in range(len(variants)) if torch.equal(warped[i], shown)}

    apart = 0
    for i in range(25):
        target = which(rows.target[i], batch.target.image[i])
        truth = which(rows.truth[i], batch.truth[i])
        source = which(rows.source[i], batch.source.image[i])
        assert target and target == truth and source
        flips = {variants[j].flip for j in target} | {variants[j].flip for j in source}
        assert len(flips) == 1
        apart += not source & target
    assert apart > 15


def test_source_may_share_the_augmentation(data):
    sampler = PairSampler(data, 25, seed=5, same=1.0, augmentation=Augmentation(colour=0.2), independent=False)
    batch = sampler.batch(0)
    assert torch.equal(batch.truth, batch.source.image)


def test_tensors(data):
    sampler = PairSampler(data, 5, seed=0)
    rows, batch = sampler.rows(2), sampler.batch(2)
    for image in (batch.source.image, batch.target.image, batch.truth):
        assert image.shape == (5, 3, 32, 32) and image.is_contiguous(memory_format=torch.channels_last)
        assert image.min() >= -1 and image.max() <= 1
    want = faces(data, rows.target)
    for name in ("image", "subject", "expression", "intensity", "aus"):
        assert torch.equal(getattr(batch.target, name).nan_to_num(9), getattr(want, name).nan_to_num(9))
    assert torch.equal(batch.truth, faces(data, rows.truth).image)


@pytest.mark.parametrize("same", [0.0, 1.0])
def test_share_of_same_person_pairs(data, same):
    assert PairSampler(data, 25, seed=0, same=same).batch(0).same.float().mean() == same


def test_unknown_people_are_never_drawn(edit_rows):
    data = open_data(edit_rows(lambda rows: [r.update(subject="", parents="") for r in rows[5:10]]), 8)
    sampler = PairSampler(data, 40, seed=0)
    drawn = np.concatenate([np.r_[r.source, r.target] for r in map(sampler.rows, range(10))])
    assert (data.manifest.subject[drawn] >= 0).all() and len(np.unique(drawn)) == 20


NO_PAIRS = {
    "one look each": (lambda m: m.expression == 0, {"same": 1.0}),
    "one person": (lambda m: m.subject == CID, {"same": 0.0}),
    "a family": (lambda m: np.isin(m.subject, [ANN, MIX]), {"same": 0.0}),
    "one picture": (lambda m: np.arange(25) == 0, {}),
    "no second look for a triple": (lambda m: m.expression == 0, {"same": 0.0, "need_truth": True}),
}


@pytest.mark.parametrize(("keep", "options"), NO_PAIRS.values(), ids=NO_PAIRS.keys())
def test_no_pairs_is_told(data, keep, options):
    with pytest.raises(InputError, match=r"no pairs can be made .*expected people with several expressions") as caught:
        PairSampler(data.select(keep(data.manifest)), 4, seed=0, **options)
    assert str(data.manifest.folder) in str(caught.value)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"seed": -1}, {"same": 1.5}], ids=str)
def test_senseless_settings_are_refused(data, options):
    with pytest.raises(InputError, match="expected at least 1, at least 0, from 0 to 1"):
        PairSampler(**({"data": data, "batch_size": 4, "seed": 0} | options))


@pytest.fixture(scope="module")
def blank(tmp_path_factory) -> Data:
    """Twelve images without labels, whose columns the tests replace."""
    folder = tmp_path_factory.mktemp("blank")
    image = np.zeros((4, 4, 3), np.uint8)
    lines = ["file_name,subject"]
    for i in range(12):
        cv2.imwrite(str(folder / f"{i}.png"), image)
        lines.append(f"{i}.png,p{i:02d}")
    (folder / "metadata.csv").write_text("\n".join(lines))
    return open_data(folder, 4)


people = st.lists(st.integers(-1, 5), min_size=12, max_size=12)
ids = st.lists(st.sampled_from(["", "a", "b", "c"]), min_size=12, max_size=12)
ties = st.dictionaries(st.integers(0, 5), st.sets(st.integers(0, 7), min_size=1, max_size=2), max_size=3)


@settings(max_examples=150, deadline=None)
@given(person=people, expr_id=ids, tie=ties, seed=st.integers(0, 5), need_truth=st.booleans())
def test_supply_is_exact(blank, person, expr_id, tie, seed, need_truth):
    """What can be paired, counted pair by pair; and every drawn pair keeps the rules."""
    parents = np.array(["+".join(f"p{j:02d}" for j in sorted(tie.get(p, ()))) for p in person], dtype=np.str_)
    manifest = replace(
        blank.manifest, subject=np.array(person), expr_id=np.array(expr_id, dtype=np.str_), parents=parents
    )
    kin = relatives_of(manifest)
    n, known = range(12), [p >= 0 for p in person]
    differ = lambda i, j: i != j and (expr_id[i] != expr_id[j] or expr_id[i] == "")  # noqa: E731
    apart = lambda i, j: known[i] and known[j] and not kin.related(person[i], person[j])  # noqa: E731
    can_same = [any(known[i] and person[i] == person[j] and differ(i, j) for j in n) for i in n]
    can_cross = [any(apart(i, j) for j in n) for i in n]
    can_triple = [any(apart(i, j) and expr_id[i] == expr_id[j] != "" and can_same[j] for j in n) for i in n]
    usable = [a or b for a, b in zip(can_same, can_triple if need_truth else can_cross, strict=True)]
    data = Data(manifest, Images(blank.images.blocks, blank.images.block, blank.images.row))
    if not any(usable):
        with pytest.raises(InputError, match="no pairs"):
            PairSampler(data, 12, seed, need_truth=need_truth)
        return
    sampler = PairSampler(data, 24, seed, need_truth=need_truth)
    told = sampler.describe()
    assert told["images giving same-person pairs"] == sum(can_same)
    assert told["images giving pairs of two people"] == sum(can_cross)
    assert told["images giving triples with another person"] == sum(can_triple)
    giving = {person[i] for i in n if can_triple[i]}
    assert told["subjects giving no triple"] == told["subjects"] - len(giving)
    assert told["images used as source"] == sum(usable)
    rows = sampler.rows(0)
    for source, target, truth in zip(rows.source, rows.target, rows.truth, strict=True):
        if person[source] == person[target]:
            assert differ(source, target) and truth == source
            continue
        assert apart(source, target)
        given_by = [j for j in n if person[j] == person[target] and expr_id[j] == expr_id[source] != ""]
        assert truth in given_by if given_by else truth == -1
        assert not need_truth or (truth >= 0 and differ(target, truth))


def test_pick_is_fair_even_where_few_will_do():
    labels = np.array([0] * 60 + [1] * 5 + [-1] * 3)
    groups = group(labels, 2)
    assert groups[1].tolist() == [60, 61, 62, 63, 64]
    rng = np.random.default_rng(0)
    fit = np.isin(np.arange(68), [3, 17, 59])  # so few that most places exhaust their TRIES
    rows = pick(rng, groups, np.zeros(3000, int), lambda at, offered: fit[offered])
    counts = np.bincount(rows, minlength=68)[[3, 17, 59]]
    assert counts.sum() == 3000 and ((counts - 1000) ** 2 / 1000).sum() < 14  # chi-square, p < 1e-3
    assert (57 / 60) ** TRIES > 0.5
    with pytest.raises(ValueError, match="no row that will do"):
        pick(rng, groups, np.array([1]), lambda at, offered: offered > 64)


def test_prefetch_gives_the_sampler_s_own_batches(data):
    sampler = PairSampler(data, 5, seed=0, augmentation=Augmentation())
    ahead = prefetch(sampler, 7, depth=3)
    assert all(same_bits(next(ahead), sampler.batch(step)) for step in range(7, 15))
    ahead.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]


def test_prefetch_raises_at_its_step_and_ends(data, monkeypatch):
    sampler = PairSampler(data, 5, seed=0)
    batch = sampler.batch

    def failing(step: int):
        if step == 4:
            raise InputError("step 4 is bad")
        return batch(step)

    monkeypatch.setattr(sampler, "batch", failing)
    ahead = prefetch(sampler, 2)
    assert same_bits(next(ahead), batch(2)) and same_bits(next(ahead), batch(3))
    with pytest.raises(InputError, match="step 4 is bad"):
        next(ahead)
    assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]


def test_the_photographs_give_triples(photofaces):
    manifest = read_manifest(photofaces)
    n = len(manifest)
    black = Images((np.zeros((1, 4, 4, 3), np.uint8),), np.zeros(n, int), np.zeros(n, int))
    sampler = PairSampler(Data(manifest, black).select(~manifest.test), 64, seed=0, need_truth=True)
    told = sampler.describe()
    assert told["images"] == told["images used as source"] == 8916 and told["subjects"] == 242
    assert told["images giving triples with another person"] > 7000
    m = sampler.data.manifest
    for step in range(10):
        rows = sampler.rows(step)
        np.testing.assert_array_equal(m.aus[rows.source], m.aus[rows.truth])
        np.testing.assert_array_equal(m.yaw[rows.source], m.yaw[rows.truth])
        np.testing.assert_array_equal(m.subject[rows.target], m.subject[rows.truth])


def test_alike_pairs_are_two_people_in_one_expression(data):
    sampler, manifest = PairSampler(data, 60, 0, same=0.4, alike=0.5), data.manifest
    for step in range(5):
        rows, batch = sampler.rows(step), sampler.batch(step)
        assert np.array_equal(batch.alike.numpy(), rows.alike) and rows.alike.any() and not rows.alike.all()
        at = rows.alike
        assert np.array_equal(rows.target[at], rows.truth[at])
        assert shows_the_same(manifest, rows.source[at], rows.target[at]).all()
        assert not related(manifest, rows.source[at], rows.target[at]).any()
        assert torch.equal(batch.truth[batch.alike], batch.target.image[batch.alike])
        same = manifest.subject[rows.source] == manifest.subject[rows.target]
        assert np.array_equal(batch.same.numpy(), same) and not (same & at).any()
    assert not any(PairSampler(data, 60, 0, same=0.4).batch(step).alike.any() for step in range(3))


def test_a_mirrored_head_looks_to_the_other_side(edit_rows):
    def turn(rows):
        for k, row in enumerate(rows):
            row["yaw"] = str(k % 3 * 20 - 15) if k % 4 else ""

    data = open_data(edit_rows(turn), 32)
    sampler = PairSampler(data, 40, 0, augmentation=Augmentation(margin=0.0, rotations=(0.0,)))
    batch, rows = sampler.batch(0), sampler.rows(0)
    signs = set()
    for shown, at in ((batch.source, rows.source), (batch.target, rows.target)):
        for k, row in enumerate(at.tolist()):
            yaw, kept = data.manifest.yaw[row], data.images[row]
            pixels = ((shown.image[k].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
            mirrored = not np.array_equal(pixels, kept)
            assert np.array_equal(pixels, kept[:, ::-1] if mirrored else kept)
            np.testing.assert_equal(shown.yaw[k].item(), -yaw if mirrored else yaw)
            signs.add(mirrored)
    assert signs == {True, False} and batch.source.yaw.isnan().any()
