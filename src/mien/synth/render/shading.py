"""How a pixel gets its colour: compiled loops over what the z-buffer shows. Nothing here knows a face.

Skin is lit with wrapped light, more so in red, as if it scattered beneath the surface; its relief bends the normal.
"""

import numba as nb
import numpy as np

from mien.synth.render.raster import sample

RELIEF, HAIR, CORNEA = 1, 2, 3  # flags of a material
SHADOW_BIAS = 0.035


@nb.njit(cache=True, fastmath=True)
def _between(values, i, j, k, u, v, channel):  # pragma: no cover - compiled
    """Return one channel of vertex values (n, c) inside triangle i, j, k."""
    return (1 - u - v) * values[i, channel] + u * values[j, channel] + v * values[k, channel]


@nb.njit(cache=True, fastmath=True)
def _unit(x, y, z):  # pragma: no cover - compiled
    size = np.sqrt(x * x + y * y + z * z) + 1e-9
    return x / size, y / size, z / size


@nb.njit(cache=True, fastmath=True)
def _lit_share(shadow, x, y, z, reach):  # pragma: no cover - compiled
    """Return the share of lamp that reaches a point of the shadow map, averaged over 3² of its pixels `reach` apart."""
    side = shadow.shape[0]
    hits, total = 0.0, 0.0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            px, py = int(x) + dx * reach, int(y) + dy * reach
            if 0 <= px < side and 0 <= py < side:
                total += 1
                gap = shadow[py, px] - z - SHADOW_BIAS
                hits += 1 - min(max(gap / SHADOW_BIAS, 0.0), 1.0)
    return hits / total if total > 0 else 1.0


@nb.njit(cache=True, fastmath=True)
def _bend(nx, ny, nz, relief, x, y, frame):  # pragma: no cover - compiled
    """Return the normal bent by the relief's slopes at (x, y), and how dark the groove is."""
    along, upward = sample(relief, x, y, 0), sample(relief, x, y, 1)
    d = frame[0, 0] * nx + frame[0, 1] * ny + frame[0, 2] * nz
    ax, ay, az = _unit(frame[0, 0] - d * nx, frame[0, 1] - d * ny, frame[0, 2] - d * nz)
    bx, by, bz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
    nx, ny, nz = nx - along * ax - upward * bx, ny - along * ay - upward * by, nz - along * az - upward * bz
    return nx, ny, nz, sample(relief, x, y, 2)


@nb.njit(cache=True, fastmath=True)
def _glint(flag, sharpness, nx, ny, nz, half, sky, lit):  # pragma: no cover - compiled
    """Return the mirrored light of the key lamp and the sky; `half` (3,) lies between lamp and camera."""
    if flag == CORNEA:  # it bulges: turns away twice as fast as the ball, and shines under any lid
        nx, ny, nz = _unit(1.9 * nx, 1.9 * ny, max(nz, 0.3))
        shine = max(0.0, nx * half[0] + ny * half[1] + nz * half[2])
        return shine**sharpness + 0.03 * (0.5 + 0.5 * ny) * sky
    shine = max(0.0, nx * half[0] + ny * half[1] + nz * half[2])
    edge = 0.4 if flag == HAIR else 0.35 + 0.65 * (1 - nz) ** 3
    narrow = shine**sharpness * (0.25 + 0.75 * lit) + 0.05 * (1 + ny)
    if flag == RELIEF:  # skin has a second, broader lobe: oil over rough cells
        narrow = 0.65 * narrow + 0.5 * lit * shine ** (0.25 * sharpness)
    return edge * sky * narrow


@nb.njit(cache=True, fastmath=True)
def shade(
    seen,
    bary,
    faces,
    material_of,
    materials,
    normals,
    uv,
    sky_of,
    atlas,
    relief,
    relief_scale,
    frame,
    lamp,
    shadow,
    in_shadow,
    reach,
    image,
):  # pragma: no cover - compiled
    """Fill `image` (W, W, 3), linear, where `seen` shows a triangle.

    materials (k, 9): tint rgb, specular, sharpness, wrap of the light per channel, flag. relief (h, w, 3): slope along
    the tangent and upwards, and darkening, on the atlas divided by `relief_scale`. frame (2, 3): the head's side and
    up axes. lamp (7, 3): direction, key, sky, ground, direction of the rim light, rim, half vector.
    """
    color = np.empty(3, np.float32)
    for y in range(seen.shape[0]):
        for x in range(seen.shape[1]):
            f = seen[y, x]
            if f < 0:
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            u, v = bary[y, x, 0], bary[y, x, 1]
            m = materials[material_of[f]]
            tx, ty = _between(uv, i, j, k, u, v, 0), _between(uv, i, j, k, u, v, 1)
            for c in range(3):
                color[c] = sample(atlas, tx, ty, c) * m[c]
            gloss = m[3] * sample(atlas, tx, ty, 3)
            nx, ny = _between(normals, i, j, k, u, v, 0), _between(normals, i, j, k, u, v, 1)
            nz = _between(normals, i, j, k, u, v, 2)
            if nz < 0:
                nx, ny, nz = -nx, -ny, -nz
            if m[8] == RELIEF:
                nx, ny, nz, dark = _bend(nx, ny, nz, relief, tx / relief_scale, ty / relief_scale, frame)
                color[0] *= 1 - 0.75 * dark  # grooves glow red
                color[1] *= 1 - dark
                color[2] *= 1 - dark
            elif m[8] == HAIR:
                strand = sample(atlas, tx, ty, 4)
                color *= 0.55 + 0.9 * strand
                gloss *= 0.3 + 1.4 * strand
                nx += 0.35 * (strand - 0.5)
            nx, ny, nz = _unit(nx, ny, nz)
            sky = (1 - u - v) * sky_of[i] + u * sky_of[j] + v * sky_of[k]
            sx, sy = _between(in_shadow, i, j, k, u, v, 0), _between(in_shadow, i, j, k, u, v, 1)
            lit = _lit_share(shadow, sx, sy, _between(in_shadow, i, j, k, u, v, 2), reach)
            toward = nx * lamp[0, 0] + ny * lamp[0, 1] + nz * lamp[0, 2]
            behind = max(0.0, nx * lamp[4, 0] + ny * lamp[4, 1] + nz * lamp[4, 2])
            glint = gloss * _glint(m[8], m[4], nx, ny, nz, lamp[6], sky, lit)
            for c in range(3):
                wrap = m[5 + c]
                key = max(0.0, (toward + wrap) / (1 + wrap)) * (lit + (1 - lit) * 0.25 * wrap)
                ambient = (lamp[3, c] + (lamp[2, c] - lamp[3, c]) * (0.5 + 0.5 * ny)) * (0.55 + 0.45 * nz) * sky
                light = key * (0.55 + 0.45 * sky) * lamp[1, c] + ambient + behind * lamp[5, c] * sky
                image[y, x, c] = color[c] * light + glint * (lamp[1, c] + 0.4 * lamp[2, c])
