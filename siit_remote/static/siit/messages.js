// The editor of message templates: a placeholder is put where the caret was last, and a mistake in
// the list at the top leads to its line and column. Without this file both are read and typed.
const form = document.getElementById("message-form");
const isText = (target) => target instanceof Element && target.matches("[data-text]");
let last = null;

form.addEventListener("focusin", (event) => {
  if (isText(event.target)) last = event.target;
});

function insert(source) {
  const input = last?.isConnected ? last : form.querySelector("textarea[data-text]");
  if (!input) return;
  input.focus();
  input.setRangeText(source, input.selectionStart, input.selectionEnd, "end");
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

document.querySelectorAll("#placeholders [data-insert]").forEach((item) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "placeholder";
  button.append(...item.childNodes);
  button.addEventListener("click", () => insert(item.dataset.insert));
  item.append(button);
});
const how = document.querySelector("#placeholders [data-how]");
if (how) how.textContent = "Press one to put it where you last typed; it is filled in for each person.";

function offset(text, line, column) {
  const before = text.split("\n").slice(0, line - 1);
  return before.reduce((sum, row) => sum + row.length + 1, 0) + column - 1;
}

document.querySelectorAll(".form-errors [data-line]").forEach((link) => {
  link.addEventListener("click", (event) => {
    const input = document.querySelector(link.getAttribute("href"));
    if (!input) return;
    event.preventDefault();
    input.focus();
    const line = Number(link.dataset.line);
    if (line) {
      const at = offset(input.value, line, Number(link.dataset.column));
      input.setSelectionRange(at, at);
    }
    input.scrollIntoView({ block: "center" });
  });
});
