"""The z-buffer: filling it, vertex normals, and reading exact geometry off it. Nothing here knows a face.

All arrays are float32 unless said; screens are square. `seen` (W, W) int32 is the triangle a pixel shows, -1 none;
`bary` (W, W, 2) its barycentric weights of the triangle's second and third vertex.
"""

import numba as nb
import numpy as np


@nb.njit(cache=True, fastmath=True)
def sample(texture, x, y, channel):  # pragma: no cover - compiled
    """Return one channel of `texture` (H, W, C) between its pixels; x, y in pixels."""
    h, w = texture.shape[0], texture.shape[1]
    x = min(max(x, 0.0), w - 1.001)
    y = min(max(y, 0.0), h - 1.001)
    i, j = int(x), int(y)
    fx, fy = x - i, y - j
    top = texture[j, i, channel] * (1 - fx) + texture[j, i + 1, channel] * fx
    low = texture[j + 1, i, channel] * (1 - fx) + texture[j + 1, i + 1, channel] * fx
    return top * (1 - fy) + low * fy


@nb.njit(cache=True, fastmath=True)
def rasterize(screen, faces, ragged, cover, uv, atlas, depth, seen, bary):  # pragma: no cover - compiled
    """Fill depth, seen and bary from vertices `screen` (n, 3): x, y in pixels, z growing towards the viewer.

    Where `ragged` (m,) uint8 is set, a pixel is hit only where the interpolated `cover` (n,) exceeds the atlas's last
    channel there: hair ends in strands, not in a polygon's edge.
    """
    side = depth.shape[0]
    last = atlas.shape[2] - 1
    depth[:] = -1e9
    seen[:] = -1
    for f in range(faces.shape[0]):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, y0 = screen[i, 0], screen[i, 1]
        ax, ay = screen[j, 0] - x0, screen[j, 1] - y0
        bx, by = screen[k, 0] - x0, screen[k, 1] - y0
        area = ax * by - bx * ay
        if abs(area) < 1e-9:
            continue
        left = max(0, int(np.ceil(x0 + min(0.0, ax, bx) - 0.5)))
        right = min(side - 1, int(np.floor(x0 + max(0.0, ax, bx) - 0.5)))
        top = max(0, int(np.ceil(y0 + min(0.0, ay, by) - 0.5)))
        bottom = min(side - 1, int(np.floor(y0 + max(0.0, ay, by) - 0.5)))
        z0 = screen[i, 2]
        az, bz = screen[j, 2] - z0, screen[k, 2] - z0
        inverse = 1.0 / area
        for y in range(top, bottom + 1):
            py = y + 0.5 - y0
            for x in range(left, right + 1):
                px = x + 0.5 - x0
                u = (px * by - bx * py) * inverse
                v = (ax * py - px * ay) * inverse
                if u < -1e-5 or v < -1e-5 or u + v > 1.00001:  # a hair of overlap, or rounding leaves gaps
                    continue
                z = z0 + u * az + v * bz
                if z <= depth[y, x]:
                    continue
                if ragged[f]:
                    w = 1 - u - v
                    tx = w * uv[i, 0] + u * uv[j, 0] + v * uv[k, 0]
                    ty = w * uv[i, 1] + u * uv[j, 1] + v * uv[k, 1]
                    if w * cover[i] + u * cover[j] + v * cover[k] <= sample(atlas, tx, ty, last):
                        continue
                depth[y, x] = z
                seen[y, x] = f
                bary[y, x, 0] = u
                bary[y, x, 1] = v


@nb.njit(cache=True, fastmath=True)
def vertex_normals(points, faces, normals):  # pragma: no cover - compiled
    """Fill `normals` (n, 3) with unit normals, triangles weighted by area."""
    normals[:] = 0
    for f in range(faces.shape[0]):
        i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2]
        bx, by, bz = points[k, 0] - points[i, 0], points[k, 1] - points[i, 1], points[k, 2] - points[i, 2]
        nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        for v in (i, j, k):
            normals[v, 0] += nx
            normals[v, 1] += ny
            normals[v, 2] += nz
    for v in range(normals.shape[0]):
        length = np.sqrt(normals[v, 0] ** 2 + normals[v, 1] ** 2 + normals[v, 2] ** 2) + 1e-12
        normals[v, 0] /= length
        normals[v, 1] /= length
        normals[v, 2] /= length


@nb.njit(cache=True, fastmath=True)
def trace_back(seen, bary, faces, origin, inside, flow, hollow):  # pragma: no cover - compiled
    """Fill flow (g, g, 2) in pixels of the screen and hollow (g, g) 0-1, from what each cell of a coarse grid shows.

    `origin` (n, 2): where each vertex lies in the reference picture; `inside` (m,) uint8 says which triangles count
    for `hollow`. The flow holds at the middle of a cell; it is zero where nothing is seen.
    """
    side, cells = seen.shape[0], flow.shape[0]
    size = side / cells
    for cy in range(cells):
        for cx in range(cells):
            n, dx, dy = 0, 0.0, 0.0
            mid_x, mid_y = (cx + 0.5) * size, (cy + 0.5) * size
            for y in range(int(mid_y - 1), int(mid_y + 1)):
                for x in range(int(mid_x - 1), int(mid_x + 1)):
                    f = seen[y, x]
                    if f < 0:
                        continue
                    i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
                    u, v = bary[y, x, 0], bary[y, x, 1]
                    w = 1 - u - v
                    n += 1
                    dx += w * origin[i, 0] + u * origin[j, 0] + v * origin[k, 0] - (x + 0.5)
                    dy += w * origin[i, 1] + u * origin[j, 1] + v * origin[k, 1] - (y + 0.5)
            flow[cy, cx, 0] = dx / n if n > 0 else 0.0
            flow[cy, cx, 1] = dy / n if n > 0 else 0.0
            hits, total = 0, 0
            for y in range(int(cy * size), int((cy + 1) * size)):
                for x in range(int(cx * size), int((cx + 1) * size)):
                    total += 1
                    if seen[y, x] >= 0 and inside[seen[y, x]]:
                        hits += 1
            hollow[cy, cx] = hits / total
