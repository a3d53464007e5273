"""How near two pictures are, in regions: L1, PSNR, SSIM."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

Box = tuple[slice, slice]


def l1(image: np.ndarray, truth: np.ndarray, box: Box) -> float:
    """Return the mean absolute difference inside a box, as a share of white; images uint8 (H, W, 3)."""
    return float(np.abs(image[box].astype(np.float64) - truth[box]).mean() / 255)


def psnr(image: np.ndarray, truth: np.ndarray, box: Box) -> float:
    """Return the peak signal-to-noise ratio inside a box in dB; infinite for equal pictures."""
    error = np.square(image[box].astype(np.float64) - truth[box]).mean()
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def ssim_map(image: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the local structural similarity (H, W) of the luma: Wang et al. 2004, Gaussian window of sigma 1.5."""
    luma = [(x @ np.array([0.299, 0.587, 0.114])) for x in (image.astype(np.float64), truth.astype(np.float64))]
    _, full = structural_similarity(
        *luma, data_range=255.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    return full
