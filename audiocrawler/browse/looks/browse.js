// One player for the page: a click on a triangle or into a waveform plays the file that it stands for.
const bar = document.createElement("div");
bar.className = "player";
bar.hidden = true;
bar.innerHTML = '<b></b><span role="status"></span><audio id="audio" controls preload="none"></audio>';
document.body.append(bar);
const [name, problem, audio] = bar.children;
let sha = null;

const buttons = () => document.querySelectorAll(`.play[data-sha="${sha}"]`);
const waveforms = () => document.querySelectorAll(`.waveform[data-sha="${sha}"]`);

function play(wanted, share) {
  if (wanted !== sha) {
    mark(false);
    sha = wanted;
    audio.src = `/-/audio/${sha}`;
    name.textContent = buttons()[0]?.dataset.name ?? sha.slice(0, 8);
    problem.textContent = "";
    bar.hidden = false;
    document.body.classList.add("plays");
  }
  if (share === undefined) {
    audio.paused ? start() : audio.pause();
  } else {
    const seek = () => { audio.currentTime = share * audio.duration; };
    audio.readyState ? seek() : audio.addEventListener("loadedmetadata", seek, { once: true });
    start();
  }
}

function start() {
  audio.play().catch(() => {}); // what cannot be played is told by the event "error"
}

function mark(isPlaying) {
  buttons().forEach((each) => each.classList.toggle("on", isPlaying));
  if (!isPlaying && audio.ended) waveforms().forEach((each) => each.style.removeProperty("--at"));
}

function follow() {
  const at = audio.duration ? audio.currentTime / audio.duration : 0;
  waveforms().forEach((each) => {
    if (!each.querySelector(".heard")) {
      const heard = each.querySelector("svg").cloneNode(true);
      heard.classList.add("heard");
      heard.setAttribute("aria-hidden", "true");
      each.append(heard);
    }
    each.style.setProperty("--at", at);
  });
}

document.addEventListener("click", (event) => {
  if (event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const button = event.target.closest(".play");
  const waveform = event.target.closest(".waveform");
  if (button) {
    event.preventDefault();
    play(button.dataset.sha);
  } else if (waveform?.dataset.sha) {
    const box = waveform.getBoundingClientRect();
    play(waveform.dataset.sha, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  }
});
audio.addEventListener("play", () => mark(true));
for (const event of ["pause", "ended"]) audio.addEventListener(event, () => mark(false));
for (const event of ["timeupdate", "seeked"]) audio.addEventListener(event, follow);
audio.addEventListener("error", () => {
  mark(false);
  problem.textContent = "this browser cannot play it; the triangle's link saves it";
});
for (const head of document.querySelectorAll("th[data-column-description]")) {
  head.title = head.dataset.columnDescription;
}
document.addEventListener("mouseover", (event) => {
  const cell = event.target.closest("td");
  if (cell && !cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.textContent.trim();
});
for (const cell of document.querySelectorAll("body.row .rows-and-columns td")) {
  const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  cell.dataset.label = head.textContent.trim();
  cell.title = head.dataset.columnDescription ?? "";
}
