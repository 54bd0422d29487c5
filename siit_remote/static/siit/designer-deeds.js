// One deed at a time. What is pressed, dragged or undone while an answer is under way waits for it and
// is then done to what the answer drew: the buttons and forms of before are gone.

const BUTTONS = "#editor button[formaction], #editor button[name], #designer-tools button[formaction]";
const underWay = new Set();
const deeds = [];
let doing = false;

export const isBusy = () => underWay.size > 0 || deeds.length > 0;

export function whenAnswered(deed) {
  deeds.push(deed);
  next();
}

function next() {
  while (!underWay.size && deeds.length && !doing) {
    const deed = deeds.shift();
    doing = true;
    try {
      deed();
    } finally {
      doing = false;
    }
  }
}

document.addEventListener("htmx:beforeSend", ({ detail }) => {
  if (detail.requestConfig.verb === "get") return;
  underWay.add(detail.xhr);
  detail.xhr.addEventListener("loadend", () => {
    underWay.delete(detail.xhr);
    next();
  });
});

// The same button in what was drawn since: many have no id, none stands twice on one card.
function again(button) {
  const told = (other) => [other.id, other.getAttribute("formaction"), other.name, other.value, other.form?.dataset.card];
  const mine = told(button).join("\n");
  return [...document.querySelectorAll(BUTTONS)].find((other) => told(other).join("\n") === mine);
}

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest(BUTTONS);
    if (!button || doing || !isBusy() || button.getAttribute("aria-disabled") === "true") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const beside = [...(button.closest(".d-move")?.querySelectorAll("input, select") || [])];
    const values = beside.map((input) => [input.id, input.value]);
    whenAnswered(() => {
      values.forEach(([id, value]) => {
        const input = document.getElementById(id);
        if (input) input.value = value;
      });
      again(button)?.click();
    });
  },
  true,
);
