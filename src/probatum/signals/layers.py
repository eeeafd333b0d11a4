"""Which layers a probe looks at: modules that own trainable parameters, chosen by name, glob, type or predicate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from probatum._errors import UnknownNameError
from probatum._names import nearest

ROOT = "(model)"  # the layer of parameters that the model itself owns: its name in named_modules() is empty
_WRAPPERS = (
    "_orig_mod",
    "_checkpoint_wrapped_module",
    "_fsdp_wrapped_module",
)  # of compile, checkpoint, FSDP

Predicate = Callable[[str, nn.Module], bool]
Filter = str | type[nn.Module] | Predicate | Sequence["str | type[nn.Module] | Predicate"]


@dataclass(frozen=True)
class Layers:
    """The chosen layers of a model at one moment."""

    parameters: Mapping[str, Mapping[str, nn.Parameter]]  # {layer: {its own name: parameter}}, each once
    uncovered: tuple[str, ...]  # full names of trainable parameters outside every chosen layer
    others: tuple[nn.Parameter, ...]  # these parameters

    def everything(self) -> list[nn.Parameter]:
        """Return every trainable parameter of the model, once, the chosen layers' first."""
        return [*(own for layer in self.parameters.values() for own in layer.values()), *self.others]


def unwrap(model: nn.Module) -> nn.Module:
    """Return the model inside `DistributedDataParallel`, `DataParallel` and `torch.compile`.

    Example:
        >>> inner = nn.Linear(1, 1)
        >>> unwrap(nn.DataParallel(inner)) is inner
        True
    """
    while True:
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            model = model.module
        elif isinstance(inner := model._modules.get("_orig_mod"), nn.Module):
            model = inner
        else:
            return model


def named_modules(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Return the modules of an unwrapped model with stable names: wrappers leave no trace in a name."""
    seen: set[str] = set()
    for name, module in model.named_modules():
        if any(wrapper in module._modules for wrapper in _WRAPPERS):
            continue  # the module inside has the same name
        stable = stable_name(name)
        if stable not in seen:
            seen.add(stable)
            yield stable, module


def stable_name(name: str) -> str:
    """Return a name of `named_modules()` without the parts that wrappers add; `ROOT` for the model itself.

    Example:
        >>> stable_name("encoder._orig_mod.fc"), stable_name("")
        ('encoder.fc', '(model)')
    """
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS) or ROOT


def is_compiled(module: nn.Module) -> bool:
    """Return whether `torch.compile` made or changed this module, so that hooks inside it are not run."""
    return "_orig_mod" in module._modules or getattr(module, "_compiled_call_impl", None) is not None


def compiled_modules(model: nn.Module) -> set[int]:
    """Return the `id` of every module that runs inside compiled code, the compiled module itself included."""
    return {id(inner) for module in model.modules() if is_compiled(module) for inner in module.modules()}


def matches(wanted: Filter, name: str, module: nn.Module) -> bool:
    """Return whether a filter chooses a module.

    Args:
        wanted: "all"; a name or glob (`"encoder.*.attention"`); a class or its name (`nn.Conv2d`, `"Conv2d"`); a
            predicate of name and module; or a sequence of these, of which one must choose it.
        name: the module's name in `named_modules()`.
        module: the module.

    Example:
        >>> matches(["fc", nn.Conv2d], "conv1", nn.Conv2d(1, 1, 1))
        True
    """
    if isinstance(wanted, str):
        return wanted == "all" or fnmatchcase(name, wanted) or type(module).__name__ == wanted
    if isinstance(wanted, type):
        return isinstance(module, wanted)
    if isinstance(wanted, Sequence):
        return any(matches(one, name, module) for one in wanted)
    return bool(wanted(name, module))


def select_layers(model: nn.Module, wanted: Filter = "all") -> Layers:
    """Return the layers of an unwrapped model that `wanted` chooses: see `matches`.

    A parameter shared by several modules belongs to the first; frozen parameters belong to none.

    Raises:
        UnknownNameError: a filter, or one of several, matches no layer; the message has the nearest names.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
        >>> layers = select_layers(model, "0")
        >>> list(layers.parameters), layers.uncovered
        (['0'], ('2.weight', '2.bias'))
    """
    owners = _owners(model)
    for one in _each(wanted):
        if one != "all" and not any(matches(one, name, module) for name, (module, _) in owners.items()):
            raise UnknownNameError(_no_match(one, model, owners))
    return _split(owners, wanted)


class LayerBook:
    """The layers of a model that may change: chosen anew whenever its set of trainable parameters does."""

    def __init__(self, model: nn.Module, wanted: Filter = "all") -> None:
        """Choose the layers.

        Raises:
            UnknownNameError: a filter matches no layer.
        """
        self.wanted = wanted
        self.layers = select_layers(model, wanted)
        self._signature = self.layers.everything()

    def current(self, model: nn.Module) -> Layers:
        """Return the layers as the model is now; a filter whose layers have gone is no error."""
        trainable = [own for own in model.parameters() if _is_trainable(own)]
        if {id(own) for own in trainable} != {id(own) for own in self._signature}:
            self.layers = _split(_owners(model), self.wanted)
            self._signature = trainable
        return self.layers


Owners = Mapping[str, tuple[nn.Module, Mapping[str, nn.Parameter]]]


def _owners(model: nn.Module) -> Owners:
    """Return the modules that directly own trainable parameters, with these."""
    seen: set[int] = set()
    owners: dict[str, tuple[nn.Module, Mapping[str, nn.Parameter]]] = {}
    for name, module in named_modules(model):
        own = {
            short: parameter
            for short, parameter in module._parameters.items()
            if parameter is not None and _is_trainable(parameter) and id(parameter) not in seen
        }
        seen.update(id(parameter) for parameter in own.values())
        if own:
            owners[name] = (module, own)
    return owners


def _is_trainable(parameter: nn.Parameter) -> bool:
    """Return whether a parameter is trained; one that is not yet made (a lazy module's) has no values."""
    return parameter.requires_grad and not isinstance(parameter, nn.parameter.UninitializedParameter)


def _split(owners: Owners, wanted: Filter) -> Layers:
    chosen = {name: own for name, (module, own) in owners.items() if matches(wanted, name, module)}
    left = {
        (short if name == ROOT else f"{name}.{short}"): parameter
        for name, (_, own) in owners.items()
        if name not in chosen
        for short, parameter in own.items()
    }
    return Layers(chosen, tuple(left), tuple(left.values()))


def _each(wanted: Filter) -> list[Any]:
    return list(wanted) if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]


def _no_match(one: Any, model: nn.Module, owners: Owners) -> str:
    """Return the message for a filter that matches no layer: what it may have meant."""
    if not isinstance(one, str):
        kind = one.__name__ if hasattr(one, "__name__") else repr(one)
        return f"the layer filter {kind} matches no module that owns trainable parameters. {_listing(list(owners))}"
    start = f"the layer filter {one!r} matches no module that owns trainable parameters. "
    if below := [name for name in owners if name.startswith(f"{one}.")]:
        return f"{start}It holds {len(below)}: {', '.join(below[:5])}. Use {one + '.*'!r} for all of them."
    if one in dict(named_modules(model)):
        return f"{start}It owns none, or they are frozen. {_listing(list(owners))}"
    classes = {type(module).__name__ for module, _ in owners.values()}
    close = nearest(one, [*owners, *classes])
    return start + (f"Did you mean {' or '.join(map(repr, close))}?" if close else _listing(list(owners)))


def _listing(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"Layers: {', '.join(names[:10]) or 'none'}{more}."
