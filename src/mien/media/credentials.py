"""Content credentials: a signature by the user's own certificate over a picture and how it was made.

After the C2PA specification 2 (https://spec.c2pa.org), by its own library, c2pa-python, an extra. What is signed: that
the photograph was opened and edited by a model, or that a model made the picture whole; with the words of the `Stamp`.
Nothing is sent anywhere: no time is stamped by a server, no certificate is looked up.
"""

from __future__ import annotations

import io
import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import InputError
from mien.files import path_text
from mien.media.provenance import Stamp
from mien.reading import read_bytes

# No thumbnails: one of the photograph would go on showing the face before the edit.
SETTINGS = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
_PEM = 1 << 20  # bytes of a chain or a key
CURVES = {256: "es256", 384: "es384", 521: "es512"}
WORDS = {
    "Trusted": "whole, and signed by somebody on your list of those to be trusted",
    "Valid": "whole, as it was signed; whether the signer can be trusted is for you to know",
    "Invalid": "changed since it was signed, or signed wrongly",
    "Damaged": "there is a signature, but it or the file is too damaged to be read",
}


@dataclass(frozen=True)
class Credentials:
    """What a picture's credentials say, and whether they hold."""

    signer: str  # the certificate's common name and organisation
    state: str  # a key of WORDS
    actions: tuple[str, ...]  # as c2pa.opened
    generator: str  # the program that signed


@dataclass(frozen=True)
class Signer:
    """A user's certificate chain, their own first, and key, both PEM; `algorithm` is C2PA's name of the key's."""

    certificates: bytes
    key: bytes
    algorithm: str

    def sign(self, data: bytes, form: str, stamp: Stamp, parent: Path | None = None) -> bytes:
        """Return a picture's bytes, of Pillow's format `form`, with credentials that say what `stamp` says.

        `parent` is the photograph that was edited: its hash is signed too, with credentials that it has.
        Raises InputError for a certificate that C2PA does not allow.
        """
        import c2pa

        info = c2pa.C2paSignerInfo(self.algorithm, self.certificates, self.key, None)
        signed = io.BytesIO()
        try:
            with (
                c2pa.Context.from_dict(SETTINGS) as context,
                c2pa.Signer.from_info(info) as signer,
                c2pa.Builder.from_json(json.dumps(_manifest(stamp, parent)), context) as builder,
            ):
                if parent is not None:
                    builder.set_intent(c2pa.C2paBuilderIntent.EDIT)  # puts "opened" before what was done
                    kind = mimetypes.guess_type(parent.name)[0] or "application/octet-stream"
                    with parent.open("rb") as file:
                        builder.add_ingredient(
                            {"title": path_text(parent.name), "relationship": "parentOf"}, kind, file
                        )
                builder.sign(signer, f"image/{form.lower()}", io.BytesIO(data), signed)
        except c2pa.C2paError as error:
            raise InputError(
                f"the picture cannot be signed ({error}); give the chain and key of a C2PA signer"
            ) from error
        return signed.getvalue()


def read_signer(certificates: Path, key: Path) -> Signer:
    """Return the signer of two PEM files: a certificate chain and its key, without a password.

    Raises InputError for what is no such file.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509 import load_pem_x509_certificates

    chain = read_bytes(certificates, "expected a certificate chain as PEM", _PEM)
    secret = read_bytes(key, "expected a private key as PEM", _PEM)
    try:
        own = load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise InputError(f"{certificates}: holds no certificate; expected a chain as PEM, your own first") from error
    try:
        private = load_pem_private_key(secret, password=None)
    except TypeError as error:
        raise InputError(f"{key}: has a password; write it without one, where nobody else can read it") from error
    except ValueError as error:
        raise InputError(f"{key}: holds no private key; expected PEM (PKCS #8)") from error
    if private.public_key() != own.public_key():
        raise InputError(f"{key}: is not the key of {certificates}; give the two that belong together")
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.key_size in CURVES:
        return Signer(chain, secret, CURVES[private.curve.key_size])
    if isinstance(private, rsa.RSAPrivateKey):
        return Signer(chain, secret, "ps256")
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Signer(chain, secret, "ed25519")
    raise InputError(f"{key}: C2PA signs with EC (P-256, P-384, P-521), RSA or Ed25519 keys; make one of them")


def read_credentials(path: Path, anchors: bytes | None = None) -> Credentials | None:
    """Return what a picture's credentials say, None where it has none; `anchors` are PEM certificates to be trusted."""
    import c2pa

    settings: dict[str, Any] = {**SETTINGS}
    if anchors:
        settings |= {"trust": {"trust_anchors": anchors.decode()}}
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        with (
            path.open("rb") as file,
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(kind, file, context=context) as reader,
        ):
            manifest, state = reader.get_active_manifest() or {}, reader.get_validation_state() or "Invalid"
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError:  # there is a box of them, but it, or the file around it, cannot be parsed
        return Credentials("", "Damaged", (), "")
    who = manifest.get("signature_info", {})
    signer = ", ".join(who[name] for name in ("common_name", "issuer") if who.get(name))
    done = [a["action"] for item in manifest.get("assertions", []) for a in item.get("data", {}).get("actions", [])]
    tool = (manifest.get("claim_generator_info") or [{}])[0]
    return Credentials(signer, state, tuple(done), f"{tool.get('name', '')} {tool.get('version', '')}".strip())


def _manifest(stamp: Stamp, parent: Path | None) -> dict[str, Any]:
    """Return a manifest as C2PA's library takes it: one action, with the stamp's words."""
    name, _, number = stamp.software.partition(" ")
    action = {
        "action": "c2pa.created" if parent is None else "c2pa.edited",
        "digitalSourceType": stamp.source_type,
        "softwareAgent": {"name": name, "version": number},
        "description": stamp.description,
        "parameters": {"mien.model": stamp.model, "mien.weights": stamp.weights or "", "mien.asked": stamp.operation},
    }
    return {
        "claim_generator_info": [{"name": name, "version": number}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
