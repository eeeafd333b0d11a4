"use strict";
(() => {
  const NARROW = 420; // points for a chart: below it panels and the names in legends stand one under the other
  const MANY_MARKS = 2500; // more than this are drawn on a canvas: so many nodes would make the page slow
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const status = document.getElementById("status");
  const say = (text) => { status.textContent = text; };

  // Tables ------------------------------------------------------------------------------------------------------
  const valueOf = (row, index) => {
    const cell = row.cells[index];
    const text = cell.dataset.sort ?? cell.textContent.trim();
    return text === "" || text === "-" || text === "None" ? null : text;
  };
  const compare = (one, other) => {
    const a = Number(one), b = Number(other);
    if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b;
    return one.localeCompare(other, "en", { numeric: true });
  };
  function sort(table, index) {
    const heads = [...table.tHead.rows[0].cells];
    const ascending = heads[index].getAttribute("aria-sort") !== "ascending";
    heads.forEach((head, place) => {
      if (place === index) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const rows = [...table.tBodies[0].rows].map((row, place) => ({ row, place, value: valueOf(row, index) }));
    rows.sort((one, other) => {
      if (one.value === null || other.value === null) {
        return (one.value === null) - (other.value === null) || one.place - other.place; // unknown ones come last
      }
      return (ascending ? 1 : -1) * compare(one.value, other.value) || one.place - other.place;
    });
    table.tBodies[0].append(...rows.map((item) => item.row));
    say(`Sorted by ${heads[index].textContent}, ${ascending ? "smallest" : "largest"} first`);
  }
  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((head, index) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, index));
      head.replaceChildren(button);
    });
  }
  for (const input of document.querySelectorAll("input[data-filter]")) {
    const table = document.getElementById(input.dataset.filter);
    const count = document.querySelector(`[data-count="${CSS.escape(input.dataset.filter)}"]`);
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      const rows = [...table.tBodies[0].rows];
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    });
  }

  // Charts ------------------------------------------------------------------------------------------------------
  const rowsOf = (columns) => {
    const names = Object.keys(columns);
    const lists = names.map((name) => {
      const own = columns[name];
      return Array.isArray(own) ? own : own.at.map((place) => own.words[place]);
    });
    return (lists[0] ?? []).map((_, row) => Object.fromEntries(names.map((name, at) => [name, lists[at][row]])));
  };
  const contents = new Map();
  function contentOf(name) {
    if (!contents.has(name)) {
      const { spec, rows } = JSON.parse(document.getElementById(`chart-${name}`).textContent);
      const datasets = Object.fromEntries(Object.entries(rows).map(([own, columns]) => [own, rowsOf(columns)]));
      contents.set(name, { spec, datasets });
    }
    return contents.get(name);
  }
  const DARK = { // what a chart's own colours become on a dark page
    "#0072B2": "#58b1ea", "#D55E00": "#ff8a45", "#009E73": "#2fc79b", "#CC79A7": "#e5a0c6", "#E69F00": "#f5bd45",
    "#56B4E9": "#a5d8f7", "#000000": "#f2f2f2", "#c6c6c6": "#4a4f57", "#9a9a9a": "#9aa3ad", "#e8e8e8": "#333942",
    "#888888": "#7d8791", "#555555": "#b6bec7", "#440154": "#c9a7e8", "#414487": "#93a0ea",
  };
  const darkConfig = {
    background: "transparent",
    axis: { labelColor: "#d3d9df", titleColor: "#d3d9df", tickColor: "#7d8791", domainColor: "#7d8791", gridColor: "#333942" },
    legend: { labelColor: "#d3d9df", titleColor: "#d3d9df" },
    header: { labelColor: "#d3d9df", titleColor: "#d3d9df" },
    text: { color: "#d3d9df" },
    rule: { color: "#9aa3ad" },
  };
  const themed = (node) => {
    if (typeof node === "string") return DARK[node] ?? node;
    if (Array.isArray(node)) return node.map(themed);
    if (node === null || typeof node !== "object") return node;
    return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, themed(value)]));
  };
  const eachEncoding = (node, change) => {
    if (node === null || typeof node !== "object") return;
    if (node.encoding) Object.entries(node.encoding).forEach(([channel, own]) => change(channel, own));
    for (const part of [...(node.layer ?? []), node.spec].filter(Boolean)) eachEncoding(part, change);
  };
  function fitted(spec, room, overflow, isTight) {
    const found = structuredClone(spec), inner = found.spec ?? found;
    const panels = found.spec && !isTight ? found.columns ?? 1 : 1;
    if (typeof inner.width === "number") inner.width = Math.max(110, inner.width - Math.ceil(overflow / panels));
    if (isTight && found.spec) {
      found.columns = 1;
      found.facet.header = { ...found.facet.header, labelLimit: inner.width, labelAnchor: "start" };
    }
    if (isTight) eachEncoding(found, (channel, own) => {
      if (own.legend) {
        Object.assign(own.legend, { columns: 1, orient: own.legend.orient ?? "bottom", labelLimit: room - 105 });
        if (own.legend.gradientLength) own.legend.gradientLength = Math.min(180, room - 120);
      }
      if (channel === "y" && own.axis) own.axis.labelLimit = Math.floor(room * 0.34);
      if (channel === "x" && own.axis) Object.assign(own.axis, { labelOverlap: "greedy", tickCount: 5 });
    });
    return found;
  }
  function specOf(name, { isDark, room = Infinity, overflow = 0, isTight = false, bare = true, alt = "" }) {
    const { spec, datasets } = contentOf(name);
    let found = isDark ? themed(spec) : structuredClone(spec);
    if (bare) { // the page shows title and subtitle itself
      delete found.title;
      found.padding = 2;
    }
    if (isTight || overflow) found = fitted(found, room, overflow, isTight);
    return { ...found, datasets, description: alt };
  }
  const options = (isDark, renderer) => ({
    mode: "vega-lite", actions: false, ast: true, defaultStyle: false, renderer, logLevel: 1, // 1: errors alone
    tooltip: { disableDefaultStyle: true, theme: "report" }, config: isDark ? darkConfig : { background: "transparent" },
  });
  const drawn = new Map(); // plot -> what vega-embed gave
  const waiting = new Map();
  async function draw(plot) {
    const name = plot.dataset.chart, alt = plot.dataset.alt, isDark = dark.matches, room = plot.clientWidth;
    const marks = Object.values(contentOf(name).datasets).reduce((sum, rows) => sum + rows.length, 0);
    const renderer = marks > MANY_MARKS ? "canvas" : "svg";
    drawn.get(plot)?.finalize();
    let overflow = 0, isTight = room < NARROW, result;
    for (let attempt = 0; attempt < 5; attempt += 1) {
      result?.finalize();
      const spec = specOf(name, { isDark, room, overflow, isTight, alt });
      result = await window.embedChart(plot, spec, options(isDark, renderer));
      const over = Math.ceil(plot.querySelector("svg, canvas").getBoundingClientRect().width) - room;
      if (over <= 0) break;
      const isOfNames = overflow > 0 && !isTight; // a smaller plot did not help: legend or panels are too wide
      overflow = isOfNames ? 0 : overflow + over;
      isTight ||= isOfNames;
    }
    if (plot.scrollWidth > plot.clientWidth) plot.tabIndex = 0; // to be scrolled by the keyboard
    plot.setAttribute("role", "img");
    plot.setAttribute("aria-label", alt);
    plot.removeAttribute("aria-roledescription");
    plot.querySelector("svg")?.setAttribute("aria-hidden", "true"); // hundreds of marks say less than one sentence
    plot.dataset.drawn = isDark ? "dark" : "light";
    plot.dataset.room = String(room);
    drawn.set(plot, result);
  }
  function drawOnce(plot) {
    const next = (waiting.get(plot) ?? Promise.resolve()).then(() => draw(plot)).catch((error) => {
      plot.textContent = `This chart cannot be drawn: ${error.message}`;
      console.error(error);
    });
    waiting.set(plot, next);
    return next;
  }
  const plots = [...document.querySelectorAll(".plot[data-chart]")];
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting && !waiting.has(entry.target)) drawOnce(entry.target);
    }
  }, { rootMargin: "600px" });
  plots.forEach((plot) => observer.observe(plot));
  const redraw = () => [...waiting.keys()].forEach(drawOnce);
  dark.addEventListener("change", redraw);
  let timer = 0;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const plot of waiting.keys()) {
        const before = Number(plot.dataset.room), now = plot.clientWidth;
        if (before !== now) drawOnce(plot);
      }
    }, 200);
  });

  // Downloads: always on white, whatever the page shows ---------------------------------------------------------
  const save = (href, file) => {
    const link = document.createElement("a");
    Object.assign(link, { href, download: file });
    document.body.append(link);
    link.click();
    link.remove();
  };
  async function picture(name, kind) {
    const place = document.createElement("div");
    place.className = "visually-hidden";
    document.body.append(place);
    try {
      const result = await window.embedChart(
        place, specOf(name, { isDark: false, bare: false }), { ...options(false, "svg"), config: { background: "white" } },
      );
      const url = await result.view.toImageURL(kind, kind === "png" ? 3 : 1);
      result.finalize();
      return url;
    } finally {
      place.remove();
    }
  }
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    // A spreadsheet would take a text that begins so for a formula.
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  function numbers(name) {
    const tables = Object.values(contentOf(name).datasets).map((rows) => {
      const heads = Object.keys(rows[0] ?? {});
      return [heads, ...rows.map((row) => heads.map((head) => row[head]))].map((line) => line.map(quoted).join(",")).join("\n");
    });
    return URL.createObjectURL(new Blob([`${tables.join("\n\n")}\n`], { type: "text/csv" }));
  }
  for (const button of document.querySelectorAll("button[data-save]")) {
    button.addEventListener("click", async () => {
      const name = button.closest("figure").querySelector(".plot").dataset.chart, kind = button.dataset.save;
      const url = kind === "csv" ? numbers(name) : await picture(name, kind);
      save(url, `${name}.${kind}`);
      say(`Saved ${name}.${kind}`);
      if (url.startsWith("blob:")) setTimeout(() => URL.revokeObjectURL(url), 10_000);
    });
  }

  // Where the reader is, and what a printer or a test needs -----------------------------------------------------
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const here = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((own) => own.isIntersecting)) {
      links.forEach((link, id) => {
        if (id === entry.target.id) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      });
    }
  }, { rootMargin: "-20% 0px -70%" });
  document.querySelectorAll("main > section").forEach((section) => here.observe(section));
  const drawAll = () => Promise.all(plots.map((plot) => waiting.get(plot) ?? drawOnce(plot)));
  window.addEventListener("beforeprint", () => {
    drawAll();
    document.querySelectorAll("details").forEach((own) => { own.open = true; });
  });
  window.report = { drawAll, picture, numbers };
})();
