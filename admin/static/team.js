// Draws the team as a tree of SVG; a branch is fetched when it is opened, fifty people at a time.
const WIDTH = 250;
const HEIGHT = 54;
const GAP_X = 56;
const GAP_Y = 12;
const SVG = "http://www.w3.org/2000/svg";
const canvas = document.querySelector("[data-team]");

const make = (name, attributes = {}, text = "") => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
};

const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

const branch = (person) => ({ person, children: [], more: null, isLoaded: false, isOpen: false });

const root = branch(null);
const focused = Number(canvas.dataset.focus) || 0;

async function ask(url, values) {
  const query = new URLSearchParams(values);
  const answer = await fetch(`${url}?${query}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

async function load(node) {
  const values = {};
  if (node.person) values.of = node.person.id;
  if (node.more) values.after = node.more;
  const page = await ask(canvas.dataset.nodesUrl, values);
  const known = new Set(node.children.map((one) => one.person.id));
  for (const person of page.items) if (!known.has(person.id)) node.children.push(branch(person));
  node.more = page.more;
  node.isLoaded = true;
}

async function open(node) {
  if (!node.isLoaded) await load(node);
  node.isOpen = true;
}

// Places every visible node; a branch stands beside its first child, so that both stay in sight
function place(node, depth, top) {
  node.x = (depth - 1) * (WIDTH + GAP_X) + 2;
  let next = top;
  const rows = node.isOpen ? node.children : [];
  for (const child of rows) next = place(child, depth + 1, next);
  if (node.isOpen && node.more) {
    node.moreAt = { x: depth * (WIDTH + GAP_X) + 2, y: next };
    next += HEIGHT / 2 + GAP_Y;
  }
  node.y = top;
  return Math.max(next, top + HEIGHT + GAP_Y);
}

function act(element, run) {
  const guarded = () => run().then(draw).catch(fail);
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "button");
  element.addEventListener("click", guarded);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    guarded();
  });
}

function toggle(node) {
  const group = make("g", { class: "team-toggle" });
  const label = node.isOpen ? canvas.dataset.close : canvas.dataset.open;
  group.setAttribute("aria-label", `${label}: ${node.person.name}`);
  group.setAttribute("aria-expanded", String(node.isOpen));
  const [x, y] = [node.x + WIDTH, node.y + HEIGHT / 2];
  group.append(make("circle", { cx: x, cy: y, r: 10 }));
  group.append(make("text", { x, y: y + 5 }, node.isOpen ? "−" : "+"));
  act(group, async () => {
    if (node.isOpen) node.isOpen = false;
    else await open(node);
  });
  return group;
}

function box(node) {
  const { person } = node;
  const group = make("g", { class: person.id === focused ? "team-node is-focus" : "team-node" });
  group.append(make("title", {}, `${person.name} · ${person.standing} · ${person.level}`));
  group.append(make("rect", { class: "team-box", x: node.x, y: node.y, width: WIDTH, height: HEIGHT, rx: 8 }));
  group.append(make("circle", { class: `team-dot ${person.tone}`, cx: node.x + 14, cy: node.y + 18, r: 4 }));
  const link = make("a", { href: person.url });
  link.append(make("text", { x: node.x + 24, y: node.y + 22 }, short(person.name, 16)));
  group.append(link);
  group.append(make("text", { class: "team-note", x: node.x + 150, y: node.y + 22 }, person.level));
  const figures = canvas.dataset.figures.replace("{direct}", person.direct).replace("{second}", person.second);
  group.append(make("text", { class: "team-note", x: node.x + 12, y: node.y + 43 }, `${figures} · ${person.sales}`));
  if (person.direct) group.append(toggle(node));
  return group;
}

function paint(node, picture) {
  if (node.person) picture.append(box(node));
  if (!node.isOpen) return;
  for (const child of node.children) {
    if (node.person) {
      const [x1, y1] = [node.x + WIDTH + 10, node.y + HEIGHT / 2];
      const [x2, y2] = [child.x, child.y + HEIGHT / 2];
      const bend = (x1 + x2) / 2;
      picture.prepend(make("path", { class: "team-line", d: `M${x1} ${y1}H${bend}V${y2}H${x2}` }));
    }
    paint(child, picture);
  }
  if (node.more) {
    const more = make("g", { class: "team-more" });
    more.append(make("text", { x: node.moreAt.x + 12, y: node.moreAt.y + 18 }, canvas.dataset.more));
    act(more, () => load(node));
    picture.append(more);
  }
}

function size(node, found = { x: 0 }) {
  found.x = Math.max(found.x, (node.x ?? 0) + WIDTH + GAP_X);
  if (node.isOpen) for (const child of node.children) size(child, found);
  return found;
}

function draw() {
  const height = place(root, 0, 8);
  const picture = make("svg", { width: size(root).x, height, role: "group" });
  paint(root, picture);
  const { scrollLeft, scrollTop } = canvas;
  canvas.replaceChildren(picture);
  canvas.scrollTo(scrollLeft, scrollTop);
}

function fail() {
  const note = document.createElement("p");
  note.className = "intro";
  note.setAttribute("role", "alert");
  note.textContent = canvas.dataset.failed;
  canvas.prepend(note);
}

// The way to a person opens with one answer; their neighbours come with "more"
async function openPath() {
  const path = await ask(canvas.dataset.pathUrl, { id: focused });
  let node = root;
  for (const person of path.items) {
    const child = branch(person);
    node.children = [child];
    node.isOpen = true;
    node.isLoaded = true;
    node.more = node.person ? 2 ** 53 - 1 : null;
    node = child;
  }
  if (node.person.direct) await open(node);
}

async function begin() {
  if (focused) await openPath();
  else await open(root);
  if (!root.children.length) return;
  draw();
  document.querySelector(".is-focus")?.scrollIntoView({ block: "center", inline: "center" });
}

begin().catch(fail);
