"""Files that come in and go out: imports with every change shown before, exports of exactly what is seen."""
