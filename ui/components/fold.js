// On a phone the sidebar covers the page, so this closes it once a page is chosen.

const NARROW = 768; // CSS pixels, up to which Streamlit's sidebar covers the page

export default function () {
  const sidebar = document.querySelector("[data-testid=stSidebar]");
  sidebar.onclick = ({ target }) => {
    if (innerWidth > NARROW || !target.closest("[data-testid=stPageLink]")) return;
    const close = sidebar.querySelector("[data-testid=stSidebarCollapseButton] button");
    setTimeout(() => close.click()); // after the link has been followed
  };
}
