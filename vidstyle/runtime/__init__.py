"""What every stage runs on: threads, memory, devices, progress, whole files."""
