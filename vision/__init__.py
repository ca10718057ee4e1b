"""Everything that looks at pixels: safe decoding, preprocessing, encoders, grounding."""
