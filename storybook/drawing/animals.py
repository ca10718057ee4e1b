"""Sketches of animals, mostly from the side and looking right."""

from __future__ import annotations

import math

from storybook.drawing.sketch import Paint, Sketch, ring


def _legs(s: Sketch, xs: tuple[float, ...], top: float, width: float, hoof: Paint = "dark") -> None:
    """Draw straight legs at the given places; the far ones are dark, the stride varies."""
    stride = s.vary(-3, 3)
    for place, x in enumerate(xs):
        far = place % 2 == 1
        shift = stride if far else -stride
        s.limb("dark" if far else "main", width, (x, top), (x + shift * 0.5, (top + 97) / 2), (x + shift, 96.5))
        s.oval(hoof, (x + shift + width * 0.12, 97.4), (width * 0.56, 2.6))


def dog(s: Sketch) -> None:
    """A standing dog with a hanging ear, a collar and a wagging tail."""
    wag = s.vary(-8, 8)
    s.limb("main", 8, (22, 55), (9, 42), (8 + wag * 0.5, 24 + wag))
    _legs(s, (30, 38, 76, 84), 68, 10)
    s.blob("main", (20, 62), (28, 48), (55, 49), (80, 44), (92, 58), (86, 76), (56, 77), (30, 79))
    s.oval("light", (58, 73), (18, 5.5), edged=False)
    s.blob("main", (76, 60), (77, 30), (86, 17), (98, 18), (104, 32), (100, 50), (92, 62))
    s.blob("main", (68, 56), (78, 50), (90, 54), (90, 68), (74, 70), edged=False)
    s.blob("main", (94, 27), (104, 28), (117, 34), (118, 42), (108, 47), (94, 46))
    s.blob("light", (103, 36), (114, 36), (117, 42), (107, 46), (99, 43), edged=False)
    s.oval("nose", (115.5, 33.5), (4.6, 3.8))
    s.stroke("ink", 1.5, (113, 41), (108, 43.5), (103, 42))
    if s.chance(0.5):
        s.blob("cheek", (105, 43), (110, 42.5), (110, 50), (106, 50))
    s.eye(97.5, 28, 4)
    if s.chance(0.7):
        s.blob("dark", (84, 16), (90, 20), (89, 38), (82, 47), (76, 38), (78, 23))
    else:
        s.blob("dark", (80, 22), (83, 2), (92, 17), (90, 24))
    s.stroke("collar", 4, (78, 56), (87, 61), (98, 56))
    s.disc("gold", 89, 64, 3)


def cat(s: Sketch) -> None:
    """A sitting cat that looks at the viewer, with whiskers and a curled tail."""
    curl = s.vary(-6, 6)
    s.stroke("main", 8, (64, 90), (80, 88), (82, 68 + curl), (73, 56 + curl))
    s.disc("light", 73, 56 + curl, 4, edged=False)
    s.blob("main", (28, 52), (42, 46), (58, 52), (69, 76), (70, 95), (43, 98), (16, 95), (18, 74))
    s.blob("light", (36, 58), (43, 56), (50, 58), (51, 76), (43, 82), (35, 76), edged=False)
    for x in (33, 53):
        s.limb("main", 11, (x, 66), (x, 82), (x, 94))
        s.oval("light", (x, 96.4), (7.4, 3.4))
    s.blob("main", (14, 30), (15, 2), (19, 1), (36, 16))
    s.blob("main", (72, 30), (71, 2), (67, 1), (50, 16))
    s.blob("cheek", (19, 22), (19, 8), (30, 17), edged=False)
    s.blob("cheek", (67, 22), (67, 8), (56, 17), edged=False)
    s.blob("main", (14, 30), (26, 15), (43, 13), (60, 15), (72, 30), (71, 44), (58, 55), (43, 57), (28, 55), (15, 44))
    if s.chance(0.25):
        s.stroke("ink", 2, (25, 33), (30, 36), (35, 33))
        s.stroke("ink", 2, (51, 33), (56, 36), (61, 33))
    else:
        s.eye(30, 33, 5.6)
        s.eye(56, 33, 5.6)
    s.oval("light", (43, 46), (10, 6.5), edged=False)
    s.poly("cheek", (39.5, 40), (46.5, 40), (43, 44), edged=False)
    s.stroke("ink", 1.3, (36, 46.5), (40, 48.5), (43, 45), (46, 48.5), (50, 46.5))
    for side in (-1, 1):
        for lift in (-3, 1, 5):
            s.stroke("whisker", 0.8, (43 + side * 14, 44 + lift * 0.4), (43 + side * 34, 42 + lift * 1.6))


def horse(s: Sketch) -> None:
    """A horse with a mane and a long tail."""
    sway = s.vary(-5, 5)
    s.blob("hair", (17, 42), (8, 48), (4 + sway, 66), (8 + sway, 80), (13, 66), (20, 52))
    _legs(s, (27, 34, 68, 75), 60, 7.5, "hoof")
    s.blob("main", (15, 50), (24, 39), (48, 42), (72, 37), (82, 50), (76, 66), (48, 66), (24, 68))
    s.blob("main", (66, 50), (72, 26), (84, 12), (96, 14), (92, 32), (84, 56))
    s.blob("main", (58, 46), (70, 41), (79, 46), (80, 54), (72, 60), (60, 58), edged=False)
    s.blob("main", (83, 14), (92, 8), (100, 13), (112, 28), (110, 35), (102, 36), (90, 29))
    s.blob("main", (80, 20), (88, 14), (95, 20), (91, 28), (84, 34), edged=False)
    s.blob("light", (105, 25), (112, 28), (110, 35), (103, 35), edged=False)
    s.disc("ink", 109, 30, 1.1, edged=False)
    s.stroke("ink", 1.2, (108, 33.6), (104, 33))
    s.blob("main", (86, 12), (86, 0), (92, 9))
    s.blob("hair", (88, 4), (93, 10), (84, 18), (76, 32), (72, 45), (64, 44), (70, 26), (78, 12))
    s.blob("hair", (88, 4), (97, 9), (97, 17), (91, 11), edged=False)
    s.eye(96, 18, 2.9)


def cow(s: Sketch) -> None:
    """A cow with patches, horns and an udder."""
    s.stroke("main", 3, (15, 42), (7, 54), (9, 70))
    s.disc("dark", 9, 73, 3.4)
    _legs(s, (27, 35, 82, 90), 68, 10, "hoof")
    s.oval("cheek", (42, 75), (10, 6))
    s.blob("main", (13, 48), (24, 36), (60, 38), (92, 34), (103, 50), (96, 72), (60, 75), (22, 74))
    for x, y, r in ((32, 50, 9), (58, 60, 8), (76, 47, 8.5)):
        s.blob(
            "light",
            *[(x + r * s.vary(0.8, 1.4) * math.cos(t), y + r * s.vary(0.6, 1) * math.sin(t)) for t in range(6)],
            edged=False,
        )
    s.blob("main", (86, 40), (96, 34), (108, 36), (112, 46), (104, 58), (90, 56), edged=False)
    s.blob("bone", (102, 22), (98, 8), (107, 17))
    s.blob("bone", (119, 20), (125, 7), (115, 15))
    s.oval("dark", (94, 26), (8, 4), 0.4)
    s.oval("dark", (127, 24), (7, 4), -0.4)
    s.blob("main", (100, 20), (110, 14), (121, 18), (124, 34), (122, 46), (108, 48), (102, 38))
    s.blob("muzzle", (104, 42), (113, 38), (125, 41), (126, 52), (115, 56), (104, 52))
    s.disc("nose", 110, 47, 1.5, edged=False)
    s.disc("nose", 120, 47, 1.5, edged=False)
    s.stroke("ink", 1.2, (110, 52), (115, 53.4), (120, 52))
    s.eye(107.5, 29, 3.4)
    s.eye(117.5, 28.5, 3.4)


def sheep(s: Sketch) -> None:
    """A woolly sheep with a dark face."""
    for x in (36, 46, 78, 88):
        s.bar("face", (x - 3.6, 70, x + 3.6, 98), 2)
    for across, down in ring((0, 0), 1.0, 13, s.vary(0, 0.4)):
        s.disc("main", 60 + across * 38, 50 + down * 25, 11.5)
    s.oval("main", (60, 50), (39, 27), edged=False)
    for x, y in ((36, 44), (54, 60), (48, 32), (72, 38), (74, 60), (30, 60)):
        s.stroke("dark", 1.6, (x - 5, y), (x - 1, y + 4), (x + 4, y + 1), (x + 3, y - 4))
    drop = s.vary(-3, 4)
    s.oval("face", (86, 34 + drop), (8.5, 3.6), 0.5)
    s.oval("face", (119, 34 + drop), (7, 3.4), -0.5)
    s.blob(
        "face",
        (92, 28 + drop),
        (103, 24 + drop),
        (114, 29 + drop),
        (116, 46 + drop),
        (108, 60 + drop),
        (98, 58 + drop),
        (91, 44 + drop),
    )
    s.blob(
        "main", (88, 30 + drop), (92, 20 + drop), (102, 17 + drop), (112, 20 + drop), (116, 30 + drop), (102, 33 + drop)
    )
    s.eye(98, 40 + drop, 3.8)
    s.eye(110, 40 + drop, 3.8)
    s.stroke("cheek", 1.6, (100, 52 + drop), (104, 54.5 + drop), (108, 52 + drop))


def pig(s: Sketch) -> None:
    """A round pig with a snout and a curly tail."""
    s.stroke("dark", 3, (16, 52), (8, 48), (6, 56), (13, 58), (11, 48), (3, 44))
    _legs(s, (32, 42, 84, 94), 72, 13)
    s.blob("main", (13, 56), (24, 32), (58, 24), (96, 28), (110, 48), (104, 76), (62, 86), (22, 80))
    s.blob("main", (84, 40), (92, 24), (110, 22), (124, 34), (128, 52), (118, 66), (100, 68), (86, 58))
    s.blob("dark", (91, 30), (86, 12), (102, 20), (104, 28))
    s.blob("dark", (108, 24), (116, 9), (121, 24), (116, 30))
    s.oval("snout", (123, 52), (9, 11))
    s.oval("nose", (120.5, 51), (1.7, 3.4), edged=False)
    s.oval("nose", (126, 51), (1.7, 3.4), edged=False)
    s.eye(104, 41, 3.8)
    s.eye(117, 38, 3.6)
    s.stroke("ink", 1.4, (104, 61), (110, 63.5), (115, 62))
    s.disc("cheek", 99, 54, 3.6, edged=False)


def rabbit(s: Sketch) -> None:
    """A sitting rabbit with long ears, one of which may hang."""
    s.disc("white", 63, 86, 8)
    s.blob("main", (18, 68), (34, 54), (54, 58), (65, 78), (62, 95), (36, 98), (14, 95))
    s.blob("light", (28, 68), (38, 64), (46, 70), (44, 88), (32, 88), edged=False)
    lean = s.vary(-4, 4)
    s.blob("main", (26, 34), (16 + lean, 14), (18 + lean, 0), (26 + lean, 4), (33, 30))
    s.blob("cheek", (26, 28), (20 + lean, 12), (22 + lean, 6), (29, 26), edged=False)
    if s.chance(0.3):
        s.blob("main", (38, 30), (46, 14), (58, 14), (66, 28), (60, 32), (52, 22), (45, 34))
    else:
        s.blob("main", (38, 30), (44 - lean, 4), (52 - lean, 0), (54 - lean, 14), (46, 34))
        s.blob("cheek", (42, 26), (47 - lean, 6), (50 - lean, 12), (45, 28), edged=False)
    s.blob("main", (16, 46), (22, 33), (36, 28), (50, 33), (56, 46), (51, 58), (36, 63), (21, 58))
    s.eye(27, 44, 4.4)
    s.eye(45, 44, 4.4)
    s.oval("light", (36, 54), (8, 5.6), edged=False)
    s.poly("cheek", (33, 49.5), (39, 49.5), (36, 53), edged=False)
    s.stroke("ink", 1.2, (31, 55), (34, 56.6), (36, 53.6), (38, 56.6), (41, 55))
    s.bar("white", (34.4, 56.6, 37.6, 60), edged=False)
    for x in (25, 45):
        s.oval("main", (x, 95), (10, 4.6))


def elephant(s: Sketch) -> None:
    """An elephant with a big ear and a raised or hanging trunk."""
    s.stroke("dark", 2.4, (12, 44), (5, 56), (7, 66))
    for x, paint in ((26, "dark"), (72, "dark"), (38, "main"), (84, "main")):
        s.bar(paint, (x - 8, 60, x + 8, 98), 4)
        for toe in (-4.5, 0, 4.5):
            s.oval("bone", (x + toe, 96), (2, 2), edged=False)
    s.blob("main", (10, 50), (18, 26), (44, 16), (72, 20), (92, 36), (94, 66), (64, 76), (28, 76))
    if s.chance(0.5):
        trunk = ((110, 42), (118, 62), (115, 82), (124, 88))
    else:
        trunk = ((110, 42), (122, 56), (127, 38), (122, 22))
    s.limb("main", 16, *trunk)
    s.blob("main", (78, 32), (84, 14), (104, 10), (118, 24), (118, 44), (106, 56), (88, 54))
    s.blob("bone", (102, 52), (108, 54), (114, 66), (107, 63))
    s.blob("dark", (70, 24), (82, 14), (94, 22), (96, 42), (86, 60), (74, 56), (66, 42))
    s.blob("cheek", (75, 30), (83, 24), (90, 30), (89, 42), (83, 50), (76, 46), edged=False)
    s.eye(106, 29, 3.4)


def duck(s: Sketch) -> None:
    """A duck with a big beak and webbed feet."""
    for x in (46, 58):
        s.limb("beak", 4, (x, 80), (x, 88), (x, 94))
        s.blob("beak", (x - 3, 94), (x + 4, 93), (x + 11, 97.5), (x - 4, 98))
    s.blob("main", (3, 42), (14, 52), (34, 48), (60, 44), (78, 44), (84, 62), (74, 80), (46, 87), (20, 78), (8, 60))
    s.blob("main", (60, 56), (62, 36), (60, 20), (70, 6), (86, 5), (95, 17), (92, 32), (84, 42), (82, 60))
    s.blob("main", (52, 56), (62, 48), (80, 50), (82, 62), (70, 74), (54, 70), edged=False)
    lift = s.vary(-4, 4)
    s.blob("dark", (26, 56), (44, 52), (62, 58), (58, 70), (40, 74), (22, 66 + lift))
    s.stroke("main", 1.4, (32, 64), (44, 66), (54, 63))
    s.blob("beak", (91, 15), (102, 17), (111, 22), (110, 27), (98, 28), (91, 27))
    s.stroke("ink", 1, (93, 22), (102, 23.4), (110, 23))
    s.eye(82, 16, 4.4)


def snail(s: Sketch) -> None:
    """A snail: its house wears the colour, the body is pale."""
    s.blob(
        "flesh",
        (4, 94),
        (30, 84),
        (90, 84),
        (104, 70),
        (112, 52),
        (124, 50),
        (130, 62),
        (124, 82),
        (110, 97),
        (60, 99),
        (14, 99),
    )
    for x in (115, 126):
        top = 26 + s.vary(-5, 5)
        s.stroke("flesh", 3.2, (x, 56), (x + 1, 42), (x + 4, top))
        s.disc("flesh", x + 4, top, 4.6)
        s.disc("ink", x + 5, top, 2.4, edged=False)
    s.smile(121, 66, 4, 1.8)
    s.disc("cheek", 113, 66, 3, edged=False)
    s.disc("main", 56, 49, 41)
    spiral = [
        (56 + (37 - i * 1.55) * math.cos(0.5 - i * 0.55), 49 + (37 - i * 1.55) * math.sin(0.5 - i * 0.55))
        for i in range(23)
    ]
    s.stroke("dark", 4, *spiral)


def bird(s: Sketch) -> None:
    """A bird in flight with raised or lowered wings."""
    up = s.chance(0.65)
    s.blob("dark", (38, 58), (14, 48), (2, 56), (10, 64), (4, 74), (34, 70))
    if up:
        s.blob("dark", (66, 50), (74, 22), (96, 4), (100, 18), (90, 44))
    s.blob("main", (30, 60), (54, 42), (92, 38), (118, 30), (130, 40), (126, 58), (98, 78), (58, 80))
    s.blob("light", (60, 74), (86, 66), (114, 58), (106, 72), (80, 80), edged=False)
    if up:
        s.blob("main", (58, 62), (40, 44), (26, 20), (28, 3), (44, 8), (68, 28), (86, 50), (78, 62))
        s.stroke("dark", 1.8, (34, 14), (48, 32), (64, 50))
        s.stroke("dark", 1.8, (33, 26), (44, 42), (56, 54))
    else:
        s.blob("dark", (52, 54), (84, 52), (82, 72), (62, 96), (46, 98), (40, 84))
        s.stroke("main", 1.8, (62, 64), (56, 80), (50, 92))
    s.poly("beak", (128, 38), (147, 46), (127, 52))
    s.eye(116, 43, 4.8)


def butterfly(s: Sketch) -> None:
    """A butterfly seen from above with four wings."""
    m = s.width / 2
    flap = s.vary(0.78, 1.0)
    for side in (-1, 1):

        def at(x: float, y: float, side: int = side) -> tuple[float, float]:
            return (m + side * x * flap, y)

        s.blob("main", at(3, 54), at(18, 52), at(42, 66), at(44, 86), at(30, 98), at(13, 86))
        s.blob("main", at(3, 48), at(16, 18), at(42, 2), at(57, 12), at(54, 40), at(30, 56))
        s.blob("light", at(22, 30), at(40, 14), at(48, 22), at(42, 36), at(28, 42), edged=False)
        s.disc("dark", m + side * 40 * flap, 24, 5, edged=False)
        s.disc("light", m + side * 30 * flap, 80, 6, edged=False)
        s.stroke("ink", 1.6, (m, 34), (m + side * 8, 18), (m + side * 13, 12))
        s.disc("ink", m + side * 13, 11, 2.2, edged=False)
    s.oval("tyre", (m, 58), (4, 27))
    s.disc("tyre", m, 32, 5.4)
    s.disc("white", m - 2, 31, 1.4, edged=False)
    s.disc("white", m + 2, 31, 1.4, edged=False)
