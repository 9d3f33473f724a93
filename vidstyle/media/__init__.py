"""Pictures and clips: files in and out, colour, and what a frame is."""
