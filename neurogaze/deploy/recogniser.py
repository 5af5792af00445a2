"""One way to ask a student about faces, whichever file holds it.

An ONNX file runs in onnxruntime, a checkpoint in torch; both are checked before they say anything.
A `.pt2` program is not opened: `torch.export.load` unpickles tensors and constants (its own
documentation says never to load one from an untrusted source), evaluates the text of symbolic sizes
and may start compiled libraries that the file brings, so that no check made before loading could
make it safe. Whoever made such a file can load it with torch alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import entropy

from neurogaze.affect import anchors
from neurogaze.deploy.contract import Contract, contract_of
from neurogaze.deploy.network import (
    EXPORT_AGAIN,
    DeployedNetwork,
    Outputs,
    ask,
    check_finite,
    check_shapes,
    network_of,
    prepared,
)
from neurogaze.deploy.onnx_file import asking, read_onnx, start_session
from neurogaze.errors import InputError
from neurogaze.faces.reading import FACE_SIZE
from neurogaze.tasks.loading import load_task
from neurogaze.tasks.student import StudentTask

BATCH = 64
"""Faces that go through the network at once; memory does not grow beyond it."""

PROOF = (1, 2)
"""Blank faces that a file is asked about when it is opened: a graph may be right for one alone."""

Kind = Literal["onnx", "checkpoint"]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answers:
    """What a student says of faces, one row a face.

    Args:
        logits: `float32 [N, 8]`, as the network gives them.
        probabilities: `float64 [N, 8]`, after the temperature.
        embedding: `float32 [N, D]`.
        cosines: `float32 [N, K]` with the prototypes; K is 0 without a grid.
        contract: whose temperature, threshold and read-out they were made with.
    """

    logits: Floats
    probabilities: NDArray[np.float64]
    embedding: Floats
    cosines: Floats
    contract: Contract

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def label(self) -> NDArray[np.int64]:
        """Index of the likeliest emotion, `[N]`, given whether or not it is abstained from."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Largest probability, `[N]`."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def entropy(self) -> NDArray[np.float64]:
        """Entropy of the probabilities in nats, `[N]`, 0 to log 8."""
        return np.asarray(entropy(self.probabilities, axis=1), dtype=np.float64)

    @property
    def abstained(self) -> NDArray[np.bool_]:
        """Where confidence is below the contract's threshold, `[N]`."""
        return self.confidence < self.contract.abstain_below

    @property
    def va(self) -> NDArray[np.float64]:
        """Prototype-space valence and arousal, `[N, 2]`; NaN where the contract shows none.

        The expectation of the cell centres under a softmax of the cosines.
        """
        readout = self.contract.va
        if readout is None or not readout.shown:
            return np.full((len(self), 2), np.nan)
        weights = softmax(self.cosines.astype(np.float64) / readout.temperature, axis=1)
        return np.asarray(weights @ np.array(self.contract.centers))

    @property
    def anchored(self) -> NDArray[np.float64]:
        """Valence and arousal of the emotion words, weighted by the probabilities, `[N, 2]`."""
        return np.asarray(self.probabilities @ anchors())

    @property
    def nearest(self) -> NDArray[np.int64]:
        """Cell of the prototype with the largest cosine, `[N]`; -1 without a grid."""
        if not self.cosines.shape[1]:
            return np.full(len(self), -1, dtype=np.int64)
        return np.asarray(self.cosines.argmax(axis=1), dtype=np.int64)


def answers_of(outputs: Outputs, contract: Contract) -> Answers:
    """What the outputs of a network mean under its contract."""
    tempered = outputs.logits.astype(np.float64) / contract.temperature
    return Answers(
        logits=outputs.logits,
        probabilities=np.asarray(softmax(tempered, axis=1)),
        embedding=outputs.embedding,
        cosines=outputs.cosines,
        contract=contract,
    )


@dataclass(frozen=True)
class Recogniser:
    """A student ready to be asked.

    Args:
        contract: what stands between its weights and a statement.
        path: its file.
        kind: of the file.
        run: the network: `float32 [n, C, S, S]` to its outputs.
    """

    contract: Contract
    path: Path
    kind: Kind
    run: Callable[[Floats], Outputs]

    def answers(self, faces: NDArray[np.uint8]) -> Answers:
        """Ask about faces.

        Args:
            faces: grey `uint8 [N, 48, 48]`, any number of them, also none.

        Raises:
            InputError: for pictures of another type or size; naming the file, for a network that
                cannot be run, or whose answers have another shape than its contract says or are no
                numbers.
        """
        given = np.asarray(faces)
        if given.dtype != np.uint8 or given.shape[1:] != (FACE_SIZE, FACE_SIZE):
            found = f"are {given.dtype} of shape {given.shape}"
            raise InputError("faces", found, f"give grey uint8 [N, {FACE_SIZE}, {FACE_SIZE}]")
        starts = range(0, max(len(given), 1), BATCH)  # no face is one empty batch
        parts = [self._batch(given[i : i + BATCH]) for i in starts]
        if len({part.embedding.shape[1] for part in parts}) > 1:
            raise InputError(self.path, "gives embeddings of several widths", EXPORT_AGAIN)
        outputs = Outputs(*map(np.concatenate, zip(*parts, strict=True)))
        check_finite(outputs, self.path)
        answers = answers_of(outputs, self.contract)
        check_finite([answers.probabilities], self.path)  # over a tiny temperature logits overflow
        return answers

    def _batch(self, faces: NDArray[np.uint8]) -> Outputs:
        """Outputs of the right shape for faces that go through at once."""
        outputs = self.run(prepared(faces, self.contract.preprocessing))
        return check_shapes(outputs, len(faces), len(self.contract.centers), self.path)


def open_recogniser(path: Path, calibration: Path | None = None, threads: int = 0) -> Recogniser:
    """Open a model file, and refuse it unless its parts fit together and it answers.

    It is asked about a blank face and about two. Hashes find what was damaged, mixed up or edited
    in one place; they are no signatures. An ONNX file is sealed as a whole. A checkpoint binds hash
    and prototypes of its grid together; one of an earlier version does not, and what it says of its
    grid is repeated unseen.

    Args:
        path: `.onnx` written by `neurogaze export`, or the `.ckpt` of a student.
        calibration: what `neurogaze calibrate` wrote for a checkpoint; an ONNX file carries its
            own.
        threads: of onnxruntime, or of torch in the whole process; 0 lets them choose.

    Raises:
        InputError: for a file that is no such model, has no contract, was changed after its export,
            has another label order or other prototypes than it says, or cannot answer with
            numbers of the right shape; for a calibration of another checkpoint.
    """
    if not path.is_file():
        raise InputError(path, "no such file", "give a .onnx or .ckpt file of a student")
    if path.suffix == ".onnx":
        if calibration is not None:
            remedy = "leave it; give it to `neurogaze export` instead"
            raise InputError(calibration, f"cannot be used with {path.name}", remedy)
        return _open_onnx(path, threads)
    if path.suffix == ".ckpt":
        return _open_checkpoint(path, calibration, threads)
    if path.suffix == ".pt2":
        found = "is a torch program, which can run code when it is opened"
        raise InputError(path, found, "export the checkpoint again: neurogaze export --to onnx")
    raise InputError(path, f"has the suffix {path.suffix!r}", "give a .onnx or .ckpt file")


def _open_onnx(path: Path, threads: int) -> Recogniser:
    model = read_onnx(path)
    session = start_session(model.content, path, threads)
    return _proved(Recogniser(model.contract, path, "onnx", asking(session, path)))


def _open_checkpoint(path: Path, calibration: Path | None, threads: int) -> Recogniser:
    task = load_task(path, StudentTask)
    contract = contract_of(task, calibration, path)
    if threads:
        torch.set_num_threads(threads)
    return _proved(Recogniser(contract, path, "checkpoint", partial(_ask, path, network_of(task))))


def _ask(path: Path, network: DeployedNetwork, images: Floats) -> Outputs:
    """Ask a checkpoint's network; what torch cannot run is the file's fault."""
    try:
        return ask(network, images)
    except RuntimeError as error:
        found = f"cannot be run by torch ({type(error).__name__})"
        raise InputError(path, found, "train it again") from error


def _proved(recogniser: Recogniser) -> Recogniser:
    """A recogniser that answered about one blank face and about two."""
    for n in PROOF:
        recogniser.answers(np.zeros((n, FACE_SIZE, FACE_SIZE), np.uint8))
    return recogniser
