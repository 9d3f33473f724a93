"""How steady and how sharp a result is, by measures that others can repeat."""
