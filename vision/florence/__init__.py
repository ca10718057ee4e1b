"""Florence-2 as a grounded captioner: a small encoder-decoder, the fast choice for a CPU."""
