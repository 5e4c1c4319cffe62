"""Plotly figures. The theme sets fonts, backgrounds and grids."""
