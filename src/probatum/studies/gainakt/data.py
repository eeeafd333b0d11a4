"""The splits of a knowledge-tracing run and what is recorded about them."""

from __future__ import annotations

from typing import Any

from probatum.studies.gainakt.batching import Split
from probatum.studies.gainakt.parameters import TracingParameters
from probatum.studies.gainakt.protocol import Protocol, split
from probatum.studies.gainakt.semantics import Semantics, SemanticSettings
from probatum.studies.gainakt.sources import Simulation, Source, load
from probatum.training.study import StudyData

SPLIT_NAMES = {"train": "train", "valid": "validation", "test": "test"}
CORRELATION_MIN_STEPS = 3  # Pearson's r of two steps is always -1 or 1
VIOLATION_TOLERANCE = 1e-6  # of float32 rounding
CONFIDENCE_LEVEL = 0.95


class TracingData(StudyData):
    """The splits with the semantic measurement of each, made at its first use."""

    def semantics(self, split_name: str, parameters: TracingParameters, *, final: bool) -> Semantics:
        """Return the measurement of a split: on more students in the final evaluation than in every epoch."""
        cache: dict[tuple[str, bool], Semantics] = self.facts["semantics"]
        key = (split_name, final)
        if key not in cache:
            cache[key] = Semantics(self.splits[split_name], _settings(parameters, final=final))  # type: ignore[arg-type]
        return cache[key]


def load_tracing_data(parameters: TracingParameters) -> TracingData:
    """Return the splits that the data parameters describe; the training seed plays no part."""
    source = load(
        parameters.dataset,
        data_folder=None,
        simulation=Simulation(
            students=parameters.simulated_students,
            concepts=parameters.simulated_concepts,
            seed=parameters.simulation_seed,
        ),
        accept_different_data=parameters.accept_different_data,
    )
    protocol = Protocol(
        seq_len=parameters.seq_len,
        min_interactions=parameters.min_interactions,
        test_share=parameters.test_share,
        fold_count=parameters.fold_count,
        fold=parameters.fold,
        split_seed=parameters.split_seed,
    )
    windows = split(source.histories, protocol)
    splits = {
        name: Split(windows[theirs], bucket_batches=parameters.bucket_batches)
        for name, theirs in SPLIT_NAMES.items()
    }
    facts = {
        "num_concepts": source.histories.concept_count,
        "num_students": source.histories.student_count,
        "semantics": {},
    }
    return TracingData(splits, _record(source, splits), facts)


def _record(source: Source, splits: dict[str, Split]) -> dict[str, Any]:
    return {
        "name": source.dataset,
        "source": "; ".join(sorted({file["source"] for file in source.files})),
        "files": list(source.files),
        "splits": {
            name: {"windows": part.count, "steps": part.step_count, "sha256": part.digest()}
            for name, part in splits.items()
        },
    }


def _settings(parameters: TracingParameters, *, final: bool) -> SemanticSettings:
    sample = parameters.max_correlation_students if final else parameters.max_semantic_students
    return SemanticSettings(
        max_semantic_students=sample,
        alignment_global_students=parameters.alignment_global_students,
        min_steps=CORRELATION_MIN_STEPS,
        violation_tolerance=VIOLATION_TOLERANCE,
        bootstrap_resamples=parameters.bootstrap_resamples,
        confidence_level=CONFIDENCE_LEVEL,
    )
