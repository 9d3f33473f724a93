"""Pictures that are no film: product photos, scans, medical slices."""
