"""`make demo`: examples/complete on a local cloud, from nothing to nothing, in plain sight."""
