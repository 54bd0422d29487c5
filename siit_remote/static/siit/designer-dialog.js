// Add a step from a dialog with a search, instead of the plain choice beside the button.
import { whenAnswered } from "./designer-deeds.js";

export function enhanceDialog(root) {
  const dialog = document.getElementById("add-dialog");
  if (!dialog || typeof dialog.showModal !== "function") return;
  const search = dialog.querySelector("input");
  const results = dialog.querySelector("[data-results]");
  const entries = [...dialog.querySelectorAll("[data-kind]")];
  let asking = null;

  root.addEventListener(
    "submit",
    (event) => {
      const form = event.target.closest(".d-add-step");
      if (!form || form.elements.kind.value) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      asking = form;
      search.value = "";
      filter();
      dialog.showModal();
      search.focus();
    },
    true,
  );

  function filter() {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    entries.forEach((entry) => {
      const text = entry.textContent.toLowerCase();
      entry.hidden = !words.every((word) => text.includes(word));
      if (!entry.hidden) count += 1;
    });
    dialog.querySelectorAll("[data-category]").forEach((group) => {
      group.hidden = !group.querySelector("[data-kind]:not([hidden])");
    });
    results.textContent = `${count} ${count === 1 ? "result" : "results"}`;
  }

  search.addEventListener("input", filter);
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    entries.find((entry) => !entry.hidden)?.click();
  });
  dialog.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-kind]");
    if (!entry || !asking) return;
    const { id } = asking;
    dialog.close();
    whenAnswered(() => {
      const form = document.getElementById(id);
      if (!form) return;
      form.elements.kind.value = entry.dataset.kind;
      form.requestSubmit();
      form.elements.kind.value = "";
    });
  });
}
