"""Where candidates come from, one file per source."""
