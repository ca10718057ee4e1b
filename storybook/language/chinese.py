"""Chinese: measure words, modifiers before the noun, relations around their object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from storybook.language.grammar import Asking, Grammar, Relating, Templates, Words
from storybook.world import RelationName

# kind: (measure word, noun)
_NOUNS: dict[str, tuple[str, str]] = {
    "man": ("个", "男人"),
    "woman": ("个", "女人"),
    "boy": ("个", "男孩"),
    "girl": ("个", "女孩"),
    "dog": ("只", "狗"),
    "cat": ("只", "猫"),
    "horse": ("匹", "马"),
    "cow": ("头", "奶牛"),
    "sheep": ("只", "绵羊"),
    "pig": ("头", "猪"),
    "rabbit": ("只", "兔子"),
    "elephant": ("头", "大象"),
    "duck": ("只", "鸭子"),
    "snail": ("只", "蜗牛"),
    "bird": ("只", "鸟"),
    "butterfly": ("只", "蝴蝶"),
    "car": ("辆", "汽车"),
    "bus": ("辆", "公交车"),
    "truck": ("辆", "卡车"),
    "bicycle": ("辆", "自行车"),
    "boat": ("艘", "帆船"),
    "train": ("列", "火车"),
    "aeroplane": ("架", "飞机"),
    "hot-air balloon": ("个", "热气球"),
    "house": ("座", "房子"),
    "castle": ("座", "城堡"),
    "lighthouse": ("座", "灯塔"),
    "tent": ("顶", "帐篷"),
    "tree": ("棵", "树"),
    "flower": ("朵", "花"),
    "mushroom": ("朵", "蘑菇"),
    "cactus": ("棵", "仙人掌"),
    "sun": ("个", "太阳"),
    "moon": ("个", "月亮"),
    "star": ("颗", "星星"),
    "cloud": ("朵", "云"),
    "chair": ("把", "椅子"),
    "table": ("张", "桌子"),
    "lamp": ("盏", "灯"),
    "bed": ("张", "床"),
    "ball": ("个", "球"),
    "box": ("个", "盒子"),
    "basket": ("个", "篮子"),
    "umbrella": ("把", "雨伞"),
    "cup": ("个", "杯子"),
    "kite": ("只", "风筝"),
}
_COLOURS = {
    "red": "红色",
    "orange": "橙色",
    "yellow": "黄色",
    "green": "绿色",
    "turquoise": "青绿色",
    "blue": "蓝色",
    "purple": "紫色",
    "pink": "粉色",
    "brown": "棕色",
    "black": "黑色",
    "white": "白色",
    "grey": "灰色",
}
_SIZES = {"small": "小", "large": "大"}
_PATTERNS = {
    "striped": "带条纹的",
    "spotted": "带圆点的",
    "checked": "格子图案的",
    "wooden": "木制的",
    "knitted": "针织的",
}
_NUMBERS = ("几", "一", "两", "三", "四", "五")


class Chinese(Grammar):
    """Chinese in simplified characters."""

    code = "zh"
    comma = "、"
    conjunction = "和"
    sentence_gap = ""
    yes_no = ("是", "否")
    sides: ClassVar[Mapping[str, str]] = {"left of": "左边", "right of": "右边", "above": "上方", "below": "下方"}
    colours: ClassVar[Mapping[str, str]] = _COLOURS
    relations: ClassVar[Mapping[RelationName, tuple[Relating, ...]]] = {
        "left of": (Relating("在", "nom", "左边"), Relating("在", "nom", "的左侧")),
        "right of": (Relating("在", "nom", "右边"), Relating("在", "nom", "的右侧")),
        "above": (Relating("在", "nom", "上方"),),
        "below": (Relating("在", "nom", "下方"),),
        "inside": (Relating("在", "nom", "里面"), Relating("在", "nom", "里")),
        "next to": (Relating("在", "nom", "旁边"),),
        "in front of": (Relating("在", "nom", "前面"),),
    }
    places: ClassVar[Mapping[str, str]] = {
        "beach": "在海滩上",
        "forest": "在森林里",
        "street": "在街道上",
        "room": "在房间里",
        "night": "在夜里",
        "snow": "在雪地里",
        "meadow": "在草地上",
        "desert": "在沙漠里",
        "mountains": "在山里",
        "harbour": "在港口",
    }
    styles: ClassVar[Mapping[str, str]] = {
        "flat": "扁平插画",
        "outlined": "墨线画",
        "watercolour": "水彩画",
        "crayon": "蜡笔画",
        "paper-cut": "剪纸画",
        "pixel": "像素画",
    }
    templates = Templates(
        brief=(
            "{place}有{things}。",
            "图中{place}有{things}。",
            "{things}{place}。",
            "这张图片展示了{place}的{things}。",
            "{place}：{things}。",
        ),
        opening=("{place}有{things}。", "画面{place}，有{things}。"),
        relates=("{subject}{relation}。", "{subject}位于{object}{after}。"),
        styles=("这是一幅{style}。", "这张图是{style}。"),
        referring="{relation}的{subject}",
        prompts=("{subject}", "一张{subject}的图片", "一幅画着{subject}的画", "图中有{subject}。"),
        asking=Asking(
            colour="{subject}是什么颜色的？",
            colour_worn="{subject}穿什么颜色的衣服？",
            count="有{subject}？",
            place="这是在哪里？",
            side="{subject}在{object}的左边还是右边？",
            height="{subject}在{object}的上方还是下方？",
            exists="有{subject}吗？",
            is_colour="{subject}是{colour}的吗？",
            is_worn="{subject}穿的是{colour}的衣服吗？",
            relates="{subject}{relation}吗？",
        ),
    )

    def phrase(self, words: Words, case: str = "nom") -> tuple[str, str]:
        """Return ("", noun phrase); a definite phrase has no number and no measure word."""
        measure, noun = _NOUNS[words.kind]
        if words.size:
            noun = self._sized(words.kind, words.size, noun)
        before = _PATTERNS[words.pattern] if words.pattern else ""
        if words.colour and words.is_person:
            before += f"穿{_COLOURS[words.colour]}衣服的"
        elif words.colour:
            before += _COLOURS[words.colour] + ("" if words.pattern else "的")
        number = "" if words.definite and words.count == 1 else _NUMBERS[words.count] + measure
        return "", number + before + noun

    @staticmethod
    def _sized(kind: str, size: str, noun: str) -> str:
        # 大象 already holds the word for large.
        if kind == "elephant":
            return "小象" if size == "small" else "高大的大象"
        return _SIZES[size] + noun
