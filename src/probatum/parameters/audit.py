"""The static half of the two-way check: proof that no source line hides a default.

Source: DESIGN "Parameters" and "Two-way parameter check"; fact sheet GainAKT 7.4 item 26.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum._errors import ProbatumError
from probatum.parameters.defaults import load_defaults
from probatum.parameters.model import field_specs

_HOLDERS = frozenset({"parameters", "params", "hyperparameters", "hparams"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One hidden default or dead parameter: where it stands, what it is, and the mend.

    Example:
        >>> str(Finding("loop.py", 3, "fallback", "a fallback.", "Read it plainly."))
        'loop.py:3: a fallback. Read it plainly.'
    """

    path: str
    line: int
    rule: str
    problem: str
    mend: str

    def __str__(self) -> str:
        """Return `file:line: what. Mend.`."""
        return f"{self.path}:{self.line}: {self.problem} {self.mend}"


def audit(sources: Sequence[Path], studies: Iterable[Any]) -> list[Finding]:
    """Return every hidden default and dead parameter, in the order of files and lines.

    Args:
        sources: folders or files with Python source.
        studies: objects with `name`, `parameters`, `defaults_path` and `defaults_section`.
    """
    studies = list(studies)
    fields = {name for study in studies for name in field_specs(study.parameters)}
    findings: set[Finding] = set()
    read: set[str] = set()
    declared: dict[str, tuple[str, int]] = {}
    for path in _python_files(sources):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        except (SyntaxError, UnicodeDecodeError) as error:
            line = error.lineno or 1 if isinstance(error, SyntaxError) else 1
            findings.add(
                Finding(str(path), line, "unreadable", f"not Python source ({error}).", "Mend the file.")
            )
            continue
        visitor = _SourceVisitor(str(path), fields)
        visitor.visit(tree)
        findings |= set(visitor.findings)
        read |= visitor.read
        declared |= visitor.declared
    for study in studies:
        findings |= set(_defaults_findings(study))
        findings |= set(_unread_findings(study, read, declared))
    return sorted(findings, key=lambda finding: (finding.path, finding.line, finding.problem))


class _SourceVisitor(ast.NodeVisitor):
    """Walks one file: collects findings, attribute reads, and where parameters are declared."""

    def __init__(self, path: str, fields: set[str]) -> None:
        self.path = path
        self.fields = fields
        self.findings: list[Finding] = []
        self.read: set[str] = set()
        self.declared: dict[str, tuple[str, int]] = {}

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Check the declarations of a class of parameters; what it reads itself is no use of them."""
        if not any(_last_name(base).endswith("Parameters") for base in node.bases):
            self.generic_visit(node)
            return
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                self._check_declaration(statement, statement.target.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note an attribute that is read."""
        if isinstance(node.ctx, ast.Load):
            self.read.add(node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Check `getattr`, `.get` and command line options for fallbacks."""
        called = _last_name(node.func)
        if called == "getattr" and isinstance(node.func, ast.Name) and len(node.args) >= 2:
            self._check_getattr(node)
        elif called == "get" and isinstance(node.func, ast.Attribute):
            self._check_get(node, node.func)
        elif called in ("option", "add_argument"):
            self._check_option(node)
        self.generic_visit(node)

    def _add(self, node: ast.expr | ast.stmt, rule: str, problem: str, mend: str) -> None:
        self.findings.append(Finding(self.path, node.lineno, rule, problem, mend))

    def _check_declaration(self, node: ast.AnnAssign, name: str) -> None:
        if _last_name(node.annotation) == "ClassVar":
            return
        self.declared[name] = (self.path, node.lineno)
        value = node.value
        is_plain = value is None or (isinstance(value, ast.Call) and _last_name(value.func) == "parameter")
        has_default = isinstance(value, ast.Call) and any(
            keyword.arg in ("default", "default_factory") for keyword in value.keywords
        )
        if not is_plain or has_default:
            mend = "Declare it with `parameter(category, description)` and put the value in defaults.yaml."
            self._add(node, "field-default", f"`{name}` has a default in code.", mend)
        if isinstance(node.annotation, ast.Subscript) and _last_name(node.annotation) in ("list", "List"):
            self._add(node, "mutable", f"`{name}` is a list, so it is not frozen.", "Write `tuple[X, ...]`.")

    def _check_getattr(self, node: ast.Call) -> None:
        literal = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
        if literal in self.fields:
            self.read.add(str(literal))
        if len(node.args) == 3 and (literal in self.fields or _last_name(node.args[0]) in _HOLDERS):
            name = literal if isinstance(literal, str) else ast.unparse(node.args[1])
            mend = f"Write `{ast.unparse(node.args[0])}.{name}`: the defaults file has the value."
            self._add(node, "getattr-fallback", f"`{name}` is read by getattr with a fallback.", mend)

    def _check_get(self, node: ast.Call, function: ast.Attribute) -> None:
        if _last_name(function.value) in _HOLDERS and len(node.args) + len(node.keywords) >= 2:
            name = ast.unparse(node.args[0]) if node.args else "a name"
            mend = "Read it without a fallback: the record has every parameter."
            self._add(node, "get-fallback", f"{name} is read by .get with a fallback.", mend)

    def _check_option(self, node: ast.Call) -> None:
        flags = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        names = {
            part.lstrip("-").replace("-", "_")
            for flag in flags
            for part in flag.split("/")
            if flag[:1] == "-"
        }
        named = sorted(names & self.fields)
        default = next((keyword.value for keyword in node.keywords if keyword.arg == "default"), None)
        if (
            named
            and default is not None
            and not (isinstance(default, ast.Constant) and default.value is None)
        ):
            mend = "Remove `default=`: the defaults file has the value."
            self._add(node, "option-default", f"the option `--{named[0]}` has a default in code.", mend)


def _defaults_findings(study: Any) -> Iterator[Finding]:
    """Yield what is missing, extra or wrong in the study's defaults file."""
    try:
        load_defaults(study.parameters, study.defaults_path, study.defaults_section)
    except ProbatumError as error:
        for line in str(error).splitlines():
            head, dot, text = line.strip().partition(". ")
            problem = text if dot and head.isdigit() else line.strip()
            if not problem.endswith("mistakes"):
                where = Path(study.defaults_path)
                mend = "Every field has one value there, and nothing else."
                yield Finding(
                    str(where), _line_of(problem, where), "defaults", f"{study.name}: {problem}", mend
                )


def _unread_findings(study: Any, read: set[str], declared: dict[str, tuple[str, int]]) -> Iterator[Finding]:
    """Yield the parameters that no source line reads."""
    for name in field_specs(study.parameters):
        if name not in read:
            path, line = declared.get(name, (str(study.defaults_path), 1))
            yield Finding(
                path, line, "unread", f"`{name}` is read nowhere.", "Use it, or remove it and its default."
            )


def _line_of(problem: str, path: Path) -> int:
    """Return the line that a message names as `file:line`, or 1."""
    found = re.search(re.escape(f"{path}:") + "([0-9]+)", problem)
    return int(found[1]) if found else 1


def _last_name(node: ast.expr) -> str:
    """Return the last name of `a.b.c`, of a call, or of the constant in `x["c"]`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Subscript):
        is_named = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        return node.slice.value if is_named else _last_name(node.value)  # pyright: ignore
    return _last_name(node.func) if isinstance(node, ast.Call) else ""


def _python_files(sources: Sequence[Path]) -> list[Path]:
    found = {path for source in sources for path in (source.rglob("*.py") if source.is_dir() else [source])}
    return sorted(found)
