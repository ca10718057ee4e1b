"""Words as they are compared: folded, stemmed per language, without stop words."""
