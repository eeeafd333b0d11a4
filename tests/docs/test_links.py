import re
import shlex
from pathlib import Path

import click
import pytest

from probatum.cli.main import VERBS, cli
from probatum.parameters import resolve
from probatum.studies import registry

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(?:bash|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def _name(page):
    return page.relative_to(REPOSITORY).as_posix()


def _anchors(page):
    titles = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def _links():
    for page in PAGES:
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if not target.startswith(("http://", "https://")):
                yield pytest.param(page, target, id=f"{_name(page)}->{target}")


def _inline(text):
    """Yield the commands that stand in inline code and give at least one word after the verb."""
    return re.findall(r"`(probatum [a-z]+ [^`<]+)`", BLOCK.sub("", text))


def _commands():
    for page in PAGES:
        if page.parent.name == "tutorials":
            continue  # executed in test_tutorials.py, where their files are
        text = page.read_text(encoding="utf-8")
        lines = [line.strip() for block in BLOCK.findall(text) for line in block.splitlines()]
        for line in [*lines, *_inline(text)]:
            words = shlex.split(line.replace("\\|", "|"), comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words[:1] == ["probatum"]:
                yield pytest.param(words[1:], id=f"{_name(page)}: {shlex.join(words)}")


@pytest.mark.parametrize(("page", "target"), list(_links()))
def test_a_relative_link_leads_somewhere(page, target):
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert file.exists()
    assert not anchor or anchor in _anchors(file)


@pytest.mark.parametrize("words", list(_commands()))
def test_a_command_in_the_documentation_parses(words, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    verb, *rest = words
    assert verb in VERBS
    command = cli.get_command(click.Context(cli), verb)
    if isinstance(command, click.Group) and rest and rest[0] in command.commands:
        verb, *rest = rest
        command = command.commands[verb]
        if not rest:
            return  # named, not called
    context = command.make_context(verb, rest)
    study = context.params.get("study")
    if verb == "launch":
        chosen = registry.load(study)
        sets = context.params["sets"]
        resolve(
            chosen.parameters,
            chosen.load_defaults(),
            options=context.obj,
            sets=sets,
            unset=context.params["unset"],
        )
        mode = context.params["ablation_mode"]
        assert mode is None or mode in chosen.presets["ablation_mode"]
    elif verb == "studies" and context.params["name"]:
        registry.load(context.params["name"])


def test_there_are_commands_and_links_to_check():
    assert len(list(_commands())) > 40
    assert len(list(_links())) > 40
