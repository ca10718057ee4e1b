"""What every request costs, and how many of each cost are answered and wait at a time."""
