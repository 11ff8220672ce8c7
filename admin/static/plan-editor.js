// The live check of the plan editor. Without it the page works the same, only it tells on saving.
"use strict";

for (const editor of document.querySelectorAll("[data-live]")) watch(editor);

function watch(editor) {
  const form = editor.closest("form");
  const waiting = 500;
  let timer = 0;
  let asked = 0;

  const ask = async () => {
    const mine = ++asked;
    let told;
    try {
      const answer = await fetch(editor.dataset.live, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      told = await answer.json();
    } catch {
      return;
    }
    if (mine === asked) show(told);
  };

  const show = (told) => {
    const lists = new Map([...form.querySelectorAll("[data-errors]")].map((list) => [list.dataset.errors, list]));
    for (const list of lists.values()) list.replaceChildren();
    for (const fault of told.faults) {
      const list = nearest(lists, fault.path);
      list.append(item(list.dataset.errors === fault.path ? fault.text : `${fault.name}: ${fault.text}`));
    }
    const held = form.querySelector("[data-document]");
    if (held && told.document) held.value = told.document;
    if (told.faults.length) return;
    const verdict = form.querySelector("[data-verdict]");
    const total = document.createElement("p");
    total.className = "verdict-total";
    const strong = document.createElement("strong");
    strong.textContent = told.total;
    total.append(Object.assign(document.createElement("span"), { textContent: editor.dataset.worst }), " ", strong);
    verdict.replaceChildren(total, sentences(told.bound), findings(told.findings));
  };

  const nearest = (lists, path) => {
    for (let name = path; name; name = name.slice(0, Math.max(name.lastIndexOf("."), 0))) {
      if (lists.has(name)) return lists.get(name);
    }
    return lists.get("");
  };

  const item = (text) => Object.assign(document.createElement("li"), { textContent: text });

  const sentences = (texts) => {
    const list = Object.assign(document.createElement("ul"), { className: "sentences" });
    list.append(...texts.map(item));
    return list;
  };

  const findings = (found) => {
    const list = Object.assign(document.createElement("ul"), { className: "findings" });
    if (!found.length) list.append(item(editor.dataset.none));
    for (const one of found) {
      const line = document.createElement("li");
      const badge = Object.assign(document.createElement("span"), { className: `badge ${one.tone}`, textContent: one.label });
      const rule = Object.assign(document.createElement("strong"), { textContent: one.rule });
      const text = Object.assign(document.createElement("span"), { textContent: one.text });
      const citation = Object.assign(document.createElement("small"), { textContent: one.citation });
      line.append(badge, " ", rule, " ", text, " ", citation);
      list.append(line);
    }
    return list;
  };

  const redraw = form.querySelector("[data-redraw-button]");
  if (redraw) redraw.hidden = true;

  const later = () => { clearTimeout(timer); timer = setTimeout(ask, waiting); };
  form.addEventListener("input", later);
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-redraw]")) form.requestSubmit(redraw);
    else later();
  });
}
