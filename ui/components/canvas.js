// Hides the canvas's own toolbar: unseen, it lies over the canvas's upper right corner and takes the
// strokes that begin there; seen, it lies over what stands above. Undo and Clear are below it.

const sheet = new CSSStyleSheet();
sheet.replaceSync(".dc-toolbar { display: none !important }");

export default function ({ parentElement }) {
  const place = parentElement.closest(".st-key-canvas");
  const hide = () => {
    for (const { shadowRoot } of place.querySelectorAll("[data-testid=stBidiComponentIsolated]")) {
      if (!shadowRoot) requestAnimationFrame(hide);
      else if (!shadowRoot.adoptedStyleSheets.includes(sheet)) {
        shadowRoot.adoptedStyleSheets.push(sheet);
      }
    }
  };
  const observer = new MutationObserver(hide); // Clear puts a new canvas there.
  observer.observe(place, { childList: true, subtree: true });
  hide();
  return () => observer.disconnect();
}
