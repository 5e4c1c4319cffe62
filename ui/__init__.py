"""The parts of the pages: all code that needs Streamlit."""
