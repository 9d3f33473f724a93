"""What users inspect before a render: numbered objects, mattes over the plate."""
