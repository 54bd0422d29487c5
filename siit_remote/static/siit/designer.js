// The designer: saves while somebody types, keeps what they typed over every redraw, and moves the
// focus where the server says. Without this file every button still works.
import { enhanceDialog } from "./designer-dialog.js";
import { enhanceDrag } from "./designer-drag.js";
import { enhancePicks } from "./designer-pick.js";

const PAUSE = 600;
const CHOOSING = 450; // letters pressed on a choice wander over it before they arrive
const root = document.getElementById("designer");
const base = root.dataset.base;
const refused = document.getElementById("designer-refused");
const said = document.getElementById("designer-said");
const typed = new Map(); // id of an input → its form's card: changed since the last save
const sent = new WeakMap(); // request → what it carried of them
let timer = 0;
let waiting = null;
let whole = false; // the save that waits must draw the cards anew
let lastKey = 0;

const byId = (id) => document.getElementById(id);
const stateOf = (input) => (input.type === "checkbox" ? input.checked : input.value);
const announce = (text) => {
  said.textContent = text;
};

function forget() {
  window.clearTimeout(timer);
  waiting = null;
  whole = false;
}

function save(form, values = {}) {
  if (!form) return;
  if (waiting === form) forget();
  window.htmx.ajax("POST", `${base}save/`, { source: form, target: "#editor", swap: "outerHTML", values });
}

function saveWaiting() {
  if (waiting) save(waiting, whole ? {} : { typing: "1" });
}

function saveSoon(form, { redraw = false, pause = PAUSE } = {}) {
  if (waiting && waiting !== form) saveWaiting();
  window.clearTimeout(timer);
  waiting = form;
  whole = whole || redraw;
  timer = window.setTimeout(saveWaiting, pause);
}

const cardOf = (target) => target.closest("form[data-card]");
const isQuiet = (target) => "quiet" in target.dataset || !target.name || !cardOf(target);

root.addEventListener("input", (event) => {
  const { target } = event;
  if (isQuiet(target)) return;
  if (target.id) typed.set(target.id, cardOf(target).dataset.card);
  if ("redraw" in target.dataset || "pick" in target.dataset) return;
  saveSoon(cardOf(target));
});

root.addEventListener("change", (event) => {
  const { target } = event;
  if (isQuiet(target)) return;
  const byKeys = target.tagName === "SELECT" && Date.now() - lastKey < 1000;
  if ("redraw" in target.dataset && byKeys) saveSoon(cardOf(target), { redraw: true, pause: CHOOSING });
  else if ("redraw" in target.dataset) save(cardOf(target));
  else if ("pick" in target.dataset) save(cardOf(target), { typing: "1" });
});

// What a request carries counts as saved once it succeeds, unless it was changed again meanwhile.
document.addEventListener("htmx:beforeSend", (event) => {
  const form = event.detail.requestConfig.elt;
  if (!(form instanceof HTMLFormElement)) return;
  if (waiting === form) forget();
  const carried = new Map();
  typed.forEach((card, id) => {
    const input = byId(id);
    if (input && form.contains(input)) carried.set(id, stateOf(input));
  });
  sent.set(event.detail.xhr, carried);
});

let kept = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  if (xhr.status < 300) {
    sent.get(xhr)?.forEach((state, id) => {
      const input = byId(id);
      if (!input || stateOf(input) === state) typed.delete(id);
    });
  }
  if (target?.id !== "editor" || xhr.status >= 300) return;
  kept = {
    open: [...target.querySelectorAll("details[open]:not(.menu)")].map((item) => item.id),
    shut: [...target.querySelectorAll("details:not([open]):not(.menu)")].map((item) => item.id),
    states: new Map([...typed.keys()].map((id) => [id, byId(id)]).filter(([, input]) => input)
      .map(([id, input]) => [id, stateOf(input)])),
  };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  kept.open.forEach((id) => id && byId(id) && (byId(id).open = true));
  kept.shut.forEach((id) => id && byId(id) && (byId(id).open = false));
  const forms = new Set();
  kept.states.forEach((state, id) => {
    const input = byId(id);
    if (!input || !cardOf(input)) {
      typed.delete(id);
      return;
    }
    restore(input, state);
    forms.add(cardOf(input));
  });
  kept = null;
  forms.forEach((form) => saveSoon(form));
  enhanceDrag(root, base);
});

function restore(input, state) {
  if (input.type === "checkbox") {
    input.checked = state;
  } else if (input.value !== state) {
    const active = document.activeElement === input;
    const caret = active && "selectionStart" in input ? input.selectionStart : null;
    input.value = state;
    if (caret !== null) input.setSelectionRange(caret, caret);
  }
}

document.body.addEventListener("draft-number", (event) => {
  document.querySelectorAll('input[name="revision"]').forEach((input) => {
    input.value = event.detail.revision;
  });
});
document.body.addEventListener("draft-focus", (event) => goTo(event.detail.element));

// A button that was pressed while an answer was on its way is drawn anew by it: it is pressed again.
let underWay = 0;
let pressed = "";
document.addEventListener("click", (event) => {
  const button = event.target.closest("#editor button[formaction]");
  if (button && underWay && button.getAttribute("aria-disabled") !== "true") pressed = button.id;
}, true);
document.addEventListener("htmx:beforeSend", (event) => {
  if (event.detail.requestConfig.verb !== "get") underWay += 1;
  if (event.detail.requestConfig.triggeringEvent?.submitter?.id === pressed) pressed = "";
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig.verb !== "get") underWay = Math.max(0, underWay - 1);
});
document.addEventListener("htmx:afterSettle", () => {
  const again = pressed && byId(pressed);
  if (!again || underWay) return;
  pressed = "";
  again.click();
});

function goTo(id) {
  const element = byId(id) || byId(`${id}-type`);
  if (!element) return;
  for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) {
    if (!box.classList.contains("menu")) box.open = true;
  }
  const inner = element.matches("input, select, textarea, button, summary, a")
    ? element
    : element.querySelector("summary, input:not([type=hidden]), select, textarea, button:not(.d-enter)");
  (inner || element).focus();
  element.scrollIntoView({ block: "nearest" });
  if (element.matches("summary[id$='-edit']")) element.parentElement.open = true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-goto]");
  if (link) {
    event.preventDefault();
    goTo(link.dataset.goto);
    return;
  }
  const button = event.target.closest('button[aria-disabled="true"]');
  if (button && button.closest("#designer, #designer-tools")) {
    event.preventDefault();
    announce(`${button.textContent.trim()}: not possible here`);
  }
});

document.addEventListener("keydown", (event) => {
  lastKey = Date.now();
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const redo = key === "y" || (key === "z" && event.shiftKey);
  if (!redo && key !== "z") return;
  // The browser undoes letters that are not saved yet.
  if (typed.has(event.target.id)) return;
  event.preventDefault();
  steps = steps.then(() => step(redo));
});

// One after the other: each needs the draft's number, and the form, that the answer before it brought.
let steps = Promise.resolve();
function step(redo) {
  const button = byId(redo ? "designer-redo" : "designer-undo");
  if (button.getAttribute("aria-disabled") === "true") {
    announce(redo ? "There is nothing to do again" : "There is nothing to undo");
    return undefined;
  }
  button.focus(); // htmx sends a form to where the button says that was used last
  return window.htmx
    .ajax("POST", button.formAction, { source: button.form, target: "#editor", swap: "outerHTML" })
    .catch(() => undefined); // told by htmx:sendError and htmx:responseError below
}

document.addEventListener("htmx:sendError", () => {
  refused.innerHTML = "";
  const note = document.createElement("div");
  note.className = "notice notice-danger";
  note.setAttribute("role", "alert");
  note.textContent = "Not saved: the server cannot be reached. What you typed is still here.";
  refused.append(note);
});
document.addEventListener("htmx:responseError", (event) => {
  const note = document.createElement("div");
  note.className = "notice notice-danger";
  note.setAttribute("role", "alert");
  const signedOut = event.detail.xhr.status === 403;
  note.textContent = signedOut
    ? "Not saved: you are signed out, or may not edit this. Sign in in another window; what you typed is still here."
    : "Not saved: the server failed. What you typed is still here; it is tried again with your next change.";
  refused.replaceChildren(note);
});

window.addEventListener("beforeunload", (event) => {
  saveWaiting();
  if (typed.size && waiting) event.preventDefault();
});

// Who was faster than this file has typed already.
function changedBefore(input) {
  if (input.tagName === "SELECT") {
    const first = [...input.options].find((option) => option.defaultSelected) || input.options[0];
    return first && input.value !== first.value;
  }
  return input.type === "checkbox" ? input.checked !== input.defaultChecked : input.value !== input.defaultValue;
}

function begin() {
  if (!window.htmx) return;
  document.documentElement.classList.add("js");
  // A height that somebody gave a text by hand is an inline style: copying it would be blocked.
  window.htmx.config.attributesToSettle = ["class"];
  enhanceDialog(root);
  enhancePicks(root);
  enhanceDrag(root, base);
  root.querySelectorAll("form[data-card]").forEach((form) => {
    const early = [...form.elements].filter(
      (input) => input.matches("select, textarea, input:not([type=hidden])") && !isQuiet(input) && changedBefore(input),
    );
    early.forEach((input) => input.id && typed.set(input.id, form.dataset.card));
    if (early.length) save(form);
  });
  if (window.location.hash.length > 1) goTo(window.location.hash.slice(1));
}
begin();
