// What pages of the back office do beyond HTML. Everything works without it, only less smoothly.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Navigation on narrow screens: links that the address opens and closes, and buttons with a script
const NAVIGATION = "#sidebar";
const opensNavigation = all("[data-nav-open]");

function openNavigation(open) {
  document.body.classList.toggle("nav-open", open);
  for (const button of opensNavigation) button.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector(".sidebar a")?.focus();
  else if (location.hash === NAVIGATION) location.replace("#main");
}
function closeNavigation() {
  openNavigation(false);
  opensNavigation[0]?.focus();
}
function actsAsButton(link, act) {
  link.setAttribute("role", "button");
  link.addEventListener("click", (event) => { event.preventDefault(); act(); });
  link.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); act(); }
  });
}
for (const link of opensNavigation) {
  link.setAttribute("aria-controls", "sidebar");
  link.setAttribute("aria-expanded", "false");
  actsAsButton(link, () => openNavigation(true));
}
for (const link of all("[data-nav-close]")) actsAsButton(link, closeNavigation);
if (location.hash === NAVIGATION) openNavigation(true);

// Headings of the navigation stay as they were left
const leftOpen = "nav-section:";
for (const section of all("details[data-nav-section]")) {
  const name = leftOpen + section.dataset.navSection;
  const holdsPage = section.querySelector("[aria-current]") !== null;
  try {
    if (!holdsPage && localStorage.getItem(name)) section.open = localStorage.getItem(name) === "open";
    section.querySelector("summary").addEventListener("click", () => localStorage.setItem(name, section.open ? "shut" : "open"));
  } catch {
    // A browser that keeps nothing shows what the server thinks best.
  }
}

// The page that is open stays in sight in a long navigation
document.querySelector(".sidebar [aria-current]")?.scrollIntoView({ block: "nearest" });

// Menus close on Escape and on a click elsewhere
const menus = all("details[data-menu]");
document.addEventListener("click", (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  if (document.body.classList.contains("nav-open")) closeNavigation();
  for (const menu of menus.filter((one) => one.open)) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

for (const button of all("[data-dismiss]")) {
  button.addEventListener("click", () => button.closest("[data-flash]").remove());
}

// Rows picked for a decision
for (const form of all("form[data-bulk]")) {
  const picks = all("[data-pick]", form);
  const everything = form.querySelector("[data-pick-all]");
  const count = form.querySelector("[data-bulk-count]");
  const idle = count.textContent;
  const tell = () => {
    const picked = picks.filter((one) => one.checked).length;
    count.textContent = picked ? `${count.dataset.one} ${picked}` : idle;
    if (everything) {
      everything.checked = picked > 0 && picked === picks.length;
      everything.indeterminate = picked > 0 && picked < picks.length;
    }
    for (const button of all(".bulk button", form)) button.disabled = picked === 0;
  };
  form.addEventListener("change", (event) => {
    if (event.target === everything) for (const one of picks) one.checked = everything.checked;
    tell();
  });
  tell();
}

// A form is sent once, however often its button is pressed
for (const button of all("[data-once]")) {
  button.form.addEventListener("submit", (event) => {
    if (button.getAttribute("aria-busy")) event.preventDefault();
    button.setAttribute("aria-busy", "true");
  });
}
window.addEventListener("pageshow", () => {
  for (const button of all("[data-once]")) button.removeAttribute("aria-busy");
});

// Demo sign-ins fill the form
for (const button of all("[data-fill-email]")) {
  button.addEventListener("click", () => {
    document.getElementById("email").value = button.dataset.fillEmail;
    const password = document.getElementById("password");
    password.value = button.dataset.fillPassword;
    password.focus();
  });
}

// Fields that look rows up: a text to search with, the id of the picked row beneath
for (const box of all("[data-lookup]")) lookup(box);

function lookup(box) {
  const value = box.querySelector("input");
  const text = document.createElement("input");
  const list = document.createElement("ul");
  const id = `${value.id}-list`;
  Object.assign(text, { type: "text", id: `${value.id}-text`, autocomplete: "off", placeholder: box.dataset.hint, value: box.dataset.text });
  for (const [name, one] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", id], ["aria-autocomplete", "list"]]) text.setAttribute(name, one);
  for (const name of ["aria-invalid", "aria-describedby"]) if (value.hasAttribute(name)) text.setAttribute(name, value.getAttribute(name));
  Object.assign(list, { id, hidden: true });
  list.setAttribute("role", "listbox");
  document.querySelector(`label[for="${value.id}"]`)?.setAttribute("for", text.id);
  value.type = "hidden";
  box.append(text, list);

  let timer = 0;
  let active = -1;
  const options = () => all("[role=option]", list);
  const show = (visible) => {
    list.hidden = !visible;
    text.setAttribute("aria-expanded", String(visible));
    if (!visible) { active = -1; text.removeAttribute("aria-activedescendant"); }
  };
  const pick = (option) => { value.value = option.dataset.id; text.value = option.textContent; show(false); };
  const move = (step) => {
    const found = options();
    if (!found.length) return;
    active = (active + step + found.length) % found.length;
    found.forEach((one, index) => one.setAttribute("aria-selected", String(index === active)));
    text.setAttribute("aria-activedescendant", found[active].id);
    found[active].scrollIntoView({ block: "nearest" });
  };
  const ask = async () => {
    const answer = await fetch(`${box.dataset.lookup}&query=${encodeURIComponent(text.value)}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const found = await answer.json();
    list.replaceChildren(...found.map(([key, name], index) => {
      const option = document.createElement("li");
      Object.assign(option, { textContent: name, id: `${id}-${index}` });
      option.dataset.id = key;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("pointerdown", (event) => { event.preventDefault(); pick(option); });
      return option;
    }));
    if (!found.length) {
      const none = document.createElement("li");
      Object.assign(none, { textContent: box.dataset.none, className: "hint" });
      list.append(none);
    }
    active = -1;
    show(true);
  };
  text.addEventListener("input", () => { value.value = ""; clearTimeout(timer); timer = setTimeout(ask, 200); });
  text.addEventListener("focus", () => { if (!value.value) ask(); });
  text.addEventListener("blur", () => { show(false); if (!value.value) text.value = ""; });
  text.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); list.hidden ? ask() : move(1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
    else if (event.key === "Enter" && active >= 0) { event.preventDefault(); pick(options()[active]); }
    else if (event.key === "Escape") show(false);
  });
}
