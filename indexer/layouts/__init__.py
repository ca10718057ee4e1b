"""Public evaluation sets as they lie on a disk, read: what is not what its layout says is left out and named."""
