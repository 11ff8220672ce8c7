// The preview of a poster: drawn by the server from what the form holds, a moment after it changed.

const editor = document.querySelector("[data-poster]");
const picture = editor?.querySelector("[data-poster-picture]");
const problem = editor?.querySelector("[data-poster-problem]");
const WAIT_MS = 450;
let waiting = 0;
let asked = 0;

async function drawPreview() {
  const mine = ++asked;
  picture.classList.add("is-old");
  try {
    const answer = await fetch(editor.dataset.poster, { method: "POST", body: new FormData(editor.closest("form")) });
    const told = await answer.json();
    if (mine !== asked) return;
    problem.hidden = !told.problem;
    problem.textContent = told.problem || "";
    if (told.picture) picture.src = told.picture;
    picture.classList.toggle("is-old", Boolean(told.problem));
  } catch {
    if (mine === asked) picture.classList.remove("is-old");
  }
}

if (editor) {
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(drawPreview, WAIT_MS);
  };
  editor.addEventListener("input", later);
  editor.addEventListener("change", later);
  editor.querySelector("[data-poster-draw]").addEventListener("click", drawPreview);
  picture.addEventListener("load", () => {
    picture.height = Math.round((750 * picture.naturalHeight) / picture.naturalWidth);
  });
  drawPreview();
}
