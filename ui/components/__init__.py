"""Components that pages share: charts, galleries, tiles, the drawing canvas."""
