"""Runtime support for every stage: threads, memory, devices, progress, atomic files."""
