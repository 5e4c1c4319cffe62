"""Tables → Plotly figures. Fonts, backgrounds and grids are the theme's."""
