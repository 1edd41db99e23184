"use strict";
(() => {

const data = JSON.parse(document.getElementById("data").textContent);
const [moves, cases] = [data.moves ?? [], data.cases ?? []];

// Ours have filled symbols and full lines; what they are compared with has hollow symbols and broken lines.
const WAYS = {
  "auto": [d3.symbolStar], "stop": [d3.symbolSquare], "precopy": [d3.symbolCircle], "hybrid": [d3.symbolTriangle],
  "by-hand": [d3.symbolSquare, "7 3"], "by-hand-disk": [d3.symbolDiamond, "2 3"], "page-server": [d3.symbolCircle, "7 3 2 3"],
  "lazy": [d3.symbolTriangle, "4 4"], "podman": [d3.symbolWye, "10 4"],
};

function lookOf({way}) {
  const known = Object.hasOwn(WAYS, way);
  const [symbol, dash] = known ? WAYS[way] : [d3.symbolCross, "1 2"];
  const color = `var(--way-${known ? way : "other"})`;
  return {symbol, dash: dash ?? "none", color, fill: dash ? "var(--bg)" : color, ours: !dash, rank: known ? Object.keys(WAYS).indexOf(way) : 99};
}

// ---- text and figures

const NONE = "–";
const MIB = 2 ** 20;
const known = value => typeof value === "number" && Number.isFinite(value);
const positive = value => known(value) && value > 0;
const over = (value, unit) => known(value) ? value / unit : null;
const digitsFor = size => size === 0 || size >= 100 ? 0 : size < 1 ? 3 : size < 10 ? 2 : 1;

const number = (value, digits = digitsFor(Math.abs(value))) =>
  known(value) ? value.toLocaleString("en-US", {minimumFractionDigits: digits, maximumFractionDigits: digits}) : NONE;
const short = value => known(value) ? value.toLocaleString("en-US", {maximumFractionDigits: 3}) : NONE;
const significant = (value, digits = 2) => value.toLocaleString("en-US", {maximumSignificantDigits: digits});
const withUnit = (value, unit) => known(value) ? `${number(value)}\u00a0${unit}` : NONE;
const millis = value => value >= 10000 ? withUnit(value / 1000, "s") : withUnit(value, "ms");
const percent = value => known(value) ? `${number(value * 100, 0)}\u00a0%` : NONE;
const text = value => value == null || value === "" ? NONE : String(value);
const nameOf = row => text(row.name);
const failures = row => row.failures ?? [];

function bytes(value) {
  if (!known(value)) return NONE;
  const power = value < 1024 ? 0 : Math.min(3, Math.floor(Math.log2(value) / 10));
  return `${significant(value / 1024 ** power, 4)}\u00a0${["B", "KiB", "MiB", "GiB"][power]}`;
}

const spread = (median, min, max, format = number) =>
  !known(median) ? NONE : format(median) + (known(min) && known(max) ? ` (${format(min)}–${format(max)})` : "");

const pen = document.createElement("canvas").getContext("2d");
pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
const widthOf = string => pen.measureText(string).width;

// ---- page

/** Strings among the children become text, never markup. */
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value != null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child != null));
  return element;
}

/** Columns are [name, cell of a row, class]; of a group's rows only the first has the first cell, for all of them. */
function table(label, columns, rows, groupOf) {
  const first = (row, kind, content, group) => row === group[0]
    ? el("th", {class: kind, scope: groupOf ? "rowgroup" : "row", rowspan: group.length}, content) : null;
  const line = (row, group) => el("tr", null, ...columns.map(([, cell, kind], column) =>
    column === 0 ? first(row, kind, cell(row), group) : el("td", {class: kind}, cell(row))));
  const groups = d3.groups(rows, groupOf ?? (row => row)).map(([, group]) => el("tbody", null, ...group.map(row => line(row, group))));
  const head = columns.map(([name, , kind]) => el("th", {scope: "col", class: kind}, name));
  return el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": label},
    el("table", {class: groupOf ? "grouped" : null}, el("thead", null, el("tr", null, ...head)), ...groups));
}

function foldedTable(label, columns, rows, groupOf) {
  const summary = el("summary", null, `table: ${label} (${rows.length} ${rows.length === 1 ? "row" : "rows"})`);
  return el("details", {open: rows.length <= 12}, summary, table(label, columns, rows, groupOf));
}

const facts = entries => el("dl", {class: "facts"}, ...entries.map(([name, value]) => el("div", null, el("dt", null, name), el("dd", null, value))));
const section = (heading, ...children) => el("section", null, el("h2", null, heading), ...children);

const pictures = new Map();

function plot(draw) {
  const box = el("div", {class: "plot"});
  pictures.set(box, {draw, width: 0});
  return box;
}

const panel = (heading, ...plots) => el("div", {class: "panel"}, heading == null ? null : el("h3", null, heading), el("div", {class: "row"}, ...plots));

function figure(label, caption, panels, kind = "") {
  return el("figure", {"aria-label": label, class: panels.length === 1 ? "single" : null},
    el("figcaption", null, caption), el("div", {class: `panels ${kind}`}, ...panels));
}

function drawAll() {
  for (const [box, picture] of pictures) {
    const width = box.closest("details:not([open])") ? 0 : box.clientWidth;
    if (width === 0 || width === picture.width) continue;
    picture.width = width;
    box.replaceChildren(picture.draw(width));
  }
}

function watch() {
  let [timer, opened] = [0, []];
  const observer = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(drawAll, 120);
  });
  for (const box of pictures.keys()) observer.observe(box);
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const details of opened) details.open = true;
    drawAll();
  });
  addEventListener("afterprint", () => opened.forEach(details => details.removeAttribute("open")));
}

const svg = (label, options) => d3.select(Plot.plot({marginTop: 4, marginBottom: 4, color: {type: "identity"}, ...options}))
  .attr("role", "img").attr("aria-label", label).node();
const within = width => ({textOverflow: "ellipsis", lineWidth: width / 12});

// Labels are given as `text`, since Plot leaves some of a log scale's out where it gets a `tickFormat`.
const bottomAxis = (ticks, label, format = short) =>
  Plot.axisX(ticks, {text: format, label, labelAnchor: "center", labelArrow: "none", labelOffset: 34, tickSize: 4});
const upright = ticks => Plot.gridX(ticks, {stroke: "var(--grid)", strokeOpacity: 1});
const leftAxis = (ticks, label, left) => [
  Plot.gridY(ticks, {stroke: "var(--grid)", strokeOpacity: 1}),
  Plot.axisY(ticks, {text: short, label: null, tickSize: 0}),
  Plot.text([label], {frameAnchor: "top-left", dx: -left, dy: -22, textAnchor: "start"}),
];

/** Ticks of a log scale: whole decades, and some between them where there are few decades. */
function logTicks([low, high], most) {
  const powers = d3.range(Math.floor(Math.log10(low)), Math.ceil(Math.log10(high)) + 1);
  const choices = [[1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(factors =>
    powers.flatMap(power => factors.map(factor => Number(`${factor}e${power}`))).filter(tick => tick >= low && tick <= high));
  const few = choices.find(ticks => ticks.length <= most) ?? choices.at(-1);
  return few.filter((_, index) => index % Math.ceil(few.length / most) === 0);
}

// ---- time line of a move

const inOrder = bars => d3.sort(bars.filter(bar => known(bar.fromMillis) && known(bar.toMillis) && bar.toMillis >= bar.fromMillis), bar => bar.fromMillis);
const jobOf = move => (move.job ?? []).map(part => ({...part, kind: "job", name: part.state === "still" ? "stands still" : text(part.state)}));
const barsOf = move => [...move.steps ?? [], ...jobOf(move)];

function spansOf(move) {
  const bars = inOrder(barsOf(move));
  const span = parts => parts.length === 0 ? null : [parts[0].fromMillis, d3.max(parts, part => part.toMillis)];
  const [all, still] = [span(bars), span(bars.filter(bar => bar.state === "still"))];
  const margin = still ? (still[1] - still[0]) / 5 : 0;
  return {
    still, whole: all ? [Math.min(0, all[0]), Math.max(move.totalMillis ?? 0, all[1], all[0] + 1)] : null,
    zoom: margin > 0 ? [still[0] - margin, still[1] + margin] : null,
  };
}

const LANES = {job: "job", stage: "stages", round: "rounds", step: "steps"};
const laneOf = bar => Object.hasOwn(LANES, bar.kind) ? bar.kind : "step";

function lanesOf(move, [begin, end]) {
  const sides = new Set(["source", "target", ...barsOf(move).map(bar => bar.side)]);
  const shade = (bar, index) => bar.kind === "job" ? bar.state === "still" ? "still" : "runs"
    : bar.kind === "stage" || bar.kind === "round" ? bar.kind + (index % 2 ? "2" : "") : "step";
  const clip = bar => ({...bar, whole: bar, name: nameOf(bar), fromMillis: Math.max(bar.fromMillis, begin), toMillis: Math.min(bar.toMillis, end)});
  return [...sides].map(side => ({
    heading: text(side) + ({source: `: ${text(move.from)}`, target: `: ${text(move.to)}`}[side] ?? ""),
    lanes: Object.entries(LANES).map(([kind, name]) => ({name, bars: inOrder(barsOf(move).filter(bar => bar.side === side && laneOf(bar) === kind))
      .map((bar, index) => ({...clip(bar), shade: `var(--${shade(bar, index)})`})).filter(bar => bar.fromMillis <= bar.toMillis)})).filter(({bars}) => bars.length > 0),
  })).filter(({lanes}) => lanes.length > 0);
}

/** Puts bars that overlap in rows below each other; bars that overlap by less than `slack` ms share a row. */
function stack(bars, slack) {
  const rows = [];
  for (const bar of bars) {
    const row = rows.find(others => others.at(-1).toMillis <= bar.fromMillis + slack);
    if (row) row.push(bar); else rows.push([bar]);
  }
  return rows;
}

/** Writes the names of a row's bars inside them, or beside them where there is room, or not at all. */
function labelsOf(row, x, y, left, right) {
  let taken = left;
  return row.flatMap((bar, index) => {
    const [from, to] = [x(bar.fromMillis), Math.max(x(bar.toMillis), x(bar.fromMillis) + 1.5)];
    const [width, before, next] = [widthOf(bar.name), taken, index + 1 < row.length ? x(row[index + 1].fromMillis) : right];
    taken = to;
    const label = at => [{x: x.invert(at), y, text: bar.name, fill: bar.state === "still" ? "var(--on-still)" : "var(--fg)"}];
    if (width + 8 <= to - from) return label((from + to - width) / 2);
    if (bar.state === "still") return [];
    if (width + 10 > next - to) return width + 10 <= from - before ? label(from - width - 4) : [];
    taken = to + width + 6;
    return label(to + 4);
  });
}

/** Heights are in pixels; a lane's name stands at its left, or above it where the picture is narrow. */
function layOut(move, domain, x, left, right) {
  const narrow = left < 30;
  const out = {bars: [], labels: [], names: [], height: -10};
  for (const {heading, lanes} of lanesOf(move, domain)) {
    out.names.push({y: out.height + 20, text: heading, weight: 600});
    out.height += 32;
    for (const {name, bars} of lanes) {
      out.height += narrow ? 16 : 0;
      out.names.push({y: out.height + (narrow ? -9 : 10), text: name, weight: 400});
      for (const row of stack(bars, (x.invert(1) - x.invert(0)) / 2)) {
        out.bars.push(...row.map(bar => ({...bar, y: out.height})));
        out.labels.push(...labelsOf(row, x, out.height + 10, left, right));
        out.height += 23;
      }
      out.height += 5;
    }
  }
  return out;
}

function gantt(move, domain, still, label, width) {
  const [left, right] = [width < 560 ? 6 : 62, width - 18];
  const x = d3.scaleLinear(domain, [left, right]);
  const {bars, labels, names, height} = layOut(move, domain, x, left, right);
  const [unit, size] = domain[1] - domain[0] > 10000 ? ["s", 1000] : ["ms", 1];
  const fits = tick => Math.min(x(tick), width - x(tick)) >= widthOf(short(tick / size)) / 2;
  const ticks = x.ticks(Math.max(2, Math.floor((right - left) / 90))).filter(fits);
  const howLong = ({name, whole}) => `${name}: from ${millis(whole.fromMillis)}, for ${millis(whole.toMillis - whole.fromMillis)}`;
  const naming = (weight, fill) => Plot.text(names.filter(name => name.weight === weight),
    {frameAnchor: "left", dx: -left, y: "y", text: "text", fontWeight: weight, fill, textAnchor: "start", ...within(right * .87)});
  return svg(label, {
    width, height: height + 48, marginLeft: left, marginRight: width - right, marginTop: 2, marginBottom: 46, x: {domain}, y: {domain: [height, 0], axis: null},
    marks: [
      Plot.rect(still ? [still] : [], {x1: "0", x2: "1", y1: 0, y2: height, fill: "var(--freeze)"}),
      upright(ticks), bottomAxis(ticks, `time since the move began (${unit})`, tick => short(tick / size)),
      Plot.rect(bars, {x1: "fromMillis", x2: bar => Math.max(bar.toMillis, x.invert(x(bar.fromMillis) + 1.5)), y1: "y", y2: bar => bar.y + 20,
        fill: "shade", stroke: "var(--edge)", strokeWidth: .6, title: howLong}),
      Plot.text(labels, {x: "x", y: "y", text: "text", fill: "fill", textAnchor: "start", pointerEvents: "none"}),
      naming(400, "var(--muted)"), naming(600, "var(--fg)"),
    ],
  });
}

function moveFacts(move) {
  const used = (end, name) => [[`${name} processor time`, withUnit(end?.cpuSeconds, "s")], [`${name} peak memory`, bytes(end?.peakBytes)]];
  return facts([
    ["from", text(move.from)], ["to", text(move.to)], ["way the memory goes", text(move.memory)], ["total", withUnit(move.totalMillis, "ms")],
    ["told frozen", withUnit(move.frozenMillis, "ms")], ["gap", withUnit(move.gapMillis, "ms")], ["silence", withUnit(move.silenceMillis, "ms")],
    ["memory", bytes(move.memoryBytes)], ["sent", bytes(move.sentBytes)], ["inherited", bytes(move.inheritedBytes)],
    ["sent late", bytes(move.lateBytes)], ...used(move.source, "source"), ...used(move.target, "target"),
  ]);
}

function movePictures(move) {
  const {whole, zoom, still} = spansOf(move);
  const picture = (label, caption, domain) => figure(label, caption, [panel(null, plot(width => gantt(move, domain, still, label, width)))]);
  if (whole === null) return [moveFacts(move), el("p", null, "No time line was recorded.")];
  return [
    moveFacts(move),
    picture(`time line of the whole move ${nameOf(move)}`,
      "The whole move: each bar is something a node did, from left to right in time; the shaded band is the freeze.", whole),
    zoom === null ? el("p", null, "No freeze was recorded, so there is no picture of it.") : picture(`time line of the freeze of the move ${nameOf(move)}`,
      `The freeze of the same move, enlarged: the job stands still in the shaded band, for ${millis(still[1] - still[0])}; bars that go on outside the picture are clipped.`, zoom),
    foldedTable("every step of this move", [
      ["side", step => text(step.side), "text"], ["kind", step => text(step.kind), "text"], ["name", step => text(step.name), "text long"],
      ["from (ms)", step => number(step.fromMillis)], ["for how long (ms)", step => known(step.fromMillis) && known(step.toMillis) ? number(step.toMillis - step.fromMillis) : NONE],
    ], barsOf(move)),
  ];
}

function movesSection() {
  if (moves.length === 0) return null;
  if (moves.length === 1) return section("time line of the move", el("h3", null, nameOf(moves[0])), ...movePictures(moves[0]));
  return section("time lines of the moves", ...moves.map((move, index) =>
    el("details", {class: "move", open: index === 0}, el("summary", null, nameOf(move)), ...movePictures(move))));
}

// ---- rounds of the moves

const rateOf = round => positive(round.millis) && known(round.bytes) ? round.bytes / 1000 / round.millis : null;
const roundsOf = move => (move.rounds ?? []).map((round, index) => ({...round, move, index: index + 1, mib: over(round.bytes, MIB), rate: rateOf(round)}));

function roundPlot(unit, rounds, y, ticks, marks, width) {
  const shown = d3.range(1, rounds.length + 1, Math.ceil(rounds.length * 28 / (width - 80)));
  return svg(`${unit} by round of the move ${nameOf(rounds[0].move)}`, {
    width, height: 190, marginLeft: 56, marginRight: 8, marginTop: 26, marginBottom: 40, y, x: {domain: [.5, rounds.length + .5]},
    marks: [...leftAxis(ticks, unit, 56), bottomAxis(shown, "round"), ...marks],
  });
}

function bytesPlot(rounds, width) {
  const shown = rounds.filter(round => positive(round.bytes));
  const domain = [(d3.min(shown, round => round.mib) ?? 1) / 2, (d3.max(shown, round => round.mib) ?? 1) * 2];
  return roundPlot("sent (MiB, log scale)", rounds, {domain, type: "log"}, logTicks(domain, 5), [
    Plot.line(shown, {x: "index", y: "mib", stroke: "var(--muted)"}),
    Plot.dot(shown, {x: "index", y: "mib", fill: "var(--way-precopy)", r: 4, title: round => bytes(round.bytes)}),
    Plot.text(rounds.filter(round => round.bytes === 0), {x: "index", y: domain[0], text: () => "0", dy: -7}),
  ], width);
}

function ratePlot(rounds, width) {
  const domain = [0, (d3.max(rounds, round => round.rate) || 1) * 1.1];
  const bar = {x1: round => round.index - .3, x2: round => round.index + .3, y1: 0, y2: "rate", fill: "var(--stage2)", stroke: "var(--edge)", strokeWidth: .6};
  return roundPlot("throughput (MB/s)", rounds, {domain}, d3.ticks(...domain, 4), [Plot.rect(rounds.filter(round => known(round.rate)), bar)], width);
}

function roundsSection() {
  const shown = moves.map(roundsOf).filter(rounds => rounds.length > 0);
  if (shown.length === 0) return null;
  return section("pre-copy rounds of our moves",
    figure("bytes and throughput by round", "Left or above is the memory each round sent, which should shrink from round to round; right or below is how fast it was sent.",
      shown.map(rounds => panel(nameOf(rounds[0].move), plot(width => bytesPlot(rounds, width)), plot(width => ratePlot(rounds, width))))),
    foldedTable("rounds", [
      ["move", row => nameOf(row.move), "text long"], ["round", row => short(row.index)], ["sent (MiB)", row => number(row.mib)],
      ["pages", row => short(row.pages)], ["time (ms)", row => number(row.millis)], ["throughput (MB/s)", row => number(row.rate)],
    ], shown.flat(), row => row.move));
}

// ---- downtime by way

const byName = d3.groups(cases, nameOf).map(([name, rows]) => [name, d3.sort(rows, row => lookOf(row).rank)]);
const sorted = byName.flatMap(([, rows]) => rows);
const CASE_AND_WAY = [["case", nameOf, "text long"], ["way", row => text(row.way), "text"]];
const GAPS = [["gap, median (ms)", row => known(row.gapMillis) ? number(row.gapMillis) : missing(row)],
  ["least (ms)", row => number(row.gapMinMillis)], ["greatest (ms)", row => number(row.gapMaxMillis)]];
const ranged = rows => rows.filter(row => positive(row.gapMinMillis) && positive(row.gapMaxMillis));
const noise = positive(data.noiseFloorMillis) ? data.noiseFloorMillis : null;

function gapDomain(rows, ...more) {
  const values = [...rows.flatMap(row => [row.gapMillis, row.gapMinMillis, row.gapMaxMillis]), ...more].filter(positive);
  return values.length === 0 ? null : [d3.min(values) / 1.3, d3.max(values) * 1.3];
}

/** One row for each way: its name, its marks, and a text after the marks' end (or before their begin). */
function wayRows(label, rows, width, {scale, room, axis, textOf, endsOf, marksOf}) {
  const [left, right] = [Math.min(width * .35, d3.max(rows, row => widthOf(text(row.way))) + 14), width - (axis ? 20 : 8)];
  scale.range([left, right - room]);
  const numbered = rows.map((row, index) => {
    const [[from, to], label] = [endsOf(row).map(scale), textOf(row)];
    const at = to + 9 + widthOf(label) <= width ? to + 9 : Math.max(left, from - widthOf(label) - 9);
    return {...row, index, label, at: scale.invert(at), look: lookOf(row)};
  });
  const bottom = axis ? 42 : 4;
  return svg(label, {
    width, height: rows.length * 21 + 4 + bottom, marginLeft: left, marginRight: width - right + room, marginBottom: bottom,
    x: {type: axis ? "log" : "linear", domain: scale.domain(), axis: null}, y: {domain: [rows.length - .5, -.5], axis: null},
    marks: [
      ...marksOf(numbered, Math.floor((right - left) / 50)),
      Plot.text(numbered, {frameAnchor: "left", dx: -left, y: "index", text: row => text(row.way), textAnchor: "start", ...within(left - 8)}),
      Plot.text(numbered, {x: "at", y: "index", text: "label", textAnchor: "start", stroke: "var(--bg)", strokeWidth: 4, fill: "var(--fg)"}),
    ],
  });
}

const failedCount = row => known(row.gapMillis) && failures(row).length > 0 ? `, ${failures(row).length} failed` : "";
const missing = row => failures(row).length > 0 ? "failed" : "not measured";
const gapText = row => known(row.gapMillis) ? millis(row.gapMillis) + failedCount(row) : missing(row);

function gapPlot(name, rows, domain, width) {
  return wayRows(`downtime by way, case ${name}`, rows, width, {
    scale: d3.scaleLog().domain(domain), room: 0, axis: true, textOf: gapText,
    endsOf: row => positive(row.gapMillis) ? d3.extent([row.gapMillis, row.gapMinMillis, row.gapMaxMillis].filter(positive)) : [noise ?? domain[0], noise ?? domain[0]],
    marksOf: (numbered, most) => [
      upright(logTicks(domain, most)), bottomAxis(logTicks(domain, most), "downtime (ms, log scale)"),
      Plot.ruleX(noise ? [noise] : [], {stroke: "var(--muted)", strokeDasharray: "3 3"}),
      Plot.ruleY(ranged(numbered), {x1: "gapMinMillis", x2: "gapMaxMillis", y: "index", stroke: row => row.look.color, strokeWidth: 2}),
      Plot.dot(numbered.filter(row => positive(row.gapMillis)), {x: "gapMillis", y: "index", r: 4.5, strokeWidth: 1.7,
        symbol: row => row.look.symbol, stroke: row => row.look.color, fill: row => row.look.fill}),
    ],
  });
}

function gapSection() {
  const domain = gapDomain(cases, noise);
  if (domain === null) return null;
  const line = noise ? `, and the broken line is the noise floor, ${millis(noise)}` : "";
  return section("downtime by way",
    figure("downtime by way, for every case", `Each symbol is the median gap of a way, the line through it goes from the least to the greatest${line}; further left is better.`,
      byName.map(([name, rows]) => panel(name, plot(width => gapPlot(name, rows, domain, width)))), "two"),
    foldedTable("downtime by way", [...CASE_AND_WAY, ...GAPS, ["noise of the case (ms)", row => number(row.noiseMillis)]], sorted, nameOf));
}

// ---- downtime against memory size or dirty rate

const TRAITS = {
  payload: value => `payload ${value}`, memoryBytes: value => `${bytes(value)} of memory`, dirtyMBps: value => `dirty rate ${short(value)} MiB/s`,
  processes: value => `processes ${short(value)}`, connections: value => `connections ${short(value)}`, link: value => `link ${value}`, compress: value => `compress ${value}`,
};

/** The groups of cases that differ in `varied` only, and have at least two values of it. */
function groupsBy(varied, usable) {
  const traits = Object.keys(TRAITS).filter(trait => trait !== varied);
  const rows = cases.filter(row => usable(row[varied]) && positive(row.gapMillis));
  return d3.groups(rows, row => JSON.stringify(traits.map(trait => row[trait] ?? "")))
    .map(([, group]) => d3.sort(group, row => row[varied], row => lookOf(row).rank))
    .filter(group => group[0][varied] !== group.at(-1)[varied])
    .map(group => ({
      title: traits.filter(trait => text(group[0][trait]) !== NONE).map(trait => TRAITS[trait](group[0][trait])).join(", "),
      rows: group, ways: d3.groups(d3.sort(group, row => lookOf(row).rank), row => row.way),
    }));
}

function legendItem([way]) {
  const look = lookOf({way});
  const root = d3.create("svg").attr("width", 36).attr("height", 14).attr("aria-hidden", "true");
  root.append("line").attr("x2", 36).attr("y1", 7).attr("y2", 7).attr("stroke", look.color).attr("stroke-width", 1.5).attr("stroke-dasharray", look.dash);
  root.append("path").attr("d", d3.symbol(look.symbol, 52)()).attr("transform", "translate(18,7)").attr("stroke", look.color).attr("fill", look.fill).attr("stroke-width", 1.7);
  return el("li", null, root.node(), text(way));
}

/** The marks of one way, moved aside by `dx` so that ways of equal downtime do not hide each other. */
function curveMarks([way, rows], dx, at) {
  const look = lookOf({way});
  const place = {x: at, dx, stroke: look.color};
  return [
    Plot.line(rows, {...place, y: "gapMillis", strokeWidth: 1.5, strokeDasharray: look.dash}),
    Plot.ruleX(ranged(rows), {...place, y1: "gapMinMillis", y2: "gapMaxMillis", strokeWidth: 2}),
    Plot.dot(rows, {...place, y: "gapMillis", symbol: look.symbol, fill: look.fill, strokeWidth: 1.7, r: 4.5, title: row => `${text(way)}: ${millis(row.gapMillis)}`}),
  ];
}

function curvePlot({title, rows, ways}, varied, {label, format, scale}, width) {
  const [left, right, domain] = [58, width - 30, gapDomain(rows)];
  const values = [...new Set(rows.map(row => row[varied]))];
  const x = scale().domain([values[0], values.at(-1)]).range([left + 24, right - 24]);
  const ticks = values.reduce((kept, value) => kept.length > 0 && x(value) - x(kept.at(-1)) < 62 ? kept : [...kept, value], []);
  return svg(`downtime against ${label}: ${title}`, {
    width, height: 330, marginLeft: left, marginRight: width - right, marginTop: 26, marginBottom: 44, x: {type: "identity"}, y: {type: "log", domain},
    marks: [
      ...leftAxis(logTicks(domain, 8), "downtime (ms, log scale)", left),
      bottomAxis(ticks.map(x), label, (_, index) => format(ticks[index])),
      ...ways.flatMap((way, index) => curveMarks(way, (index - (ways.length - 1) / 2) * Math.min(6, 44 / ways.length), row => x(row[varied]))),
    ],
  });
}

function curveSection(varied, usable, options) {
  const groups = groupsBy(varied, usable);
  const caption = "Each symbol is the median gap of a way, its vertical line goes from the least to the greatest, and symbols of one value stand side by side; a way that failed has no symbol.";
  return groups.length === 0 ? null : section(`downtime against ${options.name}`, ...groups.flatMap(group => [
    figure(`downtime against ${options.name}: ${group.title}`, caption, [el("div", {class: "panel"}, el("h3", null, group.title),
      el("ul", {class: "legend"}, ...group.ways.map(legendItem)), plot(width => curvePlot(group, varied, options, width)))]),
    foldedTable(`downtime against ${options.name}`, [[options.label, row => options.format(row[varied]), "text"], CASE_AND_WAY[1], ...GAPS], group.rows, row => row[varied]),
  ]));
}

// ---- total time, processor seconds, bytes sent

const COSTS = [
  ["total time (s)", row => over(row.totalMillis, 1000), "s"],
  ["processor time (s)", row => row.cpuSeconds, "s"],
  ["sent (MiB)", row => over(row.sentBytes, MIB), "MiB"],
];

function costPlot(name, rows, [label, valueOf, unit], width) {
  const textOf = row => known(valueOf(row)) ? withUnit(valueOf(row), unit) : missing(row);
  return wayRows(`${label} by way, case ${name}`, rows, width, {
    scale: d3.scaleLinear().domain([0, d3.max(rows, valueOf) || 1]), room: d3.max(rows, row => widthOf(textOf(row))) + 4,
    textOf, endsOf: row => [0, valueOf(row) ?? 0],
    marksOf: numbered => [Plot.rect(numbered.filter(row => known(valueOf(row))), {x1: 0, x2: valueOf, y1: row => row.index - .36, y2: row => row.index + .36,
      stroke: row => row.look.color, fill: row => row.look.color, fillOpacity: row => row.look.ours ? .85 : .25})],
  });
}

function costSection() {
  if (!cases.some(row => COSTS.some(([, valueOf]) => known(valueOf(row))))) return null;
  const timed = sorted.filter(row => Object.keys(row.phases ?? {}).length > 0);
  const phases = [...new Set(timed.flatMap(row => Object.keys(row.phases)))];
  const small = (name, rows, cost) => el("div", null, el("div", {class: "muted"}, cost[0]), plot(width => costPlot(name, rows, cost, width)));
  return section("total time, processor time and bytes sent",
    figure("total time, processor time and bytes sent by way",
      "Shorter bars are better; each picture has its own scale, so compare the ways within a case; full bars are ours, pale bars are what they are compared with.",
      byName.map(([name, rows]) => panel(name, ...COSTS.map(cost => small(name, rows, cost))))),
    foldedTable("total time, processor time and bytes sent", [...CASE_AND_WAY, ...COSTS.map(([label, valueOf]) => [label, row => number(valueOf(row))])], sorted, nameOf),
    timed.length > 0 ? foldedTable("phases", [...CASE_AND_WAY, ...phases.map(phase => [`${phase} (ms)`, row => number(row.phases[phase])])], timed, nameOf) : null);
}

// ---- summary and foot

const gapCell = row => known(row.gapMillis) ? spread(row.gapMillis, row.gapMinMillis, row.gapMaxMillis) + failedCount(row) : missing(row);

function summarySection() {
  if (cases.length === 0) return null;
  const told = sorted.flatMap(row => failures(row).map(failure => el("li", null, `${nameOf(row)}, ${text(row.way)}: ${text(failure)}`)));
  return section("summary",
    table("summary of all cases", [
      ...CASE_AND_WAY, ["gap, median (min\u2060–\u2060max) (ms)", gapCell], ["told frozen (ms)", row => number(row.frozenMillis)], ["silence (ms)", row => number(row.silenceMillis)],
      ["total (s)", row => number(over(row.totalMillis, 1000))], ["CPU (s)", row => number(row.cpuSeconds)],
      ["peak memory (MiB)", row => number(over(row.peakBytes, MIB))], ["sent (MiB)", row => number(over(row.sentBytes, MIB))],
      ["ratio to by\u2011hand (gap; silence with connections), median (min\u2060–\u2060max)", row => spread(row.ratio, row.ratioMin, row.ratioMax, significant)],
      ["work mean\u00adwhile", row => percent(row.workMeanwhile)], ["work after", row => percent(row.workAfter)],
      ["pages, records right", row => row.verified == null ? NONE : row.verified ? "yes" : el("span", {class: "bad"}, "no")],
    ], sorted, nameOf),
    ...told.length === 0 ? [el("p", null, "No way failed.")] : [el("h3", null, "failures"), el("ul", {class: "failures"}, ...told)],
    foldedTable("what each case is", [
      CASE_AND_WAY[0], ["payload", row => text(row.payload), "text"], ["memory", row => bytes(row.memoryBytes)], ["dirty rate (MiB/s)", row => short(row.dirtyMBps)],
      ["processes", row => short(row.processes)], ["connections", row => short(row.connections)], ["link", row => text(row.link), "text"],
      ["compress", row => text(row.compress), "text"], ["repeats", row => short(row.repeats)],
    ], byName.map(([, rows]) => rows[0])));
}

const MACHINE = {time: "date", processor: "processor", cores: "cores", memoryBytes: "memory", kernel: "kernel", load: "load",
  javaVersion: "Java", criuVersion: "CRIU", apptainerVersion: "Apptainer", sshVersion: "ssh"};

function machineFacts() {
  const machine = data.machine ?? {};
  return [...new Set([...Object.keys(MACHINE), ...Object.keys(machine)])].filter(key => machine[key] != null).map(key => [
    Object.hasOwn(MACHINE, key) ? MACHINE[key] : key.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase(),
    key.endsWith("Bytes") ? bytes(machine[key]) : known(machine[key]) ? short(machine[key]) : text(machine[key])]);
}

function clockRemark(move) {
  const subject = `${moves.length > 1 ? `${nameOf(move)}: t` : "T"}imes of ${text(move.to)}`;
  if (!known(move.clockOffsetMillis)) return `${subject}: the offset of its clock is not known.`;
  return `${subject} are put on ${text(move.from)}'s clock: offset ${withUnit(move.clockOffsetMillis, "ms")}, known to ±\u00a0${withUnit(move.clockErrorMillis, "ms")}.`;
}

function notesSection() {
  const notes = data.notes ?? [];
  return notes.length === 0 ? null : section("do those who saw it agree?", el("ul", null, ...notes.map(note => el("li", null, text(note)))));
}

function build() {
  document.getElementById("report").append(...[
    el("header", null, el("h1", null, text(data.title)), el("p", {class: "muted"}, [data.machine?.time, data.machine?.processor].filter(Boolean).join(", "))),
    summarySection(), gapSection(),
    curveSection("memoryBytes", positive, {name: "memory size", label: "memory (log scale)", format: bytes, scale: d3.scaleLog}),
    curveSection("dirtyMBps", known, {name: "dirty rate", label: "dirty rate (MiB/s)", format: short, scale: d3.scaleLinear}),
    costSection(), movesSection(), roundsSection(), notesSection(),
    section("how this was measured", el("p", null, "command: ", el("code", null, text(data.command))),
      facts([["migrator version", text(data.version)], ...machineFacts(), ["noise floor", withUnit(data.noiseFloorMillis, "ms")]]),
      ...moves.map(move => el("p", null, clockRemark(move)))),
  ].filter(part => part !== null));
  drawAll();
  watch();
}

build();
})();
