"""`make demo`: applies and destroys examples/complete on a local cloud, and shows every step."""
