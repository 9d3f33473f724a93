"""One shot on many machines: a work directory, its segments, and the jobs that fill it."""
