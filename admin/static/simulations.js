// A page about a simulation that runs: look every two seconds how far it is, then show the result.
"use strict";

const LOOK_MS = 2000;

async function look(box) {
  try {
    const answer = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
    if (answer.ok) {
      const told = await answer.json();
      box.querySelector("progress").value = told.progress_bp;
      if (!told.is_open) {
        window.location.reload();
        return;
      }
    }
  } catch {
    // The network is away for a moment; the next look may find it again.
  }
  window.setTimeout(look, LOOK_MS, box);
}

for (const box of document.querySelectorAll("[data-progress]")) window.setTimeout(look, LOOK_MS, box);
