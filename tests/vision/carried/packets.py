"""XMP packets and IPTC blocks, written by hand as programs write them."""

from __future__ import annotations

import io
import struct

from PIL import Image

_SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
    "acdsee-rs": "http://ns.acdsee.com/regions/",
    "acdsee-stArea": "http://ns.acdsee.com/sType/Area#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}

TITLE = """<dc:title><rdf:Alt>
 <rdf:li xml:lang="de">Hund</rdf:li><rdf:li xml:lang="x-default">Walter</rdf:li></rdf:Alt></dc:title>"""
KEYWORDS = "<dc:subject><rdf:Bag><rdf:li>quokka</rdf:li><rdf:li> Rottnest  Island </rdf:li></rdf:Bag></dc:subject>"
MWG = """<mwg-rs:Regions rdf:parseType="Resource">
 <mwg-rs:AppliedToDimensions stDim:w="{w}" stDim:h="{h}" stDim:unit="pixel"/>
 <mwg-rs:RegionList><rdf:Bag>
  <rdf:li><rdf:Description mwg-rs:Name="Ana Silva" mwg-rs:Type="Face">
   <mwg-rs:Area stArea:x="0.25" stArea:y="0.5" stArea:w="0.1" stArea:h="0.2"
    stArea:unit="normalized"/></rdf:Description></rdf:li>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Name>Bello</mwg-rs:Name><mwg-rs:Type>Pet</mwg-rs:Type>
   <mwg-rs:Area rdf:parseType="Resource"><stArea:x>0.9</stArea:x><stArea:y>0.9</stArea:y>
    <stArea:w>0.4</stArea:w><stArea:h>0.2</stArea:h>
   </mwg-rs:Area></rdf:li>
  <rdf:li rdf:parseType="Resource"><mwg-rs:Type>Focus</mwg-rs:Type></rdf:li>
 </rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"""
MICROSOFT = """<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
 <rdf:li MPReg:Rectangle="0.1, 0.2, 0.3, 0.4" MPReg:PersonDisplayName="Bo"/>
 <rdf:li MPReg:PersonDisplayName="Cy"/><rdf:li MPReg:Rectangle="nan, 1, 2" MPReg:PersonDisplayName=""/>
</rdf:Bag></MPRI:Regions></MP:RegionInfo>"""
ACDSEE = """<acdsee-rs:Regions rdf:parseType="Resource"><acdsee-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource">
 <acdsee-rs:DLYArea acdsee-stArea:x="0.5" acdsee-stArea:y="0.5" acdsee-stArea:w="0.2" acdsee-stArea:h="0.2"/>
 <acdsee-rs:Name>Dee</acdsee-rs:Name><acdsee-rs:Type>Face</acdsee-rs:Type></rdf:li>
 </rdf:Bag></acdsee-rs:RegionList></acdsee-rs:Regions>"""


def xmp(*properties: str, attributes: str = "", head: str = "") -> bytes:
    """A packet with these properties."""
    spaces = " ".join(f'xmlns:{name}="{space}"' for name, space in _SPACES.items())
    return (
        f'{head}<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        f'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" {spaces} {attributes}>'
        f"{''.join(properties)}</rdf:Description></rdf:RDF></x:xmpmeta>   <?xpacket end='w'?>"
    ).encode()


def data_sets(*sets: tuple[int, int, bytes]) -> bytes:
    """IPTC data sets, one after the other."""
    return b"".join(struct.pack(">BBBH", 0x1C, one, two, len(value)) + value for one, two, value in sets)


def with_iptc(picture: Image.Image, block: bytes) -> bytes:
    """A JPEG whose Photoshop segment holds this block."""
    file = io.BytesIO()
    picture.save(file, "JPEG")
    content = (
        b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(block)) + block + b"\0" * (len(block) % 2)
    )
    data = file.getvalue()
    return data[:2] + b"\xff\xed" + struct.pack(">H", len(content) + 2) + content + data[2:]
