// The designer: saves while somebody types, keeps what they typed over every redraw, and moves the
// focus where the server says. Without this file every button still works.
import { ask } from "./asking.js";
import { isBusy, whenAnswered } from "./designer-deeds.js";
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
let lastTyped = 0; // or put the caret somewhere
let lastPressed = 0;

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
  ask(`${base}save/`, { source: form, target: "#editor", swap: "outerHTML", values }).catch(() => undefined);
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
  lastTyped = Date.now();
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

// Where somebody types: htmx puts it back before the words that it stood behind are there again.
function caretOf(input) {
  return input.selectionStart == null ? null : [input.id, input.selectionStart, input.selectionEnd];
}

let kept = null;
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  if (xhr.status < 300) {
    sent.get(xhr)?.forEach((state, id) => {
      const input = byId(id);
      if (!input || stateOf(input) === state) typed.delete(id);
    });
  }
  const drawn = xhr.status < 300 && xhr.getResponseHeader("HX-Reswap") !== "none";
  if (target?.id !== "editor" || !drawn) return;
  const from = requestConfig.triggeringEvent?.submitter?.closest("details.menu");
  kept = {
    open: [...target.querySelectorAll("details[open]")].filter((item) => item !== from).map((item) => item.id),
    shut: [...target.querySelectorAll("details:not([open]):not(.menu)")].map((item) => item.id),
    menu: [...target.querySelectorAll("details.menu[open] [data-quiet]")].map((input) => [input.id, input.value]),
    states: new Map([...typed.keys()].map((id) => [id, byId(id)]).filter(([, input]) => input)
      .map(([id, input]) => [id, stateOf(input)])),
    caret: caretOf(document.activeElement),
  };
});

document.addEventListener("htmx:afterSwap", () => {
  if (!kept) return;
  kept.open.forEach((id) => id && byId(id) && (byId(id).open = true));
  kept.shut.forEach((id) => id && byId(id) && (byId(id).open = false));
  kept.menu.forEach(([id, value]) => byId(id)?.closest("details").open && restore(byId(id), value));
  typed.forEach((_card, id) => byId(id) || typed.delete(id));
  const forms = new Map(); // → whether what was changed meanwhile has to draw the card anew
  kept.states.forEach((state, id) => {
    const input = byId(id);
    if (!input || !cardOf(input) || !restore(input, state)) {
      typed.delete(id);
      return;
    }
    const form = cardOf(input);
    forms.set(form, forms.get(form) || "redraw" in input.dataset);
  });
  const [id, start, end] = kept.caret || [];
  if (id && document.activeElement === byId(id)) byId(id).setSelectionRange(start, end);
  kept = null;
  forms.forEach((redraw, form) => saveSoon(form, { redraw }));
  enhanceDrag(root, base);
});

// Whether it now says what was typed: a choice that is no longer offered cannot be made again.
function restore(input, state) {
  if (input.type === "checkbox") {
    input.checked = state;
    return true;
  }
  if (input.tagName === "SELECT" && ![...input.options].some((option) => option.value === state)) return false;
  if (input.value !== state) input.value = state;
  return true;
}

document.body.addEventListener("draft-number", (event) => {
  document.querySelectorAll('input[name="revision"]').forEach((input) => {
    input.value = event.detail.revision;
  });
  // What is still being counted is of a draft before, with other rows.
  window.htmx.trigger("#designer-people", "htmx:abort");
});
document.body.addEventListener("draft-focus", (event) => {
  // Who types elsewhere by now goes on there.
  if (lastTyped <= lastPressed) goTo(event.detail.element);
});

// What a person does: what is done later in their name presses nothing.
["pointerdown", "click"].forEach((kind) => document.addEventListener(kind, ({ target, isTrusted }) => {
  if (!isTrusted) return;
  if (target.closest("input, select, textarea")) lastTyped = Date.now();
  else if (target.closest("button, [data-handle]")) lastPressed = Date.now();
}, true));

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
  lastPressed = Date.now();
  // One after the other: each needs the draft's number, and the form, that the answer before it brought.
  whenAnswered(() => step(redo));
});

function step(redo) {
  const button = byId(redo ? "designer-redo" : "designer-undo");
  if (button.getAttribute("aria-disabled") === "true") {
    announce(redo ? "There is nothing to do again" : "There is nothing to undo");
  } else {
    button.click();
  }
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

// Who leaves by a link finds what they typed saved; who closes the window is asked.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const apart = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || link.target || link.getAttribute("href").startsWith("#") || apart || event.defaultPrevented || !(waiting || isBusy())) return;
  event.preventDefault();
  saveWaiting();
  whenAnswered(() => {
    if (typed.size) announce("Not left yet: your last change is not saved");
    else window.location.assign(link.href);
  });
});
window.addEventListener("beforeunload", (event) => {
  const unsaved = typed.size && (waiting || isBusy());
  saveWaiting();
  if (unsaved) event.preventDefault();
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
