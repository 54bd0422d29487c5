// The rows of a condition on a form: each click draws them anew without leaving the page, nothing is
// saved before Save. Without this file every button still works, by loading the page again.
import { ask } from "./asking.js";
import { enhancePicks } from "./designer-pick.js";

const form = document.getElementById("rule-form");
const card = () => document.getElementById("rule-card");

// One request after the other: each carries what the answer before it drew, and numbers never come late.
let queue = Promise.resolve();
let waiting = 0;
let uncounted = false;
const since = new Map(); // id of an input → its state, if it changed after the request under way was sent

function post(url, options) {
  waiting += 1;
  queue = queue
    .then(() => send(url, options))
    .catch(failed)
    .then(() => {
      waiting -= 1;
      if (uncounted) count();
    });
  return queue;
}

// Rows are drawn before the form is whole: what is still missing is asked for at Save.
function send(url, options) {
  since.clear();
  form.noValidate = true;
  const answered = ask(url, { source: form, ...options });
  form.noValidate = false;
  return answered;
}

function count() {
  uncounted = waiting > 0;
  if (!uncounted) post(form.dataset.counts, { swap: "none" });
}

function draw(url) {
  return post(url, { target: "#rule-card", swap: "outerHTML" }).then(() => {
    since.forEach((state, id) => restore(document.getElementById(id), state));
    since.clear();
    count();
  });
}

const stateOf = (input) => (input.type === "checkbox" ? input.checked : input.value);

function restore(input, state) {
  if (!input || !card().contains(input)) return;
  const choices = input.tagName === "SELECT" ? [...input.options].map((option) => option.value) : [state];
  if (input.type === "checkbox") input.checked = state;
  else if (choices.includes(state) && input.value !== state) input.value = state;
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[formaction]");
  if (!button || !card().contains(button) || !window.htmx) return;
  event.preventDefault();
  if (button.getAttribute("aria-disabled") === "true") return;
  draw(button.getAttribute("formaction"));
});

form.addEventListener("input", ({ target }) => {
  if (waiting && target.id && card().contains(target)) since.set(target.id, stateOf(target));
});

form.addEventListener("change", ({ target }) => {
  if (!card().contains(target) || "quiet" in target.dataset || !window.htmx) return;
  if ("redraw" in target.dataset) {
    const { id } = target;
    draw(form.dataset.draw).then(() => {
      if (document.activeElement === document.body) document.getElementById(id)?.focus();
    });
  } else {
    count();
  }
});

document.body.addEventListener("rule-focus", (event) => {
  const element = document.getElementById(event.detail.value);
  const inner = element?.matches("input, select, button") ? element : element?.querySelector("select, button");
  inner?.focus();
});

function failed() {
  document.getElementById("rule-failed")?.remove();
  const note = document.createElement("div");
  note.id = "rule-failed";
  note.className = "notice notice-danger";
  note.setAttribute("role", "alert");
  note.textContent = "The server failed or signed you out. What you typed is still here; nothing is saved.";
  form.prepend(note);
}
document.addEventListener("htmx:responseError", failed);

enhancePicks(form);
if (window.htmx) count();
