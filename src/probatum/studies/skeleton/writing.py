"""A new study written from the templates beside this file."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from probatum._errors import UsageError
from probatum._files import write_whole

_TEMPLATES = {
    "study.py.txt": "{{name}}.py",
    "study.yaml.txt": "{{name}}.yaml",
    "test.py.txt": "test_{{name}}.py",
}
_LONGEST = 40  # the name goes into the name of every run folder


def write_study(name: str, folder: Path) -> list[Path]:
    """Return the files of a new study: its program, its values, and its test.

    Args:
        name: Lower case letters, digits and underscores, a letter first.
        folder: Where they are written; made where missing.

    Raises:
        UsageError: the name cannot be used, or one of the files is there.
    """
    check_name(name)
    words = {
        "{{name}}": name,
        "{{Name}}": _class_name(name),
        "{{Title}}": name.replace("_", " ").capitalize(),
    }
    files = {folder / _filled(target, words): template for template, target in _TEMPLATES.items()}
    there = [str(file) for file in files if file.exists() or file.is_symlink()]
    if there:
        raise UsageError(
            f"{', '.join(there)}: exists, and is not written over. Choose another name or --folder."
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--folder {folder}: expected a folder, found a file.")
    folder.mkdir(parents=True, exist_ok=True)
    for file, template in files.items():
        write_whole(file, _filled(Path(__file__).with_name(template).read_text(encoding="utf-8"), words))
    return list(files)


def check_name(name: str) -> None:
    """Refuse a name that cannot be a file's, a class's and a run folder's at once.

    Raises:
        UsageError: with a name that could be.

    Example:
        >>> check_name("my_study")
    """
    from probatum.studies.registry import names

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or len(name) > _LONGEST or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot name a study: expected a lower case letter, then letters, digits or underscores, "
            f"{_LONGEST} at most, and no word of Python. For example: {suggestion(name)}"
        )
    if name in names():
        raise UsageError(f"{name!r} is a study that comes with Probatum. For example: my_{name}")


def suggestion(name: str) -> str:
    """Return the nearest name that could be used.

    Example:
        >>> suggestion("My Study"), suggestion("3d"), suggestion("class"), suggestion("../x.py")
        ('my_study', 'study_3d', 'my_class', 'x')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", Path(name).name.removesuffix(".py").lower()).strip("_")
    if not plain:
        return "my_study"
    if keyword.iskeyword(plain):
        return f"my_{plain}"
    return (plain if plain[0].isalpha() else f"study_{plain}")[:_LONGEST].rstrip("_")


def _class_name(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_") if word)


def _filled(text: str, words: dict[str, str]) -> str:
    for mark, word in words.items():
        text = text.replace(mark, word)
    return text
