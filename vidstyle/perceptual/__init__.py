"""What a frozen network sees in a picture: its features, and their statistics as style."""
