"use strict";
(async () => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const SVG = "http://www.w3.org/2000/svg";
  const draw = (tag, attributes) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  // --- The data ---

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };
  const data = await unpack($("data").textContent);
  const { n, total, columns, charts, waveforms, peaks } = data;
  const whole = new Intl.NumberFormat("en");
  const count = (number) => whole.format(number);
  const known = (column) => column.codes.map((code) => (code < 0 ? null : column.values[code]));
  const expanded = (coded) => {
    const texts = [];
    let before = "";
    for (let at = 0; at < coded.length; at += 2) texts.push((before = before.slice(0, coded[at]) + coded[at + 1]));
    return texts;
  };
  const at = {};
  for (const [name, column] of Object.entries(columns)) {
    at[name] = name.endsWith("_url") && Array.isArray(column) ? expanded(column) : column.codes ? known(column) : column;
  }
  const fileOf = (i) => at.file_name[i] || decoded(at.source_url[i].split("/").pop());
  const titleOf = (i) => at.title[i] || fileOf(i) || at.source_url[i];
  const hostOf = (() => {
    const chart = charts.find((each) => each.column === "host");
    return (i) => chart.values[chart.codes[i]] || "";
  })();

  // --- Words ---

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }
  const two = (number) => String(number).padStart(2, "0");
  const clock = (seconds) => {
    const s = Math.floor(seconds);
    const short = `${Math.floor(s / 60) % 60}:${two(s % 60)}`;
    return s < 3600 ? short : `${Math.floor(s / 3600)}:${short.padStart(5, "0")}`;
  };
  const lasting = (ms) => (ms < 10000 ? `${(ms / 1000).toFixed(1)} s` : clock(Math.round(ms / 1000)));
  const span = (ms) => {
    const hours = ms / 3600000;
    if (hours >= 1) return `${hours < 100 ? hours.toFixed(1) : count(Math.round(hours))} h`;
    return ms >= 60000 ? `${(ms / 60000).toFixed(1)} min` : `${(ms / 1000).toFixed(1)} s`;
  };
  const bytes = (size) => {
    const units = ["bytes", "kB", "MB", "GB", "TB"];
    let unit = 0;
    while (size >= 1000 && unit < 4) (size /= 1000), unit++;
    return `${unit ? size.toFixed(size < 10 ? 1 : 0) : size} ${units[unit]}`;
  };
  const minus = (text) => String(text).replace("-", "−");
  const kHz = (hz) => `${+(hz / 1000).toFixed(2)} kHz`;
  const edgeText = {
    ms: (ms) => (ms < 1000 ? `${ms} ms` : ms < 60000 ? `${ms / 1000} s` : ms < 3600000 ? `${ms / 60000} min` : `${ms / 3600000} h`),
    LUFS: minus,
    Hz: kHz,
    dB: (db) => `${db} dB`,
    share: (share) => `${Math.round(share * 100)} %`,
  };
  const valueText = (chart, value) => {
    if (value === null) return "not stated";
    return chart.unit === "Hz" ? kHz(value) : value === "" ? "(empty)" : String(value);
  };
  const CHANNELS = { 1: "mono", 2: "stereo" };
  const isWeb = (address) => /^https?:\/\//i.test(address || "");

  // --- The filter: a bit for each chart that leaves a row out, one more for the search ---

  const SEARCH = charts.length;
  const mask = new Uint16Array(n);
  const filters = charts.map(() => null);
  let words = [];
  const fold = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()); // as LOWER() of SQLite does
  let hay = null;
  const haystack = () => {
    hay ??= Array.from({ length: n }, (_, i) =>
      fold([at.title[i], at.artist[i], fileName(i), at.source_url[i]].map((text) => text || "").join("\n")),
    );
    return hay;
  };
  const fileName = (i) => at.file_name[i] || at.source_url[i].split("/").pop();
  const setBit = (bit, leaves) => {
    const on = 1 << bit;
    for (let i = 0; i < n; i++) mask[i] = leaves(i) ? mask[i] | on : mask[i] & ~on;
  };
  const leavesOut = (chart, filter) => {
    const allowed = new Uint8Array(chart.all.length + 1);
    if (filter.values) for (const code of filter.values) allowed[code] = 1;
    else allowed.fill(1, filter.from, filter.to + 1);
    return (i) => !allowed[chart.codes[i]];
  };
  const apply = (number) => {
    const filter = filters[number];
    setBit(number, filter ? leavesOut(charts[number], filter) : () => false);
    update();
  };
  const search = (text) => {
    words = fold(text).split(/\s+/).filter(Boolean);
    const texts = words.length ? haystack() : [];
    setBit(SEARCH, (i) => words.some((word) => !texts[i].includes(word)));
    update();
  };
  const clearAll = () => {
    filters.fill(null);
    mask.fill(0);
    words = [];
    $("search").value = "";
    update();
  };
  const isFiltered = () => words.length > 0 || filters.some(Boolean);

  // --- The filter as SQL, and as a command that a shell takes as it is ---

  const quoted = (value) => {
    if (typeof value === "number") return String(value);
    const text = data.backslashes ? value.replace(/\\/g, "\\\\").replace(/'/g, "\\'") : value.replace(/'/g, "''");
    return `'${text}'`;
  };
  const ofValues = (chart, filter) => {
    const values = [...filter.values].map((code) => chart.values[code]);
    const stated = values.filter((value) => value !== null).map(quoted);
    const parts = stated.length > 1 ? [`${chart.column} IN (${stated.join(", ")})`] : stated.map((value) => `${chart.column} = ${value}`);
    if (stated.length < values.length) parts.push(`${chart.column} IS NULL`);
    return parts.length > 1 ? `(${parts.join(" OR ")})` : parts[0];
  };
  const ofRange = ({ column, edges }, { from, to }) => {
    if (from === to && from > edges.length) return `${column} IS NULL`;
    const parts = [];
    if (from > 0) parts.push(`${column} >= ${edges[from - 1]}`);
    if (to < edges.length) parts.push(`${column} < ${edges[to]}`);
    return parts.join(" AND ") || `${column} IS NOT NULL`;
  };
  const SEARCHED = ["title", "artist", "file_name", "source_url"].map((name) => `COALESCE(${name}, '')`).join(" || ' ' || ");
  const where = () => {
    const parts = [];
    filters.forEach((filter, number) => {
      if (filter) parts.push((filter.values ? ofValues : ofRange)(charts[number], filter));
    });
    for (const word of words) parts.push(`INSTR(LOWER(${SEARCHED}), ${quoted(word)}) > 0`);
    if (data.where) parts.unshift(`(${data.where})`);
    return parts.join(" AND ");
  };
  const shell = (text) => (/["$`\\!\n]/.test(text) ? `'${text.replace(/'/g, "'\\''")}'` : `"${text}"`);
  const command = () => `scrapy export --format hf --where ${shell(where())}`;

  // --- Charts ---

  const WIDTH = 240;
  const HEIGHT = 64;
  const histograms = [];
  const lists = [];
  const share = n < total ? total / Math.max(n, 1) : 1;

  function histogram(chart, number) {
    const bars = chart.all.length - 1; // the last is of the files without a value
    let first = 0;
    let last = bars - 1;
    while (first < last && !chart.all[first]) first++;
    while (last > first && !chart.all[last]) last--;
    while (last - first < 9 && (first > 0 || last < bars - 1)) last < bars - 1 ? last++ : first--;
    const shown = last - first + 1;
    const highest = Math.max(1, ...chart.all.slice(0, bars));
    const step = WIDTH / shown;
    const box = make("div", "histogram");
    const title = make("h3", "", chart.label);
    const range = make("span", "range");
    title.append(range);
    const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const brush = svg.appendChild(draw("rect", { class: "brush", height: HEIGHT, y: 0, width: 0 }));
    const [back, front] = ["all", "now"].map((name) => {
      return Array.from({ length: shown }, (_, i) => {
        const rect = draw("rect", { class: name, x: i * step + 0.75, width: Math.max(step - 1.5, 1) });
        return svg.appendChild(rect);
      });
    });
    const tall = (rect, number) => {
      const height = number ? Math.max(2, (number / highest) * (HEIGHT - 2)) : 0;
      rect.setAttribute("height", height);
      rect.setAttribute("y", HEIGHT - height);
    };
    back.forEach((rect, i) => tall(rect, chart.all[first + i]));
    const line = make("div", "ends");
    const lower = (bar) => (bar > 0 ? edgeText[chart.unit](chart.edges[bar - 1]) : "");
    const upper = (bar) => (bar < chart.edges.length ? edgeText[chart.unit](chart.edges[bar]) : "");
    const ends = [lower(first) || `< ${upper(first)}`, upper(last) || `≥ ${lower(last)}`];
    const middle = first + Math.floor(shown / 2);
    for (const text of [ends[0], lower(middle), ends[1]]) line.append(make("span", "", text));
    const words = ({ from, to }) => {
      if (from > chart.edges.length) return "no value";
      if (!lower(from)) return upper(to) ? `< ${upper(to)}` : "any value";
      return upper(to) ? `${lower(from)} to ${upper(to)}` : `≥ ${lower(from)}`;
    };
    const choose = (from, to) => {
      const [a, b] = [Math.min(from, to), Math.max(from, to)];
      // What reaches an end of the picture has no bound there.
      filters[number] = { from: a <= first ? 0 : a, to: b >= last ? bars - 1 : b };
      if (a <= first && b >= last) filters[number] = null;
      apply(number);
    };
    const plot = make("div", "plot");
    const sliders = ["from", "to"].map((end) => {
      const slider = make("input", "unseen");
      Object.assign(slider, { type: "range", min: first, max: last, step: 1, value: end === "from" ? first : last });
      slider.setAttribute("aria-label", `${chart.label}, ${end}`);
      slider.addEventListener("input", () => choose(+sliders[0].value, +sliders[1].value));
      return slider;
    });
    plot.append(svg, ...sliders);
    const barAt = (event) => {
      const area = svg.getBoundingClientRect();
      const place = Math.floor(((event.clientX - area.left) / area.width) * shown);
      return first + Math.max(0, Math.min(shown - 1, place));
    };
    let begun = null;
    plot.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      begun = { bar: barAt(event), before: filters[number], moved: false };
      plot.setPointerCapture(event.pointerId);
    });
    plot.addEventListener("pointermove", (event) => {
      const bar = barAt(event);
      if (!begun) {
        const value = chart.all[bar];
        plot.title = `${words({ from: bar, to: bar })}: ${count(value)} files`;
        return;
      }
      begun.moved ||= bar !== begun.bar;
      if (begun.moved) choose(begun.bar, bar);
    });
    plot.addEventListener("pointerup", () => {
      if (begun && !begun.moved) {
        const { before, bar } = begun;
        const inside = before && !before.values && bar >= before.from && bar <= before.to;
        if (inside) (filters[number] = null), apply(number);
        else choose(bar, bar);
      }
      begun = null;
    });
    plot.addEventListener("pointercancel", () => (begun = null));
    box.append(title, plot, line);
    const missing = chart.all[bars];
    if (missing) {
      const button = make("button", "without", `${count(missing)} without a value`);
      button.type = "button";
      button.addEventListener("click", () => {
        const filter = filters[number];
        filters[number] = filter && filter.from === bars ? null : { from: bars, to: bars };
        apply(number);
      });
      box.append(button);
    }
    $("histograms").append(box);
    histograms[number] = {
      words,
      show: (counts) => {
        front.forEach((rect, i) => tall(rect, isFiltered() ? counts[first + i] * share : chart.all[first + i]));
        const filter = filters[number];
        const isRange = filter && filter.from < bars;
        const from = isRange ? Math.max(filter.from, first) : first;
        const to = isRange ? Math.min(filter.to, last) : last;
        brush.setAttribute("x", (from - first) * step);
        brush.setAttribute("width", isRange ? (to - from + 1) * step : 0);
        front.forEach((rect, i) => rect.classList.toggle("out", Boolean(filter) && (!isRange || first + i < from || first + i > to)));
        sliders[0].value = from;
        sliders[1].value = to;
        const texts = [lower(from) || "any", upper(to) || "any"];
        sliders.forEach((slider, i) => slider.setAttribute("aria-valuetext", texts[i]));
        range.textContent = filter ? words(filter) : "";
        box.classList.toggle("chosen", Boolean(filter));
        box.querySelector(".without")?.setAttribute("aria-pressed", Boolean(filter) && !isRange);
      },
    };
  }

  const SHOWN = 5;
  function list(chart, number) {
    const box = make("div", `values ${chart.column}`);
    box.append(make("h3", "", chart.label));
    const most = Math.max(1, ...chart.all);
    const ul = box.appendChild(make("ul"));
    const entries = [];
    const add = (code) => {
      const button = make("button", chart.values[code] === null ? "none" : "");
      button.type = "button";
      button.title = valueText(chart, chart.values[code]);
      const meter = draw("svg", { viewBox: "0 0 100 2", preserveAspectRatio: "none", "aria-hidden": "true" });
      meter.append(draw("rect", { class: "all", width: (chart.all[code] / most) * 100, height: 2 }));
      const now = meter.appendChild(draw("rect", { class: "now", height: 2 }));
      const name = make("bdi", "", valueText(chart, chart.values[code]));
      const figure = make("span", "figure");
      button.append(name, figure, meter);
      button.addEventListener("click", () => {
        const chosen = new Set(filters[number]?.values);
        chosen.has(code) ? chosen.delete(code) : chosen.add(code);
        filters[number] = chosen.size ? { values: chosen } : null;
        apply(number);
      });
      const item = make("li");
      item.append(button);
      ul.append(item);
      entries.push({ code, button, now, figure });
    };
    const codes = chart.values.map((_, code) => code);
    codes.slice(0, codes.length === SHOWN + 1 ? SHOWN + 1 : SHOWN).forEach(add);
    const rest = codes.slice(entries.length, 200);
    if (rest.length) {
      const more = make("button", "more", `${count(codes.length - entries.length)} more`);
      more.type = "button";
      more.addEventListener("click", () => {
        more.remove();
        ul.classList.add("long");
        rest.forEach(add);
        update();
      });
      box.append(more);
    }
    $("values").append(box);
    lists[number] = (counts) => {
      for (const { code, button, now, figure } of entries) {
        const value = isFiltered() ? counts[code] * share : chart.all[code];
        now.setAttribute("width", value ? Math.max(0.8, (value / most) * 100) : 0);
        figure.textContent = count(Math.round(value));
        const filter = filters[number];
        button.setAttribute("aria-pressed", Boolean(filter?.values.has(code)));
        button.classList.toggle("empty", !value);
      }
      box.classList.toggle("chosen", Boolean(filters[number]));
    };
  }

  const counted = () => {
    const counts = charts.map((chart) => new Uint32Array(chart.all.length));
    for (let i = 0; i < n; i++) {
      const bits = mask[i];
      if (bits === 0) for (let c = 0; c < counts.length; c++) counts[c][charts[c].codes[i]]++;
      else if ((bits & (bits - 1)) === 0) {
        const only = 31 - Math.clz32(bits);
        if (only < SEARCH) counts[only][charts[only].codes[i]]++;
      }
    }
    return counts;
  };

  // --- The table ---

  const byText = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const COLUMNS = [
    { key: "title", label: "Title", value: titleOf, text: true },
    { key: "duration", label: "Duration", value: (i) => at.duration_ms[i], down: true },
    { key: "lufs", label: "LUFS", value: (i) => at.lufs[i], down: true },
    { key: "peak", label: "Peak dB", value: (i) => at.peak_dbfs[i], down: true },
    { key: "format", label: "Format", value: (i) => `${at.codec[i]} ${at.sample_rate_hz[i]}`, text: true },
    { key: "license", label: "Licence", value: (i) => at.license[i], text: true },
    { key: "found", label: "Found by", value: (i) => at.found_by[i], text: true },
  ];
  let sort = { key: "duration", down: true };
  let order = [];
  let visible = [];
  let active = 0;
  const table = $("table");
  const body = $("rows");
  const sorted = () => {
    const column = COLUMNS.find((each) => each.key === sort.key);
    const values = Array.from({ length: n }, (_, i) => column.value(i));
    let rank = values;
    if (column.text) {
      const distinct = [...new Set(values)].filter((value) => value !== null).sort(byText.compare);
      const places = new Map(distinct.map((value, place) => [value, place]));
      rank = values.map((value) => (value === null ? null : places.get(value)));
    }
    const sign = sort.down ? -1 : 1;
    order = Array.from({ length: n }, (_, i) => i).sort((a, b) => {
      if (data.previews) {
        const heard = hasPreview(b) - hasPreview(a);
        if (heard) return heard;
      }
      if (rank[a] === rank[b]) return a - b;
      if (rank[a] === null) return 1;
      if (rank[b] === null) return -1;
      return sign * (rank[a] - rank[b]);
    });
  };
  const head = $("head");
  head.append(make("span", "play"), make("span", "wave"));
  for (const column of COLUMNS) {
    const cell = make("span", column.key);
    cell.setAttribute("role", "columnheader");
    const button = make("button", "", column.label);
    button.type = "button";
    button.addEventListener("click", () => {
      sort = { key: column.key, down: sort.key === column.key ? !sort.down : Boolean(column.down) };
      sorted();
      list_();
    });
    cell.append(button);
    head.append(cell);
  }
  const rowHeight = () => (matchMedia("(max-width: 760px)").matches ? 84 : 52);
  const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let tones = null;
  const paint = (canvas, i, played) => {
    const ratio = devicePixelRatio || 1;
    const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
    if (!wide) return;
    canvas.width = wide * ratio;
    canvas.height = high * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const bars = Math.min(peaks, Math.floor(wide / 3));
    const step = wide / bars;
    tones ??= { wave: tone("--wave"), accent: tone("--accent") };
    for (let bar = 0; bar < bars; bar++) {
      let peak = 0;
      const [from, to] = [Math.floor((bar * peaks) / bars), Math.floor(((bar + 1) * peaks) / bars)];
      for (let k = from; k < to; k++) peak = Math.max(peak, parseInt(waveforms[i * peaks + k], 32));
      const height = Math.max(1.5, (peak / 31) * high);
      context.fillStyle = (bar + 0.5) / bars <= played ? tones.accent : tones.wave;
      context.beginPath();
      context.roundRect(bar * step + step * 0.15, (high - height) / 2, step * 0.62, height, step * 0.31);
      context.fill();
    }
  };
  const cells = new Map();
  const rowOf = (i, place) => {
    const row = make("div", "row");
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", place + 2);
    row.id = `row-${i}`;
    const cell = (name, text) => {
      const element = make("span", name, text);
      element.setAttribute("role", "gridcell");
      row.append(element);
      return element;
    };
    const button = make("button");
    button.type = "button";
    button.tabIndex = -1;
    cell("play").append(button);
    const canvas = make("canvas");
    cell("wave").append(canvas);
    const title = cell("title");
    title.append(make("bdi", "name", titleOf(i)));
    const sub = make("small");
    for (const text of [at.artist[i], hostOf(i)].filter(Boolean)) sub.append(make("bdi", "", text));
    title.append(sub);
    title.title = at.source_url[i];
    cell("duration", lasting(at.duration_ms[i]));
    cell("lufs", at.lufs[i] === null ? "–" : minus((at.lufs[i] / 10).toFixed(1)));
    cell("peak", at.peak_dbfs[i] === null ? "–" : minus((at.peak_dbfs[i] / 10).toFixed(1)));
    const format = cell("format", at.codec[i] || "–");
    const rate = [at.sample_rate_hz[i] && kHz(at.sample_rate_hz[i]), at.channels[i] && (CHANNELS[at.channels[i]] || `${at.channels[i]} ch`)];
    format.append(make("small", "", rate.filter(Boolean).join(" ")));
    cell(at.license[i] === null ? "license none" : "license").append(make("bdi", "", at.license[i] ?? "not stated"));
    cell("found", at.found_by[i] || "");
    if (at.status[i] === "partial") title.append(make("em", "partial", "partial"));
    const found = { row, canvas, button };
    return found;
  };
  const render = () => {
    const height = rowHeight();
    const top = Math.max(0, table.scrollTop - head.offsetHeight);
    const from = Math.max(0, Math.floor(top / height) - 4);
    const to = Math.min(visible.length, Math.ceil((top + table.clientHeight) / height) + 4);
    const wanted = new Set();
    for (let place = from; place < to; place++) wanted.add(visible[place]);
    for (const [i, each] of cells) {
      if (!wanted.has(i)) each.row.remove(), cells.delete(i);
    }
    for (let place = from; place < to; place++) {
      const i = visible[place];
      let each = cells.get(i);
      if (!each) {
        cells.set(i, (each = rowOf(i, place)));
        body.append(each.row);
        paint(each.canvas, i, i === playing ? progress() : 0);
      }
      each.row.style.transform = `translateY(${place * height}px)`;
      each.row.setAttribute("aria-rowindex", place + 2);
      each.row.setAttribute("aria-selected", place === active);
      each.row.classList.toggle("active", place === active);
      mark(i, each);
    }
    if (visible.length) table.setAttribute("aria-activedescendant", `row-${visible[active]}`);
  };
  const list_ = () => {
    visible = order.filter((i) => mask[i] === 0);
    active = Math.max(0, Math.min(active, visible.length - 1));
    body.style.height = `${visible.length * rowHeight()}px`;
    table.setAttribute("aria-rowcount", visible.length + 1);
    table.scrollTop = 0;
    active = 0;
    for (const column of COLUMNS) {
      const cell = head.querySelector(`.${column.key}`);
      cell.setAttribute("aria-sort", sort.key !== column.key ? "none" : sort.down ? "descending" : "ascending");
    }
    render();
  };
  const go = (place) => {
    active = Math.max(0, Math.min(visible.length - 1, place));
    const height = rowHeight();
    const room = table.clientHeight - head.offsetHeight;
    const top = active * height;
    if (top < table.scrollTop) table.scrollTop = top;
    else if (top + height > table.scrollTop + room) table.scrollTop = top + height - room;
    render();
  };
  table.addEventListener("scroll", () => requestAnimationFrame(render), { passive: true });
  table.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    const i = +row.id.slice(4);
    active = visible.indexOf(i);
    render();
    if (event.target.tagName === "CANVAS") {
      const area = event.target.getBoundingClientRect();
      play(i, (event.clientX - area.left) / area.width);
    } else if (event.target.closest(".play")) i === playing ? toggle() : play(i);
    else show(i);
  });
  table.addEventListener("keydown", (event) => {
    if (event.target !== table) return;
    const page = Math.max(1, Math.floor(table.clientHeight / rowHeight()) - 2);
    const moves = { ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page, Home: 0, End: Infinity };
    if (event.key in moves) go(moves[event.key]);
    else if (event.key === " " || event.key === "Enter") {
      const i = visible[active];
      if (i !== undefined) i === playing ? toggle() : play(i);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") seekBy(event.key === "ArrowLeft" ? -5 : 5);
    else return;
    event.preventDefault();
  });

  // --- The player ---

  const audio = $("audio");
  let playing = null;
  const hasPreview = (i) => (data.previews && data.previews[keyOf(i)] ? 1 : 0);
  const keyOf = (i) => at.sha256.slice(i * 64, i * 64 + 64);
  const objectOf = (i) => {
    if (data.objects === null || !at.extension[i]) return null;
    const key = keyOf(i);
    return `${data.objects}sha256/${key.slice(0, 2)}/${key.slice(2, 4)}/${key}.${encodeURIComponent(at.extension[i])}`;
  };
  const blobs = new Map();
  const soundOf = (i) => {
    const key = keyOf(i);
    const preview = data.previews && data.previews[key];
    if (!preview) return objectOf(i);
    if (!blobs.has(key)) {
      const sound = Uint8Array.from(atob(preview), (letter) => letter.charCodeAt(0));
      blobs.set(key, URL.createObjectURL(new Blob([sound], { type: "audio/ogg" })));
    }
    return blobs.get(key);
  };
  const progress = () => (audio.duration ? audio.currentTime / audio.duration : 0);
  const mark = (i, each) => {
    const now = i === playing && !audio.paused;
    each.button.className = now ? "pause" : "";
    each.button.setAttribute("aria-label", `${now ? "Pause" : "Play"} ${titleOf(i)}`);
    each.button.disabled = !soundOf_(i);
    each.row.classList.toggle("playing", i === playing);
  };
  const soundOf_ = (i) => hasPreview(i) || objectOf(i);
  function show(i) {
    if (i === playing) return;
    playing = i;
    audio.pause();
    const sound = soundOf(i);
    sound ? (audio.src = sound) : audio.removeAttribute("src");
    $("player").hidden = false;
    document.body.classList.add("has-player");
    $("now-title").replaceChildren(make("bdi", "", titleOf(i)));
    const parts = [at.artist[i], hostOf(i), bytes(at.size_bytes[i] ?? 0)].filter(Boolean);
    $("now-sub").replaceChildren(...parts.map((text) => make("bdi", "", text)));
    const links = [["source", at.source_url[i]], ["page", at.page_url[i]], ["licence", at.license_url[i]]].filter(([, address]) => isWeb(address));
    const nodes = links.map(([name, address]) => link(name, address));
    if (objectOf(i)) nodes.unshift(link("file", objectOf(i)));
    $("now-links").replaceChildren(...nodes);
    $("toggle").disabled = !sound;
    say(sound ? "" : "In a bucket: `scrapy report --listen N` embeds previews");
    for (const [j, each] of cells) paint(each.canvas, j, 0), mark(j, each);
    tick();
  }
  const link = (name, address) => {
    const a = make("a", "", name);
    Object.assign(a, { href: address, target: "_blank", rel: "noreferrer noopener" });
    return a;
  };
  const say = (text) => {
    if (text) $("now-sub").textContent = text;
    $("now-sub").classList.toggle("told", Boolean(text));
  };
  function play(i, place) {
    show(i);
    if (!soundOf(i)) return;
    if (place !== undefined) {
      const seek = () => (audio.currentTime = place * audio.duration);
      audio.readyState ? seek() : audio.addEventListener("loadedmetadata", seek, { once: true });
    }
    audio.play().catch(() => {});
  }
  const toggle = () => (audio.paused ? audio.play().catch(() => {}) : audio.pause());
  const seekBy = (seconds) => {
    if (audio.duration) audio.currentTime = Math.max(0, Math.min(audio.duration, audio.currentTime + seconds));
  };
  const tick = () => {
    if (playing === null) return;
    const part = progress();
    const each = cells.get(playing);
    if (each) paint(each.canvas, playing, part);
    paint($("now-wave").firstElementChild, playing, part);
    $("now-wave").lastElementChild.value = part * 1000;
    const length = audio.duration || at.duration_ms[playing] / 1000;
    $("now-time").textContent = `${clock(audio.currentTime)} / ${clock(length)}`;
    const now = !audio.paused;
    $("toggle").className = now ? "pause" : "";
    $("toggle").setAttribute("aria-label", now ? "Pause" : "Play");
    if (each) mark(playing, each);
  };
  for (const name of ["timeupdate", "play", "pause", "ended", "loadedmetadata", "seeked"]) audio.addEventListener(name, tick);
  audio.addEventListener("play", function smooth() {
    if (audio.paused) return;
    tick();
    setTimeout(() => requestAnimationFrame(smooth), 60);
  });
  audio.addEventListener("error", () => {
    if (audio.getAttribute("src")) say(`Cannot be played here (${at.codec[playing]}), or is not there: try the file itself.`);
  });
  $("toggle").addEventListener("click", toggle);
  $("now-wave").lastElementChild.addEventListener("input", (event) => {
    if (audio.duration) audio.currentTime = (event.target.value / 1000) * audio.duration;
    else if (playing !== null) play(playing, event.target.value / 1000);
  });
  $("close").addEventListener("click", () => {
    audio.pause();
    audio.removeAttribute("src");
    playing = null;
    $("player").hidden = true;
    document.body.classList.remove("has-player");
    for (const [j, each] of cells) paint(each.canvas, j, 0), mark(j, each);
  });

  // --- What is above the table ---

  const chips = () => {
    const nodes = [];
    filters.forEach((filter, number) => {
      if (!filter) return;
      const chart = charts[number];
      const text = filter.values
        ? [...filter.values].map((code) => valueText(chart, chart.values[code])).join(", ")
        : histograms[number].words(filter);
      const chip = make("button", "chip");
      chip.type = "button";
      chip.append(make("span", "", chart.label), make("bdi", "", text));
      chip.setAttribute("aria-label", `Remove the filter ${chart.label} ${text}`);
      chip.addEventListener("click", () => {
        filters[number] = null;
        apply(number);
      });
      nodes.push(chip);
    });
    if (isFiltered()) {
      const all = make("button", "clear", "Clear all");
      all.type = "button";
      all.addEventListener("click", clearAll);
      nodes.push(all);
    }
    $("chips").replaceChildren(...nodes);
  };
  const summary = () => {
    let [length, size] = [0, 0];
    for (const i of visible) (length += at.duration_ms[i]), (size += at.size_bytes[i] ?? 0);
    const files = n === 1 ? "file" : "files";
    const found = isFiltered() ? `${count(visible.length)} of ${count(n)} ${files}` : `${count(n)} ${files}`;
    const title = $("found");
    title.textContent = found;
    title.append(make("small", "", [span(length), bytes(size)].join(" · ")));
  };
  function update() {
    const counts = counted();
    charts.forEach((chart, number) => (chart.edges ? histograms[number].show(counts[number]) : lists[number](counts[number])));
    list_();
    chips();
    summary();
    $("empty").hidden = visible.length > 0;
    $("command").hidden = !isFiltered() && !data.where;
    $("command").firstElementChild.textContent = command();
  }
  $("empty").querySelector("button").addEventListener("click", clearAll);
  let typing = null;
  $("search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => search(event.target.value), n > 5000 ? 120 : 0);
  });
  $("command").lastElementChild.addEventListener("click", async (event) => {
    const text = command();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.body.appendChild(make("textarea", "unseen"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    event.target.textContent = "Copied";
    setTimeout(() => (event.target.textContent = "Copy"), 1500);
  });
  addEventListener("keydown", (event) => {
    const typed = event.target.matches("input[type=search], textarea");
    if (event.key === "/" && !typed) {
      event.preventDefault();
      $("search").focus();
    } else if (event.key === "Escape" && isFiltered()) {
      clearAll();
    } else if (event.key === "Enter" && event.target === $("search")) {
      table.focus();
    }
  });
  let resized = null;
  addEventListener("resize", () => {
    clearTimeout(resized);
    resized = setTimeout(() => {
      for (const each of cells.values()) each.row.remove();
      cells.clear();
      list_();
      tick();
    }, 100);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    tones = null;
    for (const [i, each] of cells) paint(each.canvas, i, i === playing ? progress() : 0);
    tick();
  });

  if (n) {
    $("charts").hidden = false;
    $("files").hidden = false;
    charts.forEach((chart, number) => (chart.edges ? histogram : list)(chart, number));
    sorted();
    update();
  }
  document.documentElement.dataset.ready = "yes";
})();
