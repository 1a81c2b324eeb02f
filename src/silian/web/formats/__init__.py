"""How numbers and days are written where a language's own way in Django is not that of this site."""
