"""The pages for whoever keeps a library: what it holds, its jobs, and the first run."""
