"""What several pages share and needs Streamlit."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

# Until `st.navigation` has run once in a server, Streamlit takes a folder called `pages` for its
# older kind of app, and a page opened by its address comes alone, without navigation. Every page
# imports this package first, so the page is sent the proper way from here.
if PagesManager.uses_pages_directory:
    PagesManager.uses_pages_directory = False
    st.rerun()
