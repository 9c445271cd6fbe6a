"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const chart = document.querySelector(".chart");
  const still = chart.querySelector("svg");
  const STATES = ["running", "holding", "waiting", "native", "ready", "blocked", "unknown"];
  const STACKED = [0, 1, 3, 2, 4, 6]; // from the bottom of a row to its top
  const LEFT = 158, RIGHT = 8, TOP = 26, LANE = 22, GIL = 30, CORE = 16, GAP = 5;
  const start = data.start_s, total = Math.max(data.end_s - start, data.cell_s);
  const least = Math.min(total, data.cell_s * 20);
  let from = start, to = start + total, scheduled = false, mouse = null;

  // Values of 0 – 1 by cell; NaN where nothing is known.
  const place = new Map([...data.digits].map((digit, i) => [digit, i / (data.digits.length - 1)]));
  const values = (text) => Float32Array.from(text, (c) => (c === " " ? NaN : place.get(c)));

  const rows = [];
  for (const gil of data.gils)
    rows.push({ kind: "gil", name: gil.name, height: GIL, held: values(gil.held), waiters: values(gil.waiters) });
  const groups = new Set(data.lanes.map((lane) => lane.group));
  let group;
  for (const lane of data.lanes) {
    if (groups.size > 1 && lane.group !== group) rows.push({ kind: "group", name: group = lane.group, height: LANE });
    const states = new Map(Object.entries(lane.states).map(([state, text]) => [Number(state), values(text)]));
    rows.push({ kind: "lane", name: lane.name, height: LANE, states, lane });
  }
  for (const core of data.cores)
    rows.push({ kind: "core", name: `core ${core.core}`, height: CORE, busy: values(core.busy), target: values(core.target) });
  let height = TOP;
  for (const row of rows) { row.y = height; height += row.height + GAP; }
  const known = values(data.gils[0]?.held ?? data.cores[0]?.busy ?? "");

  const canvas = document.createElement("canvas");
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", still.getAttribute("aria-label") + "; + and − zoom, arrows move");
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  chart.append(canvas, tip);
  still.style.display = "none";
  document.querySelectorAll(".controls, .live").forEach((element) => { element.hidden = false; });
  const pen = canvas.getContext("2d");

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  let paints = {};
  function pattern(name, size, base, draw) {
    const tile = document.createElement("canvas"), scale = devicePixelRatio || 1;
    tile.width = tile.height = Math.round(size * scale);
    const brush = tile.getContext("2d");
    brush.scale(tile.width / size, tile.width / size);
    brush.globalAlpha = base;
    brush.fillStyle = colour(name);
    brush.fillRect(0, 0, size, size);
    brush.globalAlpha = 1;
    brush.strokeStyle = colour("ink");
    draw(brush);
    const made = pen.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix().scale(1 / scale));
    return made;
  }
  const line = (brush, ...points) => {
    brush.beginPath();
    for (let i = 0; i < points.length; i += 4) { brush.moveTo(points[i], points[i + 1]); brush.lineTo(points[i + 2], points[i + 3]); }
    brush.stroke();
  };
  const dot = (brush, x, y) => { brush.fillStyle = colour("waiting"); brush.beginPath(); brush.arc(x, y, 1.1, 0, 7); brush.fill(); };
  function mix() {
    paints = {
      running: colour("running"), other: colour("other"),
      holding: pattern("holding", 6, 1, (b) => line(b, 0, 0, 6, 6, 6, 0, 0, 6)),
      native: pattern("native", 6, 1, (b) => line(b, -1, 5, 5, -1, 1, 7, 7, 1, -1, 1, 1, -1)),
      waiting: pattern("waiting", 5, 0.32, (b) => { dot(b, 1.5, 1.5); dot(b, 4, 4); }),
      ready: pattern("ready", 5, 1, (b) => line(b, 1.5, 0, 1.5, 5)),
      unknown: pattern("unknown", 8, 0.3, (b) => { b.strokeStyle = colour("unknown"); b.lineWidth = 2; line(b, 1, 4, 6, 4); }),
    };
  }

  const x = (s) => LEFT + ((s - from) / (to - from)) * (canvas.clientWidth - LEFT - RIGHT);
  const seconds = (px) => from + ((px - LEFT) / (canvas.clientWidth - LEFT - RIGHT)) * (to - from);

  // The mean of a column's cells; -1 where none is known.
  function mean(list, begin, end) {
    let sum = 0, count = 0;
    for (let i = begin; i < end; i++) { const v = list[i]; if (v === v && v !== undefined) { sum += v; count++; } }
    return count ? sum / count : -1;
  }

  function columns(draw) {
    const first = Math.max(0, Math.floor((from - start) / data.cell_s)), last = Math.min(data.cells, Math.ceil((to - start) / data.cell_s));
    const wide = x(data.cell_s) - x(0);
    const step = Math.max(1, Math.floor(1 / wide));
    for (let i = first - (first % step); i < last; i += step) {
      const end = Math.min(last, i + step);
      const left = Math.max(LEFT, x(start + i * data.cell_s)), right = Math.min(x(start + end * data.cell_s), canvas.clientWidth - RIGHT);
      if (right > left) draw(i, end, left, right - left);
    }
  }

  function bar(kind, left, width, y, height) {
    pen.fillStyle = paints[kind];
    pen.fillRect(left, y, width + 0.4, height);
  }

  function drawRow(row) {
    pen.strokeStyle = colour("edge");
    line(pen, LEFT, row.y + row.height + 0.5, canvas.clientWidth - RIGHT, row.y + row.height + 0.5);
    pen.fillStyle = colour("text");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.font = `${row.kind === "group" ? "700 " : ""}12px system-ui, "DejaVu Sans", sans-serif`;
    let name = row.name;
    while (name.length > 2 && pen.measureText(name).width > LEFT - 12) name = name.slice(0, -2) + "…";
    pen.fillText(name, LEFT - 8, row.y + row.height / 2);
    if (row.kind === "lane") {
      columns((begin, end, left, width) => {
        let top = 0;
        for (const state of STACKED) {
          const list = row.states.get(state);
          const share = list ? Math.max(0, mean(list, begin, end)) : 0;
          const next = Math.min(1, top + share);
          if (next - top > 0.004) bar(STATES[state], left, width, row.y + row.height * (1 - next), row.height * (next - top));
          top = next;
        }
      });
    } else if (row.kind === "gil") {
      const points = [];
      columns((begin, end, left, width) => {
        const held = mean(row.held, begin, end), waiters = mean(row.waiters, begin, end);
        if (held > 0) bar("running", left, width, row.y + row.height * (1 - held), row.height * held);
        if (held < 0) bar("unknown", left, width, row.y, row.height);
        points.push([left, left + width, waiters]);
      });
      pen.strokeStyle = colour("mark");
      pen.lineWidth = 1.5;
      pen.beginPath();
      let broken = true;
      for (const [begin, end, waiters] of points) {
        if (waiters < 0) { broken = true; continue; }
        const y = row.y + row.height * (1 - waiters);
        if (broken) pen.moveTo(begin, y); else pen.lineTo(begin, y);
        pen.lineTo(end, y);
        broken = false;
      }
      pen.stroke();
      pen.lineWidth = 1;
    } else if (row.kind === "core") {
      columns((begin, end, left, width) => {
        const busy = mean(row.busy, begin, end), target = mean(row.target, begin, end);
        if (busy > 0) bar("other", left, width, row.y + row.height * (1 - busy), row.height * busy);
        if (target > 0) bar("native", left, width, row.y + row.height * (1 - target), row.height * target);
      });
    }
  }

  const clock = (s, step) => {
    const digits = step < 1 ? Math.min(4, Math.ceil(-Math.log10(step) - 1e-9)) : 0;
    if (start + total < 60) return `${s.toFixed(digits)} s`;
    const minutes = Math.floor(s / 60 + 1e-9), rest = Math.max(0, s - minutes * 60);
    return `${minutes}:${rest.toFixed(digits).padStart(digits ? digits + 3 : 2, "0")}`;
  };

  function axis() {
    const room = (canvas.clientWidth - LEFT - RIGHT) / 90;
    let step = 10 ** Math.floor(Math.log10((to - from) / room));
    for (const factor of [1, 2, 5, 10]) if ((to - from) / (step * factor) <= room) { step *= factor; break; }
    if (step > 5) step = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].find((s) => s >= step) ?? Math.ceil(step / 3600) * 3600;
    pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    for (let n = Math.ceil(from / step - 1e-9); n * step <= to + 1e-9; n++) {
      const at = x(n * step);
      pen.strokeStyle = colour("grid");
      line(pen, at, TOP - 6, at, height);
      pen.fillStyle = colour("soft");
      pen.fillText(clock(n * step, step), Math.min(Math.max(at, LEFT + 10), canvas.clientWidth - 24), TOP - 10);
    }
  }

  function happened() {
    for (const [begin, end, ] of data.gaps) {
      if (end < from || begin > to) continue;
      const left = Math.max(LEFT, x(begin)), right = Math.min(canvas.clientWidth - RIGHT, x(end));
      pen.fillStyle = colour("unknown");
      pen.fillRect(left, TOP - 5, Math.max(1.5, right - left), 3);
    }
    pen.strokeStyle = colour("mark");
    for (const [at] of data.events)
      if (at >= from && at <= to) line(pen, x(at), TOP - 6, x(at), TOP - 1);
  }

  function draw() {
    scheduled = false;
    const ratio = devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(height * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, height);
    axis();
    rows.forEach(drawRow);
    happened();
    if (mouse) { pen.strokeStyle = colour("mark"); line(pen, mouse.x, TOP - 4, mouse.x, height); }
    const span = to - from;
    const shown = span >= 1 ? `${span.toFixed(span < 10 ? 2 : 0)} s` : `${(span * 1000).toFixed(0)} ms`;
    document.querySelector(".controls output").value = `${clock(from, span / 100)} – ${clock(to, span / 100)} (${shown})`;
  }
  const redraw = () => { if (!scheduled) { scheduled = true; requestAnimationFrame(draw); } };

  function show(begin, end) {
    const span = Math.min(total, Math.max(least, end - begin));
    from = Math.min(Math.max(start, begin), start + total - span);
    to = from + span;
    redraw();
  }
  function zoom(factor, at = (from + to) / 2) { show(at - (at - from) * factor, at + (to - at) * factor); }
  const moves = {
    in: () => zoom(0.5), out: () => zoom(2), all: () => show(start, start + total),
    left: () => show(from - (to - from) / 4, to - (to - from) / 4), right: () => show(from + (to - from) / 4, to + (to - from) / 4),
  };
  document.querySelectorAll("[data-do]").forEach((button) => button.addEventListener("click", moves[button.dataset.do]));
  canvas.addEventListener("keydown", (event) => {
    const move = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "all", Home: "all" }[event.key];
    if (move) { event.preventDefault(); moves[move](); }
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const span = to - from;
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) show(from + (event.deltaX / 600) * span, to + (event.deltaX / 600) * span);
    else zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), seconds(Math.max(LEFT, event.offsetX)));
  }, { passive: false });
  let held = null;
  canvas.addEventListener("pointerdown", (event) => { held = { x: event.offsetX, from, to }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointercancel", () => { held = null; });
  canvas.addEventListener("dblclick", (event) => zoom(0.4, seconds(event.offsetX)));
  canvas.addEventListener("pointerleave", () => { mouse = null; tip.hidden = true; redraw(); });
  canvas.addEventListener("pointermove", (event) => {
    if (held) {
      const moved = ((event.offsetX - held.x) / (canvas.clientWidth - LEFT - RIGHT)) * (held.to - held.from);
      show(held.from - moved, held.to - moved);
    }
    mouse = event.offsetX >= LEFT ? { x: event.offsetX, y: event.offsetY } : null;
    explain(event.offsetX, event.offsetY);
    redraw();
  });

  const percent = (v) => (v < 0 ? "?" : `${(100 * v).toFixed(0)} %`);
  function explain(px, py) {
    const row = rows.find((row) => py >= row.y && py < row.y + row.height + GAP);
    const at = seconds(px), cell = Math.floor((at - start) / data.cell_s);
    const width = Math.max(1, Math.ceil((seconds(px + 1) - at) / data.cell_s));
    tip.hidden = px < LEFT || (!row && py > TOP);
    if (tip.hidden) return;
    const words = [`${at.toFixed(data.cell_s < 0.01 ? 3 : 2)} s`];
    if (row?.kind === "lane") {
      words[0] += `  ${row.name}`;
      if (at < row.lane.start_s) words.push("not started yet");
      else if (at > row.lane.end_s) words.push("ended");
      else {
        let rest = 1;
        for (const state of STACKED) {
          const list = row.states.get(state), share = list ? Math.max(0, mean(list, cell, cell + width)) : 0;
          rest -= share;
          if (share > 0.004) words.push(`${STATES[state]} ${percent(share)}`);
        }
        if (rest > 0.01) words.push(known.length && mean(known, cell, cell + width) < 0 ? "nothing known" : `blocked ${percent(rest)}`);
      }
    } else if (row?.kind === "gil") {
      const waiters = mean(row.waiters, cell, cell + width);
      words.push(`${row.name} held ${percent(mean(row.held, cell, cell + width))}`, `${waiters < 0 ? "?" : (waiters * data.waiters_max).toFixed(1)} waiting`);
    } else if (row?.kind === "core") {
      words.push(`${row.name} busy ${percent(mean(row.busy, cell, cell + width))}`, `this program ${percent(mean(row.target, cell, cell + width))}`);
    } else if (!row) {
      const near = (3 * (to - from)) / canvas.clientWidth;
      for (const [when, kind, text] of data.events) if (Math.abs(when - at) <= near) words.push(`${kind} ${text}`);
      for (const [begin, end, text] of data.gaps) if (begin - near <= at && at <= end + near) words.push(`not read: ${text}`);
    }
    tip.textContent = words.slice(0, 9).join("\n");
    tip.style.left = `${Math.min(px + 14, canvas.clientWidth - tip.offsetWidth - 4)}px`;
    tip.style.top = `${Math.min(py + 14, Math.max(0, height - tip.offsetHeight))}px`;
  }

  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { mix(); redraw(); });
  mix();
  draw();
  document.documentElement.dataset.script = "ran";
})();
