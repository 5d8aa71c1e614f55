"""Solids that parametric shapes are put together from: (vertices [V,3], triangles [F,3]), +y up."""

import numpy as np


def merge(parts):
    """All parts as one mesh."""
    vertices, triangles, base = [], [], 0
    for v, t in parts:
        vertices.append(v)
        triangles.append(t + base)
        base += len(v)
    return np.concatenate(vertices), np.concatenate(triangles)


def grid(rows, wrap=True):
    """The surface over rings of points [R,S,3]; closed along each ring where `wrap`."""
    rings, sides = rows.shape[:2]
    r, s = np.meshgrid(np.arange(rings - 1), np.arange(sides if wrap else sides - 1), indexing="ij")
    a, b = r * sides + s, r * sides + (s + 1) % sides
    quads = np.stack([a, b, b + sides, a + sides], -1).reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return rows.reshape(-1, 3).astype(float), triangles


def frame(direction):
    """Two unit vectors across `direction`."""
    d = np.asarray(direction, float)
    d = d / (np.linalg.norm(d) + 1e-9)
    helper = np.array([1.0, 0, 0]) if abs(d[0]) < 0.8 else np.array([0, 0, 1.0])
    u = np.cross(d, helper)
    u /= np.linalg.norm(u)
    return u, np.cross(d, u)


def tube(points, radii, sides=8):
    """A tube through `points` with a radius at each, closed at both ends."""
    points = np.asarray(points, float)
    radii = np.broadcast_to(np.asarray(radii, float), len(points))
    along = np.gradient(points, axis=0)
    u, v = frame(points[-1] - points[0] + 1e-6)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    rings = [np.repeat(points[:1], sides, 0)]
    for p, r, d in zip(points, radii, along):
        d = d / (np.linalg.norm(d) + 1e-9)
        w = u - d * (u @ d)
        w /= np.linalg.norm(w) + 1e-9
        across = np.cross(d, w)
        rings.append(p + r * (np.cos(angle)[:, None] * w + np.sin(angle)[:, None] * across))
    rings.append(np.repeat(points[-1:], sides, 0))
    return grid(np.stack(rings))


def limb(a, b, ra, rb=None, sides=8):
    """A straight tube from `a` to `b`."""
    return tube([a, b], [ra, ra if rb is None else rb], sides)


def ball(center, radii, sides=12):
    """An ellipsoid."""
    lat = np.linspace(0, np.pi, sides // 2 + 2)
    lon = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(lon), np.zeros(sides), np.sin(lon)], -1)
    rows = [np.sin(t) * ring + [0, np.cos(t), 0] for t in lat]
    vertices, triangles = grid(np.stack(rows))
    return vertices * np.broadcast_to(radii, 3) + center, triangles


def box(center, size, turn=0.0, tilt=0.0):
    """A box, turned about y and then tilted about x."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    faces = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([t for a, b, c, d in faces for t in ((a, b, c), (a, c, d))])
    return turned(corners * size, turn, tilt) + center, triangles


def turned(vertices, turn=0.0, tilt=0.0, roll=0.0):
    """Points turned about y, tilted about x, rolled about z, in this order."""
    for angle, (i, j) in ((turn, (2, 0)), (tilt, (1, 2)), (roll, (0, 1))):
        c, s = np.cos(angle), np.sin(angle)
        out = vertices.copy()
        out[:, i] = c * vertices[:, i] - s * vertices[:, j]
        out[:, j] = s * vertices[:, i] + c * vertices[:, j]
        vertices = out
    return vertices


def placed(part, move=(0, 0, 0), scale=1.0, turn=0.0, tilt=0.0, roll=0.0):
    """A part scaled, turned and moved."""
    vertices, triangles = part
    return turned(vertices * np.broadcast_to(scale, 3), turn, tilt, roll) + move, triangles


def lathe(profile, sides=20):
    """(radius, height) pairs turned about y."""
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(angle), np.zeros(sides), np.sin(angle)], -1)
    return grid(np.stack([r * ring + [0, y, 0] for r, y in profile]))


def slab(outline, depth):
    """A star-shaped outline [(x, y)] made `depth` thick along z."""
    outline = np.asarray(outline, float)
    center = outline.mean(0, keepdims=True).repeat(len(outline), 0)
    at = lambda flat, z: np.concatenate([flat, np.full((len(flat), 1), z)], 1)
    h = depth / 2
    return grid(np.stack([at(center, -h), at(outline, -h), at(outline, h), at(center, h)]))


def ring(center, radius, thickness, axis=(0, 0, 1), sides=20):
    """A torus about `axis`."""
    u, v = frame(axis)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    out = np.cos(angle)[:, None] * u + np.sin(angle)[:, None] * v
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    rows = []
    for t in np.linspace(0, 2 * np.pi, 7):
        rows.append(center + out * (radius + thickness * np.cos(t)) + axis * thickness * np.sin(t))
    return grid(np.stack(rows))


def mirrored(part):
    """The part on the other side of the plane x = 0."""
    vertices, triangles = part
    return vertices * [-1, 1, 1], triangles[:, ::-1]


def both(*parts):
    """Parts with their mirror images."""
    return [*parts, *(mirrored(p) for p in parts)]
