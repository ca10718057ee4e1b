"""Keep a library up to date with its folders while they change."""
