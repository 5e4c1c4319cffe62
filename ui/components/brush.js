// A digit that the pointer or the keyboard covers with gray. The covered pixels are shown at once,
// and sent to Python while the user paints.

const SIDE = 28;
const REACH = 1.6; // pixels of the digit around the brush's middle
const PAUSE = 80; // ms between two messages while painting; the first is sent at once
const GRAY = "#8c8c8c";
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const LABEL = "The digit. Arrow keys move a brush, Space covers what is under it with gray.";

export default function ({ parentElement, data, setTriggerValue }) {
  const canvas = parentElement.querySelector("canvas");
  const pen = parentElement.querySelector(".pen");
  const own = (canvas.own ??= { covered: new Set(), painting: false, sent: 0, x: 14, y: 14 });
  canvas.setAttribute("aria-label", LABEL);

  const image = new Image();
  image.onload = () => {
    own.image = image;
    draw();
  };
  image.src = data.digit;
  if (!own.painting) own.covered = new Set(data.covered);
  draw();

  function draw() {
    const paper = canvas.getContext("2d");
    if (own.image) paper.drawImage(own.image, 0, 0);
    paper.fillStyle = GRAY;
    for (const pixel of own.covered) {
      paper.fillRect(pixel % SIDE, Math.floor(pixel / SIDE), 1, 1);
    }
  }

  function cover(x, y) {
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const far = Math.hypot(column + 0.5 - x, row + 0.5 - y);
        if (far <= REACH) own.covered.add(row * SIDE + column);
      }
    }
    draw();
    own.waiting ??= setTimeout(send, Math.max(0, own.sent + PAUSE - performance.now()));
  }

  function send() {
    clearTimeout(own.waiting);
    own.waiting = undefined;
    own.sent = performance.now();
    setTriggerValue("covered", { pixels: [...own.covered], lifted: !own.painting });
  }

  function place(event) {
    const box = canvas.getBoundingClientRect();
    own.x = ((event.clientX - box.left) / box.width) * SIDE;
    own.y = ((event.clientY - box.top) / box.height) * SIDE;
  }

  canvas.onpointerdown = (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    own.painting = true;
    place(event);
    cover(own.x, own.y);
  };
  canvas.onpointermove = (event) => {
    if (!own.painting) return;
    const [fromX, fromY] = [own.x, own.y];
    place(event);
    const steps = Math.max(1, Math.ceil(Math.hypot(own.x - fromX, own.y - fromY)));
    for (let step = 1; step <= steps; step++) {
      const share = step / steps;
      cover(fromX + share * (own.x - fromX), fromY + share * (own.y - fromY));
    }
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (!own.painting) return;
    own.painting = false;
    send();
  };

  const show = (shown) => {
    pen.hidden = !shown;
    pen.style.left = `${(100 * own.x) / SIDE}%`;
    pen.style.top = `${(100 * own.y) / SIDE}%`;
  };
  canvas.onkeydown = (event) => {
    if (MOVES[event.key]) {
      const [across, down] = MOVES[event.key];
      own.x = Math.min(Math.max(own.x + across, 0), SIDE);
      own.y = Math.min(Math.max(own.y + down, 0), SIDE);
    } else if (event.key === " ") {
      cover(own.x, own.y);
    } else return;
    event.preventDefault(); // else the page scrolls
    event.stopPropagation();
    show(true);
  };
  canvas.onfocus = () => show(canvas.matches(":focus-visible"));
  canvas.onblur = () => show(false);
}
