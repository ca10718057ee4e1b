"""Stop words per language: what nearly every caption holds and no picture shows."""

from __future__ import annotations

from collections.abc import Mapping

from search.words.folding import unaccented

_WORDS = {
    "en": """
        a an and are as at be been being but by did do does for from had has have he her hers him his i if in into is it
        its me my no nor not of on onto or our she so than that the their them then there these they this those to too
        us was we were what when where which who whose why will with you your
        """,
    "de": """
        aber als am an auch auf aus bei beim das dass dein dem den der des die dies diese diesem diesen dieser dieses
        doch du durch ein eine einem einen einer eines er es für gegen hat hatte ich ihm ihn ihr ihre ihrem ihren ihrer
        im in ins ist ja man mein mit nach nicht noch nun nur ob oder sehr sein seine seinem seinen seiner sich sie sind
        so über um und uns vom von vor war waren was weil welche wenn wer wie wir wird wo zu zum zur
        """,
    "fr": """
        à ai au aussi aux avec ce ces cet cette ceux dans de des donc du elle elles en est et être eux il ils
        je la le les leur leurs lui ma mais me mes moi mon ne nos notre nous on ont ou où par pas pour
        que qui sa se ses si son sont sur ta te tes ton tu un une vos votre vous y
        """,
    "es": """
        a al ante aunque como con cual cuando de del desde donde e el ella ellas ellos en era es esa ese eso esta estaba
        estamos están estar este esto estos está fue ha han hasta hay la las le les lo los mas me mi mis muy más ni no
        nos o para pero por porque que quien se ser si sin sobre son su sus sí también te tu tus u un una unas uno unos
        y ya yo él
        """,
    "uk": """
        а або але б без би був була були було в вже ви від вони вона воно все всі він для до є ж же з за зі й його її із
        і їх ми на над не ні ним ними нього о об по про при та так такий там те ти то тут у це цей ця ці що щоб як який
        яка яке які
        """,
    "ru": """
        а без бы был была были было в вам вас во вот все всё вы где да для до его ее её если есть еще ещё же за и из или
        им их к как ко когда кто ли мы на не него нее нет ни но о об он она они оно от по при с со так там то тут ты у
        уже что чтобы это этот эта эти я
        """,
}
# Stop words of one language that name things in another; they stop nothing while the language is unknown. "die" and
# "den", verb and lair, are far more often the German articles.
_NAMES_ELSEWHERE = frozenset("car era hat man mes pour sin son sur ton war".split())

STOP_WORDS: Mapping[str, frozenset[str]] = {
    code: frozenset(unaccented(word) for word in words.split()) for code, words in _WORDS.items()
}
"""Folded stop words by ISO 639-1 code."""

STOP_ANYWHERE: frozenset[str] = frozenset().union(*STOP_WORDS.values()) - _NAMES_ELSEWHERE
"""What stops while the language is unknown."""


def stops(languages: tuple[str, ...] | None) -> frozenset[str]:
    """Folded stop words of the languages; None means that the language is unknown."""
    if languages is None:
        return STOP_ANYWHERE
    return frozenset().union(*(STOP_WORDS.get(code, frozenset()) for code in languages))
