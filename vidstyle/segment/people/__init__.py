"""Independent evidence for mattes of people, from networks that know nothing else."""
