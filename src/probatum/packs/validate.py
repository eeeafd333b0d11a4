"""Whether a pack is what it says: form, digests, columns against episodes, finite numbers; all mistakes at once.

The episodes are read one at a time. What a killed writer left beyond the last committed episode is a note and
no mistake: the next generation cuts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from probatum._errors import RecordError
from probatum._files import read_json
from probatum.packs.batch import EpisodeBatch
from probatum.packs.columns import INDEX, NOTHING
from probatum.packs.commits import is_intact
from probatum.packs.listing import parsed, read_listing
from probatum.packs.quick_stats import quick_stats
from probatum.packs.reader import PackReader
from probatum.packs.record import listing
from probatum.packs.rewards import COMPONENTS
from probatum.packs.schema import episode_faults, header_faults

PROBABILITY_TOLERANCE = 1e-3  # of a sum of 32-bit numbers


@dataclass
class Validation:
    """What a check of a pack found.

    Attributes:
        episodes: How many episodes were checked.
        mistakes: Everything that is wrong, each with its place.
        notes: What is worth knowing and no mistake.
    """

    episodes: int = 0
    mistakes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes

    def as_record(self) -> dict[str, Any]:
        """Return the findings as strict JSON takes them."""
        return {"is_valid": self.is_valid, **self.__dict__}


def validate(folder: Path | str) -> Validation:
    """Return everything that is wrong with a pack.

    Raises:
        RecordError: there is no `pack.json`, or of another version, so that nothing can be checked.
    """
    reader = PackReader(folder)
    found = Validation(len(reader), header_faults(read_json(reader.paths.header)))
    found.mistakes += _feature_faults(reader)
    found.mistakes += _left_over(reader, found.notes)
    if found.mistakes:
        found.notes.append("the episodes were not read: mend the head first")
        return found
    seen: dict[str, int] = {}
    shorts = _listings(reader, found.mistakes)
    for number in range(len(reader)):
        found.mistakes += _episode(reader, number, shorts[number] if number < len(shorts) else None, seen)
    found.mistakes += _statistics(reader, shorts, found.notes)
    return found


def _feature_faults(reader: PackReader) -> list[str]:
    """Return what is wrong with the names of the features: groups and `_index` must tell the same order."""
    groups = reader.header["feature_schema"]
    names = [name for group, members in groups.items() if group != "_index" for name in members]
    wrong = []
    if sorted(groups["_index"].values()) != list(range(len(groups["_index"]))):
        wrong.append("pack.json.feature_schema._index: expected the positions 0, 1, 2 and so on, each once")
    if set(names) != set(groups["_index"]) or len(names) != len(set(names)):
        wrong.append("pack.json.feature_schema: the groups and _index name different features")
    for name, column in reader.columns.items():
        stated = (reader.header.get("columns") or {}).get(name, {})
        if (stated.get("dtype"), stated.get("width")) != (column.dtype.str, list(column.width)):
            wrong.append(
                f"pack.json.columns.{name}: expected {column.dtype.str} {list(column.width)}, got {stated}"
            )
    return wrong


def _left_over(reader: PackReader, notes: list[str]) -> list[str]:
    """Return the entries of the index that no episode stands behind; one is what a kill may leave."""
    size = reader.paths.index.stat().st_size if reader.paths.index.exists() else 0
    lost = size // INDEX.itemsize - len(reader)
    if lost > 1:
        return [
            f"columns/index.bin: {lost} entries point beyond the end of a file; files were cut or replaced"
        ]
    ends = reader.index[-1] if len(reader) else np.zeros((), INDEX)
    files = {reader.paths.episodes: ends["episodes"], reader.paths.listing: ends["listing"]}
    files |= {
        reader.paths.column(name): ends["rows"] * each.row_bytes for name, each in reader.columns.items()
    }
    longer = [path.name for path, end in files.items() if path.exists() and path.stat().st_size > int(end)]
    if longer or lost or size % INDEX.itemsize:
        notes.append("a writer was stopped while it wrote an episode; the next one cuts what it left")
    return []


def _listings(reader: PackReader, mistakes: list[str]) -> list[dict[str, Any]]:
    try:
        return list(read_listing(reader.paths, len(reader)))
    except RecordError as error:
        mistakes.append(str(error))
        return []


def _episode(
    reader: PackReader, number: int, short: Mapping[str, Any] | None, seen: dict[str, int]
) -> Iterator[str]:
    """Yield the mistakes of one episode."""
    place = f"{reader.paths.episodes.name}, line {number + 1}"
    if not is_intact(reader.paths, reader.columns, reader.index, number):
        yield f"{place}: the digest differs: this line, its listing or its rows were changed later"
    try:
        episode = parsed(reader.line(number), reader.paths.episodes.name, number + 1)
    except RecordError as error:
        yield str(error)
        return
    wrong = episode_faults(episode, place)
    if wrong:
        yield from wrong
        return
    first = seen.setdefault(episode["episode_id"], number + 1)
    if first != number + 1:
        yield f"{place}: episode_id {episode['episode_id']!r} is that of line {first} too"
    if short != listing(episode):
        yield f"{reader.paths.listing.name}, line {number + 1}: does not say what the episode says"
    batch = reader.batch([number])
    yield from (f"{place}: {mistake}" for mistake in _column_faults(reader, batch))
    yield from (f"{place}: {mistake}" for mistake in _differences(reader, episode, batch))


def _column_faults(reader: PackReader, batch: EpisodeBatch) -> Iterator[str]:
    """Yield what is wrong with the rows themselves."""
    for name in ("observations", "probabilities", "rewards"):
        bad = np.argwhere(~np.isfinite(batch.column(name)))
        if len(bad):
            what = reader.feature_names[bad[0][1]] if name == "observations" else f"entry {bad[0][1]}"
            yield f"columns/{name}.bin, row {bad[0][0]}, {what}: expected a finite number"
    if (batch.mask > 1).any() or (batch.observations[batch.mask == 0] != 0).any():
        yield "columns/mask.bin: expected 0 or 1, and observations of 0 where it is 0"
    taken = batch.actions[:-1]
    if batch.actions[-1] != NOTHING or (taken < 0).any() or (taken >= len(reader.actions)).any():
        yield f"columns/actions.bin: expected 0 to {len(reader.actions) - 1}, and -1 in the last row alone"
    sums = batch.probabilities[:-1].sum(axis=1, dtype=np.float64)
    if (np.abs(sums - 1) > PROBABILITY_TOLERANCE).any():
        row = int(np.argmax(np.abs(sums - 1)))
        yield f"columns/probabilities.bin, row {row}: expected probabilities that sum to 1, got {sums[row]:.4g}"


def _differences(reader: PackReader, episode: Mapping[str, Any], batch: EpisodeBatch) -> Iterator[str]:
    """Yield the columns that do not say what the episode's line says."""
    decisions = episode["decisions"]
    if len(batch.actions) != len(decisions) + 1:
        yield f"{len(batch.actions)} rows for {len(decisions)} decisions; expected one more than decisions"
        return
    seen = [*(decision["observation"] for decision in decisions), episode["final_observation"]]
    absent = [name for name in reader.feature_names if any(name not in each for each in seen)]
    if absent:
        yield f"the observations lack {', '.join(absent[:5])}"
        return
    judged = {None: NOTHING, False: 0, True: 1}
    wanted = {
        "observations": [[each[name] or 0.0 for name in reader.feature_names] for each in seen],
        "mask": [[each[name] is not None for name in reader.feature_names] for each in seen],
        "actions": [*(each["action"]["index"] for each in decisions), NOTHING],
        "rewards": [[each["reward"][name] for name in COMPONENTS] for each in decisions] + [[0.0] * 4],
        "good": [*(judged[each["hindsight"]["was_good_decision"]] for each in decisions), NOTHING],
    }
    for name, value in wanted.items():
        column = batch.column(name)
        if not np.array_equal(np.asarray(value).astype(column.dtype), column):
            yield f"columns/{name}.bin does not hold what the line says"
    for position, decision in enumerate(decisions):
        index, name = decision["action"]["index"], decision["action"]["name"]
        if not index < len(reader.actions) or reader.actions[index] != name:
            yield f"decision {position}: action {name!r} is not number {index} of the pack's actions"


def _statistics(reader: PackReader, shorts: list[dict[str, Any]], notes: list[str]) -> list[str]:
    """Return the quick statistics that are not those of the episodes which they cover."""
    stated = reader.header["quick_stats"]
    covered = stated["episodes"]
    if covered > len(shorts):
        return [f"pack.json.quick_stats: of {covered} episodes, and {len(shorts)} are there"]
    if covered < len(shorts):
        notes.append(
            f"pack.json.quick_stats cover {covered} of {len(shorts)} episodes: the writer was stopped"
        )
    actual = quick_stats(shorts[:covered])
    return [
        f"pack.json.quick_stats.{name}: expected {actual[name]}, got {value}"
        for name, value in stated.items()
        if value != actual.get(name)
    ]
