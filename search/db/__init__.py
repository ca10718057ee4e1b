"""The relational truth: schema, sessions and the queries over it."""
