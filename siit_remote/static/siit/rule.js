// The rows of a condition on a form: each click draws them anew without leaving the page, nothing is
// saved before Save. Without this file every button still works, by loading the page again.
import { enhancePicks } from "./designer-pick.js";

const form = document.getElementById("rule-form");
const card = () => document.getElementById("rule-card");

function draw(url) {
  return window.htmx.ajax("POST", url, { source: form, target: "#rule-card", swap: "outerHTML" });
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[formaction]");
  if (!button || !card().contains(button) || !window.htmx) return;
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  draw(button.getAttribute("formaction"));
});

form.addEventListener("change", (event) => {
  const { target } = event;
  if (!card().contains(target) || "quiet" in target.dataset || !window.htmx) return;
  if ("redraw" in target.dataset) {
    const { id } = target;
    draw(form.dataset.draw).then(() => document.getElementById(id)?.focus());
  } else {
    window.htmx.ajax("POST", form.dataset.counts, { source: form, swap: "none" });
  }
});

document.body.addEventListener("rule-focus", (event) => {
  const element = document.getElementById(event.detail.value);
  const inner = element?.matches("input, select, button") ? element : element?.querySelector("select, button");
  inner?.focus();
});

document.addEventListener("htmx:responseError", () => {
  const note = document.createElement("div");
  note.className = "notice notice-danger";
  note.setAttribute("role", "alert");
  note.textContent = "The server failed or signed you out. What you typed is still here; nothing is saved.";
  form.prepend(note);
});

enhancePicks(form);
