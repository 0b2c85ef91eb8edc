"""How much each point counts: robust scales, clipping, and variances smoothed over the sweep."""

from __future__ import annotations

import numpy as np

from kubecal_tasks.fits.values import Array, Mask

HUBER_SIGMAS = 2.0
CLIP_SIGMAS = 4.0
MAX_CLIPPED = 0.15
"""More garbage than that is a poor fit, whatever the rest says."""
_MOST_DROPPED = 0.4
"""Points left out at most. Beyond MAX_CLIPPED the fit is refused in any case, and has to say truthfully why:
garbage left in would hide the signal, and the verdict would be no_signal where poor_fit is true."""
MAD_TO_SIGMA = 1.4826
_FEWEST_TO_SMOOTH = 8
_UNEXPLAINED = 0.5
"""Relative scatter of the variances around a function of the signal beyond which they are taken as given."""


def robust_sigma(residuals: Array, finite: Mask) -> Array:
    """Scale (Q, 1) of residuals (Q, M) that a fifth of garbage hardly moves."""
    return MAD_TO_SIGMA * median(np.abs(residuals), finite)


def median(values: Array, finite: Mask) -> Array:
    """Median (Q, 1) of the finite ones of values (Q, M)."""
    middle: Array
    if finite.all():  # numpy's nanmedian costs ten times as much, and this is asked for in every round
        middle = np.median(values, axis=1, keepdims=True)
    else:
        middle = np.nanmedian(np.where(finite, values, np.nan), axis=1, keepdims=True)
    return middle


def huber(residuals: Array, sigma: Array) -> Array:
    """Weights that turn squares into distances beyond two sigmas."""
    size = np.abs(residuals)
    limit = HUBER_SIGMAS * sigma
    weights: Array = np.where(size > limit, limit / np.where(size > 0, size, 1.0), 1.0)
    return weights


def clip(normalised: Array, finite: Mask) -> tuple[Mask, Array]:
    """Which points to keep, and the fraction (Q,) that looks like garbage.

    Parameters
    ----------
    normalised
        (Q, M) residuals in units of their own sigma. Where these are too small by a common factor, or the model
        fails, the residuals' own spread counts instead: a bad model must not pass by discarding what it misses.
    """
    scale = np.maximum(1.0, robust_sigma(normalised, finite))
    size = np.where(finite, np.abs(normalised) / scale, np.inf)
    suspicious = size > CLIP_SIGMAS
    allowed = int(_MOST_DROPPED * size.shape[1])
    worst = np.argsort(-size, axis=1)[:, :allowed]
    among_worst = np.zeros_like(finite)
    np.put_along_axis(among_worst, worst, True, axis=1)
    return finite & ~(suspicious & among_worst), suspicious.mean(axis=1)


def smooth_variance(variance: Array, model: Array, kept: Mask) -> Array:
    """Variances (Q, M) as a quadratic function of the fitted signal.

    The variance of a mean of shots between two blobs is exactly that. A sample variance is noisy, and worse, it
    is correlated with the sample mean: a point that happens to lie near |0> claims to be precise, and pulls the
    fit to its side. Where the variances do not follow the signal (other causes, few points) they stay.
    """
    if variance.shape[1] < _FEWEST_TO_SMOOTH:
        return variance
    low, high = model.min(axis=1, keepdims=True), model.max(axis=1, keepdims=True)
    u = (2 * model - low - high) / np.where(high > low, high - low, 1.0)
    columns = np.stack([np.ones_like(u), u, u * u], axis=-1)
    floor = 0.2 * np.median(variance, axis=1, keepdims=True)
    weights = kept / variance**2  # relative errors are alike; by its own value no large one can dominate
    smooth = variance
    for _ in range(3):
        weighted = np.swapaxes(columns * weights[..., None], 1, 2)
        normal = weighted @ columns
        ridge = 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
        right = weighted @ variance[..., None]
        smooth = np.maximum((columns @ np.linalg.solve(normal + ridge + 1e-300 * np.eye(3), right))[..., 0], floor)
        weights = kept * (np.abs(variance / smooth - 1) < 3.0) / smooth**2
    scatter = MAD_TO_SIGMA * np.median(np.abs(variance / smooth - 1), axis=1, keepdims=True)
    chosen: Array = np.where(scatter < _UNEXPLAINED, smooth, variance)
    return chosen
