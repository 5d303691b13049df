const root = document.getElementById("root");
const route = () => location.hash.slice(2) || location.pathname.split("/").pop();
async function show() {
  const name = route();
  if (!name) {
    root.innerHTML = '<h1>The tape room</h1><a href="/scripted/app/first">First</a> <a href="#/second">Second</a>';
    return;
  }
  const tape = await (await fetch(`/scripted/data/tapes?name=${name}`)).json();
  root.innerHTML = `<h1>${tape.title}</h1><audio controls preload="none" src="${tape.src}"></audio>`;
}
addEventListener("hashchange", show);
show();
