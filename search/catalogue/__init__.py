"""What belongs to what, in memory: pictures, texts, names, their vectors and their words; derived from the rows."""
