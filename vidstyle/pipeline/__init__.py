"""A whole render: analyse, then restyle frame by frame, and report."""
