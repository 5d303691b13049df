// Scroll to the end, waiting for each step to be drawn: only then do intersection observers fire.
async () => {
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const drawn = async () => { await frame(); await frame(); };
  const patience_ms = window.top === window ? 1500 : 400;  // frames out of view are never drawn
  const step = Math.max(200, window.innerHeight * 0.9);
  for (let y = step, steps = 0; y < document.documentElement.scrollHeight && steps < 25; y += step, steps += 1) {
    window.scrollTo(0, y);
    await pause(40);
    await Promise.race([drawn(), pause(patience_ms)]);
  }
  window.scrollTo(0, 0);
}
