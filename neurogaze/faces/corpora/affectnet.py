"""AffectNet as first released: pictures as found, and lists with a class and a face box each."""

from __future__ import annotations

from pathlib import Path

from neurogaze.faces.corpora.affectnet_lists import list_manual
from neurogaze.faces.corpora.labelled import Listed, listed_identity, read_listed
from neurogaze.faces.corpora.places import first_place, root_of, root_remedy
from neurogaze.faces.images import FaceCorpus, FaceTable, unknown_split

LISTS = {"train": "training.csv", "valid": "validation.csv"}
LIST_FOLDERS = (
    "",
    "Manually_Annotated_file_lists/",
    "Manually_Annotated/",
    "Manually_Annotated/Manually_Annotated_file_lists/",
)
IMAGE_FOLDERS = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
OTHER_FORMS = "for other forms of AffectNet see AffectNet8Label, AffectNetFolders, AffectNetMini"


class AffectNet(FaceCorpus):
    """Manually annotated AffectNet with `training.csv` and `validation.csv`.

    Mollahosseini, Hasani and Mahoor (2019), IEEE Trans. Affect. Comput. 10(1). Faces are cut out
    by the box of the list.

    Args:
        root: folder that holds `Manually_Annotated_Images` and the lists, themselves or in their
            usual folders; by default the environment variable `NEUROGAZE_AFFECTNET`.
        strict: raise at the first picture that is missing or unreadable, rather than skip it.
    """

    def __init__(self, root: Path | None = None, strict: bool = False) -> None:
        self.name = "affectnet"
        self.strict = strict
        self._root = root
        self._listed: dict[str, Listed] = {}

    def listed(self, split: str) -> Listed:
        """Pictures of a split by its list, which is read once.

        Raises:
            InputError: for an unknown split, or lists or folders that are missing or unusable.
        """
        if split not in LISTS:
            raise unknown_split(self.name, split, tuple(LISTS))
        if split not in self._listed:
            root, remedy = (
                root_of(self._root, self.name),
                f"{root_remedy(self.name)}; {OTHER_FORMS}",
            )
            path = first_place(root, [f"{place}{LISTS[split]}" for place in LIST_FOLDERS], remedy)
            images = first_place(root, IMAGE_FOLDERS, remedy)
            self._listed[split] = list_manual(path, images, split)
        return self._listed[split]

    def load(self, split: str, progress: bool = False) -> FaceTable:
        """Read "train" or "valid" in the order of its list.

        Raises:
            InputError: as `listed`, or when no picture can be read.
        """
        return read_listed(self.listed(split), self.name, split, self.strict, progress)

    def identity(self, split: str) -> dict[str, str | int | float | bool]:
        """Labels and boxes by content, pictures by name and size."""
        return listed_identity(self.listed(split), self.name, split, self.strict)

    def files(self, split: str) -> tuple[Path, ...]:
        """The picture files of a split."""
        return self.listed(split).paths
