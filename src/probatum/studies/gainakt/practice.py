"""What a student has done so far on the concept that is asked next: counted from history alone."""

from __future__ import annotations

import torch
from torch import Tensor

from probatum.studies.gainakt.batch import SequenceBatch

HALF_LIVES = (2.0, 10.0, 50.0)  # steps
FEATURE_COUNT = 6 + 2 * len(HALF_LIVES)


def practice_features(batch: SequenceBatch) -> Tensor:
    """Return what is known at step t about the concept of step t + 1, `(batch, length, 12)`.

    Over the steps j <= t on that concept: log(1 + attempts), log(1 + successes), log(1 + failures), the
    smoothed success rate (s + 1) / (n + 2), the last answer as −1 or 1 (0 before the first), and
    log(1 + steps since it); then, per half-life of 2, 10 and 50 steps, exponentially fading sums of
    successes and of failures, in log(1 + x). Features of the kind of PFA (Pavlik et al. 2009) and DAS3H
    (Choffin et al. 2019, arXiv 1905.06873). Nothing is read from step t + 1 but its concept.

    Example:
        >>> batch = SequenceBatch.from_windows(
        ...     torch.tensor([[3, 4, 3]]), torch.tensor([[1, 0, 1]]), torch.tensor([3]),
        ...     students=torch.tensor([0]), windows=torch.tensor([0]))
        >>> practice_features(batch)[0, :, 4:6].tolist()  # concept 4 is new; concept 3: right, 2 steps ago
        [[0.0, 0.0], [1.0, 0.6931471824645996]]
    """
    length = batch.concepts.shape[1]
    steps = torch.arange(length, device=batch.concepts.device)
    # 2^(-(t - j) / h) = 2^(-t / h) 2^(j / h): one product serves all half-lives, unless 2^(j / h) overflows
    exact = torch.float32 if length <= 120 * min(HALF_LIVES) else torch.float64
    rates = torch.tensor([0.0, *(1 / h for h in HALF_LIVES)], device=steps.device, dtype=exact)
    growth = torch.exp2(steps[:, None] * rates)  # (length, 1 + half-lives); the first does not fade
    right = batch.responses.to(exact)
    outcome = torch.stack([right, 1 - right], dim=-1)  # (batch, length, 2)
    weighted = (growth[..., None] * outcome[:, :, None]).flatten(2)  # (batch, length, 2 + 2 half-lives)
    same = batch.next_concepts[:, :, None] == batch.concepts[:, None, :]
    same = (same & (steps <= steps[:, None])).to(exact)  # (batch, length, length), j <= t
    with torch.autocast(steps.device.type, enabled=False):  # counts in half precision would be wrong
        sums = ((same @ weighted).unflatten(2, (-1, 2)) / growth[..., None]).float()
    successes, failures = sums[:, :, 0].unbind(-1)
    attempts = successes + failures
    last = (same * (steps + 1.0)).amax(dim=-1).float()  # 1 + step of the latest attempt; 0 if none
    seen = last > 0
    at_last = right.gather(1, (last.long() - 1).clamp(min=0)).float()
    return torch.cat(
        [
            torch.stack(
                [
                    attempts.log1p(),
                    successes.log1p(),
                    failures.log1p(),
                    (successes + 1) / (attempts + 2),
                    torch.where(seen, 2 * at_last - 1, 0.0),
                    torch.where(seen, steps + 1.0 - last, 0.0).log1p(),
                ],
                dim=-1,
            ),
            sums[:, :, 1:].flatten(2).log1p(),
        ],
        dim=-1,
    )
