"""The one place that knows a study by name. A new study is one new line here."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from probatum._errors import UnknownNameError, UsageError
from probatum._names import unknown
from probatum.training.study import Study

_STUDIES = {
    "gainakt2exp": "probatum.studies.gainakt.study:GainAKT2Exp",
    "gainakt3exp": "probatum.studies.gainakt.study:GainAKT3Exp",
    "dkt": "probatum.studies.gainakt.study:DKT",
    "plain": "probatum.studies.gainakt.study:Plain",
    "concare": "probatum.studies.concare.study:ConCare",
    "abprop": "probatum.studies.abprop.study:AbProp",
    "tamiyo": "probatum.studies.tamiyo.study:Tamiyo",
}


def names() -> list[str]:
    """Return the names of the studies that come with Probatum.

    Example:
        >>> "gainakt2exp" in names()
        True
    """
    return list(_STUDIES)


def load(name: str) -> Study:
    """Return the study called `name`, or the one that the Python file `name` defines.

    Raises:
        UnknownNameError: no study has that name, or no file stands there.
        UsageError: the file defines no study.
    """
    if name.endswith(".py"):
        return _load_file(Path(name))
    if name not in _STUDIES:
        raise UnknownNameError(
            f"{unknown('study', name, _STUDIES)} `probatum studies` lists them; a study of your own is a "
            "Python file: probatum launch ./my_study.py"
        )
    module, attribute = _STUDIES[name].split(":")
    return getattr(importlib.import_module(module), attribute)()


def _load_file(path: Path) -> Study:
    if not path.is_file():
        raise UnknownNameError(f"{path}: expected a Python file that defines a study, found none.")
    module = _import_file(path)
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Study) and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        found = ", ".join(c.__name__ for c in classes) or "none"
        raise UsageError(f"{path}: expected one class that inherits from probatum.Study, found {found}.")
    return classes[0]()


def _import_file(path: Path) -> ModuleType:
    name = f"probatum_study_{path.stem}"
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise UsageError(f"{path}: is not a Python file that can be imported.")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module
