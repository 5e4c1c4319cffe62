// A run's progress. Asks the door for news, one request at a time, as often as the door's answers
// say, but not while the tab is in the background. Charts of the run take the points from
// window.digitlabLive.

const AT_FIRST = 250; // milliseconds before the first request
const PAUSE = 1000; // milliseconds before the next one, if the door has not said how many
const LONGEST = 60_000; // milliseconds; the longest wait while the door does not answer
const REDRAW = 3; // answers between two redraws of the page for an epoch, at least
const PATIENCE = 3; // requests without an answer, after which the page updates without the door
const STATES = ["queued", "running"]; // in this order; in every other state the run has ended

const views = new WeakMap(); // the box → its view

export default function ({ parentElement, data, setStateValue }) {
  const box = parentElement.querySelector(".digitlab-progress");
  let view = views.get(box);
  if (!view) {
    view = { box, failures: 0, waited: REDRAW };
    views.set(box, view);
    view.timer = setTimeout(watch, AT_FIRST, view);
  }
  if (view.data?.run !== data.run) view.answer = view.told = null;
  keep(data);
  view.data = data;
  view.report = (news) => setStateValue("news", news);
  show(view);
  return () => {
    // Streamlit also cleans up after a call that a newer one overtook; then the box is still there.
    if (box.isConnected) return;
    clearTimeout(view.timer);
    views.delete(box);
  };
}

/** Keeps the points that the charts do not have, those after the step `after`. */
function keep({ run, after }) {
  const live = window.digitlabLive;
  const isPartOf = live?.run === run && live.after <= after;
  const points = isPartOf ? live.points.filter(({ step }) => step > after) : [];
  window.digitlabLive = { run, after, points };
}

async function watch(view) {
  if (!document.hidden) await ask(view);
  if (!views.has(view.box) || (view.answer && isOver(view.answer))) return;
  const usual = 1000 * view.answer?.again || PAUSE;
  const pause = view.failures ? Math.max(usual, PAUSE) * 2 ** view.failures : usual;
  view.timer = setTimeout(watch, Math.min(pause, LONGEST), view);
}

async function ask(view) {
  const { run, after } = view.data;
  const known = window.digitlabLive.points.at(-1)?.step ?? after;
  let answer;
  try {
    const url = new URL(`api/runs/${run}/live?after=${known}`, document.baseURI);
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(response.statusText);
    answer = await response.json();
  } catch {
    view.failures += 1;
    if (view.failures >= PATIENCE && view.data.door) tell(view, { door: false });
    return;
  }
  view.failures = 0;
  if (run !== view.data.run) return; // Another run was chosen meanwhile.
  view.answer = answer;
  const live = window.digitlabLive;
  const last = live.points.at(-1)?.step ?? view.data.after;
  live.points.push(...answer.points.filter(({ step }) => step > last));
  window.dispatchEvent(new Event("digitlab-live"));
  show(view);

  const { door, state, completed } = view.data;
  const ended = answer.epoch_points.at(-1)?.epoch ?? 0;
  view.waited += 1;
  const isDue = ended > completed && view.waited >= REDRAW;
  if (!door || order(answer.state) > order(state) || isDue) {
    tell(view, { door: true, state: answer.state, completed: ended });
  }
}

/** Makes Python draw the page again, once for each piece of news. */
function tell(view, news) {
  const told = JSON.stringify(news);
  if (told !== view.told) view.report(news);
  view.told = told;
  view.waited = 0;
}

function order(state) {
  const place = STATES.indexOf(state);
  return place < 0 ? STATES.length : place;
}

function isOver({ state }) {
  return !STATES.includes(state);
}

/** Shows the door's answer or Python's data, whichever is newer. */
function show({ box, data, answer }) {
  const run = answer && answer.step >= data.step ? answer : data;
  const share = run.steps ? Math.min(run.step / run.steps, 1) : 0;
  const count = (number) => Math.round(number).toLocaleString("en");
  box.querySelector(".done").textContent = run.step
    ? `Epoch ${run.epoch} of ${run.epochs} · step ${count(run.step)} of ${count(run.steps)}`
    : data.waits;
  box.querySelector(".speed").textContent = run.seconds_left
    ? `${count(run.images_per_second)} images a second · ${duration(run.seconds_left)} left`
    : "";
  const bar = box.querySelector(".bar");
  bar.setAttribute("aria-valuenow", Math.round(100 * share));
  bar.setAttribute("aria-label", box.querySelector(".done").textContent);
  bar.firstElementChild.style.width = `${100 * share}%`;
}

/** Formats a duration as format.duration does in Python. */
function duration(seconds) {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
