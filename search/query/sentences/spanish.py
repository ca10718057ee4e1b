"""The small words of Spanish."""

from __future__ import annotations

from search.query.sentences.table import Table

SPANISH = Table(
    code="es",
    forms={
        "de": "de del",
        "a": "a al",
        "un": "un una el la esta este unas unos las los",
        "imagen": "imagen foto fotografía dibujo pintura ilustración cuadro escena vista",
        "imágenes": "imágenes fotos fotografías dibujos pinturas ilustraciones",
    },
    articles="un una unos unas el la los las lo este esta estos estas ese esa su sus mi mis nuestro nuestra algunos"
    " algunas"
    " varios varias muchos muchas",
    numbers={
        "dos": 2,
        "tres": 3,
        "cuatro": 4,
        "cinco": 5,
        "seis": 6,
        "siete": 7,
        "ocho": 8,
        "nueve": 9,
        "diez": 10,
        "un par de": 2,
        "los dos": 2,
        "las dos": 2,
        "ambos": 2,
        "ambas": 2,
        "los tres": 3,
        "las tres": 3,
    },
    relations={
        "left of": "a la izquierda {de}|a mano izquierda {de}|al lado izquierdo {de}|en el lado izquierdo {de}"
        "|a izquierda {de}|a la izquierda junto {a}",
        "right of": "a la derecha {de}|a mano derecha {de}|al lado derecho {de}|en el lado derecho {de}|a derecha {de}",
        "above": "encima {de}|por encima {de}|arriba {de}|sobre lo alto {de}",
        "below": "por debajo {de}",
        "under": "debajo {de}|bajo|abajo {de}",
        "next to": "al lado {de}|junto {a}|a un lado {de}|pegado {a}|pegada {a}",
        "near": "cerca {de}|próximo {a}|próxima {a}|no lejos {de}",
        "in front of": "delante {de}|en frente {de}|enfrente {de}|frente {a}|justo delante {de}",
        "behind": "detrás {de}|tras|por detrás {de}|atrás {de}",
        "inside": "dentro {de}|en el interior {de}|adentro {de}",
        "on": "en lo alto {de}|subido {a}",
        "with": "con|junto con|acompañado {de}|acompañada {de}|acompañado por",
    },
    inside="en",
    on="sobre",
    places={
        "left": "a la izquierda|en la izquierda|a mano izquierda|en el lado izquierdo|al lado izquierdo"
        "|a la izquierda de la {imagen}|en la parte izquierda",
        "right": "a la derecha|en la derecha|a mano derecha|en el lado derecho|al lado derecho"
        "|a la derecha de la {imagen}|en la parte derecha",
        "top": "arriba|en la parte superior|en lo alto|en la parte de arriba",
        "bottom": "abajo|en la parte inferior|en la parte de abajo",
        "middle": "en el centro|en el medio|en medio|en el centro de la {imagen}|en medio de la {imagen}",
        "foreground": "en primer plano|en el primer plano|delante|al frente",
        "background": "al fondo|en el fondo|de fondo|en segundo plano|a lo lejos|en la distancia|detrás|en la lejanía",
    },
    extents={
        "small": "pequeño pequeña pequeños pequeñas diminuto diminuta minúsculo minúscula",
        "large": "gran grande grandes enorme enormes gigante gigantesco inmenso inmensa",
    },
    both="y|e|&|así como|pero|mientras|más|y también",
    either="o|u|ni",
    negations="sin|sin ningún|sin ninguna|ningún|ninguna|ninguno|no|pero sin|y sin|pero no|y no|pero ningún"
    "|pero ninguna|y ningún|y ninguna|no hay",
    leads="{un} {imagen} {de}|{un} {imagen} con|{un} {imagen} muestra|{un} {imagen} que muestra|{imagen} {de}"
    "|{imagen} con"
    "|{imágenes} {de}|{imágenes} con|hay|se ve|se ven|aquí hay|veo|muéstrame|muestra|busca|encuentra|esto es|es"
    "|{un} {imagen} donde hay|en la {imagen} hay|se puede ver",
    of="de|del",
    bare="a",
    verbs="está|están|es|son|era|se encuentra|se encuentran|que está|que están|que es|que|quien|sentado|sentada"
    "|sentados"
    "|de pie|parado|parada|acostado|acostada|tumbado|tumbada|estacionado|estacionada|aparcado|aparcada|lleva|llevando"
    "|sostiene|tiene|tienen|come|vuela|corre|camina|juega|monta|hay|se|ve|juntos|juntas|lado a lado|muy|situado|situada"
    "|cubierto|cubierta|lleno|llena|rodeado|rodeada|vestido|vestida|montando|caminando|volando|jugando|comiendo"
    "|corriendo|sosteniendo|nadando",
    prepositions="a|al|por|para|hacia|entre|contra|desde|hasta|durante|según|alrededor {de}|a través {de}|en medio {de}"
    "|en el centro {de}|al borde {de}|a lo largo {de}|en la esquina {de}|fuera {de}|como|de noche|de día|por la noche"
    "|por la mañana|al final {de}",
    pronouns="ella|ellos|ellas|yo|nosotros|lo|le|les|eso|esto|algo|alguien|donde|cuando|porque|si",
    clothing="traje sombrero abrigo vestido camisa chaqueta vaqueros uniforme casco gafas pantalones pantalón falda"
    " jersey"
    " gorra corbata bañador botas zapatos guantes bufanda chaleco kimono ropa",
    colours="rojo roja naranja amarillo amarilla verde turquesa azul morado morada rosa marrón negro negra blanco"
    " blanca"
    " gris beige dorado dorada plateado violeta rojos rojas azules verdes negros negras blancos blancas",
    scenery="playa bosque calle habitación noche nieve prado desierto montañas montaña puerto campo hierba mar océano"
    " agua"
    " cielo carretera ciudad parque cocina baño dormitorio salón jardín lago río aire lluvia sol oscuridad día tarde"
    " mañana pueblo colina atardecer amanecer niebla invierno verano primavera otoño arena orilla costa acera autopista"
    " césped restaurante aeropuerto estación zoo selva luz sombra oficina tienda mercado suelo pendiente plaza estadio"
    " edificio casa escena imagen foto pasillo mano cabeza espalda boca naturaleza pradera",
    containers="caja cesta barco taza cuenco jarrón bolsa jaula coche autobús camión olla vaso botella cubo carro"
    " maleta"
    " fregadero bañera nido cajón nevera frigorífico horno recipiente sartén barril carretilla mochila acuario canoa"
    " tren"
    " cama canasta bote barca",
    compounds="globo aerostático|tienda de campaña|boca de incendios|señal de stop|oso de peluche",
    plural=r"s$",
    noun_first=True,
    before_noun="pequeño pequeña gran grande grandes diminuto enorme viejo vieja joven nuevo nueva bonito bonita"
    " hermoso"
    " hermosa buen buena otro otra largo larga",
    letters="ñ¿¡áíóú",
    endings=r"(?:[oa]s?|es|ón|dad|or)$",
)
"""Spanish."""
