"""The grounded captioner: pictures in; words, and where in the picture each of them is, out."""
