"""The metadata of an archive: RO-Crate 1.1 with the profile Process Run Crate 0.5, as plain JSON-LD."""

from __future__ import annotations

import mimetypes
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from probatum.reproduction.archive.contents import Reproduction, RunContents
from probatum.reproduction.archive.inputs import inputs_of
from probatum.reproduction.archive.store import METADATA
from probatum.reproduction.archive.words import meaning

if TYPE_CHECKING:
    from probatum.reproduction.archive.claims import Claims

Entity = dict[str, Any]
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_TERMS = "https://w3id.org/ro/terms/workflow-run#"
_CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {
        "creditText": "http://schema.org/creditText",  # newer than the context of RO-Crate 1.1
        "environment": f"{_TERMS}environment",
        "sha256": f"{_TERMS}sha256",
    },
]
_STATUS = {
    "completed": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
    "interrupted": "http://schema.org/FailedActionStatus",
}
_SOFTWARE = {"Python": "https://www.python.org/", "PyTorch": "https://pytorch.org/"}
_TYPES = {
    ".csv": "text/csv", ".json": "application/json", ".jsonl": "application/jsonl", ".log": "text/plain",
    ".md": "text/markdown", ".patch": "text/x-diff", ".pth": "application/octet-stream", ".sha256": "text/plain",
    ".txt": "text/plain", ".yaml": "application/yaml", ".yml": "application/yaml",
}  # fmt: skip
_NO_LICENCE = (
    "No licence was stated when this archive was made: ask those who made the run before you reuse it."
)


def crate_metadata(
    run: RunContents, claims: Claims, digests: Mapping[str, str], sizes: Mapping[str, int]
) -> Entity:
    """Return the content of `ro-crate-metadata.json`.

    Args:
        run: What is archived.
        claims: Author, licence and citation.
        digests: SHA-256 of every file of the archive, by its name in it.
        sizes: Bytes of every file, likewise.
    """
    inputs, software = inputs_of(run), _software(run)
    values, variables = _results(run), _variables(run)
    files = [_file(name, digests[name], sizes[name], run) for name in sorted(digests)]
    people, licence = _people(claims), _licence(claims)
    publication = _publication(claims)
    reproductions = [part for found in run.reproductions for part in _reproduction(run, found, digests)]
    action = _action(run, inputs, software, values, variables, people, digests)
    root = _root(run, files, [action, *_of_type(reproductions, "CreateAction")], people, licence, publication)
    about = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": _to(root),
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    profile = {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    graph = [about, root, profile, action, *software, *people, *licence, *publication, *files, *inputs, *values,
             *variables, *reproductions]  # fmt: skip
    unique = {entity["@id"]: _compact(entity) for entity in graph}
    return {"@context": _CONTEXT, "@graph": list(unique.values())}


def _compact(entity: Entity) -> Entity:
    """Return an entity whose lists of one are that one, as the specification recommends."""
    lists = {key: value for key, value in entity.items() if isinstance(value, list)}
    return {**entity, **{key: value[0] for key, value in lists.items() if len(value) == 1}}


def _root(
    run: RunContents, files: list[Entity], actions: list[Entity], people: list[Entity],
    licence: list[Entity], publication: list[Entity],
) -> Entity:  # fmt: skip
    study, digest = _study(run), run.config.get("config_md5")
    left = f" Left out, and named in its manifest: {', '.join(run.left_out)}." if run.left_out else ""
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Run {run.paths.name}",
        "description": f"One recorded run of the study {study}: configuration, environment, checksums of its data, "
        f"results, and what its reproductions found.{left}",
        "identifier": run.paths.name,
        "datePublished": _ended(run),
        "creditText": f"Run {run.paths.name} of {study}, config_md5 {digest}.",
        "conformsTo": {"@id": PROFILE},
        "license": _to(licence[0]),
        "hasPart": [_to(file) for file in files],
        "mentions": [_to(action) for action in actions],
        **({"author": _to(people[0])} if people else {}),
        **({"citation": _to(publication[0])} if publication else {}),
    }


def _action(
    run: RunContents, inputs: list[Entity], software: list[Entity], values: list[Entity],
    variables: list[Entity], people: list[Entity], digests: Mapping[str, str],
) -> Entity:  # fmt: skip
    commands, status = run.config.get("commands") or {}, run.status.status
    told = [run.archived_name(name) for name in ("config.json", "overrides_applied.txt", "code.patch")]
    made = [n for n in sorted(digests) if n.startswith(f"{run.paths.name}/") and n not in told]
    error = run.status.details.get("error") or run.status.note
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Training of {_study(run)}: {_title(run)}",
        "description": commands.get("train_explicit")
        or "A training loop recorded by Probatum's RunRecorder.",
        "instrument": _to(software[0]),
        "object": [_to(entity) for entity in inputs] + [{"@id": _path(n)} for n in told if n in digests],
        "result": [{"@id": _path(name)} for name in made] + [_to(value) for value in values],
        "startTime": (run.config.get("experiment") or {}).get("created") or _ended(run),
        "endTime": _ended(run),
        "actionStatus": _STATUS[status],
        **({"error": str(error)} if status != "completed" and error else {}),
        **({"agent": _to(people[0])} if people else {}),
        **({"environment": [_to(variable) for variable in variables]} if variables else {}),
    }


def _software(run: RunContents) -> list[Entity]:
    """Return Probatum first, then what it ran on."""
    packages = run.environment.get("packages") or {}
    version = str(packages.get("probatum") or "unknown")
    commit = run.environment.get("git_commit")
    below = {"Python": run.environment.get("python"), "PyTorch": run.environment.get("torch_version")}
    requirements = [
        {
            "@id": f"{_SOFTWARE[name]}#{quote(str(found))}",
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": str(found),
            "url": {"@id": _SOFTWARE[name]},
        }
        for name, found in below.items()
        if found
    ]
    state = " with the uncommitted changes of code.patch" if run.environment.get("git_dirty") else ""
    code = f"git commit {commit}{state}" if commit else "not from a git tree"
    own = {
        "@id": uuid.uuid5(uuid.NAMESPACE_OID, f"probatum {version} {commit}").urn,
        "@type": "SoftwareApplication",
        "name": "Probatum",
        "softwareVersion": version,
        "description": f"The workbench that carried out the run and recorded it; {code}.",
        **({"softwareRequirements": [_to(each) for each in requirements]} if requirements else {}),
    }
    pages = [
        {"@id": address, "@type": "WebSite", "name": name}
        for name, address in _SOFTWARE.items()
        if below[name]
    ]
    return [own, *requirements, *pages]


def _results(run: RunContents) -> list[Entity]:
    """Return each metric's value at the best epoch."""
    labels = {metric["name"]: metric for metric in run.config.get("metrics") or []}
    found = []
    for name, row in sorted((run.results.get("metrics") or {}).items()):
        if not isinstance(row, Mapping) or row.get("best") is None:
            continue
        metric = labels.get(name, {})
        better = "" if not metric else f"; {'higher' if metric['higher_is_better'] else 'lower'} is better"
        found.append(
            {
                "@id": f"#result-{quote(name)}",
                "@type": "PropertyValue",
                "name": name,
                "value": row["best"],
                "description": f"{metric.get('description') or name}, at epoch {row.get('best_epoch')}{better}",
                **({"unitText": metric["unit"]} if metric.get("unit") else {}),
            }
        )
    return found


def _variables(run: RunContents) -> list[Entity]:
    variables = run.environment.get("variables") or {}
    return [
        {"@id": f"#variable-{quote(name)}", "@type": "PropertyValue", "name": name, "value": str(value)}
        for name, value in sorted(variables.items())
    ]


def _reproduction(run: RunContents, found: Reproduction, digests: Mapping[str, str]) -> list[Entity]:
    """Return a reproduction as an action of its own, with its verdict."""
    own = run.archived_name(found.file.name)
    name = own if found.name == run.paths.name else f"reproductions/{found.name}/{found.file.name}"
    verdict = {
        "@id": f"#verdict-{found.name}",
        "@type": "PropertyValue",
        "name": "verdict",
        "value": str(found.report["verdict"]),
        "description": f"Within the {found.report.get('mode')} tolerances, which were recorded before the run; "
        f"bit for bit: {'yes' if found.report.get('bitwise') else 'no'}",
    }
    action = {
        "@id": f"#reproduction-{found.name}",
        "@type": "CreateAction",
        "name": f"Reproduction {found.name}: {found.report['verdict']}",
        "description": str(
            found.report.get("citation") or "The recorded command, carried out again and compared."
        ),
        "instrument": _to(_software(run)[0]),
        "object": [{"@id": _path(run.archived_name("config.json"))}],
        "result": [_to(verdict), *([{"@id": _path(name)}] if name in digests else [])],
        "endTime": found.ended or _ended(run),
        "actionStatus": _STATUS["completed"],
    }
    return [action, verdict]


def _file(name: str, digest: str, size: int, run: RunContents) -> Entity:
    own = name.removeprefix(f"{run.paths.name}/")
    return {
        "@id": _path(name),
        "@type": "File",
        "name": own,
        "description": meaning(own),
        "encodingFormat": _TYPES.get(Path(name).suffix)
        or mimetypes.guess_type(name)[0]
        or "application/octet-stream",
        "contentSize": str(size),
        "sha256": digest,
    }


def _people(claims: Claims) -> list[Entity]:
    if claims.author is None:
        return []
    return [{"@id": claims.orcid or "#author", "@type": "Person", "name": claims.author}]


def _licence(claims: Claims) -> list[Entity]:
    text = claims.licence
    if text is None:
        return [
            {
                "@id": "#no-licence",
                "@type": "CreativeWork",
                "name": "No licence stated",
                "description": _NO_LICENCE,
            }
        ]
    address = text if re.match(r"https?://", text) else f"https://spdx.org/licenses/{quote(text)}"
    return [{"@id": address, "@type": "CreativeWork", "name": text, "description": f"The licence {text}"}]


def _publication(claims: Claims) -> list[Entity]:
    text = claims.citation
    if text is None:
        return []
    address = f"https://doi.org/{text}" if re.match(r"10\.\d{4,}/", text) else text
    identity = address if re.match(r"https?://", address) else "#publication"
    return [{"@id": identity, "@type": "CreativeWork", "name": text}]


def _study(run: RunContents) -> str:
    return str((run.config.get("experiment") or {}).get("study") or "unknown")


def _title(run: RunContents) -> str:
    return str((run.config.get("experiment") or {}).get("short_title") or run.paths.name)


def _ended(run: RunContents) -> str | None:
    return run.results.get("completed_at") or run.status.time


def _path(name: str) -> str:
    return quote(name)


def _to(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _of_type(entities: list[Entity], kind: str) -> list[Entity]:
    return [entity for entity in entities if entity["@type"] == kind]
