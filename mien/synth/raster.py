"""The hot loops: z-buffer, normals, shading, and reading exact geometry off the z-buffer. Nothing here knows a face.

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
def lit_share(shadow, x, y, z, bias, reach):  # pragma: no cover - compiled
    """Return the share of lamp that reaches a point of the shadow map, averaged over 3² of its pixels `reach` apart."""
    side = shadow.shape[0]
    hits, total = 0.0, 0.0
    for dy in range(-1, 2):
        for dx in range(-1, 2):
            px, py = int(x) + dx * reach, int(y) + dy * reach
            if 0 <= px < side and 0 <= py < side:
                total += 1
                gap = shadow[py, px] - z - bias
                if gap <= 0:
                    hits += 1
                elif gap < bias:
                    hits += 1 - gap / bias
    return hits / total if total > 0 else 1.0


@nb.njit(cache=True, fastmath=True)
def shade(
    seen,
    bary,
    faces,
    material_of,
    materials,
    normals,
    uv,
    open_sky,
    atlas,
    relief,
    relief_scale,
    frame,
    lamp,
    shadow,
    in_shadow_map,
    reach,
    image,
):  # pragma: no cover - compiled
    """Fill `image` (W, W, 3), linear, where `seen` shows a triangle.

    materials (k, 9): tint rgb, specular, sharpness, wrap of the light per channel, and a flag: 1 has relief, 2 is
    hair, 3 an eye. relief (h, w, 3): slope along the tangent and upwards, and darkening, on the atlas divided by
    `relief_scale`. frame (2, 3): the head's side and up axes. lamp (7, 3): direction, key, sky, ground, direction of
    the rim light, rim, half vector.
    """
    side = seen.shape[0]
    sx, sy, sz = frame[0, 0], frame[0, 1], frame[0, 2]
    for y in range(side):
        for x in range(side):
            f = seen[y, x]
            if f < 0:
                continue
            i, j, k = faces[f, 0], faces[f, 1], faces[f, 2]
            u, v = bary[y, x, 0], bary[y, x, 1]
            w = 1 - u - v
            m = materials[material_of[f]]
            tx = w * uv[i, 0] + u * uv[j, 0] + v * uv[k, 0]
            ty = w * uv[i, 1] + u * uv[j, 1] + v * uv[k, 1]
            r, g, b = sample(atlas, tx, ty, 0) * m[0], sample(atlas, tx, ty, 1) * m[1], sample(atlas, tx, ty, 2) * m[2]
            gloss = m[3] * sample(atlas, tx, ty, 3)
            nx = w * normals[i, 0] + u * normals[j, 0] + v * normals[k, 0]
            ny = w * normals[i, 1] + u * normals[j, 1] + v * normals[k, 1]
            nz = w * normals[i, 2] + u * normals[j, 2] + v * normals[k, 2]
            if nz < 0:
                nx, ny, nz = -nx, -ny, -nz
            sky = w * open_sky[i] + u * open_sky[j] + v * open_sky[k]
            if m[8] == 1:
                rx, ry = tx / relief_scale, ty / relief_scale
                along, upward = sample(relief, rx, ry, 0), sample(relief, rx, ry, 1)
                dark = sample(relief, rx, ry, 2)
                d = sx * nx + sy * ny + sz * nz
                ax, ay, az = sx - d * nx, sy - d * ny, sz - d * nz
                size = np.sqrt(ax * ax + ay * ay + az * az) + 1e-6
                ax, ay, az = ax / size, ay / size, az / size
                bx, by, bz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
                nx -= along * ax + upward * bx
                ny -= along * ay + upward * by
                nz -= along * az + upward * bz
                r *= 1 - 0.75 * dark
                g *= 1 - dark
                b *= 1 - dark
            elif m[8] == 2:
                strand = sample(atlas, tx, ty, 4)
                tone = 0.55 + 0.9 * strand
                r, g, b = r * tone, g * tone, b * tone
                gloss *= 0.3 + 1.4 * strand
                nx += 0.35 * (strand - 0.5)
            size = np.sqrt(nx * nx + ny * ny + nz * nz) + 1e-9
            nx, ny, nz = nx / size, ny / size, nz / size
            lit = lit_share(
                shadow,
                w * in_shadow_map[i, 0] + u * in_shadow_map[j, 0] + v * in_shadow_map[k, 0],
                w * in_shadow_map[i, 1] + u * in_shadow_map[j, 1] + v * in_shadow_map[k, 1],
                w * in_shadow_map[i, 2] + u * in_shadow_map[j, 2] + v * in_shadow_map[k, 2],
                0.035,
                reach,
            )
            toward = nx * lamp[0, 0] + ny * lamp[0, 1] + nz * lamp[0, 2]
            high = 0.5 + 0.5 * ny
            front = 0.55 + 0.45 * nz
            behind = max(0.0, nx * lamp[4, 0] + ny * lamp[4, 1] + nz * lamp[4, 2])
            edge = 0.35 + 0.65 * (1 - nz) ** 3
            if m[8] == 3:  # the cornea bulges: it turns away twice as fast as the ball, and shines under any lid
                hx, hy, hz = 1.9 * nx, 1.9 * ny, max(nz, 0.3)
                size = np.sqrt(hx * hx + hy * hy + hz * hz)
                shine = max(0.0, (hx * lamp[6, 0] + hy * lamp[6, 1] + hz * lamp[6, 2]) / size)
                glint = gloss * (shine ** m[4] + 0.03 * high * sky)
            else:
                shine = max(0.0, nx * lamp[6, 0] + ny * lamp[6, 1] + nz * lamp[6, 2])
                if m[8] == 2:
                    edge = 0.4
                glint = gloss * edge * sky * (shine ** m[4] * (0.25 + 0.75 * lit) + 0.10 * high)
                if m[8] == 1:  # skin has a second, broader lobe: oil over rough cells
                    glint = 0.65 * glint + 0.5 * gloss * edge * sky * lit * shine ** (0.25 * m[4])
            for c in range(3):
                wrap = m[5 + c]
                key = max(0.0, (toward + wrap) / (1 + wrap)) * (lit + (1 - lit) * 0.25 * wrap)
                ambient = (lamp[3, c] + (lamp[2, c] - lamp[3, c]) * high) * front * sky
                color = r if c == 0 else (g if c == 1 else b)
                light = key * (0.55 + 0.45 * sky) * lamp[1, c] + ambient + behind * lamp[5, c] * sky
                image[y, x, c] = color * light + glint * (lamp[1, c] + 0.4 * lamp[2, c])


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
