// Dragging presses the same “move to position” as the menu does. Only the handle drags.

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
  const form = event.item.querySelector("form[data-card]");
  const values = { to: String(event.newDraggableIndex + 1), into: event.to.dataset.place };
  const step = encodeURIComponent(event.item.dataset.step);
  window.htmx
    .ajax("POST", `${base}move-step/?step=${step}`, { source: form, target: "#editor", swap: "outerHTML", values })
    .catch(() => window.location.reload());
}
