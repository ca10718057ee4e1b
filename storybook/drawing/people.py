"""Sketches of people: man, woman, boy and girl; their clothes wear the thing's colour."""

from __future__ import annotations

from storybook.drawing.sketch import Sketch


def _face(s: Sketch, x: float, y: float, radius: float) -> None:
    """Draw eyes, cheeks and a smile inside a head of the given radius."""
    gap = radius * 0.42
    for side in (-1, 1):
        s.disc("ink", x + side * gap, y - radius * 0.02, radius * 0.13, edged=False)
        s.disc("cheek", x + side * radius * 0.58, y + radius * 0.32, radius * 0.17, edged=False)
    s.smile(x, y + radius * 0.36, radius * 0.3, radius * 0.13)


def _arms(s: Sketch, shoulder: float, y: float, length: float, width: float) -> None:
    """Draw two arms, each hanging, waving or on the hip, with hands."""
    middle = s.width / 2
    for side in (-1, 1):
        start = (middle + side * shoulder, y)
        pose = s.rng.randrange(4)
        if pose == 0:
            elbow, hand = (side * length * 0.55, -length * 0.1), (side * length * 0.72, -length * 0.62)
        elif pose == 1:
            elbow, hand = (side * length * 0.5, length * 0.4), (side * length * 0.22, length * 0.85)
        else:
            swing = s.vary(0.12, 0.5)
            elbow, hand = (side * length * swing * 0.8, length * 0.5), (side * length * swing, length * 0.92)
        tip = (start[0] + hand[0], start[1] + hand[1])
        s.disc("skin", tip[0], tip[1], width * 0.56)
        s.limb("main", width, start, (start[0] + elbow[0], start[1] + elbow[1]), tip)


def _legs(s: Sketch, hip: float, spread: float, width: float, paint: str) -> None:
    """Draw two legs down to the ground, with shoes."""
    middle = s.width / 2
    for side in (-1, 1):
        foot = middle + side * spread
        s.limb(paint, width, (middle + side * spread * 0.6, hip), (foot, (hip + 96) / 2), (foot, 96))
        s.oval("shoe", (foot + side * width * 0.25, 97), (width * 0.75, 3))


def man(s: Sketch) -> None:
    """A tall figure in a long coat, with a hat or a beard."""
    m = s.width / 2
    _legs(s, 64, 6.5, 8.5, "dark")
    s.blob("main", (m - 12, 31), (m, 29), (m + 12, 31), (m + 13, 50), (m + 14, 73), (m, 75), (m - 14, 73), (m - 13, 50))
    s.stroke("dark", 1.2, (m, 34), (m, 74))
    for y in (42, 50, 58):
        s.disc("light", m + 2.6, y, 1.1, edged=False)
    _arms(s, 11, 35, 30, 7)
    s.bar("skin", (m - 3, 24, m + 3, 33), 2)
    s.poly("light", (m - 6, 30), (m, 36), (m + 6, 30), (m, 32))
    s.disc("hair", m, 15.5, 9.4)
    s.oval("skin", (m, 17), (9, 9.8))
    if s.chance(0.55):
        s.blob("hair", (m - 9, 18), (m - 5, 21), (m, 20.4), (m + 5, 21), (m + 9, 18), (m + 6, 27), (m, 29), (m - 6, 27))
        s.oval("skin", (m, 22.6), (2.6, 1.1), edged=False)
    else:
        s.smile(m, 22, 3, 1.2)
        s.stroke("hair", 1.8, (m - 4, 20.4), (m, 19.6), (m + 4, 20.4))
    for side in (-1, 1):
        s.disc("ink", m + side * 3.6, 16.2, 1.2, edged=False)
    s.disc("cheek", m - 5.6, 19, 1.3, edged=False)
    s.disc("cheek", m + 5.6, 19, 1.3, edged=False)
    if s.chance(0.5):
        s.oval("dark", (m, 9.6), (13, 2.8))
        s.bar("main", (m - 7.5, 0.5, m + 7.5, 9.6), 3)
        s.bar("light", (m - 7.5, 6.6, m + 7.5, 9), edged=False)
    else:
        s.blob("hair", (m - 9.6, 14), (m - 8, 7), (m, 4.6), (m + 8, 7), (m + 9.6, 14), (m + 4, 10), (m - 4, 11))


def woman(s: Sketch) -> None:
    """A figure in a long, wide dress with long or pinned-up hair."""
    m = s.width / 2
    bun = s.chance(0.45)
    if bun:
        s.disc("hair", m, 4.6, 4.8)
    else:
        s.blob("hair", (m - 11, 14), (m, 3), (m + 11, 14), (m + 12.5, 34), (m + 6, 38), (m - 6, 38), (m - 12.5, 34))
    for side in (-1, 1):
        s.oval("shoe", (m + side * 6, 97.5), (5, 2.5))
    flare = s.vary(19, 24)
    s.blob(
        "main",
        (m - 8, 32),
        (m, 31),
        (m + 8, 32),
        (m + 7.5, 48),
        (m + flare * 0.72, 75),
        (m + flare, 95),
        (m + flare / 2, 97),
        (m, 96),
        (m - flare / 2, 97),
        (m - flare, 95),
        (m - flare * 0.72, 75),
        (m - 7.5, 48),
    )
    s.stroke("dark", 1.4, (m - 3, 52), (m - 7, 72), (m - 10, 93))
    s.stroke("dark", 1.4, (m + 3, 52), (m + 6, 72), (m + 9, 93))
    s.bar("light", (m - 8, 47, m + 8, 51), 1.5, edged=False)
    _arms(s, 8, 35.5, 27, 5.6)
    s.bar("skin", (m - 2.4, 25, m + 2.4, 33), 2)
    s.blob("light", (m - 6, 31), (m, 35), (m + 6, 31), (m, 32.5), edged=False)
    s.oval("skin", (m, 17), (8.8, 9.8))
    _face(s, m, 18, 8.6)
    s.blob(
        "hair", (m - 10, 18), (m - 8.5, 8), (m, 5), (m + 8.5, 8), (m + 10, 18), (m + 5, 11.5), (m - 2, 10), (m - 6, 13)
    )


def boy(s: Sketch) -> None:
    """A small figure with a big head, a cap and shorts."""
    m = s.width / 2
    for side in (-1, 1):
        foot = m + side * 8
        s.limb("skin", 8, (m + side * 6.5, 76), (foot, 86), (foot, 95))
        s.oval("shoe", (foot + side * 1.6, 96.6), (6.6, 3.4))
    s.blob("dark", (m - 13, 70), (m + 13, 70), (m + 14.5, 85), (m + 3, 86), (m, 80), (m - 3, 86), (m - 14.5, 85))
    s.blob(
        "main", (m - 12, 48), (m, 46), (m + 12, 48), (m + 14, 62), (m + 13.5, 76), (m, 78), (m - 13.5, 76), (m - 14, 62)
    )
    _arms(s, 11.5, 53, 25, 7.6)
    s.bar("skin", (m - 3, 42, m + 3, 49), 2)
    for side in (-1, 1):
        s.disc("skin", m + side * 16, 29, 3)
    s.disc("hair", m, 25, 16.6)
    s.oval("skin", (m, 29), (15.6, 15.4))
    _face(s, m, 30, 14.5)
    s.blob("main", (m - 17, 22), (m - 15, 10), (m, 4.5), (m + 15, 10), (m + 17, 22), (m, 18.5))
    s.blob("dark", (m - 3, 19.4), (m + 12, 18), (m + 24, 22), (m + 14, 24), (m, 23.5))
    s.disc("light", m, 5.4, 2.2)


def girl(s: Sketch) -> None:
    """A small figure with a big head, pigtails and a short dress."""
    m = s.width / 2
    for side in (-1, 1):
        s.blob(
            "hair",
            (m + side * 15, 22),
            (m + side * 25, 19),
            (m + side * 29, 31),
            (m + side * 23, 43),
            (m + side * 19, 34),
        )
        s.disc("light", m + side * 17, 23, 3.2)
        foot = m + side * 6.5
        s.limb("skin", 6.6, (foot, 78), (foot, 87), (foot, 95))
        s.oval("shoe", (foot + side * 1.4, 96.8), (5.6, 3.2))
    s.blob(
        "main",
        (m - 8, 48),
        (m, 46),
        (m + 8, 48),
        (m + 12, 62),
        (m + 20, 82),
        (m + 10, 85),
        (m, 83.5),
        (m - 10, 85),
        (m - 20, 82),
        (m - 12, 62),
    )
    s.stroke("light", 2, (m - 17, 79), (m - 8, 81.5), (m, 80.5), (m + 8, 81.5), (m + 17, 79))
    _arms(s, 8, 53, 24, 6)
    s.bar("skin", (m - 2.6, 42, m + 2.6, 49), 2)
    s.disc("hair", m, 26, 17)
    s.oval("skin", (m, 29.5), (15.2, 15))
    _face(s, m, 31, 14)
    s.blob("hair", (m - 17, 29), (m - 15, 14), (m, 8), (m + 15, 14), (m + 17, 29), (m + 9, 18), (m, 22), (m - 9, 18))
    if s.chance(0.6):
        s.poly("main", (m, 10), (m - 9, 4), (m - 9, 15))
        s.poly("main", (m, 10), (m + 9, 4), (m + 9, 15))
        s.disc("dark", m, 10, 2.4)
