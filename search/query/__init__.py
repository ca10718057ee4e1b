"""From the words of a query to ranked, explained hits."""
