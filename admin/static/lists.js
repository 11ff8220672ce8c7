// What lists do beyond HTML: keys, columns to move, decisions with progress. All works without it.
"use strict";

{
  const every = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Keys: from row to row, open, tick, search, help
  const list = document.querySelector("[data-list]");
  const help = document.querySelector("dialog[data-keys]");
  const rows = list ? every("tbody tr", list) : [];
  for (const row of rows) row.tabIndex = -1;
  const step = (by) => {
    const at = rows.indexOf(document.activeElement?.closest("tr"));
    const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "/": () => { const box = document.querySelector("[data-search]"); box?.focus(); box?.select(); },
    "?": () => help?.showModal(),
    j: () => step(1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    ArrowUp: () => step(-1),
    Enter: (row) => row?.querySelector("a.open, .head a, .go a")?.click(),
    x: (row) => row?.querySelector("[data-pick]")?.click(),
  };
  const isTyping = (one) => one.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog *");
  document.addEventListener("keydown", (event) => {
    if (!list || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const row = event.target.closest?.("[data-list] tbody tr");
    const isArrow = event.key.startsWith("Arrow");
    if (isArrow && !row && event.target !== document.body) return;
    if (["Enter", "x"].includes(event.key) && event.target !== row) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act(row);
  });

  // The head of a table stays in sight where the table need not be moved sideways
  for (const wrap of every(".list-card .table-wrap")) {
    const tell = () => {
      wrap.classList.remove("fits");
      wrap.classList.toggle("fits", wrap.scrollWidth <= wrap.clientWidth + 1);
    };
    new ResizeObserver(tell).observe(wrap.parentElement);
    tell();
  }

  // Columns are moved by buttons instead of numbers
  for (const menu of every("[data-column-list]")) {
    const renumber = () => every(".place", menu).forEach((one, index) => { one.value = index + 1; });
    const button = (text, glyph, move) => {
      const one = document.createElement("button");
      Object.assign(one, { type: "button", className: "plain", textContent: glyph });
      one.setAttribute("aria-label", text);
      one.addEventListener("click", () => { move(one.closest("li")); renumber(); one.focus(); });
      return one;
    };
    for (const item of every("li", menu)) {
      const name = item.querySelector("label").textContent.trim();
      item.querySelector(".place").hidden = true;
      item.append(
        button(`${menu.dataset.up}: ${name}`, "↑", (one) => one.previousElementSibling?.before(one)),
        button(`${menu.dataset.down}: ${name}`, "↓", (one) => one.nextElementSibling?.after(one)),
      );
    }
  }

  // A table of results as a file; no cell of it is a formula
  const cellOf = (text) => {
    const risky = /^\s*[=+\-@＝＋－＠\t\r\n]/.test(text);
    return `"${(risky ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  for (const button of every("[data-download]")) {
    const table = document.querySelector("table[data-results]");
    if (!button.closest("[data-progress]")) button.hidden = false;
    button.addEventListener("click", () => {
      const lines = every("tr", table).map((row) => every("th, td", row).map((one) => cellOf(one.textContent.trim())).join(","));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
      link.download = button.dataset.download;
      link.click();
      URL.revokeObjectURL(link.href);
    });
  }

  // A decision about many rows: a few at a time, with a line for each row
  const form = document.querySelector("form[data-run]");
  const panel = document.querySelector("[data-progress]");
  if (form && panel) form.addEventListener("submit", (event) => { event.preventDefault(); run(); });

  async function run() {
    const words = JSON.parse(panel.dataset.words);
    const size = Number(form.dataset.chunk);
    const ids = every("input[name=rowid]", form).map((one) => one.value);
    const counts = { done: 0, refused: 0, missing: 0, unknown: 0 };
    let at = 0;
    let isStopped = false;

    const tell = () => {
      panel.querySelector("[data-bar]").value = at;
      panel.querySelector("[data-at]").textContent = at;
      for (const [name, number] of Object.entries(counts)) panel.querySelector(`[data-count=${name}]`).textContent = number;
      panel.querySelector("[data-other]").hidden = !counts.unknown;
    };
    const line = ({ id, title, url, outcome, why }) => {
      const row = panel.querySelector("tbody").insertRow();
      const [what, how, because] = [row.insertCell(), row.insertCell(), row.insertCell()];
      what.className = "head";
      const name = document.createElement(url ? "a" : "span");
      if (url) name.href = url;
      name.textContent = title || `#${id}`;
      what.append(name);
      const badge = document.createElement("span");
      badge.className = `badge ${{ done: "good", refused: "bad", missing: "calm" }[outcome] ?? "wait"}`;
      badge.textContent = words[outcome];
      how.append(badge);
      because.className = "long";
      because.textContent = outcome === "done" ? "" : why;
      counts[outcome in counts ? outcome : "unknown"] += 1;
    };
    const problem = (text) => {
      const place = panel.querySelector("[data-problem]");
      place.textContent = text;
      place.hidden = false;
    };
    const send = async (chunk) => {
      const data = new URLSearchParams(new FormData(form));
      data.delete("rowid");
      for (const id of chunk) data.append("rowid", id);
      data.set("chunk", "1");
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "error" });
      return [answer.status, answer.ok || answer.status === 422 ? await answer.json() : null];
    };

    const stop = panel.querySelector("[data-stop]");
    stop.addEventListener("click", () => { isStopped = true; stop.disabled = true; });
    const warn = (event) => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    show(true);
    panel.scrollIntoView({ block: "nearest" });

    while (at < ids.length && !isStopped) {
      const chunk = ids.slice(at, at + size);
      let status = 0;
      let said = null;
      try {
        [status, said] = await send(chunk);
      } catch {
        status = 0;
      }
      if (status === 200) {
        said.rows.forEach(line);
      } else if (status === 422) {
        showErrors(said.errors, words.invalid);
        window.removeEventListener("beforeunload", warn);
        return;
      } else {
        isStopped = true;
        problem(status && status < 500 ? words.closed : words.lost);
        const lost = !status || status >= 500;
        for (const id of chunk) line({ id, outcome: lost ? "unknown" : "waiting", why: lost ? words.lost : "" });
      }
      at += chunk.length;
      tell();
    }
    for (const id of ids.slice(at)) line({ id, outcome: "waiting", why: "" });
    tell();
    stop.hidden = true;
    for (const one of every("[data-download], [data-back]", panel)) one.hidden = false;
    window.removeEventListener("beforeunload", warn);
  }

  function show(isRunning) {
    for (const one of [form, ...every("[data-about]")]) one.hidden = isRunning;
    panel.hidden = !isRunning;
  }

  function showErrors(errors, title) {
    show(false);
    form.querySelector("[data-once]")?.removeAttribute("aria-busy");
    form.querySelector("ul.errors[data-sent]")?.remove();
    const told = document.createElement("ul");
    told.className = "errors";
    told.dataset.sent = "";
    told.setAttribute("role", "alert");
    for (const [name, texts] of Object.entries(errors)) {
      const item = document.createElement("li");
      item.textContent = `${name || title}: ${texts.join(" ")}`;
      told.append(item);
    }
    form.prepend(told);
  }
}
