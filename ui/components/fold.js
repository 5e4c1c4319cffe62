// On a telephone the sidebar lies over the page: it closes when a page is chosen in it.

const NARROW = 768; // CSS pixels, up to which Streamlit lays it over the page

export default function () {
  const sidebar = document.querySelector("[data-testid=stSidebar]");
  sidebar.onclick = ({ target }) => {
    if (innerWidth > NARROW || !target.closest("[data-testid=stPageLink]")) return;
    const close = sidebar.querySelector("[data-testid=stSidebarCollapseButton] button");
    setTimeout(() => close.click()); // after the link has been followed
  };
}
