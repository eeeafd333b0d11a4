"""Logistic regression and gradient boosting on summary features: what a network on ICU stays must beat.

Their constants were set once, before any score was seen, and tuned on nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from probatum.studies.concare.metrics import mortality_metrics
from probatum.studies.concare.observations import Floats
from probatum.studies.concare.summary_features import summary_features
from probatum.training.study import Metrics, StudyData

BASELINES = ("logistic_regression", "gradient_boosting")
PENALTY = 0.003  # C, the inverse strength of the L2 penalty on standardised features
LEARNING_RATE, ROUNDS, LEAVES, LEAF_PATIENTS, SHRINKAGE = 0.03, 300, 8, 30, 10.0


def fit_baselines(data: StudyData, seed: int) -> dict[str, dict[str, Metrics]]:
    """Return the metrics of both baselines by name and split (`valid`, `test`), fitted on `train` alone.

    Scaling, imputation by the median, and every other constant come from training patients.

    Example:
        >>> from probatum.studies.concare.data import ICUSplit
        >>> from probatum.studies.concare.preprocessing import Preprocessing
        >>> from probatum.studies.concare.simulate import MIXED_ICU, simulate
        >>> cohort = simulate(patients=90, bins=48, seed=1, ward=MIXED_ICU, second_set=0.2)
        >>> fitted = Preprocessing.fit(cohort, normalisation="zscore", log_skewness=0, clip=5)
        >>> thirds = {name: ICUSplit(cohort.take(np.arange(start, 90, 3)), fitted)
        ...     for start, name in enumerate(("train", "valid", "test"))}
        >>> sorted(fit_baselines(StudyData(thirds, {}), seed=1)["logistic_regression"])
        ['test', 'valid']
    """
    tables = {name: summary_features(split.observations)[0] for name, split in data.splits.items()}  # type: ignore[attr-defined]
    targets = {name: split.observations.targets for name, split in data.splits.items()}  # type: ignore[attr-defined]
    scores: dict[str, dict[str, Metrics]] = {}
    for name in BASELINES:
        model = _model(name, seed)
        model.fit(tables["train"], targets["train"])
        scores[name] = {
            split: mortality_metrics(targets[split], _deaths(model, tables[split]))
            for split in ("valid", "test")
        }
    return scores


def _deaths(model: Any, table: Floats) -> Floats:
    return model.predict_proba(table)[:, list(model.classes_).index(1)]


def _model(name: str, seed: int) -> Any:
    """Return an unfitted pipeline; scikit-learn is imported here, where it is needed."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    if name == "gradient_boosting":  # gaps are a branch of their own in its trees
        return HistGradientBoostingClassifier(
            learning_rate=LEARNING_RATE,
            max_iter=ROUNDS,
            max_leaf_nodes=LEAVES,
            min_samples_leaf=LEAF_PATIENTS,
            l2_regularization=SHRINKAGE,
            early_stopping=False,  # pyright: ignore[reportArgumentType] - typed as text by mistake
            random_state=seed,
        )
    return make_pipeline(
        FunctionTransformer(_signed_log),
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        FunctionTransformer(np.clip, kw_args={"a_min": -5.0, "a_max": 5.0}),
        LogisticRegression(C=PENALTY, max_iter=2000),
    )


def _signed_log(table: Floats) -> Floats:
    """Return sign(x) log(1 + |x|): laboratory values span orders of magnitude."""
    return np.sign(table) * np.log1p(np.abs(table))
