"""Data sets as WebDataset shards: written, read back, streamed into training."""

import csv
import io
import json
import tarfile

import numpy as np
import pytest
import torch

from mien.data.dataset import open_data
from mien.data.manifest import read_manifest
from mien.data.sampling.streamed import StreamedSampler
from mien.data.sets import Sets, training_shards
from mien.data.shards import INDEX, open_shards, unpack, write_shards
from mien.errors import InputError
from mien.models.registry import create
from mien.training.settings import Settings
from mien.training.start import begin, sampler_of
from tests.cli.test_cli import run
from tests.helpers.tiny import TINY

pytest.importorskip("webdataset", reason="webdataset is missing: pip install 'mien[shards]'")


def labels(folder):
    with (folder / "metadata.csv").open(newline="", encoding="utf-8") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["file_name"])


def test_a_set_becomes_shards_and_the_same_set_again(faces_folder, tmp_path, capsys):
    (faces_folder / "dataset.json").write_text('{"people": "drawn"}')
    code, out, err = run(capsys, "data", "shards", faces_folder, "-o", tmp_path / "shards", "--images", "7")
    assert code == 0 and "3 shards" in out, err
    index = json.loads((tmp_path / "shards" / INDEX).read_text())
    assert [shard["images"] for shard in index["shards"]] == [10, 10, 5]  # people stay whole
    with tarfile.open(tmp_path / "shards" / "shard-000000.tar") as tar:  # as any other tool opens it
        names = tar.getnames()
        row = json.load(tar.extractfile("000000000.json"))
    assert len(names) == 20 and {name.split(".")[0] for name in names} == {f"{k:09d}" for k in range(10)}
    assert row in [{name: cell for name, cell in one.items() if cell} for one in labels(faces_folder)]
    code, out, _ = run(capsys, "data", "unpack", tmp_path / "shards", "-o", tmp_path / "again")
    assert code == 0 and "25 images" in out
    given = labels(faces_folder)
    assert [{k: v for k, v in row.items() if v} for row in labels(tmp_path / "again")] == [
        {k: v for k, v in row.items() if v} for row in given
    ]
    for row in given:
        assert (tmp_path / "again" / row["file_name"]).read_bytes() == (faces_folder / row["file_name"]).read_bytes()
    assert read_manifest(tmp_path / "again").people == "drawn"


def test_what_is_streamed_is_what_the_folder_holds(faces_folder, tmp_path):
    write_shards(faces_folder, tmp_path / "shards", 4)
    shards, whole = open_shards(tmp_path / "shards"), open_data(faces_folder, 32)
    place = {name: k for k, name in enumerate(whole.manifest.files)}
    stream = StreamedSampler(shards, 32, 5, seed=1, sampler_of=lambda data: data, held=2)
    seen = []
    for window in range(len(shards.files)):
        data = stream.sampler_at(window)
        rows = [place[name] for name in data.manifest.files]
        assert len(rows) == 10 and np.array_equal(data.images[:], whole.images[np.array(rows)])
        assert [data.manifest.subjects[k] for k in data.manifest.subject] == [
            whole.manifest.subjects[k] for k in whole.manifest.subject[rows]
        ]
        seen += stream.names(window)[:1]
    assert {k for window in range(len(shards.files)) for k in stream.names(window)} == set(range(len(shards.files)))


def test_a_batch_follows_from_seed_and_step(faces_folder, tmp_path):
    write_shards(faces_folder, tmp_path / "shards", 4)
    model = create("evaluator", **TINY["evaluator"])
    shards = training_shards(Sets((tmp_path / "shards",)))
    one, other = (sampler_of(model, shards, seed=3) for _ in range(2))
    later = [one.batch(step) for step in range(6)][5]
    again = other.batch(5)  # as a run that goes on asks for it
    assert torch.equal(later.source.image, again.source.image)
    assert torch.equal(later.target.aus.nan_to_num(-1), again.target.aus.nan_to_num(-1))
    assert later.source.subject.max() < len(shards.manifest.subjects)


def test_a_model_is_trained_from_shards(faces_folder, tmp_path):
    write_shards(faces_folder, tmp_path / "shards", 10)
    changes = {name: f"{value}" for name, value in TINY["ter_gan"].items() if name != "subjects"}
    settings = Settings(precision="32-true", accelerator="cpu")
    assert begin("ter_gan", "small", changes, Sets((tmp_path / "shards",)), tmp_path / "run", settings, validation=0.3)
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    assert told["pictures"] == 25 and told["people"] == 5 and (tmp_path / "run" / "checkpoint.safetensors").is_file()


def test_other_tools_shards_are_read_by_their_labels(faces_folder, tmp_path):
    (tmp_path / "shards").mkdir()
    picture = next((faces_folder / row["file_name"]).read_bytes() for row in labels(faces_folder))
    with tarfile.open(tmp_path / "shards" / "a.tar", "w") as tar:
        for name, content in (("x.png", picture), ("x.json", b'{"subject": "eve", "expression": "fear", "url": 1}')):
            about = tarfile.TarInfo(name)
            about.size = len(content)
            tar.addfile(about, io.BytesIO(content))
    assert unpack(tmp_path / "shards", tmp_path / "read") == 1
    assert labels(tmp_path / "read") == [{"file_name": "images/a-x.png", "subject": "eve", "expression": "fear"}]


def test_what_is_wrong_is_one_line(faces_folder, tmp_path):
    shards = tmp_path / "shards"
    write_shards(faces_folder, shards, 10)
    with pytest.raises(InputError, match="holds something else"):
        unpack(shards, faces_folder)
    with pytest.raises(InputError, match="shards are streamed alone"):
        training_shards(Sets((faces_folder, shards)))
    path = shards / "shard-000000.tar"
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"shard-000000\.tar: "):
        open_shards(shards).images(0, 32)
    path.unlink()
    with pytest.raises(InputError, match=r"names shard-000000.tar, which is not there"):
        open_shards(shards)
    with pytest.raises(InputError, match=r"holds no .tar"):
        unpack(faces_folder, tmp_path / "none")
