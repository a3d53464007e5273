"""What stands beside the package: a Space, nodes of ComfyUI, a client of the page; without those programs."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from mien.controls import Controls
from mien.editing.editor import Editor
from mien.errors import InputError
from mien.media.provenance import read_stamp

ROOT = Path(__file__).parents[2]


def load(name, path, package=False):
    """Import a file as those programs do: by where it lies."""
    more = {"submodule_search_locations": [str(path.parent)]} if package else {}
    spec = importlib.util.spec_from_file_location(name, path, **more)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nodes():
    return load("comfyui_mien", ROOT / "integrations/comfyui/__init__.py", package=True)


@pytest.fixture(scope="module")
def picture():
    return torch.from_numpy(astronaut()[None].copy()).float() / 255


def arguments(node, **given):
    """Return what ComfyUI would give a node: its defaults, but for those given."""
    inputs = node.INPUT_TYPES()["required"]
    usual = {
        name: (kind[1]["default"] if len(kind) > 1 else kind[0][0])
        for name, kind in inputs.items()
        if name not in given
    }
    return usual | given


def test_a_node_edits_as_the_editor_does(nodes, picture):
    node = nodes.NODE_CLASS_MAPPINGS["MienEdit"]
    assert set(nodes.NODE_DISPLAY_NAME_MAPPINGS) == set(nodes.NODE_CLASS_MAPPINGS)
    asked = arguments(node, image=picture, expression="surprise", units="43L=5", yaw=5.0)
    (made,) = getattr(node(), node.FUNCTION)(**asked)
    assert made.shape == picture.shape and made.dtype == torch.float32
    wanted = Editor("fields").ask(astronaut(), Controls("surprise", aus={"43L": 5.0}, turn=(5.0, 0.0))).rgb
    assert np.array_equal((255 * made[0]).round().byte().numpy(), wanted)
    (same,) = node().edit(**arguments(node, image=picture, expression="as it is"))
    assert same is picture


def test_a_node_takes_over_an_expression(nodes, picture):
    node = nodes.NODE_CLASS_MAPPINGS["MienTransfer"]
    both = picture.repeat(2, 1, 1, 1)
    (made,) = getattr(node(), node.FUNCTION)(**arguments(node, image=both, like=picture.flip(2), part="mouth"))
    assert made.shape == both.shape and torch.equal(made[0], made[1]) and (made[0] != picture[0]).any()


def test_a_picture_without_a_face_is_a_line(nodes):
    node = nodes.NODE_CLASS_MAPPINGS["MienEdit"]
    with pytest.raises(InputError, match="no face"):
        node().edit(**arguments(node, image=torch.zeros(1, 64, 64, 3)))


def test_a_space_serves_the_page_behind_its_proxy_and_within_its_website():
    pytest.importorskip("starlette", reason="starlette is not installed: pip install 'mien[web]'")
    from inspect import signature

    from mien.web.server import serve

    space = load("mien_space", ROOT / "spaces/app.py")
    for host in ("", "me-mien.hf.space"):
        signature(serve).bind(**space.settings(host))
    told = space.settings("me-mien.hf.space")
    assert (told["allow"], told["frames"]) == (["https://me-mien.hf.space"], ["https://huggingface.co"])
    front = (ROOT / "spaces/README.md").read_text().split("---")[1]
    assert "sdk: docker" in front and f"app_port: {space.PORT}" in front
    assert "web" in (ROOT / "spaces/requirements.txt").read_text()


def test_the_example_client_asks_the_page(tmp_path):
    pytest.importorskip("starlette", reason="starlette is not installed: pip install 'mien[web]'")
    import socket

    from mien.web.application import Application
    from mien.web.door.origins import Origins
    from mien.web.server import serving
    from mien.web.studio import Studio

    client = load("page_client", ROOT / "integrations/page_client.py")
    editors = {name: Editor(name) for name in ("fields", "evaluator")}
    app = Application(Studio(editors, editors["evaluator"]), tmp_path / "app", "fields")
    Image.fromarray(astronaut()).save(tmp_path / "me.png")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving(app.guarded(Origins(), port=port), "127.0.0.1", port):
        client.main(tmp_path / "me.png", tmp_path / "out.png", f"http://127.0.0.1:{port}")
        with pytest.raises(ValueError, match="no face 9"):
            asking = client.Client(f"http://127.0.0.1:{port}")
            asking.send(tmp_path / "me.png")
            asking.post("steps", {"face": 9, "look": {}})
    assert "happiness 0.80+wink-left" in read_stamp(tmp_path / "out.png").operation
