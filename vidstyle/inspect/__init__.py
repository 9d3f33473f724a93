"""What people look at before a render: objects with numbers, mattes over the plate."""
