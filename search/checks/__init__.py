"""What `verify` looks at, one file per kind of thing that can disagree."""
