"""Sketches of furniture and of small objects."""

from __future__ import annotations

from storybook.drawing.sketch import Sketch


def chair(s: Sketch) -> None:
    """A chair with a slatted or a padded back."""
    s.bar("dark", (46, 56, 52, 98), 2)
    s.bar("dark", (18, 56, 24, 92), 2)
    s.bar("main", (6, 4, 13, 98), 3)
    s.bar("main", (36, 6, 43, 60), 3)
    if s.chance(0.5):
        for y in (10, 24, 38):
            s.bar("main", (10, y, 40, y + 8), 2)
    else:
        s.bar("main", (9, 8, 40, 48), 7)
        s.bar("light", (14, 13, 35, 43), 5, edged=False)
    s.poly("main", (4, 56), (42, 56), (59, 64), (18, 64))
    s.poly("dark", (18, 64), (59, 64), (59, 70), (18, 70))
    s.bar("main", (18, 66, 25, 98), 2)
    s.bar("main", (52, 66, 59, 98), 2)


def table(s: Sketch) -> None:
    """A table, sometimes with a cloth."""
    for x in (26, 116):
        s.bar("dark", (x, 28, x + 8, 86), 2)
    for x in (8, 132):
        s.bar("main", (x, 32, x + 10, 98), 3)
    s.poly("main", (18, 10), (132, 10), (148, 28), (2, 28))
    s.bar("dark", (2, 28, 148, 36), 2)
    if s.chance(0.4):
        s.blob("light", (50, 11), (102, 11), (110, 28), (76, 44), (42, 28))
    elif s.chance(0.5):
        s.oval("white", (76, 18), (20, 4.4))
        s.disc("collar", 70, 12, 5)
        s.disc("leaf", 80, 12, 5)


def lamp(s: Sketch) -> None:
    """A standing lamp with a coloured shade."""
    m = s.width / 2
    s.oval("metal", (m, 95), (17, 4))
    s.bar("metal", (m - 2.2, 40, m + 2.2, 95), 1)
    s.stroke("gold", 1.4, (m + 10, 44), (m + 10, 58))
    s.disc("gold", m + 10, 60, 2.2)
    s.oval("lamp", (m, 45), (9, 6), edged=False)
    top = s.vary(9, 15)
    s.poly("main", (m - top, 3), (m + top, 3), (m + 24, 45), (m - 24, 45))
    s.bar("dark", (m - 24, 42, m + 24, 46.5), 2)
    s.bar("dark", (m - top, 1, m + top, 5), 1)
    if s.chance(0.5):
        s.oval("dark", (m, 80), (7, 11))


def bed(s: Sketch) -> None:
    """A bed with a pillow and a coloured blanket."""
    s.bar("wood", (4, 6, 13, 98), 4)
    s.bar("wood", (8, 14, 20, 74), 4)
    s.bar("wood", (160, 36, 170, 98), 4)
    s.bar("wood", (10, 70, 164, 82), 2)
    s.bar("white", (12, 54, 162, 72), 4)
    s.blob("cream", (18, 54), (22, 36), (42, 32), (56, 40), (56, 54), (36, 58))
    s.blob("main", (52, 46), (76, 36), (120, 38), (158, 44), (166, 60), (164, 84), (120, 86), (70, 84), (50, 76))
    s.blob("light", (52, 46), (66, 40), (70, 60), (66, 84), (50, 77), edged=False)
    s.stroke("dark", 1.6, (92, 50), (100, 66), (96, 80))
    s.stroke("dark", 1.6, (126, 50), (132, 64), (130, 82))


def ball(s: Sketch) -> None:
    """A ball with curved seams."""
    s.disc("main", 50, 50, 49)
    turn = s.vary(-12, 12)
    s.stroke("dark", 3, (50 + turn, 2), (32 + turn, 50), (50 + turn, 98))
    s.stroke("dark", 3, (6, 30), (50, 46 + turn), (94, 34))
    s.oval("light", (32, 26), (14, 8), -0.6, edged=False)


def box(s: Sketch) -> None:
    """An open box; what stands in it shows over the near side."""
    s.poly("shade", (14, 30), (121, 30), (121, 56), (14, 56))
    s.poly("dark", (14, 30), (2, 12), (30, 8), (42, 30))
    s.poly("dark", (121, 30), (133, 12), (104, 8), (94, 30))
    s.begin_front()
    s.poly("main", (6, 44), (129, 44), (124, 98), (11, 98))
    s.poly("light", (6, 44), (129, 44), (131, 54), (4, 54))
    if s.chance(0.5):
        s.bar("cream", (50, 64, 86, 84), 2)
        s.stroke("ink", 1.4, (56, 71), (80, 71))
        s.stroke("ink", 1.4, (56, 77), (72, 77))
    else:
        s.bar("dark", (48, 64, 86, 71), 3)


def basket(s: Sketch) -> None:
    """A woven basket with a handle; what stands in it shows over the rim."""
    s.stroke("dark", 5.6, (16, 50), (24, 16), (65, 3), (106, 16), (114, 50))
    s.oval("shade", (65, 50), (53, 10))
    s.begin_front()
    s.blob("main", (8, 52), (36, 58), (65, 60), (94, 58), (122, 52), (114, 80), (104, 98), (65, 99), (26, 98), (16, 80))
    for row, y in enumerate((66, 75, 84, 92)):
        for x in range(18 + row * 3 + (row % 2) * 6, 112 - row * 3, 12):
            s.stroke("dark", 2.2, (x, y), (x + 4, y + 2), (x + 8, y))
    s.stroke("light", 5, (7, 51), (36, 58), (65, 60), (94, 58), (123, 51))


def umbrella(s: Sketch) -> None:
    """An open umbrella with a hooked handle."""
    m = s.width / 2
    s.stroke("wood", 3.6, (m, 30), (m, 86), (m + 4, 96), (m + 12, 96), (m + 14, 88))
    s.stroke("ink", 2.4, (m, 8), (m, 0.5))
    s.blob(
        "main",
        (1, 46),
        (10, 22),
        (m - 20, 8),
        (m, 5),
        (m + 20, 8),
        (88, 22),
        (97, 46),
        (84, 42),
        (73, 48),
        (61, 42),
        (m, 48),
        (37, 42),
        (25, 48),
        (14, 42),
    )
    s.blob("light", (m, 5), (m + 9, 24), (61, 42), (m, 47), (37, 42), (m - 9, 24), edged=False)
    s.stroke("dark", 1.6, (m, 6), (30, 22), (25, 46))
    s.stroke("dark", 1.6, (m, 6), (68, 22), (73, 46))


def cup(s: Sketch) -> None:
    """A cup with a saucer and steam."""
    s.oval("light", (54, 93), (50, 6))
    s.stroke("main", 8, (90, 44), (112, 40), (112, 66), (84, 74))
    s.blob("main", (14, 32), (54, 30), (94, 32), (92, 60), (82, 84), (66, 92), (42, 92), (26, 84), (16, 60))
    s.oval("dark", (54, 33), (41, 8))
    s.oval("brew", (54, 34.5), (36, 5.6), edged=False)
    for x in (42, 60):
        s.stroke("smoke", 3.4, (x, 24), (x + 5, 16), (x - 2, 10), (x + 3, 2))
    if s.chance(0.5):
        s.blob("light", (54, 68), (44, 56), (50, 50), (54, 55), (58, 50), (64, 56), edged=False)


def kite(s: Sketch) -> None:
    """A kite with a tail of bows."""
    sway = s.vary(-8, 8)
    s.stroke("ink", 1.2, (35, 58), (30 + sway, 72), (38 + sway, 84), (32, 98))
    for x, y in ((31 + sway * 0.8, 70), (37 + sway, 82), (33, 94)):
        s.poly("collar", (x, y), (x - 8, y - 4), (x - 8, y + 4))
        s.poly("collar", (x, y), (x + 8, y - 4), (x + 8, y + 4))
    s.poly("main", (35, 1), (68, 24), (35, 60), (2, 24))
    s.poly("light", (35, 1), (35, 24), (2, 24), edged=False)
    s.poly("light", (35, 60), (35, 24), (68, 24), edged=False)
    s.stroke("dark", 1.8, (35, 1), (35, 60), curved=False)
    s.stroke("dark", 1.8, (2, 24), (68, 24), curved=False)
    for eye in (28, 42):
        s.disc("ink", eye, 26, 1.8, edged=False)
