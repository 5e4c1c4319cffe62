// A layer's maps, drawn on one canvas. A click sends the map and the value under the pointer;
// Enter, the largest value of the map that the arrow keys have reached.

const GAP = 4; // CSS pixels between maps
const OFF = 0.35; // opacity of a map that is switched off
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = "Arrow keys go from one to the next, Enter shows its largest value.";
const views = new WeakMap(); // the sheet → its view

export default function ({ parentElement, data, setTriggerValue }) {
  const sheet = parentElement.querySelector(".maps");
  if (!views.has(sheet)) views.set(sheet, newView(sheet));
  const view = views.get(sheet);
  view.data = data;
  view.chosen = data.selected ? data.channels.indexOf(data.selected.channel) : -1;
  view.send = (value) => setTriggerValue("value", value);
  sheet.setAttribute("aria-label", `${data.name}, ${data.channels.length} maps. ${KEYS}`);
  if (view.picture.src !== data.sprite) view.picture.src = data.sprite;
  draw(view);
}

function newView(sheet) {
  const part = (name) => sheet.querySelector(name);
  const view = {
    canvas: part("canvas"),
    current: part(".current"), // around the map under the pointer, or reached by the arrow keys
    selected: part(".selected"),
    mark: part(".mark"),
    spoken: part("output"),
    picture: new Image(),
    at: -1, // the current map's place in the sheet
  };
  view.picture.onload = () => draw(view);
  const observer = new ResizeObserver(([{ contentRect }]) => {
    view.width = contentRect.width;
    draw(view);
  });
  observer.observe(sheet);
  view.canvas.onpointermove = (event) => point(view, find(view, event).at);
  view.canvas.onpointerleave = sheet.onblur = () => point(view, -1);
  view.canvas.onclick = (event) => {
    const { at, row, column } = find(view, event);
    if (at >= 0) view.send({ channel: view.data.channels[at], row, column });
  };
  sheet.onfocus = () => sheet.matches(":focus-visible") && reach(view, Math.max(0, view.chosen));
  sheet.onkeydown = (event) => press(view, event);
  return view;
}

/** Draws the maps, in as many columns as fit, and the frames. */
function draw(view) {
  const { canvas, picture, data } = view;
  if (!view.width) return; // Not laid out yet, or in a hidden tab: the observer draws it.
  const [height, width] = data.size;
  const [down, across] = data.cells;
  const count = data.channels.length;
  view.columns = Math.min(count, Math.max(1, Math.floor((view.width + GAP) / (width + GAP))));
  const right = view.columns * (width + GAP) - GAP;
  const bottom = Math.ceil(count / view.columns) * (height + GAP) - GAP;
  if (canvas.width !== right) canvas.width = right;
  if (canvas.height !== bottom) canvas.height = bottom;
  frame(view);
  if (!picture.complete) return; // It is drawn when it has loaded.
  const pen = canvas.getContext("2d");
  pen.clearRect(0, 0, right, bottom);
  pen.imageSmoothingEnabled = false;
  data.channels.forEach((channel, at) => {
    const { left, top } = box(view, at);
    pen.globalAlpha = data.off.includes(channel) ? OFF : 1;
    pen.drawImage(picture, 0, at * down, across, down, left, top, width, height);
  });
}

/** A map's place on the canvas, in CSS pixels. */
function box({ columns, data }, at) {
  const [height, width] = data.size;
  const [column, row] = [at % columns, Math.floor(at / columns)];
  return { left: column * (width + GAP), top: row * (height + GAP), width, height };
}

/** The place of the map under the pointer, or -1, and the value's row and column. */
function find(view, { clientX, clientY }) {
  const { canvas, columns, data } = view;
  const { left, top } = canvas.getBoundingClientRect();
  const [x, y] = [Math.max(0, clientX - left), Math.max(0, clientY - top)];
  const [height, width] = data.size;
  const column = Math.min(columns - 1, Math.floor(x / (width + GAP)));
  const at = Math.floor(y / (height + GAP)) * columns + column;
  if (!(at in data.channels)) return { at: -1 };
  const map = box(view, at);
  const cell = (offset, side, count) => Math.min(count - 1, Math.floor((offset / side) * count));
  const [down, across] = data.cells;
  return { at, row: cell(y - map.top, height, down), column: cell(x - map.left, width, across) };
}

function press(view, event) {
  const { data, columns } = view;
  const at = view.at < 0 ? Math.max(0, view.chosen) : view.at;
  if (MOVES[event.key]) {
    const [across, down] = MOVES[event.key];
    const next = at + across + down * columns;
    reach(view, next in data.channels ? next : at);
  } else if (event.key === "Enter" || event.key === " ") {
    const [row, column] = data.peaks[at];
    view.send({ channel: data.channels[at], row, column });
  } else return;
  event.preventDefault(); // else the page scrolls
}

/** Goes to a map by keyboard. */
function reach(view, at) {
  point(view, at);
  view.spoken.textContent = view.canvas.title;
  view.current.scrollIntoView({ block: "nearest" });
}

/** Makes a map the current one, which has a frame and a name; -1 for none. */
function point(view, at) {
  if (view.at === at) return;
  view.at = at;
  frame(view);
}

function frame(view) {
  const { at, chosen, data } = view;
  put(view.current, at >= 0 && box(view, at));
  const selected = chosen >= 0 && box(view, chosen);
  put(view.selected, selected);
  put(view.mark, selected && cell(selected, data));
  const channel = data.channels[at];
  const states = [data.off.includes(channel) && "off", at === chosen && "selected"];
  const name = [data.name, `map ${channel + 1}`, ...states].filter(Boolean).join(", ");
  view.canvas.title = at < 0 ? "" : name;
}

/** The place of the selected value in its map's box. */
function cell({ left, top, width, height }, { cells: [down, across], selected }) {
  const size = { width: width / across, height: height / down };
  const [x, y] = [selected.column * size.width, selected.row * size.height];
  return { left: left + x, top: top + y, ...size };
}

function put(part, place) {
  part.hidden = !place;
  for (const [side, pixels] of Object.entries(place || {})) part.style[side] = `${pixels}px`;
}
