"""The small words of English."""

from __future__ import annotations

from search.query.sentences.table import Table

ENGLISH = Table(
    code="en",
    forms={
        "the": "the a an",
        "pic": "picture image photo photograph drawing painting illustration sketch view shot snapshot close-up"
        " closeup",
        "pics": "pictures images photos photographs drawings paintings illustrations shots",
    },
    articles="a an the some any this that these those his her its their my our your several many few both another",
    numbers={
        "one": 1,
        "two": 2,
        "three": 3,
        "four": 4,
        "five": 5,
        "six": 6,
        "seven": 7,
        "eight": 8,
        "nine": 9,
        "ten": 10,
        "a pair of": 2,
        "a couple of": 2,
        "pair of": 2,
        "couple of": 2,
        "the two": 2,
        "the three": 3,
        "both": 2,
    },
    relations={
        "left of": "left of|to the left of|on the left of|at the left of|left from|to the left from|on the left side of"
        "|to the left side of",
        "right of": "right of|to the right of|on the right of|at the right of|right from|to the right from"
        "|on the right side of|to the right side of",
        "above": "above|over|high above|right above|directly above",
        "below": "below|underneath|directly below",
        "under": "under|beneath|right under|directly under",
        "next to": "next to|beside|alongside|right next to|adjacent to|at the side of",
        "near": "near|close to|by|nearby|near to",
        "in front of": "in front of|right in front of|directly in front of",
        "behind": "behind|in back of|right behind",
        "inside": "inside|inside of|within|sitting inside of",
        "on": "on top of|atop|upon|on the top of",
        "with": "with|together with|along with|accompanied by",
    },
    inside="in|into",
    on="on|onto",
    places={
        "left": "on {the} left|to {the} left|at {the} left|on the left side|on the left-hand side|on the left hand side"
        "|at the left side|in the left|in the left half",
        "right": "on {the} right|to {the} right|at {the} right|on the right side|on the right-hand side"
        "|on the right hand side|at the right side|in the right|in the right half",
        "top": "at {the} top|in the upper half|in the top half|at the top of the {pic}|on the top",
        "bottom": "at {the} bottom|in the lower half|in the bottom half|at the bottom of the {pic}|on the bottom",
        "middle": "in {the} middle|in {the} center|in {the} centre|in the middle of the {pic}"
        "|in the center of the {pic}"
        "|in the centre of the {pic}|at the center|at the centre",
        "foreground": "in {the} foreground|in foreground|in the front|at the front",
        "background": "in {the} background|in background|in the back|in the distance|in the far background",
    },
    extents={
        "small": "small tiny little miniature minuscule",
        "large": "large big huge giant enormous gigantic massive",
    },
    both="and|&|plus|as well as|and also|while|but|and then",
    either="or|nor",
    negations="without|without any|no|not|with no|but no|but not|and no|and not|but without|and without"
    "|with not|excluding|minus|free of|lacking|not any",
    leads="{the} {pic} of|{the} {pic} with|{the} {pic} showing|{pic} of|{pic} with|{pics} of|{pics} with|some {pics} of"
    "|this {pic} shows|the {pic} shows|there is|there are|there's|here is|here are|this is|these are|it is|i see"
    "|show me|find me|find|search for|look for|looking for|show|{the} {pic} that shows|{the} {pic} where there is"
    "|{the} {pic} in which there is",
    of="of",
    verbs="do|does|did"
    "|is|are|was|were|be|being|that is|that are|which is|which are|who is|who are|that|which|who|can be seen"
    "|stands"
    "|sits|lies|stand|sit|lie|rests|hangs|walks|runs|has|have|holds|hold|wears|shows|parked|seated|surrounded|covered"
    "|filled|placed|located|situated|dressed|decorated|mounted|attached|tied|perched|stopped|seen|stood|sat|up|down|out"
    "|off|away|there|together|all|also|next|very|as|side by side|next to each other|next to one another"
    "|beside each other"
    "|close together|close up|rides|ride|eats|eat|flies|fly|plays|play|jumps|looks|waits|made|near by|near each other",
    prepositions="at|from|to|through|along|around|across|between|among|against|toward|towards|past|for|during|after"
    "|before|about|like|than|in the middle of|in the center of|in the centre of|on the side of|at the edge of"
    "|on the edge of"
    "|in the corner of|on the back of|in the back of|at the end of|on the corner of|in between|outside|outside of"
    "|off of"
    "|at the bottom of|at the top of|beyond|of|opposite|next",
    pronouns="it|eachother|them|him|he|she|they|i|we|you|each other|one another|itself|themselves|something|someone"
    "|there|her own"
    "|what|where|when|to|if|then|because|so",
    clothing="suit hat coat dress shirt jacket jeans uniform helmet glasses sunglasses trousers pants shorts skirt"
    " sweater"
    " cap t-shirt tie costume bikini swimsuit wetsuit boots shoes gloves scarf hoodie vest kimono pajamas clothes robe",
    colours="red orange yellow green turquoise blue purple pink brown black white grey gray golden silver beige violet",
    scenery="side edge beach forest street room night snow meadow desert mountains mountain harbour harbor field"
    " grass sea ocean"
    " water sky road city park woods wood kitchen bathroom bedroom garden yard lake river air rain sun sunlight dark"
    " daylight day evening morning town village countryside hill hills sunset sunrise fog winter summer spring autumn"
    " sand shore coast sidewalk pavement highway pasture living-room living restaurant airport station zoo jungle area"
    " darkness light shade shadow wild distance office store shop market crowd line row way front game match trip"
    " intersection ground floor slope ocean plaza square stadium court track tracks building house scene picture image"
    " photo conference hallway home classroom motion flight hand hands lap head back face mouth foot feet fire display",
    containers="box basket boat cup bowl vase bag cage car bus truck pot glass bottle jar bucket crib cart suitcase"
    " sink"
    " bathtub tub nest drawer fridge refrigerator oven tent container pan crate barrel wheelbarrow backpack purse"
    " aquarium"
    " canoe kayak van train trolley bed hot-air",
    compounds="hot-air balloon|hot air balloon|fire hydrant|traffic light|stop sign|teddy bear|cell phone|parking meter"
    "|fire truck|street light|street sign|soccer ball|tennis racket|baseball bat|polar bear|dining table|wine glass"
    "|potted plant|tennis court|laptop computer|palm tree|christmas tree|police car|sail boat|butter knife",
    plural=r"(?:s|men|women|children|people|sheep|mice|geese|feet|teeth|fish|deer|cacti|cattle|oxen|dice|elk|police)$",
)
"""English. Verbs in -ing are told by their ending."""
