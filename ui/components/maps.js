// A layer's maps, each a button. A click sends the map and the value under the pointer; by
// keyboard, the map's largest value.

export default function ({ parentElement, data, setTriggerValue }) {
  const grid = parentElement.querySelector(".maps");
  const rows = Math.ceil(data.channels.length / data.columns);
  const [height, width] = data.size;
  grid.style.setProperty("--width", `${width}px`);
  grid.style.setProperty("--height", `${height}px`);
  grid.style.setProperty("--sprite", `url(${data.sprite})`);
  grid.style.setProperty("--sprite-size", `${data.columns * width}px ${rows * height}px`);

  while (grid.children.length > data.channels.length) grid.lastChild.remove();
  while (grid.children.length < data.channels.length) grid.append(newTile());

  const [down, across] = data.cells;
  [...grid.children].forEach((tile, i) => {
    const channel = data.channels[i];
    const left = -(i % data.columns) * width;
    const top = -Math.floor(i / data.columns) * height;
    tile.style.backgroundPosition = `${left}px ${top}px`;
    tile.setAttribute("aria-label", data.labels[i]);
    tile.title = data.labels[i];
    tile.classList.toggle("off", data.off.includes(channel));
    const chosen = data.selected?.channel === channel;
    tile.setAttribute("aria-pressed", chosen);
    const mark = tile.firstChild;
    mark.hidden = !chosen;
    if (chosen) {
      mark.style.left = `${(100 * data.selected.column) / across}%`;
      mark.style.top = `${(100 * data.selected.row) / down}%`;
      mark.style.width = `${100 / across}%`;
      mark.style.height = `${100 / down}%`;
    }
    tile.onclick = (event) => {
      const box = tile.getBoundingClientRect();
      const cell = (at, from, extent, count) =>
        Math.min(count - 1, Math.max(0, Math.floor(((at - from) / extent) * count)));
      const [row, column] =
        event.detail === 0
          ? data.peaks[i]
          : [
              cell(event.clientY, box.top, box.height, down),
              cell(event.clientX, box.left, box.width, across),
            ];
      setTriggerValue("value", { channel, row, column });
    };
  });
}

function newTile() {
  const tile = document.createElement("button");
  tile.type = "button";
  const mark = document.createElement("span");
  mark.className = "mark";
  tile.append(mark);
  return tile;
}
