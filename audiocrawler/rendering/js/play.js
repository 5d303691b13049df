// Mute everything, click play buttons that do not leave the page, and play all media elements.
async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const words = "play|playpause|play-?btn|play-?button|listen|abspielen|anh[oö]ren|wiedergeben|[eé]couter|lecture" +
    "|lire|reproducir|escuchar|ascolta|riproduci|ouvir|afspelen";
  const word = new RegExp(`(?:^|[^\p{L}])(?:${words})(?:[^\p{L}]|$)`, "iu");
  const spaced = (text) => String(text || "").replace(/([a-z])([A-Z])/g, "$1 $2");
  const names = (each) => ["class", "id", "aria-label", "title", "data-action", "data-testid", "data-control"]
    .map((name) => spaced(each.getAttribute(name))).concat(spaced(each.textContent).slice(0, 40)).join(" | ");
  const leavesPage = (each) => each.closest("a[href], area, label") ||
    (each.closest("form") && (each.type === "submit" || each.type === "image"));
  const controls = [];
  for (const each of all(document)) {
    if (controls.length >= 40) break;
    if (!each.matches("button, [role=button], [onclick], input[type=button], [class*=play i], [id*=play i]")) continue;
    if ( leavesPage(each) || each.matches("html, body, main, audio, video, iframe, script")) continue;
    if (each.querySelector("button, [role=button], a[href]") || !word.test(names(each))) continue;
    controls.push(each);
  }
  const media = () => [...all(document)].filter((each) => each instanceof HTMLMediaElement);
  const mute = () => { for (const each of media()) each.muted = true; };
  mute();
  for (const each of controls) {
    for (const type of ["pointerdown", "mousedown", "pointerup", "mouseup"])
      each.dispatchEvent(new MouseEvent(type, {bubbles: true, cancelable: true, composed: true}));
    each.click();
    await pause(30);
    mute();
  }
  for (const each of media()) each.play().catch(() => {});
  return controls.length;
}
