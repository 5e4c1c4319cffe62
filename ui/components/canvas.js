// Adds to the drawing canvas a label, the keyboard, and buttons outside it. The canvas's own
// toolbar is hidden because it covers what is above; hidden, it still covers the canvas's upper
// right corner and catches strokes there. Our Undo and Clear click the toolbar's buttons, so that a
// stroke drawn right after them, before Python knows, is kept.

const STEP = 7; // CSS pixels that an arrow key moves the pen
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LABEL = "Canvas. Arrow keys move the pen, Space sets it down and lifts it.";

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  .dc-toolbar { display: none !important }
  .upper-canvas:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: -3px }
  .pen {
    position: absolute; width: 10px; height: 10px; margin: -6px; pointer-events: none;
    border: 1px solid #fff; border-radius: 50%; outline: 1px solid #000; z-index: 11;
  }
  .pen[hidden] { display: none }
  .pen.down { background: #e07b28 }
`);
const taught = new WeakSet(); // canvases that the keyboard can draw on

export default function ({ parentElement, data, setTriggerValue }) {
  const place = parentElement.closest(".st-key-canvas");
  const shadows = () =>
    [...place.querySelectorAll("[data-testid=stBidiComponentIsolated]")].map((one) => one.shadowRoot);
  const prepare = () => {
    if (!place.isConnected) return;
    for (const shadowRoot of shadows()) {
      const canvas = shadowRoot?.querySelector(".upper-canvas");
      if (!canvas) requestAnimationFrame(prepare);
      if (shadowRoot && !shadowRoot.adoptedStyleSheets.includes(sheet)) {
        shadowRoot.adoptedStyleSheets.push(sheet);
      }
      if (canvas && !taught.has(canvas)) teach(canvas);
    }
  };
  const observer = new MutationObserver(prepare); // Python can replace the canvas.
  observer.observe(place, { childList: true, subtree: true });
  prepare();

  const tool = (title) =>
    shadows().at(-1)?.querySelector(`.dc-icon-button[title^="${title}"]`) ?? { disabled: true };
  // The strokes that the canvas began with are not in its history: Python undoes them.
  const act = (name, title, isOurs) => {
    document.dispatchEvent(new CustomEvent("digitlab-taken-back", { detail: name }));
    if (isOurs(tool(title))) tool(title).click();
    else setTriggerValue(name, true);
  };
  parentElement.querySelector(".undo").onclick = () =>
    act("undo", "Undo", ({ disabled }) => !disabled);
  parentElement.querySelector(".clear").onclick = () =>
    act("clear", "Reset", ({ disabled }) => !disabled && data.beganEmpty);

  // The canvas itself would report a stroke 0.2 s after its end.
  const tell = ({ target }) => {
    if (target.closest?.(".st-key-canvas")) setTimeout(() => tool("Update the app").click?.());
  };
  const ends = ["mouseup", "touchend"];
  for (const end of ends) document.addEventListener(end, tell);
  return () => {
    observer.disconnect();
    for (const end of ends) document.removeEventListener(end, tell);
  };
}

/** Lets the keyboard draw, with the events that a mouse would send. */
function teach(canvas) {
  taught.add(canvas);
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "application");
  canvas.setAttribute("aria-label", LABEL);
  const mark = canvas.parentElement.appendChild(document.createElement("span"));
  mark.className = "pen";
  const pen = { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2, down: false };
  const send = (type) => {
    const { left, top } = canvas.getBoundingClientRect();
    const where = { clientX: left + pen.x, clientY: top + pen.y, buttons: pen.down ? 1 : 0 };
    canvas.dispatchEvent(new MouseEvent(type, { ...where, bubbles: true, composed: true }));
  };
  const show = (shown) => {
    mark.hidden = !shown;
    mark.style.left = `${pen.x}px`;
    mark.style.top = `${pen.y}px`;
    mark.classList.toggle("down", pen.down);
  };
  const lift = () => {
    if (!pen.down) return;
    pen.down = false;
    send("mouseup");
  };
  show(false);
  canvas.addEventListener("keydown", (event) => {
    if (MOVES[event.key]) {
      const [across, down] = MOVES[event.key];
      pen.x = Math.min(Math.max(pen.x + STEP * across, 0), canvas.clientWidth);
      pen.y = Math.min(Math.max(pen.y + STEP * down, 0), canvas.clientHeight);
      if (pen.down) send("mousemove");
    } else if (event.key === " " && pen.down) {
      lift();
    } else if (event.key === " ") {
      pen.down = true;
      send("mousedown");
    } else return;
    event.preventDefault(); // else the page scrolls
    event.stopPropagation();
    show(true);
  });
  canvas.addEventListener("focus", () => show(canvas.matches(":focus-visible")));
  canvas.addEventListener("blur", () => {
    lift();
    show(false);
  });
}
