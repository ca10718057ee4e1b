"""What bulk jobs are made of: each file one stage, without knowledge of the others."""
