"""Still pictures: product photos, scans, medical slices."""
