"""Bulk jobs: what each kind is given and does, and how one is run, in a command or by a worker."""
