"""Write the documentation that is derived from the code; with --check, say what is stale and write nothing.

python docs/generate.py
python docs/generate.py --check
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

DOCS = Path(__file__).resolve().parent
REPOSITORY = DOCS.parent
sys.path.insert(0, str(REPOSITORY))

from benchmarks.table import markdown as benchmark_tables  # noqa: E402

from probatum.cli.main import VERBS, cli  # noqa: E402
from probatum.parameters.table import parameter_table, table_csv, table_markdown  # noqa: E402
from probatum.runs.config import build_config  # noqa: E402
from probatum.runs.paths import RunPaths  # noqa: E402
from probatum.runs.recorder import SHARED  # noqa: E402
from probatum.runs.volatile import VOLATILE  # noqa: E402
from probatum.studies import registry  # noqa: E402
from probatum.training.launch import LaunchRequest, describe_run, plan_launch  # noqa: E402

ABSOLUTE_PATH = re.compile(
    r"(?<=\s)/[\w.-]+(?:/[\w.-]+)+"
)  # where something lay on the machine that measured
HELP_WIDTH = 100
NOTE = "<!-- Written by docs/generate.py from the code; edit the code instead. -->\n\n"
EXAMPLE_RUN = "20260101_000000_gainakt2exp_example_123456"
LINKED_FILES = (
    f"`RunRecorder`, which records a loop of one's own, writes {', '.join(f'`{name}`' for name in SHARED)} once "
    "per process and **hard-links** them into its other run folders: the same bytes under several names. A file "
    "that was touched since is not linked again, and `verify` names it in every folder that shares it. So never "
    "edit one in place: write a new file and rename it. `rsync` copies each, or with `--hard-links` keeps them "
    "shared; both are right.\n"
)
ARGUMENTS = {"seed": 42, "several": True, "timestamp": "20260101_000000", "tag": "TAG"}
SCHEMAS = REPOSITORY / "src" / "probatum" / "reproduction" / "schemas"


def generated() -> dict[str, str]:
    """Return the text of every generated file, by its path below docs/."""
    files = {"cli.md": command_line(), "file-formats.md": file_formats(), "benchmarks.md": benchmarks()}
    for name in registry.names():
        study = registry.load(name)
        rows = parameter_table(study.parameters, study.load_defaults())
        title = f"# Parameters of {name}\n\n{study.summary}. Every default stands in one `defaults.yaml`; "
        ending = f"the code has none. The same table as [CSV]({name}.csv).\n\n"
        files[f"parameters/{name}.md"] = NOTE + title + ending + table_markdown(rows)
        files[f"parameters/{name}.csv"] = table_csv(rows)
    return files


def benchmarks() -> str:
    """Return the benchmark tables, made from the measured results."""
    tables = ABSOLUTE_PATH.sub("...", benchmark_tables(REPOSITORY / "benchmarks" / "results"))
    head = "# Benchmarks\n\nMade of the results in `benchmarks/results`; `make bench` measures anew.\n\n"
    return NOTE + head + tables.rstrip() + "\n"


def command_line() -> str:
    """Return the help of every verb."""
    top = click.Context(
        cli, info_name="probatum", terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH,
        help_option_names=cli.context_settings["help_option_names"],
    )  # fmt: skip
    parts = ["# The command line\n\n" + _help(top)]
    for verb in VERBS:
        command = cli.get_command(top, verb)
        if command is not None:
            context = click.Context(command, info_name=verb, parent=top, terminal_width=HELP_WIDTH)
            parts.append(f"## {verb}\n\n{_help(context)}")
            for name in command.list_commands(context) if isinstance(command, click.Group) else ():
                below = command.get_command(context, name)
                if below is not None:
                    inner = click.Context(below, info_name=name, parent=context, terminal_width=HELP_WIDTH)
                    parts.append(f"### {verb} {name}\n\n{_help(inner)}")
    return NOTE + "\n".join(parts)


def _help(context: click.Context) -> str:
    lines = (line.rstrip() for line in context.get_help().splitlines())
    return "```text\n" + "\n".join(lines) + "\n```\n"


def file_formats() -> str:
    """Return the files of a run, the keys of the configuration, the metrics, and what may differ."""
    sections = (
        "# File formats\n\nA run is a folder of plain files. JSON is strict (no NaN) and carries "
        "`schema_version`; times are UTC.\n",
        "## Files of a run\n\n" + _table(("File", "Content"), run_files()),
        LINKED_FILES,
        "## `config.json`\n\nBesides these keys, each category of parameters is a block of its own.\n\n"
        + _table(("Key", "Type", "Content"), config_keys()),
        "## Metrics\n\nDirection, range and tolerances are recorded with the run; no flag changes them.\n\n"
        + _table(("Metric", "Studies", "Better", "Range", "Strict", "Standard", "Meaning"), metrics()),
        "## What two identical runs may differ in\n\nEverything else must be the same, byte by byte.\n\n"
        + volatile(),
        *(schema(path) for path in sorted(SCHEMAS.glob("*.schema.json"))),
    )
    return NOTE + "\n".join(sections)


def run_files() -> list[tuple[str, str]]:
    """Return the name and the meaning of every file that a run folder may hold."""
    paths, rows = RunPaths(Path("runs") / EXAMPLE_RUN), []
    for name, member in vars(RunPaths).items():
        if name.startswith("_") or name == "name":
            continue
        if isinstance(member, property):
            path, meaning = getattr(paths, name), inspect.getdoc(member.fget)
        elif inspect.isfunction(member):
            wanted = [each for each in inspect.signature(member).parameters if each != "self"]
            path = member(paths, **{each: ARGUMENTS[each] for each in wanted})
            meaning = inspect.getdoc(member)
        else:
            continue
        inside = path.is_relative_to(paths.folder)
        shown = path.relative_to(paths.folder) if inside else Path("..") / path.name
        rows.append((f"`{shown.as_posix()}`", meaning or ""))
    return rows


def config_keys() -> list[tuple[str, str, str]]:
    """Return the keys of `config.json` that are no block of parameters, with type and content."""
    request = LaunchRequest(
        study_reference="gainakt2exp", title="example", purpose="", options={}, sets=(), unset=(),
        from_config=None, presets={}, argv=("probatum", "launch", "gainakt2exp"),
    )  # fmt: skip
    config = describe_run(plan_launch(request), RunPaths(Path("runs") / EXAMPLE_RUN))
    meanings = _arguments(inspect.getdoc(build_config) or "")
    blocks = set(config["types"]) - {"runtime"}
    return [
        (f"`{key}`", _type(value), meanings.get(key) or _content(value))
        for key, value in sorted(config.items())
        if key not in blocks
    ]


def _content(value: Any) -> str:
    return ", ".join(f"`{key}`" for key in value) if isinstance(value, dict) else str(value)


def _arguments(docstring: str) -> dict[str, str]:
    return dict(re.findall(r"^ +(\w+): (.+)$", docstring, flags=re.MULTILINE))


def _type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean", float: "number"}
    return names.get(type(value), "null or object")


def metrics() -> list[tuple[str, ...]]:
    """Return every metric definition, with the studies that use it."""
    found: dict[str, tuple[Any, list[str]]] = {}
    for name in registry.names():
        for metric in registry.load(name).metrics:
            found.setdefault(metric.name, (metric, []))[1].append(name)
    return [
        (
            f"`{name}`", ", ".join(studies), "higher" if metric.higher_is_better else "lower",
            f"{metric.lower} to {metric.upper}", f"{metric.strict_tolerance}", f"{metric.standard_tolerance}",
            metric.description,
        )
        for name, (metric, studies) in found.items()
    ]  # fmt: skip


def volatile() -> str:
    """Return the lists of what may differ."""
    groups = (
        ("whole files", VOLATILE.files),
        ("keys of JSON files, at any depth", sorted(VOLATILE.json_keys)),
        ("lines of text files", sorted(VOLATILE.text_keys)),
    )
    return "".join(f"- {what}: {', '.join(f'`{name}`' for name in names)}\n" for what, names in groups)


def schema(path: Path) -> str:
    """Return one JSON schema as a table of its top level."""
    content = json.loads(path.read_text(encoding="utf-8"))
    required = set(content.get("required", ()))
    rows = [
        (f"`{name}`", _schema_type(value), "yes" if name in required else "no")
        for name, value in sorted(content["properties"].items())
    ]
    title = path.name.removesuffix(".schema.json") + ".json"
    link = Path("..") / path.relative_to(REPOSITORY)
    head = f"## `{title}`\n\nThe [schema]({link.as_posix()}) has every level.\n\n"
    return head + _table(("Key", "Type", "Required"), rows)


def _schema_type(value: Any) -> str:
    if "const" in value or "enum" in value:
        return " or ".join(f"`{json.dumps(each)}`" for each in value.get("enum", [value.get("const")]))
    kind = value.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += [
        "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in row) + " |" for row in rows
    ]
    return "\n".join(lines) + "\n"


def stale(files: dict[str, str]) -> list[str]:
    """Return the files whose text on disk is not what the code gives, and those that nothing writes."""
    wrong = [
        name for name, text in files.items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != text
    ]  # fmt: skip
    left = (file.relative_to(DOCS).as_posix() for file in (DOCS / "parameters").glob("*"))
    return sorted({*wrong, *(name for name in left if name not in files)})


def main() -> int:
    """Write or check, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the documentation that is derived from the code.")
    parser.add_argument("--check", action="store_true", help="name stale files, write nothing, exit 1 if any")
    check = parser.parse_args().check
    files = generated()
    found = stale(files)
    for name in found:
        print(f"docs/{name}: {'stale; run `make docs`' if check else 'written'}")
        if check:
            continue
        if name in files:
            (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
            (DOCS / name).write_text(files[name], encoding="utf-8")
        else:
            (DOCS / name).unlink()
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
