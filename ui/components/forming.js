// All moments of a training are sent at once; the slider, the steps and Play draw them without
// Python.

const PACE = 350; // ms that a moment is shown while playing
const SHARP = 2; // canvas pixels per CSS pixel
const SIDE = 340; // CSS pixels of the two drawings
const GAP = 1; // pixels between two pictures

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".forming");
  const part = (name) => root.querySelector(name);
  const [slider, play, caption] = [part("input"), part(".play"), part(".caption")];
  const last = data.captions.length - 1;
  const own = (root.own ??= { at: last, last });
  if (own.at === own.last || own.at > last) own.at = last; // a live run goes on
  own.last = last;
  slider.max = last;

  const pictures = {};
  for (const name of ["kernels", "maps"]) {
    part(`.${name}`).hidden = !data[name];
    if (!data[name]) continue;
    pictures[name] = new Image();
    pictures[name].onload = draw;
    pictures[name].src = data[name].sprite;
  }
  part(".maps img").src = data.digit;
  const [height, width] = data.kernels.cell;
  part(".kernels figcaption").textContent =
    `The first ${data.kernels.count} kernels of the first layer, ${height} × ${width}`;
  part(".kernels canvas").setAttribute("aria-label", "The kernels of the first layer");

  function draw() {
    slider.value = own.at;
    slider.setAttribute("aria-valuetext", data.captions[own.at]);
    caption.textContent = data.captions[own.at];
    for (const name of Object.keys(pictures)) drawPictures(part(`.${name} canvas`), name);
    drawConfusion(part(".confusion canvas"));
    drawPoints(part(".points canvas"));
  }

  function drawPictures(canvas, name) {
    const { count, cell } = data[name];
    const columns = Math.min(count, cell[0] > 20 ? 4 : 8);
    canvas.width = columns * (cell[1] + GAP) - GAP;
    canvas.height = Math.ceil(count / columns) * (cell[0] + GAP) - GAP;
    const paper = canvas.getContext("2d");
    for (let i = 0; i < count; i++) {
      const x = (i % columns) * (cell[1] + GAP);
      const y = Math.floor(i / columns) * (cell[0] + GAP);
      const from = [i * cell[1], own.at * cell[0], cell[1], cell[0]];
      paper.drawImage(pictures[name], ...from, x, y, cell[1], cell[0]);
    }
  }

  function sheet(canvas) {
    canvas.width = canvas.height = SIDE * SHARP;
    const paper = canvas.getContext("2d");
    paper.scale(SHARP, SHARP);
    paper.textAlign = "center";
    paper.textBaseline = "middle";
    return paper;
  }

  function drawConfusion(canvas) {
    const style = getComputedStyle(root);
    const [ink, accent] = ["--st-text-color", "--st-primary-color"].map((name) =>
      style.getPropertyValue(name),
    );
    const paper = sheet(canvas);
    const side = SIDE / 11;
    const counts = data.confusion[own.at];
    paper.font = "12px sans-serif";
    let wrong = 0;
    for (let i = 0; i < 10; i++) {
      paper.fillStyle = ink;
      paper.fillText(i, side / 2, (i + 1.5) * side);
      paper.fillText(i, (i + 1.5) * side, side / 2);
      const row = counts.slice(10 * i, 10 * i + 10);
      const all = row.reduce((sum, count) => sum + count, 0) || 1;
      row.forEach((count, j) => {
        if (!count) return;
        if (i !== j) wrong += count;
        const [x, y] = [(j + 1) * side, (i + 1) * side];
        paper.globalAlpha = 0.15 + 0.6 * (count / all);
        paper.fillStyle = i === j ? accent : "#e5484d";
        paper.fillRect(x + 1, y + 1, side - 2, side - 2);
        paper.globalAlpha = 1;
        paper.fillStyle = ink;
        paper.fillText(count, x + side / 2, y + side / 2);
      });
    }
    canvas.setAttribute("aria-label", `Confusion matrix: ${wrong} of ${data.labels.length} wrong`);
  }

  function drawPoints(canvas) {
    const paper = sheet(canvas);
    paper.font = "bold 12px sans-serif";
    const points = data.points[own.at];
    data.labels.forEach((label, i) => {
      paper.fillStyle = data.colors[label];
      const place = (value) => SIDE / 2 + (value / 1000) * (SIDE / 2 - 8);
      paper.fillText(label, place(points[2 * i]), place(points[2 * i + 1]));
    });
  }

  const show = (moment) => {
    own.at = Math.min(Math.max(moment, 0), last);
    draw();
  };
  const stop = () => {
    clearInterval(own.playing);
    own.playing = undefined;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play");
  };
  own.next = () => {
    if (!root.isConnected || own.at >= own.last) stop();
    else show(own.at + 1);
  };
  slider.oninput = () => {
    stop();
    show(Number(slider.value));
  };
  part(".back").onclick = () => {
    stop();
    show(own.at - 1);
  };
  part(".on").onclick = () => {
    stop();
    show(own.at + 1);
  };
  play.onclick = () => {
    if (own.playing) return stop();
    if (own.at === last) show(0);
    own.playing = setInterval(() => own.next(), PACE);
    play.textContent = "⏸";
    play.setAttribute("aria-label", "Pause");
  };
  draw();
}
