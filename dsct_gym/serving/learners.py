"""Classic learners that predict power from counters, and how well they do (extra ``ml``).

As in the first part of EALI (Yao et al., Neurocomputing 507, 2022): linear, polynomial with a lasso
(as NeuralPower, Cai et al., ACML 2017), support vectors, random forest and gradient boosting. They
are judged by R², RMSE and MAPE over ten random parts, and over networks or kernels left out whole.
Rows of one kernel at other clocks or batches are near copies of each other: where they are split at
random, a learner is asked what it has almost seen. What a scheduler needs is the other figure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from dsct_gym.arrays import Floats, Ints
from dsct_gym.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

PARTS: Final = 10
"""Of a random cross-validation."""
LEARNERS: Final = ("linear", "lasso", "svr", "forest", "boosting")
"""Their names."""


class Quality(NamedTuple):
    """How well powers were predicted that a learner had not seen.

    Attributes:
        r2: Coefficient of determination; 1 is perfect, below 0 is worse than the mean.
        rmse: Root of the mean squared error, W.
        mape: Mean absolute relative error.
    """

    r2: float
    rmse: float
    mape: float


def make_learner(name: str) -> Any:
    """An untrained regressor of scikit-learn, with the scaling that it needs.

    Raises:
        InputError: If there is no such learner, or scikit-learn is not installed.
    """
    if name not in LEARNERS:
        raise InputError(f"no learner {name!r}; there are {', '.join(LEARNERS)}")
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise InputError("learners need scikit-learn: pip install 'dsct-gym[ml]'") from None
    return _MAKERS[name]()


def random_parts(rows: int) -> Ints:
    """A random tenth for each row (N,), whatever it is of."""
    return np.random.default_rng(0).permutation(rows) % PARTS


def cross_validate(
    learner: Callable[[], Any], counters: Floats, power: Floats, parts: Ints
) -> Floats:
    """Powers of each part, W (N,), as predicted by a learner trained on all others.

    Args:
        learner: Gives an untrained learner with ``fit`` and ``predict``.
        counters: What it sees (N, F).
        power: What was measured, W (N,).
        parts: The part that each row is in (N,).
    """
    predicted = np.empty_like(power)
    for training, held in _splits(parts):
        model = learner().fit(counters[training], power[training])
        predicted[held] = model.predict(counters[held])
    return predicted


def quality(power: Floats, predicted: Floats) -> Quality:
    """How close predictions are to what was measured, both in W (N,)."""
    error = predicted - power
    spread = power - power.mean()
    return Quality(
        r2=float(1.0 - (error @ error) / (spread @ spread)),
        rmse=float(np.sqrt(np.mean(error**2))),
        mape=float(np.mean(np.abs(error) / power)),
    )


def _splits(parts: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Rows to train on and rows held out, part by part."""
    for part in np.unique(parts):
        yield np.flatnonzero(parts != part), np.flatnonzero(parts == part)


def _linear() -> Any:
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LinearRegression())


def _lasso() -> Any:
    from sklearn.linear_model import LassoCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    terms = PolynomialFeatures(2, include_bias=False)
    fit = LassoCV(cv=5, alphas=20, eps=1e-3, max_iter=3000, tol=1e-3)
    return make_pipeline(StandardScaler(), terms, StandardScaler(), fit)


def _svr() -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    machine = make_pipeline(StandardScaler(), SVR(C=10.0, epsilon=0.05))
    return TransformedTargetRegressor(machine, transformer=StandardScaler())


def _forest() -> Any:
    from sklearn.ensemble import RandomForestRegressor

    return RandomForestRegressor(100, min_samples_leaf=2, random_state=0)


def _boosting() -> Any:
    from sklearn.ensemble import GradientBoostingRegressor

    return GradientBoostingRegressor(n_estimators=200, max_depth=5, subsample=0.5, random_state=0)


_MAKERS: Final[dict[str, Callable[[], Any]]] = {
    "linear": _linear,
    "lasso": _lasso,
    "svr": _svr,
    "forest": _forest,
    "boosting": _boosting,
}
