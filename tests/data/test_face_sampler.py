import numpy as np
import pytest
import torch

from mien.data.dataset import open_data
from mien.data.sampling.face_sampler import FaceSampler
from mien.errors import InputError
from mien.labels import AUS, EXPRESSIONS


def test_batches_follow_from_seed_and_step(faces_folder):
    data = open_data(faces_folder, 32)
    a, b = FaceSampler(data, 6, 3), FaceSampler(data, 6, 3)
    assert torch.equal(a.batch(5).both().image, b.batch(5).both().image)
    assert not torch.equal(a.batch(5).both().image, a.batch(6).both().image)


def test_shares_are_kept(edit_rows):
    def photographs(rows):
        for row in rows:
            row["kind"] = "real" if row["subject"] == "dee" else "rendered"

    data = open_data(edit_rows(photographs), 32)
    sampler = FaceSampler(data, 100, 0, neutral=0.5, unnamed=0.0, photographs=0.2)
    drawn = [sampler.batch(step).both() for step in range(5)]
    label = torch.cat([faces.expression for faces in drawn])
    real = torch.cat([faces.subject for faces in drawn]) == data.manifest.subjects.index("dee")
    rendered = label[~real]
    present = torch.tensor([EXPRESSIONS.index(w) for w in ("neutral", "happiness", "anger")])
    assert real.float().mean() == pytest.approx(0.2, abs=0.04)
    # five classes have no rendered picture: what is left is shared by those that have
    shares = [(rendered == w).float().mean().item() for w in present]
    assert shares == pytest.approx([0.5 / (0.5 + 2 / 14), 1 / 14 / (0.5 + 2 / 14), 1 / 14 / (0.5 + 2 / 14)], abs=0.05)


def test_mirrored_faces_have_mirrored_labels(faces_folder):
    data = open_data(faces_folder, 32)
    faces = FaceSampler(data, 100, 0).batch(0).both()
    anger = {data.images[i].tobytes() for i in np.flatnonzero(data.manifest.expression == EXPRESSIONS.index("anger"))}
    found = set()
    for k in np.flatnonzero(faces.expression == EXPRESSIONS.index("anger")):
        pixels = ((faces.image[k].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
        sides = faces.left[k, AUS.index(4)].item(), faces.right[k, AUS.index(4)].item()
        found.add((pixels.tobytes() in anger, sides))
    assert found == {(True, (4.0, 3.5)), (False, (3.5, 4.0))}


def test_data_without_anything_to_read_is_one_clear_line(edit_rows):
    def strip(rows):
        for row in rows:
            row.update({"expression": "", "AU04_L": "", "AU04_R": "", "AU12": ""})

    with pytest.raises(InputError, match="no image has an expression or action units"):
        FaceSampler(open_data(edit_rows(strip), 32), 4, 0)
