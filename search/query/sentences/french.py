"""The small words of French, with elisions and contractions."""

from __future__ import annotations

from search.query.sentences.table import Table

FRENCH = Table(
    code="fr",
    forms={
        "de": "de du des d'",
        "à": "à au aux",
        "un": "un une le la l' cette ces des les",
        "image": "image photo photographie dessin peinture illustration tableau croquis vue cliché",
        "images": "images photos photographies dessins peintures illustrations",
    },
    articles="un une le la les l' des ce cet cette ces son sa ses leur leurs mon ma mes notre nos votre vos quelques"
    " plusieurs du",
    numbers={
        "deux": 2,
        "trois": 3,
        "quatre": 4,
        "cinq": 5,
        "six": 6,
        "sept": 7,
        "huit": 8,
        "neuf": 9,
        "dix": 10,
        "une paire de": 2,
        "une paire d'": 2,
        "les deux": 2,
        "les trois": 3,
    },
    relations={
        "left of": "à gauche {de}|à la gauche {de}|sur la gauche {de}|du côté gauche {de}|sur le côté gauche {de}"
        "|au côté gauche {de}",
        "right of": "à droite {de}|à la droite {de}|sur la droite {de}|du côté droit {de}|sur le côté droit {de}"
        "|au côté droit {de}",
        "above": "au-dessus {de}|au dessus {de}|par-dessus|par dessus",
        "below": "au-dessous {de}|au dessous {de}|en dessous {de}|en-dessous {de}|en contrebas {de}",
        "under": "sous|dessous|juste sous",
        "next to": "à côté {de}|aux côtés {de}|juste à côté {de}|le long {de}",
        "near": "près {de}|proche {de}|non loin {de}|auprès {de}|à proximité {de}|tout près {de}",
        "in front of": "devant|juste devant|en face {de}",
        "behind": "derrière|juste derrière|à l' arrière {de}",
        "inside": "à l' intérieur {de}|dedans",
        "on": "en haut {de}|posé sur|posée sur|assis sur|assise sur",
        "with": "avec|ensemble avec|accompagné {de}|accompagnée {de}",
    },
    inside="dans",
    on="sur",
    places={
        "left": "à gauche|sur la gauche|à la gauche|du côté gauche|sur le côté gauche|à gauche de l' {image}"
        "|dans la partie gauche"
        "|à gauche de la {image}",
        "right": "à droite|sur la droite|à la droite|du côté droit|sur le côté droit|à droite de l' {image}"
        "|dans la partie droite"
        "|à droite de la {image}",
        "top": "en haut|en haut de l' {image}|en haut de la {image}|dans la partie supérieure",
        "bottom": "en bas|en bas de l' {image}|en bas de la {image}|dans la partie inférieure",
        "middle": "au milieu|au centre|au milieu de l' {image}|au centre de l' {image}|au milieu de la {image}"
        "|au centre de la {image}",
        "foreground": "au premier plan|à l' avant-plan|en premier plan|à l' avant|devant nous",
        "background": "à l' arrière-plan|en arrière-plan|au fond|dans le fond|à l' arrière|au loin|à l' horizon"
        "|à l' arrière plan|en arrière plan",
    },
    extents={
        "small": "petit petite petits petites minuscule minuscules",
        "large": "grand grande grands grandes gros grosse énorme immense géant gigantesque énormes",
    },
    both="et|&|ainsi que|mais|puis|plus|et aussi|tandis que",
    either="ou|ni",
    negations="sans|sans aucun|sans aucune|aucun|aucune|pas {de}|mais pas {de}|et pas {de}|mais sans"
    "|et sans|mais aucun|mais aucune|et aucun|et aucune|non|pas un|pas une|mais pas un|mais pas une|sans {de}"
    "",
    leads="{un} {image} {de}|{un} {image} avec|{un} {image} montre|{un} {image} montrant|{image} {de}|{image} avec"
    "|{images} {de}|{images} avec|des {images} {de}|il y a|on voit|voici|c' est|ce sont|je vois|montre-moi|montre moi"
    "|montrez-moi|cherche|trouve|on peut voir|{un} {image} où il y a|{un} {image} où l' on voit|sur l' {image} il y a"
    "|voilà",
    of="de|d'|du|des",
    bare="à|en",
    verbs="est|sont|était|étaient|se trouve|se trouvent|qui est|qui sont|qui|que|assis|assise|debout|couché|couchée"
    "|garé"
    "|garée|posé|posée|se tient|se tiennent|se|tient|porte|portant|tenant|a|ont|mange|vole|volent|court|marche|marchant"
    "|jouant|volant dans|roule|nage|il y a|on voit|visible|ensemble|côte à côte|tout|couvert|couverte|rempli|remplie"
    "|entouré|entourée|habillé|habillée|vêtu|vêtue",
    prepositions="à|au|aux|en|par|pour|vers|entre|chez|contre|depuis|pendant|autour {de}|à travers|au milieu {de}"
    "|au centre {de}|au bord {de}|le long {de}|au coin {de}|hors {de}|dehors|comme|la nuit|de nuit|le jour|le soir"
    "|le matin|au bout {de}|à l' extérieur {de}|face à",
    pronouns="il|elle|ils|elles|on|je|nous|vous|lui|eux|cela|ça|ce|où|quand|dont|l' un|autre",
    clothing="costume chapeau manteau robe chemise veste jean uniforme casque lunettes pantalon short jupe pull bonnet"
    " cravate maillot bottes chaussures gants écharpe gilet kimono combinaison casquette blouson",
    colours="rouge orange jaune vert verte turquoise bleu bleue violet violette rose marron noir noire blanc blanche"
    " gris"
    " grise beige doré dorée argenté brun brune rouges verts vertes noirs blancs blanches bleus bleues",
    scenery="plage forêt rue pièce nuit neige pré désert montagne montagnes port champ herbe mer océan eau ciel route"
    " ville parc cuisine salle chambre salon jardin lac rivière air pluie soleil obscurité jour soir matin village"
    " campagne colline coucher lever brouillard hiver été printemps automne sable rive côte trottoir autoroute prairie"
    " restaurant aéroport gare zoo jungle lumière ombre bureau magasin marché sol pente place stade bâtiment maison"
    " scène"
    " image photo couloir main tête dos bouche bois nature quai",
    containers="boîte panier bateau tasse bol vase sac cage voiture bus camion pot verre bouteille seau chariot valise"
    " évier baignoire nid tiroir réfrigérateur frigo four tente récipient poêle tonneau brouette aquarium canoë train"
    " lit"
    " caisse carton corbeille barque poussette",
    compounds="cerf volant|borne d'incendie|panneau stop|feu rouge",
    plural=r"[sxz]$",
    noun_first=True,
    before_noun="petit grand gros beau belle jeune vieux vieil vieille nouveau nouvelle joli jolie minuscule énorme"
    " immense"
    " bon bonne autre long longue",
    letters="çèêëàœîôûù",
    endings=r"(?:e|es|eau|eaux|eux|oir|ain|ois?|ien|ier|eur|on|ent|et|ets|ard)$",
)
"""French."""
