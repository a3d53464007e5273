"""Models to and from the Hugging Face hub, offline: folders, cards, what the hub would be sent."""

from pathlib import Path

import pytest
import torch

from mien.errors import InputError
from mien.models.hub import card_of, from_pretrained
from mien.models.registry import FAMILIES, create
from tests.helpers.tiny import TINY

hub = pytest.importorskip("huggingface_hub", reason="the hub's package is missing: pip install 'mien[hub]'")
ZOO = Path(__file__).parents[2] / "src" / "mien" / "zoo"
LICENCES = ("apache-2.0", "cc-by-4.0")
TAGS = ("image-to-image", "image-classification", "keypoint-detection")  # the hub's words for tasks


@pytest.fixture
def model():
    torch.manual_seed(0)
    return create("evaluator", **TINY["evaluator"]).eval()


def check(card, licence):
    """Check a card's metadata as the hub's own package reads it."""
    data = hub.ModelCard(card).data
    assert data.library_name == "mien" and data.license == licence and data.pipeline_tag in TAGS
    assert data.tags and all(tag == tag.lower() and " " not in tag for tag in data.tags)
    again = hub.ModelCardData(**data.to_dict())
    assert again.to_dict() == data.to_dict()


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.md")), ids=lambda path: path.stem)
def test_the_packages_cards_validate(path):
    check(path.read_text(), "cc-by-4.0")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_made_card_validates(name):
    tiny = create(name, **TINY[name]) if name in TINY else create(name)
    check(card_of(tiny, "apache-2.0"), "apache-2.0")


def test_a_folder_holds_a_model(model, tmp_path):
    model.save_pretrained(tmp_path / "mine", license="cc-by-4.0")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"model.safetensors", "README.md"}
    check((tmp_path / "mine" / "README.md").read_text(), "cc-by-4.0")
    again = from_pretrained(str(tmp_path / "mine"))
    face = torch.rand(1, 3, model.config.image_size, model.config.image_size) * 2 - 1
    with torch.inference_mode():
        assert torch.equal(again.recognize(face).probabilities, model.recognize(face).probabilities)
    assert type(type(model).from_pretrained(str(tmp_path / "mine"))) is type(model)
    with pytest.raises(InputError, match="is a Evaluator, no Eet; "):
        FAMILIES["eet"].from_pretrained(str(tmp_path / "mine"))


def test_what_is_sent_to_the_hub(model, monkeypatch):
    sent = {}

    class Api:
        def __init__(self, token=None):
            sent["token"] = token

        def create_repo(self, name, private, exist_ok):
            sent.update(name=name, private=private, exist_ok=exist_ok)

        def upload_folder(self, repo_id, folder_path, commit_message):
            sent.update(repo_id=repo_id, files={path.name for path in Path(folder_path).iterdir()})
            return "address"

    monkeypatch.setattr(hub, "HfApi", Api)
    assert model.push_to_hub("you/net", license="cc-by-4.0", private=True, token="t") == "address"
    assert sent == {
        "token": "t", "name": "you/net", "private": True, "exist_ok": True, "repo_id": "you/net",
        "files": {"model.safetensors", "README.md"},
    }  # fmt: skip
    monkeypatch.setattr(Api, "upload_folder", lambda *_, **__: (_ for _ in ()).throw(OSError("no\nway")))
    with pytest.raises(InputError, match=r"^'you/net': the hub refuses \(no way\)$"):
        model.push_to_hub("you/net")
    with pytest.raises(InputError, match="expected the name of a repository on the hub, owner/name"):
        model.push_to_hub("net")


def test_a_data_set_is_read_in_one_line(faces_folder):
    datasets = pytest.importorskip("datasets", reason="Hugging Face's datasets is missing: pip install datasets")
    found = datasets.load_dataset("imagefolder", data_dir=str(faces_folder), split="train")
    assert len(found) == 25 and {"image", "subject", "expression", "AU12"} <= set(found.column_names)
