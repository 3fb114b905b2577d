"""Predict with a network that justright designed. This file needs numpy and PyTorch, nothing else.

It lies in every model folder, next to the files that it reads:

- ``preprocessing.json``   how the columns of a table become numbers, and what the targets are
- ``recipe.json``          the shape of the network
- ``weights.safetensors``  its weights; under ``preprocessing/`` what columns and intervals need

    predictor = load("studies/houses/model")
    predictor.predict({"size": np.array([61.0, 148.0]), "town": np.array(["Ulm", None])})
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FORMAT = 1  # version of the model folder
Document = Mapping[str, Any]
Arrays = Mapping[str, np.ndarray]
Columns = Mapping[str, Any]
"""Name to values: any 1-D array or list of numbers, texts, booleans or dates (None, NaN and NaT
are missing), or texts as `Coded`. Dates may also be seconds since 1970 (UTC)."""


class ModelError(Exception):
    """A model folder, or columns handed to it, that cannot be used."""


class Coded(NamedTuple):
    """Texts as places in a list of distinct values: codes int32 [rows], -1 is missing."""

    codes: np.ndarray
    values: Sequence[str]


class Preprocessing:
    """Columns to the features ``x`` and codes ``c`` of a network, and its outputs to targets.

    As RealMLP does it (Holzmüller et al. 2024): every feature is centred by its median, scaled by
    its quartiles and clipped smoothly; categories of few values become one feature per value, of
    many values a code for an embedding; missing is the median.
    """

    def __init__(self, document: Document, arrays: Arrays) -> None:
        self.document, self.arrays = document, arrays
        self.names = tuple(str(column["name"]) for column in document["columns"])
        self._centre, self._factor = (np.array(document[n], float) for n in ("centre", "factor"))

    def encode(self, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        """Columns to ``x`` float32 [rows, features], numbers first, then indicators, and ``c``
        int32 [rows, categories], where 0 is a value that training never or hardly saw.
        """
        x, c = self.raw(columns)
        return self.scaled(x).astype(np.float32), c

    def scaled(self, x: np.ndarray) -> np.ndarray:
        """Raw features, or the leading ones, centred, scaled and clipped; NaN becomes 0."""
        count, clip = x.shape[1], float(self.document["clip"])
        with np.errstate(over="ignore", invalid="ignore"):  # the largest numbers end at the clip
            x = np.clip((x - self._centre[:count]) * self._factor[:count], -1e30, 1e30)
        return np.nan_to_num(x / np.sqrt(1.0 + np.square(x / clip)))

    def raw(self, columns: Columns) -> tuple[np.ndarray, np.ndarray]:
        """The features before they are centred and scaled: ``x`` float64 with NaN, and ``c``."""
        if absent := [name for name in self.names if name not in columns]:
            raise ModelError(f"missing columns: {', '.join(map(repr, absent))}")
        numbers, indicators, codes = [], [], []
        for d in self.document["columns"]:
            part, missing = column_features(columns[str(d["name"])], d, self.arrays)
            if part.dtype == np.int32:
                codes.append(part)
            else:
                if (levels := np.array(d.get("levels", ()), np.float64)).size:
                    found = part[:, :1] == levels  # it is a category, too
                    codes.append((found.any(1) * (found.argmax(1) + 1))[:, None].astype(np.int32))
                first = int(d["encoding"] in ("number", "date"))
                numbers.append(part[:, :first])
                indicators.append(part[:, first:])
            indicators += [missing[:, None].astype(np.float64)] * bool(d["flag"])
        if len(lengths := {len(part) for part in numbers + indicators + codes}) > 1:
            raise ModelError(f"columns have different lengths: {sorted(lengths)}")
        c = np.concatenate(codes, axis=1) if codes else np.zeros((max(lengths), 0), np.int32)
        return np.concatenate([np.zeros((len(c), 0)), *numbers, *indicators], axis=1), c

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs to values [rows, targets] in the training range, or chances [rows, classes]."""
        target = self.document["target"]
        if not target["classes"]:
            own = target.get("curve", target)
            values = outputs * np.array(own["scale"]) + np.array(own["mean"])
            if "curve" in target:  # the network says square roots (Bartlett 1936)
                values = np.square(np.maximum(values, 0)) + np.array(own["shift"])
            return np.clip(values, np.array(target["low"]), np.array(target["high"]))
        outputs = outputs / target.get("temperature", 1.0)  # Guo et al. 2017
        if outputs.shape[1] == 1:  # the log-odds of the second class
            outputs = np.concatenate((np.zeros_like(outputs), outputs), axis=1)
        powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def interval(self, found: np.ndarray, level: float) -> np.ndarray:
        """Ends [2, rows, targets], or which [rows, classes]; split-conformal (Vovk 2005)."""
        if "preprocessing/held_out/ranks" not in self.arrays:
            raise ModelError("this model knows no errors of rows held out, so it has no intervals")
        ranks, errors = (self.arrays[f"preprocessing/held_out/{n}"] for n in ("ranks", "errors"))
        most = errors[np.searchsorted(ranks, np.ceil(ranks[-1] * level - 1e-9))]
        if not self.document["target"]["classes"]:
            return np.stack((found - most, found + most))
        return (1 - found <= most) | (found == found.max(axis=1, keepdims=True))

    def labels(self, probabilities: np.ndarray) -> np.ndarray:
        """The most probable class of each row, in the type that the table had."""
        names, kind = (self.document["target"][name] for name in ("classes", "label_type"))
        read = {"integer": int, "boolean": lambda text: text == "true"}.get(kind, str)
        return np.array([read(text) for text in names])[probabilities.argmax(axis=1)]


def column_features(values: Any, d: Document, arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """Features (float64, NaN if missing) or codes (int32) of a column; which rows are missing."""
    encoding = d["encoding"]
    if encoding in ("number", "date"):
        numbers = seconds_of(values) if encoding == "date" else numbers_of(values)
        parts = [numbers[:, None], *(cycle(numbers, period) for period in d.get("cycles", ()))]
        return np.concatenate(parts, axis=1), np.isnan(numbers)
    coded = coded_of(values)
    used, place = np.unique(coded.codes, return_inverse=True)  # each text is looked at once
    texts = [None, *(coded.values[code] if code >= 0 else None for code in used.tolist())]
    if encoding == "boolean":
        known = dict.fromkeys(d["false"], 0.0) | dict.fromkeys(d["true"], 1.0)
        table = np.array([[known.get((text or "").strip().lower(), np.nan)] for text in texts])
    elif encoding == "one_hot":
        table = np.array([[text == v for v in d["values"]] for text in texts], np.float64)
    elif encoding == "embedding":
        index = {text: i for i, text in enumerate(d["values"], start=1)}
        table = np.array([[index.get(text, 0) if text else 0] for text in texts], np.int32)
    else:  # text
        table = text_components(texts, arrays[f"{d['array']}/idf"], arrays[f"{d['array']}/weight"])
    return table[place + 1], coded.codes < 0


def cycle(seconds: np.ndarray, period: str) -> np.ndarray:
    """Sine and cosine [rows, 2] of the hour of the day, the day of the week or of the year."""
    known = np.isfinite(seconds)
    whole = np.where(known, np.clip(seconds, -1e11, 1e11), 0.0)
    days = np.floor(whole / 86_400)
    if period == "year":
        date = days.astype(np.int64).astype("datetime64[D]")
        turn = (date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(float) / 365.25
    else:  # 1 January 1970 was a Thursday
        turn = whole / 86_400 - days if period == "day" else (days + 3) % 7 / 7
    angle = np.where(known, 2 * np.pi * turn, np.nan)
    return np.stack((np.sin(angle), np.cos(angle)), axis=1)


def text_components(texts: Sequence[Any], idf: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted counts of hashed character n-grams, projected: [texts, components], NaN if None."""
    found = np.full((len(texts), weight.shape[1]), np.nan)
    known = [place for place, text in enumerate(texts) if text is not None]
    for start in range(0, len(known), 256):  # 256 × 4,096 counts stay in the processor's cache
        places = known[start : start + 256]
        terms = term_weights([texts[i] for i in places], idf).astype(np.float64)
        found[places] = terms @ weight  # in double precision a row means the same in any company
    return found


def term_weights(texts: Sequence[str], idf: np.ndarray) -> np.ndarray:
    """Log-counts times inverse document frequency, of length 1: float32 [texts, buckets]."""
    weights = np.log(ngram_counts(texts, len(idf)).astype(np.float32) + 1) * idf
    length = np.sqrt(np.einsum("ij,ij->i", weights, weights))[:, None]
    return weights / np.where(length > 0, length, 1.0)


def ngram_counts(texts: Sequence[str], buckets: int) -> np.ndarray:
    """How many pieces of 3 to 5 bytes of each text fall into each bucket: [texts, buckets]."""
    # 5,000 characters bound the time that one text can take; spaces mark the ends of words
    pieces = [f" {text[:5000].lower()} \0".encode(errors="replace") for text in texts]
    letters = np.frombuffer(b"".join(pieces), np.uint8).astype(np.uint32)
    owner = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    found = []
    for size in (3, 4, 5):
        n = max(len(letters) - size, 0)
        mixed = np.full(n, size, np.uint32)
        for step in range(size):
            mixed = mixed * np.uint32(0x01000193) + letters[step : step + n]
        mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x85EBCA6B)
        inside = owner[:n] == owner[size : size + n]  # else it reaches into the next text
        found.append(owner[:n][inside] * buckets + (mixed[inside] >> np.uint32(8)) % buckets)
    return np.bincount(np.concatenate(found), minlength=len(pieces) * buckets).reshape(-1, buckets)


def numbers_of(values: Any) -> np.ndarray:
    """A column as float64 with NaN for missing or unreadable."""
    array = np.asarray(values)
    if array.dtype.kind in "Mmbiuf":
        return seconds_of(array)
    return np.array([_or(np.nan, float, value) for value in array.tolist()], np.float64)


def seconds_of(values: Any) -> np.ndarray:
    """A column of dates as float64 seconds since 1970 (UTC) with NaN for missing or unreadable."""
    array = np.asarray(values)
    if array.dtype.kind in "biuf":
        return array.astype(np.float64)
    if array.dtype.kind not in "Mm":
        array = np.array([_or("NaT", np.datetime64, v) for v in array.tolist()], "datetime64[us]")
    whole = array.astype(f"{array.dtype.kind}8[us]").astype(np.int64)
    return np.where(np.isnat(array), np.nan, whole * 1e-6)


def coded_of(values: Any) -> Coded:
    """A column as `Coded` texts; 3 and 3.0 are the text "3", True is "true"."""
    if hasattr(values, "codes"):
        return values
    places: dict[str, int] = {}
    texts = [_text(value) for value in np.asarray(values).tolist()]
    codes = [-1 if text is None else places.setdefault(text, len(places)) for text in texts]
    return Coded(np.array(codes, np.int32), list(places))


def _or(default: Any, read: Callable[[Any], Any], value: Any) -> Any:
    try:
        return read(value)
    except (TypeError, ValueError):
        return default


def _text(value: Any) -> str | None:
    if value is None or value != value:  # NaN differs from itself
        return None
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    return str(value).lower() if isinstance(value, bool) else str(value)


class Network:
    """The trained network in double precision, of ``arrays`` by name, matrices as [inputs,
    outputs], of several networks stacked; ``classes`` says whether its outputs are logits."""

    def __init__(self, document: Document, arrays: Arrays, classes: bool = False) -> None:
        import torch  # noqa: PLC0415 (it takes a second; encoding and decoding do without)

        self._torch, self._shape, self._inputs = torch, document["shape"], document["inputs"]
        self._members, self._classes = self._shape.get("members", 1), classes
        bias, alone = arrays["head.bias"], 1 + (self._members > 1)
        stack = range(len(bias) if bias.ndim > alone else 0)
        own, *others = [{k: v[i] for k, v in arrays.items()} for i in stack] or [arrays]
        self._w = {k: torch.from_numpy(np.array(v, np.float64)) for k, v in own.items()}
        self._all = (self, *(Network(document, each, classes) for each in others))

    def outputs(self, x: np.ndarray, c: np.ndarray, batch: int = 4096) -> np.ndarray:
        """Outputs float64 [rows, outputs] for features ``x`` and codes ``c`` of the encoding."""
        parts = [np.zeros((0, self._inputs["outputs"]))]
        for start in range(0, len(x), batch):
            numbers = self._torch.from_numpy(x[start : start + batch].astype(np.float64))
            codes = self._torch.from_numpy(c[start : start + batch].astype(np.int64))
            found = [net._head(net._body(net._entry(numbers, codes))) for net in self._all]
            parts.append(self._together(self._torch.cat(found, dim=1)).numpy())
        return np.concatenate(parts)

    def _entry(self, x: Any, c: Any) -> Any:
        """Numbers or embeddings of them, indicators, categories, scaled: [rows * members, n]."""
        count = self._inputs["numbers"]
        parts = [self._numbers(x[:, :count]).flatten(1), x[:, count:]]
        parts += [self._w[f"categories.{i}.weight"][c[:, i]] for i in range(c.shape[1])]
        h = self._torch.cat(parts, dim=1) * (self._w["scale"] if self._shape["scale_layer"] else 1)
        return h if self._members == 1 else (h[:, None] * self._w["members.scale"]).flatten(0, 1)

    def _numbers(self, x: Any) -> Any:
        """Numbers [rows, n] as they are, or each embedded: [rows, n, width]."""
        torch, kind = self._torch, self._shape["numbers"]
        if kind == "none" or x.shape[1] == 0:
            return x
        if kind == "periodic":  # [cos(2π f x + p) W + b, x], Holzmüller et al. 2024
            angle = 2 * torch.pi * self._w["numbers.frequency"] * x[:, :, None]
            t = torch.cos(angle + self._w["numbers.phase"])
        else:  # how far x is through each bin, 0 to 1; the outer bins go on (Gorishniy 2022)
            width = (edges := self._w["numbers.edges"]).diff(dim=1)
            low, high = torch.zeros_like(width), torch.ones_like(width)
            low[:, 0], high[:, -1] = -torch.inf, torch.inf
            t = (x[:, :, None] - edges[:, :-1]) / torch.where(width > 0, width, 1.0)
            t = torch.where(width > 0, torch.minimum(torch.maximum(t, low), high), 0.0)
        e = torch.einsum("nfb,fbd->nfd", t, self._w["numbers.weight"]) + self._w["numbers.bias"]
        return torch.cat((e, x[:, :, None]), dim=2) if kind == "periodic" else e

    def _body(self, h: Any) -> Any:
        residual = self._shape["body"] == "residual"
        h = self._linear("stem", h) if residual else h
        for i in range(len(self._shape["hidden"])):
            if residual:
                inner = self._act(i, self._linear(f"layers.{i}", self._normal(i, h)))
                h = h + self._linear(f"layers.{i}.out", inner)
            else:
                h = self._act(i, self._normal(i, self._linear(f"layers.{i}", h)))
        return h

    def _head(self, h: Any) -> Any:
        """Outputs [rows, members, outputs]; members as in TabM-mini (Gorishniy 2024)."""
        if self._members == 1:
            return self._linear("head", h)[:, None]
        h = h.unflatten(0, (-1, self._members))
        return self._torch.einsum("rmu,muo->rmo", h, self._w["head.weight"]) + self._w["head.bias"]

    def _together(self, z: Any) -> Any:
        """Of members and networks (Lakshminarayanan 2017) the mean of values or probabilities."""
        if z.shape[1] == 1 or not self._classes:
            return z.mean(1)
        if z.shape[2] > 1:
            return z.log_softmax(2).logsumexp(1) - np.log(z.shape[1])
        log_p = self._torch.nn.functional.logsigmoid
        return log_p(z).logsumexp(1) - log_p(-z).logsumexp(1)

    def _linear(self, name: str, h: Any) -> Any:
        return h @ self._w[f"{name}.weight"] + self._w[f"{name}.bias"]

    def _normal(self, i: int, h: Any) -> Any:
        if (kind := self._shape["normaliser"]) == "none":
            return h
        mean, var = h.mean(1, keepdim=True), h.var(1, keepdim=True, correction=0)
        if kind == "batch":
            mean, var = self._w[f"norm.{i}.mean"], self._w[f"norm.{i}.var"]
        scaled = (h - mean) / self._torch.sqrt(var + 1e-5)
        return scaled * self._w[f"norm.{i}.gain"] + self._w[f"norm.{i}.bias"]

    def _act(self, i: int, z: Any) -> Any:
        name, f = self._shape["activation"], self._torch.nn.functional
        if name in ("prelu", "rrelu"):  # of the latter the mean of the slopes of training
            slope = self._w[f"layers.{i}.slope"] if name == "prelu" else (1 / 8 + 1 / 3) / 2
            return self._torch.where(z >= 0, z, slope * z)
        return getattr(f, name)(z)


class Predictor(NamedTuple):
    """A model folder, ready to predict."""

    preprocessing: Preprocessing
    network: Network

    def decoded(self, columns: Columns) -> np.ndarray:
        """Values [rows, targets], or probabilities [rows, classes]."""
        return self.preprocessing.decode(self.network.outputs(*self.preprocessing.encode(columns)))

    def predict(self, columns: Columns) -> np.ndarray:
        """Values [rows, targets], or the most probable class of each row."""
        found, target = self.decoded(columns), self.preprocessing.document["target"]
        return self.preprocessing.labels(found) if target["classes"] else found

    def probabilities(self, columns: Columns) -> np.ndarray:
        """Probabilities [rows, classes]."""
        if not self.preprocessing.document["target"]["classes"]:
            raise ModelError("this model predicts numbers, which have no probabilities")
        return self.decoded(columns)


def load(folder: str | Path) -> Predictor:
    """Read a model folder; `ModelError` if a file is missing, damaged, or of a newer format."""
    folder = Path(folder)
    recipe, document = (read_json(folder / f"{n}.json") for n in ("recipe", "preprocessing"))
    arrays = read_safetensors(folder / "weights.safetensors")
    own = {name: a for name, a in arrays.items() if name.startswith("preprocessing/")}
    for name, shape in recipe["tensors"].items():
        if name not in arrays or arrays[name].shape != tuple(shape):
            raise ModelError(f"{folder / 'weights.safetensors'}: {name!r} is not {shape}")
    weights = {name: array for name, array in arrays.items() if name not in own}
    network = Network(recipe["network"], weights, bool(document["target"]["classes"]))
    return Predictor(Preprocessing(document, own), network)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file of the folder and check its format."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} is missing or damaged: {error}") from error
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, int):
        raise ModelError(f"{path} is damaged: it names no format")
    if found > FORMAT:
        raise ModelError(f"{path} is of format {found}, newer than {FORMAT}: update justright")
    return document


def read_safetensors(path: str | Path) -> dict[str, np.ndarray]:
    """Read tensors: 8 bytes of length, a JSON header of types, shapes and offsets, the bytes."""
    types = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1"}
    try:
        data = Path(path).read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        header.pop("__metadata__", None)
        arrays = {}
        for name, entry in header.items():
            first, last = entry["data_offsets"]
            flat = np.frombuffer(data[start + first : start + last], types[entry["dtype"]])
            arrays[name] = flat.reshape(entry["shape"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is missing or damaged: {error}") from error
    return arrays
