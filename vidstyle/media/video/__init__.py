"""Video in and out: clips and image sequences, their colour, time, sound and cuts."""
