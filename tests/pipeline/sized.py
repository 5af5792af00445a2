"""Grids in other numbers of cells without any recording, and an index of them for a bench."""

from dataclasses import replace
from pathlib import Path

from neurogaze.affect import cell_index, grid_centers, grid_edges
from neurogaze.artefacts import write_json
from neurogaze.pipeline.grid_set_settings import size_of
from neurogaze.prototypes.controls import random
from neurogaze.prototypes.grid import PrototypeGrid


def resized(grid: PrototypeGrid, size: int) -> PrototypeGrid:
    """Every cell takes what the grid has where its centre lies."""
    cells = cell_index(grid_centers(size), grid.size)
    names = ("prototypes", "counts", "n_subjects", "filled")
    columns = {name: getattr(grid, name)[cells] for name in names}
    return replace(grid, centers=grid_centers(size), edges=grid_edges(size), **columns)


def made_up_index(folder: Path, source: PrototypeGrid, kinds: tuple[str, ...]) -> Path:
    """An index of random grids for two seeds, each another one, in the size its kind names."""
    listed: dict[str, dict[str, dict[str, str]]] = {}
    for place, kind in enumerate(kinds):
        for seed in (0, 1):
            grid = random(resized(source, size_of(kind) or source.size), 10 * place + seed)
            grid.save(folder / f"{kind}-seed{seed}.npz")
            pin = {"path": f"{kind}-seed{seed}.npz", "sha256": grid.sha256}
            listed.setdefault(kind, {})[str(seed)] = pin
    write_json(folder / "index.json", {"name": "made up", "grids": listed})
    return folder / "index.json"
