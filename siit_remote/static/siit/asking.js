// htmx sends a form to where the button says that has the focus, whoever asks for the request, and
// sends that button's value too. What a script asks for goes where the script says, and without it.

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const url = detail.triggeringEvent?.detail?.asked;
  if (!url) return;
  detail.path = url;
  detail.elt.querySelectorAll("button[name]").forEach((button) => delete detail.parameters[button.name]);
});

// As htmx.ajax: rejects where the server cannot be reached, which htmx:sendError tells as well.
export function ask(url, context) {
  const event = new CustomEvent("asked", { detail: { asked: url } });
  return window.htmx.ajax("POST", url, { ...context, event });
}
