"""HTTP routes besides the pages: for other programs, and where rerunning a page is too slow."""
