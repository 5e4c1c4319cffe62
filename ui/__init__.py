"""What several pages share and needs Streamlit."""
