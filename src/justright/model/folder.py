"""The model folder: written in one go, every file named with its SHA-256 in a manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from justright.core.codec import from_document, to_document
from justright.core.errors import ModelError
from justright.core.task import Task
from justright.data.layout import embedded_values
from justright.deploy import network
from justright.deploy.network import Preprocessing
from justright.model.card import CardFacts, card_text
from justright.recipe.network import NetworkSpec, networks_in, stacked_shapes
from justright.recipe.recipe import Recipe

FORMAT = network.FORMAT
"""Version of the folder; a reader refuses newer ones."""

FILES = ("recipe.json", "preprocessing.json", "weights.safetensors", "card.md", "network.py")
"""What a folder holds beside its manifest."""

MANIFEST = "manifest.json"


def write_model(
    folder: str | Path,
    *,
    recipe: Recipe,
    spec: NetworkSpec,
    preprocessing: Preprocessing,
    weights: Mapping[str, np.ndarray],
    task: Task,
    facts: CardFacts | Mapping[str, Any],
) -> Path:
    """Write a model folder beside its place and move it there, so that nobody sees half of one.

    Args:
        folder: Where the model is to lie; a model that lies there is replaced.
        recipe: How the network was trained.
        spec: The network.
        preprocessing: Fitted on the network's training rows.
        weights: Tensors of `tensor_shapes` and `buffer_shapes`, of several networks `stacked`;
            others are left out.
        task: What is predicted.
        facts: What the card says, or the same as a document.

    Raises:
        ModelError: If a tensor is missing or of another shape, or the folder cannot be written.
    """
    networks = networks_in(spec, {name: array.shape for name, array in weights.items()})
    files = (
        recipe_document(recipe, spec, task, networks),
        preprocessing.document,
        model_tensors(spec, preprocessing, weights),
    )
    card = _card(facts, task, spec, len(files[1]["columns"]), networks)
    return write_files(folder, *files, card)


def stacked(networks: Sequence[Mapping[str, np.ndarray]]) -> Mapping[str, np.ndarray]:
    """The tensors of a network, or of several networks of one shape as one stack.

    >>> one, other = {"head.bias": np.zeros(2)}, {"head.bias": np.ones(2)}
    >>> stacked([one]) is one, stacked([one, other])["head.bias"].shape
    (True, (2, 2))
    """
    if len(networks) == 1:
        return networks[0]
    return {name: np.stack([each[name] for each in networks]) for name in networks[0]}


def write_files(
    folder: str | Path,
    recipe: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    card: str,
) -> Path:
    """Write the contents of a model folder as `write_model` does.

    Args:
        folder: Where the model is to lie; a model that lies there is replaced.
        recipe: What ``recipe.json`` is to hold: `recipe_document`.
        preprocessing: What ``preprocessing.json`` is to hold.
        tensors: All tensors: `model_tensors`.
        card: The card's text.

    Raises:
        ModelError: If the folder cannot be written.
    """
    folder = Path(folder)
    content = {
        "recipe.json": _json(recipe),
        "preprocessing.json": _json(preprocessing),
        "weights.safetensors": save(dict(tensors)),
        "card.md": card.encode(),
        "network.py": Path(network.__file__).read_bytes(),
    }
    _replace(folder, content)
    return folder


def update_card(folder: str | Path, facts: CardFacts | Mapping[str, Any]) -> None:
    """Write the card anew, once more is known, and its digest into the manifest.

    Raises:
        ModelError: If the folder is damaged or cannot be written.
    """
    folder = Path(folder)
    check_model(folder)
    content = {name: (folder / name).read_bytes() for name in FILES}
    recipe = json.loads(content["recipe.json"])
    task, spec = from_document(Task, recipe["task"]), from_document(NetworkSpec, recipe["network"])
    columns = len(json.loads(content["preprocessing.json"])["columns"])
    networks = networks_in(spec, recipe["tensors"])
    content["card.md"] = _card(facts, task, spec, columns, networks).encode()
    _replace(folder, content)


def check_model(folder: str | Path) -> dict[str, Any]:
    """Check a model folder against its manifest, and return the manifest.

    Raises:
        ModelError: If something is missing, damaged, edited, or of a newer format.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise ModelError(
            f"the model folder {str(folder)!r} {what}", hint="name studies/NAME/model"
        )
    manifest = _read_manifest(folder)
    for name in FILES:
        entry = manifest["files"].get(name)
        if not isinstance(entry, dict) or "sha256" not in entry:
            raise _damaged(folder / MANIFEST, f"does not name {name}")
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError as error:
            raise _damaged(folder / name, "is missing") from error
        except OSError as error:
            raise _damaged(folder / name, f"cannot be read ({error.strerror})") from error
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise _damaged(folder / name, "was changed after it was written")
    return manifest


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Check a model folder, and say of what cannot be read of it all the same that it is damaged.

    Raises:
        ModelError: If it is missing, damaged, edited by hand, or of a newer format.
    """
    check_model(folder)
    try:
        yield
    except (network.ModelError, OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, f"is damaged: {error}") from error


def documents(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``recipe.json`` and ``preprocessing.json`` hold."""
    recipe, preprocessing = (network.read_json(folder / name) for name in FILES[:2])
    return recipe, preprocessing


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{str(folder)!r} is no model folder: it has no {MANIFEST}",
            hint="name studies/NAME/model",
        ) from error
    except (OSError, ValueError) as error:
        raise _damaged(path, f"cannot be read ({error})") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if not isinstance(found, int) or not isinstance(manifest.get("files"), dict):
        raise _damaged(path, "names no format or no files")
    if found > FORMAT:
        raise ModelError(
            f"{str(folder)!r} is a model of format {found}, and this version reads up to {FORMAT}",
            hint="update justright: pip install -U justright",
        )
    return manifest


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(f"{str(path)!r} {what}", hint="restore the folder, or fit again")


def recipe_document(
    recipe: Recipe, spec: NetworkSpec, task: Task, networks: int = 1
) -> dict[str, Any]:
    """What ``recipe.json`` holds: the recipe, the network, the task, and the tensors' shapes."""
    tensors = stacked_shapes(spec, networks)
    return {
        "format": FORMAT,
        "recipe": to_document(recipe),
        "network": to_document(spec),
        "task": to_document(task),
        "tensors": {name: list(shape) for name, shape in tensors.items()},
    }


def model_tensors(
    spec: NetworkSpec, preprocessing: Preprocessing, weights: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """All tensors of the folder: the network's, or several networks', and those of text columns.

    Raises:
        ModelError: If a tensor is missing or of another shape.
    """
    found = {}
    networks = networks_in(spec, {name: array.shape for name, array in weights.items()})
    for name, shape in stacked_shapes(spec, networks).items():
        if name not in weights:
            raise ModelError(f"the weights have no tensor {name!r}")
        if weights[name].shape != shape:
            raise ModelError(f"tensor {name!r} is {weights[name].shape}, the network's is {shape}")
        found[name] = np.ascontiguousarray(weights[name])
    _fill_unseen(found, preprocessing)
    for name, array in preprocessing.arrays.items():
        if name.startswith("preprocessing/"):
            found[name] = np.ascontiguousarray(array)
    return found


def _fill_unseen(found: dict[str, np.ndarray], preprocessing: Preprocessing) -> None:
    """Give row 0 the mean of a table where no training row had an unseen value.

    Nothing has taught that row, so it would say something random about every new value.
    """
    embedded = [d for d in preprocessing.document["columns"] if embedded_values(d)]
    for index, described in enumerate(embedded):
        learned = [i for i, value in enumerate(embedded_values(described), 1) if value is not None]
        if described["unseen_rows"] == 0 and learned:
            table = found[f"categories.{index}.weight"].copy()
            table[..., 0, :] = table[..., learned, :].mean(axis=-2)
            found[f"categories.{index}.weight"] = table


def _json(document: Any) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _digests(content: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    return {
        name: {"sha256": hashlib.sha256(content[name]).hexdigest(), "bytes": len(content[name])}
        for name in FILES
    }


def _card(
    facts: CardFacts | Mapping[str, Any],
    task: Task,
    spec: NetworkSpec,
    columns: int,
    networks: int,
) -> str:
    known = facts if isinstance(facts, CardFacts) else from_document(CardFacts, facts)
    return card_text(known, task, spec, columns, networks)


def _replace(folder: Path, content: dict[str, bytes]) -> None:
    """Write files and their manifest into a new folder, and put it in the old one's place."""
    content[MANIFEST] = _json({"format": FORMAT, "files": _digests(content)})
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _swap(folder, content)
    except OSError as error:
        raise ModelError(
            f"cannot write the model folder {str(folder)!r} ({error.strerror or error})",
            hint="free space or choose another folder",
        ) from error


def _swap(folder: Path, content: Mapping[str, bytes]) -> None:
    mark = f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    fresh = folder.with_name(f".{folder.name}.{mark}.new")
    stale = folder.with_name(f".{folder.name}.{mark}.old")
    try:
        fresh.mkdir()
        for name, data in content.items():
            with (fresh / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():  # a folder cannot be renamed onto one that is not empty
            folder.rename(stale)
        fresh.rename(folder)
    finally:  # Ctrl-C between the two moves must not lose the old model
        if stale.exists() and not folder.exists():
            stale.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)
