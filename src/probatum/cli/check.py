"""`probatum check`: prove that no parameter has a hidden default."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

EPILOG = """\b
Examples:
  probatum check
  probatum check gainakt2exp
  probatum check ./my_study.py --format json
"""


@click.command("check", epilog=EPILOG)
@click.argument("studies", nargs=-1, metavar="[STUDY]...")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How findings are printed.",
)
@click.pass_context
def command(context: click.Context, studies: tuple[str, ...], output_format: str) -> None:
    """Prove that no parameter has a hidden default, and that each one is read somewhere.

    STUDY is a name or a Python file; without one, every study is checked. Exit code 1 if anything is found.
    """
    import probatum
    from probatum.parameters.audit import Finding, audit
    from probatum.studies import registry

    chosen = list(studies) or registry.names()
    sources = [Path(str(probatum.__file__)).parent, *(Path(name) for name in chosen if name.endswith(".py"))]
    loaded, refused = [], []
    for name in chosen:
        try:
            loaded.append(registry.load(name))
        except TypeError as error:  # a class of parameters refuses a default while it is made
            refused.append(
                Finding(name, 1, "unloadable", f"the study cannot be loaded: {error}", "Mend its class.")
            )
    findings = refused + audit(sources, loaded)
    if all(
        name.endswith(".py") for name in chosen
    ):  # the package was read for what it reads, not to be judged
        findings = [finding for finding in findings if not Path(finding.path).is_relative_to(sources[0])]
    if output_format == "json":
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(str(finding))
        count = (
            f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "no hidden default"
        )
        click.echo(f"{count} in {len(chosen)} {'study' if len(chosen) == 1 else 'studies'}")
    context.exit(1 if findings else 0)
