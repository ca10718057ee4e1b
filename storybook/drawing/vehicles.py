"""Sketches of vehicles, from the side and driving right."""

from __future__ import annotations

import math

import numpy as np

from storybook.drawing.sketch import Points, Sketch, ring


def car(s: Sketch) -> None:
    """A small round car."""
    roof = s.vary(2, 12)
    s.blob("main", (36, 44), (50, roof + 6), (70, roof), (104, roof), (124, roof + 8), (144, 44), (90, 50))
    s.poly("glass", (48, 43), (57, roof + 10), (84, roof + 8), (84, 43))
    s.poly("glass", (92, 43), (92, roof + 8), (114, roof + 11), (130, 43))
    s.blob(
        "main", (6, 78), (8, 54), (22, 44), (60, 41), (130, 41), (162, 46), (178, 58), (180, 78), (150, 86), (30, 86)
    )
    s.stroke("dark", 1.6, (88, 44), (87, 64), (90, 82), curved=False)
    s.bar("dark", (96, 52, 106, 55), 1.5, edged=False)
    s.oval("lamp", (173, 61), (5, 6.5))
    s.oval("collar", (9, 62), (3.6, 6))
    s.bar("metal", (2, 74, 183, 82), 4)
    for x in (44, 140):
        s.disc("dark", x, 80, 20, edged=False)
        s.wheel(x, 82, 16.5)


def bus(s: Sketch) -> None:
    """A long bus with a row of windows."""
    s.bar("main", (4, 6, 190, 88), 12)
    s.bar("light", (6, 52, 189, 58), edged=False)
    count = 4
    for i in range(count):
        s.bar("glass", (14 + i * 33, 16, 40 + i * 33, 46), 4)
        if s.chance(0.4):
            s.disc("skin", 27 + i * 33, 36, 6, edged=False)
            s.bar("hair", (21 + i * 33, 28, 33 + i * 33, 33), 3, edged=False)
    s.bar("glass", (150, 16, 188, 48), 6)
    s.bar("dark", (148, 54, 166, 86), 2)
    s.oval("lamp", (185, 72), (4.5, 6))
    s.oval("collar", (7, 70), (3, 6))
    for x in (42, 128):
        s.disc("dark", x, 86, 17, edged=False)
        s.wheel(x, 86, 13.5)


def truck(s: Sketch) -> None:
    """A lorry with a load bed or a box behind the cab."""
    s.bar("tyre", (6, 72, 178, 82), 3)
    if s.chance(0.5):
        s.bar("main", (4, 6, 118, 74), 5)
        s.stroke("dark", 2, (32, 10), (32, 70))
        s.stroke("dark", 2, (61, 10), (61, 70))
        s.stroke("dark", 2, (90, 10), (90, 70))
    else:
        s.blob("wood", (12, 46), (30, 26), (52, 38), (70, 22), (94, 32), (110, 46), (60, 54))
        s.poly("main", (4, 40), (118, 40), (118, 74), (4, 74))
        s.stroke("dark", 2.4, (5, 57), (117, 57))
    s.blob("main", (124, 76), (124, 30), (130, 20), (152, 20), (160, 26), (168, 46), (180, 52), (181, 76))
    s.poly("glass", (134, 28), (150, 28), (160, 47), (134, 47))
    s.oval("lamp", (177, 62), (4, 5))
    s.bar("metal", (168, 72, 184, 80), 3)
    s.stroke("dark", 1.6, (131, 52), (131, 74))
    for x in (32, 62, 150):
        s.wheel(x, 83, 16)


def bicycle(s: Sketch) -> None:
    """A bicycle whose frame and rims wear the colour."""
    for x in (32, 123):
        for px, py in ring((x, 68), 25, 8, s.vary(0, 0.7)):
            s.stroke("metal", 0.9, (x, 68), (px, py))
        s.add(_hoop((x, 68), 31, 4.2), "tyre", edged=False)
        s.add(_hoop((x, 68), 27, 5.6), "main", edged=False)
        s.disc("dark", x, 68, 4)
    s.stroke("main", 6.4, (32, 68), (52, 32), (112, 30), (74, 72), (32, 68), curved=False)
    s.stroke("main", 6.4, (46, 22), (74, 72), curved=False)
    s.stroke("main", 6.4, (123, 68), (108, 18), curved=False)
    s.stroke("ink", 3.4, (104, 18), (112, 12), (124, 14), (124, 20))
    s.blob("nose", (34, 18), (56, 16), (60, 21), (46, 25), (36, 24))
    s.disc("metal", 74, 72, 8)
    s.stroke("ink", 2.4, (74, 72), (82, 86), curved=False)
    s.bar("ink", (76, 84, 90, 88), 1.5)
    if s.chance(0.5):
        s.poly("wood", (112, 26), (142, 26), (138, 46), (116, 46))


def _hoop(middle: tuple[float, float], radius: float, width: float) -> Points:
    turns = np.linspace(0, 2 * math.pi, 40)
    circle = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return np.asarray(np.concatenate([circle * radius, circle[::-1] * (radius - width)]) + middle)


def boat(s: Sketch) -> None:
    """A sailing boat; a passenger stands between the sail and the near side of the hull."""
    s.bar("wood", (52, 2, 57, 76), 2)
    bulge = s.vary(0, 8)
    s.blob("white", (60, 6), (84 + bulge, 30), (104, 62), (82, 66), (60, 64))
    s.stroke("whisker", 1.2, (62, 26), (82, 28))
    s.stroke("whisker", 1.2, (62, 46), (92, 48))
    s.poly("light", (49, 14), (49, 64), (14, 64))
    s.poly("collar", (55, 0), (55, 11), (40, 5))
    s.poly("dark", (8, 70), (108, 70), (98, 80), (18, 80))
    s.begin_front()
    s.blob("main", (3, 69), (30, 74), (84, 74), (112, 68), (106, 86), (94, 98), (56, 99), (22, 98), (10, 86))
    s.stroke("light", 3, (7, 76), (30, 80), (84, 80), (108, 75))
    for x in (38, 58, 78):
        s.disc("glass", x, 88, 3.8)


def train(s: Sketch) -> None:
    """A steam engine with a puffing chimney."""
    puff = s.vary(0, 5)
    for x, y, r in ((112, 9, 7), (100 - puff, 4 + puff * 0.3, 5.5), (90 - puff * 2, 8, 4)):
        s.disc("smoke", x, y + 2, r)
    s.poly("dark", (114, 38), (112, 18), (128, 18), (126, 38))
    s.bar("dark", (108, 13, 132, 20), 2)
    s.bar("main", (10, 20, 66, 78), 4)
    s.bar("dark", (4, 12, 72, 22), 4)
    s.bar("glass", (18, 28, 38, 48), 2)
    s.bar("glass", (44, 28, 60, 48), 2)
    s.bar("main", (60, 36, 146, 78), 12)
    for x in (84, 106):
        s.bar("gold", (x, 36, x + 4, 78), edged=False)
    s.blob("gold", (86, 36), (86, 26), (92, 23), (98, 26), (98, 36))
    s.disc("lamp", 146, 50, 6)
    s.poly("collar", (138, 78), (158, 96), (132, 96))
    s.bar("tyre", (6, 74, 148, 82), 3)
    for x, r in ((30, 15), (70, 12), (98, 12), (124, 12)):
        s.wheel(x, 98 - r, r, "collar")
    s.stroke("metal", 3, (30, 86), (98, 88), curved=False)


def aeroplane(s: Sketch) -> None:
    """An aeroplane with round windows and a propeller or jets."""
    s.poly("dark", (74, 42), (96, 42), (76, 12), (64, 12))
    s.blob("dark", (10, 44), (2, 8), (16, 8), (38, 40))
    s.blob("main", (4, 46), (30, 36), (90, 32), (140, 34), (164, 46), (162, 60), (136, 70), (70, 70), (28, 60))
    s.blob("light", (40, 63), (90, 64), (150, 62), (130, 69), (72, 69), edged=False)
    s.blob("glass", (138, 38), (152, 40), (162, 48), (140, 49))
    for x in (56, 74, 92, 110, 126):
        s.disc("glass", x, 48, 4.4)
    s.poly("dark", (74, 58), (106, 58), (72, 96), (54, 96))
    s.poly("dark", (6, 48), (28, 48), (12, 66), (0, 66))
    if s.chance(0.5):
        s.oval("metal", (170, 54), (2.4, 22))
        s.disc("collar", 169, 54, 4.6)
    else:
        s.bar("metal", (78, 76, 102, 86), 5)


def hot_air_balloon(s: Sketch) -> None:
    """A hot-air balloon with a basket; somebody may look out."""
    s.stroke("ink", 1, (24, 56), (31, 84), curved=False)
    s.stroke("ink", 1, (50, 56), (43, 84), curved=False)
    if s.chance(0.6):
        s.disc("hair", 37, 77, 4.6)
        s.disc("skin", 37, 78.6, 4)
    s.blob("main", (37, 0.5), (58, 7), (72, 28), (64, 50), (50, 64), (37, 68), (24, 64), (10, 50), (2, 28), (16, 7))
    s.blob("light", (37, 1), (45, 12), (48, 32), (45, 54), (37, 67), (29, 54), (26, 32), (29, 12), edged=False)
    s.blob("dark", (68, 20), (72, 30), (64, 50), (52, 63), (60, 46), (66, 30), edged=False)
    s.bar("collar", (25, 62, 49, 66), 2)
    s.bar("wood", (28, 83, 46, 99), 3)
    s.stroke("ink", 0.9, (28, 89), (46, 89))
    s.stroke("ink", 0.9, (28, 94), (46, 94))
