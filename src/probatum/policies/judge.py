"""Learned policies judged by a pack's test episodes, without running anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum._errors import ComparisonError
from probatum.packs.reader import PackReader
from probatum.policies.dataset import PackDataset
from probatum.policies.learn import tested
from probatum.policies.learned import LearnedPolicy
from probatum.policies.offline_value import Baseline


def judged(pack: PackReader, policies: Sequence[LearnedPolicy]) -> dict[str, Any]:
    """Return for each policy what the test episodes of a pack say.

    Raises:
        ComparisonError: a policy takes features or actions that the pack does not have.
    """
    rows = []
    for policy in policies:
        data = _dataset(pack, policy)
        test, baseline = data.batch(data.rows("test")), Baseline.fit(data.batch(data.rows("train")))
        trained_here = (policy.record.get("pack") or {}).get("digest") == data.digest
        rows.append(
            {"policy": policy.name, "trained_on_this_pack": trained_here, **tested(policy, test, baseline)}
        )
    return {"pack": pack.header["pack_id"], "policies": rows}


def judged_text(found: Mapping[str, Any]) -> str:
    """Return the judgement for people."""
    width = max(10, *(len(own["policy"]) for own in found["policies"])) + 2
    lines = [
        f"test episodes of {found['pack']}",
        "",
        f"{'policy':{width}}{'balanced accuracy':>18}{'offline value':>15}{'decisions that count':>22}",
    ]
    for own in found["policies"]:
        value = own["offline_value"]
        points = "-" if value["points"] is None else f"{value['points']:+.3f}"
        other = (
            "" if own["trained_on_this_pack"] else "  (trained on another pack: all episodes are new to it)"
        )
        lines.append(
            f"{own['policy']:{width}}{own['balanced_accuracy']:18.3f}{points:>15}"
            f"{value['effective_decisions']:22.1f}{other}"
        )
    return "\n".join([*lines, "", "offline value: points per decision over the behaviour, first order."])


def _dataset(pack: PackReader, policy: LearnedPolicy) -> PackDataset:
    """Return the pack as the policy sees it: its own features and its own normaliser."""
    if pack.actions != policy.actions:
        raise ComparisonError(
            f"policy {policy.name!r} decides between {', '.join(policy.actions)}; "
            f"the pack has {', '.join(pack.actions)}."
        )
    missing = [name for name in policy.names if name not in pack.feature_names]
    if missing:
        raise ComparisonError(
            f"policy {policy.name!r} takes the feature {missing[0]!r}, "
            f"which {pack.header['pack_id']} does not have."
        )
    return PackDataset(pack, names=policy.names, normaliser=policy.normaliser)
