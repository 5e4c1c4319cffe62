// A grid of digits, each a button. Streamlit calls the default export whenever the data change; the
// buttons are updated rather than replaced, so that they keep the focus.

export default function ({ parentElement, data, setStateValue }) {
  const grid = parentElement.querySelector(".gallery");
  const rows = Math.ceil(data.captions.length / data.columns);
  grid.style.setProperty("--size", `${data.size}px`);
  grid.style.setProperty("--width", `${data.width}px`);
  grid.style.setProperty("--wrong", data.wrongColor);
  grid.style.setProperty("--sprite", `url(${data.sprite})`);
  grid.style.setProperty("--sprite-size", `${data.columns * data.width}px ${rows * data.size}px`);

  while (grid.children.length > data.captions.length) grid.lastChild.remove();
  while (grid.children.length < data.captions.length) grid.append(newTile());

  const mark = (selected) => {
    [...grid.children].forEach((tile, i) => tile.setAttribute("aria-pressed", i === selected));
  };
  [...grid.children].forEach((tile, i) => {
    const [digit, caption] = tile.children;
    const column = i % data.columns;
    const row = Math.floor(i / data.columns);
    digit.style.backgroundPosition = `${-column * data.width}px ${-row * data.size}px`;
    caption.textContent = data.captions[i];
    tile.setAttribute("aria-label", data.labels[i]);
    tile.classList.toggle("wrong", Boolean(data.wrong[i]));
    tile.onclick = () => {
      mark(i); // Immediately, since Python's answer takes a moment.
      setStateValue("choice", { index: i, revision: data.revision });
    };
  });
  mark(data.selected);
}

function newTile() {
  const tile = document.createElement("button");
  tile.type = "button";
  for (const name of ["digit", "caption"]) {
    const part = document.createElement("span");
    part.className = name;
    tile.append(part);
  }
  return tile;
}
