"""HTTP routes beside the pages: for other programs, and for what a page's rerun is too slow for."""
