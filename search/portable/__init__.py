"""A whole library as Parquet files and a manifest: what is in them, and how it is proved before it is believed."""
