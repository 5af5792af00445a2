"""Scripts to notebooks: cells of the percent format, run, with pictures and tables kept.

    python notebooks/build.py            # all of them
    python notebooks/build.py 3_grid     # one

Everything else that a cell says (log lines, warnings, times, texts that may hold a path) is
dropped, and pictures are reduced to few colours, so that a notebook stays small and equal wherever
it is made.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image
from rich.progress import track

HERE = Path(__file__).parent
KEPT = ("image/png", "text/markdown")
"""Kinds of output that stay."""
WIDEST = 880
"""Pixels."""
COLOURS, REFINED = 40, 2
"""Of a picture, and rounds that move them to where most pixels are."""
TIMEOUT = 600
"""Seconds for one cell; machines differ."""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def scripts() -> list[Path]:
    """The notebooks as they are written, in order."""
    return sorted(HERE.glob("[0-9]_*.py"))


def read_script(path: Path) -> NotebookNode:
    """A script as a notebook without outputs; cells are numbered, so that ids do not change."""
    written = jupytext.read(path, fmt="py:percent")
    notebook = nbformat.v4.new_notebook(metadata=METADATA)
    for number, cell in enumerate(written.cells, start=1):
        make = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")
        notebook.cells.append(make(cell.source, id=f"cell-{number:02d}"))
    return notebook


def smaller(picture: str) -> str:
    """A PNG, in base64, in few colours and no wider than a page."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    if image.width > WIDEST:
        height = round(image.height * WIDEST / image.width)
        image = image.resize((WIDEST, height), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    few = image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, REFINED, dither=Image.Dither.NONE)
    few.save(stream, format="PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def kept_outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Pictures and Markdown of a cell."""
    kept = []
    for output in outputs:
        data: dict[str, Any] = {k: v for k, v in output.get("data", {}).items() if k in KEPT}
        if "image/png" in data:
            data["image/png"] = smaller(data["image/png"])
        if data:
            kept.append(nbformat.v4.new_output("display_data", data=data))
    return kept


def build(script: Path) -> Path:
    """Run a script as a notebook and write it beside the script."""
    notebook = read_script(script)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(HERE)}},
    )
    client.execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = kept_outputs(cell.outputs)
    notebook.metadata = nbformat.from_dict(METADATA)
    nbformat.validate(notebook)
    path = script.with_suffix(".ipynb")
    nbformat.write(notebook, path)
    return path


def main(names: list[str]) -> None:
    """Build the notebooks of these names, or all of them."""
    known = {script.stem: script for script in scripts()}
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SystemExit(
            f"no notebook is called {', '.join(unknown)}; there are {', '.join(known)}"
        )
    for name in track(names or list(known), "Notebooks"):
        path = build(known[name])
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
