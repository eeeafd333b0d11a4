"""Where a plan's relative paths are found."""

from __future__ import annotations

from pathlib import Path

from probatum.ablations.plan.model import Accommodation


def repository_root(plan: Path) -> Path:
    """Return the folder that a plan's relative paths are taken from.

    Two folders above a plan in `configs/<anything>/` (AbProp fact sheet, section 9); else the nearest folder
    above with a `.git`; else the plan's own.
    """
    folder = plan.resolve().parent
    if folder.parent.name == "configs":
        return folder.parent.parent
    return next((above for above in (folder, *folder.parents) if (above / ".git").exists()), folder)


class Lookup:
    """Finds files from the repository's root, else from the plan's folder and each of its parents.

    Attributes:
        accommodations: every file that was not found where the plan's grammar says.
    """

    def __init__(self, plan: Path) -> None:
        self.root = repository_root(plan)
        self.folder = plan.resolve().parent
        self.accommodations: list[Accommodation] = []

    def find(self, written: str) -> Path | None:
        """Return the file that a plan names, or None; one found beside the plan is noted."""
        if (self.root / written).exists():
            return self.root / written
        found = self._upwards(written)
        if found:
            reason = f"not below the repository root; taken from {shown(found.parent, self.root)}"
            self._note("path", written, found, reason)
        return found

    def find_include(self, written: str) -> Path | None:
        """Return an included file: the plan's folder first, then each parent up to the root."""
        found = self._upwards(written)
        if found and found != self.folder / written:
            reason = "not beside the plan; found from a folder above it, up to the repository root"
            self._note("include", shown(self.folder / written, self.root), found, reason)
        return found

    def _upwards(self, written: str) -> Path | None:
        for folder in (self.folder, *self.folder.parents):
            if (folder / written).exists():
                return folder / written
            if folder == self.root:
                return None
        return None

    def _note(self, rule: str, written: str, found: Path, reason: str) -> None:
        self.accommodations.append(Accommodation(rule, written, shown(found, self.root), reason))


def shown(path: Path, root: Path) -> str:
    """Return a path relative to `root` where it is below, so that records hold no machine's folders."""
    text, above = str(path), f"{str(root).rstrip('/')}/"  # as texts: every record asks for eight
    if text.startswith(above):
        return text[len(above) :]
    return "." if path == root else text
