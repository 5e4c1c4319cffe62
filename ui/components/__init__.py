"""Components that several pages show: charts, galleries, tiles, the drawing canvas."""
