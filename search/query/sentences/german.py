"""The small words of German, with cases and contractions."""

from __future__ import annotations

from search.query.sentences.table import Table

GERMAN = Table(
    code="de",
    forms={
        "von": "von vom",
        "in": "in im",
        "an": "an am",
        "zu": "zu zur zum",
        "ein": "ein eine einem einen einer das der die dem den diesem dieses",
        "bild": "bild foto bildes zeichnung gemälde aufnahme fotografie illustration photo skizze",
        "bilder": "bilder fotos zeichnungen gemälde aufnahmen fotografien",
        "der": "der dem",
    },
    articles="ein eine einen einem einer eines der die das dem den des dieser diese dieses diesem diesen sein seine"
    " seinem"
    " seinen seiner ihr ihre ihrem ihren ihrer mein meine meinem meinen einige mehrere viele beide",
    numbers={
        "eins": 1,
        "zwei": 2,
        "drei": 3,
        "vier": 4,
        "fünf": 5,
        "sechs": 6,
        "sieben": 7,
        "acht": 8,
        "neun": 9,
        "zehn": 10,
        "ein paar": 0,
        "zwo": 2,
        "beide": 2,
        "die beiden": 2,
        "ein Paar": 2,
    },
    relations={
        "left of": "links {von}|links neben|links des|links der|linker Hand {von}|zur Linken {von}|zur Linken der"
        "|zur Linken des|auf der linken Seite {von}|auf der linken Seite des|auf der linken Seite der"
        "|linksseitig {von}",
        "right of": "rechts {von}|rechts neben|rechts des|rechts der|zur Rechten {von}|zur Rechten der|zur Rechten des"
        "|auf der rechten Seite {von}|auf der rechten Seite des|auf der rechten Seite der",
        "above": "über|überm|oberhalb {von}|oberhalb der|oberhalb des|oberhalb|direkt über|hoch über",
        "below": "unterhalb {von}|unterhalb der|unterhalb des|unterhalb",
        "under": "unter|unterm|direkt unter",
        "next to": "neben|direkt neben|gleich neben|seitlich {von}|an der Seite {von}|an der Seite des"
        "|an der Seite der",
        "near": "bei|beim|nahe|nahe bei|in der Nähe {von}|in der Nähe des|in der Nähe der|unweit {von}|nah an|nah bei",
        "in front of": "vor|vorm|direkt vor",
        "behind": "hinter|hinterm|direkt hinter",
        "inside": "innerhalb {von}|innerhalb der|innerhalb des|innen in|mitten in|drinnen in|im Inneren {von}"
        "|im Inneren der|im Inneren des",
        "on": "oben auf|obenauf auf|oben drauf auf",
        "with": "mit|zusammen mit|gemeinsam mit|samt",
    },
    inside="in|im|ins",
    on="auf|aufm",
    places={
        "left": "links|auf der linken Seite|links im {bild}|auf der linken Bildseite|im linken Bildteil|linke Seite"
        "|am linken Rand|am linken Bildrand|in der linken Hälfte|in der linken Bildhälfte",
        "right": "rechts|auf der rechten Seite|rechts im {bild}|auf der rechten Bildseite|im rechten Bildteil"
        "|am rechten Rand|am rechten Bildrand|in der rechten Hälfte|in der rechten Bildhälfte",
        "top": "oben|oben im {bild}|am oberen Rand|am oberen Bildrand|in der oberen Hälfte|in der oberen Bildhälfte",
        "bottom": "unten|unten im {bild}|am unteren Rand|am unteren Bildrand|in der unteren Hälfte"
        "|in der unteren Bildhälfte",
        "middle": "in der Mitte|in der Bildmitte|im Zentrum|mittig|in der Mitte des Bildes|im Zentrum des Bildes",
        "foreground": "im Vordergrund|vorne|vorn|ganz vorne|im Vordergrund des Bildes",
        "background": "im Hintergrund|hinten|in der Ferne|ganz hinten|im Hintergrund des Bildes",
    },
    extents={
        "small": "klein kleine kleines winzig winzige kleinen kleiner kleinem winziges",
        "large": "groß große großes riesig riesige großer großen großem riesiges riesiger gewaltige",
    },
    both="und|sowie|u.|&|plus|aber|während|und auch|sowohl|als auch",
    either="oder|noch|weder",
    negations="ohne|kein|keine|keinen|keinem|keiner|keines|nicht|aber kein"
    "|aber keine|aber keinen|und kein|und keine|und keinen|aber ohne|und ohne|aber nicht|und nicht|mit keinem"
    "|mit keiner"
    "|ohne jegliche|ohne jeden",
    leads="{ein} {bild} mit|{ein} {bild} {von}|{bild} mit|{bild} {von}|{bilder} mit|{bilder} {von}|{ein} {bild} zeigt"
    "|hier ist|hier sind|es gibt|da ist|da sind|das ist|das sind|ich sehe|man sieht|zeige mir|zeig mir|zeige|suche"
    "|finde"
    "|auf dem {bild} ist|auf dem {bild} sind|auf dem {bild} sieht man|{ein} {bild} auf dem|hier|zu sehen ist"
    "|zu sehen sind|{ein} {bild} einer|{ein} {bild} eines|{bild} einer|{bild} eines",
    of="von|vom|aus",
    verbs="ist|sind|war|waren|befindet sich|befinden sich|steht|sitzt|liegt|stehen|sitzen|liegen|hängt|läuft"
    "|geht|fliegt|schwimmt|stehend|sitzend|liegend|geparkt|zu sehen|hat|haben|trägt|hält|gibt|es gibt|welcher|welche"
    "|welches|daneben|nebeneinander|spielt|fährt|reitet|isst|springt|wartet|schläft|man|sieht|zusammen|dicht|ganz"
    "|direkt"
    "|mitten|voll|gefüllt|bedeckt|umgeben|gekleidet",
    prepositions="an|am|zu|zum|zur|aus|nach|durch|entlang|um|zwischen|gegen|für|seit|während|wegen|gegenüber|außerhalb"
    "|in der Mitte {von}|in der Mitte des|in der Mitte der|am Rand des|am Rand der|am Ende der|am Ende des|als|wie|ans"
    "|bei Nacht|bei Tag|bei Sonnenuntergang|bei Regen",
    pronouns="er|sie|es|ihn|ihm|ihnen|wir|ich|du|sich|man|einander|etwas|jemand|was|wo|wenn|dass|weil",
    clothing="anzug hut mantel kleid hemd jacke jeans uniform helm brille sonnenbrille hose rock pullover mütze"
    " krawatte"
    " badehose badeanzug stiefel schuhe handschuhe schal weste kostüm kleidung",
    colours="rot orange gelb grün türkis blau violett lila rosa pink braun schwarz weiß grau beige orangefarben"
    " türkisfarben golden silbern rote grüne blaue gelbe schwarze weiße graue braune violette schwarzweiß",
    scenery="strand wald straße zimmer nacht schnee wiese wüste berge bergen berg hafen feld gras meer wasser himmel"
    " stadt"
    " park küche bad badezimmer schlafzimmer wohnzimmer garten see fluss luft regen sonne dunkeln tag abend morgen dorf"
    " land hügel sonnenuntergang sonnenaufgang nebel winter sommer frühling herbst sand ufer küste gehweg autobahn"
    " weide"
    " restaurant flughafen bahnhof zoo dschungel dunkelheit licht schatten ferne büro geschäft laden markt reihe boden"
    " hang platz stadion gebäude haus szene bild foto flur hause bewegung hand schoß kopf rücken mund raum gelände"
    " natur",
    containers="kiste korb boot tasse schüssel vase tasche käfig auto bus lastwagen topf glas flasche eimer wagen"
    " koffer"
    " spüle badewanne wanne nest schublade kühlschrank ofen zelt behälter pfanne fass schubkarre rucksack aquarium kanu"
    " zug bett schachtel karton becher schale wanne box kinderwagen",
)
"""German."""
