"""All of Digit Lab's computation: no Streamlit here, so a notebook can do what the pages do."""
