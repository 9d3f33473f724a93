"""``vidstyle batch``: the shots of a film, one after the other, each in its own way."""
