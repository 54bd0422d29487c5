// Small conveniences. Every page works without this file.

// One open menu at a time, closed by Escape or a click elsewhere.
const openMenus = () => document.querySelectorAll("details.menu[open]");
document.addEventListener("click", (event) => {
  openMenus().forEach((menu) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  openMenus().forEach((menu) => {
    menu.open = false;
    menu.querySelector("summary").focus();
  });
});

// A form is sent once: a second click on a slow connection must not ask twice.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post" || event.defaultPrevented || "download" in event.target.dataset) return;
  const buttons = [...event.target.elements].filter((element) => element.matches("button[type=submit]"));
  window.setTimeout(() => buttons.forEach((button) => (button.disabled = true)), 0);
});
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("button[type=submit]:disabled").forEach((button) => (button.disabled = false));
});

// A page that follows the worker does not take away what somebody types on it meanwhile.
let typing = null;
document.addEventListener("input", (event) => {
  typing = event.target;
});
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const { xhr, elt } = event.detail;
  const leaves = xhr.getResponseHeader("HX-Refresh") || xhr.getResponseHeader("HX-Redirect");
  if (!leaves || !typing?.isConnected || typing.value === typing.defaultValue) return;
  event.preventDefault();
  elt.querySelector("[data-done]")?.removeAttribute("hidden");
});

// Copy an identifier.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !navigator.clipboard) return;
  navigator.clipboard.writeText(button.dataset.copy).then(() => {
    button.setAttribute("aria-label", "Copied");
    button.classList.add("copied");
  });
});
