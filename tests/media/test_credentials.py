"""Content credentials with certificates made on the spot, read by C2PA's own library; and what `mien info` says."""

import datetime
import io
import json
import sys

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from mien.errors import InputError
from mien.media.credentials import read_credentials, read_signer
from mien.media.provenance import Stamp, read_stamp
from tests.cli.test_cli import run

c2pa = pytest.importorskip("c2pa", reason="signing needs c2pa-python: pip install 'mien[provenance]'")
x509 = pytest.importorskip("cryptography.x509", reason="certificates need cryptography, which c2pa-python brings")
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

STAMP = Stamp("mien 0.1.0", "eet", "edit: fear 1.00", "in.png", weights="ab12")
PEM = serialization.Encoding.PEM
KEYS = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "dsa": lambda: dsa.generate_private_key(2048),
}


def name(common):
    return x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, common), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lake Studio")]
    )


def certificate(common, key, issuer, issuer_key, authority):
    """Return a certificate as C2PA wants it: usage, extended usage, both key identifiers."""
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    usage = x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False)
    built = x509.CertificateBuilder(name(issuer), name(common), key.public_key(), x509.random_serial_number())
    built = built.not_valid_before(now - day).not_valid_after(now + day).add_extension(usage, critical=True)
    built = built.add_extension(x509.BasicConstraints(authority, None), critical=True)
    built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    built = built.add_extension(above, critical=False)
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        built = built.add_extension(purpose, critical=False)
    return built.sign(issuer_key, hashes.SHA256())


def write_pair(folder, kind="es256"):
    """Write CERT.pem, a chain of Ann's certificate and its root, KEY.pem and ROOT.pem; return the first two."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), KEYS[kind]()
    root = certificate("Root", root_key, "Root", root_key, True)
    own = certificate("Ann", key, "Root", root_key, False)
    (folder / "CERT.pem").write_bytes(own.public_bytes(PEM) + root.public_bytes(PEM))
    (folder / "ROOT.pem").write_bytes(root.public_bytes(PEM))
    text = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "KEY.pem").write_bytes(text)
    return folder / "CERT.pem", folder / "KEY.pem"


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "in.png"
    Image.fromarray(astronaut()).save(path)
    return path


def encoded(form):
    data = io.BytesIO()
    Image.fromarray(astronaut()).save(data, form)
    return data.getvalue()


@pytest.mark.parametrize(("form", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("WEBP", ".webp")])
def test_what_is_signed_can_be_verified_and_says_what_was_done(tmp_path, photo, form, suffix):
    signer = read_signer(*write_pair(tmp_path))
    data = encoded(form)
    signed = signer.sign(data, form, STAMP, photo)
    path = tmp_path / f"out{suffix}"
    path.write_bytes(signed)
    with Image.open(path) as after, Image.open(io.BytesIO(data)) as before:
        assert np.array_equal(np.asarray(after), np.asarray(before))
    # By the library, with the root as what is to be trusted.
    root = (tmp_path / "ROOT.pem").read_text()
    with (
        c2pa.Context.from_dict({"trust": {"trust_anchors": root}}) as trusting,
        c2pa.Reader(f"image/{form.lower()}", io.BytesIO(signed), context=trusting) as reader,
    ):
        assert reader.get_validation_state() == "Trusted"
        manifest = reader.get_active_manifest()
    actions = manifest["assertions"][0]["data"]["actions"]
    assert [a["action"] for a in actions] == ["c2pa.opened", "c2pa.edited"]
    assert actions[1]["digitalSourceType"].endswith("/compositeWithTrainedAlgorithmicMedia")
    assert actions[1]["description"] == STAMP.description
    assert actions[1]["parameters"] == {"mien.model": "eet", "mien.weights": "ab12", "mien.asked": "edit: fear 1.00"}
    (parent,) = manifest["ingredients"]
    assert (parent["title"], parent["relationship"], "thumbnail" in parent) == ("in.png", "parentOf", False)
    # By ours.
    found = read_credentials(path)
    assert (found.signer, found.state, found.generator) == ("Ann, Lake Studio", "Valid", "mien 0.1.0")
    assert read_credentials(path, root.encode()).state == "Trusted"


def test_a_picture_made_whole_was_created_not_edited(tmp_path):
    signer = read_signer(*write_pair(tmp_path))
    (tmp_path / "o.png").write_bytes(signer.sign(encoded("PNG"), "PNG", Stamp("mien 0.1.0", "expr_gan", "invent")))
    with c2pa.Reader(str(tmp_path / "o.png")) as reader:
        (action,) = reader.get_active_manifest()["assertions"][0]["data"]["actions"]
        assert reader.get_validation_state() == "Valid"
    assert action["action"] == "c2pa.created" and action["digitalSourceType"].endswith("/trainedAlgorithmicMedia")


def test_one_changed_pixel_breaks_the_seal(tmp_path, photo):
    signer = read_signer(*write_pair(tmp_path))
    signed = bytearray(signer.sign(encoded("JPEG"), "JPEG", STAMP, photo))
    signed[-2000] ^= 1
    (tmp_path / "o.jpg").write_bytes(signed)
    assert read_credentials(tmp_path / "o.jpg").state == "Invalid"


@pytest.mark.parametrize("kind", ["es384", "es512", "ps256", "ed25519"])
def test_every_kind_of_key_that_c2pa_takes(tmp_path, photo, kind):
    signer = read_signer(*write_pair(tmp_path, kind))
    assert signer.algorithm == kind
    (tmp_path / "o.png").write_bytes(signer.sign(encoded("PNG"), "PNG", STAMP, photo))
    assert read_credentials(tmp_path / "o.png", (tmp_path / "ROOT.pem").read_bytes()).state == "Trusted"


def test_an_edit_of_an_edit_keeps_the_first_ones_credentials(tmp_path, photo):
    signer = read_signer(*write_pair(tmp_path))
    (tmp_path / "a.png").write_bytes(signer.sign(encoded("PNG"), "PNG", STAMP, photo))
    (tmp_path / "b.png").write_bytes(signer.sign(encoded("PNG"), "PNG", STAMP, tmp_path / "a.png"))
    with c2pa.Reader(str(tmp_path / "b.png")) as reader:
        assert len(json.loads(reader.json())["manifests"]) == 2
        assert reader.get_active_manifest()["ingredients"][0]["active_manifest"]


def make_bad(kind, folder):
    cert, key = write_pair(folder, "dsa" if kind == "dsa" else "es256")
    if kind == "no certificate":
        cert.write_text("hello")
    elif kind == "no key":
        key.write_text("hello")
    elif kind == "password":
        secret = KEYS["es256"]()
        locked = serialization.BestAvailableEncryption(b"word")
        key.write_bytes(secret.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
    elif kind == "another's key":
        other = KEYS["es256"]()
        key.write_bytes(other.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    elif kind == "missing":
        key.unlink()
    return cert, key


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("no certificate", r"CERT\.pem: holds no certificate; expected a chain as PEM"),
        ("no key", r"KEY\.pem: holds no private key; expected PEM"),
        ("password", r"KEY\.pem: has a password"),
        ("another's key", r"KEY\.pem: is not the key of .*CERT\.pem"),
        ("missing", r"KEY\.pem: there is no such file; expected a private key"),
        ("dsa", r"KEY\.pem: C2PA signs with EC"),
    ],
)
def test_certificates_that_cannot_be_used_are_one_line(tmp_path, kind, says):
    with pytest.raises(InputError, match=says) as caught:
        read_signer(*make_bad(kind, tmp_path))
    assert "\n" not in str(caught.value)


def test_the_shell_signs_and_tells(tmp_path, photo, capsys):
    cert, key = write_pair(tmp_path)
    output = tmp_path / "out.webp"
    words = ("neutralize", photo, "-o", output, "--model", "jesrl", "--sign", cert, key, "--receipt")
    code, _, err = run(capsys, *words)
    assert code == 0, err
    stamp = read_stamp(output)
    assert stamp.operation == "neutralize" and stamp.source == "in.png" and len(stamp.weights) == 64
    code, out, _ = run(capsys, "info", output)
    assert code == 0 and stamp.description in out and stamp.weights in out
    assert "signed  by Ann, Lake Studio: whole, as it was signed" in out
    code, out, _ = run(capsys, "info", output, "--json")
    told = json.loads(out)
    assert told["stamp"]["model"] == "jesrl" and told["credentials"]["state"] == "Valid" and told["signed"]
    code, out, _ = run(capsys, "info", photo)
    assert code == 0 and "no note of mien's" in out and "signed  no" in out
    code, _, err = run(capsys, "info", cert)
    assert code == 2 and "expected a PNG, JPEG, WebP or GIF image" in err and err.count("\n") == 1
    code, _, err = run(capsys, *words[:-3], tmp_path / "none.pem", key)
    assert code == 2 and "none.pem: there is no such file" in err and err.count("\n") == 1


def test_without_the_library_a_signature_is_still_seen(tmp_path, photo, capsys, monkeypatch):
    cert, key = write_pair(tmp_path)
    (tmp_path / "o.png").write_bytes(read_signer(cert, key).sign(encoded("PNG"), "PNG", STAMP, photo))
    monkeypatch.setitem(sys.modules, "c2pa", None)
    code, out, _ = run(capsys, "info", tmp_path / "o.png")
    assert code == 0 and "signed  yes; to read it, pip install 'mien[provenance]'" in out
    words = ("neutralize", photo, "-o", tmp_path / "n.png", "--sign", cert, key)
    code, _, err = run(capsys, *words)
    assert code == 2 and "needs the package c2pa" in err and not (tmp_path / "n.png").exists()
