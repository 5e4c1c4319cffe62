// One Plotly chart on one lasting node. Streamlit calls the default export at every change of data
// or theme; the chart's view outlives those calls and keeps zoom, hover and hidden traces.

const TILE = 84; // CSS pixels, as in chart.css
const NARROW = 520; // CSS pixels, below which title and legend do not fit side by side
// A legend below a narrow chart: the rows that fit its height; in CSS pixels, the height of a row,
// the width beside a name, and the space above the curves and between them and the legend.
const LEGEND = { rows: 2, height: 19, beside: 45, around: 150, gap: 10 };
// Constant, because Plotly draws the whole chart again if the configuration changes.
const CONFIG = {
  showSendToCloud: false, // else a button uploads the chart to Plotly Cloud
  plotlyServerURL: "",
  displaylogo: false,
  displayModeBar: "hover",
  doubleClick: "reset",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
};
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = "Cells. Arrow keys go from one to the next, Enter shows what is in it.";
const views = new WeakMap(); // the <figure> → its view
const pen = document.createElement("canvas").getContext("2d"); // only measures text

export default function ({ parentElement, data, setStateValue }) {
  const box = parentElement.querySelector(".digitlab-chart");
  if (!views.has(box)) views.set(box, newView(box));
  const view = views.get(box);
  view.data = data;
  view.clicked = data.clicked;
  view.report = (click) => setStateValue("click", click);
  view.select = (numbers) => setStateValue("selected", numbers);
  const theme = getComputedStyle(box);
  const look = ["--st-text-color", "--st-font"].map((name) => theme.getPropertyValue(name));
  const seen = [data.figure, data.height, data.caption, JSON.stringify(data.clicked), ...look];
  if (view.seen !== seen.join("\n")) draw(view); // Streamlit also calls if nothing has changed.
  view.seen = seen.join("\n");
  return () => {
    // Streamlit also cleans up after a call that a newer one overtook; then the box is still there.
    if (!box.isConnected) dispose(view);
  };
}

function newView(box) {
  const view = {
    box,
    drawing: box.querySelector(".drawing"),
    digit: box.querySelector(".digit"),
    caption: box.querySelector("figcaption"),
    spoken: box.querySelector("output"),
  };
  view.observer = new ResizeObserver(() => {
    if (view.drawing.clientWidth !== view.width) draw(view);
  });
  view.observer.observe(view.drawing);
  view.extend = () => extend(view);
  window.addEventListener("digitlab-live", view.extend);
  view.sight = new IntersectionObserver(([{ isIntersecting }]) => {
    view.isInSight = isIntersecting;
    if (isIntersecting) catchUp(view);
  });
  view.sight.observe(view.drawing);
  view.drawing.addEventListener("pointerenter", () => catchUp(view));
  view.drawing.addEventListener("digitlab-shares", ({ detail }) => preview(view, detail));
  return view;
}

function dispose(view) {
  view.observer.disconnect();
  view.sight.disconnect();
  window.removeEventListener("digitlab-live", view.extend);
  views.delete(view.box);
  window.Plotly?.purge(view.drawing);
}

/** Plotly, loaded once per page load, however many charts need it. */
function load(url) {
  window.digitlabPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI);
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error(`Could not load ${script.src}`));
    document.head.append(script);
  });
  return window.digitlabPlotly;
}

async function draw(view) {
  view.caption.textContent = view.data.caption;
  view.caption.hidden = !view.data.caption;
  const { height: most, tall } = view.data;
  const height = tall ? Math.min(most, tall * view.box.clientWidth) : most;
  const more = extra(view);
  view.box.style.height = `${height + more}px`;
  view.box.classList.toggle("grown", more > 0); // higher than Streamlit was told

  const Plotly = await load(view.data.plotly).catch((error) => {
    view.caption.textContent = "This chart needs Plotly, which did not load. Reload the page.";
    view.caption.hidden = false;
    throw error;
  });
  if (!view.listening && isOutOfSight(view.box)) await idle(); // What is in sight comes first.
  const { box, drawing, data } = view; // Read them here, as a newer call may have changed them.
  view.width = drawing.clientWidth;
  if (!view.width) return; // In a hidden tab: the observer draws when it is shown.

  const figure = JSON.parse(data.figure); // A new copy each time, because Plotly changes it.
  const title = figure.layout?.title?.text;
  box.setAttribute("aria-label", title ?? data.caption);
  const layout = {
    uirevision: "kept",
    ...figure.layout,
    width: view.width,
    height: drawing.clientHeight,
    template: template(view, figure),
  };
  view.shapes = layout.shapes ?? [];
  await Plotly.react(drawing, figure.data, layout, CONFIG);
  if (!view.listening) listen(view);
  reach(view);
  mark(view);
  view.last = data.live?.after;
  view.isBehind = false;
  extend(view);
  if (view.shares) preview(view, view.shares);
}

function isOutOfSight(box) {
  return box.getBoundingClientRect().top > window.innerHeight;
}

function idle() {
  return new Promise((resolve) => (window.requestIdleCallback ?? setTimeout)(resolve));
}

/** Room below a chart for a long legend and caption, so that the curves keep their height. */
function extra({ box, data, caption }) {
  const figure = JSON.parse(data.figure);
  if (!isBelow(box, figure)) return 0;
  const rows = legendRows(box, figure);
  const line = parseFloat(getComputedStyle(caption).lineHeight) || 0;
  const lines = caption.hidden ? 0 : caption.offsetHeight - line;
  // Plotly cuts off a legend that is higher than the plot.
  const uncut = 2 * rows * LEGEND.height + LEGEND.around - data.height;
  const longer = rows > LEGEND.rows ? Math.max((rows - LEGEND.rows) * LEGEND.height, uncut) : 0;
  return longer + Math.max(0, lines);
}

/** Whether a figure's legend must go below it because it does not fit beside the title. */
function isBelow(box, figure) {
  const title = textWidth(box, figure.layout?.title?.text ?? "", 15);
  const beside = legend(box, figure).reduce((sum, width) => sum + width, title);
  return box.clientWidth < NARROW || beside > box.clientWidth;
}

/** How many rows a figure's legend has below it. */
function legendRows(box, figure) {
  const entries = legend(box, figure);
  const each = Math.max(1, Math.floor(box.clientWidth / Math.max(...entries, 1)));
  return Math.ceil(entries.length / each);
}

/** The width of each entry of a figure's legend, in CSS pixels. */
function legend(box, { data, layout }) {
  if (layout?.showlegend === false) return [];
  const named = data.filter(({ name, showlegend }) => name && showlegend !== false);
  if (named.length < 2 && !layout?.showlegend) return [];
  return named.map(({ name }) => textWidth(box, name, 12) + LEGEND.beside);
}

function textWidth(box, text, size) {
  pen.font = `${size}px ${getComputedStyle(box).getPropertyValue("--st-font")}`;
  return pen.measureText(text).width;
}

/** Adds the points that progress.js has received since the figure was made. */
function extend(view) {
  const { drawing, data: { live } } = view;
  if (!live || view.last === undefined || window.digitlabLive?.run !== live.run) return;
  const points = window.digitlabLive.points.filter(({ step }) => step > view.last);
  if (!points.length) return;
  view.last = points.at(-1).step;
  const { data: [trace], _fullData: [decoded] } = drawing;
  for (const axis of ["x", "y"]) {
    // The figure contains NumPy's arrays in packed form; only plain arrays can be extended.
    if (!Array.isArray(trace[axis])) trace[axis] = Array.from(decoded[axis]);
  }
  trace.x.push(...points.map(({ epoch }) => epoch));
  trace.y.push(...points.map((point) => point[live.metric]));
  view.isBehind = true;
  if (view.isInSight && (drawing.matches(":hover") || !lengthen(drawing, points.length))) {
    catchUp(view);
  }
}

/** Draws the chart anew if it has points that its scales and its hover labels do not know. */
function catchUp(view) {
  if (view.isBehind) window.Plotly.redraw(view.drawing);
  view.isBehind = false;
}

/**
 * Draws the last `count` points at the end of the first trace's line, in a fraction of the time
 * that Plotly takes for a chart. Returns false if they do not fit the scales, or have no line yet.
 */
function lengthen(drawing, count) {
  const { data: [{ x, y }], _fullData: [{ uid }], _fullLayout: { xaxis, yaxis } } = drawing;
  const line = drawing.querySelector(`.trace${uid} .js-line`);
  const before = line?.getAttribute("d");
  // With the point before them, because a value that is not a number makes a gap.
  const [lefts, tops] = [[xaxis, x], [yaxis, y]].map(([axis, values]) =>
    values.slice(-count - 1).map((value) => axis.d2p(value)),
  );
  const fits = (top) => !yaxis.autorange || (top >= 0 && top <= yaxis._length);
  if (!before || ![...lefts, ...tops].every(Number.isFinite) || !tops.every(fits)) return false;
  const more = lefts.map((left, i) => `L${left},${tops[i]}`).slice(1);
  line.setAttribute("d", before + more.join(""));
  return true;
}

/** Shows other shares of the ten digits for a while; without any, the figure's own again. */
function preview(view, shares) {
  view.shares = shares;
  if (!view.listening) return; // Nothing is drawn yet; draw() will show them.
  if (!shares) return void draw(view);
  const label = (share) => {
    if (share < 0.005) return "";
    return share >= 0.9995 && share < 1 ? ">99.9 %" : `${(100 * share).toFixed(1)} %`;
  };
  const answer = shares.indexOf(Math.max(...shares));
  const name = (_, digit) => (digit === answer ? `<b>${digit}</b><br>answer` : `${digit}<br> `);
  const bars = { y: [shares], text: [shares.map(label)] };
  window.Plotly.update(view.drawing, bars, { "xaxis.ticktext": shares.map(name) }, [0]);
}

function listen(view) {
  view.listening = true;
  view.drawing.on("plotly_click", ({ points: [point] }) => {
    if (view.data.clickable) click(view, point);
  });
  view.drawing.addEventListener("keydown", (event) => press(view, event));
  view.drawing.addEventListener("blur", () => {
    view.cell = undefined;
    mark(view);
  });
  view.drawing.on("plotly_selected", (event) => select(view, event?.points ?? []));
  view.drawing.on("plotly_deselect", () => select(view, []));
  view.drawing.on("plotly_hover", ({ points: [point], event }) => {
    const number = plain(point.customdata)?.[0];
    if (view.data.tiles && Number.isInteger(number)) showDigit(view, number, event);
  });
  view.drawing.on("plotly_unhover", () => (view.digit.hidden = true));
}

function click(view, { x, y, customdata, curveNumber: curve }) {
  // With the time, a second click on the same point is a new value, so that Python is told.
  view.clicked = { x, y, customdata: plain(customdata), curve, at: Date.now() };
  mark(view);
  view.report(view.clicked);
}

/** The heatmap whose cells can be clicked, if there is one. */
function heatmap({ data, drawing }) {
  return data.clickable && drawing._fullData.find(({ type }) => type === "heatmap");
}

/** Makes a heatmap work by keyboard: Tab focuses it, arrows move between cells, Enter clicks. */
function reach(view) {
  const { drawing } = view;
  if (!heatmap(view)) return drawing.removeAttribute("tabindex");
  drawing.tabIndex = 0;
  drawing.setAttribute("role", "application");
  drawing.setAttribute("aria-label", KEYS);
}

function press(view, event) {
  const map = heatmap(view);
  if (!map || event.target !== view.drawing) return;
  const { x: xs, y: ys, customdata, text, index: curveNumber } = map;
  const from = view.cell ?? view.clicked ?? { x: xs[0], y: ys[0] };
  const [column, row] = [xs.indexOf(from.x), ys.indexOf(from.y)];
  if (MOVES[event.key]) {
    const next = (all, at, step) => all[Math.min(Math.max(at + step, 0), all.length - 1)];
    const [across, down] = MOVES[event.key];
    const { xaxis, yaxis } = view.drawing._fullLayout;
    const onward = yaxis.range[0] > yaxis.range[1] ? down : -down; // rows from the top, or not
    view.cell = { x: next(xs, column, across), y: next(ys, row, onward) };
    const place = `${yaxis.title.text} ${view.cell.y}, ${xaxis.title.text} ${view.cell.x}`;
    const number = text?.[ys.indexOf(view.cell.y)][xs.indexOf(view.cell.x)] || 0;
    view.spoken.textContent = `${place}: ${number}`;
    mark(view);
  } else if (event.key === "Enter" || event.key === " ") {
    click(view, { ...from, customdata: customdata[row][column], curveNumber });
  } else return;
  event.preventDefault(); // else the page scrolls
}

/** Tells Python which points are in the region drawn, once each time they change. */
function select(view, points) {
  if (!view.data.selectable) return;
  const numbers = points.map((point) => plain(point.customdata)?.[0]).filter(Number.isInteger);
  if (String(numbers) === String(view.selected ?? [])) return;
  view.selected = numbers;
  view.select(numbers);
}

/** Customdata in a form that JSON can hold: Plotly decodes NumPy's arrays to typed arrays. */
function plain(value) {
  return ArrayBuffer.isView(value) ? Array.from(value) : (value ?? null);
}

/** Shows digit `number` of the sprite above the pointer, or below where there is no room. */
function showDigit({ box, digit, data }, number, event) {
  const { image, columns } = data.tiles;
  const { left, top, width } = box.getBoundingClientRect();
  const [x, y] = [event.clientX - left, event.clientY - top];
  digit.style.left = `${Math.min(Math.max(x - TILE / 2, 0), width - TILE)}px`;
  digit.style.top = `${y > TILE + 16 ? y - TILE - 16 : y + 16}px`;
  digit.style.backgroundImage = `url(${image})`;
  digit.style.backgroundSize = `${columns * TILE}px auto`;
  const [column, row] = [number % columns, Math.floor(number / columns)];
  digit.style.backgroundPosition = `${-column * TILE}px ${-row * TILE}px`;
  digit.hidden = false;
}

/** Draws an edge around the clicked heatmap cell or a ring around the clicked point. */
function mark(view) {
  const { data, drawing, clicked, cell, shapes } = view;
  const trace = data.clickable && clicked && drawing._fullData[clicked.curve];
  const marks = trace ? [around(view, trace, clicked, "solid")] : [];
  if (cell) marks.push(around(view, heatmap(view), cell, "dot"));
  if (!marks.length && !view.marked) return;
  view.marked = marks.length > 0;
  window.Plotly.relayout(drawing, { shapes: [...shapes, ...marks.filter(Boolean)] });
}

function around({ box, drawing }, trace, { x, y }, dash) {
  const [xref, yref] = [trace.xaxis, trace.yaxis];
  const color = getComputedStyle(box).getPropertyValue("--st-text-color");
  const shape = { xref, yref, line: { color, dash, width: dash === "dot" ? 3 : 2 } };
  if (trace.type === "heatmap") {
    // A shape half a cell beside a category needs the category's number on its axis.
    const center = (ref, value) => drawing._fullLayout[`${ref[0]}axis${ref.slice(1)}`].d2c(value);
    const [column, row] = [center(xref, x), center(yref, y)];
    const corners = { x0: column - 0.5, x1: column + 0.5, y0: row - 0.5, y1: row + 0.5 };
    return Object.assign(shape, corners);
  }
  if (!trace.type.startsWith("scatter")) return;
  const ring = { type: "circle", xsizemode: "pixel", ysizemode: "pixel" };
  return Object.assign(shape, ring, { x0: -8, x1: 8, y0: -8, y1: 8, xanchor: x, yanchor: y });
}

/** The theme as a Plotly template, for whatever the figure does not set. */
function template({ box, data }, figure) {
  const style = getComputedStyle(box);
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const colors = (name) => theme(`chart-${name}-colors`).split(",");
  const clear = "rgba(0, 0, 0, 0)";
  const [text, faint] = [theme("text-color"), theme("gray-text-color")];
  const axis = {
    automargin: true,
    minexponent: 7, // a learning rate of 0.0004, not 400μ
    gridcolor: theme("border-color-light"),
    linecolor: theme("border-color"),
    zerolinecolor: theme("border-color-light"),
    ticks: "",
    ticklabelstandoff: 4,
    tickfont: { color: faint },
    title: { font: { color: faint, size: 13 }, standoff: 8 },
  };
  const pointwise = data.clickable || data.tiles;
  const below = isBelow(box, figure);
  const rows = below ? legendRows(box, figure) : 0;
  const place = below
    ? { x: 0, xanchor: "left", yref: "container", y: 0, yanchor: "bottom" }
    : { x: 1, xanchor: "right", y: 1, yanchor: "bottom" };
  const sequential = colors("sequential");
  const colorscale = sequential.map((color, i) => [i / (sequential.length - 1), color]);
  const colorbar = { outlinewidth: 0, thickness: 12, tickfont: { color: faint } };
  return {
    layout: {
      paper_bgcolor: clear,
      plot_bgcolor: clear,
      colorway: colors("categorical"),
      font: { family: theme("font"), size: 12, color: text },
      title: { x: 0, xref: "container", xanchor: "left", font: { size: 15 } },
      margin: {
        // Large enough for most axes and the legend: Plotly draws twice if it must enlarge one.
        l: 62,
        r: 15,
        t: figure.layout?.title?.text ? 56 : 28,
        b: 52 + rows * LEGEND.height + (rows && LEGEND.gap),
      },
      xaxis: axis,
      yaxis: axis,
      legend: { orientation: "h", itemsizing: data.tiles ? "constant" : "trace", ...place },
      hoverlabel: {
        bgcolor: theme("secondary-background-color"),
        bordercolor: theme("border-color"),
        font: { family: theme("font"), color: text },
      },
      modebar: { bgcolor: clear, color: faint, activecolor: text },
      newselection: { line: { color: text, width: 1, dash: "dot" } },
      activeselection: { fillcolor: text, opacity: 0.08 },
      // A finger must be able to scroll the page past the chart.
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
      ...(pointwise ? { hovermode: "closest" } : { hovermode: "x", hoverdistance: -1 }),
    },
    data: { heatmap: [{ colorscale, colorbar }] },
  };
}
