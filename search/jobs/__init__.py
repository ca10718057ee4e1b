"""The queue of bulk jobs: rows, leases, and what workers died over."""
