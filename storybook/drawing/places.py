"""Sketches of buildings, plants and what hangs in the sky."""

from __future__ import annotations

import math

from storybook.drawing.sketch import Sketch, ring, window_panes


def house(s: Sketch) -> None:
    """A house with a pitched roof, a door, windows and a chimney."""
    left = s.chance(0.5)
    chimney = 22 if left else 72
    s.bar("brick", (chimney, 8, chimney + 11, 36))
    s.bar("dark", (chimney - 2, 5, chimney + 13, 11))
    s.poly("main", (12, 42), (93, 42), (93, 98), (12, 98))
    s.poly("roof", (52, 2), (103, 46), (2, 46))
    s.poly("roofline", (2, 46), (103, 46), (99, 42), (6, 42), edged=False)
    s.disc("glass", 52, 30, 6)
    door = s.rng.choice((20, 44, 66))
    s.bar("wood", (door, 64, door + 18, 98), 6)
    s.disc("gold", door + 14, 82, 1.6, edged=False)
    for x in (20, 44, 67):
        if x + 4 < door or x > door + 14:
            window_panes(s, (x, 60, x + 18, 80))
            s.bar("white", (x - 2, 80, x + 20, 83), edged=False)
    if s.chance(0.5):
        s.blob("leaf", (8, 98), (10, 88), (18, 86), (24, 92), (26, 98))


def castle(s: Sketch) -> None:
    """A castle with towers, battlements and flags."""

    def battlement(x0: float, x1: float, top: float) -> None:
        step = (x1 - x0) / 5
        s.bar("main", (x0, top + 6, x1, 98))
        for i in (0, 2, 4):
            s.bar("main", (x0 + i * step, top, x0 + (i + 1) * step, top + 8), edged=False)

    battlement(28, 77, 46)
    tall = s.vary(14, 26)
    for x, top in ((6, 32), (75, 32)):
        battlement(x, x + 24, top)
    s.bar("dark", (36, tall + 12, 69, 52))
    battlement(36, 69, tall + 8)
    s.poly("roof", (32, tall + 10), (52.5, tall - 13), (73, tall + 10))
    for x, top in ((18, 12), (87, 12)):
        s.poly("roof", (x - 15, 34), (x, top), (x + 15, 34))
        s.stroke("ink", 1.2, (x, top + 2), (x, top - 10))
        s.poly("collar", (x, top - 11), (x + 12, top - 7), (x, top - 3))
    for x in (18, 87):
        s.bar("shade", (x - 4, 46, x + 4, 60), 4)
    s.bar("glass", (47, tall + 22, 58, tall + 38), 5)
    s.blob("wood", (40, 98), (40, 76), (52.5, 66), (65, 76), (65, 98))
    s.stroke("nose", 1.2, (52.5, 68), (52.5, 98))
    for x, y in ((32, 66), (70, 60), (33, 84), (14, 74), (90, 80), (22, 88)):
        s.bar("dark", (x, y, x + 6, y + 3), 1, edged=False)


def lighthouse(s: Sketch) -> None:
    """A tall tower with a lamp room."""
    s.blob("stone", (1, 99), (4, 92), (24, 90), (44, 92), (47, 99))
    s.poly("main", (14, 26), (34, 26), (40, 94), (8, 94))
    s.poly("light", (12.4, 44), (35.6, 44), (36.8, 58), (11.2, 58), edged=False)
    s.bar("dark", (9, 23, 39, 28), 2)
    s.bar("lamp", (16, 11, 32, 23), 1)
    s.stroke("ink", 1, (24, 11), (24, 23))
    s.blob("dark", (12, 12), (24, 1), (36, 12), (24, 13))
    s.disc("gold", 24, 2.4, 1.8)
    s.bar("shade", (21, 34, 27, 40), 3)
    s.bar("wood", (19, 78, 29, 94), 5)
    s.bar("shade", (21, 63, 27, 69), 3)


def tent(s: Sketch) -> None:
    """A tent with an open door and a little flag."""
    peak = 70 + s.vary(-8, 8)
    s.stroke("wood", 2.6, (peak, 20), (peak, 1))
    s.poly("collar", (peak, 1), (peak + 17, 6), (peak, 12))
    s.blob("main", (4, 97), (30, 66), (peak - 6, 22), (peak, 16), (peak + 6, 22), (112, 66), (136, 97), (70, 98))
    s.blob("shade", (peak - 20, 98), (peak - 8, 72), (peak, 46), (peak + 8, 72), (peak + 20, 98))
    s.blob("dark", (peak - 20, 98), (peak - 9, 72), (peak, 44), (peak - 14, 70), (peak - 34, 98))
    s.blob("dark", (peak + 20, 98), (peak + 9, 72), (peak, 44), (peak + 14, 70), (peak + 34, 98))
    s.stroke("ink", 1.2, (16, 82), (2, 99), curved=False)
    s.stroke("ink", 1.2, (124, 82), (138, 99), curved=False)


def tree(s: Sketch) -> None:
    """A tree with a bushy crown; some are firs, some carry fruit."""
    s.blob("wood", (34, 98), (37, 76), (36, 52), (44, 52), (43, 76), (47, 98), (40, 96))
    if s.chance(0.3):
        for top, bottom, half in ((44, 82, 37), (22, 58, 30), (1, 34, 21)):
            s.blob(
                "main",
                (40, top),
                (40 + half * 0.55, bottom - 14),
                (40 + half, bottom),
                (40, bottom + 2),
                (40 - half, bottom),
                (40 - half * 0.55, bottom - 14),
            )
        return
    s.stroke("wood", 3.4, (40, 66), (54, 52))
    points = ring((40, 34), 33, 9, s.vary(0, 1))
    crown = [(40 + (x - 40) * s.vary(0.98, 1.14), y + s.vary(-1, 2)) for x, y in points]
    bumps = []
    for i, point in enumerate(crown):
        after = crown[(i + 1) % len(crown)]
        bumps += [point, ((point[0] + after[0]) / 2 * 0.92 + 40 * 0.08, (point[1] + after[1]) / 2 * 0.92 + 34 * 0.08)]
    s.blob("main", *bumps)
    for x, y in ((24, 30), (46, 20), (54, 42), (32, 50)):
        s.stroke("dark", 2, (x - 6, y), (x - 1, y + 4), (x + 5, y))
    s.blob("light", (22, 16), (32, 9), (40, 10), (32, 16), (24, 24), edged=False)
    if s.chance(0.35):
        for x, y in ((20, 42), (34, 34), (58, 30), (48, 54), (40, 18)):
            s.disc("collar", x, y, 3)


def flower(s: Sketch) -> None:
    """A flower with petals around a golden heart."""
    lean = s.vary(-6, 6)
    head = (30 + lean, 29)
    s.stroke("leaf", 4, (30, 99), (30 - lean * 0.4, 70), head)
    s.blob("leaf", (30, 84), (42, 68), (55, 66), (48, 80))
    s.blob("leaf", (30, 92), (18, 78), (5, 77), (12, 90))
    if s.chance(0.25):
        s.blob(
            "main",
            (head[0] - 18, 10),
            (head[0] - 8, 18),
            (head[0], 5),
            (head[0] + 8, 18),
            (head[0] + 18, 10),
            (head[0] + 19, 36),
            (head[0], 50),
            (head[0] - 19, 36),
        )
        s.stroke("dark", 2, (head[0] - 6, 20), (head[0] - 7, 34), (head[0] - 4, 44))
        s.stroke("dark", 2, (head[0] + 6, 20), (head[0] + 7, 34), (head[0] + 4, 44))
        return
    petals = s.rng.choice((5, 6, 8))
    start = s.vary(0, 1)
    for i, (x, y) in enumerate(ring(head, 17, petals, start)):
        s.oval("main", (x, y), (11.5, 8.4 if petals > 6 else 10.5), start + 2 * math.pi * i / petals)
    s.disc("gold", head[0], head[1], 9)
    s.disc("ink", head[0] - 3, head[1] - 1, 1.1, edged=False)
    s.disc("ink", head[0] + 3, head[1] - 1, 1.1, edged=False)
    s.smile(head[0], head[1] + 2, 3, 1)


def mushroom(s: Sketch) -> None:
    """A mushroom with a dotted cap."""
    m = s.width / 2
    s.blob("cream", (m - 14, 50), (m + 14, 50), (m + 13, 74), (m + 20, 96), (m, 99), (m - 20, 96), (m - 13, 74))
    s.oval("gill", (m, 54), (40, 7))
    rise = s.vary(0, 10)
    s.blob(
        "main",
        (2, 52),
        (10, 26 + rise),
        (m - 18, 6 + rise),
        (m + 18, 6 + rise),
        (88, 26 + rise),
        (96, 52),
        (m + 24, 57),
        (m - 24, 57),
    )
    for x, y, r in (
        (m - 24, 36, 6),
        (m, 22 + rise, 7),
        (m + 24, 34, 6.4),
        (m + 4, 46, 5),
        (m - 36, 48, 4),
        (m + 38, 47, 4),
    ):
        s.oval("light", (x, y), (r, r * 0.86), edged=False)
    s.disc("ink", m - 6, 72, 2.2, edged=False)
    s.disc("ink", m + 6, 72, 2.2, edged=False)
    s.smile(m, 77, 4.4, 1.7)


def cactus(s: Sketch) -> None:
    """A cactus in a pot with two arms and a flower."""
    left, right = s.vary(38, 54), s.vary(34, 50)
    s.limb("main", 13, (39, left + 10), (14, left + 8), (11, left - 8), (11, left - 18))
    s.limb("main", 13, (39, right + 12), (62, right + 10), (67, right - 6), (67, right - 16))
    s.bar("main", (27, 3, 51, 84), 12)
    for x in (34, 39, 44):
        s.stroke("dark", 1.2, (x, 10), (x, 76))
    for x, y in ((30, 22), (48, 30), (30, 48), (48, 58), (39, 16), (39, 40)):
        s.stroke("white", 1.1, (x - 2, y - 2), (x + 2, y + 2), curved=False)
        s.stroke("white", 1.1, (x + 2, y - 2), (x - 2, y + 2), curved=False)
    if s.chance(0.6):
        for petal_x, petal_y in ring((39, 5), 4, 5):
            s.disc("cheek", petal_x, petal_y, 3)
        s.disc("gold", 39, 5, 2.4, edged=False)
    s.poly("brick", (20, 80), (58, 80), (53, 99), (25, 99))
    s.bar("brick", (17, 74, 61, 83), 2)


def sun(s: Sketch) -> None:
    """A sun with rays and a friendly face."""
    rays = s.rng.choice((9, 10, 12))
    start = s.vary(0, 1)
    for i in range(rays):
        a = start + 2 * math.pi * i / rays
        wide = 0.17
        s.poly(
            "main",
            (50 + 49 * math.cos(a), 50 + 49 * math.sin(a)),
            (50 + 30 * math.cos(a + wide * 1.3), 50 + 30 * math.sin(a + wide * 1.3)),
            (50 + 30 * math.cos(a - wide * 1.3), 50 + 30 * math.sin(a - wide * 1.3)),
        )
    s.disc("main", 50, 50, 30)
    s.disc("light", 50, 50, 24, edged=False)
    s.disc("main", 51, 51, 22.5, edged=False)
    s.disc("ink", 42, 46, 2.8, edged=False)
    s.disc("ink", 58, 46, 2.8, edged=False)
    s.disc("cheek", 36, 55, 4, edged=False)
    s.disc("cheek", 64, 55, 4, edged=False)
    s.smile(50, 55, 7, 2.2)


def moon(s: Sketch) -> None:
    """A crescent moon, sometimes with a sleepy face."""
    depth = s.vary(20, 30)
    outer = [(46 + 44 * math.cos(t), 50 + 48 * math.sin(t)) for t in (math.radians(a) for a in range(50, 311, 10))]
    inner = [
        (68 + (depth + 6) * math.cos(t), 50 + 36 * math.sin(t)) for t in (math.radians(a) for a in range(256, 103, -9))
    ]
    s.poly("main", *outer, *inner)
    for x, y, r in ((18, 34, 4), (14, 58, 3), (28, 76, 4.4)):
        s.disc("dark", x, y, r, edged=False)
    s.smile(28, 47, 4, 1.7)
    s.smile(30, 60, 3.6, 1.6)


def star(s: Sketch) -> None:
    """A five-pointed star with a face."""
    turn = s.vary(-0.25, 0.25) - math.pi / 2
    points = []
    for i in range(10):
        radius = 50 if i % 2 == 0 else 25
        points.append((51 + radius * math.cos(turn + i * math.pi / 5), 53 + radius * math.sin(turn + i * math.pi / 5)))
    s.poly("main", *points)
    s.disc("ink", 43, 51, 3, edged=False)
    s.disc("ink", 59, 51, 3, edged=False)
    s.smile(51, 58, 5, 2.2)


def cloud(s: Sketch) -> None:
    """A puffy cloud."""
    bumps = ((22.0, 66.0, 22.0), (52.0, 46.0, 30.0), (92.0, 34.0, 34.0), (128.0, 50.0, 28.0), (156.0, 68.0, 22.0))
    outline = []
    for x, y, usual in bumps:
        r = usual * s.vary(0.88, 1.08)
        outline += [(x - r * 0.72, y - r * 0.6), (x, y - r), (x + r * 0.66, y - r * 0.62)]
    s.blob("main", (4, 76), *outline, (176, 78), (168, 94), (120, 97), (60, 97), (12, 94))
    s.blob("light", (40, 40), (58, 30), (80, 20), (96, 14), (88, 26), (62, 42), edged=False)
    s.stroke("dark", 2.4, (50, 72), (66, 82), (84, 74))
    s.stroke("dark", 2.4, (100, 66), (116, 78), (134, 68))
