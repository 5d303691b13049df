// Block closing, pop-ups and downloads; open shadow trees; record the URLs given to players.
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
