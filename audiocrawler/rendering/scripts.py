"""The scripts that run in a page: prepared before its own, and to make its players show what they would play."""

PREPARE = """
(() => {
  const seen = {players: [], downloads: []};
  const note = (list, url) => {
    try { if (url && list.length < 1000) list.push(new URL(url, document.baseURI).href); } catch (e) { /* no URL */ }
  };
  Object.defineProperty(window, "__seen", {value: seen});
  window.close = () => {};
  window.print = () => {};
  window.open = () => null;
  const attachShadow = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    return attachShadow.call(this, {...options, mode: "open"});
  };
  window.Audio = new Proxy(window.Audio, {
    construct(target, given, self) { note(seen.players, given[0]); return Reflect.construct(target, given, self); },
  });
  const src = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "src");
  Object.defineProperty(HTMLMediaElement.prototype, "src", {
    ...src,
    set(value) {
      if (this instanceof HTMLAudioElement) note(seen.players, value);
      src.set.call(this, value);
    },
  });
  const click = HTMLElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () {
    if (this.hasAttribute("download")) note(seen.downloads, this.href);
    else click.call(this);
  };
})();
"""
"""Keeps the page from closing itself, opening others, downloading; opens shadow trees; notes what players get."""

SCROLL = """
async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const drawn = async () => { await frame(); await frame(); };
  const patience_ms = window.top === window ? 1500 : 400;  // frames out of view are not drawn at all
  const step = Math.max(200, window.innerHeight * 0.9);
  for (let y = step, steps = 0; y < document.documentElement.scrollHeight && steps < 25; y += step, steps += 1) {
    window.scrollTo(0, y);
    await pause(40);
    await Promise.race([drawn(), pause(patience_ms)]);
  }
  window.scrollTo(0, 0);
}
"""
"""Scrolls to the end, each step held until it is drawn: only then a page hears of what has come into view."""

_ALL = """
  const all = function* (root) {
    for (const each of root.querySelectorAll("*")) {
      yield each;
      if (each.shadowRoot) yield* all(each.shadowRoot);
    }
  };
"""

PLAY = (
    """
async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
"""
    + _ALL
    + """
  const words = "play|playpause|play-?btn|play-?button|listen|abspielen|anh[oö]ren|wiedergeben|[eé]couter|lecture" +
    "|lire|reproducir|escuchar|ascolta|riproduci|ouvir|afspelen";
  const word = new RegExp(`(?:^|[^\\p{L}])(?:${words})(?:[^\\p{L}]|$)`, "iu");
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
"""
)
"""Mutes, clicks what looks like a play button and leads nowhere else, and plays what players there are."""

COLLECT = (
    """
() => {
"""
    + _ALL
    + """
  const audio = [], videos = [], shadows = [];
  for (const each of all(document)) {
    if (each.shadowRoot) shadows.push(each.shadowRoot.innerHTML.slice(0, 1000000));
    if (!(each instanceof HTMLMediaElement)) continue;
    each.pause();
    (each instanceof HTMLAudioElement ? audio : videos).push(each.currentSrc, each.src);
  }
  const noted = window.__seen || {players: [], downloads: []};
  const urls = (list) => [...new Set(list)].filter((url) => /^https?:/.test(url)).slice(0, 2000);
  return {
    html: document.documentElement ? document.documentElement.outerHTML.slice(0, 16000000) : "",
    players: urls([...audio, ...noted.players]),
    downloads: urls(noted.downloads),
    videos: urls(videos),
    shadows: shadows.slice(0, 200),
  };
}
"""
)
"""Pauses every player and returns the page as it now is, its shadow trees, and the URLs its players were given."""
