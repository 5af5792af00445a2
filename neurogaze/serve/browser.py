"""A static folder that runs a student in the browser: page, model, contract, ONNX Runtime Web.

The page needs a static file server and nothing else: no Python, no other host, no cross-origin
isolation, as the runtime is told to use one thread. The runtime is fetched by npm when a folder is
built, or taken from files that are there already; none of it is part of this package.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from rich.console import Console

from neurogaze.artefacts import folder_written_aside, write_json
from neurogaze.deploy.contract import to_json
from neurogaze.deploy.onnx_file import OnnxFile, read_onnx
from neurogaze.deploy.targets import place_of
from neurogaze.errors import InputError
from neurogaze.strict_json import parse

RUNTIME = "onnxruntime-web"
RUNTIME_VERSION = "1.30.0"
RUNTIME_FILES = {
    "ort.wasm.bundle.min.mjs": "ort.js",  # servers tell the type of .js, not all that of .mjs
    "ort-wasm-simd-threaded.wasm": "ort.wasm",
}
"""Files of the runtime's `dist` folder, and their names beside the page."""

SETTINGS, MODEL = "demo.json", "model.onnx"
PAGES = "browser_pages"
KEYS = ("model", "bytes", "stamp", "contract")
"""Of the settings, by which an older demo is known."""
FETCH_SECONDS = 300
NEW_FOLDER = "give --out a new folder"
REMEDY = f"install Node.js, or give the dist folder of {RUNTIME} {RUNTIME_VERSION} as --runtime"


def build_browser_page(model: Path, out: Path, runtime: Path | None = None) -> Path:
    """Write the folder of the browser demo, aside and renamed.

    Args:
        model: ONNX file of a student that `neurogaze export` wrote.
        out: folder to write; an older demo there is replaced.
        runtime: folder with the `RUNTIME_FILES`, such as `node_modules/onnxruntime-web/dist`; None
            fetches them with npm.

    Returns:
        The page.

    Raises:
        InputError: for a file that is no ONNX student, for a folder that holds anything that is not
            of a demo or is reached in a circle, for missing runtime files, and where npm is missing
            or fails.
    """
    student, target = read_onnx(model), place_of(out)
    _check_replaceable(target)
    with _runtime(runtime) as fetched, folder_written_aside(target) as aside:
        for name, here in RUNTIME_FILES.items():
            shutil.copyfile(fetched / name, aside / here)
        for page in _pages():
            (aside / page.name).write_bytes(page.read_bytes())
        (aside / MODEL).write_bytes(student.content)
        write_json(aside / SETTINGS, _settings(student))
        _check_replaceable(target)  # npm may have taken minutes
    return target / "index.html"


def _pages() -> list[Traversable]:
    """Files of the page that are part of this package."""
    return list(files("neurogaze.serve").joinpath(PAGES).iterdir())


def _settings(model: OnnxFile) -> dict[str, object]:
    """What the page reads before the model."""
    stamp = model.contract.stamp
    told = f"Trained on generated faces: {stamp}." if stamp else ""
    values = MODEL, len(model.content), told, json.loads(to_json(model.contract))
    return dict(zip(KEYS, values, strict=True))


def _check_replaceable(out: Path) -> None:
    """Refuse to take the place of anything but an older demo or an empty folder.

    What takes its place removes all that is in it, so every file must be one that a build writes,
    and the settings must be those of a build.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not out.is_dir():
        raise InputError(out, "is a file", NEW_FOLDER)
    own = {page.name for page in _pages()} | {*RUNTIME_FILES.values(), SETTINGS, MODEL}
    for path in sorted(out.iterdir()):
        if path.name not in own or not path.is_file():
            found = f"holds something else than a browser demo: {path.name}"
            raise InputError(out, found, NEW_FOLDER)
    if not _is_demo(out / SETTINGS):
        raise InputError(out / SETTINGS, "is not that of a browser demo", NEW_FOLDER)


def _is_demo(settings: Path) -> bool:
    """Whether a file holds the settings that a build writes, or more."""
    try:
        found = parse(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and set(KEYS) <= set(found)


@contextmanager
def _runtime(given: Path | None) -> Iterator[Path]:
    """A folder with the files of the runtime; a fetched one is removed afterwards."""
    if given is not None:
        for name in RUNTIME_FILES:
            if not (given / name).is_file():
                raise InputError(given, f"lacks {name}", f"give the dist folder of {RUNTIME}")
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="neurogaze-browser-") as folder:
        fetch_runtime(Path(folder))
        yield Path(folder)


def fetch_runtime(folder: Path) -> None:
    """Fetch the pinned runtime with npm, which checks its hash, and keep the files that are needed.

    Args:
        folder: an existing folder that takes the `RUNTIME_FILES`.

    Raises:
        InputError: where npm is missing or fails, or the package lacks a file.
    """
    wanted, npm = f"{RUNTIME}@{RUNTIME_VERSION}", shutil.which("npm")
    if npm is None:
        raise InputError("npm", "is not installed", REMEDY)
    with Console(stderr=True).status(f"fetching {wanted} with npm"):
        _pack(npm, wanted, folder)
    packed = next(folder.glob("*.tgz"))
    _unpack(packed, folder)
    packed.unlink()


def _pack(npm: str, wanted: str, folder: Path) -> None:
    """Have npm put a package into a folder, without running anything of it."""
    command = [npm, "pack", wanted, "--ignore-scripts", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=FETCH_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"npm pack {wanted}", f"took over {FETCH_SECONDS} s", REMEDY) from error
    if done.returncode:
        first = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        raise InputError(f"npm pack {wanted}", f"failed: {first}", REMEDY)


def _unpack(packed: Path, folder: Path) -> None:
    """Take the needed files, and only these, out of an npm package."""
    with tarfile.open(packed) as archive:
        for name in RUNTIME_FILES:
            try:
                member = archive.extractfile(f"package/dist/{name}")
            except KeyError:
                member = None
            if member is None:
                raise InputError(packed.name, f"lacks dist/{name}", "report the version of npm")
            with member, (folder / name).open("wb") as stream:
                shutil.copyfileobj(member, stream)
