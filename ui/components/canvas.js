// Hides the component's own toolbar: hidden, it still covers the canvas's upper right corner and
// catches strokes there; shown, it covers what is above. The page has Undo and Clear instead.

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
  const observer = new MutationObserver(hide); // Clear replaces the canvas.
  observer.observe(place, { childList: true, subtree: true });
  hide();
  return () => observer.disconnect();
}
