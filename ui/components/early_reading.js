// Reads the digit while it is drawn. Each time the drawing has changed, the door is asked what it is,
// one question at a time; its answer covers the page's own until that has come.

const PAUSE = 100; // milliseconds between two questions
const REST = 2000; // milliseconds without questions where the door does not answer; doubles
const LONGEST = 60_000; // of these rests
const DOT = 8; // CSS pixels; what spans less is no digit yet

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
  // `strokes` are those on the canvas, or null once the page's own answer is to them.
  const view = { box, strokes: null, asking: false, failures: 0, restsUntil: 0 };
  const { signal } = (view.listening = new AbortController());
  const follow = ({ detail }) => {
    view.strokes = detail;
    ask(view);
  };
  document.addEventListener("digitlab-drawing", follow, { signal });
  return view;
}

function dispose(view) {
  view?.listening.abort();
  views.delete(view?.box);
}

/** Takes the page's own answer, which counts if it is to what is on the canvas. */
function update(view, data) {
  view.data = data;
  if (!view.strokes || JSON.stringify(view.strokes) !== JSON.stringify(data.strokes)) return;
  view.strokes = null;
  uncover(view);
}

async function ask(view) {
  if (view.asking || performance.now() < view.restsUntil) return void (view.again = view.asking);
  if (!view.strokes.some(spans)) return;
  view.asking = true;
  view.again = false;
  const answer = await read(view, JSON.stringify({ strokes: view.strokes }));
  if (answer && view.strokes?.length) cover(view, answer);
  await new Promise((resolve) => setTimeout(resolve, PAUSE));
  view.asking = false;
  if (view.again && view.strokes) ask(view);
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
