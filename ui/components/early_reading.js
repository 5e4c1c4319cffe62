// Reads the digit while it is drawn. Each time the pen has moved, this asks the door to read the
// drawing so far, one request at a time. The door's answer covers the page's own until that
// arrives.

const PAUSE = 100; // milliseconds between two requests
const REST = 2000; // milliseconds without requests after the door has not answered; doubles each time
const LONGEST = 60_000; // milliseconds; the longest such rest
const DOT = 8; // CSS pixels; a smaller drawing is not a digit yet

const views = new WeakMap(); // the heading → its view

export default function ({ parentElement, data }) {
  const box = parentElement.querySelector(".digitlab-early");
  if (!views.has(box)) views.set(box, newView(box));
  update(views.get(box), data);
  return () => {
    // Streamlit also cleans up after a call that a newer one overtook; then the box is still there.
    if (!box.isConnected) dispose(views.get(box));
  };
}

function newView(box) {
  // `strokes` are those that Python does not know yet; the last may still be in progress.
  const view = { box, strokes: [], pen: null, asking: false, failures: 0, restsUntil: 0 };
  const { signal } = (view.listening = new AbortController());
  document.addEventListener("pointerdown", (event) => begin(view, event), { capture: true, signal });
  document.addEventListener("pointermove", (event) => move(view, event), { capture: true, signal });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, (event) => lift(view, event), { capture: true, signal });
  }
  document.addEventListener("digitlab-taken-back", (event) => takeBack(view, event.detail), { signal });
  return view;
}

/** After Undo or Clear, before Python knows of it. */
function takeBack(view, name) {
  const known = view.data.strokes;
  const isOurs = name === "clear" ? !known.length : view.strokes.length > 0;
  view.strokes = name === "clear" ? [] : view.strokes.slice(0, -1);
  if (!isOurs) view.data = { ...view.data, strokes: name === "clear" ? [] : known.slice(0, -1) };
  else if (!view.strokes.length) uncover(view); // The page has read the remaining strokes.
}

function dispose(view) {
  view?.listening.abort();
  views.delete(view?.box);
}

/** Takes the page's own answer, which is for the strokes that Python has. */
function update(view, data) {
  const before = view.data;
  view.data = data;
  if (before && JSON.stringify(before.strokes) !== JSON.stringify(data.strokes)) {
    const more = data.strokes.length - before.strokes.length;
    const finished = view.strokes.length - (view.pen === null ? 0 : 1);
    view.strokes.splice(0, more > 0 ? Math.min(more, finished) : finished); // all after Undo or Clear
  }
  if (!view.strokes.length) uncover(view);
}

function begin(view, event) {
  const canvas = event.composedPath().find(({ tagName }) => tagName === "CANVAS");
  const isOurs = canvas && event.composedPath().some((node) => node.matches?.(".st-key-canvas"));
  if (!isOurs || event.button !== 0 || view.pen !== null) return;
  Object.assign(view, { pen: event.pointerId, canvas });
  view.strokes.push([]);
  move(view, event);
}

function move(view, { pointerId, clientX, clientY }) {
  if (pointerId !== view.pen) return;
  const { left, top, width } = view.canvas.getBoundingClientRect();
  const scale = view.data.side / width;
  view.strokes.at(-1).push([(clientX - left) * scale, (clientY - top) * scale]);
  ask(view);
}

function lift(view, event) {
  if (event.pointerId !== view.pen) return;
  view.pen = null;
  ask(view);
}

async function ask(view) {
  if (view.asking || performance.now() < view.restsUntil) return void (view.again = view.asking);
  const strokes = [...view.data.strokes, ...view.strokes];
  if (!strokes.some(spans)) return;
  view.asking = true;
  view.again = false;
  const answer = await read(view, JSON.stringify({ strokes }));
  if (answer && view.strokes.length) cover(view, answer);
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  view.asking = false;
  if (view.again && view.strokes.length) ask(view);
}

async function read(view, body) {
  try {
    const url = new URL(`api/read?run=${view.data.run}&hand=${view.data.hand}`, document.baseURI);
    const headers = { "Content-Type": "application/json" };
    const signal = AbortSignal.timeout(5_000);
    const response = await fetch(url, { method: "POST", headers, body, signal });
    if (!response.ok) throw new Error(response.statusText);
    const answer = await response.json();
    view.failures = 0;
    return answer;
  } catch {
    view.restsUntil = performance.now() + Math.min(REST * 2 ** view.failures, LONGEST);
    view.failures += 1;
    return null;
  }
}

/** Whether a stroke is more than a dot, which is not read. */
function spans(stroke) {
  const across = (axis) => {
    const values = stroke.map((point) => point[axis]);
    return values.reduce((a, b) => Math.max(a, b)) - values.reduce((a, b) => Math.min(a, b));
  };
  return stroke.length > 1 && Math.max(across(0), across(1)) > DOT;
}

/** Shows the door's answer in place of the page's. */
function cover(view, { says, doubts, digits }) {
  const { box, data } = view;
  box.querySelector("h3").textContent = says;
  box.querySelector("p").textContent = doubts;
  box.hidden = false;
  const digit = digits[digits.length === data.digits ? data.selected : 0];
  const image = document.querySelector(`.st-key-${data.tile} img`);
  if (image) {
    if (view.tile?.image !== image) view.tile = { image, src: image.src };
    image.src = digit.image;
  }
  tellBars(view, digit.probabilities);
}

/** Shows the page's answer again. */
function uncover(view) {
  view.box.hidden = true;
  if (view.tile) view.tile.image.src = view.tile.src;
  view.tile = null;
  tellBars(view, null);
}

function tellBars({ data }, shares) {
  const bars = document.querySelector(`.st-key-${data.bars} .digitlab-chart .drawing`);
  bars?.dispatchEvent(new CustomEvent("digitlab-shares", { detail: shares }));
}
