// Dragging presses the same “move to position” as the menu does. Only the handle drags.
import { ask } from "./asking.js";
import { whenAnswered } from "./designer-deeds.js";

export function enhanceDrag(root, base) {
  if (!window.Sortable) return;
  root.querySelectorAll("ol.d-steps").forEach((list) => {
    if (window.Sortable.get(list)) return;
    window.Sortable.create(list, {
      group: "steps",
      handle: "[data-handle]",
      draggable: "li.d-step",
      animation: window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
      ghostClass: "d-ghost",
      fallbackOnBody: true,
      swapThreshold: 0.6,
      onMove: (event) => !event.dragged.contains(event.to),
      onEnd: (event) => moved(event, base),
    });
  });
}

function moved(event, base) {
  const same = event.from === event.to;
  if (same && event.oldDraggableIndex === event.newDraggableIndex) return;
  const values = { to: String(event.newDraggableIndex + 1), into: event.to.dataset.place };
  const { id } = event.item;
  whenAnswered(() => {
    const item = document.getElementById(id);
    if (!item) return;
    const url = `${base}move-step/?step=${encodeURIComponent(item.dataset.step)}`;
    const source = item.querySelector("form[data-card]");
    ask(url, { source, target: "#editor", swap: "outerHTML", values })
      .catch(() => undefined)
      .then(() => putBack(event));
  });
}

// The editor is drawn anew once the step is moved; where it still stands it was not.
function putBack({ item, from, oldIndex }) {
  if (!item.isConnected) return;
  item.remove();
  from.insertBefore(item, from.children[oldIndex] || null);
}
