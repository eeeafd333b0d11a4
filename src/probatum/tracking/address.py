"""Where a tracking store is, whether it answers, and how it is named without its credentials."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from probatum._errors import UsageError
from probatum.tracking.secrets import without_credentials

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASE, ARTIFACTS = "mlflow.db", ".mlflow-artifacts"  # hidden: no run folder is to be found in the second
_SQLITE = "sqlite:///"
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_REMOTE = ("http://", "https://")
_PROBE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Address:
    """A store's address, which may hold credentials; `str` of it and `shown` do not."""

    uri: str

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    def __str__(self) -> str:
        return self.shown

    @property
    def shown(self) -> str:
        """The address as people and records see it."""
        return without_credentials(self.uri)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite store."""
        path = self.uri.partition("?")[0].removeprefix(_SQLITE)
        return Path(path) if self.uri.startswith(_SQLITE) and path else None

    @property
    def artifacts(self) -> str | None:
        """Where the artifacts of a new experiment go; None where the store itself knows."""
        return (self.file.absolute().parent / ARTIFACTS).as_uri() if self.file else None

    def label(self, folder: Path) -> str:
        """Return the name under which the state of a folder remembers the store; it moves with the folder."""
        return f"{_SQLITE}{os.path.relpath(self.file, folder)}" if self.file else self.shown

    def complaint(self) -> str | None:
        """Return why the store does not answer; None where it does, or cannot be asked so cheaply."""
        if self.file:
            return None if self.file.absolute().parent.is_dir() else "its folder does not exist"
        if not self.uri.startswith(_REMOTE):
            return None
        request = urllib.request.Request(self.shown.rstrip("/") + "/health")  # noqa: S310 - http or https
        try:
            with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):  # noqa: S310
                return None
        except urllib.error.HTTPError:
            return None  # something is there and wants more than this question
        except (OSError, ValueError) as error:
            return str(getattr(error, "reason", error))


def find_address(asked: str | None, root: Path) -> Address:
    """Return the store that is asked for, else that of MLFLOW_TRACKING_URI, else an SQLite file in `root`.

    Raises:
        UsageError: the address is none that MLflow takes.

    Example:
        >>> find_address("http://ada:secret@host:5000", Path("runs")).shown
        'http://host:5000'
        >>> find_address("outputs/mlflow.db", Path("runs")).shown
        'sqlite:///outputs/mlflow.db'
    """
    uri = asked or os.environ.get(VARIABLE) or f"{_SQLITE}{os.path.relpath(root / DATABASE)}"
    scheme, has_scheme, _ = uri.partition(":")
    if uri.endswith(".db") and not has_scheme:
        return Address(f"{_SQLITE}{uri}")
    is_database = has_scheme and scheme.partition("+")[0] in _DATABASES
    if uri.startswith(_REMOTE) or is_database or scheme.startswith(("databricks", "uc")):
        return Address(uri)
    raise UsageError(
        f"--mlflow: expected http://HOST:PORT, a database such as sqlite:///mlflow.db, or a file mlflow.db, "
        f"got {without_credentials(uri)!r}. (MLflow itself no longer takes plain folders.)"
    )
