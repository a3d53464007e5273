"""Weights by name and version: index, files and changelog agree; a pin takes what it says, or nothing."""

import json
import re
from pathlib import Path

import pytest

from mien.errors import InputError
from mien.models.io import load
from mien.weights.index import INDEX, VARIABLE, index_of, read_index, with_versions
from mien.weights.resolve import SUFFIX, ZOO, resolve, versions

ROOT = Path(__file__).parents[2]


def test_the_index_is_of_the_files_and_the_changelog_tells_each():
    index = read_index(ZOO / INDEX)
    for name, entry in index_of(ZOO.glob(f"*{SUFFIX}")).items():
        assert index[name]["sha256"] == entry["sha256"], f"{name}: run python docs/write_weights.py"
    told = re.findall(r"`(\w+@\d+)`", (ROOT / "docs" / "weights.md").read_text().split("## What changed")[1])
    assert {f"{name}@{version}" for name, version in versions().items()} <= set(told)
    assert set(versions()) == {path.stem for path in ZOO.glob(f"*{SUFFIX}")}


def test_a_pin_takes_its_version_or_nothing():
    number = versions()["evaluator"]
    assert resolve(f"evaluator@{number}") == resolve("evaluator") == resolve(f"judge@{number}")
    assert load(f"evaluator@{number}").config.image_size == 64
    with pytest.raises(InputError, match=rf"no weights 'evaluator@99': this mien brings evaluator@{number}"):
        load("evaluator@99")
    for odd in ("evaluator@", "evaluator@new", "evaluator@-1", "evaluator@²"):
        with pytest.raises(InputError, match=r"expected a whole number after @"):
            resolve(odd)
    with pytest.raises(InputError, match=r"no weights named 'nobody'; there are eet, "):
        resolve("nobody@1")


def test_a_folder_of_others_has_versions_too(tmp_path, monkeypatch):
    for name in ("evaluator", "eet"):
        (tmp_path / f"{name}{SUFFIX}").write_bytes(b"weights")
    index = index_of(tmp_path.glob(f"*{SUFFIX}"))
    index["evaluator"]["version"] = 99
    (tmp_path / INDEX).write_text(json.dumps(index))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert resolve("evaluator@99").parent == tmp_path == resolve("eet").parent
    assert resolve(f"evaluator@{versions()['evaluator']}").parent == ZOO  # the folder has another
    assert resolve(f"eet@{versions()['eet']}").parent == ZOO  # the folder does not say which it has


def test_a_file_may_have_the_mark_in_its_name(tmp_path):
    odd = tmp_path / f"mine@home{SUFFIX}"
    odd.write_bytes(b"weights")
    assert resolve(str(odd)) == odd


def test_changed_weights_have_the_next_version():
    before = {"a": {"sha256": "1", "version": 4}, "b": {"sha256": "2", "version": 1}}
    now = {"a": {"sha256": "1"}, "b": {"sha256": "3"}, "c": {"sha256": "4"}}
    assert {name: entry["version"] for name, entry in with_versions(now, before).items()} == {"a": 4, "b": 2, "c": 1}


def test_a_revision_is_asked_of_the_hub(monkeypatch):
    hub = pytest.importorskip("huggingface_hub")
    asked = []
    monkeypatch.setattr(hub, "hf_hub_download", lambda *words, **more: asked.append((words, more)) or "there")
    assert resolve("owner/name@v2") == Path("there") == resolve("owner/name")
    assert [more["revision"] for _, more in asked] == ["v2", None]
    assert asked[0][0] == ("owner/name", f"model{SUFFIX}")
