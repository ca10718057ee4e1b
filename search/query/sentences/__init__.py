"""Natural sentences of six languages: what they say of things, numbers, relations and absence."""
