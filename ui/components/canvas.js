// A canvas for a digit: strokes by mouse, pen, finger or keyboard. Undo and Clear act here, so that what
// is drawn right after them is kept. Python gets all strokes when one has ended; who reads while the pen
// moves listens for "digitlab-drawing".

const SIDE = 280; // CSS pixels; strokes are in them
const SHARPNESS = 2; // the canvas's own pixels for each of them
const STEP = 7; // CSS pixels that an arrow key moves the pen
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default function ({ parentElement, data, setStateValue }) {
  const box = parentElement.querySelector(".box");
  const drawing = (box.drawing ??= newDrawing(box, data.strokes));
  drawing.width = data.pen;
  drawing.send = () => setStateValue("strokes", drawing.strokes);
  paint(drawing);
}

/** Begins with the strokes that Python has kept; from then on they are kept here. */
function newDrawing(box, strokes) {
  const canvas = box.querySelector("canvas");
  const drawing = { box, canvas, strokes: structuredClone(strokes), pointer: null };
  canvas.width = canvas.height = SIDE * SHARPNESS;
  box.querySelector(".undo").onclick = () => replace(drawing, drawing.strokes.slice(0, -1));
  box.querySelector(".clear").onclick = () => replace(drawing, []);
  takePointer(drawing);
  takeKeys(drawing);
  return drawing;
}

function takePointer(drawing) {
  const { canvas } = drawing;
  const place = ({ clientX, clientY }) => {
    const { left, top, width } = canvas.getBoundingClientRect();
    return [((clientX - left) * SIDE) / width, ((clientY - top) * SIDE) / width];
  };
  canvas.onpointerdown = (event) => {
    if (event.button !== 0 || drawing.pointer !== null) return;
    canvas.setPointerCapture(event.pointerId);
    drawing.pointer = event.pointerId;
    add(drawing, place(event), true);
  };
  canvas.onpointermove = (event) => {
    if (event.pointerId === drawing.pointer) add(drawing, place(event));
  };
  canvas.onpointerup = canvas.onpointercancel = (event) => {
    if (event.pointerId !== drawing.pointer) return;
    drawing.pointer = null;
    drawing.send();
  };
}

function takeKeys(drawing) {
  const { box, canvas } = drawing;
  const mark = box.querySelector(".pen");
  const pen = { x: SIDE / 2, y: SIDE / 2, down: false };
  const show = (shown) => {
    mark.hidden = !shown;
    mark.style.left = `${pen.x}px`;
    mark.style.top = `${pen.y}px`;
    mark.classList.toggle("down", pen.down);
  };
  const lift = () => {
    if (pen.down) drawing.send();
    pen.down = false;
  };
  canvas.onkeydown = (event) => {
    if (MOVES[event.key]) {
      const [across, down] = MOVES[event.key];
      pen.x = Math.min(Math.max(pen.x + STEP * across, 0), SIDE);
      pen.y = Math.min(Math.max(pen.y + STEP * down, 0), SIDE);
      if (pen.down) add(drawing, [pen.x, pen.y]);
    } else if (event.key === " " && pen.down) {
      lift();
    } else if (event.key === " ") {
      pen.down = true;
      add(drawing, [pen.x, pen.y], true);
    } else return;
    event.preventDefault(); // else the page scrolls
    event.stopPropagation();
    show(true);
  };
  canvas.onfocus = () => show(canvas.matches(":focus-visible"));
  canvas.onblur = () => {
    lift();
    show(false);
  };
}

/** Adds a point to the last stroke, or begins a new one with it. */
function add(drawing, [x, y], begins = false) {
  const point = [Math.round(10 * x) / 10, Math.round(10 * y) / 10];
  if (begins || !drawing.strokes.length) drawing.strokes.push([point]);
  else drawing.strokes.at(-1).push(point);
  show(drawing);
}

function replace(drawing, strokes) {
  drawing.strokes = strokes;
  drawing.send();
  show(drawing);
}

function show(drawing) {
  paint(drawing);
  document.dispatchEvent(new CustomEvent("digitlab-drawing", { detail: drawing.strokes }));
}

function paint({ box, canvas, strokes, width }) {
  const paper = canvas.getContext("2d");
  paper.setTransform(SHARPNESS, 0, 0, SHARPNESS, 0, 0);
  paper.fillRect(0, 0, SIDE, SIDE);
  Object.assign(paper, { strokeStyle: "#fff", lineWidth: width, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    paper.beginPath();
    paper.moveTo(...stroke[0]);
    for (let number = 1; number < stroke.length - 1; number++) {
      const [[x, y], [nextX, nextY]] = stroke.slice(number, number + 2);
      paper.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    paper.lineTo(...stroke.at(-1));
    paper.stroke();
  }
  for (const button of box.querySelectorAll("button")) button.disabled = !strokes.length;
}
