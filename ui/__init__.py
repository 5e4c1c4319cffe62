"""What the pages are made of: everything that needs Streamlit."""
